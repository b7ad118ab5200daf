package comparison_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/softstake/softstake/comparison"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// otherLedger is an endpoint that says what a ledger has: text, or an error where it is "".
type otherLedger struct {
	text    atomic.Value
	refuses atomic.Value // a day as a text
	stop    atomic.Pointer[context.CancelFunc]
	asked   atomic.Int64
}

func (o *otherLedger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.asked.Add(1)
	if stop := o.stop.Load(); stop != nil {
		(*stop)()
		<-r.Context().Done()
		return
	}
	refused := r.URL.Query().Get("day") == o.refuses.Load()
	if text, _ := o.text.Load().(string); !refused && text != "" && r.Header.Get("Authorization") == "Bearer secret" {
		fmt.Fprint(w, "account,asset,balance\n"+text)
		return
	}
	http.Error(w, "no", http.StatusInternalServerError)
}

// TestTheNight: once each day has closed the books are compared with what they name, a failure is retried with backoff,
// and a token that was stopped is compared at the end of its own last day, which releases it.
func TestTheNight(t *testing.T) {
	n := newNights(t)
	const same, wrong = "alice,BNB,0.00000005\n", "alice,BNB,1\n"
	n.other.text.Store(same)
	n.night(2, "00:10", false, "") // no source is set
	must(t, n.books.SetComparisonSource(t.Context(), store.ComparisonSource{Endpoint: n.server}))
	must(t, n.books.SetComparisonLimit(t.Context(), store.ComparisonLimit{Amount: 0, Accounts: store.AnyDifference}))
	n.night(2, "00:11", true, "")
	n.night(2, "00:12", false, "") // once
	n.compared("day 1, 4 tokens, 0 differ")

	n.other.text.Store("")
	n.night(3, "00:10", false, "500")
	n.night(3, "00:10", false, "") // not at once
	n.night(3, "00:11", false, "500")
	n.night(3, "00:12", false, "")
	n.other.text.Store(wrong)
	n.night(3, "00:13", true, "")
	n.compared("day 2, 4 tokens, 1 differ", "day 1, 4 tokens, 0 differ")
	state := testkit.Must(n.reports.ComparisonState(t.Context()))(t)
	if state.Schedule != (store.ComparisonSchedule{}) {
		t.Errorf("it is %+v, though it is done", state.Schedule)
	}

	// BNB waits from Day 3 on: the others go on. A day that fails does not hold up the other one.
	n.other.refuses.Store((n.books.FirstDay() + 3).String())
	n.night(5, "00:10", true, "500")
	n.compared("day 3, 1 tokens, 1 differ", "day 2, 4 tokens, 1 differ", "day 1, 4 tokens, 0 differ")
	n.other.refuses.Store("")
	n.night(5, "00:11", true, "")
	n.compared("day 4, 3 tokens, 0 differ", "day 3, 1 tokens, 1 differ", "day 2, 4 tokens, 1 differ",
		"day 1, 4 tokens, 0 differ")
	n.other.text.Store(same)
	n.night(6, "00:10", true, "")
	n.night(6, "00:11", true, "") // all days of BNB are paid: it is compared at the end of the last one
	n.night(6, "00:12", false, "")
	for _, s := range testkit.Must(n.reports.TokenStatus(t.Context()))(t) {
		if s.Waiting != nil {
			t.Errorf("%s waits: %v", s.Asset, s.Waiting)
		}
	}
	asked := n.other.asked.Load()
	must(t, n.books.SetComparisonSource(t.Context(), store.ComparisonSource{}))
	n.night(7, "00:10", false, "")
	if n.other.asked.Load() != asked {
		t.Error("it was asked, though it is off")
	}
	_, err := comparison.Scheduled(t.Context(), n.books, comparison.Reach{}, false)
	if !errors.Is(err, ledger.ErrInvalid) || ledger.ReasonOf(err) != comparison.ReasonNoSource {
		t.Error(err)
	}
}

// TestEachDayIsComparedBeforeItIsPaid where the limit says so: what waits is compared in the same night, day by day.
func TestEachDayIsComparedBeforeItIsPaid(t *testing.T) {
	n := newNights(t)
	must(t, n.books.SetComparisonSource(t.Context(), store.ComparisonSource{Endpoint: n.server}))
	must(t, n.books.SetComparisonLimit(t.Context(), store.ComparisonLimit{Asset: "BNB", Amount: 0,
		Accounts: store.AnyDifference, Waits: true}))
	n.night(4, "00:10", false, "500") // Days 1 to 3 are closed
	paid := func(through string) {
		t.Helper()
		for _, s := range testkit.Must(n.reports.TokenStatus(t.Context()))(t) {
			if s.Asset == "BNB" && fmt.Sprint(int(s.PaidThrough-n.books.FirstDay()+1), ", ", s.Waiting) != through {
				t.Fatalf("BNB is paid through %d, %v, not %s", s.PaidThrough-n.books.FirstDay()+1, s.Waiting, through)
			}
		}
	}
	paid("0, it is not compared with the other ledger yet: the end of " + n.books.FirstDay().String())
	n.other.text.Store("alice,BNB,0.00000005\n")
	n.night(4, "00:12", true, "")
	n.night(4, "00:13", true, "")
	n.night(4, "00:14", true, "")
	n.night(4, "00:15", false, "")
	paid("3, <nil>")
	n.compared("day 3, 1 tokens, 0 differ", "day 2, 1 tokens, 0 differ", "day 1, 1 tokens, 0 differ",
		"day 3, 3 tokens, 0 differ")
}

// TestASourceThatWasReplacedDoesNotCount as the nightly one: the next attempt reads the new one.
func TestASourceThatWasReplacedDoesNotCount(t *testing.T) {
	n := newNights(t)
	n.other.text.Store("alice,BNB,0.00000005\n")
	replaced := store.ComparisonSource{Endpoint: n.server}
	var once sync.Once
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() {
			if err := n.books.SetComparisonSource(context.WithoutCancel(r.Context()), replaced); err != nil {
				t.Error(err)
			}
		})
		n.other.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	must(t, n.books.SetComparisonSource(t.Context(), store.ComparisonSource{Endpoint: server.URL}))
	n.night(2, "00:10", false, "was set again")
	n.compared()
	n.night(2, "00:11", true, "")
	n.compared("day 1, 4 tokens, 0 differ")
}

// TestAStopForgetsNoFailure: a process that is stopped while it compares lets another one begin at once, and since when
// it fails and how often stays known.
func TestAStopForgetsNoFailure(t *testing.T) {
	n := newNights(t)
	schedule := func() store.ComparisonSchedule {
		return testkit.Must(n.reports.ComparisonState(t.Context()))(t).Schedule
	}
	must(t, n.books.SetComparisonSource(t.Context(), store.ComparisonSource{Endpoint: n.server}))
	n.night(2, "00:10", false, "500")
	failed := schedule()
	n.clock.Set(2, "00:11")
	ctx, stop := context.WithCancel(t.Context())
	n.other.stop.Store(&stop)
	done, err := comparison.Night(ctx, n.books, comparison.Reach{Token: "secret"}, slog.New(slog.DiscardHandler))
	if done || err != nil || ctx.Err() == nil {
		t.Fatalf("when it is stopped: %v, %v", done, err)
	}
	want := failed
	want.Until = time.Time{}
	if s := schedule(); s != want || s.Tries != 1 {
		t.Errorf("after the stop it is %+v, not %+v", s, want)
	}
	n.other.stop.Store(nil)
	n.other.text.Store("alice,BNB,0.00000005\n")
	n.night(2, "00:11", true, "")
	if s := schedule(); s != (store.ComparisonSchedule{}) {
		t.Errorf("it is %+v, though it is done", s)
	}
}

// nights are books in which alice has 5 units of BNB, and an endpoint of another ledger.
type nights struct {
	*testing.T
	books   *store.DB
	reports *reports.Reports
	clock   *testkit.Clock
	other   *otherLedger
	server  string
}

func newNights(t *testing.T) *nights {
	t.Helper()
	clock := testkit.NewClock(testkit.Moment(1, "12:00"))
	n := &nights{T: t, books: books(t, clock), clock: clock, other: &otherLedger{}}
	n.reports = reports.New(n.books.Reader())
	server := httptest.NewServer(n.other)
	t.Cleanup(server.Close)
	n.server = server.URL
	testkit.Must(n.books.OpenAccount(t.Context(), "alice", ""))(t)
	deposit := ledger.Entry{ID: "d", Kind: ledger.Deposit, Moves: []ledger.Move{{From: ledger.Custody, To: "alice",
		Asset: "BNB", Amount: 5}}}
	must(t, testkit.Must(n.books.Post(t.Context(), []ledger.Entry{deposit}))(t)[0].Err)
	return n
}

// night runs what is due at a time of a day, and makes the nightly comparison.
func (n *nights) night(day int, at string, wantDone bool, wantFault string) {
	n.Helper()
	n.clock.Set(day, at)
	testkit.Must(staking.Run(n.Context(), n.books, n.clock.Now(), staking.Options{Workers: 1}))(n.T)
	done, err := comparison.Night(n.Context(), n.books, comparison.Reach{Token: "secret"}, slog.New(slog.DiscardHandler))
	if done != wantDone || (err == nil) != (wantFault == "") || err != nil && !strings.Contains(err.Error(), wantFault) {
		n.Fatalf("day %d, %s: done %v, %v", day, at, done, err)
	}
}

// compared compares what was compared so far, the newest first, with what is wanted.
func (n *nights) compared(want ...string) {
	n.Helper()
	var got []string
	for _, c := range testkit.Must(n.reports.Comparisons(n.Context(), 0, 100))(n.T) {
		got = append(got, fmt.Sprintf("day %d, %d tokens, %d differ", int(c.Day-n.books.FirstDay())+1, len(c.Tokens),
			c.Differing()))
	}
	if !slices.Equal(got, want) {
		n.Fatalf("compared is %q, not %q", got, want)
	}
}

// TestFiguresOfAnotherDayAreRefused, and days whose balances may still change.
func TestFiguresOfAnotherDayAreRefused(t *testing.T) {
	clock := testkit.NewClock(testkit.Moment(1, "12:00"))
	db := books(t, clock)
	rs, assets := reports.New(db.Reader()), ledger.BySymbol(testkit.Must(db.Assets(t.Context()))(t))
	clock.Set(3, "00:10")
	testkit.Must(staking.Run(t.Context(), db, clock.Now(), staking.Options{Workers: 1}))(t)
	first := db.FirstDay()
	for day, want := range map[staking.Day]bool{first - 1: false, first: true, first + 1: true, first + 2: false} {
		read := func(text string) error {
			_, err := comparison.Whole.Make(t.Context(), rs, day, assets,
				func(_ context.Context, _ staking.Day, a map[string]ledger.Asset) (reconcile.Figures, error) {
					return reconcile.Read(strings.NewReader(text), a)
				})
			return err
		}
		if err := read("account,asset,balance\n"); (err == nil) != want || err != nil && !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%s: %v", day, err)
		}
		if err := read(`{"payouts":"` + (day - 1).String() + `"}`); (err == nil) != want {
			t.Errorf("%s: %v", day, err)
		}
		if err := read(`{"payouts":"` + day.String() + `"}`); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%s: payouts of that day: %v", day, err)
		}
	}
}
