-- What a person has filled in on the pages and not confirmed yet, and what limits conversions.

-- Forms that were posted and wait to be confirmed: a draft is never changed, and is removed when it is used. body: the fields, as a form is encoded. They lie in the bucket of their account.
CREATE TABLE drafts (
	bucket  {{small}} NOT NULL,
	account {{text}} NOT NULL,
	id      {{text}} NOT NULL,
	session {{text}} NOT NULL,
	path    {{text}} NOT NULL,
	body    {{text}} NOT NULL,
	created {{int}} NOT NULL,
	expires {{int}} NOT NULL,
	PRIMARY KEY (bucket, account, id)
) {{table}};

CREATE INDEX drafts_expires ON drafts (expires);

-- What an account has converted on a UTC day, in USDT and in 1e-8, each conversion rounded up.
CREATE TABLE conversions (
	bucket  {{small}} NOT NULL,
	account {{text}} NOT NULL,
	day     {{day}} NOT NULL,
	worth   {{int}} NOT NULL,
	PRIMARY KEY (bucket, account, day)
) {{table}};

-- A row for each asset that @desk pays out in conversions, locked by each of them: what it has lies in all buckets, and is counted under this lock.
CREATE TABLE desk (
	asset {{text}} NOT NULL PRIMARY KEY
) {{table}};
