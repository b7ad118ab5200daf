-- The sources whose events are posted: added in milliseconds, by whom.
CREATE TABLE join_sources (
	name     {{text}} NOT NULL PRIMARY KEY,
	added    {{int}} NOT NULL,
	added_by {{text}} NOT NULL
) {{table}};

INSERT INTO join_sources (name, added, added_by) SELECT source, 0, 'upgrade' FROM join_partitions GROUP BY source;
