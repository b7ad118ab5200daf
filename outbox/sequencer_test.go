package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/store/schema"
	"github.com/softstake/softstake/testkit"
)

// Two processes, whose clocks differ, write and number at the same time, while a third one reads: the numbers are
// dense, none changes, and each writer's events are in order.
func TestNumbersAreDense(t *testing.T) {
	const writers, writes = 4, 60
	each(t, func(t *testing.T, url string) {
		one := opened(t, url, func() time.Time { return testkit.Noon })
		two := opened(t, url, func() time.Time { return testkit.Noon.Add(-time.Hour) })
		var writing, beside sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		r := &reader{}
		for _, p := range []process{one, two} {
			beside.Go(func() {
				p.Sequence(ctx, outbox.Pace{Poll: time.Millisecond, Share: 1}, func(err error) {
					if err != nil {
						t.Error(err)
					}
				})
			})
		}
		beside.Go(func() {
			for ctx.Err() == nil {
				numbered := two.Wait()
				if err := r.read(ctx, two); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
				select {
				case <-numbered:
				case <-ctx.Done():
				}
			}
		})
		var acknowledged []string
		for w := range writers {
			p := []process{one, two}[w%2]
			for n := range writes {
				acknowledged = append(acknowledged, fmt.Sprintf("%d.%04d", w, n))
			}
			writing.Go(func() {
				for n := range writes {
					if err := p.write(ctx, fmt.Sprintf("%d.%04d", w, n)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writing.Wait()
		stop()
		beside.Wait()
		r.complete(t, one, acknowledged)
		if len(r.ids) != writers*writes {
			t.Errorf("%d events", len(r.ids))
		}
	})
}

// A transaction that is committed after later ones have their numbers gets the next one; one that is rolled back
// leaves no gap.
func TestALateEventGetsTheNextNumber(t *testing.T) {
	t.Run("postgres", func(t *testing.T) { // SQLite has one writer
		p := opened(t, onPostgres(t), func() time.Time { return testkit.Noon })
		for _, outcome := range []error{nil, errors.New("rolled back")} {
			written, end := make(chan struct{}), make(chan struct{})
			done := make(chan error)
			go func() {
				done <- p.Write(t.Context(), func(tx db.Tx) (outbox.Records, error) {
					// The row is there before the others', and is committed after them.
					_, err := tx.Exec("INSERT INTO outbox (bucket, at, nonce, body) VALUES (0, 1, $1, $2)",
						fmt.Sprint("late", outcome), event("late")[0])
					close(written)
					<-end
					return nil, errors.Join(err, outcome)
				})
			}()
			<-written
			before := testkit.Must(p.Newest(t.Context()))(t)
			ok(t, p.write(t.Context(), "early"))
			p.numberAll(t)
			close(end)
			if err := <-done; !errors.Is(err, outcome) {
				t.Error(err)
			}
			ok(t, p.write(t.Context(), "last"))
			p.numberAll(t)
			var got []string
			for _, e := range testkit.Must(p.After(t.Context(), before, 10))(t) {
				got = append(got, e.Entries[0].ID)
			}
			want := "[early late last]"
			if outcome != nil {
				want = "[early last]"
			}
			if fmt.Sprint(got) != want {
				t.Errorf("%v: the events are %v", outcome, got)
			}
		}
	})
}

// Many events without numbers, as after an upgrade or while nobody served: they get them batch by batch, by time.
func TestManyEventsAreNumbered(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		p := opened(t, url, func() time.Time { return testkit.Noon })
		const many = 2500
		numbers := make([]int64, many)
		for i := range numbers {
			numbers[i] = int64(i)
		}
		ok(t, p.db.Write(t.Context(), func(tx db.Tx) error {
			return tx.Insert("outbox", db.SetOf(numbers,
				db.Int("bucket", func(n int64) int64 { return n % 256 }),
				db.Int("at", func(n int64) int64 { return 1_000_000 - n }),
				db.Text("nonce", func(n int64) string { return fmt.Sprint(n) }),
				db.Blob("body", func(n int64) []byte { return event(fmt.Sprintf("%d.0", many-n))[0] }),
				db.Int("number", func(int64) int64 { return 0 }),
				db.Int("written", func(int64) int64 { return 0 })))
		}))
		ok(t, p.write(t.Context(), "new"))
		rounds := 0
		for testkit.Must(p.Number(t.Context()))(t) > 0 {
			rounds++
		}
		events := testkit.Must(p.After(t.Context(), 0, many+1))(t)
		for i, e := range events[:many] {
			if e.Entries[0].ID != fmt.Sprintf("%d.0", i+1) {
				t.Fatalf("event %d is %s", i+1, e.Entries[0].ID)
			}
		}
		if rounds != 3 || len(events) != many+1 || events[many].Entries[0].ID != "new" {
			t.Errorf("%d events after %d rounds", len(events), rounds)
		}
	})
}

// TestEventsOfBefore: books of before there were numbers, with events in them, are upgraded.
func TestEventsOfBefore(t *testing.T) {
	kinds := map[string]func() string{
		"sqlite":   func() string { return "sqlite:" + filepath.Join(t.TempDir(), "books.db") },
		"postgres": func() string { return pgtest.Database(t) },
	}
	steps := schema.Steps(time.Now, access.Actor{})
	before := slices.IndexFunc(steps, func(m db.Migration) bool {
		return strings.Contains(m.Script, "CREATE TABLE sequences")
	})
	for kind, url := range kinds {
		t.Run(kind, func(t *testing.T) {
			books := testkit.Must(db.Open(t.Context(), url(), db.Options{Migrations: steps, Create: true, Volatile: true}))(t)
			defer func() { ok(t, books.Close()) }()
			ok(t, books.Migrate(t.Context(), int64(before), nil))
			for n, at := range []int64{3, 1, 2} {
				ok(t, books.Write(t.Context(), func(tx db.Tx) error {
					_, err := tx.Exec("INSERT INTO outbox (bucket, at, nonce, body) VALUES ($1, $2, $3, $4)", int64(n), at,
						fmt.Sprint(n), event(fmt.Sprint("at ", at))[0])
					return err
				}))
			}
			ok(t, books.Migrate(t.Context(), books.Known(), nil))
			p := process{outbox.New(books, time.Now, &outbox.Shared{}), books}
			ok(t, p.write(t.Context(), "new"))
			p.numberAll(t)
			var got []string
			for _, e := range testkit.Must(p.After(t.Context(), 0, 10))(t) {
				got = append(got, e.Entries[0].ID)
			}
			if fmt.Sprint(got) != "[at 1 at 2 at 3 new]" {
				t.Errorf("the events are %v", got)
			}
		})
	}
}

// After reads some MiB at a time, and more than that of a single event.
func TestAfterReadsPages(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		p := opened(t, url, func() time.Time { return testkit.Noon })
		for n := range 6 {
			ok(t, p.Write(t.Context(), func(db.Tx) (outbox.Records, error) {
				return event(fmt.Sprintf("%d.%03000000d", n, 0)), nil
			}))
		}
		p.numberAll(t)
		var pages []int
		for after := int64(0); ; {
			page := testkit.Must(p.After(t.Context(), after, 100))(t)
			if len(page) == 0 {
				break
			}
			pages, after = append(pages, len(page)), page[len(page)-1].Number
		}
		if fmt.Sprint(pages) != "[3 3]" {
			t.Errorf("the pages have %v events of 3 MB", pages)
		}
		for _, after := range []int64{-1, 7} {
			if _, err := p.After(t.Context(), after, 100); !errors.Is(err, outbox.ErrNotKept) {
				t.Errorf("after %d: %v", after, err)
			}
		}
	})
}

// An upgrade or a mistake of a person that takes an event away is an error, and no gap that nobody sees.
func TestAGapIsAnError(t *testing.T) {
	each(t, func(t *testing.T, url string) {
		p := opened(t, url, func() time.Time { return testkit.Noon })
		for n := range 3 {
			ok(t, p.write(t.Context(), fmt.Sprint(n)))
		}
		p.numberAll(t)
		ok(t, p.db.Write(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec("DELETE FROM outbox WHERE number = 2")
			return err
		}))
		if _, err := p.After(t.Context(), 0, 10); err == nil || errors.Is(err, outbox.ErrNotKept) {
			t.Errorf("a gap is read as %v", err)
		}
		if _, err := p.After(t.Context(), 1, 10); err == nil {
			t.Error("a gap at the beginning is read")
		}
	})
}
