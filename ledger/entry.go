// Package ledger is double-entry bookkeeping for spot accounts. It knows nothing of staking, of SQL or of HTTP.
package ledger

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind says what happened, and so which accounts an entry may name.
type Kind string

// The kinds of entry. Opening, Import, RewardElsewhere, Fund and Compensation are ours; callers post
// the others.
const (
	Deposit    Kind = "deposit"    // @custody → holder
	Withdrawal Kind = "withdrawal" // holder, or what was held for it → @custody: at once
	Transfer   Kind = "transfer"   // holder → holder
	Trade      Kind = "trade"      // between holders, what they held, and @desk; several moves
	Hold       Kind = "hold"       // holder → the same holder's held part
	Release    Kind = "release"    // held part → the same holder
	Adjustment Kind = "adjustment" // a correction, between holders, held parts, @custody and @desk
	Opening    Kind = "opening"    // @custody ↔ holder: what was there when the books began, and corrections of it
	Import     Kind = "import"     // @custody ↔ holder: what a file of the exchange shows; several moves
	Fund       Kind = "fund"       // @custody ↔ @rewards

	// Compensation is @rewards → holder: it makes good what the holder's reward of a day that
	// is paid was too low by; one move.
	Compensation Kind = "compensation"

	// RewardElsewhere is @custody ↔ holder: a reward of Soft Staking that another exchange
	// paid, as a file of it shows; several moves.
	RewardElsewhere Kind = "reward-from-elsewhere"

	WithdrawalRequest   Kind = "withdrawal-request"   // holder → the same holder's held part; one move
	WithdrawalCompleted Kind = "withdrawal-completed" // held part → @custody; one move
	WithdrawalCancelled Kind = "withdrawal-cancelled" // held part → the same holder; one move
)

// Move takes an amount from one account to another. Amount is above zero.
type Move struct {
	From, To Account
	Asset    string
	Amount   Amount
}

// Entry is one event in the books: all its moves happen, or none. The same ID
// twice is once.
type Entry struct {
	ID    string    // the caller's, 1 to 128 characters; unique for ever. What ends a withdrawal is named after its request
	Kind  Kind      //
	At    time.Time // when it counts, in UTC, cut to milliseconds; zero: when it is posted
	Moves []Move    // 1 to 100

	// Authoritative says that another ledger has decided the entry already. It is then
	// accepted though a balance was below zero at some moment between its time and now. It
	// is no part of the entry's content: the same entry with it and without is the same.
	Authoritative bool
}

// MaxMoves is the largest number of moves in one entry.
const MaxMoves = 100

// reserved begins the IDs of entries that we make ourselves.
var reserved = []string{"reward/", "declare/", "pay/", "fund/", "import/", "opening/", "close/", compensationPrefix}

func reservedID(id string) bool {
	return slices.ContainsFunc(reserved, func(prefix string) bool { return strings.HasPrefix(id, prefix) })
}

// CheckCaller says what a caller may not post though it is well formed, or nil:
// our own kinds of entry and our own names. Its errors are ErrInvalid.
func (e Entry) CheckCaller() error {
	if reservedID(e.ID) {
		return ErrInvalid.In("id", "entry %q: IDs beginning with one of %v are ours; choose another ID", Clip(e.ID), reserved)
	}
	if !slices.Contains(Kinds, e.Kind) {
		return ErrInvalid.In("kind", "entry %s: the kind %q is unknown; it is one of %v", Clip(e.ID), Clip(string(e.Kind)), Kinds)
	}
	return nil
}

// CheckNew says what is wrong with the ID of an entry that is not in the books yet, or
// nil: no part of it between slashes is "." or "..". Entries that were posted before it
// was asked for can be repeated, and a withdrawal that was requested then can be ended:
// the ID of what ends it follows from the request's. Its errors are ErrInvalid.
func (e Entry) CheckNew() error {
	if _, ends := e.Ends(); ends {
		return nil
	}
	return At("id", checkPath("entry", e.ID))
}

// Check says what is wrong with an entry, or nil: whether it is well formed, not
// whether the balances allow it. assets are those the books keep, by symbol. Its
// errors are ErrInvalid.
func (e Entry) Check(assets map[string]Asset) error {
	if err := checkID("entry", e.ID, e.longestID()); err != nil {
		return At("id", err)
	}
	if err := e.checkWithdrawal(); err != nil {
		return err
	}
	if err := e.checkCompensation(); err != nil {
		return err
	}
	if len(e.Moves) < 1 || len(e.Moves) > MaxMoves {
		return ErrInvalid.In("moves", "entry %s: %d moves; an entry has 1 to %d", e.ID, len(e.Moves), MaxMoves)
	}
	if year := e.At.UTC().Year(); !e.At.IsZero() && (year < 1970 || year > 9999) {
		return ErrInvalid.In("at", "entry %s: the year %d is not between 1970 and 9999", e.ID, year)
	}
	for i, m := range e.Moves {
		if err := m.check(assets); err != nil {
			return At(moveField(i), fmt.Errorf("entry %s: %w", e.ID, err))
		}
		if !e.Kind.allows(m) {
			return ErrInvalid.In(moveField(i), "entry %s: an entry of the kind %q cannot move from %s to %s", e.ID, Clip(string(e.Kind)), m.From, m.To)
		}
	}
	return nil
}

// moveField is the field of a move, counted from zero.
func moveField(i int) string { return fmt.Sprintf("moves[%d]", i) }

// longestID is how long the entry's ID may be.
func (e Entry) longestID() int {
	if suffix, ends := endings[e.Kind]; ends {
		return MaxID + len(suffix)
	}
	if e.Kind == Compensation {
		return maxOwnID + maxCompensationName
	}
	if reservedID(e.ID) {
		return maxOwnID
	}
	return MaxID
}

func (m Move) check(assets map[string]Asset) error {
	if _, known := assets[m.Asset]; !known {
		return ErrInvalid.In("asset", "asset %q is unknown", Clip(m.Asset)).Because(ReasonUnknownAsset)
	}
	if m.Amount <= 0 {
		return ErrInvalid.In("amount", "the amount of %s is not above zero", m.Asset)
	}
	if m.Amount > assets[m.Asset].MaxSupply {
		return ErrInvalid.In("amount", "the amount is more %s than there can be", m.Asset)
	}
	if m.From == m.To {
		return ErrInvalid.In("", "a move from %s to itself", Clip(string(m.From)))
	}
	for _, a := range []Account{m.From, m.To} {
		if a == Custody || a == Desk || a == Rewards {
			continue
		}
		if err := Account(strings.TrimSuffix(string(a), heldSuffix)).CheckHolder(); err != nil {
			return err
		}
	}
	return nil
}

// Kinds are those that callers post.
var Kinds = []Kind{
	Deposit, Withdrawal, Transfer, Trade, Hold, Release, Adjustment,
	WithdrawalRequest, WithdrawalCompleted, WithdrawalCancelled,
}

// allows says whether an entry of this kind may make the move.
func (k Kind) allows(m Move) bool {
	free := func(a Account) bool { return !a.IsHouse() && !a.IsHeld() }
	holder := func(a Account) bool { return !a.IsHouse() }
	pool := m.From == Rewards || m.To == Rewards
	switch k {
	case Deposit:
		return m.From == Custody && free(m.To)
	case Withdrawal:
		return holder(m.From) && m.To == Custody
	case WithdrawalCompleted:
		return m.From.IsHeld() && m.To == Custody
	case Transfer:
		return free(m.From) && free(m.To)
	case Trade:
		return !pool && m.From != Custody && m.To != Custody && (holder(m.From) || holder(m.To))
	case Hold, WithdrawalRequest:
		return free(m.From) && m.To == m.From.Held()
	case Release, WithdrawalCancelled:
		return free(m.To) && m.From == m.To.Held()
	case Adjustment:
		return !pool && (holder(m.From) || holder(m.To))
	case Opening, Import, RewardElsewhere:
		return (m.From == Custody && free(m.To)) || (free(m.From) && m.To == Custody)
	case Compensation:
		return m.From == Rewards && free(m.To)
	case Fund:
		return (m.From == Custody && m.To == Rewards) || (m.From == Rewards && m.To == Custody)
	}
	return false
}

// Bucket is the part of the books where the entry's own row lies, 0 to 255, so
// that an ID is unique everywhere.
func (e Entry) Bucket() int { return bucket(e.ID) }

// Posting is one side of a move, as it lies in the books: the change of one
// account's balance. House accounts that are spread lie in the other side's bucket.
type Posting struct {
	Bucket  int
	Account Account
	Asset   string
	At      time.Time
	Entry   string
	Move    int    // 0-based, within the entry
	Side    int    // 0: from, 1: to
	Amount  Amount // the change: below zero on the from side
	Other   Account
	Kind    Kind
}

// Sides are the move's two postings' buckets: from's and to's.
func (m Move) Sides() (from, to int) {
	from, to = m.From.Bucket(), m.To.Bucket()
	if m.From.Spread() {
		from = to
	}
	if m.To.Spread() {
		to = from
	}
	return from, to
}
