package web

import (
	"fmt"

	"github.com/softstake/softstake/staking"
)

// textBy is the key of a text that says how a day is measured: the other is for the smallest balance.
func textBy(m staking.Measure, key string) string {
	if m == staking.Lowest {
		return fmt.Sprintf("%s.lowest", key)
	}
	return key
}
