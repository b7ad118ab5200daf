package audit

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/softstake/softstake/ledger"
)

// looked is how many slots are looked at again: with 65,536 of them, a
// four-thousandth of the journal is in memory.
const looked = 16

// suspect is an entry of a slot that is not zero: its row, if it has one, its postings, and
// the withdrawals and incomes that refer to it.
type suspect struct {
	id       string
	row      *Entry
	postings []Posting
	goes     []Withdrawal
	incomes  []Income

	campaigns []Campaign
}

// explainMoves reads the entries of slots that are not zero again, and finds those that do
// not match.
func (a *audit) explainMoves(ctx context.Context) error {
	wrong := a.slots.wrong(looked)
	if len(wrong) == 0 {
		return nil
	}
	suspects := map[string]*suspect{}
	get := func(id string) *suspect {
		if !wrong[slotOf(mix([]byte(id)))] {
			return nil
		}
		if suspects[id] == nil {
			suspects[id] = &suspect{id: id}
		}
		return suspects[id]
	}
	for bucket := range ledger.Buckets {
		if err := a.books.ReadBucket(ctx, bucket, func(b Bucket) error { return a.readSuspects(b, get) }); err != nil {
			return fmt.Errorf("bucket %d: %w", bucket, err)
		}
	}
	before := a.found.total
	for _, id := range slices.Sorted(maps.Keys(suspects)) {
		a.explain(suspects[id])
	}
	if a.found.total == before {
		a.find(Finding{What: "entries and their postings do not match, though each looks right; " +
			"were the books written by hand while they were read?"})
	}
	return nil
}

// readSuspects reads those of the bucket. Repeating it has no further effect.
func (a *audit) readSuspects(b Bucket, get func(id string) *suspect) error {
	for d := a.outline.First; d <= a.outline.Closed; d++ {
		err := b.Postings(d, Span{Through: End}, func(x *Posting) {
			if s := get(x.Entry); s != nil && !slices.Contains(s.postings, *x) {
				s.postings = append(s.postings, *x)
			}
		})
		if err != nil {
			return err
		}
	}
	err := b.Withdrawals(func(x *Withdrawal) {
		if s := get(x.ID); s != nil && !slices.Contains(s.goes, *x) {
			s.goes = append(s.goes, *x)
		}
	})
	if err != nil {
		return err
	}
	err = b.Incomes(func(i *Income) {
		if s := get(i.entry()); s != nil && !slices.Contains(s.incomes, *i) {
			s.incomes = append(s.incomes, *i)
		}
	})
	if err != nil {
		return err
	}
	head, err := b.Head()
	if err != nil {
		return err
	}
	for _, c := range head.Campaigns.Campaigns {
		same := func(o Campaign) bool { return o.Bucket == c.Bucket }
		if s := get(c.entry()); s != nil && !slices.ContainsFunc(s.campaigns, same) {
			s.campaigns = append(s.campaigns, c)
		}
	}
	return b.Entries(func(e *Entry) {
		if dayOf(e.At) <= a.outline.Closed {
			if s := get(e.ID); s != nil {
				row := *e
				row.Digest, row.Leaves, row.Destination = slices.Clone(e.Digest), slices.Clone(e.Leaves),
					slices.Clone(e.Destination)
				s.row = &row
			}
		}
	})
}

// explain finds what is wrong with an entry.
func (a *audit) explain(s *suspect) {
	if len(s.postings) == 0 && s.row == nil {
		for _, x := range s.goes {
			if dayOf(x.At) <= a.outline.Closed {
				a.find(on(dayOf(x.At), x.Account, x.Asset, "the withdrawal "+s.id+" is requested by no entry"))
			}
		}
		a.explainLostIncome(s)
		for i := range s.campaigns {
			c := &s.campaigns[i]
			a.find(on(dayOf(c.At), "", c.Asset, "the campaign "+c.ID+" is funded by no entry"))
		}
		return
	}
	if len(s.postings) == 0 && len(s.incomes) == 1 && s.incomes[0].Gross == 0 {
		a.explainZero(s)
		return
	}
	if len(s.postings) == 0 {
		a.find(on(dayOf(s.row.At), "", "", "entry "+s.id+" has a row of its own, but no postings"))
		return
	}
	slices.SortFunc(s.postings, func(x, y Posting) int {
		return cmp.Or(cmp.Compare(x.Move, y.Move), cmp.Compare(x.Side, y.Side), cmp.Compare(x.Account, y.Account))
	})
	if s.row == nil {
		a.findPosting(s.holders(), "has no row of its own")
	}
	whole := true
	var moves []ledger.Move
	for rest := s.postings; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Move == rest[0].Move {
			n++
		}
		whole = a.explainMove(s, rest[:n], int64(len(moves))) && whole
		moves = append(moves, moveOf(&rest[0]))
		rest = rest[n:]
	}
	if s.row == nil || !whole {
		return
	}
	a.explainRow(s, leavesOf(s.postings[0].Kind, moves))
}

// explainRow compares an entry's row with the leaves of its postings, and with its
// withdrawal if it requests one.
func (a *audit) explainRow(s *suspect, leaves []byte) {
	x, row := s.holders(), s.row
	if len(s.campaigns) != 0 {
		a.explainCampaign(s, leaves)
		return
	}
	if x.Kind == ledger.StakingIncome || len(s.incomes) != 0 {
		a.explainIncome(s, leaves)
		return
	}
	var destination []byte
	if x.Kind == ledger.WithdrawalRequest {
		if len(s.goes) != 1 {
			a.findPosting(x, fmt.Sprintf("requests a withdrawal, and there are %d rows of it", len(s.goes)))
			return
		}
		destination = destinationOf(s.goes[0].To)
	} else if len(s.goes) != 0 {
		a.findPosting(x, "requests no withdrawal, and there is a row of one")
		return
	}
	derived := digestOf(s.id, row.At, leaves, destination)
	switch {
	case row.At != x.At:
		a.findPosting(x, fmt.Sprintf("counts at %s by its own row, and at %s by its postings",
			stamp(row.At), stamp(x.At)))
	case row.Version != ledger.DigestVersion:
		a.findPosting(x,
			fmt.Sprintf("has a digest of version %d, %x; derived %x. It was changed by hand, "+
				"before the books were upgraded or since", row.Version, row.Digest, firstDigestOf(leaves)))
	case destination != nil && !s.goes[0].matches(x):
		a.findPosting(x, "requests another withdrawal than the row of it says: another account, token, amount or time")
	case destination != nil && bytes.Equal(row.Digest, digestOf(s.id, row.At, leaves, row.Destination)) &&
		!bytes.Equal(row.Destination, destination):
		a.findPosting(x, "requests a withdrawal that goes elsewhere by its row: the address, network, "+
			"tag or client's ID was changed")
	case !bytes.Equal(row.Digest, derived):
		a.findPosting(x, fmt.Sprintf("does not say what was posted: its digest is %x, derived %x", row.Digest, derived))
	case !bytes.Equal(row.Leaves, leaves) || !bytes.Equal(row.Destination, destination):
		a.findPosting(x, "has a row that its digest was not made of")
	}
}

// matches reports whether the withdrawal is the one that a posting of its entry requests.
func (x *Withdrawal) matches(p *Posting) bool {
	m := moveOf(p)
	return x.At == p.At && m == ledger.Move{From: x.Account, To: x.Account.Held(), Asset: x.Asset, Amount: x.Amount}
}

// holders is the entry's first posting of a holder, or the first.
func (s *suspect) holders() *Posting {
	i := slices.IndexFunc(s.postings, func(x Posting) bool { return !x.Account.IsHouse() })
	return &s.postings[max(i, 0)]
}

// explainMove finds what is wrong with one move, of which it has all postings
// there are, and reports whether nothing is.
func (a *audit) explainMove(s *suspect, sides []Posting, number int64) bool {
	first := &sides[0]
	if first.Move != number {
		a.findPosting(first, fmt.Sprintf("has a move %d, but no move %d", first.Move, number))
		return false
	}
	if len(sides) == 1 {
		missing := *first
		missing.Account = first.Other
		a.findPosting(&missing, fmt.Sprintf("move %d has only one side, that of %s", number, first.Account))
		return false
	}
	second := &sides[1]
	if len(sides) > 2 || first.Side != 0 || second.Side != 1 {
		a.findPosting(first, fmt.Sprintf("move %d has %d sides, which do not belong together", number, len(sides)))
		return false
	}
	if moveOf(first) == moveOf(second) && first.At == second.At && first.Kind == second.Kind {
		return true
	}
	// The entry's leaf of the move shows which side is the right one.
	differs, other := first, second
	leaf := leafOf(first.Kind, number, moveOf(first))
	if s.row != nil && s.row.At == first.At && bytes.Equal(s.row.leaf(int(number)), leaf[:]) {
		differs, other = second, first
	}
	a.findPosting(differs, fmt.Sprintf("move %d: its two sides differ: %s and %s",
		number, a.sideText(differs), a.sideText(other)))
	return false
}

// sideText describes a side.
func (a *audit) sideText(x *Posting) string {
	m := moveOf(x)
	return fmt.Sprintf("%s %s from %s to %s, %s at %s",
		a.asset(x.Asset).Format(m.Amount), m.Asset, m.From, m.To, x.Kind, stamp(x.At))
}

// asset is the asset of a symbol; without decimals if no bucket has it.
func (a *audit) asset(symbol string) ledger.Asset {
	if s := a.sums[symbol]; s != nil {
		return s.Asset
	}
	return ledger.Asset{Symbol: symbol}
}

func (a *audit) findPosting(x *Posting, what string) {
	a.find(on(x.Day, x.Account, x.Asset, "entry "+x.Entry+" "+what))
}
