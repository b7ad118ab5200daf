package pgserver

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestFindBinaries(t *testing.T) {
	t.Setenv("PATH", "")
	root := t.TempDir()
	pattern := filepath.Join(root, "*", "bin", "initdb")
	if _, err := findBinaries(pattern); !errors.Is(err, ErrMissing) {
		t.Fatalf("nothing installed: %v, want ErrMissing", err)
	}
	for _, version := range []string{"9", "18", "15", "old"} {
		bin := filepath.Join(root, version, "bin")
		if err := os.MkdirAll(bin, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(bin, "initdb"), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := findBinaries(pattern); err != nil || got != filepath.Join(root, "18", "bin") {
		t.Fatalf("the newest of 9, 18, 15: %s, %v", got, err)
	}
	t.Setenv("PATH", filepath.Join(root, "15", "bin"))
	if got, err := findBinaries(pattern); err != nil || got != filepath.Join(root, "15", "bin") {
		t.Fatalf("that of PATH: %s, %v", got, err)
	}
}
