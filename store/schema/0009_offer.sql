-- Where the product is not offered: a row for each time that a region was listed. Its
-- residents do not earn from from_day on, until it is removed. removed 0: it is listed.
-- unfinished 1: the enrollments of its residents are still being ended, or restored.
CREATE TABLE listings (
	code       {{text}} NOT NULL,
	number     {{day}} NOT NULL,
	from_day   {{day}} NOT NULL,
	added      {{int}} NOT NULL,
	added_by   {{text}} NOT NULL,
	reason     {{text}} NOT NULL,
	ended      {{int}} NOT NULL,
	removed    {{int}} NOT NULL,
	removed_by {{text}} NOT NULL,
	restored   {{int}} NOT NULL,
	unfinished {{small}} NOT NULL,
	PRIMARY KEY (code, number)
) {{table}};

-- The enrollments that ended for no other reason than a listing: undoing it restores
-- them. A holder who switches the switch or moves is taken out.
CREATE TABLE listed_out (
	bucket   {{small}} NOT NULL,
	account  {{text}} NOT NULL,
	from_day {{day}} NOT NULL,
	code     {{text}} NOT NULL,
	number   {{day}} NOT NULL,
	PRIMARY KEY (bucket, account)
) {{table}};

-- A listing without a first day holds since the books began, which the step in Go writes.
INSERT INTO listings (code, number, from_day, added, added_by, reason, ended, removed, removed_by, restored, unfinished)
SELECT code, 1, 0, 0, '', 'listed before listings had a first day', 0, 0, '', 0, 0 FROM regions;

DROP TABLE regions;

-- Closed accounts whose last rewards are still to come: what is credited is moved on to
-- the target. A row is removed when nothing is left. refused: why a move was refused last.
CREATE TABLE sweeps (
	bucket  {{small}} NOT NULL,
	account {{text}} NOT NULL,
	target  {{text}} NOT NULL,
	begun   {{int}} NOT NULL,
	refused {{text}} NOT NULL,
	PRIMARY KEY (bucket, account)
) {{table}};
