package store_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

func TestCreateMakesTheBooksThatWereShipped(t *testing.T) {
	eachWithAll(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		if db.FirstDay() != day1 || testkit.Must(reports.New(db.Reader()).FirstOpen(ctx))(t) != day1 {
			t.Errorf("the books begin on %s", db.FirstDay())
		}
		begin := shipped(t, day1)
		terms := testkit.Must(reports.New(db.Reader()).TermsOn(ctx, day1))(t)
		if len(terms) != len(begin.Tokens) {
			t.Errorf("%d tokens have terms on Day 1, not %d", len(terms), len(begin.Tokens))
		}
		for _, token := range begin.Tokens {
			if a := testkit.Must(db.Asset(ctx, token.Asset.Symbol))(t); a != token.Asset {
				t.Errorf("%s is kept as %+v", token.Asset.Symbol, a)
			}
		}
		if none := testkit.Must(reports.New(db.Reader()).TermsOn(ctx, day1-1))(t); len(none) != 0 {
			t.Errorf("before the books there are terms: %v", none)
		}
		if regions := testkit.Must(reports.New(db.Reader()).Regions(ctx))(t); len(regions) != len(begin.Regions) {
			t.Errorf("restricted are %v", regions)
		}
		documents := testkit.Must(reports.New(db.Reader()).Documents(ctx))(t)
		for i, name := range staking.DocumentNames {
			same(t, "the document", documents[i],
				staking.Document{Name: name, Version: 1, Published: noon, Text: begin.Documents[name]})
		}
		lines := testkit.Must(reports.New(db.Reader()).Log(ctx, noon, 10))(t)
		if len(lines) != 1 || lines[0].Action != "init" || lines[0].Actor != access.Process("test") {
			t.Errorf("the log says %v", lines)
		}
		house := testkit.Must(reports.New(db.Reader()).HouseBalances(ctx))(t)
		if len(house) != len(begin.Tokens) || house[0].Account != ledger.Rewards || house[0].Sum.Sign() != 0 {
			t.Errorf("the house has %v", house)
		}
		clock.Set(2, "00:05")
		due := testkit.Must(db.Due(ctx, day1))(t)
		if len(due) != len(begin.Tokens) || due[0].Day != day1 {
			t.Errorf("due on Day 2 is %v", due)
		}
	})
}

// An operator may begin the books in the past; all shipped terms hold from then on.
func TestCreateInThePast(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		clock := testkit.NewClock(noon)
		begin := shipped(t, day1) // terms that name a later day than the books
		begin.From = day1 - 40
		db := testkit.Must(store.Create(t.Context(), url, options(clock), begin))(t)
		closeAfter(t, db)
		if terms := testkit.Must(reports.New(db.Reader()).TermsOn(t.Context(),
			day1-40))(t); len(terms) != len(begin.Tokens) || terms[0].From != day1-40 {
			t.Errorf("on the first day hold %v", terms)
		}
		if first := testkit.Must(reports.New(db.Reader()).FirstOpen(t.Context()))(t); first != day1-40 {
			t.Errorf("the first open day is %s", first)
		}
		if begin.Tokens[0].Terms.From != day1 {
			t.Error("what the caller gave is changed")
		}
	})
}

func TestCreateRefuses(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		clock := testkit.NewClock(noon)
		for what, change := range map[string]func(*store.Setup){
			"a first day in the future":  func(b *store.Setup) { b.From = day1 + 1 },
			"a first day before 1970":    func(b *store.Setup) { b.From = -1 },
			"a token twice":              func(b *store.Setup) { b.Tokens = append(b.Tokens, b.Tokens[0]) },
			"terms of another token":     func(b *store.Setup) { b.Tokens[0].Terms.Asset = "SOL" },
			"terms that cannot be":       func(b *store.Setup) { b.Tokens[0].Terms.Cap = 0 },
			"an asset that cannot be":    func(b *store.Setup) { b.Tokens[0].Asset.Scale = 19 },
			"a region that is none":      func(b *store.Setup) { b.Regions = append(b.Regions, "USA") },
			"a document that is missing": func(b *store.Setup) { delete(b.Documents, staking.RiskWarning) },
			"a document that is empty":   func(b *store.Setup) { b.Documents[staking.RiskWarning] = " \n" },
			"a document nobody knows":    func(b *store.Setup) { b.Documents["cookies"] = "yes" },
			"a document with a zero in":  func(b *store.Setup) { b.Documents[staking.RiskWarning] = "a\x00" },
		} {
			begin := shipped(t, day1)
			change(&begin)
			if db, err := store.Create(t.Context(), url, options(clock), begin); !errors.Is(err, ledger.ErrInvalid) ||
				db != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, err := store.Create(t.Context(), url, store.Options{}, shipped(t, day1)); err == nil {
			t.Error("books without a clock are made")
		}
		db := testkit.Must(store.Create(t.Context(), url, options(clock), shipped(t, day1)))(t)
		closeAfter(t, db)
	})
}

func TestCreateTwiceSaysSinceWhen(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		clock := testkit.NewClock(noon)
		db := testkit.Must(store.Create(t.Context(), url, options(clock), shipped(t, day1)))(t)
		ok(t, db.Close())
		clock.Set(9, "12:00")
		if _, err := store.Create(t.Context(), url, options(clock), shipped(t, day1+8)); err == nil ||
			!strings.Contains(err.Error(), day1.String()) {
			t.Errorf("made twice: %v", err)
		}
		db = testkit.Must(store.Open(t.Context(), url, options(clock)))(t)
		closeAfter(t, db)
		if db.FirstDay() != day1 {
			t.Errorf("the books begin on %s", db.FirstDay())
		}
	})
}

func TestOfTwoWhoCreateOneWins(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		clock := testkit.NewClock(noon)
		begin := shipped(t, day1)
		var all sync.WaitGroup
		dbs, errs := make([]*store.DB, 4), make([]error, 4)
		for i := range dbs {
			all.Go(func() { dbs[i], errs[i] = store.Create(t.Context(), url, options(clock), begin) })
		}
		all.Wait()
		made := 0
		for i, db := range dbs {
			if db != nil {
				made++
				closeAfter(t, db)
			} else if !strings.Contains(errs[i].Error(), "these books began on "+day1.String()) {
				t.Errorf("the one who came too late got: %v", errs[i])
			}
		}
		if made != 1 {
			t.Errorf("%d have made the books: %v", made, errs)
		}
	})
}
