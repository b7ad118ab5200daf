package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/web"
)

// openTown is a demo that serves, and a browser's cookies.
type openTown struct {
	*testing.T
	url    string
	client *http.Client
	out    *scenario.Buffer
	ended  chan int
	stop   context.CancelFunc
}

var townURL = regexp.MustCompile(`open at (http://\S+)/`)

// serveDemo makes a small town, and serves it until the test ends.
func serveDemo(t *testing.T, now time.Time, args ...string) *openTown {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	o := &openTown{T: t, client: &http.Client{Jar: jar}, out: &scenario.Buffer{}, ended: make(chan int, 1), stop: stop}
	env := &Env{
		Stdin: strings.NewReader(""), Stdout: o.out, Stderr: &scenario.Buffer{}, Context: ctx,
		Now:    func() time.Time { return now },
		Random: rand.Reader, Getenv: func(string) string { return "" },
	}
	go func() {
		o.ended <- run(env, append([]string{"demo", "--holders", "20", "--days", "8", "--listen", "127.0.0.1:0"}, args...))
	}()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(o.out.String(),
		"Ctrl-C"); time.Sleep(5 * time.Millisecond) {
		if len(o.ended) > 0 || time.Now().After(deadline) {
			t.Fatalf("it does not serve: %s", env.Stderr)
		}
	}
	o.url = townURL.FindStringSubmatch(o.out.String())[1]
	return o
}

// end interrupts the demo, and returns its exit status.
func (o *openTown) end() int {
	o.stop()
	return <-o.ended
}

// read is the text of a page.
func (o *openTown) read(response *http.Response, err error) (status int, page string) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		o.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// moveClock moves the clock as a visitor without scripts does.
func (o *openTown) moveClock(by string) (status int, page string) {
	o.Helper()
	return o.read(o.client.PostForm(o.url+web.ClockPath, url.Values{"by": {by}, "back": {web.ClockPath}}))
}

// lately is long after the town's days, and never passes.
var lately = time.Date(2026, time.November, 22, 10, 0, 0, 0, time.UTC)

// TestDemoServesItsTown: the report, the address, the logins; a clock that is moved
// while days are settled; and nothing is left behind.
func TestDemoServesItsTown(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	o := serveDemo(t, lately)
	report, err := os.ReadFile(filepath.Join("testdata", "demo.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(o.out.String(), string(report)) {
		t.Errorf("the report is another:\n%s", o.out)
	}
	if status, page := o.read(o.client.Get(o.url + "/login")); status != http.StatusOK ||
		!strings.Contains(page, "dora@example.com") {
		t.Errorf("%d %s", status, page)
	}
	for _, step := range []struct{ by, now string }{{"hour", "1 Nov 2025, 10:30"}, {"day", "2 Nov 2025, 10:30"},
		{"week", "9 Nov 2025, 10:30"}, {"year", "9 Nov 2025, 10:30"}} {
		if status, page := o.moveClock(step.by); status != http.StatusOK || !strings.Contains(page, step.now) {
			t.Errorf("%s: %d %s", step.by, status, page)
		}
	}
	elsewhere, err := o.client.PostForm(o.url+web.ClockPath, url.Values{"by": {"hour"}, "back": {"//elsewhere.example/"}})
	if status, page := o.read(elsewhere, err); status != http.StatusOK ||
		!strings.HasPrefix(elsewhere.Request.URL.String(), o.url) {
		t.Errorf("it leads to %s: %d %s", elsewhere.Request.URL, status, page)
	}
	if status, page := o.logIn("alice"); status != http.StatusOK || !strings.Contains(page, "BNB") {
		t.Errorf("alice sees %d %s", status, page)
	}
	if status := o.end(); status != 0 {
		t.Errorf("it ended with %d", status)
	}
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) > 0 {
		t.Errorf("it left %v behind: %v", left, err)
	}
}

// logIn logs in with what was printed, and returns the page that it leads to.
func (o *openTown) logIn(who string) (status int, page string) {
	o.Helper()
	row := regexp.MustCompile(`(?m)^` + who + ` +(\S+) +(\S+) `).FindStringSubmatch(o.out.String())
	return o.read(o.client.PostForm(o.url+"/login", url.Values{"email": {row[1]}, "password": {row[2]}}))
}

// TestDemoStopsWhileItsClockMoves, with nothing left behind.
func TestDemoStopsWhileItsClockMoves(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	o := serveDemo(t, lately)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.url+web.ClockPath, strings.NewReader("by=week"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("HX-Request", "true")
	response, err := o.client.Do(r)
	if status, page := o.read(response, err); status != http.StatusOK || !response.Request.URL.Query().Has("moving") {
		t.Errorf("%s: %d %s", response.Request.URL, status, page)
	}
	if status := o.end(); status != 0 {
		t.Errorf("it ended with %d", status)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("it left %v behind: %v", left, err)
	}
}

// TestKeptBooksHaveNoTomorrow: their clock stops at the real time, their passwords
// are nobody else's, and they are ordinary books afterwards.
func TestKeptBooksHaveNoTomorrow(t *testing.T) {
	books := "sqlite:" + filepath.Join(t.TempDir(), "town.db")
	o := serveDemo(t, time.Date(2025, time.November, 2, 10, 0, 0, 0, time.UTC), "--db", books)
	if strings.Contains(o.out.String(), demoPassword) || !strings.Contains(o.out.String(), "the books stay") {
		t.Errorf("it says %s", o.out)
	}
	if status, page := o.moveClock("week"); status != http.StatusOK ||
		!strings.Contains(page, "not moved beyond the real time") || !strings.Contains(page, "1 Nov 2025, 09:30") {
		t.Errorf("%d %s", status, page)
	}
	if status, page := o.moveClock("day"); status != http.StatusOK || !strings.Contains(page, "2 Nov 2025, 09:30") {
		t.Errorf("%d %s", status, page)
	}
	if status, page := o.logIn("bruno"); status != http.StatusOK || !strings.Contains(page, "USDT") {
		t.Errorf("bruno sees %d %s", status, page)
	}
	if status := o.end(); status != 0 {
		t.Errorf("it ended with %d", status)
	}
	db, err := store.Open(t.Context(), books, store.Options{Clock: func() time.Time { return lately },
		Actor: access.Process("test"), Sealer: sealerOf(books)})
	if err != nil {
		t.Fatal(err)
	}
	report, err := audit.Run(t.Context(), reports.AuditOf(db.Reader()), audit.Options{Workers: 1})
	if err = errors.Join(err, db.Close()); err != nil || report.Total > 0 {
		t.Errorf("%v %v", err, report.Findings)
	}
}
