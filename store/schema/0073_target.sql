-- Where payouts and events are delivered to, and how far: stream is 'payouts' or 'events', number is that of the last one that the target has, moved when it got there, in milliseconds, 0: never. kinds are the kinds of events that it gets, with commas; '' of payouts. address has no password. failed is since when it fails, for the reason error; 0: it does not. The process of holder delivers until lease; '': none does, or to a table, which keeps its position by itself.
CREATE TABLE targets (
	stream   {{text}} NOT NULL,
	name     {{text}} NOT NULL,
	address  {{text}} NOT NULL,
	kinds    {{text}} NOT NULL,
	number   {{int}} NOT NULL,
	added    {{int}} NOT NULL,
	added_by {{text}} NOT NULL,
	moved    {{int}} NOT NULL,
	failed   {{int}} NOT NULL,
	error    {{text}} NOT NULL,
	holder   {{text}} NOT NULL,
	lease    {{int}} NOT NULL,
	PRIMARY KEY (stream, name)
) {{table}};

INSERT INTO targets (stream, name, address, kinds, number, added, added_by, moved, failed, error, holder, lease)
SELECT 'payouts', name, address, '', number, added, added_by, moved, failed, error, '', 0 FROM payout_targets;

DROP TABLE payout_targets;
