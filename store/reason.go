package store

// Why the books refuse something, where a front end can say what to do about it: the
// reasons of a ledger.Error.
const (
	ReasonUnknownAccount  = "unknown-account"  // ledger.ErrNotFound
	ReasonUnknownDocument = "unknown-document" // ledger.ErrNotFound
	ReasonUnknownRegion   = "unknown-region"   // ledger.ErrNotFound: it is not listed

	ReasonOtherResidence = "other-residence" // ledger.ErrConflict: the account is open
	ReasonTokenExists    = "token-exists"    // ledger.ErrConflict: with other figures or terms
	ReasonDamaged        = "damaged-entry"   // ledger.ErrConflict: it cannot be shown that the entry is the same

	ReasonClosed     = "account-closed" // ledger.ErrInvalid: nothing is done with a closed account
	ReasonFuture     = "future"         // ledger.ErrInvalid: its time is ahead of the clock
	ReasonDayBegun   = "day-begun"      // ledger.ErrInvalid: terms hold from tomorrow on
	ReasonDayNotOver = "day-not-over"   // ledger.ErrInvalid: terms are corrected of a day that is over
	ReasonDeclared   = "day-declared"   // ledger.ErrInvalid: the day is being paid

	ReasonNotCopied  = "restore-not-copied"  // ErrUnfinished
	ReasonNotAudited = "restore-not-audited" // ErrUnfinished
	ReasonFindings   = "restore-findings"    // ErrFindings
)
