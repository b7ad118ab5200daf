package ledger

// The prefixes of the IDs of entries that bring staking income into the books, and of those
// that move the operator's share of it.
const (
	incomePrefix = "income/"
	feesPrefix   = "fees/"
)

// IncomeID is the ID of the entry of staking income with the caller's reference.
func IncomeID(reference string) string { return incomePrefix + reference }

// FeesID is the ID of an entry between @fees and the outside world.
func FeesID(id string) string { return feesPrefix + id }

// Split is staking income, and how it is divided. Each is in smallest units, and negative
// for negative income. Fee and Net make Gross.
type Split struct{ Gross, Fee, Net Amount }

// IncomeMoves are the moves of an entry of staking income: the gross amount from the
// outside world to @income, the fee from there to @fees, and the rest to @rewards. Those of
// negative income go the other way. A part of zero has no move.
func (s Split) IncomeMoves(asset string) []Move {
	var moves []Move
	for _, part := range []struct {
		from, to Account
		amount   Amount
	}{{Custody, Income, s.Gross}, {Income, Fees, s.Fee}, {Income, Rewards, s.Net}} {
		switch m := (Move{From: part.from, To: part.to, Asset: asset, Amount: part.amount}); {
		case m.Amount < 0:
			m.From, m.To, m.Amount = m.To, m.From, -m.Amount
			moves = append(moves, m)
		case m.Amount > 0:
			moves = append(moves, m)
		}
	}
	return moves
}
