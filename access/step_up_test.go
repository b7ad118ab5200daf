package access

import (
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
)

// TestStepUpIsOfOneContent: whatever is changed of what is confirmed, it is something else.
func TestStepUpIsOfOneContent(t *testing.T) {
	seen := map[string]string{}
	add := func(what, digest string) {
		t.Helper()
		if other, there := seen[digest]; there {
			t.Errorf("%s is confirmed as %s is", what, other)
		}
		seen[digest] = what
	}
	add("nothing", StepUp(""))
	add("an operation", StepUp("ab"))
	add("one text", StepUp("a", "b"))
	add("an empty text", StepUp("a", ""))
	add("two texts", StepUp("a", "b", "c"))
	add("texts with numbers", StepUp("a", "b1 c"))

	entry := ledger.Entry{ID: "web-1", Kind: ledger.WithdrawalRequest,
		Moves: []ledger.Move{{From: "alice", To: "alice/held", Asset: "BNB", Amount: 5}}}
	to := ledger.Destination{Address: "0x1", Network: "BSC", Tag: "7"}
	add("the entry", EntryStepUp(entry, to))
	for what, change := range map[string]func(e *ledger.Entry, m *ledger.Move, to *ledger.Destination){
		"another ID":      func(e *ledger.Entry, _ *ledger.Move, _ *ledger.Destination) { e.ID = "web-2" },
		"another kind":    func(e *ledger.Entry, _ *ledger.Move, _ *ledger.Destination) { e.Kind = ledger.Transfer },
		"another amount":  func(_ *ledger.Entry, m *ledger.Move, _ *ledger.Destination) { m.Amount++ },
		"another token":   func(_ *ledger.Entry, m *ledger.Move, _ *ledger.Destination) { m.Asset = "SOL" },
		"another account": func(_ *ledger.Entry, m *ledger.Move, _ *ledger.Destination) { m.To = "bob" },
		"another address": func(_ *ledger.Entry, _ *ledger.Move, to *ledger.Destination) { to.Address = "0x2" },
		"another network": func(_ *ledger.Entry, _ *ledger.Move, to *ledger.Destination) { to.Network = "ETH" },
		"another tag":     func(_ *ledger.Entry, _ *ledger.Move, to *ledger.Destination) { to.Tag = "" },
	} {
		e, moved, dest := entry, entry.Moves[0], to
		change(&e, &moved, &dest)
		e.Moves = []ledger.Move{moved}
		add(what, EntryStepUp(e, dest))
	}

	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	k := Key{Key: "one", Account: "alice", Type: HMAC, Permissions: []Permission{Read}, Expires: now.AddDate(0, 0, 30)}
	add("a key", k.StepUp(now))
	again := k
	again.Key, again.Secret = "two", []byte("sealed")
	if again.StepUp(now.Add(3*time.Second)) != k.StepUp(now) {
		t.Error("a key is another when its name and secret are made")
	}
	k.Expires = time.Time{}
	add("a key without an end", k.StepUp(now))
	k.Permissions = []Permission{Read, Withdraw}
	add("a key that withdraws", k.StepUp(now))
	k.Type, k.Secret = Ed25519, []byte("public")
	add("a key of one's own", k.StepUp(now))
	k.Secret = []byte("another")
	add("another key of one's own", k.StepUp(now))
}

// TestSubjects are those who have logged in, and nobody else.
func TestSubjects(t *testing.T) {
	for want, a := range map[string]Actor{
		"login alice@example.com": Session{Email: "alice@example.com"}.Actor(),
		"staff olga@example.com":  {Role: Operator, Credential: StaffSubject("olga@example.com")},
	} {
		if a.Subject() != want {
			t.Errorf("%q is the subject %q", a, a.Subject())
		}
	}
	named, err := CommandLine("login alice@example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []Actor{named, Process("serve"), Token{ID: "4fQx81LmZp0a"}.Actor(), Key{Key: "vmPUZE6mv9"}.Actor()} {
		if a.Subject() != "" {
			t.Errorf("%q is the subject %q", a, a.Subject())
		}
	}
}
