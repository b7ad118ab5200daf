-- When an acceptance was written, in milliseconds. It may be much later than accepted_at, which is what the exchange says that its customer did.
ALTER TABLE acceptances ADD COLUMN recorded_at {{int}} NOT NULL DEFAULT 0;

UPDATE acceptances SET recorded_at = accepted_at;
