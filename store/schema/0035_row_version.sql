-- What the program last wrote into rows that are replaced or removed, and each time before: who changes such a row by SQL
-- leaves a row that differs from its last version. content is the columns as text, or their hash where they are a
-- person's; '': the row was removed. Versions are only added.
CREATE TABLE row_versions (
	bucket  {{small}} NOT NULL,
	kind    {{text}} NOT NULL,
	name    {{text}} NOT NULL,
	number  {{day}} NOT NULL,
	at      {{int}} NOT NULL,
	content {{text}} NOT NULL,
	PRIMARY KEY (bucket, kind, name, number)
) {{table}};

CREATE INDEX row_versions_at ON row_versions (at);
