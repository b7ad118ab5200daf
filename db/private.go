package db

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
)

// Books hold what people own: nobody but their owner reads their files.
const privateMode fs.FileMode = 0o600

// sqliteFiles are what SQLite adds to a file's name for those beside it, and "" for the file itself.
var sqliteFiles = []string{"", "-wal", "-shm", "-journal"}

// makePrivate makes an empty file that only its owner can read, whatever the umask is.
// SQLite gives the files beside it the same mode. An empty one that is there becomes
// private too, since books are made in it; one that has something in it stays as it is.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, privateMode)
	switch {
	case errors.Is(err, fs.ErrExist):
		return makeEmptyPrivate(path)
	case err != nil:
		return fmt.Errorf("%s cannot be opened; is its folder there, and may you write in it? %w", path, err)
	}
	return f.Close()
}

// makeEmptyPrivate takes the file away from others than its owner, if there is nothing in it.
func makeEmptyPrivate(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Mode().IsRegular() && info.Size() == 0 && info.Mode().Perm()&^privateMode != 0 {
		err = os.Chmod(path, privateMode)
	}
	if err != nil {
		return fmt.Errorf("keep %s from others; give a file of yours, or one that is not there yet: %w", path, err)
	}
	return nil
}

// Exposed lists the files of the database that others than their owner may read or write.
// PostgreSQL has none.
func (d *DB) Exposed() ([]string, error) {
	file, ok := d.engine.(*sqliteDB)
	if !ok || runtime.GOOS == "windows" { // which has no such modes
		return nil, nil
	}
	var exposed []string
	for _, suffix := range sqliteFiles {
		info, err := os.Stat(file.path + suffix)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("look at the mode of %s: %w", file.path+suffix, err)
		case info.Mode().Perm()&^privateMode != 0:
			exposed = append(exposed, file.path+suffix)
		}
	}
	return exposed, nil
}
