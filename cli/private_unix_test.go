//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestCommandsMakePrivateFiles whatever the umask is; serve warns of books that others can read.
func TestCommandsMakePrivateFiles(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	folder := t.TempDir()
	path := filepath.Join(folder, "books.db")
	url := "sqlite:" + path
	must(t, "", "init", "--four-eyes", "off", "--db", url)
	must(t, "", "account", "open", "alice", "--region", "DE", "--db", url)
	must(t, "", "key", "create", "--account", "alice", "--type", "hmac", "--permissions", "read", "--db", url)
	must(t, "", "backup", filepath.Join(folder, "backup.db"), "--db", url)
	must(t, "", "demo", "--report", "--holders", "10", "--days", "3", "--db", "sqlite:"+filepath.Join(folder, "demo.db"))
	s := startServe(t, url, noon)
	s.at("/")
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", f.Name(), info.Mode())
		}
	}
	if len(files) < 5 { // the books with their -wal and -shm, the key, the backup, the demo
		t.Errorf("only %d files were made", len(files))
	}
	s.end()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	s = startServe(t, url, noon)
	s.waitFor(`level=WARN msg="others can read or write a file of the books; keep it to yourself: chmod 600" file=` + path)
	s.end()
}
