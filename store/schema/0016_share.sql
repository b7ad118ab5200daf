-- Rewards in the mode share: the net income of a period, in proportion to the eligible integrals of its days.

-- What the rounding of eligible left, in unit-milliseconds, in the mode share: with it the accrual says what the day weighs.
ALTER TABLE accruals ADD COLUMN eligible_rest {{int}} DEFAULT 0 NOT NULL;

-- Everybody's eligible integrals of the day: units over the day, and unit-milliseconds.
ALTER TABLE batches ADD COLUMN eligible {{int}} DEFAULT 0 NOT NULL;

ALTER TABLE batches ADD COLUMN eligible_rest {{int}} DEFAULT 0 NOT NULL;

ALTER TABLE declarations ADD COLUMN eligible {{int}} DEFAULT 0 NOT NULL;

ALTER TABLE declarations ADD COLUMN eligible_rest {{int}} DEFAULT 0 NOT NULL;

-- What a bucket's accruals of a day have of each distribution: smallest units, and the part of one.
CREATE TABLE shares (
	bucket    {{small}} NOT NULL,
	day       {{day}} NOT NULL,
	asset     {{text}} NOT NULL,
	first_day {{day}} NOT NULL,
	last_day  {{day}} NOT NULL,
	units     {{int}} NOT NULL,
	part      {{int}} NOT NULL,
	PRIMARY KEY (bucket, day, asset, first_day, last_day)
) {{table}};

-- The distribution of a period's income, entered on a day: what there was to divide is the net and what the distribution
-- before left; the weight is everybody's eligible integrals of the period, in unit-milliseconds, a decimal number.
CREATE TABLE distributions (
	asset        {{text}} NOT NULL,
	day          {{day}} NOT NULL,
	first_day    {{day}} NOT NULL,
	last_day     {{day}} NOT NULL,
	gross        {{int}} NOT NULL,
	net          {{int}} NOT NULL,
	before_units {{int}} NOT NULL,
	before_part  {{int}} NOT NULL,
	weight       {{text}} NOT NULL,
	paid_units   {{int}} NOT NULL,
	paid_part    {{int}} NOT NULL,
	PRIMARY KEY (asset, day, first_day, last_day)
) {{table}};

CREATE INDEX incomes_at ON incomes (at);

-- The views again: paid rewards have the rest of what is eligible.
DROP VIEW journal;

DROP VIEW rewards;

CREATE VIEW rewards AS
SELECT a.bucket, a.day, a.account, a.asset, a.opening, a.average, a.rest, a.eligible, a.eligible_rest, a.apr, a.reward, a.before, a.carry,
       p.paid_at, p.credential, p.role, p.request
  FROM accruals a CROSS JOIN payments p
 WHERE p.bucket = a.bucket AND p.day = a.day AND p.asset = a.asset;

CREATE VIEW journal AS
SELECT bucket, day, account, asset, at, entry, move, side, amount, other, kind
  FROM postings
UNION ALL
SELECT a.bucket, a.day + 1, a.account, a.asset, CAST(a.day + 1 AS bigint) * {{millis}}, 'reward/' || {{date}} || '/' || a.asset || '/' || a.account,
       CAST(0 AS smallint), CAST(1 AS smallint), a.reward, '@payable', 'reward'
  FROM rewards a
 WHERE a.reward > 0
UNION ALL
SELECT a.bucket, a.day + 1, '@payable', a.asset, CAST(a.day + 1 AS bigint) * {{millis}}, 'reward/' || {{date}} || '/' || a.asset || '/' || a.account,
       CAST(0 AS smallint), CAST(0 AS smallint), -a.reward, a.account, 'reward'
  FROM rewards a
 WHERE a.reward > 0
UNION ALL
SELECT a.bucket, a.day + 1, '@payable', a.asset, CAST(a.day + 1 AS bigint) * {{millis}}, 'declare/' || {{date}} || '/' || a.asset,
       a.bucket, CAST(1 AS smallint), a.total, '@rewards', 'declare'
  FROM batches a JOIN declarations d ON d.day = a.day AND d.asset = a.asset
 WHERE a.total > 0
UNION ALL
SELECT CAST({{rewards}} AS smallint), a.day + 1, '@rewards', a.asset, CAST(a.day + 1 AS bigint) * {{millis}}, 'declare/' || {{date}} || '/' || a.asset,
       a.bucket, CAST(0 AS smallint), -a.total, '@payable', 'declare'
  FROM batches a JOIN declarations d ON d.day = a.day AND d.asset = a.asset
 WHERE a.total > 0;
