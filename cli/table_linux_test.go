package cli

import (
	"bytes"
	"strings"
	"testing"
)

// TestTable: cells are as wide as they are shown, and the header is bold on a terminal
// that has bold text, and nowhere else. NO_COLOR changes nothing: bold is no color.
func TestTable(t *testing.T) {
	const rows = "─────  ──────\n東京     12.5\ne\u0301t\u00e9       7\n"
	const plain, bold = "name   amount\n" + rows, "\x1b[1mname \x1b[m  \x1b[1mamount\x1b[m\n" + rows
	table := func() *grid {
		g := newGrid(text("name"), figure("amount"))
		g.add("東京\t", "12.5")
		g.add("e\u0301t\u00e9", "7")
		return g
	}
	var file bytes.Buffer
	if err := table().write(&file); err != nil || file.String() != plain {
		t.Errorf("a file has %q, %v; want %q", file.String(), err, plain)
	}
	t.Setenv("NO_COLOR", "1")
	for kind, want := range map[string]string{"xterm": bold, "dumb": plain, "": plain} {
		t.Setenv("TERM", kind)
		s := newScreen(t)
		if err := table().write(s.line); err != nil {
			t.Fatal(err)
		}
		want = strings.ReplaceAll(want, "\n", "\r\n")
		s.see(want)
		if s.text.String() != want {
			t.Errorf("TERM=%s shows %q; want %q", kind, s.text.String(), want)
		}
	}
}
