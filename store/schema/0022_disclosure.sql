-- Where the rewards of a token come from, in the operator's words. Every version is kept.
CREATE TABLE disclosures (
	asset     {{text}} NOT NULL,
	version   {{int}} NOT NULL,
	published {{int}} NOT NULL,
	content   {{text}} NOT NULL,
	PRIMARY KEY (asset, version)
) {{table}};

-- For the period that was paid last, and the income of it.
CREATE INDEX distributions_last ON distributions (asset, last_day);

CREATE INDEX incomes_last ON incomes (asset, last_day);
