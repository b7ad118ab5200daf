package imports

import (
	"time"

	"github.com/softstake/softstake/ledger"
)

// Entry is what an import posts in one entry: the sums of some rows.
type Entry struct {
	Name    string      // what the entry's ID ends with, behind "import/ACCOUNT/"
	Kind    ledger.Kind // Import, RewardElsewhere or Opening
	At      time.Time   // UTC, a whole second; of an opening it is the start of the first open day
	Changes []Change
}

// Change is the change of an asset: above zero it came, below it went.
type Change struct {
	Asset  string
	Amount ledger.Amount
}

// Prefix begins the IDs of the entries of an account's imports; their names follow.
func Prefix(account ledger.Account) string { return "import/" + string(account) + "/" }

// Of is the entry of the books that it is for an account. ErrInvalid if its time is not a
// whole second.
func (e Entry) Of(account ledger.Account) (ledger.Entry, error) {
	made := ledger.Entry{ID: Prefix(account) + e.Name, Kind: e.Kind, At: e.At.UTC()}
	for _, c := range e.Changes {
		move := ledger.Move{From: ledger.Custody, To: account, Asset: c.Asset, Amount: c.Amount}
		if c.Amount < 0 {
			move = ledger.Move{From: account, To: ledger.Custody, Asset: c.Asset, Amount: -c.Amount}
		}
		made.Moves = append(made.Moves, move)
	}
	return made, checkSecond(e.At)
}

// Opening is what an account had of an asset when the books began for it.
type Opening struct {
	Account ledger.Account
	Asset   string
	Amount  ledger.Amount
}

// OpeningID is the ID of the entry of an account's opening of an asset.
func OpeningID(account ledger.Account, asset string) string {
	return "opening/" + string(account) + "/" + asset
}

// Entry is the entry of the books. The books date it.
func (o Opening) Entry() ledger.Entry {
	return ledger.Entry{
		ID: OpeningID(o.Account, o.Asset), Kind: ledger.Opening,
		Moves: []ledger.Move{{From: ledger.Custody, To: o.Account, Asset: o.Asset, Amount: o.Amount}},
	}
}
