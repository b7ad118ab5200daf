-- A frozen account lets nothing out until it is unfrozen. frozen 0: it is not. frozen_mode is whether it earns until then:
-- 0 it does, 1 it does not, 2 it does not and its switch is set on again when it is unfrozen.
ALTER TABLE accounts ADD COLUMN frozen {{int}} NOT NULL DEFAULT 0;

ALTER TABLE accounts ADD COLUMN frozen_mode {{small}} NOT NULL DEFAULT 0;

ALTER TABLE accounts ADD COLUMN frozen_reason {{text}} NOT NULL DEFAULT '';

-- 1: its account is frozen. A posting sees it under the balance's lock, without reading the account.
ALTER TABLE balances ADD COLUMN frozen {{small}} NOT NULL DEFAULT 0;

-- 1: what the token's bearer posts may be marked authoritative.
ALTER TABLE tokens ADD COLUMN authoritative {{small}} NOT NULL DEFAULT 0;

-- Authoritative entries that left a balance below zero for a time, a row for each such balance: from the entry's time to
-- before until. They are to be reconciled with the ledger that decided them. resolved 0: not yet.
CREATE TABLE reconciliations (
	bucket   {{small}} NOT NULL,
	account  {{text}} NOT NULL,
	asset    {{text}} NOT NULL,
	entry    {{text}} NOT NULL,
	at       {{int}} NOT NULL,
	until    {{int}} NOT NULL,
	lowest   {{int}} NOT NULL,
	flagged  {{int}} NOT NULL,
	resolved {{int}} NOT NULL,
	reason   {{text}} NOT NULL,
	PRIMARY KEY (bucket, account, asset, entry)
) {{table}};

CREATE INDEX reconciliations_flagged ON reconciliations (flagged, entry, account, asset);

CREATE INDEX reconciliations_entry ON reconciliations (entry);
