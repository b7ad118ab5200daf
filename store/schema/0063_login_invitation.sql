-- The code with which a person chooses a password: its SHA-256 in hexadecimal, '': none is open, and until when.
ALTER TABLE logins ADD COLUMN invitation {{text}} NOT NULL DEFAULT '';

ALTER TABLE logins ADD COLUMN invited_until {{int}} NOT NULL DEFAULT 0;
