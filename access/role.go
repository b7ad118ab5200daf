package access

import (
	"slices"
	"strings"

	"github.com/softstake/softstake/ledger"
)

// Role is what a credential may do. The table of the package control says which operations that are.
type Role string

// The roles. Those of staff are one for each duty, so that no credential has two of them.
const (
	Exchange  Role = "exchange"  // an exchange's back end, in the Parts that its token has
	Viewer    Role = "viewer"    // reads the state of the books; of a holder, only what is proposed
	Support   Role = "support"   // reads what one holder has, and each such read is logged
	Operator  Role = "operator"  // proposes terms, prices, corrections; runs
	Approver  Role = "approver"  // reads everything, and approves what others propose
	Treasurer Role = "treasurer" // moves and proposes the house's money: funds, fees, income, campaigns
	Auditor   Role = "auditor"   // reads everything, changes nothing
	Admin     Role = "admin"     // proposes staff, tokens, limits and four eyes; touches no money
	Holder    Role = "holder"    // sees and moves its own account only
)

// Roles are all roles that a token may have.
var Roles = []Role{Exchange, Viewer, Support, Operator, Approver, Treasurer, Auditor, Admin, Holder}

// StaffRoles are those of people who work for the house.
var StaffRoles = []Role{Viewer, Support, Operator, Approver, Treasurer, Auditor, Admin}

// proposers are the roles of staff that change or propose something.
var proposers = []Role{Operator, Treasurer, Admin}

// IsStaff reports whether the role is that of a person who works for the house.
func (r Role) IsStaff() bool { return slices.Contains(StaffRoles, r) }

// Proposes reports whether the role is one of staff that changes or proposes something: then it must be known whose the
// credential is, so that nobody approves what is their own.
func (r Role) Proposes() bool { return slices.Contains(proposers, r) }

// ParseRole reads a role. Its error is ledger.ErrInvalid.
func ParseRole(s string) (Role, error) {
	r := Role(strings.ToLower(s))
	if !slices.Contains(Roles, r) {
		return "", ledger.ErrInvalid.In("", "%q is not a role; it is one of %s", ledger.Clip(s), join(Roles))
	}
	return r, nil
}

// ParseRoleAndParts reads a role, or some of the parts of a back end, with commas between them: they are of the role
// exchange, and "exchange" alone is all of them. Its error is ledger.ErrInvalid.
func ParseRoleAndParts(s string) (Role, Parts, error) {
	if parts, err := ParseParts(s); err == nil {
		return Exchange, parts, nil
	}
	role, err := ParseRole(s)
	switch {
	case err != nil:
		return "", 0, ledger.ErrInvalid.In("", "%q is no role (%s) and no parts of the role %s with commas between them (%s)",
			ledger.Clip(s), join(Roles), Exchange, AllParts)
	case role == Exchange:
		return role, AllParts, nil
	}
	return role, 0, nil
}

// FormatRole is a role as ParseRoleAndParts reads it: of a back end with some of the parts alone, these.
func FormatRole(r Role, parts Parts) string {
	if r == Exchange && parts != AllParts {
		return parts.String()
	}
	return string(r)
}

// Parts are what a token of a back end may do: a set, so that what receives deposits cannot pay withdrawals.
type Parts uint8

// The parts of a back end.
const (
	Deposits    Parts = 1 << iota // brings in what holders deposit
	Trades                        // books what holders trade, hold and move
	Withdrawals                   // requests, completes and cancels withdrawals
	Enrollment                    // opens accounts, and switches Soft Staking on and off

	AllParts = Deposits | Trades | Withdrawals | Enrollment
)

var partNames = []string{"deposits", "trades", "withdrawals", "enrollment"}

// String is the names of the parts, with commas between them.
func (p Parts) String() string {
	var names []string
	for i, name := range partNames {
		if p&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// ParseParts reads one or more names of parts with commas between them. Its error is ledger.ErrInvalid.
func ParseParts(s string) (parts Parts, err error) {
	for name := range strings.SplitSeq(strings.ToLower(s), ",") {
		i := slices.Index(partNames, strings.TrimSpace(name))
		if i < 0 {
			return 0, ledger.ErrInvalid.In("parts", "%q is no part of a back end; it is one of %s", ledger.Clip(name), AllParts)
		}
		parts |= 1 << i
	}
	return parts, nil
}

// MarshalText writes the names of the parts.
func (p Parts) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText writes: "" are none. Its error is ledger.ErrInvalid.
func (p *Parts) UnmarshalText(text []byte) (err error) {
	if *p = 0; len(text) > 0 {
		*p, err = ParseParts(string(text))
	}
	return err
}
