-- The comparisons with another ledger, at the end of a day; number: dense, from 1. scheduled 1: of the figures that comparison_sources names. at is the moment of the balances here, position the newest number of the outbox then; their_position and their_at are what the other ledger names, '' and 0: nothing. payouts 1: its payouts of the day before are compared too. kept is how many differences are kept.
CREATE TABLE comparisons (
	number         {{int}} NOT NULL PRIMARY KEY,
	day            {{day}} NOT NULL,
	at             {{int}} NOT NULL,
	position       {{int}} NOT NULL,
	source         {{text}} NOT NULL,
	scheduled      {{small}} NOT NULL,
	their_position {{text}} NOT NULL,
	their_at       {{int}} NOT NULL,
	payouts        {{small}} NOT NULL,
	ignored        {{int}} NOT NULL,
	kept           {{int}} NOT NULL,
	made_at        {{int}} NOT NULL,
	credential     {{text}} NOT NULL,
	role           {{text}} NOT NULL,
	request        {{text}} NOT NULL
) {{table}};

-- What both sides have of a token. kind: balance or payout. Sums are texts of whole numbers of smallest units, since they may be longer than an amount; off is by how much accounts differ, together and without signs, at most the largest amount. stops 1: it is over the limit limit_number of the tokens limit_asset (0: there was none), and no day of the token is declared until it is resolved or a later comparison is not.
CREATE TABLE comparison_tokens (
	number         {{int}} NOT NULL,
	kind           {{text}} NOT NULL,
	asset          {{text}} NOT NULL,
	accounts       {{int}} NOT NULL,
	sum            {{text}} NOT NULL,
	root           {{blob}} NOT NULL,
	their_accounts {{int}} NOT NULL,
	their_sum      {{text}} NOT NULL,
	their_root     {{blob}} NOT NULL,
	differences    {{int}} NOT NULL,
	off            {{int}} NOT NULL,
	stops          {{small}} NOT NULL,
	limit_asset    {{text}} NOT NULL,
	limit_number   {{int}} NOT NULL,
	PRIMARY KEY (number, kind, asset)
) {{table}};

CREATE INDEX comparison_tokens_asset ON comparison_tokens (asset, kind, number);

CREATE INDEX comparison_tokens_stops ON comparison_tokens (asset) WHERE stops = 1;

-- The accounts that differ, the first of each comparison. cause, entry, entry_at and more are the first event that could explain it; cause '': none was looked for.
CREATE TABLE comparison_differences (
	number   {{int}} NOT NULL,
	kind     {{text}} NOT NULL,
	account  {{text}} NOT NULL,
	asset    {{text}} NOT NULL,
	ours     {{int}} NOT NULL,
	theirs   {{int}} NOT NULL,
	cause    {{text}} NOT NULL,
	entry    {{text}} NOT NULL,
	entry_at {{int}} NOT NULL,
	more     {{int}} NOT NULL,
	PRIMARY KEY (number, kind, account, asset)
) {{table}};

-- From what on a difference stops paying a token, each as it was set; the highest number counts. asset '': every token that has none of its own. -1: any amount, or any number of accounts; both: it stops nothing.
CREATE TABLE comparison_limits (
	asset    {{text}} NOT NULL,
	number   {{int}} NOT NULL,
	amount   {{int}} NOT NULL,
	accounts {{int}} NOT NULL,
	set_at   {{int}} NOT NULL,
	set_by   {{text}} NOT NULL,
	PRIMARY KEY (asset, number)
) {{table}};

-- The breaks that a person has resolved.
CREATE TABLE comparison_resolutions (
	number      {{int}} NOT NULL,
	asset       {{text}} NOT NULL,
	resolved_at {{int}} NOT NULL,
	resolved_by {{text}} NOT NULL,
	reason      {{text}} NOT NULL,
	PRIMARY KEY (number, asset)
) {{table}};

-- Where the figures of the other ledger come from each night, each as it was set; the highest number counts. All '': from nowhere.
CREATE TABLE comparison_sources (
	number   {{int}} NOT NULL PRIMARY KEY,
	ledger   {{text}} NOT NULL,
	balances {{text}} NOT NULL,
	payouts  {{text}} NOT NULL,
	endpoint {{text}} NOT NULL,
	set_at   {{int}} NOT NULL,
	set_by   {{text}} NOT NULL
) {{table}};
