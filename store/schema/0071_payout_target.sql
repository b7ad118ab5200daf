-- Where payouts are delivered to, and how far: number is that of the last one that the target has, moved when it got there, in milliseconds, 0: never. address has no password. failed is since when it fails, for the reason error; 0: it does not.
CREATE TABLE payout_targets (
	name     {{text}} NOT NULL PRIMARY KEY,
	address  {{text}} NOT NULL,
	number   {{int}} NOT NULL,
	added    {{int}} NOT NULL,
	added_by {{text}} NOT NULL,
	moved    {{int}} NOT NULL,
	failed   {{int}} NOT NULL,
	error    {{text}} NOT NULL
) {{table}};
