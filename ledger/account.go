package ledger

import (
	"strings"
)

// Account names a place where an asset can lie: a holder's free balance
// ("alice"), the part of it that is held ("alice/held"), or a house account ("@rewards").
type Account string

// The house accounts. Custody (the outside world) and Desk (the counterparty of
// conversions) may go below zero; Rewards and Payable may not.
const (
	Custody Account = "@custody" // the outside world: minus what all others have
	Desk    Account = "@desk"    // the counterparty of conversions
	Rewards Account = "@rewards" // the pool that rewards are paid from, one row per asset
	Payable Account = "@payable" // rewards declared and not yet paid
)

// MaxID is the length in bytes of the longest account and entry ID.
const MaxID = 128

// maxOwnID is that of an entry of our own, which may have an account's ID in its own.
const maxOwnID = MaxID + 40

const heldSuffix = "/held"

// Buckets is the number of parts the books are cut into.
const Buckets = 256

// Held is where the account's tokens lie while an order is open or a withdrawal pending.
func (a Account) Held() Account { return a + heldSuffix }

// IsHeld says whether the account is a holder's held part.
func (a Account) IsHeld() bool { return strings.HasSuffix(string(a), heldSuffix) }

// Owner is the holder whose account it is: the ID up to the first "/".
func (a Account) Owner() Account {
	owner, _, _ := strings.Cut(string(a), "/")
	return Account(owner)
}

// IsHouse says whether the account is ours and no holder's.
func (a Account) IsHouse() bool { return strings.HasPrefix(string(a), "@") }

// Spread says whether the house account has a row in each bucket: one row for
// all deposits would be one lock for all deposits.
func (a Account) Spread() bool { return a == Custody || a == Desk || a == Payable }

// Overdraws says whether the account may go below zero.
func (a Account) Overdraws() bool { return a == Custody || a == Desk }

// Bucket is the part of the books that the account lies in, 0 to 255, by its
// owner, so that "alice" and "alice/held" lie together.
func (a Account) Bucket() int { return bucket(string(a.Owner())) }

// bucket is FNV-1a of 32 bits, folded to 8. It can never change: stored rows lie by it.
func bucket(id string) int {
	h := uint32(2166136261)
	for i := range len(id) {
		h = (h ^ uint32(id[i])) * 16777619
	}
	h ^= h >> 16
	h ^= h >> 8
	return int(h & (Buckets - 1))
}

// CheckHolder says what is wrong with the ID of a holder's account, or nil. Its errors are ErrInvalid.
func (a Account) CheckHolder() error {
	if err := CheckID("account", string(a)); err != nil {
		return err
	}
	if a.IsHouse() {
		return ErrInvalid.In("", "account %s is a house account, not a holder's", Clip(string(a)))
	}
	if strings.ContainsAny(string(a), "@/") {
		return ErrInvalid.In("", "account %q: \"@\" and \"/\" cannot be part of a holder's ID", Clip(string(a)))
	}
	return nil
}

// CheckNew says what is wrong with the ID of a holder's account that is to be opened,
// or nil. Books may hold accounts that were opened before it was asked for, which
// CheckHolder lets pass: they are read and moved as all others. Its errors are ErrInvalid.
func (a Account) CheckNew() error {
	if err := a.CheckHolder(); err != nil {
		return err
	}
	return checkPath("account", string(a))
}

// checkPath says what is wrong with an ID that is to stand in the path of a URL, or
// nil. Clients and proxies take empty parts, "." and ".." out of a path before they send
// it, also where its slashes are escaped, and so ask for something else:
// /v1/accounts/../withdrawals is everybody's withdrawals.
func checkPath(what, id string) error {
	for part := range strings.SplitSeq(id, "/") {
		if part == "" || part == "." || part == ".." {
			return ErrInvalid.In("", "%s %q: an ID must not have an empty part, \".\" or \"..\", alone or between slashes: "+
				"clients remove them from URLs; choose another ID", what, Clip(id))
		}
	}
	return nil
}

// CheckID says what is wrong with the form of an ID, or nil: it has 1 to 128 characters
// of A-Z a-z 0-9 . _ : - and, where they are ours, @ and /. Its errors are ErrInvalid.
func CheckID(what, id string) error { return checkID(what, id, MaxID) }

func checkID(what, id string, most int) error {
	if id == "" {
		return ErrInvalid.In("", "%s: the ID is empty", what)
	}
	if len(id) > most {
		return ErrInvalid.In("", "%s %q: the ID has %d characters; at most %d are allowed", what, Clip(id), len(id), most)
	}
	for i := range len(id) {
		if !idByte(id[i]) {
			return ErrInvalid.In("", "%s %q: an ID is made of A-Z a-z 0-9 . _ : and -", what, Clip(id))
		}
	}
	return nil
}

func idByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '.' || c == '_' || c == ':' || c == '-' || c == '@' || c == '/'
}
