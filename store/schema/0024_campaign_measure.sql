-- A campaign may be weighed by another measure than its tokens' terms have.

-- What weighs: 0, the average of a day; 1, its smallest free balance; -1, what the terms of the eligible token have.
ALTER TABLE campaigns ADD COLUMN measure {{small}} DEFAULT -1 NOT NULL;

-- What is eligible of an account's day by the measure that the token's terms do not have, where a campaign takes it: as in
-- accruals. What is not eligible at all has no row.
CREATE TABLE campaign_eligible (
	bucket        {{small}} NOT NULL,
	day           {{day}} NOT NULL,
	account       {{text}} NOT NULL,
	asset         {{text}} NOT NULL,
	average       {{int}} NOT NULL,
	rest          {{int}} NOT NULL,
	eligible      {{int}} NOT NULL,
	eligible_rest {{int}} NOT NULL,
	PRIMARY KEY (bucket, day, account, asset)
) {{table}};

-- As owner_sums, by that measure, and how many owners have such a sum.
CREATE TABLE campaign_owner_sums (
	bucket   {{small}} NOT NULL,
	day      {{day}} NOT NULL,
	owner    {{text}} NOT NULL,
	asset    {{text}} NOT NULL,
	accounts {{int}} NOT NULL,
	integral {{text}} NOT NULL,
	PRIMARY KEY (bucket, day, owner, asset)
) {{table}};

ALTER TABLE groupings ADD COLUMN others {{int}} DEFAULT 0 NOT NULL;
