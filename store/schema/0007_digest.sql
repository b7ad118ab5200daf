-- Of version 1 the digest of an entry is two sums, for which other content can be found; of version 2 it is a SHA-256 (ledger.Entry.Digest).
-- leaves and destination are what it is made from beside the ID and the time; version 1 has none. The step in Go brings entries to version 2.

ALTER TABLE entries ADD COLUMN digest_version {{small}} NOT NULL DEFAULT 1;

ALTER TABLE entries ADD COLUMN leaves {{blob}};

ALTER TABLE entries ADD COLUMN destination {{blob}};
