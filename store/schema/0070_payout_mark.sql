-- Every so many-th payout of a batch of rewards (payoutMark in the package store): account is the one whose payout is the nth of its batch, so that a page that begins inside of a large batch is found without reading what is before.
CREATE TABLE payout_marks (
	bucket  {{small}} NOT NULL,
	day     {{day}} NOT NULL,
	asset   {{text}} NOT NULL,
	nth     {{int}} NOT NULL,
	account {{text}} NOT NULL,
	PRIMARY KEY (bucket, day, asset, nth)
) {{table}};
