package ledger

import (
	"strings"
)

// endings are the kinds of entry that end a withdrawal, and the suffixes of their IDs: the
// entry "W/completed" ends the withdrawal that the entry "W" requested. The ID refers to
// the request, so no field does.
var endings = map[Kind]string{
	WithdrawalCompleted: "/completed",
	WithdrawalCancelled: "/cancelled",
}

// EndingID is the ID of the entry that ends a withdrawal. kind is WithdrawalCompleted or
// WithdrawalCancelled.
func EndingID(request string, kind Kind) string { return request + endings[kind] }

// OfWithdrawal reports whether entries of the kind request or end a withdrawal.
func (k Kind) OfWithdrawal() bool { return k == WithdrawalRequest || endings[k] != "" }

// Ends is the ID of the request whose withdrawal the entry ends. ends is false if the entry
// is not of such a kind, or has no ID of one.
func (e Entry) Ends() (request string, ends bool) {
	suffix, ends := endings[e.Kind]
	if !ends {
		return "", false
	}
	request, named := strings.CutSuffix(e.ID, suffix)
	return request, named && request != ""
}

// checkWithdrawal returns ErrInvalid for a wrong ID of an entry that ends a withdrawal, and
// for a wrong number of moves of one that requests or ends one.
func (e Entry) checkWithdrawal() error {
	suffix, ends := endings[e.Kind]
	if !ends && e.Kind != WithdrawalRequest {
		return nil
	}
	if _, named := e.Ends(); ends && !named {
		return ErrInvalid.In("id", "entry %s: an entry of the kind %q is named after the request that it ends: ID%s",
			Clip(e.ID), e.Kind, suffix)
	}
	if len(e.Moves) != 1 {
		return ErrInvalid.In("moves", "entry %s: %d moves; an entry of the kind %q has one",
			Clip(e.ID), len(e.Moves), e.Kind)
	}
	return nil
}
