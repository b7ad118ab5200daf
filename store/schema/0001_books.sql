-- The books. Words in {{ }} are what the two databases call differently; all else is the same text for both.
-- A bucket leads every key that has an account in it: it is the unit of work, of placement and of locks.
-- Days are numbers since 1970-01-01, times milliseconds since then in UTC, amounts an asset's smallest units.

CREATE TABLE meta (
	name  {{text}} NOT NULL,
	value {{text}} NOT NULL,
	PRIMARY KEY (name)
) {{table}};

-- Reference data: small, and the same wherever the books are spread.

CREATE TABLE assets (
	symbol     {{text}} NOT NULL,
	scale      {{small}} NOT NULL,
	max_supply {{int}} NOT NULL,
	PRIMARY KEY (symbol)
) {{table}};

-- Terms hold from a day on. The highest revision of a day counts; none is ever edited.
CREATE TABLE terms (
	asset    {{text}} NOT NULL,
	from_day {{day}} NOT NULL,
	revision {{day}} NOT NULL,
	offered  {{small}} NOT NULL,
	apr      {{int}} NOT NULL,
	minimum  {{int}} NOT NULL,
	cap      {{int}} NOT NULL,
	set_at   {{int}} NOT NULL,
	set_by   {{text}} NOT NULL,
	reason   {{text}} NOT NULL,
	PRIMARY KEY (asset, from_day, revision)
) {{table}};

-- What stops a token's day for a person: its total, or its change against the day before in hundredths of a percent. 0: no limit.
CREATE TABLE limits (
	asset      {{text}} NOT NULL,
	max_total  {{int}} NOT NULL,
	max_change {{int}} NOT NULL,
	PRIMARY KEY (asset)
) {{table}};

CREATE TABLE approvals (
	day         {{day}} NOT NULL,
	asset       {{text}} NOT NULL,
	approved_at {{int}} NOT NULL,
	approved_by {{text}} NOT NULL,
	PRIMARY KEY (day, asset)
) {{table}};

CREATE TABLE regions (
	code {{text}} NOT NULL,
	PRIMARY KEY (code)
) {{table}};

CREATE TABLE documents (
	name      {{text}} NOT NULL,
	version   {{day}} NOT NULL,
	published {{int}} NOT NULL,
	content   {{text}} NOT NULL,
	PRIMARY KEY (name, version)
) {{table}};

-- USDT per whole token, in 1e-8.
CREATE TABLE prices (
	asset  {{text}} NOT NULL,
	day    {{day}} NOT NULL,
	price  {{int}} NOT NULL,
	set_at {{int}} NOT NULL,
	PRIMARY KEY (asset, day)
) {{table}};

-- Who changed what, when. The key is the whole row: the same line twice is one.
CREATE TABLE log (
	bucket  {{small}} NOT NULL,
	at      {{int}} NOT NULL,
	actor   {{text}} NOT NULL,
	action  {{text}} NOT NULL,
	subject {{text}} NOT NULL,
	detail  {{text}} NOT NULL,
	PRIMARY KEY (bucket, at, action, subject, actor, detail)
) {{table}};

-- Accounts and the switch.

CREATE TABLE accounts (
	bucket  {{small}} NOT NULL,
	account {{text}} NOT NULL,
	region  {{text}} NOT NULL,
	opened  {{int}} NOT NULL,
	PRIMARY KEY (bucket, account)
) {{table}};

CREATE TABLE acceptances (
	bucket      {{small}} NOT NULL,
	account     {{text}} NOT NULL,
	document    {{text}} NOT NULL,
	version     {{day}} NOT NULL,
	accepted_at {{int}} NOT NULL,
	client      {{text}} NOT NULL,
	address     {{text}} NOT NULL,
	PRIMARY KEY (bucket, account, document, version)
) {{table}};

CREATE TABLE enrollments (
	bucket    {{small}} NOT NULL,
	account   {{text}} NOT NULL,
	from_day  {{day}} NOT NULL,
	until_day {{day}} NOT NULL,
	PRIMARY KEY (bucket, account, from_day)
) {{table}};

-- Every press of the switch, also one that changed nothing.
CREATE TABLE presses (
	bucket  {{small}} NOT NULL,
	account {{text}} NOT NULL,
	at      {{int}} NOT NULL,
	action  {{text}} NOT NULL,
	client  {{text}} NOT NULL,
	address {{text}} NOT NULL,
	PRIMARY KEY (bucket, account, at, action)
) {{table}};

-- The ledger.

-- An entry's own row makes its ID unique: it lies in the bucket of the ID.
CREATE TABLE entries (
	bucket    {{small}} NOT NULL,
	entry     {{text}} NOT NULL,
	at        {{int}} NOT NULL,
	posted_at {{int}} NOT NULL,
	digest    {{blob}} NOT NULL,
	PRIMARY KEY (bucket, entry)
) {{table}};

-- In order of time, and not of accounts: what a day's run reads lies together, and
-- today's postings are written side by side at the end of their bucket, however
-- many there are. What an account did on a day is found by reading its bucket's day.
CREATE TABLE postings (
	bucket  {{small}} NOT NULL,
	day     {{day}} NOT NULL,
	account {{text}} NOT NULL,
	asset   {{text}} NOT NULL,
	at      {{int}} NOT NULL,
	entry   {{text}} NOT NULL,
	move    {{small}} NOT NULL,
	side    {{small}} NOT NULL,
	amount  {{int}} NOT NULL,
	other   {{text}} NOT NULL,
	kind    {{text}} NOT NULL,
	PRIMARY KEY (bucket, day, at, entry, move, side)
) {{table}};

CREATE TABLE balances (
	bucket  {{small}} NOT NULL,
	account {{text}} NOT NULL,
	asset   {{text}} NOT NULL,
	balance {{int}} NOT NULL,
	carry   {{int}} NOT NULL,
	earned  {{int}} NOT NULL,
	PRIMARY KEY (bucket, account, asset)
) {{hot}};

-- The run.

-- The intent to close a day: no entry for it is taken from here on.
CREATE TABLE closings (
	day       {{day}} NOT NULL,
	closed_at {{int}} NOT NULL,
	PRIMARY KEY (day)
) {{table}};

CREATE TABLE days (
	bucket {{small}} NOT NULL,
	day    {{day}} NOT NULL,
	closed {{small}} NOT NULL,
	PRIMARY KEY (bucket, day)
) {{table}};

CREATE TABLE progress (
	bucket          {{small}} NOT NULL,
	asset           {{text}} NOT NULL,
	accrued_through {{day}} NOT NULL,
	paid_through    {{day}} NOT NULL,
	PRIMARY KEY (bucket, asset)
) {{hot}};

-- The rewards' subledger: a reward is written once, with its figures.
CREATE TABLE accruals (
	bucket   {{small}} NOT NULL,
	day      {{day}} NOT NULL,
	account  {{text}} NOT NULL,
	asset    {{text}} NOT NULL,
	opening  {{int}} NOT NULL,
	average  {{int}} NOT NULL,
	rest     {{int}} NOT NULL,
	eligible {{int}} NOT NULL,
	apr      {{int}} NOT NULL,
	reward   {{int}} NOT NULL,
	before   {{int}} NOT NULL,
	carry    {{int}} NOT NULL,
	PRIMARY KEY (bucket, day, account, asset)
) {{table}};

-- Control totals of what was accrued, declared and paid.

CREATE TABLE batches (
	bucket  {{small}} NOT NULL,
	day     {{day}} NOT NULL,
	asset   {{text}} NOT NULL,
	holders {{int}} NOT NULL,
	total   {{int}} NOT NULL,
	digest  {{blob}} NOT NULL,
	PRIMARY KEY (bucket, day, asset)
) {{table}};

CREATE TABLE declarations (
	day         {{day}} NOT NULL,
	asset       {{text}} NOT NULL,
	holders     {{int}} NOT NULL,
	total       {{int}} NOT NULL,
	declared_at {{int}} NOT NULL,
	PRIMARY KEY (day, asset)
) {{table}};

CREATE TABLE payments (
	bucket  {{small}} NOT NULL,
	day     {{day}} NOT NULL,
	asset   {{text}} NOT NULL,
	holders {{int}} NOT NULL,
	total   {{int}} NOT NULL,
	digest  {{blob}} NOT NULL,
	paid_at {{int}} NOT NULL,
	PRIMARY KEY (bucket, day, asset)
) {{table}};

-- Postings and paid rewards as one list, both sides of every move. A reward takes
-- effect at the end of its day.
CREATE VIEW journal AS
SELECT bucket, day, account, asset, at, entry, move, side, amount, other, kind
  FROM postings
UNION ALL
SELECT a.bucket, a.day + 1, a.account, a.asset, CAST(a.day + 1 AS bigint) * {{millis}}, 'reward/' || {{date}} || '/' || a.asset || '/' || a.account,
       0, 1, a.reward, '@payable', 'reward'
  FROM accruals a JOIN payments p ON p.bucket = a.bucket AND p.day = a.day AND p.asset = a.asset
 WHERE a.reward > 0
UNION ALL
SELECT a.bucket, a.day + 1, '@payable', a.asset, CAST(a.day + 1 AS bigint) * {{millis}}, 'reward/' || {{date}} || '/' || a.asset || '/' || a.account,
       0, 0, -a.reward, a.account, 'reward'
  FROM accruals a JOIN payments p ON p.bucket = a.bucket AND p.day = a.day AND p.asset = a.asset
 WHERE a.reward > 0
UNION ALL
SELECT a.bucket, a.day + 1, '@payable', a.asset, CAST(a.day + 1 AS bigint) * {{millis}}, 'declare/' || {{date}} || '/' || a.asset,
       a.bucket, 1, a.total, '@rewards', 'declare'
  FROM batches a JOIN declarations d ON d.day = a.day AND d.asset = a.asset
 WHERE a.total > 0
UNION ALL
SELECT {{rewards}}, a.day + 1, '@rewards', a.asset, CAST(a.day + 1 AS bigint) * {{millis}}, 'declare/' || {{date}} || '/' || a.asset,
       a.bucket, 0, -a.total, '@payable', 'declare'
  FROM batches a JOIN declarations d ON d.day = a.day AND d.asset = a.asset
 WHERE a.total > 0;
