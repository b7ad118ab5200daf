-- Events of sources that a person has decided never to post: when, in milliseconds, by whom and why.
CREATE TABLE join_skips (
	source {{text}} NOT NULL,
	event  {{text}} NOT NULL,
	set_at {{int}} NOT NULL,
	set_by {{text}} NOT NULL,
	reason {{text}} NOT NULL,
	PRIMARY KEY (source, event)
) {{table}};
