// Package clients tries softstake with programs that others wrote: for the exchange's
// API, and for streams of events. It starts the real server, lets each of them talk to it, and
// compares what they understood with what the books say. It has tests only.
package clients

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/scenario"
)

func TestMain(m *testing.M) {
	defer func() {
		if err := scenario.RemoveProgram(); err != nil {
			panic(err)
		}
	}()
	pgtest.Main(m)
}

// needNode skips the test where Node.js or the packages are missing, or fails it if
// SOFTSTAKE_REQUIRE_CLIENTS is 1.
func needNode(t *testing.T) {
	t.Helper()
	_, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat("node_modules/ccxt/package.json")
	}
	switch {
	case err == nil:
	case os.Getenv("SOFTSTAKE_REQUIRE_CLIENTS") == "1" ||
		!errors.Is(err, exec.ErrNotFound) && !errors.Is(err, fs.ErrNotExist):
		t.Fatalf("install Node.js 20 or later, and the packages with \"npm ci\" in clients/: %v", err)
	default:
		t.Skipf("Node.js or its packages are not installed (\"npm ci\" in clients/): %v", err)
	}
}

// talk is one client with one type of key.
type talk struct {
	script string
	key    access.KeyType
}

func (k talk) String() string { return k.script + "-" + string(k.key) }

// TestNode lets each client ask everything, with each type of key: all get the
// same, which is what the books say.
func TestNode(t *testing.T) {
	needNode(t)
	var all, withSecrets []talk
	for _, script := range []string{"binance", "connector", "api-node", "ccxt"} {
		withSecrets = append(withSecrets, talk{script, access.HMAC})
		all = append(all, talk{script, access.HMAC}, talk{script, access.Ed25519}, talk{script, access.RSA})
	}
	onServer := withSecrets[:1] // a client does not see which database answers it
	if scenario.Long() {
		onServer = withSecrets
	}
	for kind, talks := range map[string][]talk{"sqlite": all, "postgres": onServer} {
		t.Run(kind, func(t *testing.T) {
			var holders []string
			for _, k := range talks {
				holders = append(holders, k.String())
			}
			s := open(t, kind, holders)
			for _, k := range talks {
				t.Run(k.String(), func(t *testing.T) { s.converse(t, k) })
			}
		})
	}
}

// converse lets a client talk, and compares.
func (s *site) converse(t *testing.T, k talk) {
	given := s.key(t, k.String(), k.key)
	got := s.node(t, k.script+".js", given)
	if got["withdraw"] == nil || !cmp.Equal(got["withdraw"], got["withdrawAgain"]) {
		t.Errorf("the same withdrawal was answered %v, and again %v", got["withdraw"], got["withdrawAgain"])
	}
	wanted := s.answers(t, "answers", k.String())
	if k.script == "ccxt" {
		maps.Copy(wanted, s.answers(t, "ccxt", k.String()))
	}
	if diff := cmp.Diff(wanted, s.mask("", got)); diff != "" {
		t.Errorf("wanted (-), and got (+):\n%s", diff)
	}
	// The script has withdrawn once, however often it asked.
	if got := s.balance(t, k.String(), "BNB"); got != "1.75002465 free, 0.25 held" {
		t.Errorf("the books have %s", got)
	}
}

// node runs a script, and returns what it printed.
func (s *site) node(t *testing.T, script string, given credentials) map[string]any {
	t.Helper()
	about, err := json.Marshal(given)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", script)
	cmd.Env = append(os.Environ(), "SOFTSTAKE_SERVER="+string(about), "NO_PROXY=127.0.0.1")
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", script, err, problems.Bytes(), s.logged())
	}
	return object(t, out)
}

// answers are what a client of a holder is to get, by the names of the scripts'
// calls: a file of testdata, in which "(now)" stands for a moment since the test
// began, "(deposited)" for that of the deposit, "(id)" for an ID, and (holder) for
// the holder's name.
func (s *site) answers(t *testing.T, name, holder string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return object(t, bytes.ReplaceAll(text, []byte("(holder)"), []byte(holder)))
}

// mask puts the words of testdata for what is another each time.
func (s *site) mask(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		masked := make(map[string]any, len(v))
		for name, value := range v {
			masked[name] = s.mask(name, value)
		}
		return masked
	case []any:
		masked := make([]any, len(v))
		for i, value := range v {
			masked[i] = s.mask(name, value)
		}
		return masked
	case string:
		return s.word(name, v)
	}
	return v
}

// word is what testdata says for a value, or the value.
func (s *site) word(name, value string) string {
	at, err := time.Parse(time.DateTime, value)
	if millis, bad := strconv.ParseInt(value, 10, 64); bad == nil {
		at, err = time.UnixMilli(millis), nil
	}
	switch {
	case name == "id" || name == "tranId" || name == "uid":
		if n := strings.Trim(value, "0123456789abcdef"); n == "" && value != "" && value != "0" {
			return "(id)"
		}
	case err == nil && at.Equal(s.deposited):
		return "(deposited)"
	case err == nil && !at.Before(s.began.Truncate(time.Second)) && !at.After(time.Now()):
		return "(now)"
	}
	return value
}

// object reads a JSON object, and gives its numbers as text: one of the clients does
// so with all of them.
func object(t *testing.T, text []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	plain(v)
	return v
}

func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			v[name] = plain(v[name])
		}
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case json.Number:
		return v.String()
	}
	return v
}

// balance is what the books say that a holder has.
func (s *site) balance(t *testing.T, holder, asset string) string {
	t.Helper()
	var account struct {
		Balances []struct{ Asset, Free, Held string }
	}
	if err := json.Unmarshal(s.softstake(t, "", "account", "show", holder, "--json"), &account); err != nil {
		t.Fatal(err)
	}
	for _, b := range account.Balances {
		if b.Asset == asset {
			return fmt.Sprintf("%s free, %s held", b.Free, b.Held)
		}
	}
	return "nothing"
}
