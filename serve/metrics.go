package serve

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Metrics count requests and commits. They are safe for concurrent use.
type Metrics struct {
	requests *prometheus.CounterVec
	refused  *prometheus.CounterVec
	times    *prometheus.HistogramVec
	commits  prometheus.Histogram
	alarms   *prometheus.CounterVec
	webhooks *prometheus.CounterVec
}

// NewMetrics makes metrics that have counted nothing.
func NewMetrics() *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "softstake_requests_total",
			Help: "Requests answered; route \"none\" is unmatched paths."}, []string{"api", "route", "method", "status"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "softstake_requests_refused_total",
			Help: "Requests refused for load (busy), and bodies that were not read: " +
				"slow, evicted by others, large, unfinished."},
			[]string{"api", "reason"}),
		times: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "softstake_request_duration_seconds",
			Help: "From a request's headers to the end of its answer.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 14)},
			[]string{"api", "route", "method"}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "softstake_commit_entries",
			Help:    "Entries that shared a commit, also those that were refused.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 14)}),
		alarms: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "softstake_security_events_total",
			Help: "Credentials that were used as they may not be: wrong-address, wrong-certificate, " +
				"over-ceiling; the first use of the one that is sealed: break-glass; and rows of the database that are " +
				"refused: forged-row."}, []string{"event"}),
		webhooks: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "softstake_webhook_attempts_total",
			Help: "Attempts of this process to send a message to the endpoint: delivered, refused (answered, and not by " +
				"2xx), unreachable."}, []string{"endpoint", "result"}),
	}
	for _, event := range access.SecurityEvents {
		m.alarms.WithLabelValues(string(event)) // 0
	}
	return m
}

// answered counts a request.
func (m *Metrics) answered(a answered) {
	m.requests.WithLabelValues(a.api, a.route, a.method, strconv.Itoa(a.status)).Inc()
	if a.refused != "" {
		m.refused.WithLabelValues(a.api, a.refused).Inc()
	}
	m.times.WithLabelValues(a.api, a.route, a.method).Observe(a.took.Seconds())
}

// Committed counts a commit of so many entries: store.Options.Observe.
func (m *Metrics) Committed(entries int) { m.commits.Observe(float64(entries)) }

// Refused counts and logs a row of the database that is refused: store.Options.Refused.
func (m *Metrics) Refused(log *slog.Logger) func(table, row string) {
	return func(table, row string) {
		m.alarms.WithLabelValues(string(access.ForgedRow)).Inc()
		log.Error("security event", "event", access.ForgedRow, "table", table, "row", row)
	}
}

// collector reads the figures of the books, the runs and the server when Prometheus asks.
type collector struct {
	books     *store.DB
	scheduler *scheduler
	gateway   *gateway
	build     Build
}

// newMetrics serves the figures of the books, of the runs, of the requests, and of the process.
func newMetrics(days *scheduler, s *Server) http.Handler {
	registry, m := prometheus.NewRegistry(), s.Metrics
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collector{days.books, days, s.gateway, s.Build}, m.requests, m.refused, m.times, m.commits,
		m.alarms, m.webhooks)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(days.log.Handler(), slog.LevelWarn), ErrorHandling: promhttp.ContinueOnError,
		MaxRequestsInFlight: 2, Timeout: readyWait,
	})
}

// described are the descriptions of what is collected.
var described []*prometheus.Desc

func description(name, help string, labels ...string) *prometheus.Desc {
	d := prometheus.NewDesc("softstake_"+name, help, labels, nil)
	described = append(described, d)
	return d
}

var (
	settledDay = description("settled_day_timestamp_seconds", "Start of the last day of the token that is paid.",
		"token")
	waitingToken = description("waiting", "1 where a day of the token is waiting for funds or needs approval.", "token")
	poolBalance  = description("pool_tokens", "What @rewards has of the token, rounded to a float: for a graph, "+
		"not for accounts.", "token")
	poolDays = description("pool_days", "Days the pool lasts at what the last day took; absent where it took nothing.",
		"token")
	runsTotal  = description("runs_total", "Runs of the scheduler.")
	runsFailed = description("runs_failed_total", "Runs that failed, and were retried.")
	runSeconds = description("run_duration_seconds", "How long the last run took.")
	runEnded   = description("run_timestamp_seconds", "When the last run ended.")
	runFailed  = description("run_failed", "1 where the last run failed.")
	lag        = description("settle_lag_seconds",
		"For how long the token's oldest unpaid day could have been settled; 0 where all are.", "token")
	inFlightNow = description("requests_in_flight", "Requests that are being answered, without streams of events.", "api")
	streamsOpen = description("event_streams", "Streams of events that are open.")
	bodiesRead  = description("bodies_reading", "Request bodies that are being read.")
	poolMax     = description("db_pool_max_connections",
		"Connections to the database that this process opens at most.", "pool")
	poolInUse  = description("db_pool_in_use_connections", "Connections in use.", "pool")
	poolIdle   = description("db_pool_idle_connections", "Connections that are open and not in use.", "pool")
	poolWaits  = description("db_pool_waits_total", "How often a connection was waited for.", "pool")
	poolWaited = description("db_pool_wait_seconds_total", "For how long connections were waited for.", "pool")
	buildInfo  = description("build_info", "1, with how the program was built.", "version", "revision", "goversion",
		"schema")
	fourEyesOn = description("four_eyes", "1 where operations need a second person; 0 in single operator mode.")
	tokenEnds  = description("token_expires_timestamp_seconds",
		"When a bearer token of staff or of a back end ends; only those that end within 14 days.", "token")
	eventNumber = description("outbox_event_number", "The newest number that an event of the outbox has.")
	eventsWait  = description("outbox_unnumbered_events",
		"Events of the outbox that are committed and have no number yet: they are not published.")
	eventsLag = description("outbox_lag_seconds",
		"For how long the oldest of the events that have no number has been written; 0 where all have one.")
	signedDay = description("signed_day_timestamp_seconds",
		"Start of the last day whose record a checkpoint covers; absent where nothing is signed.")
	sendingFails = description("checkpoints_failing_since_timestamp_seconds",
		"Since when checkpoints cannot be sent to where they are kept; absent where they can.")
	backupMade = description("backup_timestamp_seconds",
		"When the last backup was complete that \"softstake backup\" made; absent where none was.")
	payoutsWait = description("payouts_unanswered", "Payouts of the token that the other ledger has not answered.",
		"token")
	payoutsSince = description("payouts_unanswered_since_timestamp_seconds",
		"When the oldest of them was paid; absent where all are answered.", "token")
	payoutsRefused = description("payouts_refused", "Payouts of the token that the other ledger refuses.", "token")
	deliveries     = map[store.Stream]delivered{
		store.PayoutStream: {
			description("payout_delivery_backlog", "Payouts that are not delivered to the target yet.", "target"),
			description("payout_delivery_backlog_since_timestamp_seconds",
				"When the oldest of them was paid; absent where all are delivered.", "target"),
			description("payout_delivery_failing_since_timestamp_seconds",
				"Since when delivering to the target fails; absent where it does not.", "target"),
			description("payout_delivery_lost", "1 where the target has numbers that the books do not have: they were "+
				"restored; nothing is delivered until somebody decides.", "target")},
		store.EventStream: {
			description("event_delivery_backlog", "Events of the outbox that are not delivered to the target yet.", "target"),
			description("event_delivery_backlog_since_timestamp_seconds",
				"When the oldest of them was written; absent where all are delivered.", "target"),
			description("event_delivery_failing_since_timestamp_seconds",
				"Since when delivering events to the target fails; absent where it does not.", "target"),
			description("event_delivery_lost", "1 where what is next is not kept any more, or the target has numbers that "+
				"the books do not have: nothing is delivered until somebody decides.", "target")},
	}
	streamUntil = description("join_watermark_timestamp_seconds",
		"Every event of the partition of another ledger from before then is delivered, by the clock of its source; 0 where "+
			"no watermark has come yet.", "source", "partition")
	streamMoved = description("join_moved_timestamp_seconds",
		"When something of the partition last came into the books; 0 where nothing has.", "source", "partition")
	streamStopped = description("join_stopped", "1 where the partition has stopped at an event, until somebody decides.",
		"source", "partition")
	comparedDay = description("reconciled_day_timestamp_seconds",
		"Start of the last day at whose end the token was compared with figures of another ledger: nightly, or of a source; "+
			"absent where it never was, or not for a week.", "token", "source")
	comparedDiffer = description("reconciliation_differences",
		"Accounts that differed when the token was last compared with these figures, of balances and of payouts.", "token",
		"source")
	comparedStops = description("reconciliation_break",
		"1 where a difference above the limit stops paying the token; absent where none does and it was not "+
			"compared for a week.", "token")
	comparedAwaited = description("reconciliation_awaited",
		"1 where a closed day of the token is not paid, since it is not compared with another ledger yet.", "token")
	comparedNightly = description("reconciliation_nightly", "1 where figures of another ledger are compared each night.")
	comparedFails   = description("reconciliation_failing_since_timestamp_seconds",
		"Since when the nightly reconciliation fails; absent where it does not.")
	webhookBehind = description("webhook_backlog",
		"What the endpoint has not got yet: events of the outbox, payouts, and messages that are to be sent again.",
		"endpoint", "of")
	webhookSince = description("webhook_undelivered_since_timestamp_seconds",
		"Since when the oldest of it is there; absent where there is none.", "endpoint")
	webhookOff = description("webhook_disabled", "1 where nothing is sent to the endpoint, until somebody enables it.",
		"endpoint")
	largeBytes = description("large_body_bytes", "Memory that is reserved for request bodies above 64 KiB.")
)

// Describe sends the descriptions of what is collected.
func (m collector) Describe(c chan<- *prometheus.Desc) {
	for _, d := range described {
		c <- d
	}
}

// Collect reads the figures.
func (m collector) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readyWait)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	m.collectPools(c)
	for api, slots := range m.gateway.requests {
		gauge(inFlightNow, float64(slots.Acquired()), api)
	}
	gauge(streamsOpen, float64(m.gateway.streams.Acquired()))
	gauge(bodiesRead, float64(m.gateway.bodies.small.taken()))
	gauge(largeBytes, float64(m.gateway.bodies.large.taken()))
	r := m.scheduler.soFar()
	c <- prometheus.MustNewConstMetric(runsTotal, prometheus.CounterValue, float64(r.done))
	c <- prometheus.MustNewConstMetric(runsFailed, prometheus.CounterValue, float64(r.failed))
	if r.done > 0 {
		gauge(runSeconds, r.took.Seconds())
		gauge(runEnded, float64(r.last.UnixMilli())/1000)
		gauge(runFailed, oneIf(r.lastFailed))
	}
	var err error
	for _, collect := range []func(context.Context, func(*prometheus.Desc, float64, ...string)) error{
		m.collectTokens, m.collectAccess, m.collectEvents, m.collectPayouts, m.collectTargets, m.collectWebhooks,
		m.collectStreams, m.collectCopies, m.collectComparisons,
	} {
		if err = collect(ctx, gauge); err != nil {
			break // each would wait for books that cannot be reached
		}
	}
	if err != nil && !m.scheduler.outage.failed(err) {
		c <- prometheus.NewInvalidMetric(settledDay, err)
	}
}

// collectPools sends how connections are used, and how the program was built: no database is asked.
func (m collector) collectPools(c chan<- prometheus.Metric) {
	for _, p := range m.books.Engine().Pools() {
		for d, v := range map[*prometheus.Desc]int{poolMax: p.Max, poolInUse: p.InUse, poolIdle: p.Idle} {
			c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), p.Name)
		}
		c <- prometheus.MustNewConstMetric(poolWaits, prometheus.CounterValue, float64(p.Waits), p.Name)
		c <- prometheus.MustNewConstMetric(poolWaited, prometheus.CounterValue, p.Wait.Seconds(), p.Name)
	}
	c <- prometheus.MustNewConstMetric(buildInfo, prometheus.GaugeValue, 1, m.build.Version, m.build.Revision, m.build.Go,
		strconv.Itoa(store.SchemaVersion()))
}

// collectAccess sends how the books are guarded.
func (m collector) collectAccess(ctx context.Context,
	gauge func(d *prometheus.Desc, v float64, labels ...string)) error {
	on, err := reports.New(m.books.Reader()).FourEyes(ctx)
	if err != nil {
		return err
	}
	gauge(fourEyesOn, oneIf(on))
	tokens, err := m.books.People().ExpiringTokens(ctx)
	for _, t := range tokens {
		gauge(tokenEnds, float64(t.Expires.Unix()), t.ID)
	}
	return err
}

// collectEvents sends how far the events of the outbox have numbers.
func (m collector) collectEvents(ctx context.Context,
	gauge func(d *prometheus.Desc, v float64, labels ...string)) error {
	s, err := m.books.Outbox().State(ctx)
	if err != nil {
		return err
	}
	gauge(eventNumber, float64(s.Newest))
	gauge(eventsWait, float64(s.Waiting))
	gauge(eventsLag, s.Lag(m.books.Now()).Seconds())
	return nil
}

// collectPayouts sends how far another ledger is with what it is to credit.
func (m collector) collectPayouts(ctx context.Context,
	gauge func(d *prometheus.Desc, v float64, labels ...string)) error {
	states, err := reports.New(m.books.Reader()).PayoutStates(ctx)
	for _, s := range states {
		gauge(payoutsWait, float64(s.Waiting), s.Asset)
		gauge(payoutsRefused, float64(s.Refused), s.Asset)
		if !s.Oldest.IsZero() {
			gauge(payoutsSince, float64(s.Oldest.Unix()), s.Asset)
		}
	}
	return err
}

// delivered are the descriptions of how far what is delivered is.
type delivered struct{ backlog, since, fails, lost *prometheus.Desc }

// collectTargets sends how far payouts and events are delivered.
func (m collector) collectTargets(ctx context.Context,
	gauge func(d *prometheus.Desc, v float64, labels ...string)) error {
	targets, err := reports.New(m.books.Reader()).Targets(ctx)
	for _, t := range targets {
		of := deliveries[t.Stream]
		gauge(of.backlog, float64(t.Backlog), t.Name)
		gauge(of.lost, oneIf(t.Lost), t.Name)
		if !t.Oldest.IsZero() {
			gauge(of.since, float64(t.Oldest.Unix()), t.Name)
		}
		if !t.Failed.IsZero() {
			gauge(of.fails, float64(t.Failed.Unix()), t.Name)
		}
	}
	return err
}

// collectStreams sends how far the events of other ledgers are in the books; nothing of partitions that are retired.
func (m collector) collectStreams(ctx context.Context,
	gauge func(d *prometheus.Desc, v float64, labels ...string)) error {
	seconds := func(at time.Time) float64 {
		if at.IsZero() {
			return 0
		}
		return float64(at.UnixMilli()) / 1000
	}
	partitions, err := reports.New(m.books.Reader()).Partitions(ctx)
	for _, p := range partitions {
		if p.State != store.Retired {
			gauge(streamUntil, seconds(p.Watermark), p.Source, p.Name)
			gauge(streamMoved, seconds(p.Moved), p.Source, p.Name)
			gauge(streamStopped, oneIf(p.State == store.Stopped), p.Source, p.Name)
		}
	}
	return err
}

// collectWebhooks sends what the endpoints of webhooks have not got.
func (m collector) collectWebhooks(ctx context.Context,
	gauge func(d *prometheus.Desc, v float64, labels ...string)) error {
	all, err := reports.New(m.books.Reader()).Webhooks(ctx)
	for _, w := range all {
		gauge(webhookBehind, float64(w.Events), w.Name, "events")
		gauge(webhookBehind, float64(w.Payouts), w.Name, "payouts")
		gauge(webhookBehind, float64(w.Waiting), w.Name, "messages")
		gauge(webhookOff, oneIf(!w.Disabled.IsZero() || w.Forged), w.Name)
		if !w.Oldest.IsZero() {
			gauge(webhookSince, float64(w.Oldest.Unix()), w.Name)
		}
	}
	return err
}

// collectCopies sends how old what is kept outside of the database is: signed records, and the backup.
func (m collector) collectCopies(ctx context.Context,
	gauge func(d *prometheus.Desc, v float64, labels ...string)) error {
	books := reports.New(m.books.Reader())
	anchor, err := books.Anchor(ctx)
	if err != nil {
		return err
	}
	if anchor.Signer != "" {
		gauge(signedDay, float64(anchor.Signed.Start().Unix()))
	}
	if failed := anchor.Delivery.Failed; !failed.IsZero() {
		gauge(sendingFails, float64(failed.Unix()))
	}
	backup, err := books.LastBackup(ctx)
	if err == nil && !backup.At.IsZero() {
		gauge(backupMade, float64(backup.At.Unix()))
	}
	return err
}

// collectComparisons sends what came of the comparisons with another ledger.
func (m collector) collectComparisons(ctx context.Context,
	gauge func(d *prometheus.Desc, v float64, labels ...string)) error {
	books := reports.New(m.books.Reader())
	state, err := books.ComparisonState(ctx)
	if err != nil {
		return err
	}
	gauge(comparedNightly, oneIf(state.Source.On()))
	if failed := state.Schedule.Failed; !failed.IsZero() {
		gauge(comparedFails, float64(failed.Unix()))
	}
	breaks, err := books.Breaks(ctx)
	if err != nil {
		return err
	}
	compared, err := books.LastCompared(ctx)
	stops := map[string]bool{} // by token
	for _, t := range compared {
		gauge(comparedDay, float64(t.Day.Start().Unix()), t.Asset, t.Source)
		gauge(comparedDiffer, float64(t.Differences), t.Asset, t.Source)
		stops[t.Asset] = false
	}
	for _, b := range breaks { // also of a token that was not compared for a week
		stops[b.Asset] = true
	}
	for asset, is := range stops {
		gauge(comparedStops, oneIf(is), asset)
	}
	return err
}

// collectTokens sends the figures of the tokens.
func (m collector) collectTokens(ctx context.Context,
	gauge func(d *prometheus.Desc, v float64, labels ...string)) error {
	tokens, err := reports.New(m.books.Reader()).TokenStatus(ctx)
	if err != nil {
		return err
	}
	assets, err := m.books.Assets(ctx)
	if err != nil {
		return err
	}
	scales := map[string]int{}
	for _, a := range assets {
		scales[a.Symbol] = a.Scale
	}
	closings, err := m.books.Closings(ctx)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		gauge(settledDay, float64(t.PaidThrough.Start().Unix()), t.Asset)
		gauge(lag, m.scheduler.behind(closings, t.PaidThrough).Seconds(), t.Asset)
		gauge(waitingToken, oneIf(t.Waiting != nil), t.Asset)
		gauge(comparedAwaited, oneIf(errors.Is(t.Waiting, staking.ErrUncompared)), t.Asset)
		gauge(poolBalance, roughly(scales[t.Asset], t.Pool), t.Asset)
		if t.DaysLeft >= 0 {
			gauge(poolDays, float64(t.DaysLeft), t.Asset)
		}
	}
	return nil
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// roughly is an amount of a scale in whole tokens, as near as a float comes.
func roughly(scale int, n ledger.Amount) float64 {
	whole := 1.0
	for range scale {
		whole *= 10
	}
	return float64(n) / whole
}
