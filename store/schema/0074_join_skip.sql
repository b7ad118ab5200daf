-- Events of sources that a person has decided never to post, and the place at which each stopped its partition: when, in
-- milliseconds, by whom and why. passed is when the event came, and what its source has after it was counted, and digest
-- the SHA-256 of its content, in hexadecimal; 0 and '': it has not come yet.
CREATE TABLE join_skips (
	source    {{text}} NOT NULL,
	event     {{text}} NOT NULL,
	name      {{text}} NOT NULL, -- of the partition
	position  {{int}} NOT NULL,
	part      {{int}} NOT NULL,
	set_at    {{int}} NOT NULL,
	set_by    {{text}} NOT NULL,
	reason    {{text}} NOT NULL,
	passed    {{int}} NOT NULL,
	digest    {{text}} NOT NULL,
	PRIMARY KEY (source, event, name, position, part)
) {{table}};
