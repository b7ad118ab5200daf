-- The MAC of a row that gives a right, in base64, with a key that is not in the database; '': the row has none. Of which
-- columns it is says integrity/guarded.go.
ALTER TABLE tokens ADD COLUMN mac {{text}} NOT NULL DEFAULT '';
ALTER TABLE keys ADD COLUMN mac {{text}} NOT NULL DEFAULT '';
ALTER TABLE logins ADD COLUMN mac {{text}} NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN mac {{text}} NOT NULL DEFAULT '';
ALTER TABLE staff ADD COLUMN mac {{text}} NOT NULL DEFAULT '';
ALTER TABLE staff_sessions ADD COLUMN mac {{text}} NOT NULL DEFAULT '';
ALTER TABLE passkeys ADD COLUMN mac {{text}} NOT NULL DEFAULT '';
ALTER TABLE totps ADD COLUMN mac {{text}} NOT NULL DEFAULT '';
ALTER TABLE recovery_codes ADD COLUMN mac {{text}} NOT NULL DEFAULT '';
ALTER TABLE step_ups ADD COLUMN mac {{text}} NOT NULL DEFAULT '';
ALTER TABLE withdrawal_addresses ADD COLUMN mac {{text}} NOT NULL DEFAULT '';
ALTER TABLE withdrawal_settings ADD COLUMN mac {{text}} NOT NULL DEFAULT '';
ALTER TABLE withdrawals ADD COLUMN mac {{text}} NOT NULL DEFAULT '';
ALTER TABLE proposals ADD COLUMN mac {{text}} NOT NULL DEFAULT '';

-- How many passkeys and authenticator apps the person has: that one is removed is seen. The step in Go counts them.
ALTER TABLE logins ADD COLUMN factors {{int}} NOT NULL DEFAULT 0;
ALTER TABLE staff ADD COLUMN factors {{int}} NOT NULL DEFAULT 0;

-- An account with a saved address has settings too: that they are removed is seen.
INSERT INTO withdrawal_settings (bucket, account, waits, any_from)
SELECT DISTINCT a.bucket, a.account, 0, 0 FROM withdrawal_addresses a JOIN accounts c ON c.bucket = a.bucket AND c.account = a.account
 WHERE c.erased = 0 AND NOT EXISTS (SELECT 1 FROM withdrawal_settings s WHERE s.bucket = a.bucket AND s.account = a.account);
