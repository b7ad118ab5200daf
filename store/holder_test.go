package store_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// meddler is a clock that lets something happen the next time that it is looked at: the
// reports look after their first statement.
type meddler struct {
	*testkit.Clock
	next func()
}

func (m *meddler) now() time.Time {
	if next := m.next; next != nil {
		m.next = nil
		next()
	}
	return m.Now()
}

// A holder is read from one snapshot: what is posted, paid, priced and switched between
// two of its statements is not seen by the later one either.
func TestHolderIsOneSnapshot(t *testing.T) {
	eachBooks(t, func(t *testing.T, url string, clock *testkit.Clock) {
		db := opened(t, url, clock)
		fund(t, db, "BNB", 1000)
		open(t, db, "alice")
		deposit(t, db, "d1", "alice", 2, "BNB", time.Time{})
		on(t, db, "alice")
		clock.Set(3, "00:06")
		settle(t, db, clock)
		clock.Set(4, "01:00")

		late := &meddler{Clock: clock}
		reader := testkit.Must(store.Open(t.Context(), url,
			store.Options{Clock: late.now, Actor: access.Process("test"), Volatile: true}))(t)
		closeAfter(t, reader)
		read := func() reports.Holder {
			t.Helper()
			const all = reports.Eligibility | reports.Offer | reports.Accruals | reports.LastDay | reports.Value
			return testkit.Must(reports.New(reader.Reader()).Holder(t.Context(), "alice", staking.Client{}, all))(t)
		}
		before := read()
		late.next = func() {
			settle(t, db, clock)
			deposit(t, db, "d2", "alice", 5, "BNB", time.Time{})
			testkit.Must(db.Prices().Set(t.Context(), []pricing.Price{price("BNB", 3, 600)}))(t)
			testkit.Must(db.Documents().Publish(t.Context(), staking.RiskWarning, "Prices fall."))(t)
			testkit.Must(db.AddRegion(t.Context(), "DE", 0, ""))(t)
			off(t, db, "alice")
		}
		if during := read(); !reflect.DeepEqual(during, before) {
			t.Errorf("read while much happened:\n%+v\nbefore it:\n%+v", during, before)
		}
		after := read()
		// Or else the test shows nothing.
		if late.next != nil || after.On() || len(after.Paid) != 1 {
			t.Fatalf("nothing has happened:\n%+v\nbefore it:\n%+v", after, before)
		}
		same(t, "pending rewards before and after", []int{len(before.Pending), len(after.Pending)}, []int{1, 0})
		if after.Region == nil || after.Missing == nil {
			t.Errorf("the holder may still switch on: %+v", after)
		}
		same(t, "BNB", bnbOf(after).Free, bnbOf(before).Free+5_00000000+after.Paid[0].Reward)
	})
}

// bnbOf is the token BNB on offer.
func bnbOf(h reports.Holder) (bnb reports.OfferedToken) {
	for _, t := range h.Tokens {
		if t.Asset.Symbol == "BNB" {
			bnb = t
		}
	}
	return bnb
}
