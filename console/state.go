package console

import (
	"errors"
	"math/big"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// needsReconciliation is what a token needs that differs from another ledger by more than its limit.
const needsReconciliation = "reconciliation"

// stateOf is the state of a token's oldest day that is not paid, and what it needs of a person, or "".
func stateOf(t reports.TokenStatus, firstOpen staking.Day) (state, needs string) {
	switch next := t.PaidThrough + 1; {
	case next >= firstOpen:
		state = "paid"
	case t.Declared:
		state = "declared"
	case t.Accrued:
		state = "accrued"
	default:
		state = "closed"
	}
	switch {
	case errors.Is(t.Waiting, staking.ErrFunds):
		needs = "funds"
	case errors.Is(t.Waiting, staking.ErrLimit):
		needs = "approval"
	case errors.Is(t.Waiting, staking.ErrUndivided):
		needs = "income"
	case errors.Is(t.Waiting, staking.ErrBreak):
		needs = needsReconciliation
	case errors.Is(t.Waiting, staking.ErrUncompared):
		needs = "comparison"
	}
	return state, needs
}

// signedPercent is by how many percent a differs from b, which is above zero: "+3", "0", "−12"; rounded to zero.
func signedPercent(a, b ledger.Amount) string {
	change := new(big.Int).Mul(big.NewInt(int64(a)-int64(b)), big.NewInt(100))
	change.Quo(change, big.NewInt(int64(b)))
	switch change.Sign() {
	case 1:
		return "+" + change.String()
	case -1:
		return "−" + change.Abs(change).String()
	}
	return "0"
}
