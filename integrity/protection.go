package integrity

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/db"
)

// protectedMark names the row of meta that says since when rows carry MACs. It is not what turns the check on, which is
// the key; it says that there must be one.
const protectedMark = "protected"

// Protected is since when rows carry MACs, as the database says, or the zero time.
func Protected(t db.View) (since time.Time, err error) {
	text, found, err := db.First(t, db.TextOf, "SELECT value FROM meta WHERE name = $1", protectedMark)
	if err == nil && found {
		since, err = time.Parse(time.RFC3339Nano, text)
	}
	return since, err
}

// WasProtected reports whether the versions of rows say that these books were protected, whatever the mark says.
func WasProtected(t db.View) (bool, error) {
	n, err := db.Count(t, "SELECT count(*) FROM row_versions WHERE bucket = $1 AND kind = $2 AND name = $3",
		bucketOf(protectedMark), string(Protection), protectedMark)
	return n > 0, err
}

// Expect gives the guard the mark of the database: where these books were protected, rows are refused without a key.
func (g *Guard) Expect(protected bool) { g.marked.Store(protected) }

// pageRows is how many rows are read at a time.
const pageRows = 500

// page reads the rows that follow one in the order of their keys, or the first ones; lock is what the SELECT ends with.
func (k Guarded) page(t db.View, lock string, after *row) ([]row, error) {
	names := []string{k.bucket()}
	for _, c := range k.columns[:k.keys] {
		names = append(names, c.name)
	}
	order, where, args := strings.Join(names, ", "), "", []any{int64(pageRows)}
	if k.loose {
		order = strings.Join(names[1:], ", ")
	}
	if after != nil {
		key := []any{after.bucket}
		for i := range k.keys {
			if k.columns[i].kind == "blob" {
				key = append(key, after.values[i].blob)
			} else {
				key = append(key, after.values[i].text)
			}
		}
		if k.loose {
			key = key[1:]
		}
		var marks []string
		for i := range key {
			marks = append(marks, fmt.Sprintf("$%d", i+2))
		}
		where = " AND (" + order + ") > (" + strings.Join(marks, ", ") + ")"
		args = append(args, key...)
	}
	return db.All(t, k.scan, k.scanned()+"WHERE "+k.wanted()+where+" ORDER BY "+order+" LIMIT $1"+lock, args...)
}

// wanted is the condition of the rows that are to have a MAC.
func (k Guarded) wanted() string {
	if k.only == "" {
		return "true"
	}
	return k.only
}

// Protect gives a MAC to each row of some kinds that has none, in the transaction, and marks the books. It vouches for
// what is there: it is called once for each kind, when the key is first used or the kind first has MACs. A row that has
// another MAC stays as it is, and is refused. progress is called with how many rows it has looked at.
func (g *Guard) Protect(t db.Tx, now time.Time, kinds []Guarded, progress func(rows int64)) (signed int64, err error) {
	keys, err := g.keys(true)
	if err != nil || len(keys) == 0 {
		return 0, err
	}
	looked := int64(0)
	for _, k := range kinds {
		for after := (*row)(nil); ; {
			rows, err := k.page(t, "", after)
			if err != nil {
				return signed, fmt.Errorf("protect the rows of %s: %w", k.Table, err)
			}
			var bare []row
			for _, r := range rows {
				if r.mac == "" {
					bare = append(bare, r)
				}
			}
			if err := k.sign(t, keys[0], bare); err != nil {
				return signed, fmt.Errorf("protect the rows of %s: %w", k.Table, err)
			}
			signed, looked = signed+int64(len(bare)), looked+int64(len(rows))
			progress(looked)
			if len(rows) < pageRows {
				break
			}
			after = &rows[len(rows)-1]
		}
	}
	marked, err := t.Exec("INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING", protectedMark,
		now.UTC().Format(time.RFC3339Nano))
	if err != nil || marked == 0 {
		return signed, err
	}
	return signed, Wrote(t, now, Protection, protectedMark)
}

// Renew gives each row a MAC by the first key that has one by another, in small transactions, and returns how many: for
// a rotation of the key. Rows that are refused stay as they are. Repeating it goes on. seen is called with how many
// rows each step has looked at.
func (g *Guard) Renew(ctx context.Context, d *db.DB, seen func(rows int64)) (renewed int64, err error) {
	for _, k := range GuardedKinds {
		for after, more := (*row)(nil), true; more; {
			var rows, old []row
			err := d.Write(ctx, func(t db.Tx) error {
				keys, err := g.keys(true)
				if err != nil || len(keys) == 0 {
					rows, old = nil, nil
					return err
				}
				if rows, err = k.page(t, t.Lock(), after); err != nil {
					return err
				}
				old = nil
				for _, r := range rows {
					if by, fits := k.fits(keys, r.values, r.mac); fits && by > 0 {
						old = append(old, r)
					}
				}
				return k.sign(t, keys[0], old)
			})
			if err != nil {
				return renewed, fmt.Errorf("protect the rows of %s with another key: %w", k.Table, err)
			}
			renewed += int64(len(old))
			seen(int64(len(rows)))
			if more = len(rows) == pageRows; more {
				after = &rows[len(rows)-1]
			}
		}
	}
	return renewed, nil
}

// Forged is a row that is not as this program has written it.
type Forged struct {
	Table, Row string
	Bare       bool // it has no MAC at all
}

// String says what is wrong with the row.
func (f Forged) String() string {
	if f.Bare {
		return fmt.Sprintf("%s of %s has no MAC: softstake has not written it", f.Row, f.Table)
	}
	return fmt.Sprintf("%s of %s has not the MAC of what it says: it was changed, or copied from another row", f.Row,
		f.Table)
}

// Examine checks the MAC of every row that is to have one, page by page, and calls visit with those that are refused.
// checked is how many rows there are; 0 where there is no key.
func (g *Guard) Examine(ctx context.Context, read func(context.Context, func(db.View) error) error,
	visit func(Forged)) (checked int64, err error) {
	keys, err := g.keys(true)
	if err != nil || len(keys) == 0 {
		return 0, err
	}
	for _, k := range GuardedKinds {
		for after, more := (*row)(nil), true; more; {
			var rows []row
			if err := read(ctx, func(t db.View) (err error) {
				rows, err = k.page(t, "", after)
				return err
			}); err != nil {
				return checked, fmt.Errorf("check the rows of %s: %w", k.Table, err)
			}
			for _, r := range rows {
				if _, fits := k.fits(keys, r.values, r.mac); !fits {
					visit(Forged{k.Table, k.named(r.values), r.mac == ""})
				}
			}
			checked += int64(len(rows))
			if more = len(rows) == pageRows; more {
				after = &rows[len(rows)-1]
			}
		}
	}
	return checked, nil
}
