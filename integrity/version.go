package integrity

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// Kind is a kind of row whose versions are kept.
type Kind string

// The kinds, and what their rows are named by.
const (
	Assets   Kind = "assets"    // symbol
	FourEyes Kind = "four_eyes" // of the row of meta

	WithdrawalFactor Kind = "withdrawal_factor" // the same
	Payouts          Kind = "payouts"           // the same

	Accounts Kind = "account_states" // ID
	Logins   Kind = "account_logins" // account: all its logins are one version, so that no version has an address
	Staff    Kind = "staff_states"   // e-mail address
	// Protection is since when rows carry MACs, of the row of meta: that it is removed is seen.
	Protection Kind = "protection"
)

// versioned is a kind of row, and what its versions are of.
type versioned struct {
	kind     Kind
	table    string
	key      string // the column of the name
	where    string // which of the table's rows; "": all
	bucketed bool   // the table's bucket is that of the name
	hashed   bool   // the columns are a person's: versions have their hash
	columns  string
}

// kinds are the rows whose versions are kept. Whoever writes such a row calls Wrote in the same transaction.
var kinds = []versioned{
	{kind: Assets, table: "assets", key: "symbol", columns: "scale int, max_supply int"},
	{kind: FourEyes, table: "meta", key: "name", where: "x.name = 'four_eyes'", columns: "value text"},
	{kind: WithdrawalFactor, table: "meta", key: "name", where: "x.name = 'withdrawal_factor'", columns: "value text"},
	{kind: Payouts, table: "meta", key: "name", where: "x.name = 'payouts'", columns: "value text"},
	{kind: Protection, table: "meta", key: "name", where: "x.name = 'protected'", columns: "value text"},
	{kind: Accounts, table: "accounts", key: "account", bucketed: true,
		columns: "region text, frozen int, frozen_mode int, frozen_reason text"},
	{kind: Logins, table: "logins", key: "account", hashed: true,
		columns: "email text, password text, created int, changed int"},
	{kind: Staff, table: "staff", key: "email", bucketed: true, columns: "role text, disabled int"},
}

func (k Kind) versioned() versioned {
	return kinds[slices.IndexFunc(kinds, func(v versioned) bool { return v.kind == k })]
}

// named are the columns of a row, with the name of what it is about before them.
func (v versioned) named() string {
	return fmt.Sprintf("x.%s, %s", v.key, selected(columnsOf(v.columns), "x."))
}

// content is a version of the texts of rows of one name.
func (v versioned) content(texts []string) string {
	slices.Sort(texts)
	text := strings.Join(texts, "\n")
	if text == "" || !v.hashed {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// contents are those of rows, by name: add reads a row that begins with the name.
type contents struct {
	versioned
	texts map[string][]string
}

func (c *contents) add(r db.Row) error {
	if c.texts == nil {
		c.texts = map[string][]string{}
	}
	c.texts[r.Text(0)] = append(c.texts[r.Text(0)], textOf(r, 1, columnsOf(c.columns)))
	return nil
}

// version is a version that is to be written.
type version struct{ name, content string }

// Wrote keeps the versions of rows that the transaction has just written or removed. The caller holds a lock that
// others take who write the same rows.
func Wrote(t db.Tx, now time.Time, k Kind, names ...string) error {
	v := k.versioned()
	is := contents{versioned: v}
	join := "x." + v.key + " = r.name"
	if v.bucketed {
		join += " AND x.bucket = r.bucket"
	}
	if v.where != "" {
		join += " AND " + v.where
	}
	name := db.Text("name", func(name string) string { return name })
	err := t.QuerySet(is.add, "SELECT "+v.named()+" FROM {rows} JOIN "+v.table+" x ON "+join,
		db.SetOf(names, db.Int("bucket", bucketOf), name))
	if err != nil {
		return fmt.Errorf("read what was written of %s: %w", k, err)
	}
	written := make([]version, len(names))
	for i, name := range names {
		written[i] = version{name, v.content(is.texts[name])}
	}
	_, err = t.Set(nil, `INSERT INTO row_versions (bucket, kind, name, number, at, content)
	      SELECT r.bucket, r.kind, r.name,
	             coalesce((SELECT max(v.number) FROM row_versions v WHERE v.bucket = r.bucket AND v.kind = r.kind AND v.name = r.name), 0) + 1,
	             r.at, r.content FROM {rows} WHERE true`, versionSet(written, k, now))
	if err != nil {
		return fmt.Errorf("keep the versions of %s: %w", k, err)
	}
	return nil
}

func versionSet(written []version, k Kind, now time.Time) db.Set {
	return db.SetOf(written,
		db.Int("bucket", func(v version) int64 { return bucketOf(v.name) }),
		db.Text("kind", func(version) string { return string(k) }),
		db.Text("name", func(v version) string { return v.name }),
		db.Int("at", func(version) int64 { return now.UnixMilli() }),
		db.Text("content", func(v version) string { return v.content }))
}

// Backfill gives the rows of books from before versions of their kind were kept their first ones. It does nothing for
// a kind of which there are versions. progress is called with how many it has written.
func Backfill(t db.Tx, now time.Time, progress func(rows int64)) error {
	done := int64(0)
	for _, v := range kinds {
		there, err := db.Count(t, fmt.Sprintf("SELECT count(*) FROM (SELECT 1 FROM row_versions WHERE kind = '%s' LIMIT 1) v",
			v.kind))
		if err != nil {
			return err
		}
		if there > 0 {
			continue
		}
		for _, bucket := range v.buckets() {
			where, args := v.rows(bucket)
			names, err := db.All(t, db.TextOf, fmt.Sprintf("SELECT DISTINCT x.%s FROM %s x WHERE %s ORDER BY 1", v.key, v.table,
				where), args...)
			if err == nil && len(names) == 0 {
				continue
			}
			if err == nil {
				err = Wrote(t, now, v.kind, names...)
			}
			if err != nil {
				return fmt.Errorf("keep the first versions of %s: %w", v.kind, err)
			}
			done += int64(len(names))
			progress(done)
		}
	}
	return nil
}

// buckets are those that a table is read by; all: at once.
func (v versioned) buckets() []int64 {
	if !v.bucketed {
		return []int64{all}
	}
	buckets := make([]int64, ledger.Buckets)
	for b := range buckets {
		buckets[b] = int64(b)
	}
	return buckets
}

const all = -1

// rows is the condition of the kind's rows in a bucket, or in all, and its parameters.
func (v versioned) rows(bucket int64) (where string, args []any) {
	where = cmp.Or(v.where, "true")
	if bucket != all {
		where, args = where+" AND x.bucket = $1", []any{bucket}
	}
	return where, args
}

// Difference is a row that is not as the program last wrote it.
type Difference struct {
	Kind Kind
	Name string
	Is   string    // the row; "": there is none
	Was  string    // its last version; "": it was removed, or never written
	At   time.Time // of that version; zero: there is none
}

// String says what differs.
func (d Difference) String() string {
	quote := func(content string) string {
		if content == "" {
			return "nothing"
		}
		return fmt.Sprintf("%q", content)
	}
	return fmt.Sprintf("of %s there is %s, and %s was written", d.Name, quote(d.Is), quote(d.Was))
}

// Compare compares every row with its last version, in a snapshot for each bucket. Whoever changes both in a day that
// is not recorded is not found.
func Compare(ctx context.Context, read func(context.Context, func(db.View) error) error,
	visit func(Difference)) error {
	for _, v := range kinds {
		for _, bucket := range v.buckets() {
			var found []Difference
			if err := read(ctx, func(t db.View) (err error) {
				found, err = v.differences(t, bucket)
				return err
			}); err != nil {
				return fmt.Errorf("compare %s with their versions: %w", v.kind, err)
			}
			for _, d := range found {
				visit(d)
			}
		}
	}
	return nil
}

// differences are those of a bucket, or of all.
func (v versioned) differences(t db.View, bucket int64) (found []Difference, err error) {
	is := contents{versioned: v}
	where, args := v.rows(bucket)
	if err := t.Query(is.add, "SELECT "+v.named()+" FROM "+v.table+" x WHERE "+where, args...); err != nil {
		return nil, err
	}
	versions := "SELECT v.name, v.content, v.at FROM row_versions v WHERE "
	if bucket != all {
		versions += "v.bucket = $1 AND "
	}
	versions += fmt.Sprintf("v.kind = '%s' AND v.number = (SELECT max(l.number) FROM row_versions l "+
		"WHERE l.bucket = v.bucket AND l.kind = v.kind AND l.name = v.name)", v.kind)
	err = t.Query(func(r db.Row) error {
		d := Difference{Kind: v.kind, Name: r.Text(0), Was: r.Text(1), At: db.TimeOf(r.Int(2))}
		d.Is = v.content(is.texts[d.Name])
		if delete(is.texts, d.Name); d.Is != d.Was {
			found = append(found, d)
		}
		return nil
	}, versions, args...)
	for name, texts := range is.texts {
		found = append(found, Difference{Kind: v.kind, Name: name, Is: v.content(texts)})
	}
	slices.SortFunc(found, func(a, b Difference) int { return strings.Compare(a.Name, b.Name) })
	return found, err
}
