package store_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/softstake/softstake/idempotency"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// asked is a request of alice's under a key, to be kept for an hour.
func asked(key, request string) idempotency.Request {
	return idempotency.Request{Owner: "key alice", Key: key, Digest: sha256.Sum256([]byte(request)),
		Until: noon.Add(time.Hour)}
}

func always(idempotency.Response) bool { return true }

func answers(body string) func(context.Context) (idempotency.Response, error) {
	return func(context.Context) (idempotency.Response, error) {
		return idempotency.Response{Status: 200, Headers: "Content-Type: text/plain\nX: é", Body: []byte(body)}, nil
	}
}

// never is a do that must not be called.
func never(t *testing.T) func(context.Context) (idempotency.Response, error) {
	return func(context.Context) (idempotency.Response, error) {
		t.Error("it is done again")
		return idempotency.Response{}, errors.New("done again")
	}
}

// once asks, and wants a body and whether it was kept from before.
func once(t *testing.T, db *store.DB, a idempotency.Request, do func(context.Context) (idempotency.Response, error),
	want string, repeated bool) {
	t.Helper()
	got, again, err := db.Requests().Do(t.Context(), a, always, do)
	ok(t, err)
	if string(got.Body) != want || again != repeated {
		t.Errorf("answered is %q, repeated %t; want %q, %t", got.Body, again, want, repeated)
	}
}

// busy wants the request to be in flight.
func busy(t *testing.T, a idempotency.Request, dbs ...*store.DB) {
	t.Helper()
	for _, db := range dbs {
		_, _, err := db.Requests().Do(t.Context(), a, always, never(t))
		wants(t, err, idempotency.ErrInFlight)
	}
}

func TestAnsweredOnce(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		first, repeated, err := one.Requests().Do(ctx, asked("k", "a"), always, answers("first"))
		if ok(t, err); repeated {
			t.Error("the first is no repetition")
		}
		clock.Set(1, "12:59:59")
		for _, db := range []*store.DB{one, two, one} {
			again, repeated, err := db.Requests().Do(ctx, asked("k", "a"), always, never(t))
			if ok(t, err); !repeated || !reflect.DeepEqual(again, first) {
				t.Errorf("answered is %+v, repeated %t; the first time %+v", again, repeated, first)
			}
			_, _, err = db.Requests().Do(ctx, asked("k", "b"), always, never(t))
			wants(t, err, ledger.ErrConflict)
		}
		other := asked("k", "b")
		other.Owner = "key bob"
		once(t, two, other, answers("bob's"), "bob's", false)
		once(t, two, asked("k2", "b"), func(context.Context) (idempotency.Response,
			error) {
			return idempotency.Response{Status: 204}, nil
		}, "", false)
		once(t, one, asked("k2", "b"), never(t), "", true)
	})
}

func TestWhatIsNotKeptIsDoneAgain(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		overloaded := func(context.Context) (idempotency.Response, error) {
			return idempotency.Response{Status: 503, Body: []byte("later")}, nil
		}
		got, repeated, err := one.Requests().Do(ctx, asked("k", "a"),
			func(a idempotency.Response) bool { return a.Status < 500 }, overloaded)
		if ok(t, err); got.Status != 503 || repeated {
			t.Errorf("answered is %+v, %t", got, repeated)
		}
		failed := errors.New("the cable is out")
		_, _, err = two.Requests().Do(ctx, asked("k", "a"), always,
			func(context.Context) (idempotency.Response, error) { return idempotency.Response{Status: 200}, failed })
		wants(t, err, failed)
		func() {
			defer func() {
				if recover() == nil {
					t.Error("a panic is swallowed")
				}
			}()
			_, _, err := one.Requests().Do(ctx, asked("k", "a"), always,
				func(context.Context) (idempotency.Response, error) { panic("no such thing") })
			t.Errorf("it goes on after a panic: %v", err)
		}()
		// Nothing is left: even another request may have the key.
		once(t, two, asked("k", "b"), answers("at last"), "at last", false)
		once(t, one, asked("k", "b"), never(t), "at last", true)
	})
}

func TestBusyWhileItIsAnswered(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, clock *testkit.Clock) {
		a := asked("k", "a")
		a.Until = noon.Add(5 * time.Second)
		once(t, one, a, func(ctx context.Context) (idempotency.Response, error) {
			busy(t, a, one, two)
			_, _, err := two.Requests().Do(ctx, asked("k", "b"), always, never(t))
			wants(t, err, ledger.ErrConflict)
			clock.Advance(idempotency.ClaimLife - time.Millisecond)
			later := a
			later.Until = clock.Now().Add(time.Minute)
			ok(t, two.Prune(ctx, people.Retention{})) // what is being answered is not over, however short it is kept
			busy(t, later, one, two)
			return answers("first")(ctx)
		}, "first", false)
	})
}

func TestWhoWentAwayIsSucceeded(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, clock *testkit.Clock) {
		once(t, one, asked("k", "a"), func(ctx context.Context) (idempotency.Response, error) {
			clock.Advance(idempotency.ClaimLife)
			_, _, err := two.Requests().Do(ctx, asked("k", "b"), always, never(t))
			wants(t, err, ledger.ErrConflict)
			once(t, two, asked("k", "a"), func(ctx context.Context) (idempotency.Response, error) {
				busy(t, asked("k", "a"), one, two) // the minute begins again
				return answers("second")(ctx)
			}, "second", false)
			return answers("first")(ctx) // it was only slow
		}, "first", false)
		once(t, one, asked("k", "a"), never(t), "second", true)

		// The slow one's answer does not become that of a successor who is still at it.
		begun, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
		once(t, one, asked("k1", "a"), func(ctx context.Context) (idempotency.Response, error) {
			clock.Advance(idempotency.ClaimLife)
			go func() {
				defer close(ended)
				if _, _, err := two.Requests().Do(ctx, asked("k1", "a"), always,
					func(ctx context.Context) (idempotency.Response, error) {
						close(begun)
						<-goOn
						return answers("second")(ctx)
					}); err != nil {
					t.Error(err)
				}
			}()
			<-begun
			return answers("first")(ctx)
		}, "first", false)
		busy(t, asked("k1", "a"), one, two)
		close(goOn)
		<-ended
		once(t, one, asked("k1", "a"), never(t), "second", true)

		// One that fails late does not give up the claim of its successor.
		late := errors.New("late")
		_, _, err := one.Requests().Do(t.Context(), asked("k2", "a"), always,
			func(ctx context.Context) (idempotency.Response, error) {
				clock.Advance(idempotency.ClaimLife)
				once(t, two, asked("k2", "a"), answers("second"), "second", false)
				return idempotency.Response{}, late
			})
		wants(t, err, late)
		once(t, one, asked("k2", "a"), never(t), "second", true)
	})
}

func TestAnswersAreKeptForATime(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, clock *testkit.Clock) {
		once(t, one, asked("k", "a"), answers("first"), "first", false)
		clock.Set(1, "13:00")
		a := asked("k", "b")
		a.Until = clock.Now().Add(time.Hour)
		once(t, two, a, answers("second"), "second", false)
		once(t, one, a, never(t), "second", true)
		_, _, err := one.Requests().Do(t.Context(), asked("k", "a"), always, never(t))
		wants(t, err, ledger.ErrInvalid) // Until is over
	})
}

// Whoever asks goes away in the middle: what was done is known all the same.
func TestTheAnswerOfOneWhoWentAwayIsKept(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, _ *testkit.Clock) {
		ctx, leave := context.WithCancel(t.Context())
		_, _, err := one.Requests().Do(ctx, asked("k", "a"), always, func(ctx context.Context) (idempotency.Response, error) {
			leave()
			return answers("done")(ctx)
		})
		ok(t, err)
		once(t, two, asked("k", "a"), never(t), "done", true)
		_, _, err = one.Requests().Do(ctx, asked("k2", "a"), always, never(t))
		wants(t, err, context.Canceled)
		ctx, leave = context.WithCancel(t.Context())
		_, _, err = one.Requests().Do(ctx, asked("k3", "a"), always, func(context.Context) (idempotency.Response, error) {
			leave()
			return idempotency.Response{}, ctx.Err()
		})
		wants(t, err, context.Canceled)
		once(t, two, asked("k3", "a"), answers("again"), "again", false)
	})
}

// Many ask the same at once, in two processes: it is done once, and all hear the same or that it is busy.
func TestManyAskAtOnce(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, _ *testkit.Clock) {
		for round := range 5 {
			var done, answered atomic.Int32
			var all sync.WaitGroup
			for i := range 16 {
				all.Go(func() {
					a, _, err := []*store.DB{one, two}[i%2].Requests().Do(t.Context(), asked(fmt.Sprint("k", round), "a"), always,
						func(ctx context.Context) (idempotency.Response, error) {
							done.Add(1)
							return answers("the answer")(ctx)
						})
					if err == nil && string(a.Body) == "the answer" {
						answered.Add(1)
					} else if !errors.Is(err, idempotency.ErrInFlight) {
						t.Errorf("the answer is %q: %v", a.Body, err)
					}
				})
			}
			all.Wait()
			if done.Load() != 1 || answered.Load() < 1 {
				t.Errorf("it is done %d times, and %d are answered", done.Load(), answered.Load())
			}
		}
	})
}

func TestAskedWrongly(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		for what, change := range map[string]func(*idempotency.Request){
			"no owner":         func(a *idempotency.Request) { a.Owner = "" },
			"no key":           func(a *idempotency.Request) { a.Key = "" },
			"a long key":       func(a *idempotency.Request) { a.Key = strings.Repeat("x", 1001) },
			"a zero in it":     func(a *idempotency.Request) { a.Key = "a\x00" },
			"no text":          func(a *idempotency.Request) { a.Owner = "\xff" },
			"kept for no time": func(a *idempotency.Request) { a.Until = noon },
		} {
			a := asked("k", "a")
			change(&a)
			_, _, err := db.Requests().Do(t.Context(), a, always, never(t))
			if wants(t, err, ledger.ErrInvalid); len(err.Error()) > 300 {
				t.Errorf("%s: %v", what, err)
			}
		}
		a := asked(strings.Repeat("x", 1000), "a")
		a.Owner = strings.Repeat("/", 1000)
		once(t, db, a, answers("long"), "long", false)
		once(t, db, a, never(t), "long", true)
		_, _, err := db.Requests().Do(t.Context(), asked("k", "a"), always,
			func(context.Context) (idempotency.Response, error) { return idempotency.Response{}, nil })
		if err == nil || !strings.Contains(err.Error(), "status") {
			t.Errorf("an answer without a status: %v", err)
		}
	})
}

func TestForget(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		for i := range 40 {
			a := asked(fmt.Sprint("k", i), "a")
			a.Until = noon.Add(time.Duration(1+i) * time.Minute)
			once(t, one, a, answers("kept"), "kept", false)
		}
		testkit.Must(one.Exec(ctx, "DELETE FROM outbox"))(t)
		for i := range 60 {
			testkit.Must(one.Exec(ctx, "INSERT INTO outbox (bucket, at, nonce, body, written) VALUES (7, $1, $2, $3, $4)",
				noon.Add(time.Duration(i)*time.Minute-outbox.Kept-time.Hour).UnixMilli(), fmt.Sprint("test", i), []byte{1},
				int64(i)))(t)
		}
		testkit.Must(one.Outbox().Number(ctx))(t)
		clock.Set(1, "12:30")
		var all sync.WaitGroup
		for _, db := range []*store.DB{one, two} {
			all.Go(func() {
				if err := db.Prune(ctx, people.Retention{}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		ok(t, one.Prune(ctx, people.Retention{}))
		kept := testkit.Must(one.Count(ctx, "SELECT count(*) FROM responses"))(t)
		events := testkit.Must(two.Count(ctx, "SELECT count(*) FROM outbox"))(t)
		if kept != 10 || events != 30 {
			t.Errorf("kept are %d responses and %d events; want 10 and 30", kept, events)
		}
		last := asked("k39", "a")
		last.Until = clock.Now().Add(time.Minute)
		once(t, two, last, never(t), "kept", true)
	})
}
