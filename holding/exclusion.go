package holding

import (
	"fmt"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// position is what an account has of an asset.
type position struct {
	account ledger.Account
	asset   string // "": every one
}

// exclusions are the positions of a page that another product has on the day.
type exclusions map[position]bool

func (e exclusions) has(h staking.Holding) bool {
	return e[position{h.Account, h.Asset}] || e[position{h.Account, ""}]
}

// anyExcluded looks whether any exclusion in the bucket covers the day: as a rule there is
// none, and no page asks again.
func (m *measure) anyExcluded() error {
	n, err := db.Count(m.t, `SELECT count(*) FROM (
		SELECT 1 FROM exclusions WHERE bucket = $1 AND until_day > $2 AND from_day <= $2 LIMIT 1) AS one`, m.bucket, int64(m.day))
	if err != nil {
		return fmt.Errorf("look for exclusions: %w", err)
	}
	m.excludes = n > 0
	return nil
}

// excluded are those of the page's accounts.
func (m *measure) excluded() (exclusions, error) {
	found := exclusions{}
	if !m.excludes {
		return found, nil
	}
	err := m.t.Query(func(r db.Row) error {
		found[position{ledger.Account(r.Text(0)), r.Text(1)}] = true
		return nil
	}, `SELECT account, asset FROM exclusions
	     WHERE bucket = $1 AND account BETWEEN $2 AND $3 AND from_day <= $4 AND until_day > $4`, m.bucket, m.first, m.last, int64(m.day))
	if err != nil {
		return nil, fmt.Errorf("read exclusions: %w", err)
	}
	return found, nil
}
