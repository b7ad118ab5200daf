package store_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// day1 is the first day of a test's books, and noon when its clock begins.
var (
	day1 = staking.DayOf(noon)
	noon = testkit.Noon
)

// each runs a test on every database: on new books that begin on Day 1 with what is shipped, but with few of its
// tokens, at noon of that day.
func each(t *testing.T, test func(t *testing.T, db *store.DB, clock *testkit.Clock)) {
	t.Helper()
	eachBooks(t, func(t *testing.T, url string, clock *testkit.Clock) { test(t, opened(t, url, clock), clock) })
}

// seeds is how many random days a test plays.
func seeds() uint64 {
	if scenario.Long() {
		return 100
	}
	return 10
}

// repetition reports whether the test is on PostgreSQL, where some of it is repetition, and not in the long tests.
func repetition(t *testing.T) bool { return strings.Contains(t.Name(), "postgres") && !scenario.Long() }

// eachTwo is each with books that two processes have open.
func eachTwo(t *testing.T, test func(t *testing.T, one, two *store.DB, clock *testkit.Clock)) {
	t.Helper()
	eachBooks(t, func(t *testing.T, url string, clock *testkit.Clock) {
		test(t, opened(t, url, clock), opened(t, url, clock), clock)
	})
}

// eachWithAll is each with all the tokens that are shipped.
func eachWithAll(t *testing.T, test func(t *testing.T, db *store.DB, clock *testkit.Clock)) {
	t.Helper()
	eachSetup(t, shipped(t, day1), func(t *testing.T, url string, clock *testkit.Clock) {
		test(t, opened(t, url, clock), clock)
	})
}

// eachOnce is each for what is repetition on PostgreSQL, which has it in the long tests alone.
func eachOnce(t *testing.T, test func(t *testing.T, db *store.DB, clock *testkit.Clock)) {
	t.Helper()
	if scenario.Long() {
		each(t, test)
		return
	}
	onBooks(t, "sqlite", few(t), func(t *testing.T, url string, clock *testkit.Clock) {
		test(t, opened(t, url, clock), clock)
	})
}

// eachBooks is each with books that nobody has open.
func eachBooks(t *testing.T, test func(t *testing.T, url string, clock *testkit.Clock)) {
	t.Helper()
	eachSetup(t, few(t), test)
}

// eachSetup is eachBooks with what the books begin with.
func eachSetup(t *testing.T, begin store.Setup, test func(t *testing.T, url string, clock *testkit.Clock)) {
	t.Helper()
	for _, kind := range scenario.Databases {
		onBooks(t, kind, begin, test)
	}
}

func onBooks(t *testing.T, kind string, begin store.Setup,
	test func(t *testing.T, url string, clock *testkit.Clock)) {
	t.Helper()
	t.Run(kind, func(t *testing.T) {
		clock := testkit.NewClock(noon)
		test(t, scenario.Books(t, kind, options(clock), begin), clock)
	})
}

// few is what is shipped with few of its tokens: a day of each costs a settlement and an audit the same, whether
// anybody has it or not.
func few(t testing.TB) store.Setup { return withTokens(shipped(t, day1), "ADA", bnb, sol, "SUI") }

// withTokens leaves out all other tokens.
func withTokens(b store.Setup, symbols ...string) store.Setup {
	b.Tokens = slices.DeleteFunc(b.Tokens, func(token staking.Token) bool {
		return !slices.Contains(symbols, token.Asset.Symbol)
	})
	return b
}

// opened are the books at a URL, until the test ends.
func opened(t *testing.T, url string, clock *testkit.Clock) *store.DB {
	t.Helper()
	db := testkit.Must(store.Open(t.Context(), url, options(clock)))(t)
	closeAfter(t, db)
	return db
}

// eachURL runs a test on every database, which is empty.
func eachURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		test(t, "sqlite:"+filepath.Join(t.TempDir(), "books.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		test(t, pgtest.Database(t))
	})
}

func closeAfter(t testing.TB, db *store.DB) {
	t.Helper()
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}

// logged are the lines of the log since noon about some actions, the newest last.
func logged(t *testing.T, db *store.DB, actions ...string) (lines []store.LogLine) {
	t.Helper()
	for _, l := range testkit.Must(reports.New(db.Reader()).Log(t.Context(), noon, 1000))(t) {
		if slices.Contains(actions, l.Action) {
			lines = append(lines, l)
		}
	}
	return lines
}

// olga is an operator at the command line.
var olga = access.Actor{Role: access.Operator, Credential: "operator olga"}

func options(clock *testkit.Clock) store.Options {
	return store.Options{Clock: clock.Now, Actor: access.Process("test"), Volatile: true,
		Sealer: scenario.Sealer}
}

// shipped is what books begin with unless an operator says otherwise.
func shipped(t testing.TB, from staking.Day) store.Setup {
	t.Helper()
	tokens, err := staking.ShippedTokens(from)
	if err != nil {
		t.Fatal(err)
	}
	return store.Setup{From: from, Tokens: tokens, Regions: staking.ShippedRegions(),
		Documents: staking.ShippedDocuments(),
		Limits:    staking.NoLimit}
}

// same reports what differs from what is wanted. An error is the same as one that it is.
func same[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateErrors(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// ok ends the test at an error.
func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// failure is the error alone of what answers more.
func failure[T any](_ T, err error) error { return err }

// wants ends the test unless the error is the one that is wanted.
func wants(t *testing.T, err, wanted error) {
	t.Helper()
	if !errors.Is(err, wanted) {
		t.Fatalf("%v is wanted, not %v", wanted, err)
	}
}

// open opens an account for a resident of Germany who has accepted everything.
func open(t *testing.T, db *store.DB, id ledger.Account) {
	t.Helper()
	testkit.Must(db.OpenAccount(t.Context(), id, "DE"))(t)
	accept(t, db, id)
}

func accept(t *testing.T, db *store.DB, id ledger.Account) {
	t.Helper()
	for _, name := range staking.DocumentNames {
		ok(t, db.Documents().Accept(t.Context(), id, name, 0, staking.Client{}))
	}
}

// on and off turn the switch now.
func on(t *testing.T, db *store.DB, id ledger.Account) staking.Enrollment {
	t.Helper()
	return testkit.Must(db.Enroll(t.Context(), id, staking.Client{}, time.Time{}))(t)
}

func off(t *testing.T, db *store.DB, id ledger.Account) {
	t.Helper()
	ok(t, db.Leave(t.Context(), id, staking.Client{}, time.Time{}))
}

// setRegion sets a residence, and returns the day on which Soft Staking ends by it.
func setRegion(t *testing.T, db *store.DB, id ledger.Account, region staking.Region) staking.Day {
	t.Helper()
	return testkit.Must(db.SetRegion(t.Context(), id, region))(t)
}

// covered shows on which of so many first days of the books the account earns: "..xx".
func covered(t *testing.T, db *store.DB, id ledger.Account, days int) string {
	t.Helper()
	line := ""
	for d := range staking.Day(days) {
		times := 0
		for _, e := range testkit.Must(reports.New(db.Reader()).Enrollments(t.Context(), id))(t) {
			if e.Covers(day1 + d) {
				times++
			}
		}
		line += string(".x2345"[times])
	}
	return line
}

// deposit gives an account so many whole tokens of 8 decimals at a moment.
func deposit(t *testing.T, db *store.DB, id string, account ledger.Account, tokens int64, asset string, at time.Time) {
	t.Helper()
	ok(t, refusal(db.Post(t.Context(), []ledger.Entry{{
		ID: id, Kind: ledger.Deposit, At: at,
		Moves: []ledger.Move{{From: ledger.Custody, To: account, Asset: asset, Amount: ledger.Amount(tokens * 1_00000000)}},
	}})))
}

// refusal is why the first of some entries was refused, or the database's error.
func refusal(outcomes []store.Outcome, err error) error {
	for _, o := range outcomes {
		err = errors.Join(err, o.Err)
	}
	return err
}

// settle runs what is due.
func settle(t *testing.T, db *store.DB, clock *testkit.Clock) staking.Report {
	t.Helper()
	return testkit.Must(staking.Run(t.Context(), db, clock.Now(), staking.Options{Workers: 2}))(t)
}

// earned is what the account has earned of an asset.
func earned(t *testing.T, db *store.DB, id ledger.Account, asset string) ledger.Amount {
	t.Helper()
	for _, b := range testkit.Must(reports.New(db.Reader()).Balances(t.Context(), id))(t) {
		if b.Asset == asset {
			return b.Earned
		}
	}
	return 0
}
