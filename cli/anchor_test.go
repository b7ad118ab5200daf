package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/store"
)

// dayAfter is noon of the n-th day after the first one of the books.
func dayAfter(days int) time.Time { return noon.AddDate(0, 0, days) }

// fill is books with a deposit, closed through the day before dayAfter(days), in the working folder.
func fill(t *testing.T, days int) string {
	t.Helper()
	url := books(t)
	must(t, `{"id":"d-1","kind":"deposit","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"5"}]}`, "post",
		"-", "--db", url)
	mustAt(t, dayAfter(days), "", "settle", "--db", url)
	return url
}

// change runs a statement in the books, as somebody with access to the database would.
func change(t *testing.T, url, sql string) {
	t.Helper()
	o := store.Options{Clock: time.Now, Actor: access.Process("test"), Sealer: sealerOf(url)}
	books, err := store.Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	err = books.Engine().Write(t.Context(), func(tx db.Tx) error {
		_, err := tx.Exec(sql)
		return err
	})
	if closed := books.Close(); err != nil || closed != nil {
		t.Fatal(err, closed)
	}
}

// TestAnchors: what is changed in closed days is found by the checkpoints in a file.
func TestAnchors(t *testing.T) {
	t.Chdir(t.TempDir())
	url := fill(t, 1)
	public := must(t, "", "anchor", "key", "books.example.com/softstake")
	if err := os.WriteFile("anchor.pub", []byte(public), 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat("anchor.key")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the private key: %v, %v", info.Mode(), err)
	}
	sign := []string{"anchor", "make", "--anchor-key", "anchor.key", "--anchor-file", "anchors.txt", "--db", url}
	first := mustAt(t, dayAfter(1), "", sign...)
	if again := mustAt(t, dayAfter(1), "", sign...); again != first {
		t.Errorf("signed again: %q", again)
	}
	mustAt(t, dayAfter(2), "", "settle", "--db", url)
	second := mustAt(t, dayAfter(2), "", sign...)
	kept, err := os.ReadFile("anchors.txt")
	if want := first + "\n" + second; err != nil || string(kept) != want {
		t.Fatalf("the file has %q, %v", kept, err)
	}
	if listed := must(t, "", "anchor", "list", "--db", url); listed != string(kept) {
		t.Errorf("the books keep %q", listed)
	}
	audit := []string{"audit", "--anchors", "anchors.txt", "--anchor-verifier", "anchor.pub", "--db", url}
	if out := mustAt(t, dayAfter(2), "", audit...); !strings.Contains(out,
		"The records are those that were signed through 2026-11-23: 2 checkpoints, 2 records, ") {
		t.Error(out)
	}
	change(t, url, "UPDATE log SET actor = 'operator nobody' WHERE action = 'account open'")
	out, stderr, status := commandAt(t.Context(), dayAfter(2), strings.NewReader(""), audit...)
	if status != 1 || !strings.Contains(out, "2026-11-22, log/2: ") ||
		!strings.Contains(stderr, "their records in 1 place") {
		t.Errorf("status %d: %s%s", status, out, stderr)
	}
	if out, _, status := commandAt(t.Context(), dayAfter(2), strings.NewReader(""),
		append(audit, "--json")...); status != 1 || !strings.Contains(out, `"kind":"log/2"`) {
		t.Errorf("status %d: %s", status, out)
	}
}

// TestProofAndVerify: a proof is made of signed books, and checked without them.
func TestProofAndVerify(t *testing.T) {
	t.Chdir(t.TempDir())
	url := fill(t, 1)
	key := must(t, "", "anchor", "key", "books.example.com")
	proof := []string{"proof", "alice", "2026-11-22", "BNB", "--db", url}
	refused := func(want string, args ...string) {
		t.Helper()
		_, stderr, status := commandAt(t.Context(), dayAfter(1), strings.NewReader(""), args...)
		if status != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%q: status %d: %s", args, status, stderr)
		}
	}
	refused("anchor make", proof...)
	mustAt(t, dayAfter(1), "", "anchor", "make", "--anchor-key", "anchor.key", "--db", url)
	text := mustAt(t, dayAfter(1), "", proof...)
	lie := strings.Replace(text, `"amount":"500000000"`, `"amount":"400000000"`, 1)
	for name, content := range map[string]string{"proof.json": text, "lie.json": lie, "anchor.pub": key,
		"negative.json": strings.Replace(text, `"amount":"500000000"`, `"amount":"-1"`, 1)} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out := must(t, "", "verify", "proof.json", "proof.json", "--verifier", "anchor.pub"); !strings.Contains(out,
		"alice had 500000000 smallest units of BNB at the end of 2026-11-22, of 500000000 owed to all holders") {
		t.Error(out)
	}
	refused("does not hold", "verify", "lie.json", "--verifier", "anchor.pub")
	refused("negative.json", "verify", "negative.json", "--verifier", "anchor.pub")
	refused("has none", "proof", "bob", "2026-11-22", "BNB", "--db", url)
}

// TestAnchorKeyIsPrivate: a key that others can read signs nothing.
func TestAnchorKeyIsPrivate(t *testing.T) {
	t.Chdir(t.TempDir())
	url := fill(t, 1)
	must(t, "", "anchor", "key", "books.example.com")
	if err := os.Chmod("anchor.key", 0o644); err != nil {
		t.Fatal(err)
	}
	_, stderr, status := commandAt(t.Context(), dayAfter(1), strings.NewReader(""), "anchor", "make", "--anchor-key",
		"anchor.key", "--db", url)
	if status != 1 || !strings.Contains(stderr, "chmod 600") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// TestServeAnchors: a server makes and signs the records by itself, and sends a checkpoint until it is accepted.
func TestServeAnchors(t *testing.T) {
	t.Chdir(t.TempDir())
	url := fill(t, 1)
	must(t, "", "anchor", "key", "books.example.com")
	var mu sync.Mutex
	var paths []string
	arrived := make(chan string, 1)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if paths = append(paths, r.Method+" "+r.URL.Path); len(paths) == 1 || err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		select {
		case arrived <- string(body):
		default:
		}
	}))
	defer other.Close()
	startServe(t, url, dayAfter(1), "--anchor-key", "anchor.key", "--anchor-put", other.URL+"/{day}/{size}",
		"--poll", "10ms")
	select {
	case body := <-arrived:
		if listed := must(t, "", "anchor", "list", "--db", url); body != listed {
			t.Errorf("%q was sent, and the books keep %q", body, listed)
		}
	case <-time.After(time.Minute):
		t.Fatal("nothing was sent")
	}
	mu.Lock()
	defer mu.Unlock()
	if len(paths) < 2 || paths[0] != "PUT /2026-11-22/1" || paths[1] != paths[0] {
		t.Errorf("requests: %v", paths)
	}
}
