package audit

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/staking"
)

// TestOwed: what records say is owed to holders is what the books owe, the rewards that are settled included.
func TestOwed(t *testing.T) {
	const have, rewards = uint64(2 * coin), 33_001
	says := func(d staking.Day, sum uint64, settled staking.Day) Owed {
		return Owed{Key: Key{d, "BNB"}, Sum: sum, Settled: settled}
	}
	for _, c := range []struct {
		name  string
		owed  []Owed
		below bool // carol may be below zero at the end of Day 4
		want  []string
	}{
		{"each day", []Owed{says(day1, have, day1-1), says(day4, have+rewards, day3)}, false, nil},
		{"rewards that are not settled yet", []Owed{says(day4, have, day1)}, false, nil},
		{"too little", []Owed{says(day4, have+rewards-1, day3), says(day1, have, day1-1)}, false,
			[]string{"2026-03-04 BNB: the record says that 2.00033 is owed to holders; " +
				"by house accounts and declared rewards it is 2.00033001 (liabilities of a record)"}},
		{"too much", []Owed{says(day4, have+rewards+1, day3)}, false,
			[]string{"2026-03-04 BNB: the record says that 2.00033002 is owed to holders; " +
				"by house accounts and declared rewards it is 2.00033001 (liabilities of a record)"}},
		{"more beside a balance below zero", []Owed{says(day4, have+rewards+1, day3)}, true, nil},
		{"less beside a balance below zero", []Owed{says(day4, have+rewards-1, day3)}, true,
			[]string{"2026-03-04 BNB: the record says that 2.00033 is owed to holders; " +
				"by house accounts and declared rewards it is 2.00033001 (liabilities of a record)"}},
		{"out of range", []Owed{{Key: Key{day4, "BNB"}, Above: true, Settled: day3}}, false,
			[]string{"2026-03-04 BNB: the record says that 9223372036854775808 smallest units or more is owed to holders; " +
				"by house accounts and declared rewards it is 2.00033001 (liabilities of a record)"}},
	} {
		b := honestBooks(t)
		b.outline.Owed = c.owed
		if c.below {
			b.of("carol").head.Overdrawn = append(b.of("carol").head.Overdrawn,
				Overdraft{Account: "carol", Asset: "BNB", At: at(day4, 12).UnixMilli(), Until: at(day4, 36).UnixMilli()})
		}
		var got []string
		for _, f := range run(t, b, Options{Workers: 2}).Findings {
			got = append(got, f.String())
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

// TestContradictions: what the books find of themselves is in the report, but not in that of one day without it.
func TestContradictions(t *testing.T) {
	b := honestBooks(t)
	b.contradictions = []Finding{on(day3, "alice", "", "is closed, and enrolled")}
	if got := run(t, b, Options{}); got.Total != 1 || got.Findings[0] != b.contradictions[0] {
		t.Errorf("%v", got.Findings)
	}
}
