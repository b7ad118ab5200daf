-- Who made each change: the credential and its role, and the request that it came with (access.Actor). '': not known, it was made before this was kept.

ALTER TABLE entries ADD COLUMN credential {{text}} NOT NULL DEFAULT '';

ALTER TABLE entries ADD COLUMN role {{text}} NOT NULL DEFAULT '';

ALTER TABLE entries ADD COLUMN request {{text}} NOT NULL DEFAULT '';

ALTER TABLE declarations ADD COLUMN credential {{text}} NOT NULL DEFAULT '';

ALTER TABLE declarations ADD COLUMN role {{text}} NOT NULL DEFAULT '';

ALTER TABLE declarations ADD COLUMN request {{text}} NOT NULL DEFAULT '';

ALTER TABLE payments ADD COLUMN credential {{text}} NOT NULL DEFAULT '';

ALTER TABLE payments ADD COLUMN role {{text}} NOT NULL DEFAULT '';

ALTER TABLE payments ADD COLUMN request {{text}} NOT NULL DEFAULT '';

-- The same line of two requests is two lines: the request becomes a part of the log's key.
CREATE TABLE log_lines (
	bucket  {{small}} NOT NULL,
	at      {{int}} NOT NULL,
	actor   {{text}} NOT NULL,
	role    {{text}} NOT NULL,
	request {{text}} NOT NULL,
	action  {{text}} NOT NULL,
	subject {{text}} NOT NULL,
	detail  {{text}} NOT NULL,
	PRIMARY KEY (bucket, at, action, subject, actor, detail, request)
) {{table}};

INSERT INTO log_lines (bucket, at, actor, role, request, action, subject, detail)
SELECT bucket, at, actor, '', '', action, subject, detail FROM log;

DROP TABLE log;

ALTER TABLE log_lines RENAME TO log;
