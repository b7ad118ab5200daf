-- Of a broker a position only says where a record is: number is the last event's own number, by which a gap is seen; 0:
-- it has none. mark is what the record at the position is known by, as the source names it, so that another record there
-- is seen; '': nothing.
ALTER TABLE join_partitions ADD COLUMN number {{int}} NOT NULL DEFAULT 0;
ALTER TABLE join_partitions ADD COLUMN mark {{text}} NOT NULL DEFAULT '';
