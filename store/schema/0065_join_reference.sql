-- Which event has credited a reward.
CREATE INDEX join_references_refers ON join_references (refers);
