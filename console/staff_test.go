package console

import (
	"crypto/rand"
	"errors"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/openid"
	"github.com/softstake/softstake/openid/providertest"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/testkit"
)

func TestMain(m *testing.M) {
	providertest.Main()
	os.Exit(m.Run())
}

// staffed is an office in which nobody is let in without proof; its provider runs in a process of its own.
type staffed struct {
	*office
	there *providertest.Process
}

func newStaffed(t *testing.T) staffed {
	t.Helper()
	o := newOffice(t)
	var handler http.Handler
	o.site = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller := access.Caller{Address: netip.MustParseAddr("192.0.2.7"), Request: "R1"}
		handler.ServeHTTP(w, r.WithContext(access.WithCaller(r.Context(), caller)))
	}))
	t.Cleanup(o.site.Close)
	back := o.site.URL + "/console/login/back"
	s := staffed{o, providertest.Start(t, back)}
	p := testkit.Must(openid.New(openid.Config{Issuer: s.there.Issuer, ClientID: providertest.ClientID,
		Secret: access.Hidden(providertest.Secret), Redirect: back, Claim: "groups", Scopes: []string{"email"}, Now: time.Now,
		Roles: []openid.Mapping{{Group: "checkers", Role: access.Approver}, {Group: "ops", Role: access.Operator}}}))(t)
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	c := testkit.Must(New(Options{Books: o.books, Random: rand.Reader, Log: log, Files: true, Provider: p}))(t)
	t.Cleanup(c.Stop)
	handler, o.served = c, c.server
	return s
}

var leaving = regexp.MustCompile(`http-equiv="refresh" content="0;url=([^"]+)"`)

// away is where a page leads a browser to, which has left for the provider.
func (s staffed) away(a answer) string {
	s.Helper()
	to := leaving.FindStringSubmatch(a.is(http.StatusOK).body)
	if to == nil {
		s.Fatalf("%s leads to no provider:\n%s", a.what, a.body)
	}
	return html.UnescapeString(to[1])
}

// back is the path with which the provider sends a person's browser back.
func (s staffed) back(address, email string) string {
	s.Helper()
	return s.there.LogIn(s.T, address, email).RequestURI()
}

// logIn is a browser in which a person has logged in at the provider.
func (s staffed) logIn(email string) *desk {
	s.Helper()
	d := s.desk()
	d.get(s.back(s.away(d.post("/console/login/provider")), email)).is(http.StatusSeeOther)
	return d
}

// TestStaffLogInAtTheProvider: who is in a group with a role is let in with it, and nobody else is.
func TestStaffLogInAtTheProvider(t *testing.T) {
	s := newStaffed(t)
	s.there.Knows(t, providertest.Person{ID: "1", Email: "oskar@example.com", Groups: []string{"ops"}})
	s.there.Knows(t, providertest.Person{ID: "2", Email: "eve@example.com", Groups: []string{"all"}})
	s.desk().post("/console/login", "email", "oskar@example.com").is(http.StatusUnprocessableEntity) // no demo
	d := s.logIn("oskar@example.com")
	d.get("/console").is(http.StatusOK).has("oskar@example.com", "Operator")
	d.get("/console/me").is(http.StatusOK).has("This session")

	eve := s.desk()
	eve.get(s.back(s.away(eve.post("/console/login/provider")), "eve@example.com")).is(http.StatusForbidden).
		has("You are in no group")
	eve.get("/console").is(http.StatusSeeOther)

	s.there.Knows(t, providertest.Person{ID: "1", Email: "oskar@example.com", Groups: []string{"checkers"}})
	s.logIn("oskar@example.com").get("/console").has("Approver")
	d.get("/console").is(http.StatusSeeOther) // the session with the former role has ended

	d = s.logIn("oskar@example.com")
	s.there.Knows(t, providertest.Person{ID: "1", Email: "oskar@example.com", Groups: []string{"all"}})
	other := s.desk()
	other.get(s.back(s.away(other.post("/console/login/provider")), "oskar@example.com")).is(http.StatusForbidden).
		has("You are in no group")
	d.get("/console").is(http.StatusSeeOther) // no group gives a role any more: every session has ended

	s.there.Knows(t, providertest.Person{ID: "1", Email: "oskar@example.com", Groups: []string{"ops"}})
	d = s.logIn("oskar@example.com")
	s.ok(s.books.People().DisableStaff(t.Context(), "oskar@example.com"))
	d.get("/console").is(http.StatusSeeOther)
	again := s.desk()
	again.get(s.back(s.away(again.post("/console/login/provider")), "oskar@example.com")).is(http.StatusForbidden)
}

// TestAWayBackIsOfOneBrowser: once, in the browser that has begun, with the state that it was given.
func TestAWayBackIsOfOneBrowser(t *testing.T) {
	s := newStaffed(t)
	s.there.Knows(t, providertest.Person{ID: "1", Email: "oskar@example.com", Groups: []string{"ops"}})
	refused := func(what string, d *desk, back string) {
		t.Helper()
		if a := d.get(back); a.status != http.StatusForbidden {
			t.Errorf("%s is answered with %d", what, a.status)
		}
		d.get("/console").is(http.StatusSeeOther)
	}
	d := s.desk()
	back := s.back(s.away(d.post("/console/login/provider")), "oskar@example.com")
	refused("another browser", s.desk(), back)
	refused("a state that was used", d, back)
	back = s.back(s.away(d.post("/console/login/provider")), "oskar@example.com")
	u := testkit.Must(url.Parse(back))(t)
	q := u.Query()
	q.Set("state", "other")
	refused("another state", d, u.Path+"?"+q.Encode())
	q = u.Query()
	q.Set("iss", "https://evil.example.com")
	refused("another issuer", d, u.Path+"?"+q.Encode())
	back = s.back(s.away(d.post("/console/login/provider")), "oskar@example.com")
	s.clock.Advance(11 * time.Minute)
	refused("a late return", d, back)
}

// TestNobodyIsKeptFromTheProvider: only log-ins that nobody comes back from are counted, and no step-ups of others.
func TestNobodyIsKeptFromTheProvider(t *testing.T) {
	s := newStaffed(t)
	s.there.Knows(t, providertest.Person{ID: "1", Email: "oskar@example.com", Groups: []string{"ops"}})
	people := s.books.People()
	for range begunFrom - 1 {
		testkit.Must(people.CountAttempt(t.Context(), "staff at the provider from 192.0.2.7/32", begunFrom,
			attemptsWindow))(t)
	}
	for range 2 {
		s.logIn("oskar@example.com")
	}
	s.desk().post("/console/login/provider").is(http.StatusOK)
	s.desk().post("/console/login/provider").is(http.StatusTooManyRequests)
}

// TestAnApprovalAtTheProvider: an approver logs in afresh for the proposal and the effect that are looked at.
func TestAnApprovalAtTheProvider(t *testing.T) {
	s := newStaffed(t)
	ctx := t.Context()
	s.there.Knows(t, providertest.Person{ID: "1", Email: "ann@example.com", Groups: []string{"checkers"}})
	s.there.Knows(t, providertest.Person{ID: "2", Email: "bob@example.com", Groups: []string{"checkers"}})
	s.ok(s.books.SetFourEyes(ctx, true))
	olga := s.books.As(access.Staff{Email: "olga@example.com", Role: access.Admin}.Actor())
	var proposals []control.Proposal
	for _, most := range []ledger.Amount{7, 8} {
		err := olga.SetLimit(ctx, staking.Limit{Asset: "BNB", MaxTotal: most})
		needed, is := errors.AsType[*control.Needed](err)
		if !is {
			t.Fatal(err)
		}
		proposals = append(proposals, testkit.Must(olga.Propose(ctx, needed.Draft, "as agreed"))(t))
	}
	p, other := proposals[0], proposals[1]
	state := func(id string) control.State {
		t.Helper()
		return testkit.Must(s.served.Reports.Proposal(ctx, id))(t).State(s.clock.Now())
	}
	approve := func(d *desk, p control.Proposal) answer {
		return d.post("/console/proposals/"+p.ID, "do", "approve", "effect", p.EffectDigest())
	}
	d := s.logIn("ann@example.com")
	away := s.away(approve(d, p))
	if !strings.Contains(away, "max_age=0") || state(p.ID) != control.Open {
		t.Fatalf("an approval leads to %s", away)
	}
	d.get(s.back(away, "bob@example.com")).is(http.StatusForbidden) // somebody else has come back
	d.get(s.back(s.away(approve(d, p)), "ann@example.com")).is(http.StatusSeeOther)
	d.get("/console/proposals/" + p.ID).is(http.StatusOK).has("You have confirmed it")
	approve(d, other).is(http.StatusForbidden) // it was confirmed for another
	if state(p.ID) != control.Open || state(other.ID) != control.Open {
		t.Fatal("a proposal was approved that nobody has confirmed")
	}
	d.get(s.back(s.away(approve(d, p)), "ann@example.com")).is(http.StatusSeeOther)
	approve(d, p).is(http.StatusSeeOther)
	if state(p.ID) != control.Executed {
		t.Fatal("a proposal that was confirmed is not approved")
	}
	u := testkit.Must(url.Parse(s.away(approve(d, other))))(t)
	d.get("/console/login/back?error=access_denied&state=" + url.QueryEscape(u.Query().Get("state"))).
		is(http.StatusForbidden)
	d.get("/console").is(http.StatusSeeOther) // the provider does not let ann in any more
}

var (
	ownPasskey = regexp.MustCompile(`href="(/console/me/passkeys/[^"]+)"`)
	hidden     = regexp.MustCompile(`name="(handle|proof)" value="([^"]+)"`)
)

// changesPasskeys lets a person who has one passkey add a second one, rename it, and remove the first: each but the
// name is confirmed with a passkey. The last one stays. key is the second one at the end.
func (d *desk) changesPasskeys(key *testkit.Authenticator) {
	t := d.o.T
	t.Helper()
	confirmed := func(path string, form ...string) answer {
		t.Helper()
		d.post(path, form...).is(http.StatusForbidden).has("It was not confirmed")
		asked := d.post(path, append(form, "ask", "1")...).is(http.StatusOK)
		return d.post(path, append(form, "answer", key.Get(t, []byte(asked.body)))...)
	}
	first := ownPasskey.FindStringSubmatch(d.get("/console/me").has("first", "This session").body)[1]
	d.get(first).is(http.StatusOK).has("It is your only passkey").hasNot("Remove the passkey")
	confirmed(first, "do", "remove").is(http.StatusUnprocessableEntity).has("It is your only passkey")
	d.post(passkeysPath, "label", " ").is(http.StatusUnprocessableEntity).has(`id="label-fault"`)

	page := confirmed(passkeysPath, "label", "Blue <key>").is(http.StatusOK).has("Blue &lt;key&gt;")
	form := []string{"label", "Blue <key>"}
	for _, field := range hidden.FindAllStringSubmatch(page.body, -1) {
		form = append(form, field[1], field[2])
	}
	options := html.UnescapeString(regexp.MustCompile(`data-create="([^"]+)"`).FindStringSubmatch(page.body)[1])
	second := testkit.NewAuthenticator("localhost")
	second.Origin = key.Origin
	form = append(form, "answer", second.Create(t, []byte(options)))
	d.post(passkeysPath+"/made", append(form[2:], "label", "Other")...).is(http.StatusForbidden) // not what was confirmed
	if a := d.post(passkeysPath+"/made", form...).is(http.StatusSeeOther); a.location != "/console/me?done=added" {
		t.Errorf("a passkey leads to %s", a.location)
	}
	d.post(passkeysPath+"/made", form...).is(http.StatusForbidden) // its step-up is used

	d.post(first, "do", "rename", "label", strings.Repeat("x", 61)).is(http.StatusUnprocessableEntity).
		has(`id="label-fault"`)
	d.post(first, "do", "rename", "label", "Old laptop").is(http.StatusSeeOther)
	d.get("/console/me?done=renamed").has("Old laptop", "Blue &lt;key&gt;", "The passkey has a new name")
	confirmed(first, "do", "remove").is(http.StatusSeeOther)
	d.get("/console/me").hasNot("Old laptop").has("Blue &lt;key&gt;")
	d.get(first).is(http.StatusNotFound)
	*key = *second
}

// TestStaffLogInWithAPasskey: an invitation makes the first passkey, which then logs in and confirms approvals.
func TestStaffLogInWithAPasskey(t *testing.T) {
	s := newStaffed(t)
	ctx := t.Context()
	invitation, code, err := access.NewInvitation(rand.Reader)
	s.ok(err)
	s.ok(s.books.People().AddStaff(ctx, "ann@example.com", access.Approver, invitation))
	s.desk().post("/console/login/passkey", "ask", "1").is(http.StatusUnprocessableEntity).has("by its name")
	s.desk().post("/console/invitation", "email", "ann@example.com", "code", code).is(http.StatusUnprocessableEntity).
		has("by its name")
	s.site.URL = strings.Replace(s.site.URL, "127.0.0.1", "localhost", 1) // a passkey is of a name, and of no address
	key := testkit.NewAuthenticator("localhost")
	key.Origin = s.site.URL
	d := s.desk()
	for range refusedFrom {
		d.post("/console/invitation", "email", "ann@example.com", "code", "other").is(http.StatusForbidden)
		d.post("/console/login/passkey", "ask", "1").is(http.StatusOK)
	}
	// From here on all that is refused of this network and of ann is too much, and what is right is let in.
	d.post("/console/invitation", "email", "bob@example.com", "code", "other").is(http.StatusTooManyRequests)
	wait, err := s.books.People().CountAttempt(ctx, refusedCounter("bob@example.com"), 1, attemptsWindow)
	if s.ok(err); wait > 0 {
		t.Error("a network that is refused makes a counter of each e-mail that it names")
	}
	d.post("/console/login/passkey", "answer", "{}").is(http.StatusTooManyRequests)
	page := d.post("/console/invitation", "email", "ann@example.com", "code", code).is(http.StatusOK)
	options := html.UnescapeString(regexp.MustCompile(`data-create="([^"]+)"`).FindStringSubmatch(page.body)[1])
	handle := regexp.MustCompile(`name="handle" value="([^"]+)"`).FindStringSubmatch(page.body)[1]
	made := key.Create(t, []byte(options))
	d.post("/console/invitation", "email", "ann@example.com", "code", code, "handle", handle, "answer", made).
		is(http.StatusSeeOther)
	d.get("/console").is(http.StatusOK).has("ann@example.com", "Approver")
	s.desk().post("/console/invitation", "email", "ann@example.com", "code", code).is(http.StatusTooManyRequests)

	s.clock.Advance(attemptsWindow)
	d = s.desk()
	asked := d.post("/console/login/passkey", "ask", "1").is(http.StatusOK)
	given := key.Get(t, []byte(asked.body))
	d.post("/console/login/passkey", "answer", given).is(http.StatusSeeOther)
	d.get("/console").is(http.StatusOK)
	s.desk().post("/console/login/passkey", "answer", given).is(http.StatusForbidden) // replayed
	d.changesPasskeys(key)

	s.ok(s.books.SetFourEyes(ctx, true))
	olga := s.books.As(access.Staff{Email: "olga@example.com", Role: access.Admin}.Actor())
	needed, is := errors.AsType[*control.Needed](olga.SetLimit(ctx, staking.Limit{Asset: "BNB", MaxTotal: 7}))
	if !is {
		t.Fatal(err)
	}
	p := testkit.Must(olga.Propose(ctx, needed.Draft, "as agreed"))(t)
	path := "/console/proposals/" + p.ID
	d.post(path, "do", "approve", "effect", p.EffectDigest()).is(http.StatusForbidden)
	challenge := d.post(path, "do", "approve", "effect", p.EffectDigest(), "ask", "1").is(http.StatusOK)
	given = key.Get(t, []byte(challenge.body))
	d.post(path, "do", "approve", "effect", "0123", "answer", given).is(http.StatusForbidden)
	challenge = d.post(path, "do", "approve", "effect", p.EffectDigest(), "ask", "1").is(http.StatusOK)
	d.post(path, "do", "approve", "effect", p.EffectDigest(), "answer", key.Get(t, []byte(challenge.body))).
		is(http.StatusSeeOther)
	if got := testkit.Must(s.served.Reports.Proposal(ctx, p.ID))(t).State(s.clock.Now()); got != control.Executed {
		t.Errorf("the proposal is %s", got)
	}
	d.post("/console/logout").is(http.StatusSeeOther)
	d.get("/console").is(http.StatusSeeOther)
}
