-- Where a holder withdraws to: usable from a moment on, until it is removed (0: it is not). network and tag '': the address has none.
CREATE TABLE withdrawal_addresses (
	bucket  {{small}} NOT NULL,
	account {{text}} NOT NULL,
	id      {{text}} NOT NULL,
	asset   {{text}} NOT NULL,
	network {{text}} NOT NULL,
	address {{text}} NOT NULL,
	tag     {{text}} NOT NULL,
	label   {{text}} NOT NULL,
	added   {{int}} NOT NULL,
	usable  {{int}} NOT NULL,
	removed {{int}} NOT NULL,
	PRIMARY KEY (bucket, account, id)
) {{table}};

-- How a holder withdraws. waits: until when nothing is withdrawn, after a password or a second factor was set. any_from: from when on it may go to any address; 0: to saved ones only, as where there is no row.
CREATE TABLE withdrawal_settings (
	bucket   {{small}} NOT NULL,
	account  {{text}} NOT NULL,
	waits    {{int}} NOT NULL,
	any_from {{int}} NOT NULL,
	PRIMARY KEY (bucket, account)
) {{table}};

-- Where withdrawals have arrived before stays usable. The step in Go says since when: the upgrade.
INSERT INTO withdrawal_addresses (bucket, account, id, asset, network, address, tag, label, added, usable, removed)
SELECT w.bucket, w.account,
       'before-' || row_number() OVER (PARTITION BY w.bucket, w.account ORDER BY min(w.requested), w.asset, upper(w.network), w.address, w.tag),
       w.asset, upper(w.network), w.address, w.tag, '', 0, 0, 0
  FROM withdrawals w JOIN endings e ON e.bucket = w.bucket AND e.account = w.account AND e.id = w.id
 WHERE w.address <> '' AND e.kind = 'withdrawal-completed'
 GROUP BY w.bucket, w.account, w.asset, upper(w.network), w.address, w.tag;
