package cli

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/store"
)

// A holder sees what an operator did with who may log in.
func TestTheHolderSeesChangesOfLogins(t *testing.T) {
	url := books(t)
	for i, args := range [][]string{
		{"login", "add", "alice@example.com", "--account", "alice"},
		{"login", "add", "alice@example.com", "--account", "alice"}, // changes nothing, and reports nothing
		{"login", "invite", "alice@example.com"},
		{"login", "remove", "alice@example.com"},
	} {
		mustAt(t, noon.Add(time.Duration(i)*time.Second), "", append(args, "--db", url)...)
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
	if want := []string{"login add alice@example.com by operator", "login invite alice@example.com by operator",
		"login remove alice@example.com by operator"}; !slices.Equal(actions, want) {
		t.Errorf("the actions are %q", actions)
	}
}
