package scenario

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/imports"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// Town is books to be disturbed in: holders, all enrolled, who have moved their
// tokens about for some days, none of which is settled.
type Town struct {
	Holders  int
	Days     int         // the holders were enrolled on the first
	Last     staking.Day // the last of them
	Changes  int         // transfers a day
	Unfunded bool        // whether the pools are empty

	// Share: from the third day on the income of the day before is entered, and a loss, and divided. The town
	// has at least three days.
	Mode staking.Mode

	// Campaigns, owners, labels, exclusions and a token that is measured by the smallest balance of a day.
	Beside bool
}

// townTokens are what everybody in a town has.
var townTokens = []string{"BNB", "SOL"}

// Holder is one of the town's holders; any number names one.
func (w Town) Holder(n int) ledger.Account {
	return ledger.Account(fmt.Sprintf("holder-%04d", n%w.Holders))
}

// First is the first day of the town's books.
func (w Town) First() staking.Day { return w.Last - staking.Day(w.Days) + 1 }

// Build makes the town's books at an address, the same for the same chance, and closes them.
func (w Town) Build(t testing.TB, url string, r *rand.Rand) {
	t.Helper()
	clock := testkit.NewClock(w.First().Start())
	db := w.create(t, url, clock)
	if w.Beside {
		w.addBeside(t, db)
	}
	for d := w.First(); d <= w.Last; d++ {
		clock.Forward(d.Start().Add(23 * time.Hour))
		entries := make([]ledger.Entry, w.Changes)
		for i := range entries {
			entries[i] = w.Transfer(fmt.Sprintf("day-%d-%d", d, i), r)
			entries[i].At = d.Start().Add(time.Duration(r.IntN(23*3600)) * time.Second)
		}
		if _, err := db.Post(t.Context(), entries); err != nil { // some are refused: not enough
			t.Fatal(err)
		}
		if w.Mode == staking.Share && d > w.First()+1 {
			w.enterIncome(t, db, d)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// enterIncome enters on a day the income of the day before, and a loss.
func (w Town) enterIncome(t testing.TB, db *store.DB, d staking.Day) {
	t.Helper()
	for _, symbol := range townTokens {
		for _, gross := range []ledger.Amount{123_456_789, -456_789} { // @fees bears its part of the loss
			name := "income"
			if gross < 0 {
				name = "loss"
			}
			i := staking.Income{Reference: fmt.Sprintf("%s/%s/%s", symbol, d, name), Asset: symbol, Chain: "chain",
				Source: "validator", First: d - 1, Last: d - 1, Gross: gross, Evidence: "report"}
			if gross < 0 {
				i.First = max(w.First()+1, d-2) // of a period of its own, on later days
			}
			if _, err := db.PostIncome(t.Context(), i); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Transfer is a transfer between two holders by chance.
func (w Town) Transfer(id string, r *rand.Rand) ledger.Entry {
	from := r.IntN(w.Holders)
	return ledger.Entry{ID: id, Kind: ledger.Transfer, Moves: []ledger.Move{{
		From: w.Holder(from), To: w.Holder(from + 1 + r.IntN(w.Holders-1)),
		Asset: townTokens[r.IntN(2)], Amount: 1 + ledger.Amount(r.Int64N(10_00000000)),
	}}}
}

// create makes the books of the first day, when everybody has 100 to 200 of each token.
func (w Town) create(t testing.TB, url string, clock *testkit.Clock) *store.DB {
	t.Helper()
	ctx := t.Context()
	b := store.Setup{From: w.First(), Regions: staking.ShippedRegions(), Documents: staking.ShippedDocuments(),
		Limits: staking.NoLimit}
	for _, symbol := range townTokens {
		asset := ledger.Asset{Symbol: symbol, Scale: 8, MaxSupply: 1_000_000_000_00000000}
		terms, err := staking.ParseTerms(asset, w.First(), "0.0773", "0.5", "150")
		if err != nil {
			t.Fatal(err)
		}
		if terms.Mode = w.Mode; w.Mode == staking.Share {
			terms.APR, terms.Fee = 0, 3*staking.Whole/10
		}
		if w.Beside {
			w.offer(&terms)
		}
		b.Tokens = append(b.Tokens, staking.Token{Asset: asset, Terms: terms})
	}
	if w.Beside {
		b.Tokens = append(b.Tokens, w.besideTokens()...)
	}
	db, err := store.Create(ctx, url, store.Options{Clock: clock.Now, Actor: access.Process("town"), Volatile: true}, b)
	if err != nil {
		t.Fatal(err)
	}
	var accounts []store.Account
	var ids []ledger.Account
	var openings []imports.Opening
	for n := range w.Holders {
		a := w.Holder(n)
		accounts, ids = append(accounts, store.Account{ID: a, Region: "DE", Opened: clock.Now()}), append(ids, a)
		for _, symbol := range townTokens {
			openings = append(openings, imports.Opening{
				Account: a, Asset: symbol,
				Amount: 100_00000000 + ledger.Amount(n)*100_00000000/ledger.Amount(w.Holders),
			})
		}
	}
	err = db.OpenAccounts(ctx, accounts)
	if err == nil {
		err = db.EnrollAll(ctx, ids, w.First()+1)
	}
	if err == nil {
		err = postOpenings(ctx, db, openings)
	}
	if err == nil && !w.Unfunded {
		err = Fund(ctx, db)
	}
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func postOpenings(ctx context.Context, db *store.DB, openings []imports.Opening) error {
	outcomes, err := db.PostOpenings(ctx, openings)
	for _, o := range outcomes {
		if err == nil {
			err = o.Err
		}
	}
	return err
}

// Fund fills the pools of a town's books.
func Fund(ctx context.Context, db *store.DB) error {
	for _, symbol := range townTokens {
		if _, err := db.Fund(ctx, "town-"+symbol, symbol, 1_000_000_00000000, false); err != nil {
			return err
		}
	}
	return nil
}

// Copy is the address of a copy of books that nobody has open.
func Copy(t testing.TB, url string) string {
	t.Helper()
	path, isFile := strings.CutPrefix(url, "sqlite:")
	if !isFile {
		config, err := pgx.ParseConfig(url)
		if err != nil {
			t.Fatal(err)
		}
		copied := pgtest.Copy(t, config.Database)
		if config.User == pgtest.AppRole {
			copied = pgtest.App(copied)
		}
		return copied
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Fatalf("%s is open", path)
	}
	to := t.TempDir() + "/copy.db"
	books, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(to, books, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + to
}

// Open opens books that are there, and closes them when the test ends.
func Open(t testing.TB, url string, clock func() time.Time) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), url, store.Options{Clock: clock, Actor: access.Process("scenario")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Undisturbed is what a run makes of a copy of the books that nothing disturbs.
func (w Town) Undisturbed(t testing.TB, url string) string {
	t.Helper()
	url = Copy(t, url)
	clock := testkit.NewClock((w.Last + 1).Start().Add(time.Hour)) // later days are of no use, and are audited too
	db := Open(t, url, clock.Now)
	if _, err := staking.Run(t.Context(), db, clock.Now(), w.Options()); err != nil {
		t.Fatal(err)
	}
	Clean(t, db)
	return w.rewards(t, url)
}

// Options are those of a run of the town's days and no later ones.
func (w Town) Options() staking.Options { return staking.Options{Through: &w.Last, Workers: 2} }

func (w Town) rewards(t testing.TB, url string) string {
	t.Helper()
	text, err := Rewards(t.Context(), url, w.Last)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "reward/"+w.Last.String()) {
		t.Fatalf("there are no rewards of %s", w.Last)
	}
	return text
}

// Posted is when each transfer in the books counts whose ID begins so, by ID. One
// that is there twice fails the test.
func Posted(t testing.TB, url, prefix string) map[string]string {
	t.Helper()
	lines, err := Rows(context.Background(), url, "SELECT entry, at FROM journal WHERE kind = 'transfer' AND side = 1")
	if err != nil {
		t.Fatal(err)
	}
	posted := make(map[string]string, len(lines))
	for _, l := range lines {
		id, at, _ := strings.Cut(l, "\t")
		if !strings.HasPrefix(id, prefix) {
			continue
		}
		if _, twice := posted[id]; twice {
			t.Errorf("%s is there twice", id)
		}
		posted[id] = at
	}
	return posted
}
