package scenario

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// race is transfers and runs at once: nobody waits for anybody.
type race struct {
	t       *testing.T
	town    Town
	url     string
	clock   *testkit.Clock
	posting []*store.DB
	running []*store.DB

	closed           atomic.Int32 // the last day whose closing has ended
	posted           atomic.Int64 // acknowledged
	closedOut, short atomic.Int64 // refused, because the day was closed, or for want of tokens

	mu    sync.Mutex
	acked map[string]string // when each counts, by ID
}

// TestRunsRaceWithTransfers closes and pays day after day, with two runs at once,
// while others post without a pause, much of it dated yesterday: no entry lands in
// a closed day, none is lost, nothing fails, and neither side waits for the other.
func TestRunsRaceWithTransfers(t *testing.T) {
	seed := Seed(t)
	for _, c := range []struct {
		kind      string
		processes int  // as if: each with connections of its own
		late      bool // whether all is dated yesterday
		long      bool // in the long tests alone
	}{
		{"sqlite", 1, true, false}, {"sqlite", 2, false, false}, {"postgres", 6, true, false},
		{"postgres", 2, false, false},
		{"sqlite", 1, false, true}, {"sqlite", 2, true, true}, {"postgres", 1, false, true},
		{"postgres", 1, true, true},
	} {
		if c.long && !Long() {
			continue
		}
		t.Run(fmt.Sprintf("%s from %d, late %t", c.kind, c.processes, c.late), func(t *testing.T) {
			r := &race{
				t: t, town: Town{Holders: 600, Days: 1, Last: Day1}, url: NewURL(t, c.kind, true),
				clock: testkit.NewClock(Day1.Start()), acked: map[string]string{},
			}
			r.closed.Store(int32(Day1) - 1)
			if err := r.town.create(t, r.url, r.clock).Close(); err != nil {
				t.Fatal(err)
			}
			for range c.processes {
				r.posting = append(r.posting, Open(t, r.url, r.clock.Now))
			}
			r.running = []*store.DB{r.posting[0], r.posting[c.processes-1]}
			r.run(seed, c.late)
		})
	}
}

// run lets both sides go for a while, and then looks at the books.
func (r *race) run(seed uint64, late bool) {
	posters, days, atLeast := 6, staking.Day(2), 500*time.Millisecond // a longer race is repetition
	if late {
		posters = 16
	}
	if Long() {
		days, atLeast = 3, 20*time.Second
	}
	ctx, stop := context.WithCancel(r.t.Context())
	var sides sync.WaitGroup
	for n := range posters {
		sides.Go(func() { r.post(ctx, n, Chance(seed, uint64(n)), late) })
	}
	began, rows := time.Now(), map[staking.Day][]string{}
	var during int64
	var longest time.Duration
	for d := Day1; !r.t.Failed() && (d < Day1+days || time.Since(began) < atLeast); d++ {
		r.clock.Forward((d + 1).Start().Add(closeAfter))
		r.awaitPosts(100)
		before, start := r.posted.Load()+r.closedOut.Load(), time.Now()
		r.settle(d)
		longest = max(longest, time.Since(start))
		during += r.posted.Load() + r.closedOut.Load() - before
		rows[d] = r.rowsOf(d)
	}
	stop()
	sides.Wait()
	took := time.Since(began)
	r.t.Logf("%d days settled, the longest in %s; %d transfers taken (%d a second), %d too late, %d short of tokens; "+
		"%d answered while a run was in flight",
		len(rows), longest.Round(time.Millisecond), r.posted.Load(), r.posted.Load()*1000/max(took.Milliseconds(), 1),
		r.closedOut.Load(), r.short.Load(), during)
	if during == 0 {
		r.t.Error("no transfer was answered while a run was in flight")
	}
	for d, before := range rows {
		if after := r.rowsOf(d); fmt.Sprint(after) != fmt.Sprint(before) {
			r.t.Errorf("%s: its postings were %v when it was closed, and are %v", d, before, after)
		}
	}
	compareAcked(r.t, r.acked, Posted(r.t, r.url, "race-"), false)
	Clean(r.t, r.running[0])
}

// settle lets two runs settle a day at once; each must end well, and soon.
func (r *race) settle(d staking.Day) {
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	var runs sync.WaitGroup
	for n, db := range r.running {
		runs.Go(func() {
			report, err := staking.Run(ctx, db, r.clock.Now(),
				staking.Options{Workers: 2, Start: n * ledger.Buckets / 2})
			if err != nil || len(report.Waiting) > 0 {
				r.t.Errorf("settle %s: %v, waiting %v", d, err, report.Waiting)
			}
		})
	}
	runs.Wait()
	r.closed.Store(int32(d))
}

// rowsOf is how many postings a day has, and their sum without signs.
func (r *race) rowsOf(d staking.Day) []string {
	lines, err := Rows(context.Background(), r.url,
		fmt.Sprintf("SELECT count(*), coalesce(sum(abs(amount)), 0) FROM postings WHERE day = %d", d))
	if err != nil {
		r.t.Error(err)
	}
	return lines
}

// awaitPosts waits until so many more transfers were acknowledged.
func (r *race) awaitPosts(n int64) {
	r.t.Helper()
	until := r.posted.Load() + n
	ok := eventually(20*time.Second, func() bool { return r.posted.Load() >= until || r.t.Failed() })
	if !ok {
		r.t.Errorf("fewer than %d transfers were taken in 20 seconds", n)
	}
}

// eventually polls a condition until it holds, or for so long.
func eventually(within time.Duration, holds func() bool) bool {
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if holds() {
			return true
		}
	}
	return holds()
}

// post posts until the context ends, some entries at a time, dated now, earlier
// today or yesterday; if late is set, always one alone and dated yesterday.
func (r *race) post(ctx context.Context, n int, chance *rand.Rand, late bool) {
	db := r.posting[n%len(r.posting)]
	for i := 0; ctx.Err() == nil && !r.t.Failed(); i++ {
		count := 1 + chance.IntN(20)
		if late {
			count = 1
		}
		entries := make([]ledger.Entry, count)
		for j := range entries {
			entries[j] = r.town.Transfer(fmt.Sprintf("race-%d-%d-%d", n, i, j), chance)
			switch k := chance.IntN(3); {
			case late || k == 0:
				yesterday := staking.DayOf(r.clock.Now()) - 1
				entries[j].At = yesterday.Start().
					Add(time.Duration(chance.Int64N(staking.DayMillis)) * time.Millisecond)
			case k == 1:
				entries[j].At = r.clock.Now()
			}
			if late && i%4 == 0 { // else nothing would be taken when yesterday is closed
				entries[j].At = time.Time{}
			}
		}
		closed := staking.Day(r.closed.Load())
		outcomes, err := db.Post(context.Background(), entries)
		if err != nil {
			r.t.Error(err)
			return
		}
		r.take(entries, outcomes, closed)
	}
}

// take keeps what was acknowledged. closed is the last day that was closed before
// the entries were given to Post.
func (r *race) take(entries []ledger.Entry, outcomes []store.Outcome, closed staking.Day) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, o := range outcomes {
		switch {
		case errors.Is(o.Err, ledger.ErrDayClosed):
			r.closedOut.Add(1)
		case errors.Is(o.Err, ledger.ErrInsufficient):
			r.short.Add(1)
		case o.Err != nil || o.Repeated:
			r.t.Errorf("%s: repeated %t, %v", entries[i].ID, o.Repeated, o.Err)
		case staking.DayOf(o.At) <= closed:
			r.t.Errorf("%s was taken for %s, after %s was closed", entries[i].ID, o.At, closed)
		default:
			r.posted.Add(1)
			r.acked[entries[i].ID] = strconv.FormatInt(o.At.UnixMilli(), 10)
		}
	}
}

// compareAcked shows that what was acknowledged is in the books as it was
// acknowledged; and nothing else, unless somebody was stopped before an answer.
func compareAcked(t *testing.T, acked, posted map[string]string, stopped bool) {
	t.Helper()
	for id, at := range acked {
		if posted[id] != at {
			t.Errorf("%s was acknowledged for %s, and is in the books for %q", id, at, posted[id])
		}
	}
	for id := range posted {
		if acked[id] == "" && !stopped {
			t.Errorf("%s is in the books, and was not acknowledged", id)
		}
	}
}

// TestRunsRaceWithCorrections corrects the terms of a day while two runs settle
// it: it is paid once, by the one terms or by the other. They differ in whether the accounts of
// an owner share the limits, so that what owners held is summed before a correction and after.
func TestRunsRaceWithCorrections(t *testing.T) {
	seed, days := Seed(t), 2
	if Long() {
		days = 4
	}
	for _, kind := range Databases {
		t.Run(kind, func(t *testing.T) {
			town := Town{Holders: 1000, Days: days, Last: Day1 + staking.Day(days) - 1, Changes: 300, Beside: true}
			url := NewURL(t, kind, false)
			town.Build(t, url, Chance(seed, 0))
			clock := testkit.NewClock((town.Last + 1).Start().Add(time.Hour))
			a, b := Open(t, url, clock.Now), Open(t, url, clock.Now)
			steps := make(chan staking.Step, 1)
			o := town.Options()
			o.Progress = func(s staking.Step) {
				select {
				case steps <- s:
				default:
				}
			}
			var runs, person sync.WaitGroup
			var inTime, tooLate int
			person.Go(func() { inTime, tooLate = correctTerms(t, a, steps, Chance(seed, 1)) })
			for _, db := range []*store.DB{a, b} {
				runs.Go(func() { runUntilDone(t, db, clock.Now(), o) })
			}
			runs.Wait()
			close(steps)
			person.Wait()
			t.Logf("%d corrections were in time, %d too late", inTime, tooLate)
			Clean(t, a)
		})
	}
}

// correctTerms corrects the terms of the day of some steps of a run, a few times a day.
func correctTerms(t *testing.T, db *store.DB, steps <-chan staking.Step, chance *rand.Rand) (inTime, tooLate int) {
	asset, err := db.Asset(t.Context(), "BNB")
	if err != nil {
		t.Error(err)
		return 0, 0
	}
	tries := map[staking.Day]int{}
	for s := range steps {
		if tries[s.Day]++; tries[s.Day] > 12 {
			continue
		}
		terms, err := staking.ParseTerms(asset, s.Day, fmt.Sprintf("0.%04d", chance.IntN(10_000)), "0.5",
			[]string{"120", "400", "1000"}[chance.IntN(3)]) // an owner has three accounts of 100 to 200
		terms.PerOwner, terms.Measure = chance.IntN(3) > 0, staking.Measure(chance.IntN(2))
		if err == nil {
			err = db.CorrectTerms(t.Context(), s.Day, terms, "a race")
		}
		switch {
		case errors.Is(err, ledger.ErrInvalid): // declared
			tooLate++
		case err != nil:
			t.Error(err)
		default:
			inTime++
		}
	}
	return inTime, tooLate
}

// runUntilDone runs as the scheduler does: again, after an error.
func runUntilDone(t *testing.T, db *store.DB, now time.Time, o staking.Options) {
	var err error
	if !eventually(60*time.Second, func() bool {
		_, err = staking.Run(t.Context(), db, now, o)
		return err == nil
	}) {
		t.Errorf("the run does not succeed: %v", err)
	}
}

// TestRunsRaceWithEachOther settles days with shares of income, campaigns and owners in two runs at
// once, each with connections of its own: they pay what one run pays.
func TestRunsRaceWithEachOther(t *testing.T) {
	seed, rounds := Seed(t), 1
	if Long() {
		rounds = 10
	}
	for _, kind := range Databases {
		t.Run(kind, func(t *testing.T) {
			town := Town{Holders: 300, Days: 4, Last: Day1 + 3, Changes: 100, Mode: staking.Share, Beside: true}
			books := NewURL(t, kind, true)
			town.Build(t, books, Chance(seed, 0))
			wanted := town.Undisturbed(t, books)
			for range rounds {
				url, clock := Copy(t, books), testkit.NewClock((town.Last + 1).Start().Add(time.Hour))
				dbs := []*store.DB{Open(t, url, clock.Now), Open(t, url, clock.Now)}
				var runs sync.WaitGroup
				for _, db := range dbs {
					runs.Go(func() { runUntilDone(t, db, clock.Now(), town.Options()) })
				}
				runs.Wait()
				if diff := cmp.Diff(wanted, town.rewards(t, url)); diff != "" {
					t.Errorf("the rewards of one run, and (+) of two at once:\n%s", diff)
				}
				Clean(t, dbs[0])
			}
		})
	}
}
