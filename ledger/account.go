package ledger

import (
	"slices"
	"strings"
)

// Account is the name of an account: a holder's free balance ("alice"), the held part of
// it ("alice/held"), or a house account ("@rewards").
type Account string

// The house accounts. Custody (the outside world) and Desk (the counterparty of
// conversions) may go below zero; the others may not.
const (
	Custody Account = "@custody" // the outside world: minus what all others have
	Desk    Account = "@desk"    // the counterparty of conversions
	Rewards Account = "@rewards" // the pool that rewards are paid from, one row per asset
	Payable Account = "@payable" // rewards declared and not yet paid
	Income  Account = "@income"  // staking income on its way to @fees and @rewards; each entry leaves it as it was
	Fees    Account = "@fees"    // the operator's share of staking income
)

// houses are all house accounts.
var houses = []Account{Custody, Desk, Rewards, Payable, Income, Fees}

// MaxID is the length in bytes of the longest account and entry ID.
const MaxID = 128

// maxOwnID is the longest ID of an entry of our own, which may contain an account's ID.
const maxOwnID = MaxID + 40

const heldSuffix = "/held"

// Buckets is the number of buckets of the books. It can never change.
const Buckets = 256

// Held is the account that has the holder's tokens while an order is open or a withdrawal
// is pending.
func (a Account) Held() Account { return a + heldSuffix }

// IsHeld reports whether the account is a holder's held part.
func (a Account) IsHeld() bool { return strings.HasSuffix(string(a), heldSuffix) }

// Owner is the holder whose account it is: the ID up to the first "/".
func (a Account) Owner() Account {
	owner, _, _ := strings.Cut(string(a), "/")
	return Account(owner)
}

// IsHouse reports whether the account is ours and no holder's.
func (a Account) IsHouse() bool { return strings.HasPrefix(string(a), "@") }

// IsKnownHouse reports whether there is such a house account.
func (a Account) IsKnownHouse() bool { return slices.Contains(houses, a) }

// IsSharded reports whether the house account has a row in each bucket: one row for all
// deposits would be one lock for all deposits.
func (a Account) IsSharded() bool { return a == Custody || a == Desk || a == Payable }

// Overdraws reports whether the account may go below zero.
func (a Account) Overdraws() bool { return a == Custody || a == Desk }

// Bucket is the account's bucket, 0 to 255. It depends on the owner alone, so that "alice"
// and "alice/held" are in the same bucket.
func (a Account) Bucket() int { return bucket(string(a.Owner())) }

// bucket is FNV-1a of 32 bits, folded to 8. It can never change: stored rows have it in
// their keys.
func bucket(id string) int {
	h := uint32(2166136261)
	for i := range len(id) {
		h = (h ^ uint32(id[i])) * 16777619
	}
	h ^= h >> 16
	h ^= h >> 8
	return int(h & (Buckets - 1))
}

// CheckHolder returns ErrInvalid unless a is the ID of a holder's account.
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

// CheckNew returns ErrInvalid unless a holder's account with this ID may be opened. Older
// books may hold accounts that it refuses: only CheckHolder is asked for those that exist.
func (a Account) CheckNew() error {
	if err := a.CheckHolder(); err != nil {
		return err
	}
	return checkPath("account", string(a))
}

// checkPath returns ErrInvalid for an ID that cannot be in the path of a URL. Clients and
// proxies remove empty parts, "." and ".." from a path before they send it, also if its
// slashes are escaped, and so request something else: /v1/accounts/../withdrawals is
// everybody's withdrawals.
func checkPath(what, id string) error {
	for part := range strings.SplitSeq(id, "/") {
		if part == "" || part == "." || part == ".." {
			return ErrInvalid.In("", "%s %q: an ID must not have an empty part, \".\" or \"..\", alone or between "+
				"slashes: clients remove them from URLs; choose another ID", what, Clip(id))
		}
	}
	return nil
}

// CheckID returns ErrInvalid unless an ID has 1 to 128 characters of A-Z a-z 0-9 . _ : -
// @ and /. what names the ID in the message. CheckHolder allows neither @ nor /.
func CheckID(what, id string) error { return checkID(what, id, MaxID) }

func checkID(what, id string, most int) error {
	if id == "" {
		return ErrInvalid.In("", "%s: the ID is empty", what)
	}
	if len(id) > most {
		return ErrInvalid.In("", "%s %q: the ID has %d characters; at most %d are allowed",
			what, Clip(id), len(id), most)
	}
	for i := range len(id) {
		if !idByte(id[i]) {
			return ErrInvalid.In("", "%s %q: an ID is made of A-Z a-z 0-9 . _ : and -, an entry's also of @ and /",
				what, Clip(id))
		}
	}
	return nil
}

func idByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '.' || c == '_' || c == ':' || c == '-' || c == '@' || c == '/'
}
