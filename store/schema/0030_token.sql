-- From where a token may be used, as ranges separated by commas; '': from anywhere. And the subject of the client
-- certificate that it may be used with; '': with any, or none.
ALTER TABLE tokens ADD COLUMN addresses {{text}} NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN subject {{text}} NOT NULL DEFAULT '';

CREATE INDEX tokens_by_expiry ON tokens (expires);
