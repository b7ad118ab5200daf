package web

import (
	"net/http"
	"net/url"
	"testing"
)

// TestAFrozenAccountOnThePages: the forms say it before anything is typed, and nothing
// that they post leaves the account.
func TestAFrozenAccountOnThePages(t *testing.T) {
	w := moveWebsite(t, inDemo)
	_, err := w.books.Freeze(w.Context(), "alice", "secret order", true)
	w.ok(err)
	for path, form := range map[string]url.Values{
		"/withdraw": {"asset": {"BNB"}, "amount": {"1"}, "network": {"BSC"}, "address": {"bnb1x"}},
		"/send":     {"asset": {"BNB"}, "amount": {"1"}, "to": {"bob"}},
	} {
		w.get(path).is(http.StatusOK).has("Your account is frozen: nothing can be sent, " +
			"withdrawn or converted from it.").hasNot("secret order")
		w.post(path, form).is(http.StatusConflict).has("Your account is frozen", "deposits and rewards still come in",
			"Ask support").hasNot("secret order")
	}
	w.get("/deposit").is(http.StatusOK).hasNot("frozen")
	w.get("/account").is(http.StatusOK).has("Frozen", "Ask support what lifts it").hasNot("secret order")
	if free := w.free("alice", "BNB"); free != "2.5" {
		t.Errorf("alice has %s", free)
	}
	_, err = w.books.Freeze(w.Context(), "alice", "another", false)
	if err == nil {
		t.Error("it is frozen with another option")
	}
	_, _, err = w.books.Unfreeze(w.Context(), "alice", "lifted")
	w.ok(err)
	w.get("/send").is(http.StatusOK).hasNot("frozen")
	_, err = w.books.Freeze(w.Context(), "alice", "order", false)
	w.ok(err)
	w.get("/activity").is(http.StatusOK).has("Soft Staking stopped", "Your account is frozen.")
}
