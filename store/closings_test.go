package store_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// eachClosing runs a test on new books in which days take late entries for so long.
func eachClosing(t *testing.T, after time.Duration,
	test func(t *testing.T, db *store.DB, url string, clock *testkit.Clock)) {
	t.Helper()
	for _, kind := range scenario.Databases {
		t.Run(kind, func(t *testing.T) {
			clock, b := testkit.NewClock(noon), shipped(t, day1)
			b.CloseAfter = after
			url := scenario.Books(t, kind, options(clock), b)
			test(t, opened(t, url, clock), url, clock)
		})
	}
}

// TestDaysCloseAsTheBooksSay, whoever wants to close them: late entries are taken until then.
func TestDaysCloseAsTheBooksSay(t *testing.T) {
	eachClosing(t, 2*time.Hour, func(t *testing.T, db *store.DB, url string, clock *testkit.Clock) {
		ctx := t.Context()
		other := testkit.Must(store.Open(ctx, url, options(clock)))(t)
		closeAfter(t, other)
		open(t, db, "alice")
		clock.Set(2, "01:59:59")
		wants(t, other.CloseDays(ctx, day1, clock.Now()), ledger.ErrInvalid)
		// Its caller's clock does not count.
		wants(t, other.CloseDays(ctx, day1, testkit.Moment(3, "00:00")), ledger.ErrInvalid)
		if r := settle(t, other, clock); r.Closed != day1-1 || !r.Next.Equal(testkit.Moment(2, "02:00")) {
			t.Errorf("the run: %+v", r)
		}
		deposit(t, db, "late", "alice", 1, bnb, noon)
		clock.Set(2, "02:00")
		if r := settle(t, other, clock); r.Closed != day1 || !r.Next.Equal(testkit.Moment(3, "02:00")) {
			t.Errorf("the run: %+v", r)
		}
		wants(t, refusal(db.Post(ctx, []ledger.Entry{{ID: "too-late", Kind: ledger.Deposit, At: noon,
			Moves: oneBNB(ledger.Custody, "alice")}})), ledger.ErrDayClosed)
		if s := testkit.Must(reports.New(db.Reader()).Status(ctx))(t); !s.ClosesAt.Equal(testkit.Moment(3, "02:00")) {
			t.Errorf("the status says %s", s.ClosesAt)
		}
	})
}

// TestSettingWhenDaysClose holds from a day on, in every process at once.
func TestSettingWhenDaysClose(t *testing.T) {
	eachClosing(t, 5*time.Minute, func(t *testing.T, db *store.DB, url string, clock *testkit.Clock) {
		ctx := t.Context()
		running := testkit.Must(store.Open(ctx, url, options(clock)))(t)
		closeAfter(t, running)
		set := func(day int, after time.Duration) error {
			return db.SetCloseAfter(ctx, staking.Closing{From: day1 + staking.Day(day-1), After: after})
		}
		clock.Set(2, "00:04")
		ok(t, set(1, 3*time.Hour)) // it takes late entries still
		ok(t, set(1, 2*time.Hour))
		ok(t, set(1, 2*time.Hour))
		ok(t, set(3, 10*time.Minute))
		clock.Set(2, "00:06")
		if r := settle(t, running, clock); r.Closed != day1-1 {
			t.Errorf("closed through %s", r.Closed)
		}
		clock.Set(2, "02:00")
		wants(t, set(1, 4*time.Hour), ledger.ErrInvalid) // it may be closed, and is not
		settle(t, running, clock)
		wants(t, set(1, 4*time.Hour), ledger.ErrInvalid)
		wants(t, set(2, 24*time.Hour), ledger.ErrInvalid)
		wants(t, set(2, -1), ledger.ErrInvalid)
		clock.Set(4, "00:09")
		if r := settle(t, running, clock); r.Closed != day1+1 {
			t.Errorf("closed through %s", r.Closed)
		}
		clock.Set(4, "00:10")
		if r := settle(t, running, clock); r.Closed != day1+2 {
			t.Errorf("closed through %s", r.Closed)
		}
		want := staking.Closings{{From: day1, After: 2 * time.Hour}, {From: day1 + 2, After: 10 * time.Minute}}
		if got := testkit.Must(running.Closings(ctx))(t); !slices.Equal(got, want) {
			t.Errorf("the books say %v", got)
		}
		var details []string
		for _, l := range testkit.Must(reports.New(db.Reader()).Log(ctx, time.Time{}, 100))(t) {
			if l.Action == "days set-close-after" {
				details = append(details, l.Detail)
			}
		}
		if len(details) != 3 || !strings.Contains(strings.Join(details, "\n"), "2h0m0s from 2026-03-02; it was 3h0m0s") {
			t.Errorf("the log says %q", details)
		}
		audited(t, db)
	})
}

// TestAClosingAndItsChangeWaitForEachOther: the closing that comes later goes by the change.
func TestAClosingAndItsChangeWaitForEachOther(t *testing.T) {
	clock := testkit.NewClock(noon)
	url := scenario.Books(t, "postgres", options(clock), shipped(t, day1))
	db := opened(t, url, clock)
	clock.Set(2, "00:00")
	testkit.Must(db.Exec(t.Context(), "SELECT 1"))(t)
	g := shut(t, url, "UPDATE close_after SET set_at = set_at")
	closed := make(chan error, 1)
	go func() { closed <- db.CloseDays(t.Context(), day1, clock.Now()) }()
	g.waiting(1)
	g.do("INSERT INTO close_after (from_day, revision, millis, set_at) VALUES ($1, 2, 60000, 0)", int64(day1))
	g.do("COMMIT")
	wants(t, <-closed, ledger.ErrInvalid)
}
