-- What 1 USDT was worth in a currency on a day, in 1e-8.
CREATE TABLE rates (
	currency {{text}} NOT NULL,
	day      {{day}} NOT NULL,
	rate     {{int}} NOT NULL,
	set_at   {{int}} NOT NULL,
	PRIMARY KEY (currency, day)
) {{table}};
