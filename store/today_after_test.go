package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestTodayAfterIsWhatComesTrue: what is said of a change before it is posted is,
// to the last unit, what is read after it: at any time of the day, up and down,
// above the minimum and below it.
func TestTodayAfterIsWhatComesTrue(t *testing.T) {
	eachMeasure(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		random := rand.New(rand.NewPCG(4, 9))
		open(t, db, "alice")
		open(t, db, "bob")
		deposit(t, db, "a", "alice", 1, "BNB", time.Time{})
		deposit(t, db, "b", "bob", 3, "BNB", time.Time{})
		on(t, db, "alice")
		fund(t, db, "BNB", 10)
		missed := 0
		for n, hour := range []string{"00:00", "00:00:01", "03:30", "11:59:59", "12:00", "17:20", "23:59", "23:59:59"} {
			clock.Set(2, hour)
			day, before := todayOf(t, db, "alice", "BNB")
			move := ledger.Move{From: "alice", To: "bob", Asset: "BNB", Amount: 1 +
				ledger.Amount(random.Int64N(int64(before.Free)*2/3))}
			change := -move.Amount
			if n%2 == 1 {
				move.From, move.To, move.Amount = "bob", "alice", ledger.Amount(1+random.Int64N(1_00000000))
				change = move.Amount
			}
			said, reached := before.After(change, day.At)
			if same, still := before.After(0, day.At); same != before.Measured || still != before.Reached {
				t.Errorf("%s: nothing moves, and the day becomes %+v", hour, same)
			}
			ok(t, refusal(db.Post(t.Context(), []ledger.Entry{{ID: fmt.Sprint("move", n), Kind: ledger.Transfer,
				Moves: []ledger.Move{move}}})))
			_, after := todayOf(t, db, "alice", "BNB")
			if said != after.Measured || reached != after.Reached {
				t.Errorf("%s: said %+v, %t; came %+v, %t", hour, said, reached, after.Measured, after.Reached)
			}
			if !reached {
				missed++
			}
		}
		if missed == 0 || missed == 8 {
			t.Errorf("%d of 8 changes left the day below the minimum; some should, and some not", missed)
		}
		clock.Set(3, "00:07")
		settle(t, db, clock)
	})
}

// TestTodayAfterTooMuch: what is more than there is makes no day below zero.
func TestTodayAfterTooMuch(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		deposit(t, db, "a", "alice", 1, "BNB", time.Time{})
		day, token := todayOf(t, db, "alice", "BNB")
		if a, reached := token.After(-ledger.MaxSupply, day.At); a.Average != 0 || a.Reward != 0 || reached {
			t.Errorf("the day becomes %+v", a)
		}
		if a, _ := token.After(-centi(100), day.At.Add(48*time.Hour)); a.Average != token.Measured.Average {
			t.Errorf("a change after the day makes its average %d", a.Average)
		}
	})
}
