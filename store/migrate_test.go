package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/imports"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// Books of every older softstake are refused until they are upgraded, by however many at once.
func TestOldBooksAreUpgraded(t *testing.T) {
	for _, schema := range store.Schemas {
		t.Run(fmt.Sprintf("schema %d", schema), func(t *testing.T) {
			eachURL(t, func(t *testing.T, url string) {
				if repetition(t) && schema > 1 && schema < store.Released {
					t.Skip("only with SOFTSTAKE_LONG=1: those of schema 1 take each step")
				}
				upgradeOld(t, url, schema)
			})
		})
	}
}

func upgradeOld(t *testing.T, url string, schema int64) {
	ctx, clock := t.Context(), testkit.NewClock(noon)
	ok(t, store.CreateOld(ctx, url, options(clock), shipped(t, day1), schema, "alice"))
	for range 2 { // the first has changed nothing
		_, err := store.Open(ctx, url, options(clock))
		wantsOutdated(t, err, schema)
	}
	_, err := store.Create(ctx, url, options(clock), shipped(t, day1))
	wantsOutdated(t, err, schema)

	dbs, errs := make([]*store.DB, 4), make([]error, 4)
	var all sync.WaitGroup
	for i := range dbs {
		all.Go(func() {
			if _, errs[i] = store.Upgrade(ctx, url, options(clock), nil); errs[i] == nil {
				dbs[i], errs[i] = store.Open(ctx, url, options(clock))
			}
		})
	}
	all.Wait()
	ok(t, errors.Join(errs...))
	for _, db := range dbs {
		closeAfter(t, db)
	}
	again := testkit.Must(store.Upgrade(ctx, url, options(clock), nil))(t)
	if again.From != store.Schema || again.To != store.Schema || len(again.Changes) > 0 {
		t.Errorf("upgraded again: %+v", again)
	}
	upgrades := 0
	for _, l := range testkit.Must(reports.New(dbs[0].Reader()).Log(ctx, time.Time{}, 100))(t) {
		if l.Action == "upgrade" {
			upgrades++
		}
	}
	if upgrades != 1 {
		t.Errorf("the log has %d upgrades", upgrades)
	}
	checkFirstVersions(t, dbs[0])
	if a := testkit.Must(dbs[0].Account(ctx, "alice"))(t); a.Region != "DE" || !a.Opened.Equal(noon) {
		t.Errorf("alice is %+v", a)
	}
	listings := testkit.Must(reports.New(dbs[1].Reader()).Listings(ctx, true))(t)
	if n := len(listings); n != len(staking.ShippedRegions()) || !listings[n-1].Removed.IsZero() {
		t.Errorf("the listings are %+v", listings)
	}
	if first := listings[0]; first.From != day1 || first.Number != 1 {
		t.Errorf("the first listing is %+v", first)
	}
	accept(t, dbs[1], "alice")
	on(t, dbs[2], "alice")
	ok(t, dbs[3].People().AddKey(ctx, newKey(t, "alice")))
	addLogin(t, dbs[3], "alice@example.com", "alice")
	if s := addSession(t, dbs[2], clock, "alice@example.com", "alice"); !inside(t, dbs[1], s) {
		t.Error("alice is not inside")
	}
	if a := (people.DepositAddress{Account: "alice", Asset: "BNB",
		Address: "0x1"}); !testkit.Must(dbs[0].People().SetDepositAddress(ctx, a))(t) {
		t.Error("an address is there before it is set")
	}
	ok(t, dbs[1].Imports().Record(ctx, "alice", []imports.Row{{At: noon, Asset: "BNB", Operation: "Deposit", Amount: 1,
		Export: "2025", Times: 1}}))
	if known := testkit.Must(reports.New(dbs[0].Reader()).Imports(ctx, "alice"))(t); len(known.Rows) != 1 {
		t.Errorf("the imports are %+v", known)
	}
	deposit(t, dbs[0], "d-1", "alice", 2, "BNB", noon)
	testkit.Must(dbs[1].Fund(ctx, "f-1", "BNB", 1_00000000, false))(t)
	paysCampaign(t, dbs, clock)
}

// paysCampaign settles two days of upgraded books with a campaign for alice.
func paysCampaign(t *testing.T, dbs []*store.DB, clock *testkit.Clock) {
	t.Helper()
	ctx := t.Context()
	testkit.Must(dbs[2].PostCampaign(ctx, spring()))(t)
	setOwner(t, dbs[3], "alice", "o-1", 0)
	if _, _, err := dbs[3].AddLabel(ctx, "alice", "vip", 0); err != nil {
		t.Fatal(err)
	}
	clock.Set(3, "00:05")
	if settle(t, dbs[0], clock); earned(t, dbs[1], "alice", "BNB") == 0 {
		t.Error("nothing is earned")
	}
	clock.Set(4, "00:05")
	if settle(t, dbs[0], clock); earned(t, dbs[1], "alice", "SOL") == 0 {
		t.Error("the campaign pays nothing")
	}
	audited(t, dbs[2])
}

// TestOldApprovalsOfUnknownTotalsEnd: the upgrade removes them, and no others.
func TestOldApprovalsOfUnknownTotalsEnd(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		ctx, clock := t.Context(), testkit.NewClock(noon)
		ok(t, store.CreateOld(ctx, url, options(clock), shipped(t, day1), 5, "alice"))
		for _, day := range []staking.Day{day1 - 1, day1} { // nothing of the books' first day is accrued
			ok(t, store.RunOld(ctx, url, options(clock), "INSERT INTO approvals (day, asset, approved_at, approved_by) "+
				"VALUES ($1, 'BNB', 1, 'olga')", int64(day)))
		}
		testkit.Must(store.Upgrade(ctx, url, options(clock), nil))(t)
		db := testkit.Must(store.Open(ctx, url, options(clock)))(t)
		closeAfter(t, db)
		if day := testkit.Must(db.Count(ctx, "SELECT sum(day) FROM approvals"))(t); day != int64(day1-1) {
			t.Errorf("the days that are left add up to %d", day)
		}
	})
}

// Old books that may only be read are refused as they are, and so is their upgrade.
// TestReadingOldBooksThatMayNotBeWritten reads a file of SQLite.
func TestOldBooksOnAServerThatMayNotBeWritten(t *testing.T) {
	clock, url := testkit.NewClock(noon), pgtest.Database(t)
	ok(t, store.CreateOld(t.Context(), url, options(clock), shipped(t, day1), 1, "alice"))
	readOnly := url + map[bool]string{true: "&", false: "?"}[strings.Contains(url, "?")] +
		"default_transaction_read_only=on"
	_, err := store.Open(t.Context(), readOnly, options(clock))
	wantsOutdated(t, err, 1)
	_, err = store.Upgrade(t.Context(), readOnly, options(clock), nil)
	if err == nil || !strings.Contains(err.Error(), "read-only transaction") {
		t.Errorf("the upgrade: %v", err)
	}
	testkit.Must(store.Upgrade(t.Context(), url, options(clock), nil))(t)
	again := testkit.Must(store.Open(t.Context(), readOnly, options(clock)))(t)
	closeAfter(t, again)
	testkit.Must(again.Account(t.Context(), "alice"))(t)
}

func wantsOutdated(t *testing.T, err error, schema int64) {
	t.Helper()
	wants(t, err, store.ErrSchema)
	wants(t, err, db.ErrOlder)
	if want := fmt.Sprintf("schema %d,", schema); !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v; %q is missing", err, want)
	}
}

func TestNoBooksAndNewerBooks(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		ctx, clock := t.Context(), testkit.NewClock(noon)
		if path, is := strings.CutPrefix(url, "sqlite:"); is {
			_, err := store.Open(ctx, url, options(clock))
			if err == nil || !strings.Contains(err.Error(), filepath.Base(path)+" does not exist") {
				t.Errorf("no file: %v", err)
			}
		} else {
			_, err := store.Open(ctx, url, options(clock))
			wants(t, err, store.ErrNoBooks)
		}
		db := testkit.Must(store.Create(ctx, url, options(clock), shipped(t, day1)))(t)
		testkit.Must(db.Exec(ctx, "INSERT INTO migrations (number) VALUES (1000)"))(t)
		ok(t, db.Close())
		_, opened := store.Open(ctx, url, options(clock))
		_, upgraded := store.Upgrade(ctx, url, options(clock), nil)
		for _, err := range []error{opened, upgraded} {
			if wants(t, err, store.ErrSchema); !strings.Contains(err.Error(), "use a newer softstake") {
				t.Errorf("newer books: %v", err)
			}
		}
	})
}

// checkFirstVersions: what was there before has versions from now on, and a change by SQL is found.
func checkFirstVersions(t *testing.T, books *store.DB) {
	t.Helper()
	wantsDifferences(t, books)
	testkit.Must(books.Exec(t.Context(), "UPDATE assets SET max_supply = max_supply - 1 WHERE symbol = 'SOL'"))(t)
	testkit.Must(books.Exec(t.Context(), "UPDATE accounts SET region = 'AT'"))(t)
	wantsDifferences(t, books, "SOL", "alice")
	testkit.Must(books.Exec(t.Context(), "UPDATE accounts SET region = 'DE'"))(t)
}

// wantsDifferences compares the rows that are replaced with their versions.
func wantsDifferences(t *testing.T, books *store.DB, want ...string) {
	t.Helper()
	var got []string
	ok(t, integrity.Compare(t.Context(), books.Engine().Read, func(d integrity.Difference) { got = append(got, d.Name) }))
	if !slices.Equal(got, want) {
		t.Errorf("rows differ from their versions: %q, want %q", got, want)
	}
}
