-- What a day is measured by: 0, its average; 1, its smallest free balance. Whether minimum and cap are those of an owner's
-- accounts together. The rate a year before the fee, as the operator states it: 0, not stated.
ALTER TABLE terms ADD COLUMN measure {{small}} DEFAULT 0 NOT NULL;

ALTER TABLE terms ADD COLUMN per_owner {{small}} DEFAULT 0 NOT NULL;

ALTER TABLE terms ADD COLUMN gross_apr {{int}} DEFAULT 0 NOT NULL;

-- Whose an account is, from a day on; an empty name: nobody's but its own. The last revision of a day counts.
CREATE TABLE owners (
	bucket   {{small}} NOT NULL,
	account  {{text}} NOT NULL,
	from_day {{day}} NOT NULL,
	revision {{int}} NOT NULL,
	owner    {{text}} NOT NULL,
	set_at   {{int}} NOT NULL,
	set_by   {{text}} NOT NULL,
	PRIMARY KEY (bucket, account, from_day, revision)
) {{table}};

CREATE INDEX owners_owner ON owners (owner);

-- Words of the operator for accounts, such as "vip", on some days: from one, and before another.
CREATE TABLE labels (
	bucket    {{small}} NOT NULL,
	account   {{text}} NOT NULL,
	label     {{text}} NOT NULL,
	from_day  {{day}} NOT NULL,
	until_day {{day}} NOT NULL,
	set_at    {{int}} NOT NULL,
	set_by    {{text}} NOT NULL,
	PRIMARY KEY (bucket, account, label, from_day)
) {{table}};
