package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
)

// from is the header of a request from a network: "192.0.2.7", "2001:db8::1".
func from(address string) []string { return []string{"X-Test-Address", address} }

// manyNetworks are networks, the n-th of them.
func manyNetworks(n int) string { return fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255) }

// attempt is an attempt of a browser without cookies.
func (w *website) attempt(email, address string) *loginAttempt {
	w.Helper()
	caller := access.Caller{Address: netip.MustParseAddr(address), Request: "R1"}
	r := httptest.NewRequestWithContext(access.WithCaller(w.Context(), caller), http.MethodPost, "/login", nil)
	a, err := w.pages.submission(w.pages.visit(httptest.NewRecorder(), r)).loginAttempt(email)
	w.ok(err)
	return a
}

// TestAnAddressOfMailIsLimitedInANetwork, and not in another.
func TestAnAddressOfMailIsLimitedInANetwork(t *testing.T) {
	w := newWebsite(t)
	w.cheapen("alice@example.com")
	stranger := w.another()
	spellings := []string{"alice@example.com", " Alice@Example.COM ", "ALICE@example.com"}
	for n := range attemptsOfMail {
		stranger.post("/login", credentials(spellings[n%3], "wrong"), from(fmt.Sprintf("2001:db8:0:1::%x", n))...).
			is(http.StatusUnprocessableEntity)
	}
	p := stranger.post("/login", credentials("alice@example.com", testPassword), from("2001:db8:0:1:ffff::1")...).
		is(http.StatusTooManyRequests).has("Try again in 15 minutes")
	if after := p.header.Get("Retry-After"); after != "900" {
		t.Errorf("to come again after %s", after)
	}
	w.another().post("/login", credentials("alice@example.com", testPassword), from("2001:db8:0:2::1")...).
		is(http.StatusSeeOther)
	w.clock.Forward(w.clock.Now().Add(attemptsWindow - time.Minute))
	stranger.post("/login", credentials("alice@example.com", testPassword), from("2001:db8:0:1::1")...).
		is(http.StatusTooManyRequests).has("Try again in 1 minute.")
	w.clock.Forward(w.clock.Now().Add(time.Minute))
	stranger.post("/login", credentials("alice@example.com", testPassword), from("2001:db8:0:1::1")...).
		is(http.StatusSeeOther)
	// One who succeeds begins again.
	for range attemptsOfMail + 1 {
		w.another().post("/login", credentials("alice@example.com", testPassword), from("2001:db8:0:1::1")...).
			is(http.StatusSeeOther)
	}
}

// TestNobodyIsCountedAsAnybody: what is counted does not show who is known here.
func TestNobodyIsCountedAsAnybody(t *testing.T) {
	w := newWebsite(t)
	w.pages.slow.by = time.Millisecond
	for n := range slowedOfMail + 2*attemptsOfMail {
		var waits [2]time.Duration
		var slowed [2]bool
		for i, email := range []string{"alice@example.com", "nobody@example.com"} {
			address := manyNetworks(n) // after them one network alone
			if n > slowedOfMail {
				address = "2001:db8::1"
			}
			a := w.attempt(email, address)
			wait, err := a.begin()
			w.ok(err)
			waits[i], slowed[i] = wait, a.slowed
		}
		if waits[0] != waits[1] || slowed[0] != slowed[1] {
			t.Fatalf("attempt %d: they wait %v, slowed %v", n, waits, slowed)
		}
		if refused := n > slowedOfMail+attemptsOfMail; (waits[0] > 0) != refused {
			t.Fatalf("attempt %d waits %s", n, waits[0])
		}
	}
}

// TestANetworkIsLimited in all addresses of mail that it tries; what succeeds is not counted.
func TestANetworkIsLimited(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	const away = "2001:db8:0:1::77"
	for range 3 {
		w.another().post("/login", credentials("alice@example.com", testPassword), from(away)...).
			is(http.StatusSeeOther)
	}
	for n := range attemptsFrom {
		a := w.attempt(fmt.Sprintf("%d@example.com", n), "2001:db8:0:1::78")
		if wait, err := a.begin(); err != nil || wait != 0 {
			t.Fatalf("attempt %d waits %s: %v", n, wait, err)
		}
	}
	form := credentials("alice@example.com", testPassword)
	w.another().post("/login", form, from(away)...).is(http.StatusTooManyRequests)
	w.another().post("/login", form, from("2001:db8:0:2::77")...).is(http.StatusSeeOther)
	w.post("/login", form, from(away)...).is(http.StatusSeeOther) // a device that is known
}

// TestNobodyKeepsAnOwnerOut: thousands of attempts from as many networks slow strangers
// down. The owner logs in all the same: on a device that has logged in before without
// waiting, also from the attacker's network, and on a new one after a while.
func TestNobodyKeepsAnOwnerOut(t *testing.T) {
	w := newWebsite(t)
	w.pages.slow.by = time.Millisecond
	w.login("alice@example.com")
	w.cheapen("alice@example.com")
	for n := range 2000 {
		a := w.attempt("alice@example.com", manyNetworks(n/2))
		wait, err := a.begin()
		if w.ok(err); wait != 0 {
			t.Fatalf("attempt %d waits %s", n, wait)
		}
		if err := a.logIn("wrong"); !errors.Is(err, access.ErrUnknown) {
			t.Fatalf("attempt %d: %v", n, err)
		}
		if a.slowed != (n >= slowedOfMail) {
			t.Fatalf("attempt %d is slowed: %t", n, a.slowed)
		}
	}
	events, err := w.books.People().SecurityEvents(t.Context(), "alice", nil, 1000)
	if w.ok(err); len(events) != slowedOfMail+1 {
		t.Errorf("%d events are kept", len(events))
	}
	form := credentials("alice@example.com", testPassword)
	waiting := w.pages.slow.waiting
	w.pages.slow.waiting = access.NewLimiter[string](0, 0) // whoever has to wait is refused
	w.another().post("/login", form, from("198.51.100.1")...).is(http.StatusTooManyRequests)
	w.post("/login", form, from(manyNetworks(0))...).is(http.StatusSeeOther)
	w.pages.slow.waiting = waiting
	w.another().post("/login", form, from("198.51.100.1")...).is(http.StatusSeeOther)
}

// TestStrangersWaitInPlaces: so many wait at the same time, and more are not tried and
// not counted. A known device does not wait behind them.
func TestStrangersWaitInPlaces(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	for range slowedOfMail {
		_, err := w.books.People().CountAttempt(t.Context(), "log in alice@example.com", slowedOfMail, attemptsWindow)
		w.ok(err)
	}
	w.pages.slow.by = time.Hour
	ctx, leave := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	for n := range mostSlowedOf {
		a := w.attempt("alice@example.com", manyNetworks(n))
		a.r = a.r.WithContext(ctx)
		waiting.Go(func() {
			if _, err := a.begin(); !errors.Is(err, context.Canceled) {
				t.Errorf("it waits no longer: %v", err)
			}
		})
	}
	w.until("all places are taken", func() bool { return w.pages.slow.waiting.Acquired() == mostSlowedOf })
	form := credentials("alice@example.com", testPassword)
	for range attemptsOfMail + 1 {
		p := w.another().post("/login", form, from("198.51.100.1")...).is(http.StatusTooManyRequests)
		if after := p.header.Get("Retry-After"); after != "5" {
			t.Errorf("to come again after %s", after)
		}
	}
	w.post("/login", form, from("198.51.100.1")...).is(http.StatusSeeOther)
	leave()
	waiting.Wait()
	w.pages.slow.by = time.Millisecond
	w.another().post("/login", form, from("198.51.100.1")...).is(http.StatusSeeOther)
}

// until waits for something, up to a deadline.
func (w *website) until(what string, is func() bool) {
	w.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); runtime.Gosched() {
		if time.Now().After(end) {
			w.Fatal("it never happens: " + what)
		}
	}
}

// TestAllStrangersAreSlowedBeyondAThreshold, whichever address of mail they try.
func TestAllStrangersAreSlowedBeyondAThreshold(t *testing.T) {
	w := newWebsite(t)
	w.pages.slow.by, w.pages.slow.inAll = time.Millisecond, 3
	for n := range 5 {
		a := w.attempt(fmt.Sprintf("%d@example.com", n), manyNetworks(n))
		if wait, err := a.begin(); err != nil || wait != 0 || a.slowed != (n >= 3) {
			t.Errorf("attempt %d: it waits %s, slowed %t, %v", n, wait, a.slowed, err)
		}
	}
}

// TestWhoHasLoggedInConfirms: what strangers try in the same network, and what another
// session tries, keeps nobody from setting a password.
func TestWhoHasLoggedInConfirms(t *testing.T) {
	w := newWebsite(t)
	thief := w.another()
	thief.login("alice@example.com")
	w.login("alice@example.com")
	w.cheapen("alice@example.com")
	for n := range attemptsFrom {
		if wait, err := w.attempt(fmt.Sprintf("%d@example.com", n), "192.0.2.7").begin(); err != nil || wait != 0 {
			t.Fatalf("it waits %s: %v", wait, err)
		}
	}
	set := func(b *browser, current string) answer {
		return b.post("/account/password",
			url.Values{"current": {current}, "new": {newPassword}, "again": {newPassword}})
	}
	for range attemptsOfDevice {
		set(thief, "wrong").is(http.StatusUnprocessableEntity)
	}
	set(thief, testPassword).is(http.StatusTooManyRequests)
	set(w.browser, testPassword).is(http.StatusSeeOther)
}

// TestAttemptsAtTheSameTimeAreCountedBeforeTheyAreTried: no more are tried than allowed.
func TestAttemptsAtTheSameTimeAreCountedBeforeTheyAreTried(t *testing.T) {
	w := newWebsite(t)
	w.cheapen("alice@example.com")
	var all sync.WaitGroup
	var tried atomic.Int32
	for range 3 * attemptsOfMail {
		a := w.attempt("alice@example.com", "2001:db8::1")
		all.Go(func() {
			switch wait, err := a.begin(); {
			case err != nil:
				t.Error(err)
			case wait == 0:
				tried.Add(1)
			}
		})
	}
	if all.Wait(); tried.Load() != attemptsOfMail {
		t.Errorf("%d are tried", tried.Load())
	}
}
