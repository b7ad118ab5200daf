package store_test

import (
	"context"
	"fmt"
	"math/big"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/imports"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// auditBooks are books of six settled days and an open one, with every kind of entry.
type auditBooks struct {
	*testing.T
	*store.DB
	clock *testkit.Clock
	hand  hand
}

func (b auditBooks) post(day int, hour, id string, kind ledger.Kind, moves ...ledger.Move) {
	b.Helper()
	b.clock.Set(day, hour)
	_, err := b.PostAll(b.Context(), []ledger.Entry{{ID: id, Kind: kind, At: testkit.Moment(day, hour), Moves: moves}})
	ok(b.T, err)
}

func (b auditBooks) settle(day int) staking.Report {
	b.Helper()
	b.clock.Set(day, "00:10")
	report, err := staking.Run(b.Context(), b.DB, b.clock.Now(), staking.Options{Workers: 2})
	ok(b.T, err)
	return report
}

func (b auditBooks) enroll(ids ...ledger.Account) {
	b.Helper()
	for _, id := range ids {
		for _, name := range staking.DocumentNames {
			ok(b.T, b.Documents().Accept(b.Context(), id, name, 0, staking.Client{}))
		}
		testkit.Must(b.Enroll(b.Context(), id, staking.Client{}, time.Time{}))(b.T)
	}
}

const bnb, sol, ton = "BNB", "SOL", "TON"

func coins(n int64) ledger.Amount { return ledger.Amount(n) * 10_000_000 } // tenths of a coin

// play posts and settles the story.
func (b auditBooks) play() {
	move := func(from, to ledger.Account, asset string, tenths int64) ledger.Move {
		return ledger.Move{From: from, To: to, Asset: asset, Amount: coins(tenths)}
	}
	for _, id := range []ledger.Account{"alice", "bob", "carol", "dave", "erin"} {
		testkit.Must(b.OpenAccount(b.Context(), id, "DE"))(b.T)
	}
	for _, asset := range []string{bnb, sol} {
		testkit.Must(b.Fund(b.Context(), "first-"+asset, asset, coins(1000), false))(b.T)
	}
	b.post(1, "12:30", "d1", ledger.Deposit, move(ledger.Custody, "alice", bnb, 20),
		move(ledger.Custody, "alice", sol, 70))
	b.post(1, "12:31", "d2", ledger.Deposit, move(ledger.Custody, "bob", bnb, 33))
	b.post(1, "12:32", "d3", ledger.Deposit, move(ledger.Custody, "carol", "ADA", 2000))
	b.post(1, "12:33", "d4", ledger.Deposit, move(ledger.Custody, "dave", bnb, 50))
	b.post(1, "12:34", "d5", ledger.Deposit, move(ledger.Custody, "erin", ton, 90))
	b.enroll("alice", "bob", "carol")
	b.settle(2)
	b.post(2, "08:00", "h1", ledger.Hold, move("alice", "alice/held", bnb, 7))
	b.post(2, "20:15", "t1", ledger.Transfer, move("dave", "carol", bnb, 11))
	b.settle(3)
	b.post(3, "10:00", "r1", ledger.Release, move("alice/held", "alice", bnb, 7))
	b.post(3, "11:00", "x1", ledger.Trade, move("alice", "bob", sol, 20), move("bob", "alice", bnb, 3))
	b.clock.Set(3, "12:00")
	ok(b.T, b.Leave(b.Context(), "bob", staking.Client{}, time.Time{}))
	b.settle(4)
	b.post(4, "00:10", "x2", ledger.Trade, move("alice", ledger.Desk, sol, 5), move(ledger.Desk, "alice", bnb, 1))
	b.post(4, "06:00", "w1", ledger.Withdrawal, move("carol", ledger.Custody, bnb, 4))
	b.clock.Set(4, "07:00")
	testkit.Must(b.Withdraw(b.Context(), store.Withdrawal{
		ID: "w2", Account: "erin", Asset: ton, Amount: coins(40), Address: "UQ-1", Network: "TON", Tag: "7", ClientID: "mine",
		At: testkit.Moment(4, "07:00"),
	}))(b.T)
	b.enroll("bob")
	report := b.settle(5)
	if len(report.Waiting) != 1 || report.Waiting[0].Asset != "ADA" {
		b.Fatalf("%v waits; the test wants ADA to wait for funds", report.Waiting)
	}
	// At midnight sharp, which counts for the whole day and for its opening.
	midnight := testkit.Moment(5, "00:00")
	_, err := b.PostAll(b.Context(), []ledger.Entry{{ID: "m1", Kind: ledger.Deposit, At: midnight,
		Moves: []ledger.Move{move(ledger.Custody, "alice", bnb, 10)}}})
	ok(b.T, err)
	b.post(5, "17:00", "w2/completed", ledger.WithdrawalCompleted, move("erin/held", ledger.Custody, ton, 40))
	b.post(5, "18:00", "m2", ledger.Adjustment, move("alice", ledger.Custody, bnb, 2))
	b.settle(6)
	b.settle(7)
	b.post(7, "09:00", "today", ledger.Deposit, move(ledger.Custody, "alice", bnb, 5))
}

func TestAudit(t *testing.T) {
	eachSetup(t, shipped(t, day1), func(t *testing.T, url string, clock *testkit.Clock) {
		b := auditBooks{t, opened(t, url, clock), clock, handOf(t, url)}
		b.play()
		b.hand.keep(t)
		for _, part := range []struct {
			name string
			test func(*testing.T, auditBooks)
		}{
			{"finds nothing in good books", findsNothingInGoodBooks},
			{"finds what was changed by hand", findsWhatWasChangedByHand},
			{"of a day", ofADay},
			{"of books in use", ofBooksInUse},
		} {
			t.Run(part.name, func(t *testing.T) { part.test(t, b) })
		}
	})
}

func auditOf(t testing.TB, db *store.DB, o audit.Options) audit.Report {
	t.Helper()
	o.Workers = 2
	r, err := audit.Run(t.Context(), reports.AuditOf(db.Reader()), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wantClean(t testing.TB, r audit.Report) {
	t.Helper()
	if r.Total != 0 {
		t.Errorf("%d findings in good books", r.Total)
	}
	for _, f := range r.Findings {
		t.Log(f)
	}
}

// audited reports what the audit finds in good books. Those of PostgreSQL are audited so in the long tests alone: an
// audit asks thousands of questions, the same on every database. TestAudit and the scenarios do it on both.
func audited(t *testing.T, db *store.DB) {
	t.Helper()
	if repetition(t) {
		return
	}
	wantClean(t, auditOf(t, db, audit.Options{}))
}

func findsNothingInGoodBooks(t *testing.T, b auditBooks) {
	done := 0
	var mu sync.Mutex
	r := auditOf(t, b.DB, audit.Options{Progress: func(n, of int) {
		mu.Lock()
		defer mu.Unlock()
		done = max(done, n*100/of)
	}})
	wantClean(t, r)
	type figures struct {
		Through            staking.Day
		Accounts, Postings int64
		Done               int
	}
	same(t, "the audit", figures{r.Through, r.Accounts, r.Postings, done}, figures{day1 + 5, 5, 2 * 21, 100})
	if r.Accruals == 0 || len(r.Tokens) != 10 {
		t.Fatalf("%d accruals, and the sums of %d tokens", r.Accruals, len(r.Tokens))
	}
	sum, total := r.Tokens[3], new(big.Int)
	if sum.Asset.Symbol != bnb || sum.Holders.Sign() <= 0 || total.Add(sum.Holders, sum.House).Sign() != 0 {
		t.Errorf("the sums of BNB are %v", sum)
	}
	read := map[staking.Day]int64{day1: 0, day1 + 2: 3}
	for d := day1; d <= r.Through; d++ {
		one := auditOf(t, b.DB, audit.Options{Day: &d})
		wantClean(t, one)
		if want, known := read[d]; known && one.Accruals != want {
			t.Errorf("the audit of %s read %d accruals", d, one.Accruals)
		}
	}
	open := day1 + 6
	if _, err := audit.Run(t.Context(), reports.AuditOf(b.DB.Reader()), audit.Options{Day: &open}); err == nil {
		t.Error("a day that is not closed was audited")
	}
}

// A day's audit finds what is wrong on that day, and not what is on others.
func ofADay(t *testing.T, b auditBooks) {
	sql := fmt.Sprintf("UPDATE accruals SET reward = reward + 1 WHERE day = %d AND account = 'alice' AND asset = 'BNB'",
		day1+3)
	b.hand(t, sql)
	defer b.hand.restore(t, sql)
	for d := day1 + 2; d < day1+5; d++ {
		r := auditOf(t, b.DB, audit.Options{Day: &d})
		if d != day1+3 {
			wantClean(t, r)
		} else if r.Total != 3 || r.Findings[0].Account != "alice" || r.Findings[0].Day != d {
			t.Errorf("%d findings: %v", r.Total, r.Findings)
		}
	}
}

// While it is audited, entries are posted and days are settled: nothing is found.
func ofBooksInUse(t *testing.T, b auditBooks) {
	var work sync.WaitGroup
	stop := make(chan struct{})
	work.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := b.work(n); err != nil {
				t.Error(err)
				return
			}
		}
	})
	var through staking.Day
	for n := 0; n < 4 || through <= day1+5 && n < 100; n++ {
		r := auditOf(t, b.DB, audit.Options{})
		wantClean(t, r)
		through = r.Through
	}
	close(stop)
	work.Wait()
	if through <= day1+5 {
		t.Errorf("the last audit was through %s; no day was settled while it ran", through)
	}
}

// work posts two entries on Day 7 or later, and settles the day after ten times.
func (b auditBooks) work(n int) error {
	day := 7 + n/10
	at := testkit.Moment(day, "12:00").Add(time.Duration(n) * time.Second)
	b.clock.Set(day, "13:00")
	if _, err := b.PostAll(context.Background(), []ledger.Entry{
		{ID: fmt.Sprintf("in-use-%d", n), Kind: ledger.Transfer, At: at,
			Moves: []ledger.Move{{From: "alice", To: "bob", Asset: bnb, Amount: 1000}}},
		{ID: fmt.Sprintf("back-%d", n), Kind: ledger.Trade, At: at,
			Moves: []ledger.Move{{From: "bob", To: "carol", Asset: bnb, Amount: 999},
				{From: "carol", To: "bob", Asset: bnb, Amount: 1}}},
	}); err != nil {
		return err
	}
	if n%10 < 9 {
		return nil
	}
	b.clock.Set(day+1, "00:10")
	_, err := staking.Run(context.Background(), b.DB, b.clock.Now(), staking.Options{Workers: 1})
	return err
}

// BenchmarkAudit audits books of holders with two tokens over some days, one
// posting a day for every tenth.
func BenchmarkAudit(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			url := "sqlite:" + filepath.Join(b.TempDir(), "books.db")
			if engine == "postgres" {
				url = pgtest.Database(b)
			}
			db := benchBooks(b, url, 20_000, 10)
			var accruals int64
			for b.Loop() {
				r := auditOf(b, db, audit.Options{})
				wantClean(b, r)
				accruals += r.Accruals
			}
			b.Logf("%d ns an accrual, with all else", b.Elapsed().Nanoseconds()/accruals)
		})
	}
}

func benchBooks(b *testing.B, url string, holders, days int) *store.DB {
	clock := testkit.NewClock(noon)
	fatal := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	tokens, err := staking.ShippedTokens(day1)
	fatal(err)
	db, err := store.Create(b.Context(), url, options(clock),
		store.Setup{From: day1, Tokens: tokens, Regions: staking.ShippedRegions(), Documents: staking.ShippedDocuments(),
			Limits: staking.NoLimit})
	fatal(err)
	b.Cleanup(func() { fatal(db.Close()) })
	for _, asset := range []string{bnb, sol} {
		_, err := db.Fund(b.Context(), "pool", asset, 1<<50, false)
		if err != nil {
			_, err = db.Fund(b.Context(), "pool-"+asset, asset, 1<<50, false)
		}
		fatal(err)
	}
	accounts, ids := make([]store.Account, holders), make([]ledger.Account, holders)
	var openings []imports.Opening
	for i := range holders {
		ids[i] = ledger.Account(fmt.Sprintf("holder-%08d", i))
		accounts[i] = store.Account{ID: ids[i], Region: "DE", Opened: noon}
		openings = append(openings, imports.Opening{Account: ids[i], Asset: bnb, Amount: coins(100)},
			imports.Opening{Account: ids[i], Asset: sol, Amount: coins(1000)})
	}
	fatal(db.OpenAccounts(b.Context(), accounts))
	fatal(db.EnrollAll(b.Context(), ids, day1))
	outcomes, err := db.PostOpenings(b.Context(), openings)
	fatal(err)
	for _, o := range outcomes {
		fatal(o.Err)
	}
	for d := 2; d <= days+1; d++ {
		var entries []ledger.Entry
		for i := d; i < holders; i += 10 {
			entries = append(entries, ledger.Entry{ID: fmt.Sprintf("t%d-%d", d, i), Kind: ledger.Transfer,
				Moves: []ledger.Move{{From: ids[i], To: ids[(i+3)%holders], Asset: bnb, Amount: coins(1)}}})
		}
		clock.Set(d-1, "18:30")
		for len(entries) > 0 {
			n := min(len(entries), 2000)
			outcomes, err := db.Post(b.Context(), entries[:n])
			fatal(err)
			for _, o := range outcomes {
				fatal(o.Err)
			}
			entries = entries[n:]
		}
		clock.Set(d, "00:10")
		_, err := staking.Run(b.Context(), db, clock.Now(), staking.Options{Workers: 2})
		fatal(err)
	}
	return db
}
