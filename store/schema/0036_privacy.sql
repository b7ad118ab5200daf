-- What says who a person is and where they were lies apart from the books, so that it can be removed: the books, the log and
-- the records of days have references only.

-- The e-mail address of a login, which the log and entries name by a reference. Rows lie in the bucket of the reference. They are
-- removed some time after the login has ended (0: it has not), or with the person.
CREATE TABLE emails (
	bucket    {{small}} NOT NULL,
	reference {{text}} NOT NULL,
	email     {{text}} NOT NULL,
	account   {{text}} NOT NULL,
	ended     {{int}} NOT NULL,
	PRIMARY KEY (bucket, reference)
) {{table}};

CREATE INDEX emails_account ON emails (account);

CREATE INDEX emails_ended ON emails (ended);

ALTER TABLE logins ADD COLUMN reference {{text}} NOT NULL DEFAULT '';

-- Where an event of an account came from, and of a security event what it was about. The event's own key is the reference:
-- "switch AT ACTION", "accept DOCUMENT VERSION" or "security AT NONCE".
CREATE TABLE origins (
	bucket  {{small}} NOT NULL,
	account {{text}} NOT NULL,
	event   {{text}} NOT NULL,
	at      {{int}} NOT NULL,
	detail  {{text}} NOT NULL,
	client  {{text}} NOT NULL,
	address {{text}} NOT NULL,
	PRIMARY KEY (bucket, account, event)
) {{table}};

CREATE INDEX origins_at ON origins (at);

INSERT INTO origins (bucket, account, event, at, detail, client, address)
SELECT bucket, account, 'switch ' || at || ' ' || action, at, '', client, address FROM switch_events
 WHERE client <> '' OR address <> '';

INSERT INTO origins (bucket, account, event, at, detail, client, address)
SELECT bucket, account, 'accept ' || document || ' ' || version, accepted_at, '', client, address FROM acceptances
 WHERE client <> '' OR address <> '';

INSERT INTO origins (bucket, account, event, at, detail, client, address)
SELECT bucket, account, 'security ' || at || ' ' || nonce, at, detail, client, address FROM security_events
 WHERE detail <> '' OR client <> '' OR address <> '';

ALTER TABLE switch_events DROP COLUMN client;

ALTER TABLE switch_events DROP COLUMN address;

ALTER TABLE acceptances DROP COLUMN client;

ALTER TABLE acceptances DROP COLUMN address;

ALTER TABLE security_events DROP COLUMN detail;

ALTER TABLE security_events DROP COLUMN client;

ALTER TABLE security_events DROP COLUMN address;

CREATE INDEX notices_at ON notices (at);

-- When the person of an account was erased; 0: not.
ALTER TABLE accounts ADD COLUMN erased {{int}} NOT NULL DEFAULT 0;
