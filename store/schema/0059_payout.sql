-- What another ledger is to credit, in batches: the rewards of a bucket, day and token that are above zero, entry '', or one compensation, the ID of whose entry is entry. first is the number of the first of its payouts: dense, given once the batch is committed and visible; 0: it has none yet. credited and refused are how many are answered so.
CREATE TABLE payout_batches (
	bucket   {{small}} NOT NULL,
	day      {{day}} NOT NULL,
	asset    {{text}} NOT NULL,
	entry    {{text}} NOT NULL,
	first    {{int}} NOT NULL,
	count    {{int}} NOT NULL,
	total    {{int}} NOT NULL,
	at       {{int}} NOT NULL,
	credited {{int}} NOT NULL,
	refused  {{int}} NOT NULL,
	PRIMARY KEY (bucket, day, asset, entry)
) {{table}};

CREATE UNIQUE INDEX payout_batches_first ON payout_batches (first) WHERE first > 0;

CREATE INDEX payout_batches_unnumbered ON payout_batches (at, day, asset, bucket, entry) WHERE first = 0;

CREATE INDEX payout_batches_open ON payout_batches (asset, first) WHERE credited < count;

-- What the other ledger says of a payout, or of another reward that a joined source has credited, by its ID: credited 1, by its transaction reference; 0, it refuses it, for the reason reference. What was refused may be credited later, which is a second row.
CREATE TABLE payout_answers (
	bucket     {{small}} NOT NULL,
	payout     {{text}} NOT NULL,
	credited   {{small}} NOT NULL,
	reference  {{text}} NOT NULL,
	at         {{int}} NOT NULL,
	credential {{text}} NOT NULL,
	PRIMARY KEY (bucket, payout, credited)
) {{table}};
