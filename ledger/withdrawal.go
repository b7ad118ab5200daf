package ledger

import (
	"strings"
)

// endings are the kinds of entry that end a withdrawal, and what their IDs say
// after the ID of the request: "W/completed" ends the withdrawal that the entry W
// requested. The name is what ties them together, and so needs no field of its own.
var endings = map[Kind]string{
	WithdrawalCompleted: "/completed",
	WithdrawalCancelled: "/cancelled",
}

// EndingID is the ID of the entry that ends a withdrawal in the way that kind says,
// WithdrawalCompleted or WithdrawalCancelled.
func EndingID(request string, kind Kind) string { return request + endings[kind] }

// OfWithdrawal reports whether entries of the kind request or end a withdrawal.
func (k Kind) OfWithdrawal() bool { return k == WithdrawalRequest || endings[k] != "" }

// Ends is the ID of the request whose withdrawal the entry ends, if it is of a kind
// that ends one and is named as such an entry is.
func (e Entry) Ends() (request string, ends bool) {
	suffix, ends := endings[e.Kind]
	if !ends {
		return "", false
	}
	request, named := strings.CutSuffix(e.ID, suffix)
	return request, named && request != ""
}

// checkWithdrawal says what is wrong with the name of an entry that ends a
// withdrawal, and with the number of moves of one that requests or ends one, or nil.
func (e Entry) checkWithdrawal() error {
	suffix, ends := endings[e.Kind]
	if !ends && e.Kind != WithdrawalRequest {
		return nil
	}
	if _, named := e.Ends(); ends && !named {
		return ErrInvalid.In("id", "entry %s: an entry of the kind %q is named after the request that it ends: ID%s", Clip(e.ID), e.Kind, suffix)
	}
	if len(e.Moves) != 1 {
		return ErrInvalid.In("moves", "entry %s: %d moves; an entry of the kind %q has one", Clip(e.ID), len(e.Moves), e.Kind)
	}
	return nil
}
