package cli

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// row is a line of the README's configuration table: flag, environment, default, and what it means.
var row = regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\| `([A-Z_]+)` \\| (?:`([^`]*)` )?\\| (.+) \\|$")

// TestREADMEConfiguration compares the table with the flags of every command and of serve,
// and with the variables that are asked for them.
func TestREADMEConfiguration(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var got [][3]string
	for _, cells := range row.FindAllStringSubmatch(string(text), -1) {
		got = append(got, [3]string(cells[1:4]))
	}
	k, err := kong.New(&app{}, groups)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(k.Model.Children, func(n *kong.Node) bool { return n.Name == "serve" })
	serve := k.Model.Children[i]
	var want [][3]string
	for _, flag := range slices.Concat(k.Model.Flags, serve.Flags) {
		if flag.Hidden || flag.Name == "help" {
			continue
		}
		want = append(want, [3]string{flag.Name, variable(t, serve, flag), flag.Default})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the configuration table of README.md (+) is not that of the program (-):\n%s", diff)
	}
}

// variable is the first that is asked for a flag of serve.
func variable(t *testing.T, serve *kong.Node, flag *kong.Flag) string {
	t.Helper()
	asked := ""
	env := &Env{Getenv: func(name string) string {
		if asked == "" {
			asked = name
		}
		return ""
	}}
	if _, err := environment(env).Resolve(nil, &kong.Path{Command: serve}, flag); err != nil {
		t.Fatal(err)
	}
	return asked
}
