-- How far the holders who earned with a token are notified that it is not offered from a day on: those in the buckets
-- before this one, and in it up to the account; bucket 256: all.
CREATE TABLE offer_ends (
	asset   {{text}} NOT NULL,
	day     {{day}} NOT NULL,
	bucket  {{small}} NOT NULL,
	account {{text}} NOT NULL,
	PRIMARY KEY (asset, day)
) {{table}};
