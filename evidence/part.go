package evidence

import (
	"fmt"
	"strings"
)

// part is a kind of row in a record. What it says never changes: records that were made are
// computed again by it. A part that is to have other columns gets another name and layout,
// and the one before stays.
type part struct {
	name    string // in records and findings
	from    string // the table, or a join of tables
	columns string // those that are hashed, in order, each with its type: int, text, blob, actor or detail
	written written
	by      string // the columns that written is about
	order   string // the key
	bucket  string // the column of the bucket; "": its tables have none, and are read as bucket 0
	// The key begins with the bucket and what written is about: it is read bucket by bucket.
	// Other tables are read once for all buckets.
	keyed bool
	// The moment is 0 until what the row is about has happened: it is no part of a record until then.
	optional bool
	// The layouts whose records have the part: from since, 0 for the first, through through, 0 for all later ones. The
	// first record of its first layout has all earlier rows too.
	since, through int
}

// in reports whether records of a layout have the part.
func (p part) in(layout int) bool {
	return p.since <= layout && (p.through == 0 || layout <= p.through)
}

// written says of which record a row is a part.
type written int

const (
	// Of the day of a moment, a column in milliseconds. The row is written at that moment, or
	// before the end of that day is closed.
	atMoment written = iota
	// Of a day, a column. The row may change until that day is closed, and not after.
	onDay
	// Of the record that says that the day of the token is settled: columns of the day and the token.
	// The row may change until the token's day is paid, and not after.
	withSettlement
	// withSettlement, or of the day of a moment, if that is later: columns of day, token and moment.
	withSettlementOrLater
	// The same, with the token that was settled first: columns of day and moment.
	withFirstSettlementOrLater
	// Of the day of an entry. Entries lie by their ID, and are found through their first posting.
	withPosting
)

// newest is the layout of records that are made now; records say theirs. Layout 2 has the references to logins, which
// layout 1 left out: the log and the entries had e-mail addresses in their place. In layout 3 acceptances are dated
// when they were written: what an exchange says that its customer accepted earlier changes no record that is made.
const newest = 3

var layout = newest // tests make records of former layouts

// parts are the rows that records are about.
var parts = []part{
	{name: "postings", from: "postings", written: onDay, by: "day", bucket: "bucket", keyed: true,
		columns: "day int, account text, asset text, at int, entry text, move int, side int, amount int, other text, " +
			"kind text",
		order: "day, at, entry, move, side"},
	{name: "entries", through: 1, from: "entries", written: withPosting,
		columns: "entry text, at int, posted_at int, digest blob, credential actor, role text, request text, " +
			"digest_version int, leaves blob, destination blob"},
	{name: "entries/2", since: 2, from: "entries", written: withPosting,
		columns: "entry text, at int, posted_at int, digest blob, credential text, role text, request text, " +
			"digest_version int, leaves blob, destination blob"},
	{name: "incomes", from: "incomes", written: atMoment, by: "at", bucket: "bucket", order: "reference",
		columns: "reference text, asset text, chain text, source text, first_day int, last_day int, mode int, gross int, " +
			"fee int, evidence text, at int"},
	{name: "campaigns", from: "campaigns", written: atMoment, by: "at", bucket: "bucket", order: "campaign",
		columns: "campaign text, title text, asset text, pool int, first_day int, last_day int, members int, at int, " +
			"measure int"},
	{name: "campaign_parts", from: ofCampaign("campaign_parts"), written: atMoment, by: "c.at", bucket: "x.bucket",
		columns: "x.campaign text, x.number int, x.token text, x.amount int", order: "x.campaign, x.number"},
	{name: "campaign_multipliers", from: ofCampaign("campaign_multipliers"), written: atMoment, by: "c.at",
		bucket: "x.bucket", columns: "x.campaign text, x.number int, x.label text, x.percent int",
		order: "x.campaign, x.number"},
	{name: "campaign_ends", from: "campaign_ends", written: atMoment, by: "ended_at", bucket: "bucket",
		columns: "campaign text, last_day int, ended_at int, ended_by text", order: "campaign"},
	{name: "withdrawals", from: "withdrawals", written: atMoment, by: "requested", bucket: "bucket",
		columns: "account text, id text, requested int, asset text, amount int, address text, network text, tag text, " +
			"client_id text", order: "account, id"},
	{name: "endings", from: "endings", written: atMoment, by: "at", bucket: "bucket",
		columns: "account text, id text, kind text, at int", order: "account, id"},
	{name: "reconciliations", from: "reconciliations", written: atMoment, by: "flagged", bucket: "bucket",
		columns: "account text, asset text, entry text, at int, until int, lowest int, flagged int",
		order:   "account, asset, entry"},
	{name: "resolutions", optional: true, from: "reconciliations", written: atMoment, by: "resolved", bucket: "bucket",
		columns: "account text, asset text, entry text, resolved int, reason text", order: "account, asset, entry"},

	{name: "closings", from: "closings", written: atMoment, by: "closed_at", columns: "day int, closed_at int",
		order: "day"},
	{name: "accruals", from: "accruals", written: withSettlement, by: "day, asset", bucket: "bucket", keyed: true,
		columns: "day int, account text, asset text, opening int, average int, rest int, eligible int, apr int, " +
			"reward int, before int, carry int, eligible_rest int", order: "day, account, asset"},
	{name: "batches", from: "batches", written: withSettlement, by: "day, asset", bucket: "bucket", keyed: true,
		columns: "day int, asset text, holders int, total int, digest blob, eligible int, eligible_rest int, " +
			"carried_units int, carried_part int", order: "day, asset"},
	{name: "payments", from: "payments", written: withSettlement, by: "day, asset", bucket: "bucket", keyed: true,
		columns: "day int, asset text, holders int, total int, digest blob, paid_at int, credential text, role text, " +
			"request text", order: "day, asset"},
	{name: "shares", from: "shares", written: withSettlement, by: "day, asset", bucket: "bucket", keyed: true,
		columns: "day int, asset text, first_day int, last_day int, units int, part int",
		order:   "day, asset, first_day, last_day"},
	{name: "owner_sums", from: "owner_sums", written: withSettlement, by: "day, asset", bucket: "bucket", keyed: true,
		columns: "day int, owner text, asset text, accounts int, integral text", order: "day, owner, asset"},
	{name: "campaign_eligible", from: "campaign_eligible", written: withSettlement, by: "day, asset", bucket: "bucket",
		keyed: true, columns: "day int, account text, asset text, average int, rest int, eligible int, eligible_rest int",
		order: "day, account, asset"},
	{name: "campaign_owner_sums", from: "campaign_owner_sums", written: withSettlement, by: "day, asset",
		bucket: "bucket", keyed: true, columns: "day int, owner text, asset text, accounts int, integral text",
		order: "day, owner, asset"},
	{name: "campaign_weights", from: "campaign_weights", written: withSettlement, by: "day, asset", bucket: "bucket",
		keyed: true, columns: "day int, asset text, campaign text, weight text", order: "day, asset, campaign"},
	{name: "campaign_shares", from: "campaign_shares", written: withSettlement, by: "day, asset", bucket: "bucket",
		keyed: true, columns: "day int, asset text, campaign text, token text, units int, part int",
		order: "day, asset, campaign, token"},
	{name: "declarations", from: "declarations", written: withSettlement, by: "day, asset",
		columns: "day int, asset text, holders int, total int, declared_at int, credential text, role text, " +
			"request text, eligible int, eligible_rest int, carried_units int, carried_part int", order: "day, asset"},
	{name: "groupings", from: "groupings", written: withSettlement, by: "day, asset",
		columns: "day int, asset text, owners int, others int", order: "day, asset"},
	{name: "distributions", from: "distributions", written: withSettlement, by: "day, asset",
		columns: "asset text, day int, first_day int, last_day int, gross int, net int, before_units int, " +
			"before_part int, weight text, paid_units int, paid_part int", order: "asset, day, first_day, last_day"},
	{name: "campaign_totals", from: "campaign_totals", written: withSettlement, by: "day, asset",
		columns: "day int, asset text, campaign text, weight text", order: "day, asset, campaign"},
	{name: "campaign_distributions", from: "campaign_distributions", written: withSettlement, by: "day, asset",
		columns: "campaign text, token text, day int, asset text, left_units int, left_part int, budget_units int, " +
			"budget_part int, weight text, paid_units int, paid_part int", order: "campaign, token, day"},
	{name: "approvals", from: "approvals", written: withSettlement, by: "day, asset",
		columns: "day int, asset text, approved_at int, approved_by text", order: "day, asset"},
	{name: "settled", from: "settled", written: withSettlement, by: "day, asset",
		columns: "asset text, day int, settled_at int", order: "asset, day"},
	{name: "prices", from: "prices", written: withSettlementOrLater, by: "day, asset, set_at",
		columns: "asset text, day int, price int, set_at int", order: "asset, day"},
	{name: "rates", from: "rates", written: withFirstSettlementOrLater, by: "day, set_at",
		columns: "currency text, day int, rate int, set_at int", order: "currency, day"},

	{name: "terms", from: "terms", written: atMoment, by: "set_at",
		columns: "asset text, from_day int, revision int, offered int, apr int, minimum int, cap int, set_at int, " +
			"set_by text, reason text, fee int, mode int, measure int, per_owner int, gross_apr int",
		order: "asset, from_day, revision"},
	{name: "close_after", from: "close_after", written: atMoment, by: "set_at",
		columns: "from_day int, revision int, millis int, set_at int", order: "from_day, revision"},
	{name: "documents", from: "documents", written: atMoment, by: "published",
		columns: "name text, version int, published int, content text", order: "name, version"},
	{name: "disclosures", from: "disclosures", written: atMoment, by: "published",
		columns: "asset text, version int, published int, content text", order: "asset, version"},
	{name: "listings", from: "listings", written: atMoment, by: "added",
		columns: "code text, number int, from_day int, added int, added_by text, reason text, ended int",
		order:   "code, number"},
	{name: "listings_removed", optional: true, from: "listings", written: atMoment, by: "removed",
		columns: "code text, number int, removed int, removed_by text", order: "code, number"},

	{name: "accounts", from: "accounts", written: atMoment, by: "opened", bucket: "bucket",
		columns: "account text, opened int", order: "account"},
	{name: "accounts_closed", optional: true, from: "accounts", written: atMoment, by: "closed", bucket: "bucket",
		columns: "account text, closed int", order: "account"},
	{name: "accounts_ended", optional: true, from: "accounts", written: atMoment, by: "ended", bucket: "bucket",
		columns: "account text, ended int", order: "account"},
	{name: "accounts_erased", optional: true, from: "accounts", written: atMoment, by: "erased", bucket: "bucket",
		columns: "account text, erased int", order: "account"},
	{name: "owners", from: "owners", written: atMoment, by: "set_at", bucket: "bucket",
		columns: "account text, from_day int, revision int, owner text, set_at int, set_by text",
		order:   "account, from_day, revision"},
	{name: "labels", from: "labels", written: onDay, by: "from_day", bucket: "bucket",
		columns: "account text, label text, from_day int, set_at int, set_by text", order: "account, label, from_day"},
	{name: "labels_ended", from: "labels", written: onDay, by: "until_day", bucket: "bucket",
		columns: "account text, label text, from_day int, until_day int", order: "account, label, from_day"},
	{name: "exclusions", from: "exclusions", written: onDay, by: "from_day", bucket: "bucket",
		columns: "account text, asset text, product text, from_day int", order: "account, asset, product, from_day"},
	{name: "exclusions_ended", from: "exclusions", written: onDay, by: "until_day", bucket: "bucket",
		columns: "account text, asset text, product text, from_day int, until_day int, set_at int, set_by text",
		order:   "account, asset, product, from_day"},
	{name: "enrollments", from: "enrollments", written: onDay, by: "from_day", bucket: "bucket",
		columns: "account text, from_day int", order: "account, from_day"},
	{name: "enrollments_ended", from: "enrollments", written: onDay, by: "until_day", bucket: "bucket",
		columns: "account text, from_day int, until_day int", order: "account, from_day"},
	// What layouts 1 and 2 have was recorded when it was accepted, as far as the books know.
	{name: "acceptances", through: 2, from: "acceptances", written: atMoment, by: "recorded_at", bucket: "bucket",
		columns: "account text, document text, version int, accepted_at int", order: "account, document, version"},
	{name: "acceptances/3", since: 3, from: "acceptances", written: atMoment, by: "recorded_at", bucket: "bucket",
		columns: "account text, document text, version int, accepted_at int, recorded_at int",
		order:   "account, document, version"},
	{name: "switch_events", from: "switch_events", written: atMoment, by: "at", bucket: "bucket",
		columns: "account text, at int, action text", order: "account, at, action"},

	{name: "keys", from: "keys", written: atMoment, by: "created", bucket: "bucket",
		columns: "key text, account text, type text, permissions text, created int, expires int",
		order:   "key"},
	{name: "keys_revoked", optional: true, from: "keys", written: atMoment, by: "revoked", bucket: "bucket",
		columns: "key text, revoked int", order: "key"},
	{name: "withdrawal_addresses", from: "withdrawal_addresses", written: atMoment, by: "added", bucket: "bucket",
		columns: "account text, id text, asset text, network text, address text, tag text, added int, usable int",
		order:   "account, id"},
	{name: "withdrawal_addresses_removed", optional: true, from: "withdrawal_addresses", written: atMoment, by: "removed",
		bucket: "bucket", columns: "account text, id text, removed int", order: "account, id"},
	{name: "account_limits", from: "account_limits", written: atMoment, by: "set_at", bucket: "bucket",
		columns: "account text, asset text, own int, number int, amount int, former int, from_at int, set_at int",
		order:   "account, asset, own, number"},
	{name: "tokens", from: "tokens", written: atMoment, by: "created", bucket: "bucket",
		columns: "id text, hash blob, role text, account text, created int, expires int, authoritative int, " +
			"person text, addresses text, subject text, ceilings text, lasts int", order: "id"},
	{name: "tokens_opened", optional: true, from: "tokens", written: atMoment, by: "opened", bucket: "bucket",
		columns: "id text, opened int", order: "id"},
	{name: "tokens_revoked", optional: true, from: "tokens", written: atMoment, by: "revoked", bucket: "bucket",
		columns: "id text, revoked int", order: "id"},
	{name: "staff", from: "staff", written: atMoment, by: "made", bucket: "bucket",
		columns: "email text, source text, subject text, made int, made_by text", order: "email"},
	{name: "security_events", from: "security_events", written: atMoment, by: "at", bucket: "bucket",
		columns: "account text, at int, nonce text, action text", order: "account, at, nonce"},
	{name: "row_versions", from: "row_versions", written: atMoment, by: "at", bucket: "bucket",
		columns: "kind text, name text, number int, at int, content text", order: "kind, name, number"},
	{name: "limits", from: "limits", written: atMoment, by: "set_at", order: "asset, number",
		columns: "asset text, number int, set_at int, set_by text, proposal text, reason text, max_total int, " +
			"max_change int, max_withdrawal int, max_apr int, max_inflow int"},
	{name: "proposals", from: "proposals", written: atMoment, by: "made_at", order: "id",
		columns: "id text, operation text, content text, subject text, effect text, reason text, proposer text, " +
			"proposer_role text, proposer_person text, request text, made_at int, expires int"},
	{name: "proposals_decided", optional: true, from: "proposals", written: atMoment, by: "decided_at", order: "id",
		columns: "id text, decision text, decided_by text, decided_by_role text, decided_by_person text, " +
			"decided_request text, decided_at int, decided_effect text, decided_reason text"},
	{name: "join_references", from: "join_references", written: atMoment, by: "at", bucket: "bucket", order: "entry",
		columns: "entry text, refers text, at int"},
	{name: "join_late", from: "join_late", written: atMoment, by: "posted", order: "day, entry",
		columns: "day int, entry text, account text, asset text, amount int, at int, dated int, posted int"},
	{name: "join_closings", through: 1, from: "join_closings", written: atMoment, by: "set_at", order: "day",
		columns: "day int, set_at int, set_by actor, reason text"},
	{name: "join_closings/2", since: 2, from: "join_closings", written: atMoment, by: "set_at", order: "day",
		columns: "day int, set_at int, set_by text, reason text"},
	{name: "join_sources", since: 2, from: "join_sources", written: atMoment, by: "added", order: "name",
		columns: "name text, added int, added_by text"},
	{name: "join_addresses", since: 3, from: "join_addresses", written: atMoment, by: "set_at", order: "source, number",
		columns: "source text, number int, address text, mapping text, set_at int, set_by text"},
	{name: "join_skips", since: 3, from: "join_skips", written: atMoment, by: "set_at",
		order:   "source, event, name, position, part",
		columns: "source text, event text, name text, position int, part int, set_at int, set_by text, reason text"},
	{name: "payout_batches", since: 2, from: "payout_batches", written: atMoment, by: "at", bucket: "bucket",
		columns: "day int, asset text, entry text, count int, total int, at int", order: "day, asset, entry"},
	{name: "payout_answers", since: 2, from: "payout_answers", written: atMoment, by: "at", bucket: "bucket",
		columns: "payout text, credited int, reference text, at int, credential text", order: "payout, credited"},
	{name: "comparisons", since: 3, from: "comparisons", written: atMoment, by: "made_at", order: "number",
		columns: "number int, day int, at int, position int, source text, scheduled int, their_position text, " +
			"their_at int, payouts int, ignored int, kept int, made_at int, credential text, role text, request text"},
	{name: "comparison_tokens", since: 3, from: ofComparison("comparison_tokens"), written: atMoment, by: "c.made_at",
		columns: "x.number int, x.kind text, x.asset text, x.accounts int, x.sum text, x.root blob, " +
			"x.their_accounts int, x.their_sum text, x.their_root blob, x.differences int, x.off int, x.stops int, " +
			"x.limit_asset text, x.limit_number int", order: "x.number, x.kind, x.asset"},
	{name: "comparison_differences", since: 3, from: ofComparison("comparison_differences"), written: atMoment,
		by: "c.made_at", columns: "x.number int, x.kind text, x.account text, x.asset text, x.ours int, x.theirs int, " +
			"x.cause text, x.entry text, x.entry_at int, x.more int", order: "x.number, x.kind, x.account, x.asset"},
	{name: "comparison_limits", since: 3, from: "comparison_limits", written: atMoment, by: "set_at",
		columns: "asset text, number int, amount int, accounts int, waits int, set_at int, set_by text",
		order:   "asset, number"},
	{name: "comparison_releases", since: 3, from: "comparison_releases", written: atMoment, by: "released_at",
		columns: "asset text, day int, released_at int, released_by text, reason text", order: "asset, day"},
	{name: "comparison_resolutions", since: 3, from: "comparison_resolutions", written: atMoment, by: "resolved_at",
		columns: "number int, asset text, resolved_at int, resolved_by text, reason text", order: "number, asset"},
	{name: "comparison_sources", since: 3, from: "comparison_sources", written: atMoment, by: "set_at", order: "number",
		columns: "number int, ledger text, balances text, payouts text, endpoint text, topic text, set_at int, set_by text"},
	{name: "log", through: 1, from: "log", written: atMoment, by: "at", bucket: "bucket", keyed: true,
		columns: "at int, actor actor, role text, request text, action text, subject text, detail detail",
		order:   "at, action, subject, role, request, actor, detail"},
	{name: "log/2", since: 2, from: "log", written: atMoment, by: "at", bucket: "bucket", keyed: true,
		columns: "at int, actor text, role text, request text, action text, subject text, detail text",
		order:   "at, action, subject, role, request, actor, detail"},
}

// Unrecorded are the tables and columns that are in no record, with the reason. A column is "table.column".
var Unrecorded = map[string]string{
	"assets":                     "their versions are recorded, and compared with them",
	"attempts":                   "counters that are removed after some time",
	"balances":                   "the audit derives them from the journal",
	"campaign_members":           "the audit derives them from enrollments and switch events",
	"challenges":                 "they are removed when they are over",
	"checkpoints":                "they are signed, and kept elsewhere",
	"ceilings_used":              "counters of what entries and switch events say, which are removed after some days",
	"conversions":                "counters of what entries say",
	"days":                       "closings say which days are closed; the audit compares them",
	"deposit_addresses":          "they carry MACs; each change is a line of the log",
	"desk":                       "rows that are only locked",
	"drafts":                     "they are removed when they are used",
	"import_rows":                "they grow with each file that overlaps; the entries that came of them are recorded",
	"join_balances":              "sums of entries and credited rewards, which are recorded",
	"join_partitions":            "positions, which move on; the log says how far, and entries what was posted",
	"liabilities":                "salts and hashes that a record's roots are made of",
	"listed_out":                 "it is removed when a listing is; switch events say who was taken out",
	"log.number":                 "it counts lines of one moment and content; each of them is recorded",
	"logins":                     "their versions are recorded, and compared with them",
	"mail_settings":              "they are replaced, and are about mail alone",
	"mails":                      "they are kept for some days only",
	"meta":                       "marks and counters; the versions of its settings are recorded",
	"migrations":                 "the steps of the schema",
	"notices":                    "they say what other rows say, for persons to read",
	"outbox":                     "it is kept for some days only, and says what other rows say",
	"offer_ends":                 "how far notices are written, which are in no record",
	"passkeys":                   "they are removed with the person; each change is a line of the log",
	"payout_marks":               "they say where payouts of accruals, which are recorded, are found",
	"pending":                    "withdrawals without an ending",
	"progress":                   "the audit derives it from batches and payments",
	"recovery_codes":             "they are removed with the person; each change is a line of the log",
	"record_groups":              "they are a part of the records",
	"records":                    "they are signed",
	"responses":                  "they are kept for some days only",
	"sequences":                  "they are counters",
	"sessions":                   "they are removed when they are over",
	"step_ups":                   "they are removed when they are over",
	"staff_sessions":             "they are removed when they are over",
	"staff_log_ins":              "they are removed when they are used",
	"targets":                    "positions, which move on; the log says what was added, sent again and removed",
	"sweeps":                     "they carry MACs, and are removed when nothing is left to move",
	"webhook_attempts":           "they are kept for some time only",
	"webhook_messages":           "they are removed when they are delivered",
	"webhook_states":             "how far endpoints are; who disables or enables one is a line of the log",
	"webhooks":                   "they carry MACs; each change is a line of the log",
	"totps":                      "they are removed with the person; each change is a line of the log",
	"accounts.region":            "its versions are recorded, and compared with it",
	"accounts.frozen":            "its versions are recorded, and compared with it",
	"accounts.frozen_mode":       "its versions are recorded, and compared with it",
	"accounts.frozen_reason":     "its versions are recorded, and compared with it",
	"staff.role":                 "its versions are recorded, and compared with it",
	"staff.disabled":             "its versions are recorded, and compared with it",
	"staff.invite_hash":          "it is removed when it is used",
	"staff.invite_until":         "it is removed when it is used",
	"listings.restored":          "it grows while enrollments are restored; switch events say whose",
	"listings.unfinished":        "it is work in hand",
	"prices.base":                "what a price of the day is compared with: the log has each price, and who approved it",
	"rates.base":                 "the same of rates",
	"join_skips.passed":          "it is set when the event comes; that it is never posted is recorded",
	"join_skips.digest":          "the same",
	"payout_batches.first":       "the number by which readers know it, given after the commit",
	"payout_batches.credited":    "a count of answers, which are recorded",
	"payout_batches.refused":     "a count of answers, which are recorded",
	"keys.addresses":             "they are replaced; each change is a line of the log",
	"keys.trade_until":           "it is replaced; each change is a line of the log",
	"keys.secret":                "it is sealed again with another key",
	"emails":                     "they say who a person is, and are removed after some time or with the person",
	"origins":                    "they say where a person was, and are removed after some time or with the person",
	"tokens.label":               "it is a person's own words, and may have to be erased",
	"keys.label":                 "it is a person's own words, and may have to be erased",
	"withdrawal_settings":        "they are replaced; each change is a line of the log",
	"tokens.mac":                 "it guards the row against changes by SQL; a key that is not in the database makes it",
	"keys.mac":                   "it guards the row against changes by SQL; a key that is not in the database makes it",
	"staff.mac":                  "it guards the row against changes by SQL; a key that is not in the database makes it",
	"withdrawal_addresses.mac":   "it guards the row against changes by SQL; a key that is not in the database makes it",
	"withdrawals.mac":            "it guards the row against changes by SQL; a key that is not in the database makes it",
	"proposals.mac":              "it guards the row against changes by SQL; a key that is not in the database makes it",
	"staff.factors":              "a count of rows beside it",
	"withdrawal_addresses.label": "it is what its holder calls it, and nothing follows from it",
}

func ofCampaign(table string) string {
	return table + " x JOIN campaigns c ON c.bucket = x.bucket AND c.campaign = x.campaign"
}

func ofComparison(table string) string {
	return table + " x JOIN comparisons c ON c.number = x.number"
}

// column is a column of a part.
type column struct{ name, kind string }

// expression is what of the column is hashed, as SQL selects it. In layout 1, actor and detail are without the login of
// a holder: it was an e-mail address then, which may have to be erased.
func (c column) expression(prefix string) string {
	name := prefix + c.name
	switch c.kind {
	case "actor": // a holder's session is "login ADDRESS"
		return "CASE WHEN substr(" + name + ", 1, 6) = 'login ' THEN 'login' ELSE " + name + " END"
	case "detail": // of "login add" and the like it is the address
		return "CASE WHEN substr(" + prefix + "action, 1, 6) = 'login ' THEN '' ELSE " + name + " END"
	}
	return name
}

func (p part) fields() (fields []column) {
	for field := range strings.SplitSeq(p.columns, ", ") {
		name, kind, _ := strings.Cut(field, " ")
		fields = append(fields, column{name, kind})
	}
	return fields
}

// table is the table of the part's columns.
func (p part) table() string {
	table, _, _ := strings.Cut(p.from, " ")
	return table
}

// column is the name that the table has for a column.
func (c column) column() string {
	if _, name, joined := strings.Cut(c.name, "."); joined {
		return name
	}
	return c.name
}

// names are the part's columns, as SQL lists them.
func (p part) names(prefix string) string {
	var names []string
	for _, f := range p.fields() {
		names = append(names, f.expression(prefix))
	}
	return strings.Join(names, ", ")
}

// lead is how many columns a row begins with that say where it belongs: the bucket, and those of by.
func (p part) lead() int { return 1 + len(strings.Split(p.by, ", ")) }

// query is the SELECT of the part's rows in the order of their buckets and keys. Its parameters are the bucket, where
// the part is keyed, and where the rows of a span can be distinguished, the first and the last value of the first
// column of by.
func (p part) query() string {
	bucket, order, conditions := p.bucket, p.order, []string{}
	switch {
	case p.keyed:
		conditions = append(conditions, bucket+" = $1")
	case bucket == "":
		bucket = "0"
	default:
		order = bucket + ", " + order
	}
	if p.written <= withSettlement {
		limited, _, _ := strings.Cut(p.by, ", ")
		n := len(conditions)
		conditions = append(conditions, fmt.Sprintf("%s >= $%d AND %s <= $%d", limited, n+1, limited, n+2))
	}
	where := ""
	if len(conditions) > 0 {
		where = " WHERE " + strings.Join(conditions, " AND ")
	}
	return "SELECT " + bucket + ", " + p.by + ", " + p.names("") + " FROM " + p.from + where + " ORDER BY " + order
}
