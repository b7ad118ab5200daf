package outbox_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/testkit"
)

// writerURL is the variable that makes this test's program write events until it is killed.
const writerURL, writerName = "SOFTSTAKE_TEST_OUTBOX", "SOFTSTAKE_TEST_WRITER"

// writeUntilKilled writes and numbers events. It prints the ID of each one that is committed; the context of some
// ends before that.
func writeUntilKilled(url string) {
	p, err := open(context.Background(), url, time.Now)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	go p.Sequence(context.Background(), outbox.Pace{Poll: 5 * time.Millisecond, Share: 1}, func(error) {})
	for n := 0; ; n++ {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(5+rand.IntN(200))*time.Millisecond)
		id := fmt.Sprintf("%s.%06d", os.Getenv(writerName), n)
		if err := p.write(ctx, id); err == nil {
			fmt.Println("committed", id)
		}
		cancel()
	}
}

// acknowledgements are the IDs of events that were committed, of all writers.
type acknowledgements struct {
	mu  sync.Mutex
	ids []string
}

func (a *acknowledgements) add(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids = append(a.ids, id)
}

func (a *acknowledgements) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.ids)
}

// startWriter starts a process that writes, and returns how to kill it.
func startWriter(t *testing.T, url, name string, a *acknowledgements) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerURL+"="+url, writerName+"="+name)
	out := testkit.Must(cmd.StdoutPipe())(t)
	ok(t, cmd.Start())
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if id, is := strings.CutPrefix(lines.Text(), "committed "); is {
				a.add(id)
			} else {
				t.Errorf("%s says %q", name, lines.Text())
			}
		}
	}()
	return func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		<-read
		if err := cmd.Wait(); err == nil {
			t.Errorf("%s ended by itself", name)
		}
	}
}

// TestAStalledStandby: PostgreSQL waits for a synchronous standby, which is stalled during commits; contexts of writers
// and of the sequencer end at the same time; processes that write and number are killed at random moments. No event is
// missing afterwards, none has two numbers, and no number that was read ever changes: also after the standby
// has taken over from its primary.
func TestAStalledStandby(t *testing.T) {
	rounds := 3
	if long {
		rounds = 60
	}
	primary := pgtest.New(t)
	url := testkit.Must(primary.NewDatabase(t.Context(), "books"))(t)
	standby := pgtest.Standby(t, primary)
	p := opened(t, url, time.Now)
	r, a := &reader{}, &acknowledgements{}
	for round := range rounds {
		stallRound(t, primary, standby, p, url, round, r, a)
	}
	p.numberAll(t)
	r.complete(t, p, a.ids)
	t.Logf("%d events have numbers, of %d that were acknowledged", len(r.ids), len(a.ids))
	failOver(t, primary, standby, p, r, a)
}

// stallRound stalls the standby once, under writers of which some are killed.
func stallRound(t *testing.T, primary, standby *pgtest.Server, p process, url string, round int, r *reader,
	a *acknowledgements) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var own sync.WaitGroup
	own.Go(func() { p.Sequence(ctx, outbox.Pace{Poll: 5 * time.Millisecond, Share: 1}, func(error) {}) })
	own.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			id := fmt.Sprintf("own%d.%06d", round, n)
			if err := p.write(ctx, id); err == nil {
				a.add(id)
			} else if ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	killed := startWriter(t, url, fmt.Sprintf("killed%d", round), a)
	other := startWriter(t, url, fmt.Sprintf("other%d", round), a)
	await(t, "events", func() bool { return a.count() >= 40*(round+1) })
	ok(t, standby.Pause(t.Context()))
	ok(t, primary.AwaitStalled(t.Context(), 3))
	ok(t, r.read(t.Context(), p))
	cancel() // of a writer and of a sequencer whose commits wait
	killed()
	ok(t, r.read(t.Context(), p))
	if round%2 == 0 {
		other() // while the standby is stalled
	}
	ok(t, standby.Resume())
	own.Wait()
	if round%2 == 1 {
		other()
	}
	ok(t, r.read(t.Context(), p))
}

// failOver ends the primary while its standby has not received what it shows, and goes on with the standby.
func failOver(t *testing.T, primary, standby *pgtest.Server, p process, r *reader, a *acknowledgements) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ok(t, standby.Pause(t.Context()))
	var lost sync.WaitGroup
	lost.Go(func() {
		if err := p.write(ctx, "lost.1"); err == nil {
			t.Error("a commit that the standby has not received succeeds")
		}
	})
	ok(t, primary.AwaitStalled(t.Context(), 1))
	cancel()
	lost.Wait() // now the primary shows it all the same
	await(t, "it to be visible", func() bool { return testkit.Must(p.State(t.Context()))(t).Waiting == 1 })
	ctx, cancel = context.WithCancel(t.Context())
	numbered := make(chan error, 1)
	go func() {
		_, err := p.Number(ctx)
		numbered <- err
	}()
	ok(t, primary.AwaitStalled(t.Context(), 1))
	cancel()
	select {
	case err := <-numbered:
		t.Errorf("numbers are given without the standby: %v", err)
	case <-time.After(300 * time.Millisecond): // it waits for what does not come
	}
	ok(t, r.read(t.Context(), p))
	ok(t, primary.StopNow(t.Context()))
	if err := <-numbered; err == nil {
		t.Error("numbers are given by a server that is gone")
	}
	ok(t, standby.Promote(t.Context()))
	next := opened(t, standby.URL("books"), time.Now)
	ok(t, r.read(t.Context(), next))
	for n := range 5 {
		id := fmt.Sprintf("after.%d", n)
		ok(t, next.write(t.Context(), id))
		a.add(id)
	}
	r.complete(t, next, a.ids)
	if r.seen["lost.1"] != 0 {
		t.Error("the standby has what it had not received: nothing was tried")
	}
}

// await waits until something is true.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatal(errors.New("waited for a minute for " + what))
		}
		time.Sleep(5 * time.Millisecond)
	}
}
