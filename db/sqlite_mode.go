package db

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"zombiezen.com/go/sqlite"
)

// readMode is how an SQLite file is opened.
type readMode int

const (
	readWrite     readMode = iota
	readOnly               // beside others who may write
	readImmutable          // as a file that nobody writes: without locks, and without files beside it
)

// mayHelp reports whether a file that could not be opened, with err, may well be in
// this mode. SQLite itself knows best what it may write. Where it cannot make its
// files beside the books, it reads without them; but not past a journal, in which
// the newest entries may stand.
func (m readMode) mayHelp(path string, err error) bool {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultReadOnly, sqlite.ResultCantOpen:
		return m == readOnly || !hasJournal(path)
	}
	return false
}

func hasJournal(path string) bool {
	for _, suffix := range []string{"-wal", "-journal"} {
		if _, err := os.Stat(path + suffix); !errors.Is(err, os.ErrNotExist) {
			return true
		}
	}
	return false
}

// source is the name by which SQLite opens a path in this mode.
func (m readMode) source(path string, flags sqlite.OpenFlags) (string, sqlite.OpenFlags) {
	switch m {
	case readOnly:
		return path, sqlite.OpenReadOnly
	case readImmutable:
		return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#",
				"%23").Replace(filepath.ToSlash(filepath.Clean(path))) + "?immutable=1",
			sqlite.OpenReadOnly | sqlite.OpenURI
	}
	return path, flags
}

// changed says, at the end, that somebody wrote a file that was read as one that
// nobody writes.
func (db *sqliteDB) changed() error {
	if db.mode != readImmutable {
		return nil
	}
	now, err := os.Stat(db.path)
	if err != nil {
		return fmt.Errorf("look at %s again: %w", db.path, err)
	}
	if now.Size() != db.was.Size() || !now.ModTime().Equal(db.was.ModTime()) || hasJournal(db.path) {
		return fmt.Errorf("%s was written while it was read; what was read may be wrong; do it again", db.path)
	}
	return nil
}

func cannotWrite(path string) error {
	return fmt.Errorf("%s cannot be written; may you write the file and its folder?", path)
}
