package scenario

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/faultproxy"
	"github.com/softstake/softstake/ledger"
)

// otherLedger is another ledger, which writes its events into files: a partition for each half of its accounts.
type otherLedger struct {
	*rand.Rand
	folder   string
	balances map[string]ledger.Amount // by account or held part, of BNB
	opened   map[string]bool
	last     [2]string  // lines that have no end yet
	lines    [2]int64   // those that have one
	files    [2][]int64 // that there are, by the position of their first line
	events   int
	removed  int // files
}

// accountsOfEach is how many accounts a partition has.
const accountsOfEach = 20

// write writes a number of events, the last one of each file sometimes without its end.
func (l *otherLedger) write(t *testing.T, events int) {
	t.Helper()
	var texts [2]strings.Builder
	for p := range texts {
		texts[p].WriteString(l.last[p])
		l.last[p] = ""
	}
	at := time.Now().UTC().Format(time.RFC3339Nano)
	for range events {
		l.events++
		p := l.IntN(2)
		account := fmt.Sprintf("a%d-%d", p, l.IntN(accountsOfEach))
		if !l.opened[account] {
			l.opened[account] = true
			fmt.Fprintf(&texts[p], `{"type":"open","id":"o-%s","at":"%s","account":"%s"}`+"\n", account, at, account)
		}
		part, kind := account, "free"
		if l.IntN(4) == 0 {
			part, kind = account+"/held", "held"
		}
		change := ledger.Amount(l.Int64N(1000) + 1)
		if l.IntN(2) == 0 {
			change = -min(change, l.balances[part])
		}
		if change == 0 {
			change = 1
		}
		l.balances[part] += change
		fmt.Fprintf(&texts[p], `{"id":"e-%d","at":"%s","account":"%s","token":"BNB","kind":"%s","change":"%s","balanceAfter":"%s"}`+"\n",
			l.events, at, account, kind, ledger.FormatDecimal(int64(change), 8),
			ledger.FormatDecimal(int64(l.balances[part]), 8))
	}
	for p := range texts {
		text := texts[p].String()
		if n := len(text); n > 0 && l.IntN(2) == 0 {
			cut := n - 1 - l.IntN(min(n, 40))
			text, l.last[p] = text[:cut], text[cut:]
		}
		f, err := os.OpenFile(l.path(p, l.files[p][len(l.files[p])-1]), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = f.WriteString(text)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		l.lines[p] += int64(strings.Count(text, "\n"))
	}
}

// path is the file of a partition whose first line is at a position.
func (l *otherLedger) path(p int, first int64) string {
	if first == 1 {
		return filepath.Join(l.folder, fmt.Sprintf("p%d.jsonl", p))
	}
	return filepath.Join(l.folder, fmt.Sprintf("p%d.%d.jsonl", p, first))
}

// rotate begins new files, by chance, where no line waits for its end, and removes those that the books have read: all
// before the one with the record that they have.
func (l *otherLedger) rotate(t *testing.T, url string) {
	for p := range l.files {
		if l.last[p] == "" && l.files[p][len(l.files[p])-1] <= l.lines[p] && l.IntN(2) == 0 {
			l.files[p] = append(l.files[p], l.lines[p]+1)
		}
		read, err := Rows(t.Context(), url, fmt.Sprintf("SELECT position FROM join_partitions WHERE name = 'p%d'", p))
		if err != nil {
			t.Fatal(err)
		}
		if len(read) == 0 {
			continue // it has not begun
		}
		position, err := strconv.ParseInt(read[0], 10, 64)
		for err == nil && len(l.files[p]) > 1 && l.files[p][1] <= position {
			err = os.Remove(l.path(p, l.files[p][0]))
			l.files[p], l.removed = l.files[p][1:], l.removed+1
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// behind is the address of books behind a network that fails for some time when fails is called; of those in a file it
// is the same one.
func behind(t *testing.T, address string, chance *rand.Rand) (through string, fails func()) {
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if u.Host == "" {
		return address, func() {}
	}
	p := faultproxy.New(t, u.Host)
	return strings.Replace(address, u.Host, p.Addr(), 1), func() {
		faultproxy.Fail(faultproxy.Passing(chance), chance, p)
		time.Sleep(time.Duration(chance.Int64N(int64(200 * time.Millisecond)))) // it goes on, or not yet
	}
}

// TestJoinKilled kills "softstake join" at random moments while the other ledger writes, begins new files and removes
// old ones; the network to books in PostgreSQL fails too. Afterwards the balances are those of the other ledger, to the
// unit.
func TestJoinKilled(t *testing.T) {
	Program(t) // to make it takes longer than to start it
	seed, kills := Seed(t), 6
	if Long() {
		kills = 200
	}
	for i, kind := range Databases {
		t.Run(kind, func(t *testing.T) {
			url, began := NewURL(t, kind, true), time.Now()
			if err := Start(t, url, nil, nil, "init", "--four-eyes", "off").Wait(time.Minute); err != nil {
				t.Fatal(err)
			}
			span := 2 * time.Since(began) // a start of the program, and about as long again
			l := &otherLedger{Rand: Chance(seed, uint64(i)), folder: t.TempDir(), balances: map[string]ledger.Amount{},
				opened: map[string]bool{}, files: [2][]int64{{1}, {1}}}
			through, fails := behind(t, url, l.Rand)
			args := []string{"join", "file:" + l.folder, "--name", "other", "--batch", "50"}
			l.write(t, 800)
			killed, unreachable := 0, 0
			for ; killed < kills; killed++ {
				l.rotate(t, url)
				p := Start(t, through, nil, nil, args...)
				time.Sleep(time.Duration(l.Int64N(int64(span)))) // the moment is what is random
				l.write(t, l.IntN(500))
				fails()
				running, err := p.Kill()
				ended := error(nil)
				if !running {
					ended = p.Wait(time.Minute)
				}
				switch {
				case running && err == nil:
				case err == nil && through != url && ended != nil && strings.Contains(ended.Error(), "is it running"):
					unreachable++ // as it began
				default:
					t.Fatalf("it has ended by itself: %v %v", err, ended)
				}
			}
			l.write(t, 0)
			for l.last != [2]string{} {
				l.write(t, 0)
			}
			t.Logf("%d events, %d files were removed; %d times the books could not be reached", l.events, l.removed,
				unreachable)
			if 2*unreachable > kills {
				t.Error("it hardly ever began")
			}
			if err := Start(t, url, nil, nil, append(args, "--until-end")...).Wait(2 * time.Minute); err != nil {
				t.Fatal(err)
			}
			var want []string
			for part, amount := range l.balances {
				want = append(want, fmt.Sprintf("%s\t%d", part, amount))
			}
			slices.Sort(want)
			got, err := Rows(t.Context(), url,
				"SELECT account, balance FROM balances WHERE asset = 'BNB' AND account LIKE 'a%'")
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Fatalf("after %d kills and %d events: %v %s", killed, l.events, err, diff)
			}
			entries, err := Rows(t.Context(), url, "SELECT count(*) FROM entries WHERE entry LIKE 'join/other/%'")
			if want := fmt.Sprint(l.events); err != nil || len(entries) != 1 || entries[0] != want {
				t.Errorf("%v entries, not %s: %v", entries, want, err)
			}
			if err := Start(t, url, nil, nil, "audit").Wait(2 * time.Minute); err != nil {
				t.Error(err)
			}
		})
	}
}
