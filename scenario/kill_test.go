package scenario

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/staking"
)

// yesterday is the last day that is over by the clock of the machine, which the
// program itself goes by.
func yesterday() staking.Day { return staking.DayOf(time.Now()) - 1 }

// killing kills the program at random moments, over copies of the same books.
type killing struct {
	t      *testing.T
	chance *rand.Rand
	town   Town
	books  string        // the books that are copied
	wanted string        // the rewards of an undisturbed run
	span   time.Duration // how long an undisturbed run of the program takes

	kills int // that are enough

	killedRuns, killedPosts, halfway, acked, again int
}

// TestKilled kills the program at random moments while it posts and while it
// settles, with the other running or not. When the run is then finished, the
// rewards are those of an undisturbed one, what was acknowledged is there, once,
// and the audit finds nothing.
func TestKilled(t *testing.T) {
	seed, days := Seed(t), 2
	if Long() {
		days = 4
	}
	for _, c := range []struct {
		name, kind  string
		kills, long int
		town        Town
	}{
		{"sqlite", "sqlite", 8, 200, Town{Holders: 1200, Days: days, Last: yesterday(), Changes: 300}},
		{"postgres", "postgres", 4, 50, Town{Holders: 700, Days: days, Last: yesterday(), Changes: 200}},
		{"sqlite, shares of income, campaigns and owners", "sqlite", 8, 200,
			Town{Holders: 900, Days: days + 1, Last: yesterday(), Changes: 200, Mode: staking.Share, Beside: true}},
		{"postgres, shares of income, campaigns and owners", "postgres", 4, 50,
			Town{Holders: 1500, Days: days + 1, Last: yesterday(), Changes: 200, Mode: staking.Share, Beside: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.kind == "postgres" && c.town.Mode == staking.Share && !Long() {
				t.Skip("only with SOFTSTAKE_LONG=1")
			}
			k := &killing{t: t, kills: c.kills, chance: Chance(seed, 0), town: c.town, books: NewURL(t, c.kind, true)}
			k.town.Build(t, k.books, k.chance)
			k.wanted = k.town.Undisturbed(t, k.books)
			k.measure()
			if Long() {
				k.kills = c.long
			}
			for !k.enough() {
				k.round()
			}
			t.Logf("killed %d runs, %d of them halfway, and %d posters; %d transfers acknowledged, "+
				"%d sent again and answered as the first time; an undisturbed run takes %s",
				k.killedRuns, k.halfway, k.killedPosts, k.acked, k.again, k.span.Round(time.Millisecond))
		})
	}
}

// measure runs the program undisturbed, which must come to the same as a run in this process.
func (k *killing) measure() {
	k.t.Helper()
	url, began := Copy(k.t, k.books), time.Now()
	k.finish(url)
	k.span = min(time.Since(began), time.Second) // on a slow machine a run is killed more often
	k.compare(url, &Client{})
}

// startRun starts the program to settle the town's days.
func (k *killing) startRun(url string) *Process {
	return Start(k.t, url, nil, nil, "settle", "--through", k.town.Last.String(), "--close-after", "0s")
}

// finish lets a run come to its end.
func (k *killing) finish(url string) {
	k.t.Helper()
	if err := k.startRun(url).Wait(2 * time.Minute); err != nil {
		k.t.Fatal(err)
	}
}

// enough reports whether so many were killed as the test is for, half of them runs.
func (k *killing) enough() bool {
	return k.killedRuns >= k.kills/2 && k.killedRuns+k.killedPosts >= k.kills
}

// round kills the program again and again over one copy of the books, until a run
// came to its end before it was killed, or there were enough, and looks at what is left.
func (k *killing) round() {
	k.t.Helper()
	url, client := Copy(k.t, k.books), &Client{Town: k.town, Acked: map[string]string{}}
	for ended := false; !ended && !k.enough(); {
		ended = k.strike(url, client)
	}
	k.finish(url)
	k.compare(url, client)
	k.acked, k.again = k.acked+len(client.Acked), k.again+client.Again
}

// strike starts a run, or a poster, or both, kills them at a random moment, and
// reports whether the run had ended by itself.
func (k *killing) strike(url string, client *Client) (ended bool) {
	k.t.Helper()
	var run, poster *Process
	wait := func() error { return nil }
	what := k.chance.IntN(4)
	if what > 0 {
		run = k.startRun(url)
	}
	if what < 2 {
		poster, wait = client.post(k.t, url, k.chance)
	}
	moment := time.NewTimer(time.Duration(k.chance.Int64N(int64(k.span))))
	defer moment.Stop()
	if run == nil {
		<-moment.C
	} else {
		select {
		case <-moment.C:
		case <-run.exited:
		}
	}
	if run != nil {
		killed, err := run.Kill()
		if ended = !killed; killed {
			k.killedRuns++
		}
		if ended && err == nil {
			err = run.Wait(time.Minute)
		}
		if err != nil {
			k.t.Fatal(err)
		}
	}
	if poster != nil {
		killed, err := poster.Kill()
		if err = errors.Join(err, wait()); err != nil || !killed {
			k.t.Fatalf("the poster: %v\n%s", err, poster.log)
		}
		k.killedPosts++
	}
	if run != nil && !ended && k.isHalfway(url) {
		k.halfway++
	}
	return ended
}

// isHalfway reports whether a day was begun that is not paid to its end.
func (k *killing) isHalfway(url string) bool {
	k.t.Helper()
	lines, err := Rows(k.t.Context(), url, "SELECT count(*) FROM progress "+
		"WHERE accrued_through > paid_through OR paid_through > (SELECT min(paid_through) FROM progress)")
	if err != nil {
		k.t.Fatal(err)
	}
	return lines[0] != "0"
}

// compare looks at books in which all is settled.
func (k *killing) compare(url string, client *Client) {
	k.t.Helper()
	if diff := cmp.Diff(k.wanted, k.town.rewards(k.t, url)); diff != "" {
		k.t.Errorf("the rewards of an undisturbed run, and (+) of this one:\n%s", diff)
	}
	posted := Posted(k.t, url, "client-")
	for id, at := range client.Acked {
		if posted[id] != at {
			k.t.Errorf("%s was acknowledged for %s, and is in the books for %q", id, at, posted[id])
		}
	}
	Clean(k.t, Open(k.t, url, time.Now))
	if k.t.Failed() {
		k.t.FailNow()
	}
}
