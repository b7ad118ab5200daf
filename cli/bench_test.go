package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/scenario"
)

// What a benchmark leaves behind are ordinary books, whose audit is clean, and its
// JSON has every figure. Few holders: some buckets have one, and some none. Only settle
// and post have parts of their own for a database; http and pages are repetition on
// PostgreSQL, which the long tests have.
func TestBenchmarksLeaveOrdinaryBooks(t *testing.T) {
	for _, bench := range []struct {
		args   string
		fields string
	}{
		{"settle --holders 300 --history 2 --changes 3",
			"engine positions seconds positionsPerSecond rawPerSecond ratio peakRssBytes bytesPerReward"},
		{"post --accounts 300 --before 400 --transfers 1500 --batch 200 --singles 8 --single-transfers 100",
			"engine transfers seconds transfersPerSecond singleTransfersPerSecond singleP99Seconds rawPerSecond ratio " +
				"peakRssBytes"},
		{"http --holders 300 --days 2 --transfers 1500 --batch 200 --singles 8 --single-transfers 100 --readers 4 --reads 50",
			"engine positions seconds transfersPerSecond singleTransfersPerSecond singleP99Seconds " +
				"listPerSecond listP99Seconds rewardsPerSecond rewardsP99Seconds peakRssBytes"},
		{"join --accounts 300 --changes 1000 --batch 200 --lasts 300ms", "engine seconds changesPerSecond postedPerSecond " +
			"ratio processorRatio lagP50Seconds lagP99Seconds lagMaxSeconds peakRssBytes"},
		{"payouts --holders 300 --page 100", "engine payouts seconds processorSeconds payoutsPerSecond peakRssBytes"},
		{"records --holders 300", "engine positions seconds processorSeconds peakRssBytesBefore peakRssBytes " +
			"proofsP50Seconds proofsP99Seconds"},
		{"pages --positions 600 --days 2 --visitors 3 --reads 4", "engine positions days reads pages peakRssBytes"},
	} {
		for name, url := range map[string]func(*testing.T) string{
			"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "bench.db") },
			"postgres": func(t *testing.T) string { return pgtest.Owner(scenario.Migrated(t)) }, // it makes a table
		} {
			kind := strings.Fields(bench.args)[0]
			if name == "postgres" && kind != "settle" && kind != "post" && !scenario.Long() {
				continue
			}
			t.Run(kind+"/"+name, func(t *testing.T) {
				db := url(t)
				stdout := must(t, "", append(append([]string{"bench"}, strings.Fields(bench.args)...), "--json", "--db", db)...)
				var figures map[string]any
				if err := json.Unmarshal([]byte(stdout), &figures); err != nil {
					t.Fatalf("%v: %s", err, stdout)
				}
				for _, field := range strings.Fields(bench.fields) {
					if figures[field] == nil {
						t.Errorf("%s is missing in %s", field, stdout)
					}
				}
				must(t, "", "audit", "--db", db)
			})
		}
	}
}
