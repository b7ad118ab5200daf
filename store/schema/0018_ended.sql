-- When a closed account had nothing to come any more, in milliseconds since 1970; 0: it is open, or being swept. From then on
-- it has no share of what is distributed.
ALTER TABLE accounts ADD COLUMN ended {{int}} DEFAULT 0 NOT NULL;

UPDATE accounts SET ended = closed
 WHERE closed > 0 AND NOT EXISTS (SELECT 1 FROM sweeps s WHERE s.bucket = accounts.bucket AND s.account = accounts.account);

CREATE INDEX accounts_ended ON accounts (bucket, account) WHERE ended > 0;
