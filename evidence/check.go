package evidence

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/verify"
)

// Finding is a place where the rows are not those of a record, or a record is not the one that was signed.
type Finding struct {
	Day  staking.Day
	Kind string // of rows; "": the record itself
	What string
}

func (f Finding) String() string {
	if f.Kind == "" {
		return fmt.Sprintf("%s: %s", f.Day, f.What)
	}
	return fmt.Sprintf("%s, %s: %s", f.Day, f.Kind, f.What)
}

// Checked is what a check has looked at, and found.
type Checked struct {
	Records     int64
	Checkpoints int64
	Covered     staking.Day // the last day that a checkpoint covers; the day before the first one: none
	Rows        int64
	Findings    []Finding
}

// Check computes every record again from the rows, and compares the records with checkpoints that were kept elsewhere:
// the notes of SplitNotes, each signed by one of the verifiers. It reads only. A note that is not signed so is
// ledger.ErrInvalid; what the books say otherwise is a finding. progress is called with how many records are compared
// out of how many; it may be nil.
func (r Reader) Check(ctx context.Context, notes []string, known []note.Verifier,
	progress func(done, of int)) (Checked, error) {
	c := &check{read: r.read, first: r.first}
	c.Covered = c.first - 1
	for i, text := range notes {
		signed, err := openCheckpoint(text, note.VerifierList(known...))
		if err != nil {
			return c.Checked, ledger.At(fmt.Sprintf("checkpoints[%d]", i), err)
		}
		c.signed = append(c.signed, signed)
	}
	var err error
	if c.texts, err = r.All(ctx); err != nil {
		return c.Checked, err
	}
	c.compareSigned()
	if err = c.compareRows(ctx, progress); err == nil {
		err = c.compareVersions(ctx)
	}
	return c.Checked, annotate(err, "compare the rows with their records")
}

// check is a check on its way.
type check struct {
	Checked
	read   reader
	first  staking.Day
	texts  []string // the records that the books have
	signed []Checkpoint
}

func (c *check) find(d staking.Day, kind, format string, args ...any) {
	c.Findings = append(c.Findings, Finding{d, kind, fmt.Sprintf(format, args...)})
}

// compareSigned compares the records with the checkpoints, by size. Behind the first record that differs all hashes
// do: it lies between the last checkpoint that agrees and the first that does not, and is reported once.
func (c *check) compareSigned() {
	slices.SortStableFunc(c.signed, func(a, b Checkpoint) int { return cmp.Compare(a.Size, b.Size) })
	all, differ := hashes(c.texts), false
	c.Records, c.Checkpoints = int64(len(c.texts)), int64(len(c.signed))
	for i, s := range c.signed {
		if i > 0 && c.signed[i-1].Size == s.Size && c.signed[i-1].Hash != s.Hash {
			c.find(s.Day, "", "two checkpoints of it contradict each other")
		}
		switch {
		case differ:
		case s.Size > c.Records:
			c.find(s.Day, "", "the books have %d records, and the checkpoint is of %d: they are behind it", c.Records, s.Size)
			differ = true
		case all[s.Size-1] != s.Hash:
			from := c.Covered + 1
			if differ = true; from < s.Day {
				c.find(s.Day, "", "the records are not those that were signed; it is one of %s to %s", from, s.Day)
			} else {
				c.find(s.Day, "", "the record is not the one that was signed")
			}
		default:
			c.Covered = max(c.Covered, s.Day)
		}
	}
}

// compareRows computes the records again.
func (c *check) compareRows(ctx context.Context, progress func(done, of int)) error {
	records := make([]Record, 0, len(c.texts))
	for i, text := range c.texts {
		day := c.first + staking.Day(i)
		record, err := ParseRecord(text)
		if err != nil || record.Day != day || record.Layout < 1 || record.Layout > newest {
			c.find(day, "", "the record of the day is missing or damaged; the rows of this day and later ones are not compared")
			break
		}
		records = append(records, record)
	}
	before, former := map[string]staking.Day{}, 0
	for done := 0; done < len(records); {
		s := span{from: records[done].Day, layout: records[done].Layout, former: former, before: before}
		for _, record := range records[done:min(done+batch, len(records))] {
			if record.Layout != s.layout {
				break
			}
			s.settled = append(s.settled, record.Settled)
		}
		some := records[done : done+len(s.settled)]
		groups, err := readRows(ctx, c.read, s)
		if err != nil {
			return err
		}
		salts, err := c.salts(ctx, s)
		if err != nil {
			return err
		}
		trees, err := readLiabilities(ctx, c.read, s, salts)
		if err != nil {
			return err
		}
		for i, record := range some {
			if err := c.compareRecord(ctx, record, groups[i]); err != nil {
				return err
			}
			if err := c.compareLiabilities(record, trees[i]); err != nil {
				return err
			}
		}
		before, former = some[len(some)-1].Settled, s.layout
		if done += len(some); progress != nil {
			progress(done, len(records))
		}
	}
	return nil
}

// compareVersions compares the rows that are replaced with their last versions, which are in the records or, of today,
// will be.
func (c *check) compareVersions(ctx context.Context) error {
	return integrity.Compare(ctx, c.read, func(d integrity.Difference) {
		day := c.first
		if !d.At.IsZero() {
			day = staking.DayOf(d.At)
		}
		c.find(day, string(d.Kind), "%v", d)
	})
}

// compareRecord compares a record with the groups of the rows that are there.
func (c *check) compareRecord(ctx context.Context, record Record, groups []group) (err error) {
	now := map[string]Kind{}
	for _, k := range kindsOf(groups) {
		now[k.Name] = k
	}
	recorded := map[string]Kind{}
	for _, k := range record.Kinds {
		recorded[k.Name] = k
	}
	var bucketsOf map[string][]group
	for _, p := range parts {
		if !p.in(record.Layout) {
			continue
		}
		was, is := recorded[p.name], now[p.name]
		c.Rows += is.Rows
		if was.Hash == is.Hash && was.Rows == is.Rows {
			continue
		}
		if bucketsOf == nil {
			if bucketsOf, err = c.recordedGroups(ctx, record.Day); err != nil {
				return err
			}
		}
		c.find(record.Day, p.name, "%d rows, and %d were recorded%s", is.Rows, was.Rows,
			placeOf(was, bucketsOf[p.name], ofKind(groups, p.name)))
	}
	return nil
}

// salts reads the salts that the records of a span were made with. Where one was removed the root is another.
func (c *check) salts(ctx context.Context, s span) (salted, error) {
	type key struct {
		day   staking.Day
		asset string
	}
	salts := map[key][]byte{}
	err := c.read(ctx, func(t db.View) error {
		return t.Query(func(r db.Row) error {
			salts[key{staking.Day(r.Int(0)), r.Text(1)}] = r.Bytes(2)
			return nil
		}, "SELECT day, asset, salt FROM liabilities WHERE day >= $1 AND day <= $2", int64(s.from), int64(s.through()))
	})
	return func(d staking.Day, asset string) ([]byte, error) { return salts[key{d, asset}], nil }, err
}

// compareLiabilities compares what is owed at the end of a day with what was recorded.
func (c *check) compareLiabilities(record Record, trees map[string]*tokenTree) error {
	now, above, err := liabilities(trees)
	if err != nil {
		return err
	}
	was, is := map[string]verify.Node{}, map[string]bool{}
	for _, l := range record.Liabilities {
		was[l.Asset] = l.Root
	}
	for _, l := range now {
		is[l.Asset] = true
		if l.Root != was[l.Asset] {
			c.find(record.Day, "liabilities", "%d of %s is owed, and %d was recorded", l.Root.Sum, l.Asset, was[l.Asset].Sum)
		}
	}
	for _, asset := range above {
		is[asset] = true
		if !slices.Contains(record.OutOfRange, asset) {
			c.find(record.Day, "liabilities", "more of %s is owed than a sum can be, and %d was recorded", asset, was[asset].Sum)
		}
	}
	for _, l := range record.Liabilities {
		if !is[l.Asset] {
			c.find(record.Day, "liabilities", "nothing of %s is owed, and %d was recorded", l.Asset, l.Root.Sum)
		}
	}
	for _, asset := range record.OutOfRange {
		if !slices.Contains(above, asset) {
			c.find(record.Day, "liabilities", "of %s more than a sum can be was recorded, and that is not owed", asset)
		}
	}
	return nil
}

// recordedGroups are the groups of a record, by kind.
func (c *check) recordedGroups(ctx context.Context, d staking.Day) (byKind map[string][]group, err error) {
	err = c.read(ctx, func(t db.View) error {
		byKind = map[string][]group{}
		return t.Query(func(r db.Row) error {
			groups, err := parseGroups(int(r.Int(0)), r.Text(1))
			if err != nil {
				return nil // changed by hand: placeOf says so
			}
			for _, g := range groups {
				byKind[g.kind] = append(byKind[g.kind], g)
			}
			return nil
		}, "SELECT bucket, body FROM record_groups WHERE day = $1 ORDER BY bucket", int64(d))
	})
	return byKind, err
}

// placeOf says in which buckets the rows of a kind differ, if the groups that are kept are those of the record.
func placeOf(recorded Kind, kept, now []group) string {
	if recorded.Rows > 0 {
		if kinds := kindsOf(kept); len(kinds) != 1 || kinds[0] != recorded {
			return "; in which bucket cannot be said, since that was changed too"
		}
	}
	was, buckets := map[int]group{}, []int{}
	for _, g := range kept {
		was[g.bucket] = g
	}
	for _, g := range now {
		if was[g.bucket] != g {
			buckets = append(buckets, g.bucket)
		}
		delete(was, g.bucket)
	}
	for bucket := range was {
		buckets = append(buckets, bucket)
	}
	slices.Sort(buckets)
	if n := len(buckets); n > 3 {
		return fmt.Sprintf("; in %d buckets", n)
	}
	return fmt.Sprintf("; bucket %v", buckets)
}

// ofKind are the groups of one kind.
func ofKind(groups []group, kind string) (some []group) {
	for _, g := range groups {
		if g.kind == kind {
			some = append(some, g)
		}
	}
	return some
}
