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

UPDATE batches SET carried_units = holders
 WHERE NOT EXISTS (SELECT 1 FROM declarations d WHERE d.day = batches.day AND d.asset = batches.asset);
