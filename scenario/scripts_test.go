package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/pgtest"
)

func TestMain(m *testing.M) {
	defer func() {
		if err := RemoveProgram(); err != nil {
			panic(err)
		}
	}()
	pgtest.Main(m)
}

// TestScripts plays each day of testdata on every database. What it expects must
// come true, the audit must find nothing, and all that the audit reads must be the same.
func TestScripts(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no scripts: %v", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		script, err := Parse(name, string(text))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			t.Parallel()
			playEverywhere(t, script, Play)
		})
	}
}

// playEverywhere plays a script on every database, and compares the books that
// come of it and each answer on the way.
func playEverywhere(t *testing.T, s *Script, play func(testing.TB, *Script, string) *Player) {
	t.Helper()
	var first []string
	for _, kind := range Databases {
		t.Run(kind, func(t *testing.T) {
			url := NewURL(t, kind, false)
			p := play(t, s, url)
			if first == nil || Long() { // an audit of the same rows finds the same
				Clean(t, p.db)
			}
			dump, err := Dump(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			all := append(p.Record, dump...)
			if first == nil {
				first = all
			}
			if diff := cmp.Diff(first, all); diff != "" {
				t.Errorf("on %s and on %s (+):\n%s", Databases[0], kind, diff)
			}
		})
	}
}
