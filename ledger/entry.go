// Package ledger is double-entry bookkeeping for spot accounts. It knows nothing of staking, of SQL or of HTTP.
package ledger

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind is what happened. It determines which accounts an entry may name.
type Kind string

// The kinds of entry. Opening, Import, RewardElsewhere, Joined, Fund, Compensation, StakingIncome and FeeTransfer
// are ours; callers post the others.
const (
	Deposit    Kind = "deposit"    // @custody → holder
	Withdrawal Kind = "withdrawal" // holder, or what was held for it → @custody: at once
	Transfer   Kind = "transfer"   // holder → holder
	Trade      Kind = "trade"      // between holders, what they held, and @desk; several moves
	Hold       Kind = "hold"       // holder → the same holder's held part
	Release    Kind = "release"    // held part → the same holder
	Adjustment Kind = "adjustment" // a correction, between holders, held parts, @custody and @desk
	Opening    Kind = "opening"    // @custody ↔ holder: the balance when the books began, and corrections of it
	Import     Kind = "import"     // @custody ↔ holder: from a file of the exchange; several moves
	Fund       Kind = "fund"       // @custody ↔ @rewards

	StakingIncome Kind = "income"       // @custody → @income → @fees and @rewards; the other way where it is negative
	FeeTransfer   Kind = "fee-transfer" // @custody ↔ @fees

	// Compensation is @rewards → holder: the amount by which a paid reward was too low; one move.
	Compensation Kind = "compensation"

	// RewardElsewhere is @custody ↔ holder: a reward of Soft Staking that another exchange
	// paid, from its file; several moves.
	RewardElsewhere Kind = "reward-from-elsewhere"

	// Joined is @custody ↔ holder or held part: a change that another ledger has made, from its events; one move.
	Joined Kind = "joined"

	WithdrawalRequest   Kind = "withdrawal-request"   // holder → the same holder's held part; one move
	WithdrawalCompleted Kind = "withdrawal-completed" // held part → @custody; one move
	WithdrawalCancelled Kind = "withdrawal-cancelled" // held part → the same holder; one move
)

// Move moves an amount from one account to another. Amount is above zero, in smallest units.
type Move struct {
	From, To Account
	Asset    string
	Amount   Amount
}

// Entry is one event in the books: all its moves are posted, or none. The ID makes it
// idempotent: posting the same entry again has no further effect, and another entry with
// the same ID is a conflict. Entries are the same if their Digest is: a SHA-256 over ID, time,
// kind, moves and, of a withdrawal request, its destination.
type Entry struct {
	ID    string    // the caller's, 1 to 128 characters; unique forever; see EndingID
	Kind  Kind      // what happened
	At    time.Time // when it counts, in UTC, cut to milliseconds; zero: when it is posted
	Moves []Move    // 1 to 100; none of staking income of zero

	// Authoritative marks an entry that another ledger has already decided. It is accepted
	// even if a balance was below zero at some moment between its time and now. It is not a
	// part of the content: the same entry with it and without it is the same.
	Authoritative bool
}

// MaxMoves is the largest number of moves in one entry.
const MaxMoves = 100

// reserved are the prefixes of the IDs of our own entries.
var reserved = []string{
	"reward/", "declare/", "pay/", "fund/", "import/", "opening/", "close/", compensationPrefix,
	incomePrefix, feesPrefix, campaignPrefix, joinPrefix}

func reservedID(id string) bool {
	return slices.ContainsFunc(reserved, func(prefix string) bool { return strings.HasPrefix(id, prefix) })
}

// CheckCaller returns ErrInvalid for our own kinds of entry and our own IDs, which callers
// must not post even if the entry is well formed.
func (e Entry) CheckCaller() error {
	// A withdrawal that was requested under an ID before it was reserved can still be ended.
	if _, ends := e.Ends(); !ends && reservedID(e.ID) {
		return ErrInvalid.In("id", "entry %q: IDs beginning with one of %v are ours; choose another ID",
			Clip(e.ID), reserved)
	}
	if !slices.Contains(Kinds, e.Kind) {
		return ErrInvalid.In("kind", "entry %s: the kind %q is unknown; it is one of %v",
			Clip(e.ID), Clip(string(e.Kind)), Kinds)
	}
	return nil
}

// CheckNew returns ErrInvalid if the ID of an entry that is not in the books yet has an
// empty part, "." or ".." between slashes. Older books may have such IDs: their entries can
// be posted again, and their withdrawals can be ended, since that ID follows from the
// request's.
func (e Entry) CheckNew() error {
	if _, ends := e.Ends(); ends {
		return nil
	}
	return At("id", checkPath("entry", e.ID))
}

// Check returns ErrInvalid unless the entry is well formed. It does not look at balances.
// assets are those of the books, by symbol. At puts the field into the error.
func (e Entry) Check(assets map[string]Asset) error {
	if err := checkID("entry", e.ID, e.longestID()); err != nil { // of A-Z a-z 0-9 . _ : - @ and /
		return At("id", err)
	}
	if err := e.checkWithdrawal(); err != nil { // requests and ends of withdrawals only: withdrawal.go
		return err
	}
	if err := e.checkCompensation(); err != nil { // compensations only: compensation.go
		return err
	}
	nothing := e.Kind == StakingIncome && len(e.Moves) == 0 // income of zero
	if !nothing && (len(e.Moves) < 1 || len(e.Moves) > MaxMoves) {
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
			return ErrInvalid.In(moveField(i), "entry %s: an entry of the kind %q cannot move from %s to %s",
				e.ID, Clip(string(e.Kind)), m.From, m.To)
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

// check returns ErrInvalid unless the asset is known, the amount is above zero and at most the
// asset's largest supply, and the accounts are two: house accounts, or a holder's free or held part,
// whose ID has 1 to 128 characters of A-Z a-z 0-9 . _ : and -.
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
		if a != Payable && a.IsKnownHouse() {
			continue
		}
		if err := Account(strings.TrimSuffix(string(a), heldSuffix)).CheckHolder(); err != nil {
			return err
		}
	}
	return nil
}

// Kinds are the kinds that callers may post.
var Kinds = []Kind{
	Deposit, Withdrawal, Transfer, Trade, Hold, Release, Adjustment,
	WithdrawalRequest, WithdrawalCompleted, WithdrawalCancelled,
}

// allows reports whether an entry of this kind may make the move. IsHouse is an account that begins
// with @, IsHeld one that ends with /held.
func (k Kind) allows(m Move) bool {
	free := func(a Account) bool { return !a.IsHouse() && !a.IsHeld() }
	holder := func(a Account) bool { return !a.IsHouse() }
	own := func(a Account) bool { return a == Rewards || a == Income || a == Fees }
	pool := own(m.From) || own(m.To)
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
	case Joined:
		return m.From == Custody && holder(m.To) || holder(m.From) && m.To == Custody
	case Compensation:
		return m.From == Rewards && free(m.To)
	case Fund:
		return m.between(Custody, Rewards)
	case StakingIncome:
		return m.between(Custody, Income) || m.between(Income, Fees) || m.between(Income, Rewards)
	case FeeTransfer:
		return m.between(Custody, Fees)
	}
	return false
}

// between reports whether the move is between the two accounts, either way.
func (m Move) between(a, b Account) bool { return m.From == a && m.To == b || m.From == b && m.To == a }

// Bucket is the bucket of the entry's own row, 0 to 255: a hash (FNV-1a) of the ID alone, so
// that an ID is unique in all buckets. An account's bucket is that hash of its owner's ID.
func (e Entry) Bucket() int { return bucket(e.ID) }

// Posting is one side of a move: the change of one account's balance. A sharded house
// account's posting is in the bucket of the other side; see Move.Sides.
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

// Sides are the buckets of the move's two postings. A house account that is sharded (Custody, Desk,
// Payable) has a row in each bucket, and takes that of the other side: one row for all deposits would
// be one lock for all deposits.
func (m Move) Sides() (from, to int) {
	from, to = m.From.Bucket(), m.To.Bucket()
	if m.From.IsSharded() {
		from = to
	}
	if m.To.IsSharded() {
		to = from
	}
	return from, to
}

// movesShown is how many moves of an entry Describe shows.
const movesShown = 5

// Describe says what the entry moves: "deposit 2 BNB from @custody to alice".
func (e Entry) Describe(assets map[string]Asset) string {
	moves := make([]string, 0, movesShown+1)
	for i, m := range e.Moves {
		if i == movesShown {
			moves = append(moves, fmt.Sprintf("and %d more", len(e.Moves)-i))
			break
		}
		moves = append(moves, fmt.Sprintf("%s %s from %s to %s", assets[m.Asset].Format(m.Amount), m.Asset, m.From, m.To))
	}
	return string(e.Kind) + " " + strings.Join(moves, ", ")
}
