-- Second factors of those who log in, and what was proved with them. subject: "login EMAIL" or "staff EMAIL". All lie in the bucket of their subject.

-- A subject's passkeys. id: the credential's, in base64url; handle: the random name of the subject in its passkeys; credential: the public key and what it was registered with, as JSON; count: the authenticator's signature counter; used: 0: never.
CREATE TABLE passkeys (
	bucket     {{small}} NOT NULL,
	subject    {{text}} NOT NULL,
	id         {{text}} NOT NULL,
	handle     {{blob}} NOT NULL,
	label      {{text}} NOT NULL,
	credential {{text}} NOT NULL,
	count      {{int}} NOT NULL,
	added      {{int}} NOT NULL,
	used       {{int}} NOT NULL,
	PRIMARY KEY (bucket, subject, id)
) {{table}};

CREATE INDEX passkeys_id ON passkeys (id);

-- The secret that an authenticator app makes a subject's codes with, sealed; step: that of the last code that was used.
CREATE TABLE totps (
	bucket  {{small}} NOT NULL,
	subject {{text}} NOT NULL,
	secret  {{blob}} NOT NULL,
	step    {{int}} NOT NULL,
	added   {{int}} NOT NULL,
	PRIMARY KEY (bucket, subject)
) {{table}};

-- Hashes of a subject's recovery codes; used: 0: not yet.
CREATE TABLE recovery_codes (
	bucket  {{small}} NOT NULL,
	subject {{text}} NOT NULL,
	hash    {{blob}} NOT NULL,
	made    {{int}} NOT NULL,
	used    {{int}} NOT NULL,
	PRIMARY KEY (bucket, subject, hash)
) {{table}};

-- When a factor of a subject was last added, removed or reset, or a recovery code was used.
CREATE TABLE factor_changes (
	bucket  {{small}} NOT NULL,
	subject {{text}} NOT NULL,
	changed {{int}} NOT NULL,
	PRIMARY KEY (bucket, subject)
) {{table}};

-- Challenges that passkeys have answered, until they are over: each is answered once.
CREATE TABLE challenges (
	bucket    {{small}} NOT NULL,
	challenge {{text}} NOT NULL,
	expires   {{int}} NOT NULL,
	PRIMARY KEY (bucket, challenge)
) {{table}};

CREATE INDEX challenges_expires ON challenges (expires);

-- A subject's proofs that it has confirmed one operation and its content, whose digest it is; used: 0: not yet. method: passkey, totp, recovery, or password where it has no factor.
CREATE TABLE step_ups (
	bucket  {{small}} NOT NULL,
	subject {{text}} NOT NULL,
	id      {{text}} NOT NULL,
	digest  {{text}} NOT NULL,
	method  {{text}} NOT NULL,
	made    {{int}} NOT NULL,
	expires {{int}} NOT NULL,
	used    {{int}} NOT NULL,
	PRIMARY KEY (bucket, subject, id)
) {{table}};

CREATE INDEX step_ups_expires ON step_ups (expires);
