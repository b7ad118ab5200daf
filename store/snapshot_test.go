package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// snapshots lists an account's: "1: ADA 5; 2: ADA 5 + 1 held".
func snapshots(t *testing.T, db *store.DB, id ledger.Account, from, to staking.Day) string {
	t.Helper()
	var days []string
	for _, s := range testkit.Must(reports.New(db.Reader()).Snapshots(t.Context(), id, from, to))(t) {
		text := fmt.Sprintf("%d:", s.Day-day1+1)
		for _, b := range s.Balances {
			text += fmt.Sprintf(" %s %s", b.Asset, ledger.FormatDecimal(int64(b.Free), 8))
			if b.Held != 0 {
				text += fmt.Sprintf("+%s", ledger.FormatDecimal(int64(b.Held), 8))
			}
		}
		days = append(days, text)
	}
	return strings.Join(days, ", ")
}

// The ends of days of a holder, counted back from whenever they are asked for.
func TestSnapshots(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		testkit.Must(db.Fund(ctx, "f-1", "BNB", 1_00000000, false))(t)
		open(t, db, "alice")
		deposit(t, db, "d-1", "alice", 2, "BNB", time.Time{})
		on(t, db, "alice")
		if got := snapshots(t, db, "alice", 0, day1+100); got != "" {
			t.Errorf("before a day is over there is %s", got)
		}
		clock.Set(2, "09:00")
		deposit(t, db, "d-2", "alice", 300, "ADA", testkit.Moment(2, "00:00")) // at the first moment: not of the day before
		ok(t, refusal(db.Post(ctx, []ledger.Entry{{ID: "h-1", Kind: ledger.Hold, At: testkit.Moment(2, "08:00"),
			Moves: []ledger.Move{{From: "alice", To: "alice/held", Asset: "BNB", Amount: 50000000}}}})))
		if got := snapshots(t, db, "alice", 0, day1+100); got != "1: BNB 2" {
			t.Errorf("on Day 2 there is %s", got)
		}
		clock.Set(3, "00:06")
		settle(t, db, clock) // Day 2 pays at 00:00 of Day 3
		clock.Set(3, "10:00")
		ok(t, refusal(db.Post(ctx, []ledger.Entry{{ID: "h-2", Kind: ledger.Release,
			Moves: []ledger.Move{{From: "alice/held", To: "alice", Asset: "BNB", Amount: 50000000}}}})))
		clock.Set(4, "00:00")
		ok(t, refusal(db.Post(ctx, []ledger.Entry{{ID: "w-1", Kind: ledger.Withdrawal,
			Moves: []ledger.Move{{From: "alice", To: ledger.Custody, Asset: "ADA", Amount: 300_00000000}}}})))
		want := "1: BNB 2, 2: ADA 300 BNB 1.5+0.5, 3: ADA 300 BNB 2.00000684"
		if got := snapshots(t, db, "alice", 0, day1+100); got != want {
			t.Errorf("on Day 4 there is %s, not %s", got, want)
		}
		clock.Set(7, "12:00")
		settle(t, db, clock)
		for _, c := range []struct {
			from, to int
			want     string
		}{
			{0, 2, "1: BNB 2, 2: ADA 300 BNB 1.5+0.5"}, {2, 3, "2: ADA 300 BNB 1.5+0.5, 3: ADA 300 BNB 2.00000684"}, {3, 2, ""},
			{4, 4, "4: BNB 2.00001421"}, {7, 9, ""},
		} {
			if got := snapshots(t, db, "alice", day1+staking.Day(c.from)-1, day1+staking.Day(c.to)-1); got != c.want {
				t.Errorf("from Day %d to %d there is %s, not %s", c.from, c.to, got, c.want)
			}
		}
		open(t, db, "bob") // late, and has nothing
		clock.Set(9, "12:00")
		if got := snapshots(t, db, "bob", 0, day1+100); got != "7:, 8:" {
			t.Errorf("of bob there is %s", got)
		}
		_, err := reports.New(db.Reader()).Snapshots(ctx, "nobody", 0, day1)
		wants(t, err, ledger.ErrNotFound)
	})
}

// Each snapshot is what the statement's lines come to.
func TestSnapshotsAgreeWithTheStatement(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		accounts := bookkeeping(t, db, clock)
		last := staking.DayOf(clock.Now()) - 1
		for _, id := range accounts[:3] {
			running := map[string]ledger.Amount{}
			lines := map[staking.Day]string{}
			day := day1
			end := func(until staking.Day) {
				for ; day < until; day++ {
					lines[day] = fmt.Sprint(running)
				}
			}
			ok(t, reports.New(db.Reader()).Statement(t.Context(), id, day1, last+1, func(l reports.Line) error {
				end(staking.DayOf(l.At))
				running[l.Asset+fmt.Sprint(l.Account.IsHeld())] = l.Balance
				return nil
			}))
			end(last + 1)
			for _, s := range testkit.Must(reports.New(db.Reader()).Snapshots(t.Context(), id, day1, last))(t) {
				got := map[string]ledger.Amount{}
				for _, b := range s.Balances {
					got[b.Asset+"false"] = b.Free
				}
				if got := fmt.Sprint(got); got != lines[s.Day] {
					t.Errorf("%s at the end of %s: %s, and by the statement %s", id, s.Day, got, lines[s.Day])
				}
			}
		}
	})
}
