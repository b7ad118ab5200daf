package evidence

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/merkle"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/verify"
)

// Record is what was written on a day: per kind of row how many there are, and the hash of a Merkle tree over them.
type Record struct {
	Day     staking.Day
	Layout  int
	Settled map[string]staking.Day // by token: the last of its days whose rows are in this record or in one before it
	Kinds   []Kind                 // by name, those that have rows

	Liabilities []Liability // by token, of those that holders have
	// By symbol, the tokens of which holders have more together than a sum can be, 2^63 - 1: of them nothing is proved.
	OutOfRange []string
}

// Liability is the root of the sum tree of what is owed to the holders of a token at the end of the day.
type Liability struct {
	Asset string
	Root  verify.Node
}

// Kind is the rows of one kind in a record: the hash is that of a tree over the groups of its buckets.
type Kind struct {
	Name string
	Rows int64
	Hash tlog.Hash
}

// group is the rows of one kind in one bucket of a record.
type group struct {
	kind   string
	bucket int
	rows   int64
	hash   tlog.Hash
}

const recordMark = "softstake record"

// String is the record in the form that is kept and signed.
func (r Record) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nday %s\nlayout %d\n", recordMark, r.Day, r.Layout)
	for _, asset := range slices.Sorted(maps.Keys(r.Settled)) {
		fmt.Fprintf(&b, "settled %s %s\n", asset, r.Settled[asset])
	}
	for _, k := range r.Kinds {
		fmt.Fprintf(&b, "rows %s %d %s\n", k.Name, k.Rows, k.Hash)
	}
	for _, l := range r.Liabilities {
		b.WriteString(verify.Line(l.Asset, l.Root))
	}
	for _, asset := range r.OutOfRange {
		fmt.Fprintf(&b, "out-of-range %s\n", asset)
	}
	return b.String()
}

// ParseRecord is the opposite of Record.String; anything else is ledger.ErrInvalid.
func ParseRecord(text string) (r Record, err error) {
	r.Settled = map[string]staking.Day{}
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		words := strings.Split(line, " ")
		switch {
		case i == 0 && line == recordMark:
		case i == 1 && len(words) == 2 && words[0] == "day":
			r.Day, err = staking.ParseDay(words[1])
		case i == 2 && len(words) == 2 && words[0] == "layout":
			r.Layout, err = strconv.Atoi(words[1])
		case i > 2 && len(words) == 3 && words[0] == "settled":
			r.Settled[words[1]], err = staking.ParseDay(words[2])
		case i > 2 && len(words) == 4 && words[0] == "rows":
			k := Kind{Name: words[1]}
			if k.Rows, err = strconv.ParseInt(words[2], 10, 64); err == nil {
				k.Hash, err = tlog.ParseHash(words[3])
			}
			r.Kinds = append(r.Kinds, k)
		case i > 2 && len(words) == 4 && words[0] == "liabilities":
			l := Liability{Asset: words[1]}
			if l.Root.Sum, err = strconv.ParseUint(words[2], 10, 63); err == nil {
				var hash tlog.Hash
				hash, err = tlog.ParseHash(words[3])
				l.Root.Hash = verify.Hash(hash)
			}
			r.Liabilities = append(r.Liabilities, l)
		case i > 2 && len(words) == 2 && words[0] == "out-of-range":
			r.OutOfRange = append(r.OutOfRange, words[1])
		default:
			err = fmt.Errorf("%q is not understood", ledger.Clip(line))
		}
		if err != nil {
			return r, ledger.ErrInvalid.In("record", "line %d: %v", i+1, err)
		}
	}
	if r.String() != text {
		return r, ledger.ErrInvalid.In("record", "it is not in the form that records have")
	}
	return r, nil
}

// kindsOf sums up groups by kind. It sorts them.
func kindsOf(groups []group) (kinds []Kind) {
	slices.SortFunc(groups, func(a, b group) int { return cmp.Or(cmp.Compare(a.kind, b.kind), a.bucket-b.bucket) })
	var buckets merkle.Tree
	for i, g := range groups {
		if i == 0 || groups[i-1].kind != g.kind {
			kinds, buckets = append(kinds, Kind{Name: g.kind}), merkle.Tree{}
		}
		buckets.Add(tlog.RecordHash(fmt.Appendf(nil, "%d %d %s", g.bucket, g.rows, g.hash)))
		last := &kinds[len(kinds)-1]
		last.Rows, last.Hash = last.Rows+g.rows, buckets.Hash()
	}
	return kinds
}

// groupTexts are groups in the form that they are kept in, by bucket.
func groupTexts(groups []group) map[int]string {
	texts := map[int]string{}
	for _, g := range groups {
		texts[g.bucket] += fmt.Sprintf("%s %d %s\n", g.kind, g.rows, g.hash)
	}
	return texts
}

// parseGroups is the opposite of groupTexts, of one bucket.
func parseGroups(bucket int, text string) (groups []group, err error) {
	for line := range strings.Lines(text) {
		g := group{bucket: bucket}
		var hash string
		if _, err := fmt.Sscanf(line, "%s %d %s\n", &g.kind, &g.rows, &hash); err != nil {
			return nil, fmt.Errorf("read a hash of the bucket %d: %w", bucket, err)
		}
		if g.hash, err = tlog.ParseHash(hash); err != nil {
			return nil, fmt.Errorf("read a hash of the bucket %d: %w", bucket, err)
		}
		groups = append(groups, g)
	}
	return groups, nil
}
