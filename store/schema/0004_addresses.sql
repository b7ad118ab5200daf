-- Where a holder sends a token from outside: an operator's data, a row for each account, token and network. network '': the token has no other.
CREATE TABLE deposit_addresses (
	bucket  {{small}} NOT NULL,
	account {{text}} NOT NULL,
	asset   {{text}} NOT NULL,
	network {{text}} NOT NULL,
	address {{text}} NOT NULL,
	tag     {{text}} NOT NULL,
	PRIMARY KEY (bucket, account, asset, network)
) {{table}};
