-- The ledger of a small exchange. Each change of a balance is an event in the outbox, written in the same transaction.
CREATE TABLE balances (
	account text NOT NULL,
	token text NOT NULL,
	part text NOT NULL CHECK (part IN ('free', 'held')),
	amount numeric(36, 18) NOT NULL CHECK (amount >= 0),
	PRIMARY KEY (account, token, part)
);

-- payload is an event as docs/join.md describes it, without id and at, which are the row's.
CREATE TABLE outbox (
	id bigserial PRIMARY KEY,
	occurred_at timestamptz NOT NULL DEFAULT now(),
	payload jsonb NOT NULL
);

-- What softstake was credited for: the key makes it once. next is the number to read on after.
CREATE TABLE credits (payout text PRIMARY KEY, outbox_id bigint NOT NULL REFERENCES outbox);
CREATE TABLE payouts_read (next bigint NOT NULL);
INSERT INTO payouts_read VALUES (0);

CREATE PUBLICATION softstake FOR TABLE outbox;
