//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"strings"
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

// TestSecretsAreRefusedThatOthersCanRead: the token of an endpoint and the secret at a provider.
func TestSecretsAreRefusedThatOthersCanRead(t *testing.T) {
	name := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(name, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := &Env{Getenv: func(string) string { return "" }}
	if r, err := (reachFlags{ReconcileTokenFile: name}).reach(env); err != nil || string(r.Token) != "secret" {
		t.Errorf("the token is %q: %v", r.Token, err)
	}
	if err := os.Chmod(name, 0o640); err != nil {
		t.Fatal(err)
	}
	_, err := (reachFlags{ReconcileTokenFile: name}).reach(env)
	if err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("others can read it: %v", err)
	}
	if _, err := readSecret("--oidc-client-secret-file", name); err == nil {
		t.Error("others can read the secret at a provider")
	}
}
