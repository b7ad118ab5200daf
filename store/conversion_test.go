package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// setPrice sets the price of a day, in whole USDT.
func setPrice(t *testing.T, db *store.DB, asset string, d staking.Day, usdt int64) {
	t.Helper()
	testkit.Must(db.Prices().Set(t.Context(),
		[]pricing.Price{{Asset: asset, Day: d, Price: usdt * conversion.PriceUnit}}))(t)
}

// stockDesk gives @desk whole tokens from outside, through a holder's account.
func stockDesk(t *testing.T, db *store.DB, id string, tokens int64, asset string) {
	t.Helper()
	open(t, db, "treasury")
	amount := ledger.Amount(tokens * 1_00000000)
	ok(t, refusal(db.Post(t.Context(), []ledger.Entry{{ID: id, Kind: ledger.Adjustment, Moves: []ledger.Move{
		{From: ledger.Custody, To: "treasury", Asset: asset, Amount: amount},
		{From: "treasury", To: ledger.Desk, Asset: asset, Amount: amount},
	}}})))
}

// deskHas is what @desk has of an asset.
func deskHas(t *testing.T, db *store.DB, asset string) int64 {
	t.Helper()
	for _, b := range testkit.Must(reports.New(db.Reader()).HouseBalances(t.Context()))(t) {
		if b.Account == ledger.Desk && b.Asset == asset {
			return b.Sum.Int64()
		}
	}
	return 0
}

// wantsFault ends the test unless a conversion is refused for a reason, with so much left.
func wantsFault(t *testing.T, err error, fault conversion.Fault, left ledger.Amount) {
	t.Helper()
	var e *conversion.Error
	if !errors.As(err, &e) || e.Fault != fault || e.Left != left {
		t.Fatalf("%s with %d left is wanted, not %v", fault, left, err)
	}
}

// conversionBooks are books in which BNB is at 600 and SOL at 150 since now, alice has 100 BNB and @desk 1,000 SOL.
func conversionBooks(t *testing.T, db *store.DB) {
	t.Helper()
	setPrice(t, db, "BNB", day1, 600)
	setPrice(t, db, "SOL", day1, 150)
	open(t, db, "alice")
	deposit(t, db, "d-1", "alice", 100, "BNB", time.Time{})
	stockDesk(t, db, "desk-1", 1000, "SOL")
}

func TestConversion(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		conversionBooks(t, db)
		ctx, rules := t.Context(), conversion.Rules{PriceMaxAge: 10 * time.Minute, Spread: 25}
		q := testkit.Must(db.Quote(ctx, "alice", "BNB", "SOL", 1_00000000, rules))(t)
		if q.Gives != 3_99000000 || q.Worth != 600_00000000 || !q.SetAt.Equal(noon) { // 4 SOL less 0.25 %
			t.Fatalf("the quote is %+v", q)
		}
		o := testkit.Must(db.Convert(ctx, "c-1", "alice", q, rules))(t)
		again := testkit.Must(db.Convert(ctx, "c-1", "alice", q, rules))(t)
		if o.Repeated || !again.Repeated || deskHas(t, db, "SOL") != 996_01000000 || deskHas(t, db, "BNB") != 1_00000000 {
			t.Errorf("%+v, %+v; @desk has %d SOL and %d BNB", o, again, deskHas(t, db, "SOL"), deskHas(t, db, "BNB"))
		}
		// The quote holds as long as its prices do.
		for name, other := range map[string]conversion.Quote{
			"more":   func() conversion.Quote { o := q; o.Gives++; return o }(),
			"less":   func() conversion.Quote { o := q; o.Gives--; return o }(),
			"price":  func() conversion.Quote { o := q; o.FromPrice++; return o }(),
			"spread": func() conversion.Quote { o := q; o.Spread = 0; return o }(),
		} {
			_, err := db.Convert(ctx, "c-"+name, "alice", other, rules)
			wantsFault(t, err, conversion.QuoteChanged, 0)
		}
		setPrice(t, db, "SOL", day1, 200)
		_, err := db.Convert(ctx, "c-2", "alice", q, rules)
		wantsFault(t, err, conversion.QuoteChanged, 0)
		testkit.Must(db.Convert(ctx, "c-1", "alice", q, rules))(t) // was posted, and stays so
		other := q
		other.Gives = 1
		_, err = db.Convert(ctx, "c-1", "alice", other, rules)
		wants(t, err, ledger.ErrConflict)
		big := testkit.Must(db.Quote(ctx, "alice", "BNB", "SOL", 101_00000000, rules))(t)
		_, err = db.Convert(ctx, "c-3", "alice", big, rules)
		wants(t, err, ledger.ErrInsufficient)
		for _, bad := range []conversion.Rules{{}, {PriceMaxAge: -1}, {PriceMaxAge: 8 * 24 * time.Hour},
			{PriceMaxAge: 1, Spread: -1}, {PriceMaxAge: 1, Spread: 5001}, {PriceMaxAge: 1, DailyLimit: -1}} {
			_, err := db.Convert(ctx, "c-4", "alice", q, bad)
			wants(t, err, ledger.ErrInvalid)
		}
		if has := deskHas(t, db, "SOL"); has != 996_01000000 {
			t.Errorf("@desk has %d SOL", has)
		}
	})
}

// A price is as old as when it was set last, the same or another, and never newer than
// the end of its day.
func TestConversionPriceAge(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		conversionBooks(t, db)
		rules := conversion.Rules{PriceMaxAge: 10 * time.Minute}
		quote := func() error {
			_, err := db.Quote(t.Context(), "alice", "BNB", "SOL", 1_00000000, rules)
			return err
		}
		clock.Advance(10 * time.Minute)
		q := testkit.Must(db.Quote(t.Context(), "alice", "BNB", "SOL", 1_00000000, rules))(t)
		clock.Advance(time.Millisecond)
		wantsFault(t, quote(), conversion.PriceMissing, 0)
		_, err := db.Convert(t.Context(), "c-1", "alice", q, rules)
		wantsFault(t, err, conversion.PriceMissing, 0)
		if prices := testkit.Must(db.Prices().Fresh(t.Context(), rules))(t); len(prices) != 1 {
			t.Errorf("new enough are %v", prices)
		}
		setPrice(t, db, "BNB", day1, 600) // the feed repeats both
		wantsFault(t, quote(), conversion.PriceMissing, 0)
		setPrice(t, db, "SOL", day1, 150)
		ok(t, quote())
		lines := testkit.Must(reports.New(db.Reader()).Log(t.Context(), noon, 100))(t)
		for _, l := range lines {
			if l.Action == "price set" && l.At.After(noon) {
				t.Errorf("a price that has not changed is logged: %+v", l)
			}
		}
		clock.Set(2, "00:09")
		setPrice(t, db, "BNB", day1, 601) // of yesterday, until its end
		setPrice(t, db, "SOL", day1, 151)
		ok(t, quote())
		clock.Set(2, "00:11")
		setPrice(t, db, "BNB", day1, 602)
		setPrice(t, db, "SOL", day1, 152)
		wantsFault(t, quote(), conversion.PriceMissing, 0)
		setPrice(t, db, "BNB", day1+1, 602)
		setPrice(t, db, "SOL", day1+1, 152)
		ok(t, quote())
	})
}

func TestConversionLimits(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		conversionBooks(t, db)
		n := 0
		convert := func(rules conversion.Rules, from, into string, amount ledger.Amount) error {
			q, quoted := db.Quote(t.Context(), "alice", from, into, amount, rules)
			n++
			_, err := db.Convert(t.Context(), fmt.Sprint("c-", n), "alice", q, rules)
			var a, b *conversion.Error
			if errors.As(quoted, &a) != errors.As(err, &b) || a != nil && *a != *b {
				t.Errorf("quoted is %v, and converted %v", quoted, err)
			}
			return err
		}
		day := conversion.Rules{PriceMaxAge: 24 * time.Hour, DailyLimit: 1000_00000000}
		ok(t, convert(day, "BNB", "SOL", 1_00000000))
		ok(t, convert(day, "SOL", "BNB", 1_00000000)) // the way back counts too: 750
		wantsFault(t, convert(day, "BNB", "SOL", 50000000), conversion.LimitReached, 250_00000000)
		ok(t, convert(day, "BNB", "SOL", 41666666)) // 249.999996
		wantsFault(t, convert(day, "BNB", "SOL", 1), conversion.LimitReached, 400)
		testkit.Must(db.Prices().Set(t.Context(),
			[]pricing.Price{{Asset: "ADA", Day: day1, Price: conversion.PriceUnit / 2}}))(t)
		clock.Set(2, "00:00")
		ok(t, convert(day, "BNB", "SOL", 1_66666666))
		wantsFault(t, convert(day, "BNB", "SOL", 1_66666666), conversion.LimitReached, 400)

		floor := conversion.Rules{PriceMaxAge: 24 * time.Hour,
			Floors: map[string]ledger.Amount{"SOL": 980_00000000, "BNB": -1_00000000}}
		before := deskHas(t, db, "SOL")
		left := ledger.Amount(before - 980_00000000)
		wantsFault(t, convert(floor, "BNB", "SOL", 3_00000000), conversion.DeskExhausted, left)
		ok(t, convert(floor, "BNB", "SOL", left/4))
		if has := deskHas(t, db, "SOL"); has < 980_00000000 || has > 980_00000003 {
			t.Errorf("@desk has %d SOL", has)
		}
		wantsFault(t, convert(floor, "BNB", "SOL", 1_00000000), conversion.DeskExhausted,
			ledger.Amount(deskHas(t, db, "SOL")-980_00000000))
		floor.Floors["SOL"] = 990_00000000 // above what there is
		wantsFault(t, convert(floor, "BNB", "SOL", 1_00000000), conversion.DeskExhausted, 0)
		delete(floor.Floors, "SOL")
		ok(t, convert(floor, "BNB", "SOL", 1_00000000))
		ok(t, convert(floor, "SOL", "ADA", 1_00000000)) // has no floor: it is overdrawn
		if has := deskHas(t, db, "ADA"); has != -300_00000000 {
			t.Errorf("@desk has %d ADA", has)
		}
		floor.Stocked = true
		wantsFault(t, convert(floor, "SOL", "ADA", 1_00000000), conversion.DeskExhausted, 0)
	})
}

// Conversions at the same time, through two processes and gathered in one transaction,
// never go beyond the day's limit nor below what @desk keeps.
func TestConversionLimitsAtTheSameTime(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		clock := testkit.NewClock(noon)
		one := testkit.Must(store.Create(t.Context(), url, options(clock), shipped(t, day1)))(t)
		closeAfter(t, one)
		two := testkit.Must(store.Open(t.Context(), url, options(clock)))(t)
		closeAfter(t, two)
		conversionBooks(t, one)
		for i := range 16 {
			id := ledger.Account(fmt.Sprint("user-", i))
			open(t, one, id)
			deposit(t, one, "d-"+string(id), id, 100, "BNB", time.Time{})
		}
		run := func(name string, rules conversion.Rules, account func(i int) ledger.Account) (posted int) {
			q := testkit.Must(one.Quote(t.Context(), account(0), "BNB", "SOL", 1_00000000, rules))(t)
			errs := make([]error, 32)
			var all sync.WaitGroup
			for i := range errs {
				all.Go(func() {
					db := []*store.DB{one, two}[i%2]
					_, errs[i] = db.Convert(t.Context(), fmt.Sprint(name, i), account(i/2), q, rules)
				})
			}
			all.Wait()
			for _, err := range errs {
				var refused *conversion.Error
				if err == nil {
					posted++
				} else if !errors.As(err, &refused) || refused.Left >= 4_00000000 && refused.Fault == conversion.DeskExhausted {
					t.Error(err)
				}
			}
			return posted
		}
		floor := conversion.Rules{PriceMaxAge: time.Hour, Floors: map[string]ledger.Amount{"SOL": 970_00000000}}
		if n := run("floor", floor, func(i int) ledger.Account { return ledger.Account(fmt.Sprint("user-", i)) }); n != 7 ||
			deskHas(t, one, "SOL") != 972_00000000 {
			t.Errorf("%d were posted; @desk has %d SOL", n, deskHas(t, one, "SOL"))
		}
		day := conversion.Rules{PriceMaxAge: time.Hour, DailyLimit: 5 * 600_00000000}
		if n := run("day", day, func(int) ledger.Account { return "alice" }); n != 5 {
			t.Errorf("%d were posted within a limit of 5", n)
		}
	})
}
