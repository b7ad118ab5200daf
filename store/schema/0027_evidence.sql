-- The record of a day that is closed: hashes of the rows that it wrote, which can be computed again, in the form that
-- they are signed in. It is written once, day after day.
CREATE TABLE records (
	day     {{day}} NOT NULL,
	body    {{text}} NOT NULL,
	made_at {{int}} NOT NULL,
	PRIMARY KEY (day)
) {{table}};

-- A record's hashes bucket by bucket, of the buckets that have rows: where rows differ is found by them.
CREATE TABLE record_groups (
	bucket {{small}} NOT NULL,
	day    {{day}} NOT NULL,
	body   {{text}} NOT NULL,
	PRIMARY KEY (bucket, day)
) {{table}};

-- What was signed of the first records, so many as size: a note, with a key that is not in the database.
CREATE TABLE checkpoints (
	size      {{int}} NOT NULL,
	signer    {{text}} NOT NULL,
	note      {{text}} NOT NULL,
	signed_at {{int}} NOT NULL,
	PRIMARY KEY (size, signer)
) {{table}};
