-- The rows that imports have read of an account's history elsewhere, and in which part of
-- which export: files that come later overlap with them, or complete them.
CREATE TABLE import_rows (
	bucket    {{small}} NOT NULL,
	account   {{text}} NOT NULL,
	at        {{int}} NOT NULL,
	asset     {{text}} NOT NULL,
	operation {{text}} NOT NULL,
	amount    {{int}} NOT NULL,
	export    {{text}} NOT NULL,
	part      {{int}} NOT NULL,
	times     {{int}} NOT NULL,
	reward    {{small}} NOT NULL,
	PRIMARY KEY (bucket, account, at, asset, operation, amount, export, part)
) {{table}};
