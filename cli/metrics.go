package cli

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"softstake/ledger"
	"softstake/store"
)

// metrics tells Prometheus how the books stand, read when it asks.
type metrics struct {
	db        *store.DB
	scheduler *scheduler
}

// newMetrics serves the figures of the books, of the runs, and of the process.
func newMetrics(db *store.DB, s *scheduler, log *slog.Logger) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), metrics{db, s})
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn), ErrorHandling: promhttp.ContinueOnError,
		MaxRequestsInFlight: 2, Timeout: readyWait,
	})
}

func description(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("softstake_"+name, help, labels, nil)
}

var (
	settledDay   = description("settled_day_timestamp_seconds", "Start of the last day of the token that is paid.", "token")
	waitingToken = description("waiting", "1 where a day of the token waits for funds or for a person.", "token")
	poolBalance  = description("pool_tokens", "What @rewards has of the token, rounded to a float: for a graph, not for accounts.", "token")
	poolDays     = description("pool_days", "Days the pool lasts at the last day's total; absent where nothing was paid.", "token")
	runsTotal    = description("runs_total", "Runs of the scheduler.")
	runsFailed   = description("runs_failed_total", "Runs that failed, and were tried again.")
	runSeconds   = description("run_duration_seconds", "How long the last run took.")
	runEnded     = description("run_timestamp_seconds", "When the last run ended.")
	runFailed    = description("run_failed", "1 where the last run failed.")
)

// Describe sends the descriptions of what is collected.
func (m metrics) Describe(c chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{settledDay, waitingToken, poolBalance, poolDays, runsTotal, runsFailed, runSeconds, runEnded, runFailed} {
		c <- d
	}
}

// Collect reads how the books stand.
func (m metrics) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readyWait)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	r := m.scheduler.soFar()
	c <- prometheus.MustNewConstMetric(runsTotal, prometheus.CounterValue, float64(r.done))
	c <- prometheus.MustNewConstMetric(runsFailed, prometheus.CounterValue, float64(r.failed))
	if r.done > 0 {
		gauge(runSeconds, r.took.Seconds())
		gauge(runEnded, float64(r.last.UnixMilli())/1000)
		gauge(runFailed, oneIf(r.lastFailed))
	}
	tokens, err := m.db.TokenStatus(ctx)
	if err != nil {
		c <- prometheus.NewInvalidMetric(settledDay, err)
		return
	}
	assets, err := readAssets(ctx, m.db)
	if err != nil {
		c <- prometheus.NewInvalidMetric(poolBalance, err)
		return
	}
	for _, t := range tokens {
		gauge(settledDay, float64(t.PaidThrough.Start().Unix()), t.Asset)
		gauge(waitingToken, oneIf(t.Waiting != ""), t.Asset)
		gauge(poolBalance, roughly(assets[t.Asset], t.Pool), t.Asset)
		if t.DaysLeft >= 0 {
			gauge(poolDays, float64(t.DaysLeft), t.Asset)
		}
	}
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// roughly is an amount in whole tokens, as near as a float comes.
func roughly(a ledger.Asset, n ledger.Amount) float64 {
	whole := 1.0
	for range a.Scale {
		whole *= 10
	}
	return float64(n) / whole
}
