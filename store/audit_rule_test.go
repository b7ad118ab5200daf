package store_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// contradictions are what a hand does to the books of TestContradictions, by which rule it is found, and what is said.
var contradictions = []struct{ rule, sql, what string }{
	{"enrollment of a closed account", "UPDATE enrollments SET until_day = 1073741824 WHERE account = 'bob'",
		"bob: is closed, and its enrollment from 2026-03-03 goes on"},
	{"login of a closed account", "UPDATE logins SET account = 'bob'", "bob: is closed, and has a login"},
	{"session of a closed account", "UPDATE sessions SET account = 'bob'", "bob: is closed, and has the session "},
	{"pending withdrawal of a closed account", "UPDATE pending SET account = 'bob', bucket = " + bucketOfBob,
		"bob: is closed, and its withdrawal w-1 is pending"},
	{"balance of a closed account", "UPDATE balances SET closed = 0 WHERE account = 'bob'",
		"bob BNB: the account is closed, and this balance takes entries"},
	{"balance of an ended account", "UPDATE balances SET balance = 5 WHERE account = 'bob'",
		"bob BNB: nothing is left of the account, and it has this balance"},
	{"end of an open account", "UPDATE accounts SET closed = 0 WHERE account = 'bob'",
		"bob: has ended, and is open or was closed later"},
	{"end of an open account", "UPDATE accounts SET closed = closed + 1 WHERE account = 'bob'",
		"bob: has ended, and is open or was closed later"},
	{"erasure of an open account", "UPDATE accounts SET erased = 5 WHERE account = 'alice'",
		"alice: its person is erased, and it is open or has ended later"},
	{"sweep of an open or ended account", `INSERT INTO sweeps (bucket, account, target, begun, refused)
	  SELECT bucket, account, 'mallory', closed, '' FROM accounts WHERE account = 'bob'`, "bob: leaves to mallory what it has"},
	{"sweep of an open or ended account", `INSERT INTO sweeps (bucket, account, target, begun, refused)
	  SELECT bucket, account, 'mallory', opened, '' FROM accounts WHERE account = 'alice'`,
		"alice: leaves to mallory what it has"},
	{"closed account without its sweep", "UPDATE accounts SET ended = 0 WHERE account = 'bob'",
		"bob: is closed, has not ended, and no sweep moves on what it has"},
	{"key of an erased person", "UPDATE keys SET revoked = 0 WHERE account = 'erin'",
		"erin: its person is erased, and the key "},
	{"e-mail address of an erased person", "UPDATE emails SET account = 'erin'",
		"erin: its person is erased, and the books have an e-mail address of it"},

	{"pending withdrawal without its request", "DELETE FROM withdrawals WHERE id = 'w-1'",
		"alice: the withdrawal w-1 is pending, and was not requested then"},
	{"pending withdrawal without its request", "UPDATE pending SET requested = requested + 1",
		"alice: the withdrawal w-1 is pending, and was not requested then"},
	{"pending withdrawal that has ended", `INSERT INTO pending (bucket, account, id, requested)
	  SELECT bucket, account, id, requested FROM withdrawals WHERE id = 'w-2'`,
		"alice: the withdrawal w-2 is pending, and has ended"},
	{"withdrawal that is neither pending nor ended", "DELETE FROM pending",
		"alice BNB: the withdrawal w-1 is not pending, and has not ended"},
	{"withdrawal that is neither pending nor ended", "DELETE FROM endings WHERE id = 'w-2'",
		"alice BNB: the withdrawal w-2 is not pending, and has not ended"},
	{"more pending than held", "UPDATE withdrawals SET amount = amount + 1 WHERE id = 'w-1'",
		"alice BNB: its pending withdrawals are of more than it has held"},
	{"ending without its request", "UPDATE endings SET at = at - 86400000 WHERE id = 'w-2'",
		"alice: the withdrawal w-2 has ended, and was not requested before"},
	{"ending without its entry", "UPDATE endings SET kind = 'withdrawal-cancelled' WHERE id = 'w-2'",
		"alice BNB: the withdrawal w-2 has ended as withdrawal-cancelled, and no entry then ends it so"},
	{"ending without its entry", "UPDATE endings SET at = at + 1 WHERE id = 'w-2'",
		"alice BNB: the withdrawal w-2 has ended as withdrawal-completed, and no entry then ends it so"},

	{"price that cannot be", "UPDATE prices SET price = 0", "BNB: its price of 2026-03-02 is not above zero"},
	{"price that cannot be", "UPDATE prices SET day = day + 9",
		"BNB: its price of 2026-03-11 is not above zero, or was set"},
	{"rate that cannot be", "UPDATE rates SET rate = -1", "EUR: its rate of 2026-03-02 is not above zero"},
	{"price set after payment", "UPDATE prices SET set_at = set_at + 864000000",
		"BNB: its price of 2026-03-02 was set after the day was paid, and the books count no late price"},
	{"price without its line of the log", "UPDATE prices SET price = price + 1",
		"BNB: its price of 2026-03-02 is 600.00000001, and no line of the log sets it so"},
	{"price without its line of the log", "UPDATE rates SET rate = rate + 1",
		"EUR: its rate of 2026-03-02 is 0.92000001, and no line of the log sets it so"},

	{"document without its earlier version", "DELETE FROM documents WHERE name = 'risk-warning' AND version = 1",
		": version 2 of risk-warning is there, and the one before is missing or later"},
	{"document without its earlier version",
		"UPDATE documents SET published = 5 WHERE name = 'risk-warning' AND version = 2",
		": version 2 of risk-warning is there, and the one before is missing or later"},
	{"acceptance without its document",
		"UPDATE acceptances SET version = 9 WHERE account = 'alice' AND document = 'risk-warning'",
		"alice: has accepted version 9 of risk-warning, which is missing or later"},
	{"acceptance without its document", "UPDATE acceptances SET accepted_at = 5 WHERE account = 'alice'",
		"alice: has accepted version 1 of risk-warning, which is missing or later"},
	{"acceptance without its account", "UPDATE acceptances SET account = 'nobody' WHERE account = 'alice'",
		"nobody: has accepted version 1 of risk-warning, and was never opened"},

	{"end of an enrollment without its switch event",
		"UPDATE enrollments SET until_day = from_day + 1 WHERE account = 'alice'",
		"alice: its enrollment from 2026-03-03 has ended, and no switch event says so"},
	{"end of an enrollment without its switch event",
		"DELETE FROM switch_events WHERE account = 'carol' AND action = 'off'",
		"carol: its enrollment from 2026-03-03 has ended, and no switch event says so"},
	{"switch event without its enrollment", "DELETE FROM enrollments WHERE account = 'alice'",
		"alice: was switched on, and is not enrolled"},
	{"switch event without its account", "UPDATE switch_events SET account = 'nobody' WHERE account = 'alice'",
		"nobody: has a switch event, and was never opened"},

	{"sum of what has left an account", "UPDATE ceilings_used SET used = used - 1 WHERE measure = 'left the account'",
		" BNB: "},
	{"sum of what has left an account", "DELETE FROM ceilings_used WHERE measure = 'left the account'",
		" units have left it by its postings, and 0 are counted"},

	{"payouts that are not the rewards", "UPDATE payout_batches SET total = total - 1",
		"BNB: the payouts of 2026-03-03 in bucket "},
	{"payouts that are not the rewards", "UPDATE payout_batches SET count = count + 1",
		"BNB: the payouts of 2026-03-03 in bucket "},
	{"payouts that nobody has answered", "UPDATE payout_batches SET credited = count",
		"are counted as answered, and there are fewer answers"},
	{"payouts that nobody has answered", "UPDATE payout_batches SET refused = count",
		"are counted as answered, and there are fewer answers"},

	{"settled day that was not declared",
		"INSERT INTO settled (asset, day, settled_at) VALUES ('BNB', 30000, 1772700000000)",
		"BNB: its day 2052-02-20 is settled, and nothing was declared for it"},

	{"limits without their line of the log", "UPDATE limits SET set_at = 0 WHERE number = 1",
		"BNB: no line of the log sets its limits number 1 then"},
	{"limits without their line of the log", "UPDATE limits SET set_at = set_at - 1800000 WHERE number = 2",
		"BNB: no line of the log sets its limits number 2 then"},
	{"limits without their line of the log", `INSERT INTO limits (asset, number, set_at, set_by, proposal, reason, max_total,
	  max_change, max_withdrawal, max_apr, max_inflow) SELECT asset, 9, set_at, set_by, proposal, reason, 0, 0, 0, 0, 0
	  FROM limits WHERE number = 2`,
		"BNB: no line of the log sets its limits number 9 then"},
	{"row that is later than now", "UPDATE limits SET set_at = set_at + 864000000 WHERE number = 2",
		"1 rows of the kind limits are later than now"},
	{"row that is later than now", "UPDATE accounts SET opened = opened + 864000000 WHERE account = 'alice'",
		"1 rows of the kind accounts are later than now"},
	{"row that is later than now", "UPDATE limits SET set_at = 9223372036854775807 WHERE number = 2",
		"1 rows of the kind limits are later than now"},
	{"terms without their line of the log", "UPDATE terms SET set_at = set_at - 1800000 WHERE apr = 17",
		"BNB: no line of the log sets its terms from 2026-04-11 then"},
	{"holders have more than the largest supply",
		"UPDATE balances SET balance = -20000000000000001 WHERE account = '@custody' AND asset = 'BNB'",
		"BNB: holders have "},
	{"token that was revoked", "UPDATE tokens SET revoked = 0", ": the log revokes the token "},
	{"token without its line of the log", "DELETE FROM log WHERE action = 'token create'",
		": no line of the log made the token "},
	{"role that there is not", "UPDATE tokens SET role = 'god'", ": of the token "},
	{"role that there is not", "UPDATE staff SET role = 'exchange'", ": of the member of staff olga@example.com: "},
	{"member of staff without a line of the log", "DELETE FROM log WHERE action = 'staff add'",
		": no line of the log made olga@example.com one of staff"},
	{"comparison that is not whole", "DELETE FROM comparison_differences WHERE number = 2",
		": of reconciliation 2 the accounts that differ are not those that were found"},
	{"comparison that is not whole", "UPDATE comparison_differences SET theirs = ours WHERE number = 2",
		": of reconciliation 2 the accounts that differ are not those that were found"},
	{"comparison that is not whole", "UPDATE comparison_tokens SET their_root = root WHERE number = 2",
		": of reconciliation 2 the accounts that differ are not those that were found"},
	{"comparison that is not whole", "UPDATE comparison_tokens SET differences = 0 WHERE number = 2",
		": of reconciliation 2 the accounts that differ are not those that were found"},
	{"comparison that is not whole", "DELETE FROM comparisons WHERE number = 1",
		": of reconciliation 2 the accounts that differ are not those that were found"},
	{"comparison against its limit", "UPDATE comparison_tokens SET stops = 0 WHERE number = 2",
		"BNB: reconciliation 2 stops it, or does not, against the limit of then"},
	{"comparison against its limit", "UPDATE comparison_limits SET accounts = 9",
		"BNB: reconciliation 2 stops it, or does not, against the limit of then"},
	{"comparison against its limit", "DELETE FROM comparison_limits",
		"BNB: reconciliation 2 stops it, or does not, against the limit of then"},
	{"day paid while the other ledger differs", "DELETE FROM comparison_resolutions",
		"BNB: 2026-03-03 was declared, and reconciliation 2 stopped it"},
	{"day paid while the other ledger differs", "UPDATE comparisons SET scheduled = 1 WHERE number = 1",
		"BNB: 2026-03-03 was declared, and reconciliation 1 stopped it"},
	// It was resolved a day before: what comes after the declaration excuses nothing.
	{"day paid while the other ledger differs", "UPDATE comparison_resolutions SET resolved_at = resolved_at + 86520000",
		"BNB: 2026-03-03 was declared, and reconciliation 2 stopped it"},
	{"day paid while the other ledger differs",
		"DELETE FROM comparison_resolutions; DELETE FROM log WHERE action = 'declare'",
		"BNB: 2026-03-03 was declared, and reconciliation 2 stopped it"},
	{"day paid before it was compared", "UPDATE comparison_limits SET waits = 1",
		"BNB: 2026-03-03 was declared before it was compared with the other ledger"},
	{"setting of a reconciliation without its line of the log", "DELETE FROM log WHERE action = 'reconcile set-limit'",
		"BNB: its limit 1 is set by "},
	{"setting of a reconciliation without its line of the log", "UPDATE comparison_limits SET amount = 7",
		"BNB: its limit 1 is set by "},
	{"setting of a reconciliation without its line of the log",
		"UPDATE comparison_sources SET endpoint = 'https://mallory'",
		": the source 1 of reconciliations is set by "},
	{"setting of a reconciliation without its line of the log", "UPDATE comparison_resolutions SET reason = 'forged'",
		"BNB: reconciliation 2 is resolved by "},
	{"setting of a reconciliation without its line of the log",
		`INSERT INTO comparison_releases (asset, day, released_at, released_by, reason)
		 SELECT 'BNB', 1, made_at, 'mallory', 'known' FROM comparisons WHERE number = 2`,
		"BNB: 1970-01-02 is released by mallory"},
	{"decision of a proposal", "UPDATE proposals SET decided_by = proposer, decided_by_person = proposer_person",
		": the proposal p-1 was executed: "},
	{"decision of a proposal", "UPDATE proposals SET decided_by_person = proposer_person",
		": the proposal p-1 was executed: "},
	{"decision of a proposal", "UPDATE proposals SET decided_by_role = 'viewer'", "approves and rejects nothing"},
	{"decision of a proposal", "UPDATE proposals SET decided_at = expires + 1", ": the proposal p-1 was executed: "},
	{"decision of a proposal", "UPDATE proposals SET decided_at = made_at - 60001",
		": the proposal p-1 was executed: it was made later"},
}

const bucketOfBob = "(SELECT bucket FROM accounts WHERE account = 'bob')"

// TestContradictions: rows that cannot be in the same books are found, each by its rule, and every rule is tried.
func TestContradictions(t *testing.T) {
	eachBooks(t, func(t *testing.T, url string, clock *testkit.Clock) {
		db, h := opened(t, url, clock), handOf(t, url)
		proposal := contradictory(t, db, clock)
		found := func() (all []audit.Finding) {
			t.Helper()
			ok(t, reports.AuditOf(db.Reader()).Contradictions(t.Context(), func(f audit.Finding) { all = append(all, f) }))
			return all
		}
		if f := found(); len(f) > 0 {
			t.Fatalf("in good books: %v", f)
		}
		for _, c := range contradictions {
			table := changes.FindStringSubmatch(c.sql)[1]
			h(t, "CREATE TABLE kept AS SELECT * FROM "+table)
			h(t, c.sql)
			what := strings.ReplaceAll(c.what, "p-1", proposal)
			all := found()
			if !slices.ContainsFunc(all, func(f audit.Finding) bool {
				return f.Rule == c.rule && strings.Contains(f.String(), what)
			}) {
				t.Errorf("%s: not found, but %v", c.sql, all)
			}
			h(t, fmt.Sprintf("DELETE FROM %s; INSERT INTO %[1]s SELECT * FROM kept; DROP TABLE kept", table))
		}
		if f := found(); len(f) > 0 {
			t.Fatalf("when all is put back: %v", f)
		}
	})
	for _, rule := range reports.AuditRules() {
		if !slices.ContainsFunc(contradictions, func(c struct{ rule, sql, what string }) bool { return c.rule == rule }) {
			t.Errorf("nobody tries the rule: %s", rule)
		}
	}
}

// TestRulesAreDocumented: docs/security.md has a line for each rule of the audit, and none that there is not.
func TestRulesAreDocumented(t *testing.T) {
	text := string(testkit.Must(os.ReadFile("../docs/security.md"))(t))
	_, table, _ := strings.Cut(text, "| rule | a finding is |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var documented []string
	for line := range strings.Lines(table) {
		rule, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		documented = append(documented, rule)
	}
	rules := append(reports.AuditRules(), audit.RuleOwed)
	slices.Sort(rules)
	slices.Sort(documented)
	if !slices.Equal(documented, rules) {
		t.Errorf("documented are %q; there are %q", documented, rules)
	}
}

// contradictory plays three days with something that each rule is about, and returns the ID of a proposal that was
// executed.
func contradictory(t *testing.T, db *store.DB, clock *testkit.Clock) string {
	t.Helper()
	ctx := t.Context()
	for _, id := range []ledger.Account{"alice", "bob", "carol", "erin"} {
		open(t, db, id)
	}
	deposit(t, db, "d-1", "alice", 10, bnb, time.Time{})
	deposit(t, db, "d-2", "bob", 1, bnb, time.Time{})
	testkit.Must(db.Fund(ctx, "f-1", bnb, 10*unit, false))(t)
	ok(t, refusal(post(t, db, oneMove("t-1", ledger.Transfer, "bob", "alice", 10)), nil))
	on(t, db, "alice")
	on(t, db, "carol")
	on(t, db, "bob")
	off(t, db, "bob")
	ok(t, db.CloseAccount(ctx, "bob"))
	addKey(t, db, "erin", "", time.Time{})
	ok(t, db.CloseAccount(ctx, "erin"))
	testkit.Must(db.EraseAccount(ctx, "erin"))(t)
	testkit.Must(db.Withdraw(ctx, store.Withdrawal{ID: "w-1", Account: "alice", Asset: bnb, Amount: 5}))(t)
	w := store.Withdrawal{ID: "w-2", Account: "alice", Asset: bnb, Amount: 7}
	testkit.Must(db.Withdraw(ctx, w))(t)
	clock.Advance(time.Hour)
	ok(t, refusal(post(t, db, w.Ending(ledger.WithdrawalCompleted)), nil))
	testkit.Must(db.Prices().Set(ctx, []pricing.Price{{Asset: bnb, Day: day1, Price: 600_00000000}}))(t)
	testkit.Must(db.CurrencyRates().Set(ctx, []pricing.Rate{{Currency: "EUR", Day: day1, Rate: 92_000000}}))(t)
	testkit.Must(db.Documents().Publish(ctx, "risk-warning", "Take care.\n"))(t)
	ok(t, db.SetTerms(ctx, staking.Terms{Asset: bnb, From: day1 + 40, Offered: true, APR: 17, Min: 1, Cap: unit}))
	token := newToken(t, access.Operator, "")
	ok(t, db.People().AddToken(ctx, token))
	ok(t, db.People().RevokeToken(ctx, token.ID))
	ok(t, db.People().AddStaff(ctx, "olga@example.com", access.Operator, access.Invitation{Hash: [32]byte{1}}))
	addLogin(t, db, "alice@example.com", "alice")
	addSession(t, db, clock, "alice@example.com", "alice")
	clock.Set(2, "12:00")
	settle(t, db, clock)
	ok(t, db.SetComparisonLimit(ctx, store.ComparisonLimit{Asset: bnb, Amount: store.AnyDifference, Accounts: 0}))
	ok(t, db.SetComparisonSource(ctx, store.ComparisonSource{Endpoint: "https://ledger.example.com"}))
	compareWith(t, db, day1, "alice,BNB,1\n")
	compareWith(t, db, day1, "")
	testkit.Must(db.ResolveBreak(ctx, store.BreakResolution{Number: 2, Asset: bnb, Reason: "known"}))(t)
	clock.Set(3, "12:00")
	off(t, db, "carol")
	ok(t, db.SetPayouts(ctx, true))
	settle(t, db, clock)
	w.ID = "w-3" // what has left on the open day: a transfer, and not the withdrawal that is cancelled
	testkit.Must(db.Withdraw(ctx, w))(t)
	ok(t, refusal(post(t, db, w.Ending(ledger.WithdrawalCancelled), oneMove("t-2", ledger.Transfer, "alice", "carol", 1)),
		nil))
	for n := range ledger.Amount(2) {
		ok(t, db.SetLimit(ctx, staking.Limit{Asset: bnb, MaxTotal: (5 + n) * unit}))
		clock.Advance(time.Hour)
	}
	ok(t, db.As(proposer).SetFourEyes(ctx, true))
	p := propose(t, db, proposer, control.WithdrawFunds)
	clock.Advance(time.Hour)
	testkit.Must(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest()))(t)
	return p.ID
}
