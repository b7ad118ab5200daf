-- For how long a token can be used from its first use on, in milliseconds, and when that was; 0: it is no break-glass
-- credential, and was not used.
ALTER TABLE tokens ADD COLUMN lasts {{int}} NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN opened {{int}} NOT NULL DEFAULT 0;
