package console

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/testkit"
)

// TestTheStateOfADay: of the oldest day that is not paid, and what it needs of somebody.
func TestTheStateOfADay(t *testing.T) {
	const open = staking.Day(100)
	for _, c := range []struct {
		status       reports.TokenStatus
		state, needs string
	}{
		{reports.TokenStatus{PaidThrough: open - 1}, "paid", ""},
		{reports.TokenStatus{PaidThrough: open - 2}, "closed", ""},
		{reports.TokenStatus{PaidThrough: open - 2, Accrued: true}, "accrued", ""},
		{reports.TokenStatus{PaidThrough: open - 2, Accrued: true, Declared: true}, "declared", ""},
		{reports.TokenStatus{PaidThrough: open - 3, Accrued: true, Waiting: staking.ErrFunds.In("", "of 1")}, "accrued",
			"funds"},
		{reports.TokenStatus{PaidThrough: open - 3, Accrued: true, Waiting: staking.ErrLimit.In("", "of 1")}, "accrued",
			"approval"},
		{reports.TokenStatus{PaidThrough: open - 3, Waiting: staking.ErrUndivided.In("", "of 1")}, "closed", "income"},
	} {
		if state, needs := stateOf(c.status, open); state != c.state || needs != c.needs {
			t.Errorf("%+v is %q and needs %q", c.status, state, needs)
		}
	}
}

// TestTonightAgainstTheDayBefore: in whole percents, rounded to zero.
func TestTonightAgainstTheDayBefore(t *testing.T) {
	for _, c := range []struct {
		tonight, before ledger.Amount
		want            string
	}{{100, 100, "0"}, {103, 100, "+3"}, {1039, 1000, "+3"}, {961, 1000, "−3"}, {0, 7, "−100"}, {199, 100, "+99"},
		{ledger.MaxSupply, ledger.MaxSupply / 2, "+100"}} {
		row := tokenRow{Tonight: &reports.OpenPreview{}}
		row.Tonight.Total, row.Tonight.Before, row.Tonight.BeforeKnown = c.tonight, c.before, true
		if got := row.Change(); got != c.want {
			t.Errorf("%d after %d is %s, and %s is wanted", c.tonight, c.before, got, c.want)
		}
	}
	for _, row := range []tokenRow{{}, {Tonight: &reports.OpenPreview{}}} {
		if got := row.Change(); got != "" {
			t.Errorf("nothing to compare with is %q", got)
		}
	}
}

// TestTheOverviewShowsWhatIsSafe: a break, the last backup, the last record and its checkpoint; before there are any it
// says so.
func TestTheOverviewShowsWhatIsSafe(t *testing.T) {
	o := newOffice(t)
	ctx, olga := t.Context(), o.as("olga")
	olga.get("/console").has("No entry of another ledger has left", "none is known", "none is signed", "Nothing waits")
	o.deposit("alice", "2 BNB")
	late := ledger.Entry{ID: "late", Kind: ledger.Withdrawal, At: o.clock.Now().Add(-time.Hour), Authoritative: true,
		Moves: []ledger.Move{{From: "alice", To: ledger.Custody, Asset: "BNB", Amount: 2_00000000}}}
	outcomes, err := o.books.PostAll(ctx, []ledger.Entry{late})
	o.ok(errors.Join(err, outcomes[0].Err))
	olga.get("/console").has(`<a href="/console/entries/late">late</a>`, "alice, BNB: −2 at the lowest",
		"1 thing needs somebody")

	o.settle(1)
	o.settle(2)
	o.clock.Set(4, "12:00")
	o.ok(o.books.RecordBackup(ctx, 1000))
	testkit.Must(o.books.Evidence().Make(ctx))(t)
	olga.get("/console").has("5 Mar 2026, 12:00 UTC", "through 3 Mar 2026", "none is signed")
	private, _, err := evidence.NewKey(rand.Reader, "books.example.com/softstake")
	o.ok(err)
	signer, _, err := evidence.KeySigner(private)
	o.ok(err)
	_, _, err = o.books.Evidence().Sign(ctx, signer)
	o.ok(err)
	olga.get("/console").has("signed by books.example.com/softstake").hasNot("none is signed", "none is known")
}
