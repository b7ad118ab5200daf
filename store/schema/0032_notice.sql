-- What a holder is to hear of, for the list of the account's activity. facts is a JSON array of texts, as the kind defines it.
CREATE TABLE notices (
	bucket  {{small}} NOT NULL,
	account {{text}} NOT NULL,
	at      {{int}} NOT NULL,
	nonce   {{text}} NOT NULL,
	kind    {{text}} NOT NULL,
	facts   {{text}} NOT NULL,
	PRIMARY KEY (bucket, account, at, nonce)
) {{table}};

-- The outbox of mail: a notice for an e-mail address, in the bucket of the address. next is when it is sent, or sent again; 0: nothing is left to do. sent 0: it was not. account '': a member of staff's.
CREATE TABLE mails (
	bucket  {{small}} NOT NULL,
	email   {{text}} NOT NULL,
	at      {{int}} NOT NULL,
	nonce   {{text}} NOT NULL,
	account {{text}} NOT NULL,
	kind    {{text}} NOT NULL,
	facts   {{text}} NOT NULL,
	tries   {{int}} NOT NULL,
	next    {{int}} NOT NULL,
	sent    {{int}} NOT NULL,
	problem {{text}} NOT NULL,
	PRIMARY KEY (bucket, email, at, nonce)
) {{table}};

CREATE INDEX mails_next ON mails (next, at);

CREATE INDEX mails_at ON mails (at);

-- How a login hears of things: the language of its pages, and whether it gets what it may do without.
CREATE TABLE mail_settings (
	bucket   {{small}} NOT NULL,
	email    {{text}} NOT NULL,
	language {{text}} NOT NULL,
	optional {{small}} NOT NULL,
	PRIMARY KEY (bucket, email)
) {{table}};
