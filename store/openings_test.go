package store_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/imports"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

func TestFundsAreIdempotentAndLogged(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		first := testkit.Must(db.Fund(ctx, "2026-03", "BNB", 5_00000000, false))(t)
		clock.Set(2, "12:00")
		again := testkit.Must(db.Fund(ctx, "2026-03", "BNB", 5_00000000, false))(t)
		if !again.Repeated || !again.At.Equal(first.At) {
			t.Errorf("the second answers %+v", again)
		}
		_, err := db.Fund(ctx, "2026-03", "BNB", 6_00000000, false)
		wants(t, err, ledger.ErrConflict)
		testkit.Must(db.Fund(ctx, "surplus", "BNB", 2_00000000, true))(t)
		_, err = db.Fund(ctx, "more", "BNB", 4_00000000, true)
		wants(t, err, ledger.ErrInsufficient)
		_, err = db.Fund(ctx, "", "BNB", 1, false)
		wants(t, err, ledger.ErrInvalid)
		_, err = db.Fund(ctx, "x", "BNB", 0, false)
		wants(t, err, ledger.ErrInvalid)
		_, err = db.Fund(ctx, "x", "DOGE", 1, false)
		wants(t, err, ledger.ErrNotFound)
		for _, b := range testkit.Must(reports.New(db.Reader()).HouseBalances(ctx))(t) {
			if b.Account == ledger.Rewards && b.Asset == "BNB" && b.Sum.Int64() != 3_00000000 {
				t.Errorf("the pool has %s", b.Sum)
			}
		}
		var lines []string
		for _, l := range testkit.Must(reports.New(db.Reader()).Log(ctx, noon.Add(time.Millisecond), 99))(t) {
			lines = append(lines, l.Action+" "+l.Subject+": "+l.Detail)
		}
		if want := []string{"fund withdraw BNB: 2 as fund/surplus"}; !slices.Equal(lines, want) {
			t.Errorf("since then the log says %q", lines)
		}
		if lines := testkit.Must(reports.New(db.Reader()).Log(ctx, noon, 99))(t); len(lines) != 3 {
			t.Errorf("the log says %v", lines)
		}
		if lines := testkit.Must(reports.New(db.Reader()).Log(ctx, noon, 1))(t); len(lines) != 1 ||
			lines[0].Action != "fund withdraw" {
			t.Errorf("the last line is %v", lines)
		}
	})
}

func TestAnAdjustmentHasAReason(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		e := ledger.Entry{ID: "adj-1", Kind: ledger.Adjustment,
			Moves: []ledger.Move{{From: ledger.Custody, To: "alice", Asset: "BNB", Amount: 7}}}
		for _, reason := range []string{"", "  ", "a\nb", strings.Repeat("x", 201)} {
			_, err := db.Adjust(ctx, e, reason)
			wants(t, err, ledger.ErrInvalid)
		}
		testkit.Must(db.Adjust(ctx, e, "Day 2 paid at the wrong rate"))(t)
		if o := testkit.Must(db.Adjust(ctx, e, "again"))(t); !o.Repeated {
			t.Errorf("the second answers %+v", o)
		}
		lines := logged(t, db, "adjust")
		if len(lines) != 1 || lines[0].Detail != "adjustment 0.00000007 BNB from @custody to alice: Day 2 paid at "+
			"the wrong rate" || lines[0].Subject != "adj-1" {
			t.Errorf("the log says %v", lines)
		}
		for _, change := range []func(*ledger.Entry){
			func(e *ledger.Entry) { e.Kind = ledger.Deposit },
			func(e *ledger.Entry) { e.At = noon },
			func(e *ledger.Entry) { e.ID = "fund/x" },
			func(e *ledger.Entry) {
				e.Moves = []ledger.Move{{From: ledger.Rewards, To: "alice", Asset: "BNB", Amount: 7}}
			},
		} {
			other := e
			other.ID = "adj-2"
			change(&other)
			_, err := db.Adjust(ctx, other, "why")
			wants(t, err, ledger.ErrInvalid)
		}
	})
}

func TestAnAccountHasOneOpeningAnAsset(t *testing.T) {
	eachWithAll(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		long := ledger.Account(strings.Repeat("x", 128))
		open(t, db, "alice")
		open(t, db, long)
		if _, since, err := reports.New(db.Reader()).Opening(ctx, "alice", "BNB"); err != nil || !since.IsZero() {
			t.Errorf("an opening is found before it is posted: %v", err)
		}
		openings := []imports.Opening{{Account: "alice", Asset: "BNB", Amount: 5}, {Account: long, Asset: "ALGO", Amount: 9}}
		clock.Set(2, "12:00")
		for _, o := range testkit.Must(db.PostOpenings(ctx, openings))(t) {
			if o.Err != nil || !o.At.Equal(day1.Start()) {
				t.Errorf("the outcome is %+v", o)
			}
		}
		clock.Set(3, "12:00")
		settle(t, db, clock)
		openings = append(openings, imports.Opening{Account: "alice", Asset: "SOL", Amount: 5},
			imports.Opening{Account: "bob", Asset: "SOL", Amount: 5})
		openings[1].Amount = 10
		outcomes := testkit.Must(db.PostOpenings(ctx, openings))(t)
		if o := outcomes[0]; !o.Repeated || !o.At.Equal(day1.Start()) {
			t.Errorf("the same again answers %+v", o)
		}
		wants(t, outcomes[1].Err, ledger.ErrConflict)
		if o := outcomes[2]; o.Err != nil || !o.At.Equal((day1 + 2).Start()) {
			t.Errorf("after the first days are closed it is dated %s, %v", o.At, o.Err)
		}
		wants(t, outcomes[3].Err, ledger.ErrNotFound)
		if amount, since, err := reports.New(db.Reader()).Opening(ctx, long, "ALGO"); err != nil ||
			!since.Equal(day1.Start()) || amount != 9 {
			t.Errorf("the opening is %d, %s, %v", amount, since, err)
		}
		_, err := db.PostOpenings(ctx, []imports.Opening{{Account: "@desk", Asset: "SOL", Amount: 1}})
		wants(t, err, ledger.ErrInvalid)
	})
}
