-- Campaigns divide a pool over some days among those who earn with their eligible tokens.

-- A campaign, in the bucket of the entry that funds it, "campaign/" and its ID, whose digest has a hash of the rest of it
-- and of its parts and multipliers. Members: how many accounts take part, those that enrolled first; 0: all.
CREATE TABLE campaigns (
	bucket    {{small}} NOT NULL,
	campaign  {{text}} NOT NULL,
	title     {{text}} NOT NULL,
	asset     {{text}} NOT NULL,
	pool      {{int}} NOT NULL,
	first_day {{day}} NOT NULL,
	last_day  {{day}} NOT NULL,
	members   {{int}} NOT NULL,
	at        {{int}} NOT NULL,
	PRIMARY KEY (bucket, campaign)
) {{table}};

-- What of the pool those get who earn with a token, in order.
CREATE TABLE campaign_parts (
	bucket   {{small}} NOT NULL,
	campaign {{text}} NOT NULL,
	number   {{small}} NOT NULL,
	token    {{text}} NOT NULL,
	amount   {{int}} NOT NULL,
	PRIMARY KEY (bucket, campaign, number)
) {{table}};

-- What the eligible integrals of accounts with a label count, in hundredths, in order.
CREATE TABLE campaign_multipliers (
	bucket   {{small}} NOT NULL,
	campaign {{text}} NOT NULL,
	number   {{small}} NOT NULL,
	label    {{text}} NOT NULL,
	percent  {{int}} NOT NULL,
	PRIMARY KEY (bucket, campaign, number)
) {{table}};

-- The last day of a campaign that was ended early.
CREATE TABLE campaign_ends (
	bucket   {{small}} NOT NULL,
	campaign {{text}} NOT NULL,
	last_day {{day}} NOT NULL,
	ended_at {{int}} NOT NULL,
	ended_by {{text}} NOT NULL,
	PRIMARY KEY (bucket, campaign)
) {{table}};

-- The accounts that take part where not all do, in the bucket of the account. At is when the account was enrolled.
CREATE TABLE campaign_members (
	bucket   {{small}} NOT NULL,
	campaign {{text}} NOT NULL,
	account  {{text}} NOT NULL,
	at       {{int}} NOT NULL,
	PRIMARY KEY (bucket, campaign, account)
) {{table}};

-- What a bucket's accruals of a day weigh in a campaign, and everybody's, written with the declaration: eligible
-- integrals × multiplier in hundredths, in unit-milliseconds, decimal numbers.
CREATE TABLE campaign_weights (
	bucket   {{small}} NOT NULL,
	day      {{day}} NOT NULL,
	asset    {{text}} NOT NULL,
	campaign {{text}} NOT NULL,
	weight   {{text}} NOT NULL,
	PRIMARY KEY (bucket, day, asset, campaign)
) {{table}};

CREATE TABLE campaign_totals (
	day      {{day}} NOT NULL,
	asset    {{text}} NOT NULL,
	campaign {{text}} NOT NULL,
	weight   {{text}} NOT NULL,
	PRIMARY KEY (day, asset, campaign)
) {{table}};

-- What a bucket's accruals of a reward token's day have of a campaign's budget for the day before of one of its tokens:
-- smallest units, and the part of one.
CREATE TABLE campaign_shares (
	bucket   {{small}} NOT NULL,
	day      {{day}} NOT NULL,
	asset    {{text}} NOT NULL,
	campaign {{text}} NOT NULL,
	token    {{text}} NOT NULL,
	units    {{int}} NOT NULL,
	part     {{int}} NOT NULL,
	PRIMARY KEY (bucket, day, asset, campaign, token)
) {{table}};

-- The same over all buckets, written with the declaration of the reward token's day: what was left of the token's part
-- of the pool, the day's budget of it, and what was paid.
CREATE TABLE campaign_distributions (
	campaign     {{text}} NOT NULL,
	token        {{text}} NOT NULL,
	day          {{day}} NOT NULL,
	asset        {{text}} NOT NULL,
	left_units   {{int}} NOT NULL,
	left_part    {{int}} NOT NULL,
	budget_units {{int}} NOT NULL,
	budget_part  {{int}} NOT NULL,
	weight       {{text}} NOT NULL,
	paid_units   {{int}} NOT NULL,
	paid_part    {{int}} NOT NULL,
	PRIMARY KEY (campaign, token, day)
) {{table}};
