package topic

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
)

// TestWhatIsKeptIsBounded: of sets of other days and of those of which a later one is whole, only their names. Each
// byte of the others is counted.
func TestWhatIsKeptIsBounded(t *testing.T) {
	const most = 100_000
	for name, c := range map[string]struct {
		messages []string // of each set, whose name is %[1]s
		sets     int
		refused  bool
	}{
		"other days": {[]string{`{"type":"begin","set":"%[1]s","day":"2026-11-20","position":"` +
			strings.Repeat("x", most) + `"}`, `{"type":"amount","set":"%[1]s","account":"a","asset":"BNB","balance":"1"}`},
			20, false},
		"many names": {[]string{`{"type":"begin","set":"%[1]s","day":"2026-11-20"}`}, 30_000, true},
		"many ends":  {[]string{`{"type":"end","set":"%[1]s","tokens":[]}`}, 30_000, true},
		"sets that are written again": {[]string{`{"type":"begin","set":"%[1]s","day":"2026-11-21"}`,
			`{"type":"amount","set":"%[1]s","account":"` + strings.Repeat("a", 100) + `","asset":"BNB","balance":"1"}`,
			`{"type":"end","set":"%[1]s","tokens":[{"asset":"BNB","balances":1,"sum":"1"}]}`}, 2000, false},
		"sets without an end": {[]string{`{"type":"begin","set":"%[1]s","day":"2026-11-21"}`,
			`{"type":"amount","set":"%[1]s","account":"` + strings.Repeat("a", 100) + `","asset":"BNB","balance":"1"}`},
			2000, true},
	} {
		left := int64(most)
		p := newPartition("p", time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC),
			map[string]ledger.Asset{"BNB": {Symbol: "BNB", Scale: 8, MaxSupply: ledger.MaxSupply}}, &left)
		var err error
		at := int64(0)
		for i := range c.sets {
			for _, m := range c.messages {
				at++
				if err == nil {
					err = p.add(join.Record{Place: join.Place{Position: at}, Text: fmt.Appendf(nil, m, fmt.Sprint(i))})
				}
			}
		}
		if errors.Is(err, ledger.ErrInvalid) != c.refused || err != nil && !c.refused {
			t.Errorf("%s: %v", name, err)
		}
		if len(p.sets) > 1 && !c.refused {
			t.Errorf("%s: %d sets are kept", name, len(p.sets))
		}
	}
}
