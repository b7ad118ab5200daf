-- The partitions of the sources whose events are posted, and how far each is. event is the ID of the event at position,
-- '': it has none. watermark: every event from before it is delivered. state 0: running, 1: stopped at the event of
-- stop_position, for the reason; 2: retired, no day waits for it any more.
CREATE TABLE join_partitions (
	source        {{text}} NOT NULL,
	name          {{text}} NOT NULL,
	position      {{int}} NOT NULL,
	event         {{text}} NOT NULL,
	watermark     {{int}} NOT NULL,
	moved_at      {{int}} NOT NULL,
	state         {{small}} NOT NULL,
	stopped_at    {{int}} NOT NULL,
	stop_position {{int}} NOT NULL,
	stop_event    {{text}} NOT NULL,
	reason        {{text}} NOT NULL,
	PRIMARY KEY (source, name)
) {{table}};

-- What accounts have by the events of their source, which credits rewards later than the books: account is its free part
-- or, with /held, its held part.
CREATE TABLE join_balances (
	bucket  {{small}} NOT NULL,
	account {{text}} NOT NULL,
	asset   {{text}} NOT NULL,
	balance {{int}} NOT NULL,
	PRIMARY KEY (bucket, account, asset)
) {{table}};

-- What events refer to, in the bucket of the ID of the event's entry: the entry of the event that is taken back or
-- corrected, or that of the reward that the source has credited.
CREATE TABLE join_references (
	bucket   {{small}} NOT NULL,
	entry    {{text}} NOT NULL,
	refers   {{text}} NOT NULL,
	at       {{int}} NOT NULL,
	PRIMARY KEY (bucket, entry)
) {{table}};

-- Events whose day was closed when they came: at is their own time, dated that of their entry.
CREATE TABLE join_late (
	day     {{day}} NOT NULL,
	entry   {{text}} NOT NULL,
	account {{text}} NOT NULL,
	asset   {{text}} NOT NULL,
	amount  {{int}} NOT NULL,
	at      {{int}} NOT NULL,
	dated   {{int}} NOT NULL,
	posted  {{int}} NOT NULL,
	PRIMARY KEY (day, entry)
) {{table}};

-- Days through which a person let days close that had not all their events.
CREATE TABLE join_closings (
	day    {{day}} NOT NULL PRIMARY KEY,
	set_at {{int}} NOT NULL,
	set_by {{text}} NOT NULL,
	reason {{text}} NOT NULL
) {{table}};
