-- The operator's share of staking income, a fraction in 1e-8, dated as terms are.
ALTER TABLE terms ADD COLUMN fee {{int}} DEFAULT 0 NOT NULL;

-- Where a token's rewards come from: 0, a rate a year; 1, a share of the income of a period.
ALTER TABLE terms ADD COLUMN mode {{small}} DEFAULT 0 NOT NULL;

-- Staking income with its evidence and the mode of its period, negative for slashing and corrections. It lies in the bucket of its entry, "income/" and
-- the reference, whose digest has a hash of the evidence.
CREATE TABLE incomes (
	bucket    {{small}} NOT NULL,
	reference {{text}} NOT NULL,
	asset     {{text}} NOT NULL,
	chain     {{text}} NOT NULL,
	source    {{text}} NOT NULL,
	first_day {{day}} NOT NULL,
	last_day  {{day}} NOT NULL,
	mode      {{small}} NOT NULL,
	gross     {{int}} NOT NULL,
	fee       {{int}} NOT NULL,
	evidence  {{text}} NOT NULL,
	at        {{int}} NOT NULL,
	PRIMARY KEY (bucket, reference)
) {{table}};
