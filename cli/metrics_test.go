package cli

import (
	"strings"
	"testing"
	"time"
)

// TestMetrics: the figures are of the books as they stand, and only numbers of tokens are labels.
func TestMetrics(t *testing.T) {
	url := books(t)
	must(t, "", "fund", "BNB", "2.5", "--db", url)
	must(t, "", "accept", "alice", "--db", url)
	must(t, "", "enroll", "alice", "--db", url)
	must(t, `{"id":"d-1","kind":"deposit","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"2"},{"from":"@custody","to":"alice","asset":"SOL","amount":"2"}]}`, "post", "-", "--db", url)
	s := serve(t, url, noon.Add(37*time.Hour))
	s.waitFor("a token waits")
	status, body := s.get("/metrics")
	if status != 200 {
		t.Fatalf("GET /metrics: %d %s", status, body)
	}
	for _, want := range []string{
		`softstake_settled_day_timestamp_seconds{token="BNB"} 1.795392e+09`, // 2026-11-23
		`softstake_settled_day_timestamp_seconds{token="SOL"} 1.7953056e+09`,
		`softstake_waiting{token="BNB"} 0`, `softstake_waiting{token="SOL"} 1`,
		`softstake_pool_tokens{token="BNB"} 2.49999179`, `softstake_pool_days{token="BNB"} 304505`,
		`softstake_run_failed 0`, `softstake_runs_failed_total 0`, "go_goroutines", "process_start_time_seconds",
	} {
		if !strings.Contains(body, want+"\n") && !strings.Contains(body, want+" ") {
			t.Errorf("there is no %q in:\n%s", want, body)
		}
	}
	s.end()
}
