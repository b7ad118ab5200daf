package web

import (
	"errors"
	"net/http"
	"testing"
)

// TestPasswordsWaitTheirTurn: strangers do not take it from those who are known, nor
// one who asks often from others.
func TestPasswordsWaitTheirTurn(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	nothing := func() error { return nil }
	for range hashesAtOnce {
		w.pages.strangersHashing.running <- struct{}{}
	}
	w.post("/login", credentials("alice@example.com", testPassword)).is(http.StatusSeeOther)
	stranger := credentials("alice@example.com", testPassword)
	p := w.another().post("/login", stranger, from("198.51.100.1")...).is(http.StatusServiceUnavailable)
	if after := p.header.Get("Retry-After"); after != "5" {
		t.Errorf("to come again after %s", after)
	}
	<-w.pages.strangersHashing.running
	w.ok(w.pages.strangersHashing.inTurn(t.Context(), "198.51.100.1", nothing))

	turns := newTurns(2)
	for range 2 {
		if !turns.waiting.Acquire("often") {
			t.Fatal("there is no place")
		}
	}
	if err := turns.inTurn(t.Context(), "often", nothing); !errors.Is(err, errBusy) {
		t.Errorf("one who asks often: %v", err)
	}
	w.ok(turns.inTurn(t.Context(), "another", nothing))
	if turns.waiting.Acquired() != 2 {
		t.Errorf("%d places are taken", turns.waiting.Acquired())
	}
}
