-- How long past its end a day takes late entries, in milliseconds, from a day on. The highest revision of a day counts; none is ever edited.
CREATE TABLE close_after (
	from_day {{day}} NOT NULL,
	revision {{day}} NOT NULL,
	millis   {{int}} NOT NULL,
	set_at   {{int}} NOT NULL,
	PRIMARY KEY (from_day, revision)
) {{table}};

-- Books from before took the flag of each process; without a flag it was five minutes.
INSERT INTO close_after (from_day, revision, millis, set_at) SELECT 0, 1, 300000, 0 FROM meta WHERE name = 'first_day';
