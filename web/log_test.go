package web

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// logs says of each form what the log calls the change that it makes; a form that begins
// with "-" makes none in the books, and why. Whoever adds a form adds it here, and to the
// drivers below.
var logs = map[string]string{
	"POST /earn/start":                     "enroll",
	"POST /earn/stop":                      "leave",
	"POST /send":                           "- a draft of the session",
	"POST /send/draft/{draft}/confirm":     "post",
	"POST /convert":                        "- a draft of the session",
	"POST /convert/draft/{draft}/confirm":  "post",
	"POST /deposit":                        "- a draft of the session",
	"POST /deposit/draft/{draft}/confirm":  "post",
	"POST /withdraw":                       "- a draft of the session",
	"POST /withdraw/draft/{draft}/confirm": "withdrawal request",
	"POST /withdraw/{entry}/end":           "withdrawal cancel",
	"POST /account/keys/new":               "key create",
	"POST /account/keys/{name}/revoke":     "key revoke",
	"POST /account/addresses":              "withdrawal-address add",
	"POST /account/addresses/remove":       "withdrawal-address remove",
	"POST /account/addresses/saved-only":   "withdrawal-address saved-only",
	"POST /account/limits":                 "limit own",
	"POST /account/password":               "login password",
	"POST /invitation":                     "login password",
	"POST /account/mail":                   "- what a login is mailed",
	"POST /unsubscribe/{text}":             "- what a login is mailed",
	"POST /account/sessions":               "- a session ends: a security event of the account",
	"POST /login":                          "- a session begins: a security event of the account",
	"POST /login/passkey":                  "- a session begins: a security event of the account",
	"POST /login/second":                   "- a session begins: a security event of the account",
	"POST /account/passkeys/new":           "- a step-up",
	"POST /account/passkeys/made":          "factor add",
	"POST /account/passkeys/{id}":          "factor rename",
	"POST /account/passkeys/{id}/remove":   "factor remove",
	"POST /account/app/new":                "- a step-up",
	"POST /account/app/made":               "factor add",
	"POST /account/app/remove":             "factor remove",
	"POST /account/codes/new":              "factor codes",
	"POST /logout":                         "- a session ends: a security event of the account",
	"POST /logout-everywhere":              "- sessions end: a security event of the account",
	"POST /settings":                       "- a cookie",
	"POST " + ClockPath:                    "- the clock of made-up books",
}

// driver fills a form in.
type driver struct {
	form string
	fill func(*website) answer
}

// drivers fill the forms in that change the books, in an order in which all succeed. alice
// has 2.5 BNB, does not earn, and has logged in.
var drivers = []driver{
	{"POST /earn/start", func(w *website) answer { return w.post("/earn/start", shown(w.get("/earn/start"))) }},
	{"POST /earn/stop", func(w *website) answer { return w.post("/earn/stop", nil) }},
	{"POST /send/draft/{draft}/confirm", filled("/send", "asset", "BNB", "amount", "0.1", "to", "bob")},
	{"POST /convert/draft/{draft}/confirm", filled("/convert", "asset", "BNB", "amount", "0.1", "into", "SOL")},
	{"POST /deposit/draft/{draft}/confirm", filled("/deposit", "asset", "SOL", "amount", "4")},
	{"POST /withdraw/draft/{draft}/confirm",
		filled("/withdraw", "asset", "BNB", "amount", "0.1", "network", "BSC", "address", "0xAbC", "tag", "")},
	{"POST /withdraw/{entry}/end", func(w *website) answer {
		pending, err := reports.New(w.books.Reader()).PendingWithdrawals(w.Context(), store.Withdrawal{}, 1)
		w.ok(err)
		return w.post("/withdraw/"+url.PathEscape(pending[0].ID)+"/end", query("how", "cancelled"))
	}},
	{"POST /account/addresses", func(w *website) answer {
		return w.post("/account/addresses", query("asset", "BNB", "network", "BSC", "address", "0xAbC"))
	}},
	{"POST /account/addresses/remove", func(w *website) answer {
		all, err := w.books.People().WithdrawalAddresses(w.Context(), "alice")
		w.ok(err)
		return w.post("/account/addresses/remove", query("address", all[0].ID))
	}},
	{"POST /account/addresses/saved-only", func(w *website) answer {
		return w.post("/account/addresses/saved-only", nil)
	}},
	{"POST /account/limits", func(w *website) answer {
		return w.post("/account/limits", query("asset", "BNB", "amount", "1000"))
	}},
	{"POST /account/keys/new", func(w *website) answer { return w.post("/account/keys/new", w.keyForm()) }},
	{"POST /account/keys/{name}/revoke", func(w *website) answer {
		keys, err := w.books.People().Keys(w.Context(), "alice")
		w.ok(err)
		return w.post("/account/keys/"+keys[0].Key[:keyNameLength]+"/revoke", nil)
	}},
	{"POST /account/passkeys/made", func(w *website) answer { return w.addPasskey(w.authenticator(), "Laptop") }},
	{"POST /account/passkeys/{id}", func(w *website) answer {
		return w.post("/account/passkeys/"+w.passkeyID(), url.Values{"label": {"Old laptop"}})
	}},
	{"POST /account/app/made", func(w *website) answer {
		page := w.post("/account/app/new", url.Values{"code": {w.recovery()}}).is(http.StatusOK)
		return w.post("/account/app/made", page.fields("proof", "app", "code", appCode(w, page.secret())))
	}},
	{"POST /account/app/remove", func(w *website) answer {
		return w.post("/account/app/remove", url.Values{"code": {w.recovery()}})
	}},
	{"POST /account/codes/new", func(w *website) answer {
		page := w.post("/account/codes/new", url.Values{"code": {w.recovery()}}).is(http.StatusOK)
		w.keepCodes(page)
		return page
	}},
	{"POST /account/passkeys/{id}/remove", func(w *website) answer {
		return w.post("/account/passkeys/"+w.passkeyID()+"/remove", url.Values{"code": {w.recovery()}})
	}},
	{"POST /account/password", func(w *website) answer {
		return w.post("/account/password",
			url.Values{"current": {testPassword}, "new": {newPassword}, "again": {newPassword}})
	}},
	{"POST /invitation", func(w *website) answer {
		e, code, err := access.NewInvitation(rand.Reader)
		w.ok(err)
		_, err = w.books.People().InviteLogin(w.Context(), "alice@example.com", e, false)
		w.ok(err)
		return w.post("/invitation", query("email", "alice@example.com", "code", code, "new", testPassword,
			"again", testPassword))
	}},
}

// filled fills a form in that moves something, both of its steps.
func filled(path string, pairs ...string) func(*website) answer {
	return func(w *website) answer {
		at, _ := w.confirmed(path, pairs...)
		return w.post(at, nil)
	}
}

// TestEachFormIsLogged: every form that changes the books leaves the line of the log that
// is expected of it, by the person who has logged in, with the ID of the request.
func TestEachFormIsLogged(t *testing.T) {
	w := newWebsite(t, sealed(t), inDemo, longSessions)
	s, err := newServer(Options{Books: w.books, Events: w.hub,
		Convert: &conversion.Rules{PriceMaxAge: conversion.MaxPriceAge}, Play: playing{}})
	w.ok(err)
	for _, pattern := range s.patterns {
		if action, known := logs[pattern]; strings.HasPrefix(pattern, "POST ") && !known {
			t.Errorf("%s changes something: what does the log call it?", pattern)
		} else if known && !strings.HasPrefix(action, "-") &&
			!slices.ContainsFunc(drivers, func(d driver) bool { return d.form == pattern }) {
			t.Errorf("%s is called by no test", pattern)
		}
	}
	for pattern := range logs {
		if !slices.Contains(s.patterns, pattern) {
			t.Errorf("there is no form %s", pattern)
		}
	}
	w.holder("bob", "DE")
	w.deposit("alice", "2.5 BNB")
	w.login("alice@example.com")
	for _, d := range drivers {
		w.clock.Forward(w.clock.Now().Add(time.Minute))
		before := w.clock.Now()
		if got := d.fill(w); got.status != http.StatusSeeOther && got.status != http.StatusOK {
			t.Errorf("%s: %d %s", d.form, got.status, got.text())
		}
		lines, err := reports.New(w.books.Reader()).Log(t.Context(), before, 100)
		w.ok(err)
		want := access.Actor{Role: access.Holder, Credential: "login alice@example.com", Request: "R1"}
		if strings.HasPrefix(d.form, "POST /deposit/") { // the demo deposits
			want.Role, want.Credential = access.System, "demo"
		}
		if !slices.ContainsFunc(lines, func(l store.LogLine) bool {
			return l.Action == logs[d.form] && l.Actor == want
		}) {
			t.Errorf("%s has left no line %q: %v", d.form, logs[d.form], lines)
		}
		for _, l := range lines {
			if l.Actor != want && l.Action != "login invite" { // staff's, for the form
				t.Errorf("%s is logged as %+v", d.form, l)
			}
		}
	}
}
