-- How much a token may do on a day, as text; '': without a ceiling, as every token from before.
ALTER TABLE tokens ADD COLUMN ceilings {{text}} NOT NULL DEFAULT '';

-- What a credential has used of its ceilings on a day (UTC), in the asset's smallest unit; of switches, how many.
CREATE TABLE ceilings_used (
	bucket     {{small}} NOT NULL,
	credential {{text}} NOT NULL,
	day        {{day}} NOT NULL,
	measure    {{text}} NOT NULL,
	asset      {{text}} NOT NULL,
	used       {{int}} NOT NULL,
	PRIMARY KEY (bucket, credential, day, measure, asset)
) {{table}};
