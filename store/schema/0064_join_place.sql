-- Records of a partition may share a position, as the rows of a transaction do: part is the number among them, and
-- stop_part that of the record at which it stopped; 0: the position has one record. identity is what the positions are
-- counted in, such as a database, by the source; '': it is always the same, or not known yet.
ALTER TABLE join_partitions ADD COLUMN part {{int}} NOT NULL DEFAULT 0;
ALTER TABLE join_partitions ADD COLUMN stop_part {{int}} NOT NULL DEFAULT 0;
ALTER TABLE join_partitions ADD COLUMN identity {{text}} NOT NULL DEFAULT '';
