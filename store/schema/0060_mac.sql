-- Where a holder sends tokens, and where what a closed account has goes, are rows that give a right: see 0052_mac.sql.
ALTER TABLE deposit_addresses ADD COLUMN mac {{text}} NOT NULL DEFAULT '';
ALTER TABLE sweeps ADD COLUMN mac {{text}} NOT NULL DEFAULT '';
