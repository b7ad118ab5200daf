-- Endpoints that get messages by HTTP. kinds are those of the messages that they want, with commas; ordered is 1 where a message waits for the one before. secret is what messages are signed with, sealed with the key outside of the database; former is the one before, which signs too until former_until. public is the public key of an ed25519 secret, '' of HMAC. mac: see integrity.Guard.
CREATE TABLE webhooks (
	name         {{text}} NOT NULL,
	url          {{text}} NOT NULL,
	kinds        {{text}} NOT NULL,
	ordered      {{int}} NOT NULL,
	secret       {{blob}} NOT NULL,
	public       {{text}} NOT NULL,
	former       {{blob}} NOT NULL,
	former_until {{int}} NOT NULL,
	added        {{int}} NOT NULL,
	mac          {{text}} NOT NULL DEFAULT '',
	PRIMARY KEY (name)
);

-- How far an endpoint is. Of the outbox, every message through event_part of event_number is delivered or in webhook_messages; of payouts, every one through payout. disabled is since when nothing is sent, 0: it is; paused is until when nothing is sent. The process of holder sends until lease. delivered counts messages, the last of them at delivered_at.
CREATE TABLE webhook_states (
	name         {{text}} NOT NULL,
	disabled     {{int}} NOT NULL,
	reason       {{text}} NOT NULL,
	event_number {{int}} NOT NULL,
	event_part   {{int}} NOT NULL,
	payout       {{int}} NOT NULL,
	paused       {{int}} NOT NULL,
	holder       {{text}} NOT NULL,
	lease        {{int}} NOT NULL,
	delivered    {{int}} NOT NULL,
	delivered_at {{int}} NOT NULL,
	PRIMARY KEY (name)
);

-- Messages that are to be sent at next: those that failed, those that somebody wants to be sent again (again is 1), and tests.
CREATE TABLE webhook_messages (
	name     {{text}} NOT NULL,
	stream   {{int}} NOT NULL,
	number   {{int}} NOT NULL,
	part     {{int}} NOT NULL,
	again    {{int}} NOT NULL,
	attempts {{int}} NOT NULL,
	next     {{int}} NOT NULL,
	added    {{int}} NOT NULL,
	PRIMARY KEY (name, stream, number, part)
);

CREATE INDEX webhook_messages_next ON webhook_messages (name, next);

-- Attempts that failed, and those that delivered what is in webhook_messages. status is that of the answer, 0: there was none; extract says what was wrong.
CREATE TABLE webhook_attempts (
	name    {{text}} NOT NULL,
	at      {{int}} NOT NULL,
	nonce   {{text}} NOT NULL,
	stream  {{int}} NOT NULL,
	number  {{int}} NOT NULL,
	part    {{int}} NOT NULL,
	attempt {{int}} NOT NULL,
	status  {{int}} NOT NULL,
	extract {{text}} NOT NULL,
	PRIMARY KEY (name, at, nonce)
);
