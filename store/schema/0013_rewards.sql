-- Paid rewards: what was accrued for a token's day that the bucket has paid, with its payment. Rewards of less than a
-- smallest unit are among them. It is read by key where a query names the bucket, the day and the account: CROSS JOIN
-- keeps SQLite to this order, also behind a table that leads to the days.
CREATE VIEW rewards AS
SELECT a.bucket, a.day, a.account, a.asset, a.opening, a.average, a.rest, a.eligible, a.apr, a.reward, a.before, a.carry,
       p.paid_at, p.credential, p.role, p.request
  FROM accruals a CROSS JOIN payments p
 WHERE p.bucket = a.bucket AND p.day = a.day AND p.asset = a.asset;

-- The list of postings, again. PostgreSQL takes a condition on a column into the parts of a union only where each of them
-- has the column's own type: a bare number is an integer, and a bucket or a move is not.
DROP VIEW journal;

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
