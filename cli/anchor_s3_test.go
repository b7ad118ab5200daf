package cli

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/s3/s3test"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// anchorOf is what the console shows of the checkpoints of books.
func anchorOf(t *testing.T, url string) reports.Anchor {
	t.Helper()
	books := testkit.Must(store.Open(t.Context(), url, store.Options{Clock: time.Now, Actor: access.Process("test"),
		Sealer: sealerOf(url)}))(t)
	a, err := reports.New(books.Reader()).Anchor(t.Context())
	if closed := books.Close(); err != nil || closed != nil {
		t.Fatal(err, closed)
	}
	return a
}

// TestAnchorsInAStore: checkpoints are sent to an S3-compatible store until it takes them, and the audit reads them
// there. The books say since when sending fails, and no message has a secret.
func TestAnchorsInAStore(t *testing.T) {
	t.Chdir(t.TempDir())
	url := fill(t, 1)
	key := must(t, "", "anchor", "key", "books.example.com")
	at := dayAfter(1)
	server := s3test.New(t, func() time.Time { return at })
	credentials := "[other]\naws_secret_access_key = x\n[default]\naws_access_key_id = " + server.ID +
		"\naws_secret_access_key = " + server.Secret + "\n"
	for name, text := range map[string]string{"anchor.pub": key, "aws.ini": credentials} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := "s3+" + server.URL + "/bucket/books/{day}.txt"
	reach := []string{"--anchor-region", server.Region, "--anchor-credentials", "aws.ini", "--db", url}
	sign := append([]string{"anchor", "make", "--anchor-key", "anchor.key", "--anchor-put", address}, reach...)
	fails := func(want string, args ...string) {
		t.Helper()
		_, stderr, status := commandAt(t.Context(), at, strings.NewReader(""), args...)
		if status == 0 || !strings.Contains(stderr, want) || strings.Contains(stderr, server.Secret) {
			t.Errorf("status %d: %s", status, stderr)
		}
	}
	server.SetDown(true)
	fails("503", sign...)
	since := anchorOf(t, url).Delivery
	if since.Failed != at || !strings.Contains(since.Fault, "503") || !since.Sent.IsZero() {
		t.Errorf("the books say %+v", since)
	}
	at = at.Add(time.Minute)
	fails("503", sign...)
	if again := anchorOf(t, url).Delivery; again != since {
		t.Errorf("the books say %+v", again)
	}
	server.SetDown(false)
	first := mustAt(t, at, "", sign...)
	if sent := anchorOf(t, url).Delivery; !sent.Failed.IsZero() || sent.Fault != "" || sent.Sent != at || sent.Size != 1 {
		t.Errorf("the books say %+v", sent)
	}
	at = dayAfter(2)
	mustAt(t, at, "", "settle", "--db", url)
	second := mustAt(t, at, "", sign...)
	kept := server.Objects()
	if len(kept) != 2 || kept["books/2026-11-22.txt"] != first || kept["books/2026-11-23.txt"] != second {
		t.Errorf("kept are %q", kept)
	}
	audit := append([]string{"audit", "--anchor-verifier", "anchor.pub", "--anchors", address}, reach...)
	if out := mustAt(t, at, "", audit...); !strings.Contains(out, "signed through 2026-11-23: 2 checkpoints, 2 records") {
		t.Error(out)
	}
	audit[4] = strings.Replace(address, "{day}", "2026-11-22", 1)
	if out := mustAt(t, at, "", audit...); !strings.Contains(out, "signed through 2026-11-22: 1 checkpoint, 2 records") {
		t.Error(out)
	}
	change(t, url, "UPDATE log SET actor = 'operator nobody' WHERE action = 'account open'")
	audit[4] = address
	fails("their records in 1 place", audit...)
	audit[4] = strings.Replace(address, "books/", "none/", 1)
	fails("has no checkpoints", audit...)
	if err := os.Chmod("aws.ini", 0o644); err != nil {
		t.Fatal(err)
	}
	fails("chmod 600", sign...)
	if err := os.Chmod("aws.ini", 0o600); err != nil {
		t.Fatal(err)
	}
	sign[5] = "s3+https://host"
	fails("no bucket or no key", sign...)
}
