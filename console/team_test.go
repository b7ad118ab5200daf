package console

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
)

// secretOf is what a page shows once.
func secretOf(page answer) string {
	page.o.Helper()
	found := regexp.MustCompile(`<code class="secret">([^<]+)</code>`).FindStringSubmatch(page.body)
	if found == nil {
		page.o.Fatalf("%s shows no secret:\n%s", page.what, page.body)
	}
	return found[1]
}

// proposalOf is the page of the proposal that a page leads to.
func proposalOf(page answer) string {
	page.o.Helper()
	found := regexp.MustCompile(`href="(/console/proposals/[^"]+)"`).FindStringSubmatch(page.body)
	if found == nil {
		page.o.Fatalf("%s leads to no proposal:\n%s", page.what, page.body)
	}
	return found[1]
}

// TestATokenIsProposedShownOnceAndRevoked: the text is usable when another person has approved it, and no page has it
// again.
func TestATokenIsProposedShownOnceAndRevoked(t *testing.T) {
	o := newOffice(t)
	o.ok(o.books.SetFourEyes(t.Context(), true))
	ada, anton := o.as("ada"), o.as("anton")
	ada.get("/console/tokens").is(http.StatusOK).has("There are no tokens")
	page := ada.post("/console/tokens", "do", "create", "role", "deposits", "label", "engine", "person", "Olga",
		"days", "10", "from", "192.0.2.0/24", "limits", "deposits:BNB=5/day").is(http.StatusOK)
	secret := secretOf(page)
	id, is := access.TokenID(secret)
	if !is {
		t.Fatalf("%q is no token", secret)
	}
	if _, err := o.books.People().Token(t.Context(), id); err == nil {
		t.Error("a token that is only proposed is usable")
	}
	anton.approve(proposalOf(page))
	token, err := o.books.People().Token(t.Context(), id)
	o.ok(err)
	o.ok(token.Check(secret, o.clock.Now()))
	ada.get("/console/tokens").has(id, "engine", "ends soon", "192.0.2.0/24", "deposits:BNB=5/day", "olga").hasNot(secret)
	o.as("udo").get("/console/tokens").is(http.StatusOK).hasNot("<select", secret)
	ada.post("/console/tokens", "do", "revoke", "id", id).is(http.StatusSeeOther)
	ada.get("/console/tokens").has("revoked")
	if token, err = o.books.People().Token(t.Context(), id); err == nil {
		err = token.Check(secret, o.clock.Now())
	}
	if err == nil {
		t.Error("a revoked token is let in")
	}
	for field, value := range map[string]string{"days": "0", "from": "x", "limits": "x", "role": "king"} {
		ada.post("/console/tokens", "do", "create", "role", "deposits", field, value).
			is(http.StatusUnprocessableEntity).has(`id="` + field + `-fault"`)
	}
}

// TestStaffAreAddedAndRefused: a code is shown once; who is disabled has no session any more.
func TestStaffAreAddedAndRefused(t *testing.T) {
	o := newOffice(t)
	ada := o.as("ada")
	page := ada.post("/console/staff", "do", "add", "email", "Otto@example.com", "role", "operator").is(http.StatusOK)
	if !strings.HasPrefix(secretOf(page), "ssi_") {
		t.Errorf("the code is %q", secretOf(page))
	}
	ada.get("/console/staff").has("otto@example.com", "has a code until", "Operator").hasNot(secretOf(page))
	ada.post("/console/staff", "do", "add", "email", "otto@example.com", "role", "operator").
		is(http.StatusUnprocessableEntity).has("is a member of staff already")
	ada.post("/console/staff", "do", "role", "email", "otto@example.com", "role", "treasurer").is(http.StatusSeeOther)
	ada.get("/console/staff").has("Treasurer")
	session := o.session("otto@example.com")
	ada.get("/console/staff").has(session)
	udo := o.as("udo")
	udo.get("/console/staff").is(http.StatusOK).has(session).hasNot("<select")
	udo.post("/console/staff", "do", "end", "session", "otto@example.com "+session).is(http.StatusForbidden)
	ada.get("/console/staff").has(session)
	ada.post("/console/staff", "do", "end", "session", "otto@example.com "+session).is(http.StatusSeeOther)
	ada.get("/console/staff").hasNot(session)
	session = o.session("otto@example.com")
	ada.post("/console/staff", "do", "disable", "email", "otto@example.com").is(http.StatusSeeOther)
	ada.get("/console/staff").has("disabled").hasNot(session)
	o.as("olga").get("/console/staff").is(http.StatusForbidden)
	o.ok(o.books.SetFourEyes(t.Context(), true))
	at := ada.post("/console/staff", "do", "role", "email", "susi@example.com", "role", "viewer").
		is(http.StatusSeeOther).location
	ada.get(at).is(http.StatusOK).has("without it", "Support", "with it", "Viewer")
}

// session is the ID of a new session of a member of staff.
func (o *office) session(email string) string {
	o.Helper()
	s, _, err := access.NewStaffSession(o.served.random)
	o.ok(err)
	s.Email, s.Created, s.Seen = email, o.clock.Now(), o.clock.Now()
	s.Expires = s.End(o.clock.Now())
	o.ok(o.books.As(access.Actor{Role: access.Operator, Credential: access.StaffSubject(email)}).People().
		AddStaffSession(o.Context(), s, "a test"))
	return s.ID
}
