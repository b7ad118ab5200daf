-- Who may log in, and what they did there: for the pages.

-- A person's e-mail address in small letters, the hash of the password, and the account that it opens. They lie in the bucket of the address.
CREATE TABLE logins (
	bucket   {{small}} NOT NULL,
	email    {{text}} NOT NULL,
	account  {{text}} NOT NULL,
	password {{text}} NOT NULL,
	created  {{int}} NOT NULL,
	changed  {{int}} NOT NULL,
	PRIMARY KEY (bucket, email)
) {{table}};

CREATE INDEX logins_account ON logins (account);

-- Sessions of the pages: the hash, never the secret. They lie in the bucket of their ID, and are removed when they are over.
CREATE TABLE sessions (
	bucket  {{small}} NOT NULL,
	id      {{text}} NOT NULL,
	hash    {{blob}} NOT NULL,
	email   {{text}} NOT NULL,
	account {{text}} NOT NULL,
	client  {{text}} NOT NULL,
	address {{text}} NOT NULL,
	created {{int}} NOT NULL,
	seen    {{int}} NOT NULL,
	expires {{int}} NOT NULL,
	PRIMARY KEY (bucket, id)
) {{table}};

CREATE INDEX sessions_account ON sessions (account);

CREATE INDEX sessions_expires ON sessions (expires);

-- How often somebody tried to log in since a moment: a hash of the e-mail address or of the network address, whether it is known or not.
CREATE TABLE attempts (
	bucket {{small}} NOT NULL,
	who    {{text}} NOT NULL,
	since  {{int}} NOT NULL,
	tries  {{int}} NOT NULL,
	PRIMARY KEY (bucket, who)
) {{table}};

CREATE INDEX attempts_since ON attempts (since);

-- What a person did on the pages that no other table tells: log-ins, keys, passwords. Kept for ever, as presses and acceptances are.
CREATE TABLE acts (
	bucket  {{small}} NOT NULL,
	account {{text}} NOT NULL,
	at      {{int}} NOT NULL,
	nonce   {{text}} NOT NULL,
	action  {{text}} NOT NULL,
	detail  {{text}} NOT NULL,
	client  {{text}} NOT NULL,
	address {{text}} NOT NULL,
	PRIMARY KEY (bucket, account, at, nonce)
) {{table}};
