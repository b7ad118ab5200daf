package control

import (
	"fmt"
	"slices"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

// holderKinds are the kinds of entries that a holder posts of its own account. A trade is only its own conversion.
var holderKinds = []ledger.Kind{ledger.Transfer, ledger.WithdrawalRequest, ledger.WithdrawalCancelled}

// CheckEntry is access.ErrForbidden where an actor may not post what an entry says, whose kind CheckKind has allowed: a
// holder posts what leaves its own account. converts says that the entry is a conversion, which the books have priced
// by its rules. An authoritative entry is posted at the command line, by the books' own processes, or by a back end
// whose token says so.
func CheckEntry(e ledger.Entry, converts bool, a access.Actor) error {
	if e.Authoritative && !a.Authoritative && a.Role != access.System && !a.AtCommandLine() {
		return access.ErrForbidden.In("authoritative",
			"the token may not post authoritative entries; an operator makes one that may")
	}
	if a.Role != access.Holder {
		return nil
	}
	if !slices.Contains(holderKinds, e.Kind) && !(converts && e.Kind == ledger.Trade) {
		return access.ErrForbidden.In("kind", "a holder posts entries of the kinds %s and %s",
			ledger.Transfer, ledger.WithdrawalRequest)
	}
	if !e.At.IsZero() {
		// Backdated, tokens would have earned before they came to the account.
		return access.ErrForbidden.In("at", "a holder's entry counts when it is posted")
	}
	for i, m := range e.Moves {
		own := m.From == a.Account || e.Kind == ledger.WithdrawalCancelled && m.From == a.Account.Held() ||
			converts && m.From == ledger.Desk && m.To == a.Account
		if a.Account == "" || !own {
			return access.ErrForbidden.In(fmt.Sprintf("moves[%d].from", i), "a holder moves what is free in its own account")
		}
	}
	return nil
}
