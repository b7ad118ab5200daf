package cli

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/store"
)

// No login is made with a password that has become public.
func TestALoginWithABreachedPassword(t *testing.T) {
	url, name := books(t), filepath.Join(t.TempDir(), "breached.txt")
	if err := os.WriteFile(name, fmt.Appendf(nil, "%X:3\n", sha1.Sum([]byte("correct horse"))), 0o600); err != nil {
		t.Fatal(err)
	}
	add := []string{"login", "add", "alice@example.com", "--account", "alice", "--db", url}
	_, said, status := commandAt(t.Context(), noon, strings.NewReader("correct horse\n"),
		append(add, "--breached-passwords", name)...)
	if status != 1 || !strings.Contains(said, "has become public") {
		t.Errorf("%d: %s", status, said)
	}
	mustAt(t, noon, "another horse\n", append(add, "--breached-passwords", name)...)
}

// A holder sees what an operator did with who may log in.
func TestTheHolderSeesChangesOfLogins(t *testing.T) {
	url := books(t)
	for i, c := range []struct {
		typed string
		args  []string
	}{
		{"correct horse\n", []string{"login", "add", "alice@example.com", "--account", "alice"}},
		// Changes nothing, and reports nothing.
		{"another horse\n", []string{"login", "add", "alice@example.com", "--account", "alice"}},
		{"", []string{"login", "password", "alice@example.com", "--generate"}},
		{"", []string{"login", "remove", "alice@example.com"}},
	} {
		mustAt(t, noon.Add(time.Duration(i)*time.Second), c.typed, append(c.args, "--db", url)...)
	}
	db, err := store.Open(t.Context(), url, store.Options{Clock: func() time.Time { return noon },
		Actor: access.Process("test"), Sealer: sealerOf(url)})
	if err != nil {
		t.Fatal(err)
	}
	events, err := db.People().SecurityEvents(t.Context(), "alice", nil, 10)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, a := range slices.Backward(events) {
		actions = append(actions, a.Action+" "+a.Detail+" by "+a.Client)
	}
	if want := []string{"login add alice@example.com by operator", "password alice@example.com by operator",
		"login remove alice@example.com by operator"}; !slices.Equal(actions, want) {
		t.Errorf("the actions are %q", actions)
	}
}
