package reports

import (
	"context"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Exclusion is one as it was set last, and by whom.
type Exclusion struct {
	staking.Exclusion
	SetAt time.Time
	SetBy string // the credential
}

// ExclusionsAsked says which exclusions are asked for.
type ExclusionsAsked struct {
	Account ledger.Account // "": of all accounts
	Ending  staking.Day    // those that cover this day or a later one; 0: also all that are over, or never began
}

// Exclusions are the next ones after one, at most limit, by bucket, account, token, product and
// first day. The first are those after the zero one. ledger.ErrNotFound if the account was
// never opened.
func (rs *Reports) Exclusions(ctx context.Context, asked ExclusionsAsked, after Exclusion,
	limit int) ([]Exclusion, error) {
	if asked.Account != "" {
		if _, err := rs.Account(ctx, asked.Account); err != nil {
			return nil, err
		}
	}
	// A range of keys: from after one, through the account's or all.
	bucket, last, through := int64(-1), int64(ledger.Buckets), ledger.Account("")
	if asked.Account != "" {
		last, through = int64(asked.Account.Bucket()), asked.Account
	}
	switch {
	case after.Account != "":
		bucket = int64(after.Account.Bucket())
	case asked.Account != "":
		bucket, after.Account = last, asked.Account
	}
	return list(ctx, rs, "read the exclusions", scan(readExclusion), "SELECT "+store.ExclusionColumns+`, x.set_at, x.set_by FROM exclusions x
	     WHERE (x.bucket, x.account, x.asset, x.product, x.from_day) > ($1, $2, $3, $4, $5) AND (x.bucket, x.account) <= ($6, $7)
	       AND ($8 = 0 OR x.until_day > $8 AND x.from_day < x.until_day)
	     ORDER BY x.bucket, x.account, x.asset, x.product, x.from_day LIMIT $9`, bucket, string(after.Account), after.Asset,
		after.Product, int64(after.From), last, string(through), int64(asked.Ending), int64(max(limit, 0)))
}

func readExclusion(r db.Row) Exclusion {
	return Exclusion{store.ReadExclusion(r), db.TimeOf(r.Int(5)), r.Text(6)}
}

// Excluded is the product because of which a token is not measured on a day, or "".
func (h Holder) Excluded(asset string, d staking.Day) string {
	e, _ := h.Exclusions.On(asset, d)
	return e.Product
}

// Measures reports whether a token is measured on a day: an enrollment covers it, and no
// exclusion does.
func (h Holder) Measures(asset string, d staking.Day) bool {
	return h.Covers(d) && h.Excluded(asset, d) == ""
}

// readExcluded reads which product has the day, if any.
func (e *Explanation) readExcluded(t db.View, id ledger.Account, d staking.Day) error {
	all, err := db.All(t, scan(store.ReadExclusion), "SELECT "+store.ExclusionColumns+` FROM exclusions x
	     WHERE x.bucket = $1 AND x.account = $2 AND x.from_day <= $3 AND x.until_day > $3`, int64(id.Bucket()), string(id), int64(d))
	found, _ := staking.Exclusions(all).On(e.Asset.Symbol, d)
	e.Excluded = found.Product
	return err
}
