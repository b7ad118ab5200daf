-- A frozen account lets nothing out until it is unfrozen. frozen 0: it is not. frozen_mode says whether it earns meanwhile:
-- 0 it does, 1 it does not, 2 it does not and its switch is set on again when it is unfrozen.
ALTER TABLE accounts ADD COLUMN frozen {{int}} NOT NULL DEFAULT 0;

ALTER TABLE accounts ADD COLUMN frozen_mode {{small}} NOT NULL DEFAULT 0;

ALTER TABLE accounts ADD COLUMN frozen_reason {{text}} NOT NULL DEFAULT '';

-- 1: its account is frozen. A posting sees it under the balance's lock, without reading the account.
ALTER TABLE balances ADD COLUMN frozen {{small}} NOT NULL DEFAULT 0;
