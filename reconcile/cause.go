package reconcile

import "time"

// CauseKind is what may be the cause of a difference from another ledger.
type CauseKind string

// The causes, in the order in which they are looked for.
const (
	CausePayout CauseKind = "payout"  // payouts that the other ledger has not credited are what is missing
	CauseHere   CauseKind = "here"    // an entry of the last day moved as much: the other ledger may not have it
	CauseLater  CauseKind = "later"   // an entry since then moved as much: the other ledger may have had it before
	CauseChange CauseKind = "change"  // none of these; the first entry of the last day that moved the token at all
	CauseNone   CauseKind = "unknown" // nothing moved
	CauseMany   CauseKind = "many"    // so much moved that not all of it is looked at
	CauseNobody CauseKind = "account" // the books have no such account
)

// Cause is the first event that could explain a difference. The zero value: none was looked for.
type Cause struct {
	Kind  CauseKind
	Entry string    // its ID; "" where Kind names no entry
	At    time.Time // of the entry or the payout; zero where there is none
	More  int       // how many more payouts there are of CausePayout
}
