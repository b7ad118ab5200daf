-- Days on which what an account has of a token, or of every token (''), is not measured, because another product has
-- priority: from one day, and before another. A product's exclusions of one token may overlap.
CREATE TABLE exclusions (
	bucket    {{small}} NOT NULL,
	account   {{text}} NOT NULL,
	asset     {{text}} NOT NULL,
	product   {{text}} NOT NULL,
	from_day  {{day}} NOT NULL,
	until_day {{day}} NOT NULL,
	set_at    {{int}} NOT NULL,
	set_by    {{text}} NOT NULL,
	PRIMARY KEY (bucket, account, asset, product, from_day)
) {{table}};

-- A run asks each bucket whether it has any of a day.
CREATE INDEX exclusions_until ON exclusions (bucket, until_day);
