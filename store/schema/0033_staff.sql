-- Who works for the operator, and logs in to the console. They lie in the bucket of the address. 0: not disabled, no code.
CREATE TABLE staff (
	bucket       {{small}} NOT NULL,
	email        {{text}} NOT NULL,
	role         {{text}} NOT NULL,
	source       {{text}} NOT NULL,
	subject      {{text}} NOT NULL,
	made         {{int}} NOT NULL,
	made_by      {{text}} NOT NULL,
	disabled     {{int}} NOT NULL,
	invite_hash  {{blob}} NOT NULL,
	invite_until {{int}} NOT NULL,
	PRIMARY KEY (bucket, email)
) {{table}};

-- Sessions of the console: the hash, never the secret. They lie in the bucket of their ID, and are removed when they are over.
CREATE TABLE staff_sessions (
	bucket  {{small}} NOT NULL,
	id      {{text}} NOT NULL,
	hash    {{blob}} NOT NULL,
	email   {{text}} NOT NULL,
	client  {{text}} NOT NULL,
	address {{text}} NOT NULL,
	created {{int}} NOT NULL,
	seen    {{int}} NOT NULL,
	expires {{int}} NOT NULL,
	PRIMARY KEY (bucket, id)
) {{table}};

CREATE INDEX staff_sessions_email ON staff_sessions (email);

CREATE INDEX staff_sessions_expires ON staff_sessions (expires);

-- Log-ins that were begun at the OpenID provider, each used once: for what, and by which browser. They lie in the bucket of their state.
CREATE TABLE staff_log_ins (
	bucket   {{small}} NOT NULL,
	state    {{text}} NOT NULL,
	browser  {{blob}} NOT NULL,
	nonce    {{text}} NOT NULL,
	verifier {{text}} NOT NULL,
	email    {{text}} NOT NULL,
	digest   {{text}} NOT NULL,
	next     {{text}} NOT NULL,
	made     {{int}} NOT NULL,
	expires  {{int}} NOT NULL,
	PRIMARY KEY (bucket, state)
) {{table}};

CREATE INDEX staff_log_ins_expires ON staff_log_ins (expires);
