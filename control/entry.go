package control

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

// holderKinds are the kinds of entries that a holder posts of its own account. A trade is only its own conversion.
var holderKinds = []ledger.Kind{ledger.Transfer, ledger.WithdrawalRequest, ledger.WithdrawalCancelled}

// CheckEntry is access.ErrForbidden where an actor may not post what an entry says, whose kind CheckKind has allowed: a
// holder posts what leaves its own account. converts says that the entry is a conversion, which the books have priced
// by its rules. A holder's entry is named by its account, or by a page or the exchange's API: one that is named as the
// back end names a deposit would keep the deposit out. An authoritative entry is posted at the command line, by the
// books' own processes, or by a back end whose token says so.
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
	if e.Kind == ledger.WithdrawalCancelled { // it is named by its request
		return nil
	}
	return checkName(e.ID, a)
}

// checkName refuses an ID that a holder's token has chosen and that is not ACCOUNT/NAME. Pages and the exchange's API
// make the IDs of their entries by themselves.
func checkName(id string, a access.Actor) error {
	name, own := strings.CutPrefix(id, string(a.Account)+"/")
	if a.HasToken() && (!own || name == "" || strings.Contains(name, "/")) {
		return access.ErrForbidden.In("id", "a holder's IDs begin with its account and one slash: %s/NAME", a.Account)
	}
	return nil
}
