-- Where each source is read, and the SHA-256 of the mapping it is read by, in hexadecimal ('': none): the newest number
-- counts. Set in milliseconds, by whom.
CREATE TABLE join_addresses (
	source  {{text}} NOT NULL,
	number  {{int}} NOT NULL,
	address {{text}} NOT NULL,
	mapping {{text}} NOT NULL,
	set_at  {{int}} NOT NULL,
	set_by  {{text}} NOT NULL,
	PRIMARY KEY (source, number)
) {{table}};
