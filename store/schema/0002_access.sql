-- Who may do what, what was answered, and what happened: for the REST faces.

-- API keys. A secret is sealed with a key that is not in the database; of RSA and Ed25519 only the public key is here. 0: never.
CREATE TABLE keys (
	bucket      {{small}} NOT NULL,
	key         {{text}} NOT NULL,
	account     {{text}} NOT NULL,
	type        {{text}} NOT NULL,
	permissions {{text}} NOT NULL,
	addresses   {{text}} NOT NULL,
	label       {{text}} NOT NULL,
	secret      {{blob}} NOT NULL,
	created     {{int}} NOT NULL,
	expires     {{int}} NOT NULL,
	revoked     {{int}} NOT NULL,
	PRIMARY KEY (bucket, key)
) {{table}};

CREATE INDEX keys_account ON keys (account);

-- Bearer tokens: the hash, never the token. They lie in the bucket of their ID.
CREATE TABLE tokens (
	bucket  {{small}} NOT NULL,
	id      {{text}} NOT NULL,
	hash    {{blob}} NOT NULL,
	role    {{text}} NOT NULL,
	account {{text}} NOT NULL,
	label   {{text}} NOT NULL,
	created {{int}} NOT NULL,
	expires {{int}} NOT NULL,
	revoked {{int}} NOT NULL,
	PRIMARY KEY (bucket, id)
) {{table}};

-- What a request was answered that is answered alike when it comes again: by its owner and the key it gave. status 0: it is being worked on.
CREATE TABLE answers (
	bucket  {{small}} NOT NULL,
	owner   {{text}} NOT NULL,
	key     {{text}} NOT NULL,
	request {{blob}} NOT NULL,
	status  {{day}} NOT NULL,
	headers {{text}} NOT NULL,
	body    {{blob}} NOT NULL,
	claimed {{int}} NOT NULL,
	until   {{int}} NOT NULL,
	PRIMARY KEY (bucket, owner, key)
) {{table}};

CREATE INDEX answers_until ON answers (until);

-- A row for each entry that requests a withdrawal, written with it: what it says, and where the withdrawal goes.
CREATE TABLE withdrawals (
	bucket    {{small}} NOT NULL,
	account   {{text}} NOT NULL,
	id        {{text}} NOT NULL,
	requested {{int}} NOT NULL,
	asset     {{text}} NOT NULL,
	amount    {{int}} NOT NULL,
	address   {{text}} NOT NULL,
	network   {{text}} NOT NULL,
	tag       {{text}} NOT NULL,
	client_id {{text}} NOT NULL,
	PRIMARY KEY (bucket, account, id)
) {{table}};

CREATE INDEX withdrawals_requested ON withdrawals (bucket, account, requested);

-- A row for each entry that ends a withdrawal, written with it. Its key is the request's: a withdrawal ends once.
CREATE TABLE endings (
	bucket  {{small}} NOT NULL,
	account {{text}} NOT NULL,
	id      {{text}} NOT NULL,
	kind    {{text}} NOT NULL,
	at      {{int}} NOT NULL,
	PRIMARY KEY (bucket, account, id)
) {{table}};

-- The withdrawals that have no ending yet: what waits is found without reading all that is over.
CREATE TABLE pending (
	bucket    {{small}} NOT NULL,
	account   {{text}} NOT NULL,
	id        {{text}} NOT NULL,
	requested {{int}} NOT NULL,
	PRIMARY KEY (bucket, account, id)
) {{table}};

CREATE INDEX pending_requested ON pending (requested, id);

-- What happened, a row a commit, for those who want to be told: kept some days. They lie by their nonce, and are read by their time.
CREATE TABLE news (
	bucket {{small}} NOT NULL,
	at     {{int}} NOT NULL,
	nonce  {{text}} NOT NULL,
	body   {{blob}} NOT NULL,
	PRIMARY KEY (bucket, at, nonce)
) {{table}};

CREATE INDEX news_at ON news (at, nonce);

-- The days of tokens that are paid in every bucket: only ever added, oldest first.
CREATE TABLE settled (
	asset      {{text}} NOT NULL,
	day        {{day}} NOT NULL,
	settled_at {{int}} NOT NULL,
	PRIMARY KEY (asset, day)
) {{table}};

-- 0: open. A closed account's balances are zero, and take nothing any more.
ALTER TABLE accounts ADD COLUMN closed {{int}} NOT NULL DEFAULT 0;

ALTER TABLE balances ADD COLUMN closed {{small}} NOT NULL DEFAULT 0;

CREATE INDEX payments_paid ON payments (bucket, paid_at);
