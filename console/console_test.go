package console

import (
	"net/http"
	"strings"
	"testing"
)

// TestNobodyLooksInWithoutASession: each page that is not public leads to the log-in, and each form does nothing.
func TestNobodyLooksInWithoutASession(t *testing.T) {
	o := newOffice(t)
	stranger := o.desk()
	for _, r := range routes() {
		if r.public {
			continue
		}
		path := strings.NewReplacer("{", "", "}", "").Replace(r.path)
		if r.page != nil {
			a := stranger.get(path).is(http.StatusSeeOther)
			if !strings.HasPrefix(a.location, "/console/login?next=") {
				t.Errorf("%s leads to %s", path, a.location)
			}
		}
		if r.form != nil {
			stranger.post(path).is(http.StatusSeeOther)
		}
	}
	stranger.get("/console/live").is(http.StatusUnauthorized)
	stranger.post("/console/login", "email", "nobody@example.com").is(http.StatusUnprocessableEntity).
		has("There is no such member of staff")
}

func TestLogInAndOut(t *testing.T) {
	o := newOffice(t)
	olga := o.as("olga")
	olga.get("/console").is(http.StatusOK).has("Is everything all right?", "olga@example.com", "Operator",
		"Single operator mode").hasNot("data-live=\"\"")
	if a := olga.post("/console/login", "email", "olga@example.com", "next", "//evil.example/"); a.location != Path {
		t.Errorf("the log-in leads to %s", a.location)
	}
	a := olga.ask(http.MethodPost, "/console/logout", nil, "Sec-Fetch-Site", "cross-site").is(http.StatusForbidden)
	a.has("another site")
	olga.get("/console").is(http.StatusOK)
	olga.post("/console/logout").is(http.StatusSeeOther)
	olga.get("/console").is(http.StatusSeeOther)
}

// TestFourEyesAreStated: in single operator mode each page says so, and with four eyes none does.
func TestFourEyesAreStated(t *testing.T) {
	o := newOffice(t)
	olga := o.as("olga")
	olga.get("/console").has("Single operator mode: one person alone")
	o.ok(o.books.SetFourEyes(t.Context(), true))
	olga.get("/console").hasNot("Single operator mode: one person alone").has("one proposes, another approves")
}

func TestEachAnswerIsProtected(t *testing.T) {
	o := newOffice(t)
	for _, path := range []string{"/console", "/console/login", "/console/nothing"} {
		h := o.as("olga").get(path).header
		for name, part := range map[string]string{"Content-Security-Policy": "default-src 'none'",
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
			if !strings.Contains(h.Get(name), part) {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
	}
	o.as("olga").get("/console/logout").is(http.StatusMethodNotAllowed)
}
