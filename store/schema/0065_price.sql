-- With what a price or a rate of the day, and those near it, are compared before they are set: the last one that was set while the day was not over, else the first one, or the last that was approved.
ALTER TABLE prices ADD COLUMN base {{int}} NOT NULL DEFAULT 0;

UPDATE prices SET base = price;

ALTER TABLE rates ADD COLUMN base {{int}} NOT NULL DEFAULT 0;

UPDATE rates SET base = rate;
