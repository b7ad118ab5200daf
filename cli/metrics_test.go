package cli

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
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
	for path, want := range map[string]int{"/api/v3/ping": 200, "/sapi/alice": 404, "/sapi/bob": 404} {
		if status, body := s.get(path); status != want {
			t.Errorf("GET %s: %d %s", path, status, body)
		}
	}
	status, body := s.get("/metrics")
	if status != 200 {
		t.Fatalf("GET /metrics: %d %s", status, body)
	}
	ours := regexp.MustCompile(`(?m)^softstake_.*$`)
	for _, want := range []string{
		`softstake_settled_day_timestamp_seconds{token="BNB"} 1.795392e+09`, // 2026-11-23
		`softstake_settled_day_timestamp_seconds{token="SOL"} 1.7953056e+09`,
		`softstake_waiting{token="BNB"} 0`, `softstake_waiting{token="SOL"} 1`,
		`softstake_pool_tokens{token="BNB"} 2.49999179`, `softstake_pool_days{token="BNB"} 304505`,
		`softstake_settle_lag_seconds{token="BNB"} 0`, `softstake_settle_lag_seconds{token="SOL"} 3300`, // 01:00, and 00:05 was its time
		`softstake_requests_total{api="exchange",method="GET",route="/api/v3/ping",status="200"} 1`,
		`softstake_request_duration_seconds_count{api="exchange",method="GET",route="/api/v3/ping"} 1`,
		`softstake_requests_in_flight{api="v1"} 0`, `softstake_requests_in_flight{api="pages"} 0`, `softstake_bodies_reading 0`, `softstake_event_streams 0`, `softstake_commit_entries_count 0`,
		`softstake_db_pool_max_connections{pool="writer"} 1`, `softstake_db_pool_max_connections{pool="readers"} 4`, `softstake_db_pool_in_use_connections{pool="writer"} 0`,
		`softstake_db_pool_idle_connections{pool="readers"}`, `softstake_db_pool_waits_total{pool="writer"}`, `softstake_db_pool_wait_seconds_total{pool="readers"}`,
		`softstake_large_body_bytes 0`,
		`softstake_run_failed 0`, `softstake_runs_failed_total 0`, "go_goroutines", "process_start_time_seconds",
	} {
		if !strings.Contains(body, want+"\n") && !strings.Contains(body, want+" ") {
			t.Errorf("there is no %q in:\n%s", want, strings.Join(ours.FindAllString(body, -1), "\n"))
		}
	}
	if !regexp.MustCompile(`(?m)^softstake_build_info\{goversion="go[0-9.]+",revision=".+",schema="\d+",version=".+"\} 1$`).MatchString(body) {
		t.Error("nothing says how the program was built")
	}
	if strings.Contains(body, "alice") || strings.Contains(body, "bob") {
		t.Error("what is asked for is a label")
	}
	s.end()
}

// TestCommitsAreCounted: entries that share one are one observation.
func TestCommitsAreCounted(t *testing.T) {
	m := newMeters()
	url := books(t)
	db, err := store.Open(t.Context(), url, store.Options{Clock: func() time.Time { return noon }, Observe: m.committed})
	if err != nil {
		t.Fatal(err)
	}
	var entries []ledger.Entry
	for _, id := range []string{"d-1", "d-2", "d-3"} {
		entries = append(entries, ledger.Entry{ID: id, Kind: ledger.Deposit, Moves: []ledger.Move{{From: ledger.Custody, To: "alice", Asset: "BNB", Amount: 1}}})
	}
	if _, err := db.Post(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	var got dto.Metric
	if err := m.commits.Write(&got); err != nil {
		t.Fatal(err)
	}
	if h := got.GetHistogram(); h.GetSampleCount() != 1 || fmt.Sprint(h.GetSampleSum()) != "3" {
		t.Errorf("observed %v", h)
	}
}
