-- Tables and columns whose names misled a reader of the database.

-- What each transaction did, for those who publish it.
ALTER TABLE news RENAME TO outbox;

DROP INDEX news_at;

CREATE INDEX outbox_at ON outbox (at, nonce);

-- What requests with an idempotency key were answered.
ALTER TABLE answers RENAME TO responses;

DROP INDEX answers_until;

CREATE INDEX responses_until ON responses (until);

-- Each use of the switch: enrolled, left, refused.
ALTER TABLE presses RENAME TO switch_events;

-- Log-ins, keys and passwords, as a person sees them on the pages.
ALTER TABLE acts RENAME TO security_events;

-- Counters of login attempts: a hash of what is counted by.
ALTER TABLE attempts RENAME COLUMN who TO counter;
