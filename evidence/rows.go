package evidence

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"sort"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/merkle"
	"github.com/softstake/softstake/staking"
)

// span is some records, day after day, of one layout, whose rows are read together.
type span struct {
	from    staking.Day
	layout  int
	former  int                      // the layout of the record before them; 0: there is none
	before  map[string]staking.Day   // by token: what the record before them says is settled
	settled []map[string]staking.Day // by record, and token
}

func (s span) through() staking.Day { return s.from + staking.Day(len(s.settled)) - 1 }

// first reports whether rows of a part that were written before the span are in the first of its records: no record
// before it has the part.
func (s span) first(p part) bool { return s.former == 0 || !p.in(s.former) && p.since > s.former }

// limits are the first and the last moment or day of what is about the span; last is before since where nothing is.
func (s span) limits(p part) (since, last int64) {
	since, last = int64(s.from), int64(s.through())
	switch p.written {
	case atMoment:
		since, last = s.from.Millis(), (s.through()+1).Millis()-1
	case withSettlement:
		return s.settlements()
	}
	switch {
	case s.first(p) && p.written == atMoment:
		since = math.MinInt64
	case s.first(p):
		since = firstOfAll
	}
	return since, last
}

// firstOfAll is a day before all others, as columns of days have them.
const firstOfAll = math.MinInt32

// settlements are the first and the last day that the span's records settle; last is before since where none does.
func (s span) settlements() (since, last int64) {
	since, last = math.MaxInt32, firstOfAll
	for asset, day := range s.settled[len(s.settled)-1] {
		if before, settled := s.before[asset]; !settled {
			since = firstOfAll
		} else if before < day {
			since = min(since, int64(before)+1)
		}
		last = max(last, int64(day))
	}
	return since, last
}

// settledBy is the record that settles a token's day, if it is one of the span's.
func (s span) settledBy(asset string, d staking.Day) (record staking.Day, is bool) {
	if before, settled := s.before[asset]; settled && d <= before {
		return 0, false
	}
	i := sort.Search(len(s.settled), func(i int) bool {
		through, settled := s.settled[i][asset]
		return settled && through >= d
	})
	return s.from + staking.Day(i), i < len(s.settled)
}

// settledFirst is the first record that settles a day of any token, if there is one so far.
func (s span) settledFirst(d staking.Day) (record staking.Day, is bool) {
	for _, before := range s.before {
		if d <= before {
			return s.from - 1, true
		}
	}
	for i, settled := range s.settled {
		for _, through := range settled {
			if d <= through {
				return s.from + staking.Day(i), true
			}
		}
	}
	return 0, false
}

// recordOf is the record that a row is a part of, if it is one of the span's. by are the columns of part.by,
// from column 1 of the row.
func (s span) recordOf(p part, r db.Row) (record staking.Day, is bool) {
	settled := func(asset string, d staking.Day) (staking.Day, bool) {
		if before, known := s.before[asset]; known && d <= before {
			return s.from - 1, true
		}
		return s.settledBy(asset, d)
	}
	switch is = true; p.written {
	case atMoment:
		if p.optional && r.Int(1) == 0 {
			return 0, false
		}
		record = staking.DayOf(db.TimeOf(r.Int(1)))
	case onDay, withPosting:
		record = staking.Day(r.Int(1))
	case withSettlement:
		return s.settledBy(r.Text(2), staking.Day(r.Int(1)))
	case withSettlementOrLater:
		record, is = settled(r.Text(2), staking.Day(r.Int(1)))
		record = max(record, staking.DayOf(db.TimeOf(r.Int(3))))
	case withFirstSettlementOrLater:
		record, is = s.settledFirst(staking.Day(r.Int(1)))
		record = max(record, staking.DayOf(db.TimeOf(r.Int(2))))
	}
	if s.first(p) {
		record = max(record, s.from)
	}
	return record, is && record >= s.from && record <= s.through()
}

// reading reads the rows of a kind and a span.
type reading struct {
	span
	part   part
	fields []column
	groups [][]group     // by record
	open   []merkle.Tree // by record, of the bucket that is being read
	row    []byte
}

// readRows reads the rows of a span and returns their groups, by record. It keeps no rows: what it takes of memory is
// some hashes for each record, kind and bucket. Each kind of row is read in a snapshot of its own.
func readRows(ctx context.Context, read reader, s span) ([][]group, error) {
	all := make([][]group, len(s.settled))
	for _, p := range parts {
		if !p.in(s.layout) {
			continue
		}
		r := &reading{span: s, part: p, fields: p.fields()}
		err := read(ctx, func(t db.View) error {
			r.groups, r.open = make([][]group, len(all)), make([]merkle.Tree, len(all))
			if p.written == withPosting {
				return r.readEntries(t)
			}
			return r.readPart(t)
		})
		if err != nil {
			return nil, fmt.Errorf("read the %s of %s to %s: %w", p.name, s.from, s.through(), err)
		}
		for i, groups := range r.groups {
			all[i] = append(all[i], groups...)
		}
	}
	return all, nil
}

// readPart reads the rows of a kind, in the order of their buckets.
func (r *reading) readPart(t db.View) error {
	since, last := r.limits(r.part)
	if since > last {
		return nil
	}
	open, lead := 0, r.part.lead()
	each := func(row db.Row) error {
		if bucket := int(row.Int(0)); bucket != open {
			r.close(open)
			open = bucket
		}
		if record, is := r.recordOf(r.part, row); is {
			r.row = appendRow(r.row[:0], row, lead, r.fields)
			r.open[record-r.from].Add(tlog.RecordHash(r.row))
		}
		return nil
	}
	err := r.part.eachBetween(t, since, last, each)
	r.close(open)
	return err
}

// eachBetween reads the rows of query, with limits where it has any: both are read too.
func (p part) eachBetween(t db.View, since, last int64, each func(db.Row) error) error {
	sql := p.query()
	if !p.keyed && p.written <= withSettlement {
		return t.Query(each, sql, since, last)
	} else if !p.keyed {
		return t.Query(each, sql)
	}
	buckets := make([]int64, ledger.Buckets)
	for b := range buckets {
		buckets[b] = int64(b)
	}
	same := func(n int64) func(int64) int64 { return func(int64) int64 { return n } }
	return t.QueryEach(each, sql, db.SetOf(buckets, db.Int("bucket", func(b int64) int64 { return b }),
		db.Int("since", same(since)), db.Int("last", same(last))))
}

// close ends the groups of a bucket.
func (r *reading) close(bucket int) {
	for i := range r.open {
		if t := &r.open[i]; t.Leaves() > 0 {
			r.groups[i] = append(r.groups[i], group{r.part.name, bucket, t.Leaves(), t.Hash()})
			t.Reset()
		}
	}
}

// entryPage is how many entries are looked up at a time.
const entryPage = 2000

// posted is an entry as its first posting names it.
type posted struct {
	day staking.Day
	at  int64
	id  string
}

// readEntries reads entries in the order of their first postings: the key of entries says nothing of time. They are in
// the bucket of that posting.
func (r *reading) readEntries(t db.View) error {
	for bucket := range ledger.Buckets {
		after := posted{day: r.from - 1, at: math.MaxInt64}
		if r.first(r.part) {
			after.day = firstOfAll
		}
		for more := true; more; {
			page, err := r.firstPostings(t, bucket, after)
			if err == nil && len(page) > 0 {
				err = r.addEntries(t, page)
				after = page[len(page)-1]
			}
			if err != nil {
				return err
			}
			more = len(page) == entryPage
		}
		r.close(bucket)
	}
	return nil
}

// firstPostings are those of a bucket behind one, of as many entries as are looked up at a time.
func (r *reading) firstPostings(t db.View, bucket int, after posted) ([]posted, error) {
	return db.All(t, func(row db.Row) (posted, error) {
		return posted{staking.Day(row.Int(0)), row.Int(1), row.Text(2)}, nil
	}, `SELECT day, at, entry FROM postings
	     WHERE bucket = $1 AND day <= $2 AND (day, at, entry) > ($3, $4, $5) AND move = 0 AND side = 0
	     ORDER BY day, at, entry LIMIT $6`,
		int64(bucket), int64(r.through()), int64(after.day), after.at, after.id, int64(entryPage))
}

// addEntries adds the entries of postings to their records. An entry whose row was removed is not among them.
func (r *reading) addEntries(t db.View, page []posted) error {
	rows := map[string][]byte{}
	err := t.QuerySet(func(row db.Row) error {
		rows[row.Text(0)] = appendRow(nil, row, 0, r.fields)
		return nil
	}, "SELECT "+r.part.names("e.")+" FROM {rows} JOIN entries e ON e.bucket = r.bucket AND e.entry = r.entry",
		db.SetOf(page,
			db.Int("bucket", func(e posted) int64 { return int64(ledger.Entry{ID: e.id}.Bucket()) }),
			db.Text("entry", func(e posted) string { return e.id })))
	for _, e := range page {
		if row, is := rows[e.id]; is {
			r.open[max(e.day, r.from)-r.from].Add(tlog.RecordHash(row))
		}
	}
	return err
}

// settledThrough says by token which of its days are settled at the end of each of n days.
func settledThrough(rows []settlement, before map[string]staking.Day, from staking.Day,
	n int) []map[string]staking.Day {
	all := make([]map[string]staking.Day, n)
	for i := range all {
		all[i] = maps.Clone(before)
		for _, r := range rows {
			if day, known := all[i][r.asset]; r.at < (from+staking.Day(i)+1).Millis() && (!known || day < r.day) {
				all[i][r.asset] = r.day
			}
		}
		before = all[i]
	}
	return all
}

// settlement is a row of settled.
type settlement struct {
	asset string
	day   staking.Day
	at    int64
}

func settlements(t db.View) ([]settlement, error) {
	return db.All(t, func(r db.Row) (settlement, error) {
		return settlement{r.Text(0), staking.Day(r.Int(1)), r.Int(2)}, nil
	}, "SELECT asset, day, settled_at FROM settled ORDER BY asset, day")
}

// checkSettlements refuses (ledger.ErrConflict) settled days that were never declared. A record of them would have all
// that the token's days are settled with until then.
func checkSettlements(t db.View) error {
	return t.Query(func(r db.Row) error {
		return ledger.ErrConflict.In("",
			"%s of %s is settled, and nothing was declared for it: an audit lists all such days",
			staking.Day(r.Int(1)), r.Text(0))
	}, `SELECT s.asset, s.day FROM settled s WHERE NOT EXISTS (SELECT 1 FROM declarations d
	     WHERE d.asset = s.asset AND d.day = s.day) ORDER BY s.asset, s.day LIMIT 1`)
}

// appendRow appends the columns of a row from one on, each with its type and, where it has no fixed one, its length:
// two rows that differ are never the same bytes.
func appendRow(b []byte, r db.Row, from int, fields []column) []byte {
	for i, f := range fields {
		b = append(b, f.kind[0])
		switch f.kind {
		case "int":
			b = binary.BigEndian.AppendUint64(b, uint64(r.Int(from+i)))
		case "text", "actor", "detail":
			text := r.Text(from + i)
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
		default:
			blob := r.Bytes(from + i)
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(blob))), blob...)
		}
	}
	return b
}
