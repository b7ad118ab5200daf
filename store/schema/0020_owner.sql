-- What the accounts of an owner held together of a token on a day, of owners with several accounts, where minimum and cap are
-- those of owners: how many of the accounts held something, and the sum of their integrals, in unit-milliseconds, a decimal
-- number. It lies in the bucket of the owner's ID.
CREATE TABLE owner_sums (
	bucket   {{small}} NOT NULL,
	day      {{day}} NOT NULL,
	owner    {{text}} NOT NULL,
	asset    {{text}} NOT NULL,
	accounts {{int}} NOT NULL,
	integral {{text}} NOT NULL,
	PRIMARY KEY (bucket, day, owner, asset)
) {{table}};

-- The days of tokens whose sums are written, and how many owners have one.
CREATE TABLE groupings (
	day    {{day}} NOT NULL,
	asset  {{text}} NOT NULL,
	owners {{int}} NOT NULL,
	PRIMARY KEY (day, asset)
) {{table}};
