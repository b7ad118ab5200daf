package store_test

import (
	"fmt"
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

func TestImportRowsAreKeptAndFolded(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		at := testkit.Moment(1, "09:00:00")
		row := imports.Row{At: at, Asset: "BNB", Operation: "Buy", Amount: 5, Export: "2025", Part: 1, Times: 2}
		part := row
		part.Part, part.Times = 2, 1
		ok(t, db.Imports().Record(ctx, "alice", []imports.Row{row, part, row}))
		fewer, more, reward := row, part, row
		fewer.Times, more.Times, reward.Reward = 1, 9, true
		ok(t, db.Imports().Record(ctx, "alice", []imports.Row{fewer, more}))
		ok(t, db.Imports().Record(ctx, "alice", []imports.Row{row}))
		ok(t, db.Imports().Record(ctx, "alice", []imports.Row{reward})) // the last import decides whether it is a reward
		ok(t, db.Imports().Record(ctx, "alice", nil))
		gone := more
		gone.Times = 0
		ok(t, db.Imports().Record(ctx, "alice", []imports.Row{gone}))
		if got := testkit.Must(reports.New(db.Reader()).Imports(ctx, "alice"))(t); len(got.Rows) != 2 || got.Rows[1] != gone {
			t.Errorf("a row that counts no more is %+v", got.Rows)
		}
		ok(t, db.Imports().Record(ctx, "alice", []imports.Row{more}))
		got := testkit.Must(reports.New(db.Reader()).Imports(ctx, "alice"))(t)
		row.Reward = true
		if want := []imports.Row{row, more}; !slices.Equal(got.Rows, want) || got.Entries != nil {
			t.Errorf("alice has %+v; want %+v", got, want)
		}
		if got := testkit.Must(reports.New(db.Reader()).Imports(ctx, "bob"))(t); got.Rows != nil || got.Entries != nil {
			t.Errorf("bob has %+v", got)
		}
		for _, wrong := range []func(*imports.Row){
			func(r *imports.Row) { r.At = r.At.Add(time.Millisecond) },
			func(r *imports.Row) { r.Operation = strings.Repeat("x", 256) },
			func(r *imports.Row) { r.Export = strings.Repeat("x", 256) },
			func(r *imports.Row) { r.Times = -1 },
			func(r *imports.Row) { r.Part = -2 },
		} {
			bad := row
			wrong(&bad)
			wants(t, db.Imports().Record(ctx, "bob", []imports.Row{row, bad}), ledger.ErrInvalid)
		}
		if got := testkit.Must(reports.New(db.Reader()).Imports(ctx, "bob"))(t); got.Rows != nil {
			t.Errorf("of a refused import is recorded %+v", got)
		}
		wants(t, db.Imports().Record(ctx, "@desk", []imports.Row{row}), ledger.ErrInvalid)
		_, err := reports.New(db.Reader()).Imports(ctx, "alice/held")
		wants(t, err, ledger.ErrInvalid)
	})
}

func TestImportEntriesAreNamedAndFound(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		long := ledger.Account(strings.Repeat("x", 128))
		open(t, db, "alice")
		open(t, db, long)
		open(t, db, "alice.b") // no part of alice
		clock.Set(2, "12:00")
		entries := []imports.Entry{
			{Name: "opening/BNB", Kind: ledger.Opening, Changes: []imports.Change{{Asset: "BNB", Amount: 5}}},
			{Name: "opening/BNB/2", Kind: ledger.Opening, Changes: []imports.Change{{Asset: "BNB", Amount: -2}}},
			{Name: "2026-11-22T09:00:01Z", Kind: ledger.Import, At: testkit.Moment(1, "09:00:01"),
				Changes: []imports.Change{{Asset: "BNB", Amount: -3}, {Asset: "SOL", Amount: 7}}},
			{Name: "2026-11-22T09:00:01Z/reward", Kind: ledger.RewardElsewhere, At: testkit.Moment(1, "09:00:01"),
				Changes: []imports.Change{{Asset: "BNB", Amount: 1}}},
		}
		for _, account := range []ledger.Account{"alice", long, "alice.b"} {
			for _, again := range []bool{false, true} {
				outcomes := testkit.Must(db.PostImport(ctx, account, entries))(t)
				for i, o := range outcomes {
					if o.Err != nil || o.Repeated != again {
						t.Errorf("%s: %s: %+v", account, entries[i].Name, o)
					}
				}
			}
			entries[0].At, entries[1].At = day1.Start(), day1.Start()
			want := slices.SortedFunc(slices.Values(entries),
				func(a, b imports.Entry) int { return strings.Compare(a.Name, b.Name) })
			if got := testkit.Must(reports.New(db.Reader()).Imports(ctx,
				account))(t); fmt.Sprint(got.Entries) != fmt.Sprint(want) {
				t.Errorf("%s has %v; want %v", account, got.Entries, want)
			}
		}
		other := entries[2]
		other.Changes = []imports.Change{{Asset: "SOL", Amount: 8}}
		lost := imports.Entry{Name: "2026-11-22T09:00:02Z", Kind: ledger.Import, At: testkit.Moment(1, "09:00:02"),
			Changes: []imports.Change{{Asset: "BNB", Amount: -9}}}
		outcomes := testkit.Must(db.PostImport(ctx, "alice", []imports.Entry{other, lost}))(t)
		wants(t, outcomes[0].Err, ledger.ErrConflict)
		wants(t, outcomes[1].Err, ledger.ErrInsufficient)
		lost.At = lost.At.Add(time.Millisecond)
		_, err := db.PostImport(ctx, "alice", []imports.Entry{lost})
		wants(t, err, ledger.ErrInvalid)
		e := ledger.Entry{ID: "mine", Kind: ledger.RewardElsewhere,
			Moves: []ledger.Move{{From: ledger.Custody, To: "alice", Asset: "BNB", Amount: 5}}}
		wants(t, refusal(db.Post(ctx, []ledger.Entry{e})), ledger.ErrInvalid)
		clock.Set(3, "12:00")
		settle(t, db, clock)
		closed := imports.Entry{Name: "2026-11-23T09:00:02Z", Kind: ledger.Import, At: testkit.Moment(2, "09:00:02"),
			Changes: []imports.Change{{Asset: "BNB", Amount: 9}}}
		late := imports.Entry{Name: "opening/SOL", Kind: ledger.Opening,
			Changes: []imports.Change{{Asset: "SOL", Amount: 9}}}
		outcomes = testkit.Must(db.PostImport(ctx, "alice", []imports.Entry{closed, late}))(t)
		wants(t, outcomes[0].Err, ledger.ErrDayClosed)
		if o := outcomes[1]; o.Err != nil || !o.At.Equal((day1 + 2).Start()) {
			t.Errorf("an opening on closed days: %+v", o)
		}
	})
}
