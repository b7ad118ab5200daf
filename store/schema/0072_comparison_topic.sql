-- topic: a topic or stream that has the figures, in the place of a database and of an endpoint.
ALTER TABLE comparison_sources ADD COLUMN topic {{text}} NOT NULL DEFAULT '';

-- waits 1: a day of the token is not declared before it is compared.
ALTER TABLE comparison_limits ADD COLUMN waits {{small}} NOT NULL DEFAULT 0;

-- The days of tokens that a person lets be paid though they are not compared.
CREATE TABLE comparison_releases (
	asset       {{text}} NOT NULL,
	day         {{day}} NOT NULL,
	released_at {{int}} NOT NULL,
	released_by {{text}} NOT NULL,
	reason      {{text}} NOT NULL,
	PRIMARY KEY (asset, day)
) {{table}};
