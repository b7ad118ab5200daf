-- What holders carry of a token, all together: smallest units, and the part of one. Of a batch, by how much its accruals changed
-- it; of a declaration, what it is after the day. It is reserved in @rewards where rewards are shares of income.
ALTER TABLE batches ADD COLUMN carried_units {{int}} DEFAULT 0 NOT NULL;

ALTER TABLE batches ADD COLUMN carried_part {{int}} DEFAULT 0 NOT NULL;

ALTER TABLE declarations ADD COLUMN carried_units {{int}} DEFAULT 0 NOT NULL;

ALTER TABLE declarations ADD COLUMN carried_part {{int}} DEFAULT 0 NOT NULL;

-- Of the days before, as much as there can be: less than a smallest unit for each account that has had the token, and for each
-- accrual that is not declared yet.
UPDATE declarations SET carried_units = b.accounts
  FROM (SELECT asset, count(*) AS accounts FROM balances GROUP BY asset) AS b
 WHERE b.asset = declarations.asset;

-- Exactly where the last declared day is paid: the balances carry what is carried after it. A smallest unit has 365 × 86400000 ×
-- 100000000 = 3153600000 × 1000000000 parts, and each of the two sums fits 63 bits.
UPDATE declarations SET carried_units = b.high / 3153600000, carried_part = (b.high % 3153600000) * 1000000000 + b.low
  FROM (SELECT asset, high + low / 1000000000 AS high, low % 1000000000 AS low
          FROM (SELECT asset, CAST(sum(carry / 1000000000) AS bigint) AS high, CAST(sum(carry % 1000000000) AS bigint) AS low
                  FROM balances GROUP BY asset) AS s) AS b
 WHERE b.asset = declarations.asset
   AND declarations.day = (SELECT max(d.day) FROM declarations d WHERE d.asset = declarations.asset)
   AND NOT EXISTS (SELECT 1 FROM progress p WHERE p.asset = declarations.asset AND p.paid_through <> declarations.day);

UPDATE batches SET carried_units = holders
 WHERE NOT EXISTS (SELECT 1 FROM declarations d WHERE d.day = batches.day AND d.asset = batches.asset);
