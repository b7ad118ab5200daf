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

// ReadAccount is what the log calls it that support has looked at a holder.
const ReadAccount Operation = "account read"

// GrantRole is what the log calls it that a role of the database was given what the program needs.
const GrantRole Operation = "app-role grant"

// The operations that may need approval.
const (
	Adjust             Operation = "adjust"
	Compensate         Operation = "compensate"
	Fund               Operation = "fund"
	WithdrawFunds      Operation = "fund withdraw"
	WithdrawFees       Operation = "fees withdraw"
	ReturnFees         Operation = "fees return"
	EnterIncome        Operation = "income"
	AddCampaign        Operation = "campaign add"
	CompleteWithdrawal Operation = "withdrawal complete"
	AddAsset           Operation = "asset add"
	SetTerms           Operation = "terms set"
	CorrectTerms       Operation = "terms correct"
	SetLimit           Operation = "limit set"
	SetAccountLimit    Operation = "limit set-account"
	ApproveDay         Operation = "settle approve"
	SetPrices          Operation = "price set"
	SetRates           Operation = "currency set"
	PublishDocument    Operation = "document publish"
	AddRegion          Operation = "region add"
	RemoveRegion       Operation = "region remove"
	CreateToken        Operation = "token create"
	AddStaff           Operation = "staff add"
	SetStaffRole       Operation = "staff set-role"
	InviteStaff        Operation = "staff invite"
	DisableStaff       Operation = "staff disable"
	ResetFactors       Operation = "factor reset"
	EraseAccount       Operation = "account erase"
	EndFourEyes        Operation = "four-eyes off"

	EndWithdrawalFactor Operation = "withdrawal-factor off"
	EndPayouts          Operation = "payouts off"
	DeliverPayouts      Operation = "payouts deliver"
	ResendPayouts       Operation = "payouts resend"
	EndDelivery         Operation = "payouts end-delivery"

	DeliverEvents    Operation = "events deliver"
	ResendEvents     Operation = "events resend"
	EndEventDelivery Operation = "events end-delivery"

	SetOwner    Operation = "owner set"
	AddLabel    Operation = "label add"
	RemoveLabel Operation = "label remove"
	LoadAddress Operation = "withdrawal-address load"

	Unfreeze      Operation = "account unfreeze"
	SetRegion     Operation = "account set-region"
	AddLogin      Operation = "login add"
	InviteLogin   Operation = "login invite"
	SetPassword   Operation = "login password"
	CreateKey     Operation = "key create"
	LimitKey      Operation = "key limit"
	SetCloseAfter Operation = "days set-close-after"

	AddSource       Operation = "join add"
	SkipEvents      Operation = "join skip"
	RetirePartition Operation = "join retire"
	CloseWithout    Operation = "join close"

	SetComparisonLimit  Operation = "reconcile set-limit"
	SetComparisonSource Operation = "reconcile set"
	ResolveBreak        Operation = "reconcile resolve"
	ReleaseDay          Operation = "reconcile release"
	AddWebhook          Operation = "webhook add"
	ChangeWebhook       Operation = "webhook change"
	SkipWebhook         Operation = "webhook skip"
	RotateWebhook       Operation = "webhook rotate"
	RemoveWebhook       Operation = "webhook remove"
)

// byStaff is when those operations need approval that a holder or a back end does alone.
const byStaff = "where staff do it: whoever opens a holder's account could take what is in it"

// byCampaign is when a label needs approval.
const byCampaign = "while a campaign that is not over multiplies by the label: it changes everybody's share"

// farMoves is when prices and rates need approval: see the package pricing.
const farMoves = "where one moves more than 20 % from one day to the next, or more than half within 30 days, or is " +
	"the first of its token or currency"

// byInflow is when what the house brings in needs approval.
const byInflow = "where it brings in more than may be brought in on a day"

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
	Staff bool   // of Sometimes: where staff do it, and never where others do
}

// Who may do it. Beside them who may open the books may, at the command line, and the books' own processes may do
// whatever takes effect at once.
var (
	commandLine = []access.Role{} // only there
	operators   = []access.Role{access.Operator}
	treasurers  = []access.Role{access.Treasurer}
	admins      = []access.Role{access.Admin}
	backEnd     = []access.Role{access.Exchange}
	backOffice  = []access.Role{access.Exchange, access.Operator}
	holder      = []access.Role{access.Holder}
	owners      = []access.Role{access.Exchange, access.Holder}
	everyone    = []access.Role{access.Exchange, access.Operator, access.Holder}
	holders     = []access.Role{access.Operator, access.Holder}
	listers     = []access.Role{access.Operator, access.Admin}
	closers     = []access.Role{access.Operator, access.Treasurer}
	proposers   = []access.Role{access.Exchange, access.Operator, access.Treasurer, access.Admin}
	approvers   = []access.Role{access.Approver}
	helpers     = []access.Role{access.Support}
	persons     = append([]access.Role{access.Holder}, access.StaffRoles...)
)

// rules is the one table of what changes the books. An operation that is not here cannot be written.
var rules = map[Operation]Rule{
	"init":    {Roles: commandLine},
	"upgrade": {Roles: commandLine},
	"restore": {Roles: commandLine},
	GrantRole: {Roles: commandLine},

	"account open": {Roles: backEnd},
	SetRegion: {Class: Sometimes, Roles: backOffice, Staff: true,
		When: "where staff do it: a residence opens or ends what is offered; a back end knows it from its own checks"},
	"account close":  {Roles: backEnd},
	"account sweep":  {Roles: backOffice}, // also by the daily run
	"account freeze": {Roles: operators},
	Unfreeze:         {Class: Proposed, Roles: operators}, // what was frozen by an order leaves at once
	EraseAccount:     {Class: Proposed, Roles: operators},
	ReadAccount:      {Roles: helpers},
	SetOwner: {Class: Sometimes, Roles: operators,
		When: "while a token has a minimum and a cap for the accounts of an owner together"},
	AddLabel:         {Class: Sometimes, Roles: operators, When: byCampaign},
	RemoveLabel:      {Class: Sometimes, Roles: operators, When: byCampaign},
	"address set":    {Roles: owners},
	"address remove": {Roles: owners},

	"withdrawal-address add": {Roles: holder},
	"withdrawal-address any": {Roles: holder},
	LoadAddress:              {Class: Proposed, Roles: commandLine}, // it can be used at once
	// Neither lets anything out: without an address the account withdraws nowhere, and "saved-only" only narrows. What
	// widens is "any", which staff may not do.
	"withdrawal-address remove":     {Roles: holders},
	"withdrawal-address saved-only": {Roles: holders},

	"accept":      {Roles: owners},
	"enroll":      {Roles: owners},
	"leave":       {Roles: owners},
	"exclude add": {Roles: operators},
	"exclude end": {Roles: operators},

	"post":               {Roles: owners},
	"load":               {Roles: commandLine},
	"import":             {Roles: commandLine},
	"import read":        {Roles: commandLine},
	"withdrawal request": {Roles: owners},
	"withdrawal cancel":  {Roles: everyone},
	CompleteWithdrawal: {Class: Sometimes, Roles: backOffice,
		When: "from the amount on that the token's limits name, at once or in parts of a day"},
	"reconciliation resolve": {Roles: operators},
	Adjust:                   {Class: Proposed, Roles: operators},
	Compensate:               {Class: Proposed, Roles: operators},

	Fund:          {Class: Sometimes, Roles: treasurers, When: byInflow},
	WithdrawFunds: {Class: Proposed, Roles: treasurers},
	WithdrawFees:  {Class: Proposed, Roles: treasurers},
	ReturnFees:    {Class: Sometimes, Roles: treasurers, When: byInflow},
	EnterIncome: {Class: Sometimes, Roles: treasurers,
		When: "where it is negative, and so takes tokens out, or more than may be brought in on a day"},
	AddCampaign:    {Class: Proposed, Roles: treasurers},
	"campaign end": {Roles: closers},

	AddAsset:     {Class: Proposed, Roles: operators},
	SetTerms:     {Class: Proposed, Roles: operators},
	CorrectTerms: {Class: Proposed, Roles: operators},
	SetLimit:     {Class: Proposed, Roles: admins},

	SetAccountLimit: {Class: Proposed, Roles: admins},
	"limit own":     {Roles: holder}, // a higher one waits, and is confirmed

	SetPrices: {Class: Sometimes, Roles: operators,
		When: farMoves},
	SetRates:         {Class: Sometimes, Roles: operators, When: farMoves},
	PublishDocument:  {Class: Proposed, Roles: operators},
	"disclosure set": {Roles: operators},
	AddRegion:        {Class: Proposed, Roles: listers},
	RemoveRegion:     {Class: Proposed, Roles: listers},
	SetCloseAfter:    {Class: Proposed, Roles: operators}, // a day that closes early takes no late entry

	"join":          {Roles: commandLine},
	"join resume":   {Roles: operators},
	AddSource:       {Class: Proposed, Roles: operators}, // what it says comes in and goes out, without a limit
	SkipEvents:      {Class: Proposed, Roles: operators}, // what is passed over is in no balance
	RetirePartition: {Class: Proposed, Roles: operators}, // no day waits for it any more
	CloseWithout:    {Class: Proposed, Roles: operators}, // what comes later counts later

	"reconcile":        {Roles: backEnd}, // what is over its limit only stops paying; the figures are the other ledger's
	SetComparisonLimit: {Class: Proposed, Roles: admins},
	// Only who has the machine says which address "serve" asks.
	SetComparisonSource: {Class: Proposed, Roles: commandLine},
	ResolveBreak:        {Class: Proposed, Roles: operators}, // what differs is then paid
	ReleaseDay:          {Class: Proposed, Roles: operators}, // what was not compared is then paid
	AddWebhook:          {Class: Proposed, Roles: admins},    // who has it gets what holders have
	ChangeWebhook:       {Class: Proposed, Roles: admins},    // the same
	SkipWebhook:         {Class: Proposed, Roles: operators}, // the receiver misses what is given up
	RotateWebhook: {Class: Sometimes, Roles: admins,
		When: "where both sides have the secret (hmac): who asks for another sees what messages are signed with"},
	RemoveWebhook: {Class: Sometimes, Roles: admins,
		When: "unless somebody else has written the endpoint: what it has not got is never sent"},
	"webhook disable": {Roles: listers},
	"webhook enable":  {Roles: listers},
	"webhook replay":  {Roles: listers},
	"webhook test":    {Roles: listers},

	"day close": {Roles: operators},
	"declare":   {Roles: operators},
	ApproveDay:  {Class: Proposed, Roles: operators},

	AddLogin:       {Class: Proposed, Roles: operators}, // it opens a holder's account
	InviteLogin:    {Class: Proposed, Roles: operators}, // who has the code chooses the password
	SetPassword:    {Roles: holder},                     // its own; nobody else knows it
	"login remove": {Roles: operators},
	CreateKey:      {Class: Sometimes, Roles: holders, Staff: true, When: byStaff},
	LimitKey:       {Class: Sometimes, Roles: holders, Staff: true, When: byStaff},
	"key protect":  {Roles: commandLine},
	"key reseal":   {Roles: commandLine},
	"key revoke":   {Roles: holders},
	CreateToken:    {Class: Proposed, Roles: admins}, // a holder's too: it moves what is in the account
	"token revoke": {Roles: admins},
	// A person changes their own factors alone, and confirms it; what the role is does not matter.
	"factor add":    {Roles: persons},
	"factor rename": {Roles: persons},
	"factor remove": {Roles: persons},
	"factor codes":  {Roles: persons},
	ResetFactors:    {Class: Proposed, Roles: listers},
	"break-glass":   {Roles: admins},

	AddStaff:               {Class: Proposed, Roles: admins},
	SetStaffRole:           {Class: Proposed, Roles: admins},
	InviteStaff:            {Class: Proposed, Roles: admins},
	DisableStaff:           {Roles: admins},
	"staff log-in":         {Roles: access.StaffRoles},
	"staff log-in refused": {Roles: access.StaffRoles},
	"staff log-out":        {Roles: access.StaffRoles},

	"anchor": {Roles: commandLine},
	"backup": {Roles: commandLine},

	"four-eyes on": {Roles: admins},
	EndFourEyes:    {Class: Proposed, Roles: admins},

	"withdrawal-factor on": {Roles: admins},
	EndWithdrawalFactor:    {Class: Proposed, Roles: admins},

	"payouts on":     {Roles: admins},
	EndPayouts:       {Class: Proposed, Roles: admins}, // what is paid then reaches nobody
	"payouts answer": {Roles: backOffice},
	// What is handed over says what accounts earn, and repeating it has no effect: whoever reads it goes by the ID.
	DeliverPayouts: {Roles: commandLine},
	ResendPayouts:  {Roles: commandLine},
	EndDelivery:    {Roles: commandLine},
	DeliverEvents:  {Class: Proposed, Roles: commandLine}, // who has it gets what holders have
	ResendEvents: {Class: Sometimes, Roles: commandLine,
		When: "where they go to another address, or others go there"},
	EndEventDelivery: {Roles: commandLine},

	"proposal make":    {Roles: proposers},
	"proposal approve": {Roles: approvers},
	"proposal reject":  {Roles: approvers},
}

// Operations are all operations, by name.
func Operations() []Operation { return slices.Sorted(maps.Keys(rules)) }

// RuleOf is the rule of an operation, or false where there is none.
func RuleOf(op Operation) (Rule, bool) {
	r, known := rules[op]
	return r, known
}

// included are the operations that another does too, in the same transaction.
var included = map[Operation][]Operation{InviteLogin: {"key revoke"}}

// Includes reports whether one who may do an operation does another with it: itself, or a part of it.
func Includes(op, other Operation) bool { return op == other || slices.Contains(included[op], other) }

// Check is access.ErrForbidden where an actor may neither do nor propose an operation, or where the operation is in no
// table.
func Check(op Operation, a access.Actor) error {
	rule, known := rules[op]
	switch {
	case !known:
	case a.Role == access.System, a.AtCommandLine():
		return nil
	case slices.Contains(rule.Roles, a.Role):
		return checkParts(a, PartsOf(op), string(op))
	}
	return access.ErrForbidden.In("", "the role %q may not do this: %s", string(a.Role), op)
}

// CheckProposer is access.ErrForbidden unless the actor may propose: the books' own processes may not, and one of staff
// who does must be known by name, so that nobody approves what is their own.
func CheckProposer(op Operation, a access.Actor) error {
	if err := Check(op, a); err != nil {
		return err
	}
	switch {
	case a.Role == access.System:
		return access.ErrForbidden.In("", "%s needs approval, and %s is no person who could ask for it", op, a)
	case a.Role.Proposes() && a.Person == "":
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

	ReasonNoPerson = "no-person"      // access.ErrForbidden
	ReasonPart     = "other-part"     // access.ErrForbidden: a back end's token for other parts
	ReasonOwn      = "own-proposal"   // access.ErrForbidden
	ReasonEffect   = "effect-changed" // ErrEffect; its fact is the digest of the effect now
	ReasonEnded    = "proposer-ended" // ErrNotOpen: the credential that proposed it is revoked or expired

	ReasonNotLooked = "effect-not-named" // ledger.ErrInvalid
	ReasonDecided   = "proposal-decided" // ErrNotOpen
	ReasonExpired   = "proposal-expired" // ErrNotOpen
	ReasonUnknown   = "unknown-proposal" // ledger.ErrNotFound
)
