package audit

import (
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Books are what an audit reads.
type Books interface {
	// Outline is what there is to audit.
	Outline(ctx context.Context) (Outline, error)
	// ReadBucket calls read with one bucket, in one snapshot, so that a payment at the same
	// time is either in all of it or in none. After an error of the database it may call
	// read again.
	ReadBucket(ctx context.Context, bucket int, read func(Bucket) error) error
	// Forged calls visit with what is wrong with each row that gives a right, and was not written by this program.
	Forged(ctx context.Context, visit func(what string)) error
	// Contradictions visits rows beside the figures of rewards that cannot be in the same books: an open enrollment of
	// a closed account, an approval by the person who proposed it. Each rule reads one snapshot.
	Contradictions(ctx context.Context, visit func(Finding)) error
}

// Outline is what there is to audit.
type Outline struct {
	First    staking.Day // of the books
	Closed   staking.Day // the last day that is closed in every bucket; First-1: none
	Intended staking.Day // the last day whose closing is intended; First-1: none
	Intents  int64       // how many days' closing is
	Owed     []Owed      // by the records of days

	Sharing
}

// Sharing is what the distributions of all tokens are derived from, in one snapshot.
type Sharing struct {
	Over          staking.Day     // the last day that is closed in every bucket; as Outline.Closed
	Terms         []staking.Terms // by asset, day and revision: of one day the last counts
	Declared      []Declaration
	Incomes       []Income // of all buckets
	Distributions []Distribution

	Shared    map[string]staking.Day // owners with several accounts, and the first day on which they had
	Groupings []Grouping
	Campaigns CampaignRows
}

// Bucket is one bucket, in one snapshot. Rows come in the order of their keys. The argument
// of a visit is valid only during the call; a visit must not read.
type Bucket interface {
	Head() (Head, error)
	Sharing() (Sharing, error)
	// Span is a range of accounts after one, with about n balances; the last ends at End.
	Span(after ledger.Account, n int) (Span, error)
	Balances(s Span, visit func(Balance)) error
	Enrollments(s Span, visit func(Enrollment)) error
	// Exclusions are those of the accounts, by account.
	Exclusions(s Span, visit func(Exclusion)) error
	// Labels, Members and Switches are those of the span's accounts, the last by account and time.
	Labels(s Span, visit func(Label)) error
	Members(s Span, visit func(Member)) error
	Switches(s Span, visit func(Switch)) error
	// Postings and Accruals are those of one day, by account, asset and time.
	Postings(d staking.Day, s Span, visit func(*Posting)) error
	Accruals(d staking.Day, s Span, visit func(*staking.Accrual)) error
	// Eligible are the rows of one day of what is eligible in campaigns by the measure that the terms do not have.
	Eligible(d staking.Day, s Span, visit func(Eligible)) error
	// Outside are postings and accruals, if any, of days that the books do not have.
	Outside(first, last staking.Day, visit func(day staking.Day, account ledger.Account, asset string)) error
	// Entries are the rows of those whose IDs lie in the bucket.
	Entries(visit func(*Entry)) error
	// Withdrawals are the rows of those that the bucket's accounts have requested.
	Withdrawals(visit func(*Withdrawal)) error
	// Owners are those of accounts, by account, day and revision.
	Owners(s Span, visit func(Ownership)) error
	// OwnerSums are what some owners held on a day, whatever bucket they lie in; Sums are all that lie in the bucket.
	OwnerSums(d staking.Day, owners []string, visit func(*OwnerSum)) error
	Sums(visit func(*OwnerSum)) error
	// Incomes are the rows of staking income that lie in the bucket.
	Incomes(visit func(*Income)) error
}

// Head is the part of a bucket's snapshot that does not grow with the number of holders.
type Head struct {
	Last      staking.Day // the last day there are rows for: tomorrow, as a rule
	Days      int64       // how many days there are rows for
	FirstOpen staking.Day // the first that is not closed
	Accounts  int64
	Assets    []ledger.Asset
	Terms     []staking.Terms // by asset, day and revision: of one day the last counts
	Progress  []Progress
	Declared  []Declaration
	Batches   []Batch // what the bucket has accrued
	Payments  []Batch // what the bucket has paid
	Overdrawn []Overdraft
	Shares    []Share // of the bucket
	Campaigns CampaignRows
}

// Overdraft is a period in which a balance may be below zero, because of an authoritative
// entry: from its time on and before until, in milliseconds since 1970.
type Overdraft struct {
	Account   ledger.Account
	Asset     string
	At, Until int64
}

// Span is the accounts after one, up to and including another.
type Span struct{ After, Through ledger.Account }

// End is after every account there can be.
const End ledger.Account = "\U0010ffff"

// Balance is the stored balance of an account and asset.
type Balance struct {
	Account ledger.Account
	Asset   string
	Balance ledger.Amount
	Carry   staking.Fraction
	Earned  ledger.Amount
	Opened  bool  // its owner's account was opened
	Ended   int64 // when the closed account had nothing to come any more, in milliseconds since 1970; 0: not yet
}

// Enrollment is one of an account, and whether the account was opened.
type Enrollment struct {
	staking.Enrollment
	Opened bool
}

// Exclusion is one of an account, and whether the account was opened.
type Exclusion struct {
	staking.Exclusion
	Opened bool
}

// Posting is one side of a move.
type Posting struct {
	Day     staking.Day
	Account ledger.Account
	Asset   string
	At      int64 // milliseconds since 1970
	Entry   string
	Move    int64 // 0-based, within the entry
	Side    int64 // 0: from, 1: to
	Amount  ledger.Amount
	Other   ledger.Account
	Kind    ledger.Kind
}

// Entry is an entry's own row.
type Entry struct {
	ID          string
	At          int64 // milliseconds since 1970
	Version     int64 // of the digest
	Digest      []byte
	Leaves      []byte // 32 bytes for each move
	Destination []byte // 32 bytes of an entry that requests a withdrawal, brings in income or funds a campaign
}

// Withdrawal is the row of a requested withdrawal: the content of its entry, and the
// destination.
type Withdrawal struct {
	ID      string // of the entry
	Account ledger.Account
	Asset   string
	Amount  ledger.Amount
	At      int64 // milliseconds since 1970
	To      ledger.Destination
}

// Income is the row of staking income: the content of its entry, and the evidence.
type Income struct {
	Reference     string // the entry is "income/" and the reference
	Asset         string
	Chain, Source string
	First, Last   staking.Day
	Mode          staking.Mode // of the period
	Gross         ledger.Amount
	Fee           staking.Rate
	Evidence      string
	At            int64 // milliseconds since 1970
}

// Progress is through which days a token's rewards are accrued and paid in the bucket.
type Progress struct {
	Asset         string
	Accrued, Paid staking.Day
}

// Key names a token's day.
type Key struct {
	Day   staking.Day
	Asset string
}

// Declaration is a control total over all buckets.
type Declaration struct {
	Key
	Holders      int64
	Total        ledger.Amount
	Eligible     ledger.Amount // everybody's, over the day, rounded down
	EligibleRest int64         // what that rounding left, in unit-milliseconds, in the mode share
	Carried      staking.Exact // what its holders carry after the day: of books of before it was kept, at most
}

// Distribution is the row of one: the period's income, and how it was divided.
type Distribution struct {
	Key          // the day on which the income was entered, and the token
	First, Last  staking.Day
	Gross, Net   ledger.Amount
	Before, Paid staking.Exact
	Weight       string // a decimal number of unit-milliseconds
}

// Share is the row of what a bucket's accounts have of a distribution.
type Share struct {
	Key
	First, Last staking.Day
	Sum         staking.Exact
}

// Batch is a control total of one bucket.
type Batch struct {
	Key
	Holders int64
	Total   ledger.Amount
	Digest  [32]byte

	Eligible     ledger.Amount // as in Declaration; zero in a payment
	EligibleRest int64
}

// Grouping is the row of a token's day of which it is written what owners held together.
type Grouping struct {
	Key
	Owners int64 // how many
	Others int64 // how many by the measure that the terms do not have, where a campaign takes it
}
