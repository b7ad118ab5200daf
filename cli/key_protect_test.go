package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestKeyProtect: books from before there was a key work without one, and say what that means; protected, they need it.
func TestKeyProtect(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "books.db")
	old, err := store.Create(t.Context(), url, store.Options{Clock: func() time.Time { return noon },
		Actor: access.Process("test")}, store.Setup{From: staking.DayOf(noon),
		Tokens: testkit.Must(staking.ShippedTokens(staking.DayOf(noon)))(t), Documents: staking.ShippedDocuments()})
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	on := func(args ...string) string { return must(t, "", append(args, "--db", url)...) }
	state := func(want string) {
		t.Helper()
		var status, audited struct{ Credentials string }
		for command, j := range map[string]any{"status": &status, "audit": &audited} {
			if err := json.Unmarshal([]byte(on(command, "--json")), j); err != nil {
				t.Fatal(err)
			}
		}
		if status.Credentials != want || audited.Credentials != want {
			t.Errorf("credentials are %q, by the audit %q, not %q", status.Credentials, audited.Credentials, want)
		}
	}
	on("token", "create", "--role", "exchange")
	state("unprotected")
	if text := on("status"); !strings.Contains(text, `"softstake key protect" makes one`) {
		t.Errorf("status says %s", text)
	}

	key := strings.TrimPrefix(url, "sqlite:") + ".key"
	if text := on("key", "protect"); !strings.Contains(text, "Gave 1 row that gives a right a MAC with the key of "+key) {
		t.Errorf("it says %s", text)
	}
	if text := on("key", "protect"); !strings.Contains(text, "since 2026-11-22 12:00:00 UTC") {
		t.Errorf("again, it says %s", text)
	}
	state("protected")
	if text := on("log"); strings.Count(text, "key protect") != 1 {
		t.Errorf("the log has %s", text)
	}

	if err := os.Rename(key, key+".away"); err != nil {
		t.Fatal(err)
	}
	state("key-missing")
	if text := on("audit"); !strings.Contains(text, "the key is not here") {
		t.Errorf("the audit says %s", text)
	}
	_, text, status := command(t, t.Context(), nil, "token", "create", "--role", "exchange", "--db", url)
	if status == 0 || !strings.Contains(text, "key") {
		t.Errorf("without the key a token is made: %d %s", status, text)
	}
}
