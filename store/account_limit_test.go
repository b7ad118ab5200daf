package store_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// leaving lets tokens leave alice's account under IDs of its own.
type leaving struct {
	*testing.T
	n int
}

// sends is a transfer of tenths to bob.
func (l *leaving) sends(tenths int64) ledger.Entry {
	l.n++
	return ledger.Entry{ID: fmt.Sprintf("alice/s%d", l.n), Kind: ledger.Transfer,
		Moves: []ledger.Move{{From: "alice", To: "bob", Asset: bnb, Amount: coins(tenths)}}}
}

// send and withdraw return the reason why they are refused, or "".
func (l *leaving) send(by *store.DB, tenths int64) string {
	l.Helper()
	_, err := by.PostAll(l.Context(), []ledger.Entry{l.sends(tenths)})
	return reasonOf(err)
}

func (l *leaving) withdraw(by *store.DB, id string, tenths int64) string {
	l.Helper()
	_, err := by.Withdraw(l.Context(), store.Withdrawal{ID: "alice/" + id, Account: "alice", Asset: bnb,
		Amount: coins(tenths), Address: "0x1"})
	return reasonOf(err)
}

// rich opens alice's account, with 1000 BNB that she may withdraw to any address, and bob's.
func rich(t *testing.T, db *store.DB) {
	t.Helper()
	open(t, db, "alice")
	open(t, db, "bob")
	scenario.AnyAddress(t, db, "alice")
	deposit(t, db, "d", "alice", 1000, bnb, time.Time{})
}

// What a holder withdraws and sends on a day is counted together, whatever the credential, in one call or in many; what
// is cancelled comes back. A back end's postings count, and are not refused.
func TestADailyLimit(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		rich(t, db)
		l := &leaving{T: t}
		session, token, key := db.As(aliceAs["session"]), db.As(aliceAs["token"]), db.As(aliceAs["key"])
		// The operator's own limit of an account is a notice to its holder where it is lower than what held before.
		for _, tenths := range []int64{300, 200, 250, 0} {
			ok(t, db.SetAccountLimit(ctx, store.AccountLimit{Account: "bob", Asset: bnb, Amount: coins(tenths)}))
			clock.Advance(time.Millisecond)
		}
		same(t, "notices", noticed(t, db, "bob"), []string{"set-limit|BNB", "set-limit|BNB"})
		left := func(want int64) {
			t.Helper()
			all := testkit.Must(reports.New(db.Reader()).DailyLimits(ctx, "alice"))(t)
			same(t, "left", all[bnb].Left(), coins(want))
		}
		same(t, "without a limit", l.withdraw(session, "w0", 5), "")
		for range 2 {
			ok(t, db.SetAccountLimit(ctx, store.AccountLimit{Asset: bnb, Amount: coins(100)}))
		}
		ok(t, db.SetAccountLimit(ctx, store.AccountLimit{Account: "bob", Asset: bnb, Amount: coins(200)})) // more than usual
		same(t, "no more notices", len(noticed(t, db, "bob")), 2)
		left(95)
		same(t, "in parts", []string{l.withdraw(session, "w1", 60), l.send(key, 36), l.send(token, 30),
			l.withdraw(key, "w2", 6), l.withdraw(token, "w3", 5), l.send(session, 1)},
			[]string{"", store.ReasonDailyLimit, "", store.ReasonDailyLimit, "", store.ReasonDailyLimit})
		same(t, "the same again", l.withdraw(session, "w1", 60), "")
		left(0)
		same(t, "a back end", l.send(db, 7), "")

		w := testkit.Must(reports.New(db.Reader()).Withdrawal(ctx, "alice", "alice/w1"))(t)
		testkit.Must(session.PostAll(ctx, []ledger.Entry{w.Ending(ledger.WithdrawalCancelled)}))(t)
		left(53)
		_, err := session.PostAll(ctx, []ledger.Entry{l.sends(27), l.sends(27)})
		same(t, "two of one call that is atomic", reasonOf(err), store.ReasonDailyLimit)
		left(53)
		outcomes := testkit.Must(session.Post(ctx, []ledger.Entry{l.sends(27), l.sends(27), l.sends(26)}))(t)
		same(t, "three of one call",
			[]string{reasonOf(outcomes[0].Err), reasonOf(outcomes[1].Err), reasonOf(outcomes[2].Err)},
			[]string{"", store.ReasonDailyLimit, ""})

		ok(t, db.SetAccountLimit(ctx, store.AccountLimit{Account: "alice", Asset: bnb, Amount: coins(110)}))
		left(10)
		ok(t, db.SetAccountLimit(ctx, store.AccountLimit{Account: "alice", Asset: bnb}))
		left(0)
		clock.Advance(24 * time.Hour)
		left(100)
		same(t, "the next day", []string{l.send(token, 101), l.send(token, 100)}, []string{store.ReasonDailyLimit, ""})
		wants(t, db.SetAccountLimit(ctx, store.AccountLimit{Account: "carol", Asset: bnb}), ledger.ErrNotFound)
		wants(t, db.SetAccountLimit(ctx, store.AccountLimit{Asset: "DOGE"}), ledger.ErrNotFound)
		wants(t, db.SetAccountLimit(ctx, store.AccountLimit{Asset: bnb, Amount: -1}), ledger.ErrInvalid)
		audited(t, db)
	})
}

// Two processes at once let no more leave than the limit.
func TestADailyLimitInTwoProcesses(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, _ *testkit.Clock) {
		rich(t, one)
		ok(t, one.SetAccountLimit(t.Context(), store.AccountLimit{Asset: bnb, Amount: coins(100)}))
		var left atomic.Int64
		var all sync.WaitGroup
		for i := range 20 {
			by := []*store.DB{one, two}[i%2].As(aliceAs["key"])
			all.Go(func() {
				_, err := by.Withdraw(t.Context(), store.Withdrawal{ID: fmt.Sprintf("w%d", i), Account: "alice", Asset: bnb,
					Amount: coins(9), Address: "0x1"})
				if err == nil {
					left.Add(9)
				} else if reasonOf(err) != store.ReasonDailyLimit {
					t.Error(err)
				}
			})
		}
		all.Wait()
		same(t, "has left", left.Load(), int64(99))
	})
}

// ownLimits sets alice's own daily limits, as the person with a passkey.
type ownLimits struct {
	*testing.T
	db    *store.DB
	clock *testkit.Clock
	n     int
}

func newOwnLimits(t *testing.T, db *store.DB, clock *testkit.Clock) *ownLimits {
	t.Helper()
	rich(t, db)
	addLogin(t, db, "alice@example.com", "alice")
	addPasskey(t, db, aliceLogin, "Phone")
	return &ownLimits{T: t, db: db, clock: clock}
}

// set sets the limit to tenths, and compares how long it waits and the reason why it is refused, or "".
func (o *ownLimits) set(tenths int64, confirmed bool, wait time.Duration, reason string) {
	o.Helper()
	l, proof := store.AccountLimit{Account: "alice", Asset: bnb, Amount: coins(tenths)}, ""
	if o.n++; confirmed {
		proof = confirm(o.T, o.db, "Phone", fmt.Sprintf("challenge %d", o.n), store.OwnLimitStepUp(l))
	}
	from, err := o.db.As(holderActor(aliceLogin, proof)).SetOwnLimit(o.Context(), l)
	same(o.T, fmt.Sprintf("%d, confirmed %t", tenths, confirmed),
		[]any{max(from.Sub(o.clock.Now()), 0), reasonOf(err)}, []any{wait, reason})
}

func (o *ownLimits) holds(want int64) {
	o.Helper()
	all := testkit.Must(reports.New(o.db.Reader()).DailyLimits(o.Context(), "alice"))(o.T)
	same(o.T, "the limit", all[bnb].Limit, coins(want))
}

// A holder's own limit holds beside the operator's: a lower one at once, a higher one after 24 hours, with a factor.
func TestAnOwnDailyLimit(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx, own := t.Context(), newOwnLimits(t, db, clock)
		ok(t, db.SetAccountLimit(ctx, store.AccountLimit{Asset: bnb, Amount: coins(100)}))
		own.set(200, false, 0, "")
		own.holds(100)
		own.set(50, false, 0, "")
		own.set(50, false, 0, "")
		own.holds(50)
		same(t, "notices", noticed(t, db, "alice"), []string{"lowered|BNB", "lowered|BNB", "factor|+ passkey Phone"})
		own.set(60, false, 0, access.ReasonStepUp)
		own.set(0, false, 0, access.ReasonStepUp)
		for name := range aliceAs {
			if name == "session" {
				continue
			}
			_, err := db.As(aliceAs[name]).SetOwnLimit(ctx, store.AccountLimit{Account: "alice", Asset: bnb, Amount: coins(60)})
			wantsReason(t, err, access.ErrForbidden, access.ReasonStepUp)
		}
		own.set(80, true, store.RaiseWait, "")
		own.set(80, false, store.RaiseWait, "")
		same(t, "a notice", noticed(t, db, "alice")[0], "limit|BNB")
		own.holds(50)
		clock.Advance(store.RaiseWait - time.Millisecond)
		own.holds(50)
		clock.Advance(time.Millisecond)
		own.holds(80)
		own.set(0, true, store.RaiseWait, "")
		own.set(80, false, 0, "") // takes back what waits
		clock.Advance(store.RaiseWait)
		own.holds(80)
		l := &leaving{T: t}
		token := db.As(aliceAs["token"])
		same(t, "it holds", []string{l.send(token, 81), l.send(token, 80)}, []string{store.ReasonDailyLimit, ""})
		audited(t, db)
	})
}

// A higher limit that waits is replaced by the next one, and holds at no time. Changes are counted: each is kept.
func TestOwnDailyLimitsThatAreReplaced(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		own := newOwnLimits(t, db, clock)
		own.set(80, false, 0, "")
		own.set(90, true, store.RaiseWait, "")
		clock.Advance(time.Hour)
		own.set(85, true, store.RaiseWait, "")
		clock.Advance(store.RaiseWait - time.Hour)
		own.holds(80)
		clock.Advance(time.Hour)
		own.holds(85)

		clock.Advance(24 * time.Hour)
		for i := range int64(store.MaxLimitChanges) {
			own.set(79-i, false, 0, "")
		}
		own.set(1, false, 0, store.ReasonLimitChanges)
		own.set(80-store.MaxLimitChanges, false, 0, "") // no change
		clock.Advance(24 * time.Hour)
		own.set(1, false, 0, "")
		audited(t, db)
	})
}
