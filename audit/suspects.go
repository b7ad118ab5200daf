package audit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"softstake/ledger"
)

// looked is how many slots are looked at again: with 65,536 of them, a
// four-thousandth of the journal is in memory.
const looked = 16

// suspect is an entry of a slot that is not zero: its row, if it has one, and its postings.
type suspect struct {
	id       string
	row      *Entry
	postings []Posting
}

// explainMoves reads again what lies in slots that are not zero, and finds which
// entries do not match.
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
		a.find(Finding{What: "entries and their postings do not match, though each looks right; were the books written by hand while they were read?"})
	}
	return nil
}

// readSuspects reads those of the bucket. It may be called again: what is there is not added twice.
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
	return b.Entries(func(e *Entry) {
		if dayOf(e.At) <= a.outline.Closed {
			if s := get(e.ID); s != nil {
				row := *e
				s.row = &row
			}
		}
	})
}

// explain finds what is wrong with an entry.
func (a *audit) explain(s *suspect) {
	if len(s.postings) == 0 {
		a.find(Finding{Day: dayOf(s.row.At), HasDay: true, What: "entry " + s.id + " has a row of its own, but no postings"})
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
	if x := s.holders(); s.row.At != x.At {
		a.findPosting(x, fmt.Sprintf("counts at %s by its own row, and at %s by its postings", stamp(s.row.At), stamp(x.At)))
	} else if d := digestOf(x.Kind, moves); d != s.row.Digest {
		a.findPosting(x, fmt.Sprintf("does not say what was posted: its digest is %x, derived %x", s.row.Digest, d))
	}
}

// holders is the entry's first posting of a holder, or the first.
func (s *suspect) holders() *Posting {
	i := slices.IndexFunc(s.postings, func(x Posting) bool { return !x.Account.IsHouse() })
	return &s.postings[max(i, 0)]
}

// explainMove finds what is wrong with one move, of which it has all postings
// there are, and says whether nothing is.
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
	// An entry of one move has a digest that says which side is the right one.
	differs, other := first, second
	if s.row != nil && len(s.postings) == 2 && s.row.At == first.At && s.row.Digest == digestOf(first.Kind, []ledger.Move{moveOf(first)}) {
		differs, other = second, first
	}
	a.findPosting(differs, fmt.Sprintf("move %d: its two sides differ: %s and %s", number, a.sideText(differs), a.sideText(other)))
	return false
}

// sideText says what a side says.
func (a *audit) sideText(x *Posting) string {
	asset := ledger.Asset{Symbol: x.Asset}
	if s := a.sums[x.Asset]; s != nil {
		asset = s.Asset
	}
	m := moveOf(x)
	return fmt.Sprintf("%s %s from %s to %s, %s at %s", asset.Format(m.Amount), m.Asset, m.From, m.To, x.Kind, stamp(x.At))
}

func (a *audit) findPosting(x *Posting, what string) {
	a.find(Finding{Day: x.Day, HasDay: true, Account: x.Account, Asset: x.Asset, What: "entry " + x.Entry + " " + what})
}
