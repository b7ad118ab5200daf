package audit

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// memoryBooks are Books in memory. What a visit is given is overwritten after it.
type memoryBooks struct {
	outline Outline
	buckets [ledger.Buckets]memoryBucket
	broken  func(method string) error // what a method fails with; nil: nothing
	reads   int                       // of buckets
	reading func(reads int)           // called before each; may be nil

	contradictions []Finding
}

// memoryBucket is one bucket's rows, in any order.
type memoryBucket struct {
	books       *memoryBooks
	head        Head
	balances    []Balance
	enrollments []Enrollment
	exclusions  []Exclusion
	postings    []Posting
	accruals    []staking.Accrual
	entries     []Entry
	withdrawals []Withdrawal
	incomes     []Income
	owners      []Ownership
	sums        []OwnerSum
}

func (b *memoryBooks) fails(method string) error {
	if b.broken == nil {
		return nil
	}
	return b.broken(method)
}

func (b *memoryBooks) Outline(context.Context) (Outline, error) {
	return b.outline, b.fails("Outline")
}

func (b *memoryBooks) Contradictions(_ context.Context, visit func(Finding)) error {
	for _, f := range b.contradictions {
		visit(f)
	}
	return b.fails("Contradictions")
}

// ReadBucket begins again once after an error, as a store does after one of the database.
func (b *memoryBooks) Forged(context.Context, func(string)) error { return nil }

func (b *memoryBooks) ReadBucket(ctx context.Context, bucket int, read func(Bucket) error) error {
	b.reads++
	if b.reading != nil {
		b.reading(b.reads)
	}
	if read(&b.buckets[bucket]) == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	return read(&b.buckets[bucket])
}

func (b *memoryBucket) Head() (Head, error) { return b.head, b.books.fails("Head") }

func (b *memoryBucket) Sharing() (Sharing, error) {
	return b.books.outline.Sharing, b.books.fails("Sharing")
}

// Span is one account with balances or enrollments.
func (b *memoryBucket) Span(after ledger.Account, _ int) (Span, error) {
	through := End
	for _, x := range b.balances {
		if x.Account > after {
			through = min(through, x.Account)
		}
	}
	return Span{After: after, Through: through}, b.books.fails("Span")
}

func (s Span) has(a ledger.Account) bool { return s.After < a && a <= s.Through }

// visitAll gives each row that is wanted, in order, and then overwrites what it gave.
func visitAll[T any](
	b *memoryBucket, method string, rows []T, order func(x, y T) int, wanted func(T) bool, visit func(*T),
) error {
	for _, row := range slices.SortedFunc(slices.Values(rows), order) {
		if wanted(row) {
			visit(&row)
			var none T
			row = none
		}
	}
	return b.books.fails(method)
}

func (b *memoryBucket) Balances(s Span, visit func(Balance)) error {
	order := func(x, y Balance) int {
		return cmp.Or(cmp.Compare(x.Account, y.Account), cmp.Compare(x.Asset, y.Asset))
	}
	wanted := func(x Balance) bool { return s.has(x.Account) }
	return visitAll(b, "Balances", b.balances, order, wanted, func(x *Balance) { visit(*x) })
}

func (b *memoryBucket) Enrollments(s Span, visit func(Enrollment)) error {
	order := func(x, y Enrollment) int {
		return cmp.Or(cmp.Compare(x.Account, y.Account), cmp.Compare(x.From, y.From))
	}
	wanted := func(x Enrollment) bool { return s.has(x.Account) }
	return visitAll(b, "Enrollments", b.enrollments, order, wanted, func(x *Enrollment) { visit(*x) })
}

func (b *memoryBucket) Exclusions(s Span, visit func(Exclusion)) error {
	order := func(x, y Exclusion) int { return cmp.Compare(x.Account, y.Account) }
	wanted := func(x Exclusion) bool { return s.has(x.Account) }
	return visitAll(b, "Exclusions", b.exclusions, order, wanted, func(x *Exclusion) { visit(*x) })
}

// Labels, Members and Switches are none: the campaigns are audited in books of the store.
func (b *memoryBucket) Labels(Span, func(Label)) error { return b.books.fails("Labels") }

func (b *memoryBucket) Members(Span, func(Member)) error { return b.books.fails("Members") }

func (b *memoryBucket) Switches(Span, func(Switch)) error { return b.books.fails("Switches") }

func (b *memoryBucket) Postings(d staking.Day, s Span, visit func(*Posting)) error {
	order := func(x, y Posting) int {
		return cmp.Or(cmp.Compare(x.Account, y.Account), cmp.Compare(x.Asset, y.Asset), cmp.Compare(x.At, y.At))
	}
	wanted := func(x Posting) bool { return x.Day == d && s.has(x.Account) }
	return visitAll(b, "Postings", b.postings, order, wanted, visit)
}

func (b *memoryBucket) Accruals(d staking.Day, s Span, visit func(*staking.Accrual)) error {
	order := func(x, y staking.Accrual) int {
		return cmp.Or(cmp.Compare(x.Account, y.Account), cmp.Compare(x.Asset, y.Asset))
	}
	wanted := func(x staking.Accrual) bool { return x.Day == d && s.has(x.Account) }
	return visitAll(b, "Accruals", b.accruals, order, wanted, visit)
}

// Eligible are none, as the campaigns.
func (b *memoryBucket) Eligible(staking.Day, Span, func(Eligible)) error {
	return b.books.fails("Eligible")
}

func (b *memoryBucket) Outside(first, last staking.Day, visit func(staking.Day, ledger.Account, string)) error {
	for _, x := range b.postings {
		if x.Day < first || x.Day > last {
			visit(x.Day, x.Account, x.Asset)
		}
	}
	for _, x := range b.accruals {
		if x.Day < first || x.Day > last {
			visit(x.Day, x.Account, x.Asset)
		}
	}
	return b.books.fails("Outside")
}

func (b *memoryBucket) Entries(visit func(*Entry)) error {
	order := func(x, y Entry) int { return cmp.Compare(x.ID, y.ID) }
	return visitAll(b, "Entries", b.entries, order, func(Entry) bool { return true }, func(x *Entry) {
		given := [][]byte{bytes.Clone(x.Digest), bytes.Clone(x.Leaves), bytes.Clone(x.Destination)}
		x.Digest, x.Leaves, x.Destination = given[0], given[1], given[2]
		visit(x)
		for _, text := range given {
			clear(text)
		}
	})
}

func (b *memoryBucket) Incomes(visit func(*Income)) error {
	order := func(x, y Income) int { return cmp.Compare(x.Reference, y.Reference) }
	return visitAll(b, "Incomes", b.incomes, order, func(Income) bool { return true }, visit)
}

func (b *memoryBucket) Withdrawals(visit func(*Withdrawal)) error {
	order := func(x, y Withdrawal) int { return cmp.Compare(x.ID, y.ID) }
	return visitAll(b, "Withdrawals", b.withdrawals, order, func(Withdrawal) bool { return true }, visit)
}

func (b *memoryBucket) Owners(s Span, visit func(Ownership)) error {
	order := func(x, y Ownership) int {
		return cmp.Or(cmp.Compare(x.Account, y.Account), cmp.Compare(x.From, y.From))
	}
	wanted := func(x Ownership) bool { return s.has(x.Account) }
	return visitAll(b, "Owners", b.owners, order, wanted, func(x *Ownership) { visit(*x) })
}

func compareSums(x, y OwnerSum) int {
	return cmp.Or(compareKeys(x.Key, y.Key), cmp.Compare(x.Owner, y.Owner))
}

func (b *memoryBucket) OwnerSums(d staking.Day, owners []string, visit func(*OwnerSum)) error {
	var all []OwnerSum
	for i := range b.books.buckets {
		all = append(all, b.books.buckets[i].sums...)
	}
	wanted := func(x OwnerSum) bool { return x.Day == d && slices.Contains(owners, x.Owner) }
	return visitAll(b, "OwnerSums", all, compareSums, wanted, visit)
}

func (b *memoryBucket) Sums(visit func(*OwnerSum)) error {
	return visitAll(b, "Sums", b.sums, compareSums, func(OwnerSum) bool { return true }, visit)
}
