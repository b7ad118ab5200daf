package store

import (
	"context"
	"time"

	"github.com/softstake/softstake/ledger"
)

// WithdrawalState says how a withdrawal stands.
type WithdrawalState string

// The states of a withdrawal, as its entries say.
const (
	Pending   WithdrawalState = "pending"
	Completed WithdrawalState = "completed"
	Cancelled WithdrawalState = "cancelled"
)

// Withdrawal is a withdrawal that was requested.
type Withdrawal struct {
	ID       string // of the entry that requested it; "ID/completed" or "ID/cancelled" ends it
	Account  ledger.Account
	Asset    string
	Amount   ledger.Amount
	Address  string // where it goes; "" where the caller kept that to itself, and so for the next three
	Network  string
	Tag      string
	ClientID string // what its holder calls it
	At       time.Time
	State    WithdrawalState
	Ended    time.Time // when it was completed or cancelled; zero while it is pending
}

// Ending is the entry that ends the withdrawal, now: WithdrawalCompleted moves what
// is held to @custody, and WithdrawalCancelled back to what is free. Its name ties it
// to the request, so that a withdrawal ends once.
func (w Withdrawal) Ending(kind ledger.Kind) ledger.Entry {
	to := ledger.Custody
	if kind == ledger.WithdrawalCancelled {
		to = w.Account
	}
	return ledger.Entry{ID: ledger.EndingID(w.ID, kind), Kind: kind, Moves: []ledger.Move{{From: w.Account.Held(), To: to, Asset: w.Asset, Amount: w.Amount}}}
}

// Withdraw requests a withdrawal: it posts the entry that holds the amount and, in
// the same commit, keeps where it goes, in texts of at most 200 characters each. At
// is the entry's time, zero for now; State and Ended are not looked at. The same ID
// with the same content twice is once; with other content, also of where it goes,
// it is ErrConflict. Its other errors are those of Post's outcomes.
func (db *DB) Withdraw(ctx context.Context, w Withdrawal) (Outcome, error) {
	for _, text := range [][3]string{
		{"address", "the address", w.Address}, {"network", "the network", w.Network}, {"tag", "the tag", w.Tag}, {"clientId", "the client's ID", w.ClientID},
	} {
		if err := ledger.CheckText(text[1], text[2]); err != nil {
			return Outcome{}, ledger.At(text[0], err)
		}
	}
	e := ledger.Entry{
		ID: w.ID, Kind: ledger.WithdrawalRequest, At: w.At,
		Moves: []ledger.Move{{From: w.Account, To: w.Account.Held(), Asset: w.Asset, Amount: w.Amount}},
	}
	outcomes, err := db.post(ctx, &call{entries: []ledger.Entry{e}, goes: w.destination()})
	if err != nil {
		return Outcome{}, err
	}
	return ofMove(outcomes[0])
}

// ofMove is what became of an entry that is made of an input with the fields of its one
// move: what is wrong with "moves[0].amount" is wrong with its "amount".
func ofMove(o Outcome) (Outcome, error) {
	o.Err = ledger.Inside("moves[0]", o.Err)
	return o, o.Err
}

func (w Withdrawal) destination() ledger.Destination {
	return ledger.Destination{Address: w.Address, Network: w.Network, Tag: w.Tag, ClientID: w.ClientID}
}
