package scenario

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// TestPostgresStops stops PostgreSQL at once, as a crash would, in the middle of a
// run and of postings, and starts it again. The run resumes and comes to the same
// figures; what was acknowledged is there.
func TestPostgresStops(t *testing.T) {
	stops := 3
	if Long() {
		stops = 15
	}
	seed := Seed(t)
	town := Town{Holders: 1500, Days: 4, Last: yesterday(), Changes: 100}
	same := NewURL(t, "sqlite", false)
	town.Build(t, same, Chance(seed, 0))
	wanted := town.Undisturbed(t, same)

	server := pgtest.New(t)
	url, err := server.NewDatabase(t.Context(), "town")
	if err != nil {
		t.Fatal(err)
	}
	town.Build(t, url, Chance(seed, 0))
	db := Open(t, url, time.Now)

	var steps atomic.Int64
	o := town.Options()
	o.Progress = func(staking.Step) { steps.Add(1) }
	acked := map[string]string{}
	ctx, enough := context.WithCancel(t.Context())
	var sides sync.WaitGroup
	sides.Go(func() { postUntil(ctx, t, db, town, Chance(seed, 1), acked) })
	var running sync.WaitGroup
	running.Go(func() { runUntilDone(t, db, time.Now(), o) })
	chance := Chance(seed, 2)
	for n := range stops {
		at := steps.Load() + 1 + chance.Int64N(80/int64(stops))
		if !eventually(time.Minute, func() bool { return steps.Load() >= at }) {
			t.Errorf("the run stands at step %d", steps.Load())
		}
		t.Logf("stop %d: at step %d of the run", n+1, steps.Load())
		if err := server.StopNow(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	running.Wait()
	enough()
	sides.Wait()
	if diff := cmp.Diff(wanted, town.rewards(t, url)); diff != "" {
		t.Errorf("the rewards of an undisturbed run, and (+) of this one:\n%s", diff)
	}
	t.Logf("%d transfers acknowledged", len(acked))
	compareAcked(t, acked, Posted(t, url, "stop-"), true)
	Clean(t, db)
}

// postUntil posts until the context ends. What fails is posted again as it is,
// until the books answer.
func postUntil(ctx context.Context, t *testing.T, db *store.DB, town Town, chance *rand.Rand, acked map[string]string) {
	for n := 0; ctx.Err() == nil; n++ {
		entries := make([]ledger.Entry, 1+chance.IntN(50))
		for i := range entries {
			entries[i] = town.Transfer("stop-"+strconv.Itoa(n)+"-"+strconv.Itoa(i), chance)
		}
		var outcomes []store.Outcome
		var err error
		if !eventually(time.Minute, func() bool {
			outcomes, err = db.Post(context.Background(), entries)
			return err == nil
		}) {
			t.Errorf("posting does not succeed: %v", err)
			return
		}
		for i, o := range outcomes {
			if o.Err == nil {
				acked[entries[i].ID] = strconv.FormatInt(o.At.UnixMilli(), 10)
			}
		}
	}
}
