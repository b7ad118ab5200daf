package evidence_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// town is what the records of the tests are about. Its last day is the day before the clock of a test begins.
var town = scenario.Town{Holders: 30, Days: 3, Last: staking.DayOf(testkit.Noon) - 1, Changes: 20, Beside: true}

// books are the books of the town, open until the test ends: on PostgreSQL as their owner, who may change any row.
func books(t *testing.T, kind string, w scenario.Town) (*store.DB, *testkit.Clock) {
	t.Helper()
	url, clock := pgtest.Owner(scenario.NewURL(t, kind, false)), testkit.NewClock(testkit.Noon)
	w.Build(t, url, mathrand.New(mathrand.NewPCG(1, 2)))
	o := store.Options{Clock: clock.Now, Actor: access.Process("test"), Volatile: true, Sealer: scenario.Sealer}
	books := testkit.Must(store.Open(t.Context(), url, o))(t)
	t.Cleanup(func() { ok(t, books.Close()) })
	testkit.Must(books.Protect(t.Context(), func(int64) {}))(t)
	return books, clock
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// live is some days in the town after its last, each settled at 00:05 of the next; after is called at 00:20, and what
// happens on a day happens at noon.
func live(t *testing.T, books *store.DB, clock *testkit.Clock, days int, after func()) {
	t.Helper()
	today := town.Last + 1
	for i := range days {
		happen(t, books, i, today)
		today++
		clock.Forward(today.Start().Add(5 * time.Minute))
		report := testkit.Must(staking.Run(t.Context(), books, clock.Now(), staking.Options{Workers: 1}))(t)
		if len(report.Waiting) > 0 {
			t.Fatal(report.Waiting[0].Asset, report.Waiting[0].Reason)
		}
		clock.Forward(today.Start().Add(20 * time.Minute))
		after()
		clock.Forward(today.Start().Add(12 * time.Hour))
	}
}

// happen is what happens on a day of live: on the first two something of each kind of row.
func happen(t *testing.T, books *store.DB, i int, today staking.Day) {
	t.Helper()
	ctx, alice, bob := t.Context(), town.Holder(1), town.Holder(2)
	post := func(e ledger.Entry) {
		for _, o := range testkit.Must(books.Post(ctx, []ledger.Entry{e}))(t) {
			ok(t, o.Err)
		}
	}
	post(ledger.Entry{ID: fmt.Sprintf("deposit-%d", i), Kind: ledger.Deposit,
		Moves: []ledger.Move{{From: ledger.Custody, To: alice, Asset: "BNB", Amount: 1_00000000}}})
	if i == 1 { // the day before is closed
		joinEvents(t, books, today)
		paid := testkit.Must(reports.New(books.Reader()).Payouts(ctx, 0, 1))(t).Payouts[0]
		testkit.Must(books.AnswerPayouts(ctx, []store.PayoutAnswer{{Payout: paid.ID, Transaction: "tx-1"}}))(t)
	}
	if i > 0 {
		return
	}
	ok(t, books.SetPayouts(ctx, true))
	w := store.Withdrawal{ID: "w-1", Account: alice, Asset: "BNB", Amount: 1_00000000, Address: "0x1", Network: "BSC"}
	testkit.Must(books.Withdraw(ctx, w))(t)
	post(w.Ending(ledger.WithdrawalCompleted))
	testkit.Must(books.PostIncome(ctx, staking.Income{Reference: "e-1", Asset: "BNB", Chain: "bsc", Source: "v-1",
		First: today - 1, Last: today - 1, Gross: 5, Evidence: "0x1"}))(t)
	testkit.Must(books.PostCampaign(ctx, staking.Campaign{ID: "spring", Title: "Spring", Asset: "BNB", Pool: 1000,
		First: today + 1, Last: today + 9, Parts: staking.EqualParts(1000, []string{"SOL"})}))(t)
	testkit.Must(books.EndCampaign(ctx, "spring", today+5))(t)
	post(ledger.Entry{ID: "back", Kind: ledger.Deposit,
		Moves: []ledger.Move{{From: ledger.Custody, To: bob, Asset: besides, Amount: 1}}})
	post(ledger.Entry{ID: "late", Kind: ledger.Withdrawal, At: today.Start().Add(time.Hour), Authoritative: true,
		Moves: []ledger.Move{{From: bob, To: ledger.Custody, Asset: besides, Amount: 1}}})
	testkit.Must(books.Resolve(ctx, "late", "an order that was late"))(t)
	terms := staking.Terms{Asset: "SOL", From: today + 1, Offered: true, APR: 1_000_000, Min: 1, Cap: 100_00000000,
		Measure: staking.Lowest}
	ok(t, books.SetTerms(ctx, terms))
	testkit.Must(books.Prices().Set(ctx, []pricing.Price{{Asset: "BNB", Day: today, Price: 600_00000000}}))(t)
	testkit.Must(books.CurrencyRates().Set(ctx, []pricing.Rate{{Currency: "EUR", Day: today, Rate: 92_000000}}))(t)
	testkit.Must(books.Documents().Publish(ctx, "risk-warning", "Take care.\n"))(t)
	for range 2 { // two equal lines of the log
		ok(t, books.LogRead(ctx, "holder-0003", "balances"))
	}
	testkit.Must(books.Disclose(ctx, "BNB", "It is staked with two validators.\n"))(t)
	testkit.Must(books.AddRegion(ctx, "BR", today, ""))(t)
	testkit.Must(books.RemoveRegion(ctx, "BR"))(t)
	ok(t, books.Leave(ctx, town.Holder(20), staking.Client{}, books.Now()))
	testkit.Must(books.OpenAccount(ctx, "new", "DE"))(t)
	ok(t, books.CloseAccount(ctx, "new"))
	testkit.Must(books.EraseAccount(ctx, "new"))(t)
	_, _, err := books.RemoveLabel(ctx, town.Holder(0), "vip", 0)
	ok(t, err)
	ok(t, books.SetCloseAfter(ctx, staking.Closing{From: today + 5, After: time.Minute}))
	ok(t, books.SetLimit(ctx, staking.Limit{Asset: "SOL", MaxTotal: 1_000_00000000}))
	testkit.Must(books.Freeze(ctx, town.Holder(4), "asked by a court", true))(t)
	testkit.Must(books.SetRegion(ctx, town.Holder(5), "FR"))(t)
	addCredentials(t, books, alice)
	decideProposals(t, books)
}

// joinEvents posts events of another ledger: one of a day that is closed, and one that takes another back.
func joinEvents(t *testing.T, books *store.DB, today staking.Day) {
	t.Helper()
	address := testkit.Must(books.AddSource(t.Context(), store.JoinSource{Name: "shop", Address: "file:/outbox"}))(t)
	batch := store.JoinBatch{Source: "shop", Partition: "p1", Address: address}
	account := string(town.Holder(6))
	before, now := ledger.FormatTime((today - 1).Start()), ledger.FormatTime(books.Now())
	for i, line := range []string{
		`{"id":"e-1","at":"` + before + `","account":"` + account + `","token":"BNB","change":"2"}`,
		`{"id":"e-2","at":"` + now + `","account":"` + account + `","token":"BNB","change":"-1","reverses":"e-1"}`,
	} {
		batch.Events = append(batch.Events, testkit.Must(join.Decode([]byte(line), int64(i+1)))(t))
	}
	if j := testkit.Must(books.Join(t.Context(), batch))(t); j.Done != len(batch.Events) || j.State != store.Running {
		t.Fatalf("%d events are posted: %s", j.Done, j.Reason)
	}
	unknown := `{"id":"e-3","at":"` + now + `","account":"` + account + `","token":"XYZ","change":"1"}`
	batch.Events = []join.Event{testkit.Must(join.Decode([]byte(unknown), 3))(t)}
	testkit.Must(books.Join(t.Context(), batch))(t)
	ok(t, books.SkipEvents(t.Context(), store.PartitionSkip{Source: "shop", Name: "p1", Event: "e-3", Reason: "not kept"}))
	ok(t, books.CloseWithout(t.Context(), store.DayWithout{Day: today - 1, Reason: "the source was away"}))
	ok(t, books.RetirePartition(t.Context(), store.PartitionEnd{Source: "shop", Name: "p1", Reason: "the trial is over"}))
}

// decideProposals turns four eyes on and off: what it proposes is approved, rejected, or open.
func decideProposals(t *testing.T, books *store.DB) {
	t.Helper()
	ctx := t.Context()
	olga := books.As(access.Actor{Role: access.Operator, Credential: "operator olga", Person: "olga"})
	bob := books.As(access.Actor{Role: access.Approver, Credential: "token BBBBBBBBBBBB", Person: "bob"})
	propose := func(err error) control.Proposal {
		t.Helper()
		needed, is := errors.AsType[*control.Needed](err)
		if !is {
			t.Fatalf("it needs approval: %v", err)
		}
		return testkit.Must(olga.Propose(ctx, needed.Draft, "as agreed"))(t)
	}
	ok(t, olga.SetWithdrawalFactor(ctx, true))
	ok(t, olga.SetAccountLimit(ctx, store.AccountLimit{Asset: "SOL", Amount: 1_000}))
	addComparison(t, olga)
	ok(t, olga.SetFourEyes(ctx, true))
	propose(olga.SetLimit(ctx, staking.Limit{Asset: "TON", MaxTotal: 1_000}))
	rejected := propose(olga.SetLimit(ctx, staking.Limit{Asset: "TON", MaxTotal: 2_000}))
	testkit.Must(bob.RejectProposal(ctx, rejected.ID, "a typing error"))(t)
	off := propose(olga.SetFourEyes(ctx, false))
	testkit.Must(bob.ApproveProposal(ctx, off.ID, off.EffectDigest()))(t)
}

// addComparison adds a reconciliation that stops a token, and resolves it.
func addComparison(t *testing.T, books *store.DB) {
	t.Helper()
	ctx := t.Context()
	ok(t, books.SetComparisonSource(ctx, store.ComparisonSource{Endpoint: "https://ledger.example.com/balances"}))
	ok(t, books.SetComparisonLimit(ctx, store.ComparisonLimit{Asset: besides, Amount: 4, Accounts: store.AnyDifference}))
	d := reconcile.Difference{Account: "holder-0001", Asset: testkit.Must(books.Asset(ctx, besides))(t), Theirs: 5}
	token := reconcile.Token{Asset: d.Asset, Differences: 1, Off: 5}
	token.Theirs.Root[0] = 1
	c := testkit.Must(books.AddComparison(ctx, store.Comparison{Day: staking.DayOf(books.Now()) - 1, At: books.Now(),
		Source: store.FromFile, Tokens: []store.ComparedToken{{Kind: reconcile.Balances, Token: token}},
		Differences: []store.ComparedDifference{{Kind: reconcile.Balances, Difference: d}}}))(t)
	testkit.Must(books.ResolveBreak(ctx, store.BreakResolution{Number: c.Number, Asset: besides, Reason: "known"}))(t)
	// No day waits here: it is written as ReleaseDay does, which the tests of store try.
	ok(t, books.Engine().Write(ctx, func(v db.Tx) error {
		_, err := v.Exec("INSERT INTO comparison_releases (asset, day, released_at, released_by, reason) "+
			"VALUES ($1, $2, $3, 'operator olga', 'known')", besides, int64(c.Day), books.Now().UnixMilli())
		if err == nil {
			_, err = v.Exec("INSERT INTO log (bucket, at, actor, role, request, action, subject, detail, number) "+
				"SELECT bucket, at, actor, role, request, 'reconcile release', subject, $1, number FROM log "+
				"WHERE action = 'reconcile resolve'", c.Day.String()+" is paid: known")
		}
		return err
	}))
}

// besides is a token that nobody holds at first.
const besides = "TON"

// addCredentials adds a key and a token, and revokes them, and adds others of them that stay.
func addCredentials(t *testing.T, books *store.DB, id ledger.Account) {
	t.Helper()
	ctx, now := t.Context(), books.Now()
	for _, name := range []string{"A", "B"} {
		key := access.Key{Key: strings.Repeat(name, 64), Account: id, Type: access.HMAC, Label: "phone",
			Permissions: []access.Permission{access.Read}, Secret: []byte("sealed"), Created: now, Expires: now.AddDate(1, 0, 0)}
		ok(t, books.People().AddKey(ctx, key))
		token := access.Token{ID: strings.Repeat(name, 12), Role: access.Exchange, Parts: access.AllParts, Hash: [32]byte{1},
			Created: now, Expires: now.AddDate(1, 0, 0)}
		ok(t, books.People().AddToken(ctx, token))
	}
	ok(t, books.People().AddLogin(ctx, people.Login{Email: "alice@example.com", Account: id, Password: testkit.Must(
		access.HashPassword(strings.NewReader(strings.Repeat("salt", 9)), "correct horse battery"))(t)}))
	ok(t, books.People().AddStaff(ctx, "olga@example.com", access.Operator, access.Invitation{Hash: [32]byte{1}}))
	for _, address := range []string{"0x1", "0x2"} {
		a := testkit.Must(books.People().LoadWithdrawalAddress(ctx, people.WithdrawalAddress{Account: id, Asset: "BNB",
			Address: address}))(t)
		if address == "0x2" {
			ok(t, books.People().RemoveWithdrawalAddress(ctx, id, a.ID))
		}
	}
	ok(t, books.People().RevokeKey(ctx, strings.Repeat("A", 64)))
	ok(t, books.People().RevokeToken(ctx, strings.Repeat("A", 12)))
	sealed := access.Token{ID: strings.Repeat("C", 12), Role: access.Admin, Person: access.BreakGlassPerson,
		Hash: [32]byte{1}, Expires: now.AddDate(1, 0, 0), Lasts: time.Hour}
	ok(t, books.People().AddToken(ctx, sealed))
	testkit.Must(books.People().OpenToken(ctx, sealed.ID))(t)
}

func makeAll(t *testing.T, books *store.DB) {
	t.Helper()
	testkit.Must(books.Evidence().Make(t.Context()))(t)
}

// randomHash are the lines of what is salted, or has a login's reference, which is random.
var randomHash = regexp.MustCompile(`(?m)^(liabilities \S+ \d+|rows log/2 \d+) .*$`)

// TestRecordsAreTheSame: on both databases, and whether they are made each day or all at the end; nothing that comes
// later changes the record of a day.
func TestRecordsAreTheSame(t *testing.T) {
	var want []string
	for _, kind := range scenario.Databases {
		for _, daily := range []bool{true, false} {
			t.Run(fmt.Sprint(kind, " daily ", daily), func(t *testing.T) {
				books, clock := books(t, kind, town)
				made := int64(0)
				live(t, books, clock, 4, func() {
					if daily {
						made += testkit.Must(books.Evidence().Make(t.Context()))(t)
					}
				})
				made += testkit.Must(books.Evidence().Make(t.Context()))(t)
				if made != 7 || testkit.Must(books.Evidence().Make(t.Context()))(t) != 0 {
					t.Errorf("%d records were made of 7 days, or some again", made)
				}
				got := testkit.Must(books.Evidence().All(t.Context()))(t)
				for i := range got {
					got[i] = randomHash.ReplaceAllString(got[i], "$1")
				}
				if want == nil {
					want = got
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("records (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestEveryTableIsRecorded reads the schema: who adds a table or a column says of which record its rows are a part, or
// why they are not recorded.
func TestEveryTableIsRecorded(t *testing.T) {
	books, _ := books(t, "sqlite", scenario.Town{Holders: 2, Days: 1, Last: town.Last})
	recorded, seen := evidence.Recorded(), map[string]bool{"bucket": true}
	ok(t, books.Engine().Read(t.Context(), func(v db.View) error {
		return v.Query(func(r db.Row) error {
			table, column := r.Text(0), r.Text(0)+"."+r.Text(1)
			seen[table], seen[column] = true, true
			_, without := evidence.Unrecorded[table]
			_, columnWithout := evidence.Unrecorded[column]
			switch is := recorded[column] || r.Text(1) == "bucket" && recorded[table]; {
			case is && (without || columnWithout):
				t.Errorf("%s is recorded, and on the list of what is not", column)
			case !is && !without && !columnWithout:
				t.Errorf("%s is in no record; say in part.go of which it is a part, or why it is in none", column)
			}
			return nil
		}, "SELECT s.name, c.name FROM sqlite_schema s JOIN pragma_table_info(s.name) c WHERE s.type = 'table' ORDER BY 1, 2")
	}))
	for name := range evidence.Unrecorded {
		if !seen[name] {
			t.Errorf("%s is on the list of what is not recorded, and there is no such table or column", name)
		}
	}
}

// newSigner is a signer with a key of its own.
func newSigner(t *testing.T) evidence.Signer {
	t.Helper()
	private, public, err := evidence.NewKey(rand.Reader, "books.example.com/softstake")
	ok(t, err)
	s, same, err := evidence.KeySigner(private)
	ok(t, err)
	if public != same {
		t.Fatalf("the public key is %s, and then %s", public, same)
	}
	return s
}

func sign(t *testing.T, books *store.DB, s evidence.Signer) evidence.Checkpoint {
	t.Helper()
	c, _, err := books.Evidence().Sign(t.Context(), s)
	ok(t, err)
	return c
}

func check(t *testing.T, books *store.DB, s evidence.Signer, notes ...string) evidence.Checked {
	t.Helper()
	return testkit.Must(books.Evidence().Check(t.Context(), notes, []note.Verifier{s.Verifier}, nil))(t)
}

// TestEachChangedRowIsFound changes by SQL, one after the other, rows of closed days, each of another kind.
func TestEachChangedRowIsFound(t *testing.T) {
	for _, kind := range scenario.Databases {
		t.Run(kind, func(t *testing.T) {
			books, clock := books(t, kind, town)
			signer, notes := newSigner(t), []string(nil)
			live(t, books, clock, 3, func() {
				makeAll(t, books)
				notes = append(notes, sign(t, books, signer).Note)
			})
			c := check(t, books, signer, notes...)
			if len(c.Findings) > 0 || c.Records != 6 || c.Checkpoints != 3 || c.Covered != town.Last+3 {
				t.Fatalf("before a change: %+v", c)
			}
			checkOwed(t, books)
			found, together := map[string]bool{}, 18 // each has a kind of its own
			if kind == "sqlite" && scenario.Long() {
				together = 1
			}
			for changes := range slices.Chunk(tampering, together) {
				for _, x := range changes {
					exec(t, books, x.sql)
				}
				before := maps.Clone(found)
				for _, f := range check(t, books, signer, notes...).Findings {
					found[f.Kind] = true
				}
				for _, x := range changes {
					if before[x.kind] || !found[x.kind] {
						t.Errorf("not found, or before it was there: %s", x.sql)
					}
				}
			}
			checkAudited(t, books)
		})
	}
}

// checkAudited changes by SQL rows that are in no record, or in none yet, and the audit finds each.
func checkAudited(t *testing.T, books *store.DB) {
	t.Helper()
	testkit.Must(books.People().SetDepositAddress(t.Context(), people.DepositAddress{Account: town.Holder(1), Asset: "BNB",
		Network: "BSC", Address: "0x1"}))(t)
	for _, n := range []int{21, 23} {
		testkit.Must(books.SweepAccount(t.Context(), town.Holder(n), town.Holder(22)))(t)
	}
	look := func() map[string]bool {
		found := map[string]bool{}
		testkit.Must(books.Guard().Examine(t.Context(), books.Engine().Read, func(f integrity.Forged) {
			found[f.Table] = true
		}))(t)
		ok(t, reports.AuditOf(books.Reader()).Contradictions(t.Context(), func(f audit.Finding) {
			found[f.Rule], found[f.What] = true, true
		}))
		return found
	}
	before := look()
	for _, x := range audited {
		exec(t, books, x.sql)
	}
	after := look()
	for _, x := range audited {
		if before[x.by] || !after[x.by] {
			t.Errorf("not found, or before it was there: %s", x.sql)
		}
	}
}

// exec changes one row by SQL.
func exec(t *testing.T, books *store.DB, sql string) {
	t.Helper()
	ok(t, books.Engine().Write(t.Context(), func(tx db.Tx) error {
		n, err := tx.Exec(sql)
		if err == nil && n != 1 {
			err = fmt.Errorf("%s changed %d rows", sql, n)
		}
		return err
	}))
}

// audited are changes of rows that are in no record, and by what the audit finds each: the table of the MAC, the rule,
// or what it says.
var audited = []struct{ by, sql string }{
	{"deposit_addresses", `UPDATE deposit_addresses SET address = '0xthief' WHERE account = 'holder-0001'`},
	{"sweeps", `UPDATE sweeps SET target = 'holder-0003' WHERE account = 'holder-0021'`},
	{"closed account without its sweep", `DELETE FROM sweeps WHERE account = 'holder-0023'`},
	{"limits without their line of the log", `INSERT INTO limits (asset, number, set_at, set_by, proposal, reason, max_total, max_change, max_withdrawal, max_apr, max_inflow) SELECT asset, number + 1, 0, set_by, proposal, reason, 0, 0, 0, 0, 0 FROM limits WHERE asset = 'SOL'`},
	{"1 rows of the kind terms are later than now", `UPDATE terms SET set_at = 7258118400000 WHERE asset = 'SOL' AND apr = 1000001`},
	{"1 rows of the kind switch_events are later than now", `INSERT INTO switch_events (bucket, account, at, action) SELECT bucket, account, 9223372036854775807, 'off' FROM accounts WHERE account = 'holder-0003'`},
	{"1 rows of the kind row_versions are later than now", `INSERT INTO row_versions (bucket, kind, name, number, at, content) SELECT bucket, kind, name, number + 1, 9223372036854775807, 'value="off"' FROM row_versions WHERE kind = 'four_eyes' AND number = (SELECT max(number) FROM row_versions WHERE kind = 'four_eyes')`},
	{"1 rows of the kind log/2 are later than now", `UPDATE log SET at = 7258118400000 WHERE action = 'login add'`},
	{"1 rows of the kind prices are later than now", `UPDATE prices SET set_at = 7258118400000`},
	{"1 rows of the kind tokens are later than now", `UPDATE tokens SET created = 7258118400000 WHERE id = 'BBBBBBBBBBBB'`},
}

// TestEveryKindIsTampered: no kind of row is left out of tampering.
func TestEveryKindIsTampered(t *testing.T) {
	replaced := []string{"assets", "four_eyes", "withdrawal_factor", "payouts", "account_states", "account_logins",
		"staff_states"}
	for _, kind := range append(evidence.Kinds(), replaced...) {
		if !slices.ContainsFunc(tampering, func(x struct{ kind, sql string }) bool { return x.kind == kind }) {
			t.Errorf("nobody changes rows of the kind %s", kind)
		}
	}
}

// some is the condition of the first of a table's rows.
func some(table, key, where string) string {
	return fmt.Sprintf(" WHERE %s = (SELECT %s FROM %s WHERE %s ORDER BY 1 LIMIT 1)", key, key, table, where)
}

// tampering is one change of a row of each kind: of figures, names and times, and rows that are removed or added.
var tampering = []struct{ kind, sql string }{
	{"postings", `UPDATE postings SET amount = amount + 1 WHERE entry = 'deposit-0' AND side = 1`},
	{"entries/2", `UPDATE entries SET credential = 'somebody' WHERE entry = 'deposit-0'`},
	{"incomes", `UPDATE incomes SET evidence = '0x2' WHERE reference = 'e-1'`},
	{"campaigns", `UPDATE campaigns SET title = 'Autumn' WHERE campaign = 'other'`},
	{"campaign_parts", `UPDATE campaign_parts SET amount = amount - 1 WHERE campaign = 'other' AND number = 0`},
	{"campaign_multipliers", `DELETE FROM campaign_multipliers WHERE campaign = 'other' AND number = 0`},
	{"campaign_ends", `DELETE FROM campaign_ends`},
	{"withdrawals", `UPDATE withdrawals SET address = '0x2'`},
	{"endings", `UPDATE endings SET kind = 'withdrawal-cancelled'`},
	{"reconciliations", `UPDATE reconciliations SET lowest = lowest + 1`},
	{"resolutions", `UPDATE reconciliations SET reason = 'none'`},
	{"closings", `UPDATE closings SET closed_at = closed_at + 1` + some("closings", "day", "true")},
	{"accruals", `UPDATE accruals SET reward = reward + 1 WHERE account = 'holder-0003' AND asset = 'BNB' AND day = (SELECT min(day) FROM accruals WHERE account = 'holder-0003')`},
	{"batches", `DELETE FROM batches WHERE asset = 'SOL' AND day = (SELECT min(day) FROM batches) AND bucket = (SELECT min(bucket) FROM batches WHERE asset = 'SOL' AND day = (SELECT min(day) FROM batches))`},
	{"payments", `UPDATE payments SET total = total + 1 WHERE asset = 'BNB' AND day = (SELECT min(day) FROM payments) AND bucket = (SELECT min(bucket) FROM payments WHERE asset = 'BNB' AND day = (SELECT min(day) FROM payments))`},
	{"owner_sums", `UPDATE owner_sums SET integral = '1' WHERE owner = 'owner-1' AND day = (SELECT min(day) FROM owner_sums)`},
	{"campaign_eligible", `UPDATE campaign_eligible SET eligible = eligible + 1 WHERE account = 'holder-0003' AND day = (SELECT min(day) FROM campaign_eligible WHERE account = 'holder-0003')`},
	{"campaign_owner_sums", `DELETE FROM campaign_owner_sums WHERE owner = 'owner-1' AND day = (SELECT min(day) FROM campaign_owner_sums)`},
	{"campaign_weights", `UPDATE campaign_weights SET weight = '1' WHERE campaign = 'other' AND asset = 'BNB' AND bucket = (SELECT min(bucket) FROM campaign_weights) AND day = (SELECT min(day) FROM campaign_weights)`},
	{"campaign_shares", `UPDATE campaign_shares SET units = units + 1 WHERE campaign = 'other' AND token = 'BNB' AND bucket = (SELECT min(bucket) FROM campaign_shares WHERE token = 'BNB' AND campaign = 'other') AND day = (SELECT min(day) FROM campaign_shares WHERE token = 'BNB' AND campaign = 'other')`},
	{"declarations", `UPDATE declarations SET total = total + 1 WHERE asset = 'BNB' AND day = (SELECT min(day) FROM declarations)`},
	{"groupings", `DELETE FROM groupings WHERE day = (SELECT min(day) FROM groupings)`},
	{"campaign_totals", `UPDATE campaign_totals SET weight = '1' WHERE campaign = 'other' AND asset = 'BNB' AND day = (SELECT min(day) FROM campaign_totals)`},
	{"campaign_distributions", `UPDATE campaign_distributions SET paid_units = 1 WHERE campaign = 'other' AND token = 'BNB' AND day = (SELECT min(day) FROM campaign_distributions)`},
	{"approvals", `INSERT INTO approvals (day, asset, approved_at, approved_by) SELECT min(day), 'BNB', 0, 'somebody' FROM declarations`},
	{"settled", `UPDATE settled SET settled_at = settled_at + 1 WHERE asset = 'BNB' AND day = (SELECT min(day) FROM settled)`},
	{"prices", `UPDATE prices SET price = price + 1`},
	{"rates", `UPDATE rates SET rate = rate + 1`},
	{"terms", `UPDATE terms SET apr = apr + 1 WHERE asset = 'SOL' AND apr = 1000000`},
	{"close_after", `DELETE FROM close_after WHERE millis = 60000`},
	{"documents", `UPDATE documents SET content = 'No risk.' WHERE content LIKE 'Take care%'`},
	{"disclosures", `UPDATE disclosures SET published = published + 1`},
	{"listings", `UPDATE listings SET from_day = from_day - 1 WHERE code = 'BR'`},
	{"listings_removed", `UPDATE listings SET removed = 0 WHERE code = 'BR'`},
	{"accounts", `UPDATE accounts SET opened = opened + 86400000 WHERE account = 'holder-0003'`},
	{"accounts_closed", `UPDATE accounts SET closed = 0 WHERE account = 'new'`},
	{"accounts_ended", `UPDATE accounts SET ended = ended - 1 WHERE account = 'new'`},
	{"accounts_erased", `UPDATE accounts SET erased = 0 WHERE account = 'new'`},
	{"owners", `UPDATE owners SET owner = 'owner-9' WHERE account = 'holder-0003'`},
	{"labels", `INSERT INTO labels (bucket, account, label, from_day, until_day, set_at, set_by) SELECT bucket, account, 'vip', min(day), 100000, 0, '' FROM accruals WHERE account = 'holder-0003' GROUP BY bucket, account`},
	{"labels_ended", `UPDATE labels SET until_day = until_day + 5 WHERE account = 'holder-0000' AND label = 'vip'`},
	{"exclusions", `INSERT INTO exclusions (bucket, account, asset, product, from_day, until_day, set_at, set_by) SELECT bucket, account, 'SOL', 'Locked', from_day, 100000, 0, '' FROM exclusions WHERE account = 'holder-0014'`},
	{"exclusions_ended", `UPDATE exclusions SET until_day = until_day + 1 WHERE account = 'holder-0007'`},
	{"enrollments", `DELETE FROM enrollments WHERE account = 'holder-0003'`},
	{"enrollments_ended", `UPDATE enrollments SET until_day = 2147483647 WHERE account = 'holder-0020'`},
	{"acceptances/3", `INSERT INTO acceptances (bucket, account, document, version, accepted_at, recorded_at) SELECT bucket, account, 'risk-warning', 9, opened, opened FROM accounts WHERE account = 'new'`},
	{"join_references", `UPDATE join_references SET refers = 'join/shop/e-9'`},
	{"join_late", `UPDATE join_late SET amount = amount - 1`},
	{"join_closings/2", `DELETE FROM join_closings`},
	{"join_sources", `UPDATE join_sources SET name = 'thief'`},
	{"join_addresses", `UPDATE join_addresses SET address = 'file:another'`},
	{"join_skips", `UPDATE join_skips SET event = 'another'`},
	{"payout_batches", `UPDATE payout_batches SET total = total + 1 WHERE first = 1`},
	{"payout_answers", `UPDATE payout_answers SET reference = 'tx-9'`},
	{"payouts", `UPDATE meta SET value = 'off' WHERE name = 'payouts'`},
	{"switch_events", `DELETE FROM switch_events WHERE account = 'holder-0020'`},
	{"keys", `UPDATE keys SET permissions = 'read,trade,withdraw' WHERE revoked = 0`},
	{"withdrawal_addresses", `UPDATE withdrawal_addresses SET address = '0xthief' WHERE removed = 0`},
	{"account_limits", `UPDATE account_limits SET amount = 0 WHERE asset = 'SOL'`},
	{"withdrawal_addresses_removed", `UPDATE withdrawal_addresses SET removed = 0 WHERE removed > 0`},
	{"keys_revoked", `UPDATE keys SET revoked = 0 WHERE revoked > 0`},
	{"tokens", `UPDATE tokens SET role = 'operator' WHERE revoked = 0 AND lasts = 0`},
	{"tokens_opened", `UPDATE tokens SET opened = 0 WHERE opened > 0`},
	{"tokens_revoked", `UPDATE tokens SET revoked = 0 WHERE revoked > 0`},
	{"staff_states", `UPDATE staff SET role = 'admin'`},
	{"staff", `UPDATE staff SET email = 'mallory@example.com'`},
	{"security_events", `INSERT INTO security_events (bucket, account, at, nonce, action) SELECT bucket, account, opened, '1', 'log-in' FROM accounts WHERE account = 'new'`},
	{"proposals", `UPDATE proposals SET content = replace(content, '1000', '9000') WHERE decision = ''`},
	{"proposals_decided", `UPDATE proposals SET decided_by_person = 'carol' WHERE decision = 'rejected'`},
	{"log/2", `UPDATE log SET detail = 'login FORGED' WHERE action = 'login add' AND subject = 'holder-0001'`},
	{"assets", `UPDATE assets SET scale = 6 WHERE symbol = 'TON'`},
	{"limits", `UPDATE limits SET max_total = 0 WHERE asset = 'SOL'`},
	{"comparisons", `UPDATE comparisons SET source = 'endpoint'`},
	{"comparison_tokens", `UPDATE comparison_tokens SET off = 4, stops = 0`},
	{"comparison_differences", `UPDATE comparison_differences SET theirs = 4`},
	{"comparison_limits", `UPDATE comparison_limits SET accounts = 100`},
	{"comparison_resolutions", `UPDATE comparison_resolutions SET reason = 'forged'`},
	{"comparison_releases", `UPDATE comparison_releases SET reason = 'forged'`},
	{"comparison_limits", `UPDATE comparison_limits SET waits = 1`},
	{"comparison_sources", `UPDATE comparison_sources SET topic = 'kafka://forged.example.com/x'`},
	{"comparison_sources", `UPDATE comparison_sources SET endpoint = 'https://forged.example.com'`},
	{"four_eyes", `UPDATE meta SET value = 'on' WHERE name = 'four_eyes'`},
	{"withdrawal_factor", `UPDATE meta SET value = 'off' WHERE name = 'withdrawal_factor'`},
	{"account_states", `UPDATE accounts SET frozen = 0, frozen_reason = '' WHERE account = 'holder-0004'`},
	{"account_logins", `UPDATE logins SET account = 'holder-0003' WHERE email = 'alice@example.com'`},
	{"row_versions", `UPDATE row_versions SET content = 'region="CH"' WHERE name = 'holder-0005' AND number = 2`},
	{"shares", `INSERT INTO shares (bucket, day, asset, first_day, last_day, units, part) SELECT 7, min(day), 'BNB', 1, 1, 1, 0 FROM declarations`},
	{"distributions", `INSERT INTO distributions (asset, day, first_day, last_day, gross, net, before_units, before_part, weight, paid_units, paid_part) SELECT 'BNB', min(day), 1, 1, 1, 1, 0, 0, '1', 1, 0 FROM declarations`},
}

// TestRecordsThatWereChanged: who changes the record as well as the rows is found by the checkpoint that is kept
// elsewhere, and cannot be signed for.
func TestRecordsThatWereChanged(t *testing.T) {
	books, clock := books(t, "sqlite", town)
	signer, notes := newSigner(t), []string(nil)
	live(t, books, clock, 3, func() {
		makeAll(t, books)
		notes = append(notes, sign(t, books, signer).Note)
	})
	exec := func(sql string) {
		t.Helper()
		ok(t, books.Engine().Write(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(sql)
			return err
		}))
	}
	exec("UPDATE withdrawals SET address = '0x2'")
	exec("DELETE FROM records WHERE day >= (SELECT max(day) - 2 FROM records)")
	exec("DELETE FROM liabilities WHERE day >= (SELECT max(day) - 2 FROM liabilities)")
	exec("DELETE FROM record_groups WHERE day >= (SELECT max(day) - 2 FROM record_groups)")
	makeAll(t, books)
	c := check(t, books, signer, notes...)
	if len(c.Findings) != 1 || c.Findings[0].Day != town.Last+1 || c.Covered >= town.First() {
		t.Fatalf("records that were made again: %+v", c)
	}
	clock.Forward(clock.Now().Add(24 * time.Hour))
	if _, _, err := books.Evidence().Sign(t.Context(), signer); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("records that were changed are signed: %v", err)
	}
	// Whoever removes the checkpoints in the database too is still found by those that are kept elsewhere.
	exec("DELETE FROM checkpoints")
	other := sign(t, books, signer)
	if c := check(t, books, signer, append(notes, other.Note)...); len(c.Findings) == 0 || !strings.Contains(
		fmt.Sprint(c.Findings), "contradict") {
		t.Errorf("two checkpoints of one size: %+v", c.Findings)
	}
	exec("DELETE FROM records WHERE day = (SELECT max(day) FROM records)")
	if c := check(t, books, signer, notes[2]); len(c.Findings) != 1 || !strings.Contains(c.Findings[0].What, "behind") {
		t.Errorf("books that are behind: %+v", c.Findings)
	}
	if _, err := books.Evidence().Check(t.Context(), notes, []note.Verifier{newSigner(t).Verifier}, nil); !errors.Is(err,
		ledger.ErrInvalid) {
		t.Errorf("a checkpoint of another key: %v", err)
	}
}
