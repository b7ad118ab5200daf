package ledger_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
)

// What ends a withdrawal is named after its request, which may be as long as any
// other entry's ID.
func TestAnEndingIsNamedAfterItsRequest(t *testing.T) {
	longest := strings.Repeat("w", 128)
	for _, c := range []struct {
		kind    ledger.Kind
		id      string
		request string // "": refused
	}{
		{ledger.WithdrawalCompleted, "w1/completed", "w1"},
		{ledger.WithdrawalCancelled, "w1/cancelled", "w1"},
		{ledger.WithdrawalCompleted, "a/b/completed", "a/b"},
		{ledger.WithdrawalCompleted, "w1/completed/completed", "w1/completed"},
		{ledger.WithdrawalCompleted, longest + "/completed", longest},
		{ledger.WithdrawalCancelled, longest + "/cancelled", longest},
		{ledger.WithdrawalCompleted, longest + "w/completed", ""},
		{ledger.WithdrawalCompleted, "w1/cancelled", ""},
		{ledger.WithdrawalCancelled, "w1/completed", ""},
		{ledger.WithdrawalCompleted, "/completed", ""},
		{ledger.WithdrawalCompleted, "w1", ""},
		{ledger.WithdrawalCompleted, "w1/Completed", ""},
		{ledger.WithdrawalCompleted, "w1completed", ""},
		{ledger.WithdrawalCompleted, "w 1/completed", ""},
		{ledger.WithdrawalCompleted, "", ""},
	} {
		m := move("alice/held", ledger.Custody)
		if c.kind == ledger.WithdrawalCancelled {
			m.To = "alice"
		}
		e := ledger.Entry{ID: c.id, Kind: c.kind, Moves: []ledger.Move{m}}
		err := e.Check(assets)
		if (err == nil) != (c.request != "") || (err != nil && !errors.Is(err, ledger.ErrInvalid)) {
			t.Errorf("%s %q: %v", c.kind, c.id, err)
		}
		request, ends := e.Ends()
		if err == nil && (!ends || request != c.request || ledger.EndingID(request, c.kind) != c.id) {
			t.Errorf("%s %q ends %q, %v; want %q", c.kind, c.id, request, ends, c.request)
		}
	}
	plain := ledger.Entry{
		ID: "w1/completed", Kind: ledger.Withdrawal, Moves: []ledger.Move{move("alice/held", ledger.Custody)},
	}
	if _, ends := plain.Ends(); ends || plain.Check(assets) != nil {
		t.Error("an entry of another kind may be named so, and ends nothing")
	}
	plain.ID = longest + "/completed"
	if plain.Check(assets) == nil {
		t.Error("an entry of another kind has no longer ID because of its name")
	}
}

func TestAWithdrawalIsOneMove(t *testing.T) {
	for kind, m := range map[ledger.Kind]ledger.Move{
		ledger.WithdrawalRequest:   move("alice", "alice/held"),
		ledger.WithdrawalCompleted: move("alice/held", ledger.Custody),
		ledger.WithdrawalCancelled: move("alice/held", "alice"),
	} {
		for n := range 3 {
			e := ledger.Entry{ID: ledger.EndingID("w1", kind), Kind: kind}
			for range n {
				e.Moves = append(e.Moves, m)
			}
			if err := e.Check(assets); (err == nil) != (n == 1) || (err != nil && !errors.Is(err, ledger.ErrInvalid)) {
				t.Errorf("%s with %d moves: %v", kind, n, err)
			}
		}
	}
}
