// Package attack tries what a stolen credential can do: against the program itself, with every credential that there
// is, at every route, endpoint and form. It has tests only.
package attack

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/testkit"
)

var update = flag.Bool("update", false, "write the tables in testdata again")

func TestMain(m *testing.M) { scenario.Main(m) }

// found is what one credential could do: by attempt the letters of what became of it, and the harm.
type found struct {
	credential
	table map[string]string
	harm  harm
}

// TestAStolenCredential: whatever one stolen credential attempts, alone and on books of its own, ends within its bound,
// changes nothing that needs a second person, leaves a trace that names it, and an audit that finds nothing. The tables
// in testdata say what became of each attempt, and what it came to.
func TestAStolenCredential(t *testing.T) {
	h := newHouses(t)
	var all []found
	forms := h.forms(t)
	for _, c := range h.stolen {
		t.Run(c.name, func(t *testing.T) {
			url := scenario.Copy(t, h.url)
			x := &thief{T: t, houses: h, credential: c, sent: map[string]outcome{}}
			before, began := x.states(url), time.Now()
			server, address := scenario.StartServer(t, url, "--poll", "1h")
			x.site = "http://" + address
			f := found{credential: c, table: map[string]string{}}
			switch c.kind {
			case bearer:
				x.walk(f.table)
			case signed:
				x.walkExchange(f.table)
			default:
				x.walkForms(f.table, forms[c.kind])
			}
			log := server.Stop(t)
			f.harm = x.harm(url, began, before)
			x.checkHarm(f.harm, days(began))
			x.checkTrace(url, began, log)
			all = append(all, f)
		})
	}
	if t.Failed() && !*update || len(all) < len(h.stolen) { // of some alone
		return
	}
	checkAttempts(t, all)
	for name, kinds := range map[string][]kind{"v1.txt": {bearer}, "exchange.txt": {signed}, "pages.txt": {webSession},
		"console.txt": {staffSession}} {
		compare(t, name, tableOf(slices.DeleteFunc(slices.Clone(all), func(f found) bool {
			return !slices.Contains(kinds, f.kind)
		})))
	}
}

// checkAttempts fails where nobody could do what is attempted, though it is not among what nobody can: then the attempt
// is refused for its form, and shows nothing.
func checkAttempts(t *testing.T, all []found) {
	t.Helper()
	could := map[string]string{}
	for _, f := range all {
		for row, letters := range f.table {
			could[row] += letters
		}
	}
	for row, letters := range could {
		_, what, changes := strings.Cut(row, ": ")
		if changes && strings.ContainsAny(letters, "APC") == slices.Contains(never, what) {
			t.Errorf("%s: %s", row, letters)
		}
	}
}

// forms are all forms that some session's pages have, by the kind of session.
func (h *houses) forms(t *testing.T) map[kind][]form {
	t.Helper()
	server, address := scenario.StartServer(t, scenario.Copy(t, h.url), "--poll", "1h")
	all, seen := map[kind][]form{}, map[string]bool{}
	for _, c := range h.stolen {
		if c.kind != webSession && c.kind != staffSession {
			continue
		}
		x := &thief{T: t, houses: h, credential: c, site: "http://" + address, sent: map[string]outcome{}}
		x.look(func(f form) string {
			if !seen[f.row()] {
				seen[f.row()], all[c.kind] = true, append(all[c.kind], f)
			}
			return ""
		})
	}
	server.Stop(t)
	return all
}

// days are on how many days (UTC) something happened since a moment: a ceiling is one of a day.
func days(began time.Time) ledger.Amount {
	return ledger.Amount(staking.DayOf(time.Now())-staking.DayOf(began)) + 1
}

// checkHarm fails where more was done than the bound of the credential allows.
func (x *thief) checkHarm(h harm, days ledger.Amount) {
	x.Helper()
	for what, n := range h.moved {
		i := strings.LastIndex(what, " ")
		most := x.most(what[:i], what[i+1:])
		if most < anything {
			most *= days
		}
		if n > most {
			x.Errorf("%s of %d, of which it may %d", what, n, most)
		}
	}
	if h.opened > x.mostOpened()*int64(days) {
		x.Errorf("it has opened %d accounts, of which it may %d", h.opened, x.mostOpened())
	}
	for _, table := range h.changed {
		if !slices.Contains(strings.Fields(mayChange[x.name]), table) {
			x.Errorf("it has changed %s", table)
		}
	}
}

// checkTrace fails where an attempt has left no trace that names the credential, and where the audit finds something.
func (x *thief) checkTrace(url string, began time.Time, log string) {
	x.Helper()
	db := scenario.Open(x.T, url, time.Now)
	lines := testkit.Must(reports.New(db.Reader()).Log(x.Context(), began, 100_000))(x.T)
	traced := map[string]bool{}
	for _, l := range lines {
		if l.Actor.Role == access.System {
			continue
		}
		if traced[l.Actor.Request] = true; l.Actor.Credential != x.logged {
			x.Errorf("the log says that %s did %s %s, and it was %s", l.Actor, l.Action, l.Subject, x.logged)
		}
	}
	for _, line := range testkit.Must(scenario.Rows(x.Context(), url, fmt.Sprintf(
		"SELECT DISTINCT request, credential FROM entries WHERE posted_at >= %d AND role <> 'system'",
		began.UnixMilli())))(x.T) {
		request, credential, _ := strings.Cut(line, "\t")
		if traced[request] = true; credential != x.logged && !strings.HasPrefix(credential, "login ") {
			x.Errorf("an entry of the request %s is by %s, and it was %s", request, credential, x.logged)
		}
	}
	for request, o := range x.sent {
		if !strings.Contains(log, "request="+request+" ") {
			x.Errorf("the request %s is not in the log", request)
		}
		if o == ceiling && !strings.Contains(log, `credential="`+x.logged+`" request=`+request+" ") {
			x.Errorf("the request %s was over the ceiling, and that is no security event", request)
		}
	}
	for _, m := range x.rows {
		accepted, named := false, false
		for n := m.first; n < m.next; n++ {
			o := x.sent[x.requestOf(n)]
			accepted, named = accepted || o == done || o == proposed, named || traced[x.requestOf(n)]
		}
		if accepted && !named && !slices.Contains(changesNothing, m.what) { // what repeats it changes nothing
			x.Errorf("%s: it was accepted, and nothing in the books names it", m.what)
		}
	}
	for line := range strings.Lines(log) {
		if strings.Contains(line, "msg=request ") && !strings.Contains(line, `address=127.0.0.1 credential="`+x.shown+`"`) {
			x.Errorf("the log does not say who it was: %s", line)
		}
	}
	scenario.Clean(x.T, db)
}

// tableOf are the tables of what each credential could do.
func tableOf(all []found) string {
	var b strings.Builder
	rows := map[string]bool{}
	width := 0
	for _, f := range all {
		for row := range f.table {
			rows[row], width = true, max(width, len(row))
		}
	}
	fmt.Fprintf(&b, "%-*s", width, "")
	for i := range all {
		fmt.Fprintf(&b, " %-3d", i+1)
	}
	for _, row := range slices.SortedFunc(maps.Keys(rows), byPath) {
		fmt.Fprintf(&b, "\n%-*s", width, row)
		for _, f := range all {
			fmt.Fprintf(&b, " %-3s", f.table[row])
		}
	}
	b.WriteString("\n\n")
	for i, f := range all {
		fmt.Fprintf(&b, "%2d %s\n", i+1, f.name)
		for _, what := range slices.Sorted(maps.Keys(f.harm.moved)) {
			fmt.Fprintf(&b, "   %s: %s\n", what, (ledger.Asset{Scale: 8}).Format(f.harm.moved[what]))
		}
		if f.harm.opened > 0 {
			fmt.Fprintf(&b, "   accounts opened: %d\n", f.harm.opened)
		}
		if len(f.harm.changed) > 0 {
			fmt.Fprintf(&b, "   changed: %s\n", strings.Join(f.harm.changed, ", "))
		}
	}
	return b.String()
}

// byPath sorts lines of the table by the path of the route.
func byPath(a, b string) int {
	_, left, _ := strings.Cut(a, " ")
	_, right, _ := strings.Cut(b, " ")
	return strings.Compare(left+a, right+b)
}

// compare compares a text with a file of testdata, or writes it.
func compare(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		ok(t, os.WriteFile(path, []byte(text), 0o600))
		return
	}
	wanted := testkit.Must(os.ReadFile(path))(t)
	if diff := cmp.Diff(string(wanted), text); diff != "" {
		t.Errorf("%s has changed; look at it, and write it with -update:\n%s", path, diff)
	}
}
