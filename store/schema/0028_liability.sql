-- The Merkle sum tree of what is owed to the holders of a token at the end of a day: the salt that shuffles it and hides
-- its leaves, and the root of each bucket, a sum of 8 bytes and a hash of 32.
CREATE TABLE liabilities (
	day   {{day}} NOT NULL,
	asset {{text}} NOT NULL,
	salt  {{blob}} NOT NULL,
	roots {{blob}} NOT NULL,
	PRIMARY KEY (day, asset)
) {{table}};
