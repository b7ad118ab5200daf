package serve

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// TestMetrics: the figures are of the books as they stand, and only numbers of tokens are labels.
func TestMetrics(t *testing.T) {
	w := newSite(t)
	w.enroll("alice")
	_, err := w.books.Fund(t.Context(), "f-1", "BNB", 2_50000000, false)
	w.ok(err)
	w.post(ledger.Entry{ID: "d-1", Kind: ledger.Deposit, Moves: []ledger.Move{
		{From: ledger.Custody, To: "alice", Asset: "BNB", Amount: 2_00000000},
		{From: ledger.Custody, To: "alice", Asset: "SOL", Amount: 2_000000000}}})
	w.ok(w.books.RecordBackup(t.Context(), 1<<20))
	w.metrics = NewMetrics() // the server's own
	w.clock.Forward(noon.Add(37 * time.Hour))
	s := w.serve()
	s.waitFor("a token waits")
	// A day waits for partitions, so that they come when the days are paid.
	at := noon.Add(-time.Second)
	_, err = w.books.Join(t.Context(), store.JoinBatch{Source: "shop", Partition: "p1", Events: []join.Event{
		{Place: join.Place{Position: 1}, Type: join.Watermark, At: at}}})
	w.ok(err)
	_, err = w.books.Join(t.Context(), store.JoinBatch{Source: "shop", Partition: "p2",
		Fault: &store.JoinFault{Place: join.Place{Position: 1}, Err: ledger.ErrInvalid}})
	w.ok(err)
	w.failTarget("exchange")
	for path, want := range map[string]int{"/api/v3/ping": 200, "/sapi/alice": 404, "/sapi/bob": 404} {
		if status, body := s.get(path); status != want {
			t.Errorf("GET %s: %d %s", path, status, body)
		}
	}
	// A request is counted after its response, which the client may have read before.
	waitForMetric(t, s.at("/metrics"), `softstake_request_duration_seconds_count{api="exchange",method="GET",route="/api/v3/ping"} 1`)
	// The scheduler writes beside the requests: it removes what is expired.
	waitForMetric(t, s.at("/metrics"), `softstake_db_pool_in_use_connections{pool="writer"} 0`)
	waitForMetric(t, s.at("/metrics"), `(?m)^softstake_outbox_unnumbered_events 0$`)
	waitForMetric(t, s.at("/metrics"), `(?m)^softstake_outbox_event_number [1-9]`)
	_, body := s.get("/metrics")
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
		`softstake_db_pool_max_connections{pool="writer"} 1`, `softstake_db_pool_max_connections{pool="readers"} 4`,
		`softstake_db_pool_idle_connections{pool="readers"}`, `softstake_db_pool_waits_total{pool="writer"}`, `softstake_db_pool_wait_seconds_total{pool="readers"}`,
		`softstake_large_body_bytes 0`, `softstake_outbox_unnumbered_events 0`,
		`softstake_outbox_lag_seconds 0`,
		`softstake_security_events_total{event="break-glass"} 0`,                                   // an increase from nothing is none
		`softstake_backup_timestamp_seconds 1.7953488e+09`,                                         // noon: no clock has moved yet
		`softstake_join_watermark_timestamp_seconds{partition="p1",source="shop"} 1.795348799e+09`, // a second before noon
		`softstake_join_watermark_timestamp_seconds{partition="p2",source="shop"} 0`,
		`softstake_join_moved_timestamp_seconds{partition="p1",source="shop"} 1.795482e+09`,
		`softstake_join_stopped{partition="p1",source="shop"} 0`, `softstake_join_stopped{partition="p2",source="shop"} 1`,
		`softstake_payout_delivery_backlog{target="exchange"} 0`, `softstake_payout_delivery_lost{target="exchange"} 0`,
		`softstake_payout_delivery_failing_since_timestamp_seconds{target="exchange"} 1.795482e+09`,
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

// TestABreakIsSentWhileItStops the token, however long ago that was compared.
func TestABreakIsSentWhileItStops(t *testing.T) {
	w := newSite(t)
	w.ok(w.books.SetComparisonLimit(t.Context(), store.ComparisonLimit{Amount: 0, Accounts: store.AnyDifference}))
	compared := func(symbol string, off ledger.Amount) {
		t.Helper()
		asset, err := w.books.Asset(t.Context(), symbol)
		w.ok(err)
		token := store.ComparedToken{Kind: "balance"}
		token.Asset, token.Off = asset, off
		_, err = w.books.AddComparison(t.Context(), store.Comparison{Day: w.books.FirstDay(), At: noon,
			Source: store.FromFile, Tokens: []store.ComparedToken{token}})
		w.ok(err)
	}
	compared("BNB", 5)
	w.clock.Forward(noon.AddDate(0, 0, 8))
	compared("SOL", 0)
	w.metrics = NewMetrics()
	s := w.serve()
	_, body := s.get("/metrics")
	for _, want := range []string{`{token="BNB"} 1`, `{token="SOL"} 0`} {
		if !strings.Contains(body, "softstake_reconciliation_break"+want+"\n") {
			t.Errorf("there is no %s in:\n%s", want, body)
		}
	}
	s.end()
}

// failTarget has delivering payouts and events to a target fail.
func (w *site) failTarget(name string) {
	w.Helper()
	for _, n := range []store.NewTarget{{Stream: store.PayoutStream, Address: "kafka://127.0.0.1/payouts"},
		{Stream: store.EventStream, Address: "kafka://127.0.0.1/events", Kinds: "balance"}} {
		n.Name = name
		_, err := w.books.AddTarget(w.Context(), n)
		w.ok(err)
		w.ok(w.books.FailTarget(w.Context(), n.Stream, name, "no answer"))
	}
}

// TestCommitsAreCounted: entries that share one are one observation.
func TestCommitsAreCounted(t *testing.T) {
	w := newSite(t)
	var entries []ledger.Entry
	for _, id := range []string{"d-1", "d-2", "d-3"} {
		entries = append(entries, ledger.Entry{ID: id, Kind: ledger.Deposit,
			Moves: []ledger.Move{{From: ledger.Custody, To: "alice", Asset: "BNB", Amount: 1}}})
	}
	w.post(entries...)
	var got dto.Metric
	if err := w.metrics.commits.Write(&got); err != nil {
		t.Fatal(err)
	}
	if h := got.GetHistogram(); h.GetSampleCount() != 1 || fmt.Sprint(h.GetSampleSum()) != "3" {
		t.Errorf("observed %v", h)
	}
}
