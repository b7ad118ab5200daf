package staking

import (
	"errors"
	"testing"

	"github.com/softstake/softstake/ledger"
)

// TestMultipliersNameLabels: a multiplier for a label that no account can have is refused.
func TestMultipliersNameLabels(t *testing.T) {
	for label, want := range map[string]error{"vip": nil, "a.b_c-9": nil, "VIP": ledger.ErrInvalid,
		"a b": ledger.ErrInvalid} {
		c := Campaign{ID: "spring", Title: "Spring", Asset: "SOL", Pool: 1, First: 1, Last: 1,
			Parts: EqualParts(1, []string{"BNB"}), Multipliers: []Multiplier{{Label: label, Percent: 150}}}
		if err := c.Check(ledger.Asset{Symbol: "SUI"}); !errors.Is(err, want) {
			t.Errorf("label %q: %v", label, err)
		}
	}
}
