//go:build unix

package store_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// TestFilesAreTheirOwnersOnly whatever the umask: the books, what lies beside them while
// they are open, and backups of both databases. Files that are wider are listed.
func TestFilesAreTheirOwnersOnly(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	folder := t.TempDir()
	path := filepath.Join(folder, "books.db")
	postgres := pgtest.Database(t)
	o := store.Options{Clock: func() time.Time { return noon }, Actor: access.Process("test")}
	for i, url := range []string{"sqlite:" + path, postgres} {
		db, err := store.Create(t.Context(), url, o, store.Setup{From: staking.DayOf(noon),
			Documents: staking.ShippedDocuments(),
			Limits:    staking.NoLimit})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Engine().Backup(t.Context(), filepath.Join(folder, []string{"a.db", "b.db"}[i]), nil); err != nil {
			t.Fatal(err)
		}
		private(t, folder)
		if exposed, err := db.Engine().Exposed(); err != nil || len(exposed) > 0 {
			t.Errorf("%q are exposed, %v", exposed, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), "sqlite:"+path, o)
	if err != nil {
		t.Fatal(err)
	}
	if exposed, err := db.Engine().Exposed(); err != nil || len(exposed) == 0 || exposed[0] != path {
		t.Errorf("%q are exposed, %v", exposed, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode of another's file was changed: %v, %v", info.Mode(), err)
	}
}

// private looks at the modes of all files of a folder, or of those that are named and what lies beside them.
func private(t *testing.T, folder string, of ...string) {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		path := filepath.Join(folder, f.Name())
		if of != nil && !slices.ContainsFunc(of, func(name string) bool { return strings.HasPrefix(path, name) }) {
			continue
		}
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", f.Name(), info.Mode())
		}
	}
}

// TestBooksInAnEmptyFileAreTheirOwnersOnly: a file that was there, and had nothing in it,
// is no wider than one that is made, whether books are made in it or restored into it.
func TestBooksInAnEmptyFileAreTheirOwnersOnly(t *testing.T) {
	folder := t.TempDir()
	o := store.Options{Clock: func() time.Time { return noon }, Actor: access.Process("test")}
	made, restored, snapshot := filepath.Join(folder, "made.db"), filepath.Join(folder, "restored.db"),
		filepath.Join(folder, "snapshot.db")
	for _, path := range []string{made, restored} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o666); err != nil { // whatever the umask is
			t.Fatal(err)
		}
	}
	db, err := store.Create(t.Context(), "sqlite:"+made, o,
		store.Setup{From: staking.DayOf(noon), Documents: staking.ShippedDocuments(),
			Limits: staking.NoLimit})
	if err != nil {
		t.Fatal(err)
	}
	private(t, folder, made)
	if err := db.Engine().Backup(t.Context(), snapshot, nil); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Restore(t.Context(), snapshot, "sqlite:"+restored, o, restoring(1, nil)); err != nil {
		t.Fatal(err)
	}
	private(t, folder)
}
