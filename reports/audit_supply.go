package reports

import (
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

const ruleSupply = "holders have more than the largest supply"

// checkSupply finds tokens of which all holders together have more than there can be: each entry is compared with what
// one account has. By double entry they have what house accounts do not have.
func checkSupply(t db.View, visit func(audit.Finding)) error {
	assets, err := db.All(t, func(r db.Row) (ledger.Asset, error) {
		return ledger.Asset{Symbol: r.Text(0), Scale: int(r.Int(1)), MaxSupply: ledger.Amount(r.Int(2))}, nil
	}, "SELECT symbol, scale, max_supply FROM assets")
	if err == nil {
		err = findAboveSupply(t, assets, visit)
	}
	if err != nil {
		return fmt.Errorf("look for %s: %w", ruleSupply, err)
	}
	return nil
}

func findAboveSupply(t db.View, assets []ledger.Asset, visit func(audit.Finding)) error {
	held := map[string]*big.Int{}
	buckets := make([]int64, ledger.Buckets)
	for b := range buckets {
		buckets[b] = int64(b)
	}
	// "@" begins the names of house accounts, and of no others; "A" is the character after it.
	err := t.QueryEach(func(r db.Row) error {
		if held[r.Text(0)] == nil {
			held[r.Text(0)] = new(big.Int)
		}
		held[r.Text(0)].Sub(held[r.Text(0)], big.NewInt(r.Int(1)))
		return nil
	}, "SELECT asset, balance FROM balances WHERE bucket = $1 AND account >= '@' AND account < 'A'",
		db.SetOf(buckets, db.Int("bucket", func(b int64) int64 { return b })))
	for _, symbol := range slices.Sorted(maps.Keys(held)) {
		i := slices.IndexFunc(assets, func(a ledger.Asset) bool { return a.Symbol == symbol })
		if i < 0 || held[symbol].Cmp(big.NewInt(int64(assets[i].MaxSupply))) <= 0 {
			continue
		}
		f := findingAt(0, ruleSupply, fmt.Sprintf("holders have %s smallest units together; there can be %d", held[symbol],
			assets[i].MaxSupply))
		f.Asset = symbol
		visit(f)
	}
	return err
}
