package cli

import (
	"bytes"
	"context"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/scenario"
)

// update writes what the scripts print into them, to be read by a person before it is kept.
var update = flag.Bool("update", false, "write what the scripts in testdata print into them")

func TestMain(m *testing.M) {
	defer func() {
		if err := scenario.RemoveProgram(); err != nil {
			panic(err)
		}
	}()
	pgtest.Main(m)
}

// onPostgres are the scripts that are always played on PostgreSQL too: of runs and of files, and what prints the engine
// or copies the books. The commands know no database, and the store's own tests and the scenarios try all SQL on both:
// the other scripts are repetition there, which the long tests have.
var onPostgres = []string{"days", "join_day", "load", "reconcile", "restore"}

// TestScripts plays the scripts of testdata, on SQLite and those of onPostgres there too,
// each in a folder of its own: a line "$ init" is a command, lines "< …" before it are its input, a line
// "now TIME" sets the clock, lines "> NAME …" write a file, and what the command
// printed follows it, with its exit status where that is not 0. What is about files
// of SQLite (refused.script) is played on SQLite alone.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.script")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%d scripts: %v", len(scripts), err)
	}
	for _, name := range scripts {
		path, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		script := strings.TrimSuffix(filepath.Base(name), ".script")
		t.Run(script+"/sqlite", func(t *testing.T) { testScript(t, path, "") })
		if script != "refused" && !*update && (scenario.Long() || slices.Contains(onPostgres, script)) {
			t.Run(script+"/postgres", func(t *testing.T) { testScript(t, path, scenario.Migrated(t)) })
		}
	}
}

// testScript plays a script on the books at url; "" is where they are without --db.
func testScript(t *testing.T, path, url string) {
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	got := play(t, string(want), url)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	compareScripts(t, string(want), got)
}

// compareScripts names the first line that differs.
func compareScripts(t *testing.T, want, got string) {
	t.Helper()
	if want == got {
		return
	}
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	command := ""
	for i := range min(len(w), len(g)) {
		if strings.HasPrefix(g[i], "$ ") {
			command = g[i]
		}
		if w[i] != g[i] {
			t.Fatalf("line %d, in %q:\nwant %s\ngot  %s\nRead the whole with: go test ./cli -run TestScripts -update", i+1,
				command, w[i], g[i])
		}
	}
	t.Fatalf("%d lines, want %d", len(g), len(w))
}

// play runs a script and returns it with what was printed.
func play(t *testing.T, script, url string) string {
	t.Helper()
	var out strings.Builder
	s := &stage{t: t, random: rand.NewChaCha8([32]byte([]byte("scripts are the same every time."))),
		env: map[string]string{"USER": "olga", "SOFTSTAKE_DB": url}}
	printing := false
	for line := range strings.Lines(script) {
		text := strings.TrimSuffix(line, "\n")
		word, rest, _ := strings.Cut(text, " ")
		switch word {
		case "$":
			printing = true
			out.WriteString(line + s.command(rest))
			continue
		case "#":
		case "now":
			s.setNow(rest)
		case "<":
			s.input.WriteString(rest + "\n")
		case ">":
			s.writeLine(rest)
		default:
			if printing { // what was printed the last time
				continue
			}
		}
		printing = false
		out.WriteString(line)
	}
	return out.String()
}

// stage is the world of a script.
type stage struct {
	t      *testing.T
	random io.Reader
	env    map[string]string
	now    time.Time
	input  bytes.Buffer
}

func (s *stage) setNow(text string) {
	s.t.Helper()
	now, err := time.Parse(time.RFC3339, text)
	if err != nil {
		s.t.Fatal(err)
	}
	s.now = now
}

// writeLine appends a line to a file: "NAME the line".
func (s *stage) writeLine(text string) {
	s.t.Helper()
	name, line, _ := strings.Cut(text, " ")
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := f.WriteString(line + "\n"); err != nil {
		s.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		s.t.Fatal(err)
	}
}

// differs is what depends on the database, and how a script has it.
var differs = []struct {
	is  *regexp.Regexp
	has string
}{
	{regexp.MustCompile(`sqlite:softstake\.db|postgres://[^\s,]+`), "BOOKS"},
	{regexp.MustCompile(`softstake(\.db)?\.key`), "KEYFILE"},
	{regexp.MustCompile(`(sqlite|postgres) [0-9][^,]*`), "ENGINE"},
	{regexp.MustCompile(`"engine":"[a-z]+","version":"[^"]*","bytes":[0-9]+`), `"engine":"ENGINE","version":"VERSION","bytes":SIZE`},
	{regexp.MustCompile(`[0-9]+\.[0-9] MiB`), "SIZE"},
	// How many transactions a run takes depends on how fast they are.
	{regexp.MustCompile(`[1-9][0-9]* events of the outbox`), "SOME events of the outbox"},
	{regexp.MustCompile(`"unnumbered":[1-9][0-9]*`), `"unnumbered":SOME`},
	{regexp.MustCompile(`(with|Restored) [0-9]+ rows`), "$1 ROWS"},
	{regexp.MustCompile(`schema [0-9]+`), "schema NUMBER"},
	// A secret is sealed differently each time, and so is the ID of a proposal that has one.
	{regexp.MustCompile(`(webhook (?:add|rotate) \S+ needs approval, and is proposed as )[0-9a-f]{12}(.*approve )[0-9a-f]{12}`),
		"${1}PROPOSAL${2}PROPOSAL"},
}

// command runs a command, and returns what it printed and its exit status.
func (s *stage) command(line string) string {
	var printed bytes.Buffer
	env := &Env{
		Stdin: &s.input, Stdout: &printed, Stderr: &printed,
		Now: func() time.Time { return s.now }, Random: s.random, Context: context.Background(),
		Getenv: func(name string) string { return s.env[name] },
	}
	status := run(env, splitWords(line))
	s.input.Reset()
	text := printed.String()
	for _, d := range differs {
		text = d.is.ReplaceAllString(text, d.has)
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	if status != 0 {
		text += "[" + strconv.Itoa(status) + "]\n"
	}
	return text + "\n"
}

// splitWords splits a command at spaces, but for those in quotes.
func splitWords(line string) []string {
	var words []string
	var word strings.Builder
	quoted, begun := false, false
	for _, r := range line {
		switch {
		case r == '"':
			quoted, begun = !quoted, true
		case r == ' ' && !quoted:
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}
