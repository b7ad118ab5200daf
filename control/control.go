// Package control is maker-checker: which operations take effect at once, which only when a second person has
// approved them, and who may do either. It knows no SQL and nothing of how an operation is carried out.
package control

import (
	"maps"
	"slices"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

// Operation is a change of the books, as the action of its line in the log names it: "fund withdraw".
type Operation string

// The operations that may need approval.
const (
	Adjust             Operation = "adjust"
	Compensate         Operation = "compensate"
	WithdrawFunds      Operation = "fund withdraw"
	WithdrawFees       Operation = "fees withdraw"
	EnterIncome        Operation = "income"
	AddCampaign        Operation = "campaign add"
	CompleteWithdrawal Operation = "withdrawal complete"
	AddAsset           Operation = "asset add"
	SetTerms           Operation = "terms set"
	CorrectTerms       Operation = "terms correct"
	SetLimit           Operation = "limit set"
	ApproveDay         Operation = "settle approve"
	SetPrices          Operation = "price set"
	PublishDocument    Operation = "document publish"
	AddRegion          Operation = "region add"
	RemoveRegion       Operation = "region remove"
	CreateToken        Operation = "token create"
	EndFourEyes        Operation = "four-eyes off"
)

// Class is what four eyes mean for an operation.
type Class int

// The classes. What no class names for a role is forbidden.
const (
	Free      Class = iota // it takes effect at once
	Proposed               // it takes effect when it is approved
	Sometimes              // it is Proposed where Rule.When says so, and else Free
)

// Rule is a line of the table: what an operation is, and the roles that may do or propose it.
type Rule struct {
	Class Class
	Roles []access.Role
	When  string // of Sometimes: a sentence without a subject
}

// Who may do it. The books' own processes may do whatever takes effect at once.
var (
	office   = []access.Role{access.Operator}
	backEnd  = []access.Role{access.Exchange, access.Operator}
	everyone = []access.Role{access.Exchange, access.Operator, access.Holder}
	holders  = []access.Role{access.Operator, access.Holder}
	checkers = []access.Role{access.Operator, access.Approver}
)

// rules is the one table of what changes the books. An operation that is not here cannot be written.
var rules = map[Operation]Rule{
	"init":    {Roles: office},
	"upgrade": {Roles: office},
	"restore": {Roles: office},

	"account open":       {Roles: backEnd},
	"account set-region": {Roles: backEnd},
	"account close":      {Roles: backEnd},
	"account sweep":      {Roles: backEnd},
	"account freeze":     {Roles: office},
	"account unfreeze":   {Roles: office},
	"owner set":          {Roles: office},
	"label add":          {Roles: office},
	"label remove":       {Roles: office},
	"address set":        {Roles: everyone},
	"address remove":     {Roles: everyone},
	"accept":             {Roles: everyone},
	"enroll":             {Roles: everyone},
	"leave":              {Roles: everyone},
	"exclude add":        {Roles: office},
	"exclude end":        {Roles: office},

	"post":                   {Roles: everyone},
	"load":                   {Roles: office},
	"import":                 {Roles: office},
	"import read":            {Roles: office},
	"withdrawal request":     {Roles: everyone},
	"withdrawal cancel":      {Roles: everyone},
	CompleteWithdrawal:       {Class: Sometimes, Roles: backEnd, When: "from the amount on that the token's limits name"},
	"reconciliation resolve": {Roles: office},
	Adjust:                   {Class: Proposed, Roles: office},
	Compensate:               {Class: Proposed, Roles: office},

	"fund":         {Roles: office},
	WithdrawFunds:  {Class: Proposed, Roles: office},
	WithdrawFees:   {Class: Proposed, Roles: office},
	"fees return":  {Roles: office},
	EnterIncome:    {Class: Sometimes, Roles: office, When: "where it is negative, and so takes tokens out"},
	AddCampaign:    {Class: Proposed, Roles: office},
	"campaign end": {Roles: office},

	AddAsset:               {Class: Proposed, Roles: office},
	SetTerms:               {Class: Proposed, Roles: office},
	CorrectTerms:           {Class: Proposed, Roles: office},
	SetLimit:               {Class: Proposed, Roles: office},
	SetPrices:              {Class: Sometimes, Roles: office, When: "where one moves more than 20 %"},
	"currency set":         {Roles: office},
	PublishDocument:        {Class: Proposed, Roles: office},
	"disclosure set":       {Roles: office},
	AddRegion:              {Class: Proposed, Roles: office},
	RemoveRegion:           {Class: Proposed, Roles: office},
	"days set-close-after": {Roles: office},

	"day close": {Roles: office},
	"declare":   {Roles: office},
	ApproveDay:  {Class: Proposed, Roles: office},

	"login add":      {Roles: office},
	"login password": {Roles: holders},
	"login remove":   {Roles: office},
	"key create":     {Roles: holders},
	"key limit":      {Roles: holders},
	"key reseal":     {Roles: office},
	"key revoke":     {Roles: holders},
	CreateToken:      {Class: Sometimes, Roles: office, When: "unless it is a holder's that ends"},
	"token revoke":   {Roles: office},

	"anchor": {Roles: office},

	"four-eyes on":     {Roles: office},
	EndFourEyes:        {Class: Proposed, Roles: office},
	"proposal make":    {Roles: backEnd},
	"proposal approve": {Roles: checkers},
	"proposal reject":  {Roles: checkers},
}

// Operations are all operations, by name.
func Operations() []Operation { return slices.Sorted(maps.Keys(rules)) }

// RuleOf is the rule of an operation, or false where there is none.
func RuleOf(op Operation) (Rule, bool) {
	r, known := rules[op]
	return r, known
}

// Check is access.ErrForbidden where a role may neither do nor propose an operation, or where the operation is
// in no table.
func Check(op Operation, role access.Role) error {
	rule, known := rules[op]
	if !known || role != access.System && !slices.Contains(rule.Roles, role) {
		return access.ErrForbidden.In("", "the role %q may not do this: %s", string(role), op)
	}
	return nil
}

// CheckProposer is access.ErrForbidden unless the actor may propose: the books' own processes may not, and an
// operator who does must be known by name, so that nobody approves what is their own.
func CheckProposer(op Operation, a access.Actor) error {
	if err := Check(op, a.Role); err != nil {
		return err
	}
	switch {
	case a.Role == access.System:
		return access.ErrForbidden.In("", "%s needs approval, and %s is no person who could ask for it", op, a)
	case a.Role == access.Operator && a.Person == "":
		return access.ErrForbidden.In("", "%s needs approval, and %s does not say whose it is", op, a).
			Because(ReasonNoPerson)
	}
	return nil
}

// CheckApprover is access.ErrForbidden unless the actor may approve or reject what others propose: a person with the
// role approver, or at the command line. No token proposes and approves.
func CheckApprover(a access.Actor) error {
	if a.Role != access.Approver && !a.AtCommandLine() {
		return access.ErrForbidden.In("", "the role %q approves and rejects nothing", string(a.Role))
	}
	if a.Person == "" {
		return access.ErrForbidden.In("", "%s does not say whose it is", a).Because(ReasonNoPerson)
	}
	return nil
}

// The kinds and reasons of errors of proposals.
const (
	ErrNeedsApproval ledger.ErrorKind = "needs approval"
	ErrEffect        ledger.ErrorKind = "the effect is not the one that was looked at"
	ErrNotOpen       ledger.ErrorKind = "the proposal is not open"

	ReasonNoPerson = "no-person"        // access.ErrForbidden
	ReasonOwn      = "own-proposal"     // access.ErrForbidden
	ReasonEffect   = "effect-changed"   // ErrEffect; its fact is the digest of the effect now
	ReasonDecided  = "proposal-decided" // ErrNotOpen
	ReasonExpired  = "proposal-expired" // ErrNotOpen
	ReasonUnknown  = "unknown-proposal" // ledger.ErrNotFound
)
