-- When a factor was removed is in the security events; how long nothing is withdrawn then, in withdrawal_settings.
DROP TABLE factor_changes;

-- How much of a token leaves an account on a day (UTC) at most, withdrawn or sent to other holders, where its holder asks for it. own: 1: the holder's own limit; 0: the operator's. account '': of every account, in bucket 0. amount 0: none. Rows are only added; that with the highest number holds: before its time (from_at), its former amount (former).
CREATE TABLE account_limits (
	bucket  {{small}} NOT NULL,
	account {{text}} NOT NULL,
	asset   {{text}} NOT NULL,
	own     {{small}} NOT NULL,
	number  {{int}} NOT NULL,
	amount  {{int}} NOT NULL,
	former  {{int}} NOT NULL,
	from_at {{int}} NOT NULL,
	set_at  {{int}} NOT NULL,
	PRIMARY KEY (bucket, account, asset, own, number)
) {{table}};
