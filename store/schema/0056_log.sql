-- Lines of the log of the same moment and content are several: number counts them, from 0. Before, they were one.
{{postgres}} ALTER TABLE log ADD COLUMN number {{int}} NOT NULL DEFAULT 0;

{{postgres}} ALTER TABLE log DROP CONSTRAINT log_lines_pkey;

{{postgres}} ALTER TABLE log ADD PRIMARY KEY (bucket, at, action, subject, actor, detail, request, number);

{{sqlite}} CREATE TABLE log_lines (
{{sqlite}} 	bucket  {{small}} NOT NULL,
{{sqlite}} 	at      {{int}} NOT NULL,
{{sqlite}} 	actor   {{text}} NOT NULL,
{{sqlite}} 	role    {{text}} NOT NULL,
{{sqlite}} 	request {{text}} NOT NULL,
{{sqlite}} 	action  {{text}} NOT NULL,
{{sqlite}} 	subject {{text}} NOT NULL,
{{sqlite}} 	detail  {{text}} NOT NULL,
{{sqlite}} 	number  {{int}} NOT NULL DEFAULT 0,
{{sqlite}} 	PRIMARY KEY (bucket, at, action, subject, actor, detail, request, number)
{{sqlite}} ) {{table}};

{{sqlite}} INSERT INTO log_lines (bucket, at, actor, role, request, action, subject, detail)
{{sqlite}} SELECT bucket, at, actor, role, request, action, subject, detail FROM log;

{{sqlite}} DROP TABLE log;

{{sqlite}} ALTER TABLE log_lines RENAME TO log;
