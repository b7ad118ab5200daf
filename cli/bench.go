package cli

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/bench"
	"github.com/softstake/softstake/console"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/serve"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/web"
)

type benchCmd struct {
	Settle  benchSettleCmd  `cmd:"" help:"Measure how fast a day is settled."`
	Post    benchPostCmd    `cmd:"" help:"Measure how fast transfers are posted."`
	HTTP    benchHTTPCmd    `cmd:"" name:"http" help:"Measure how fast requests are answered."`
	Records benchRecordsCmd `cmd:"" help:"Measure how fast the record of a day is made, and proofs of balances."`
	Join    benchJoinCmd    `cmd:"" help:"Measure how fast the events of another ledger come in."`
	Payouts benchPayoutsCmd `cmd:"" help:"Measure how fast payouts are handed over to another ledger."`
	Pages   benchPagesCmd   `cmd:"" help:"Measure how fast the holder's pages, and those of the console, are made."`
}

type benchSettleCmd struct {
	Holders int    `default:"50000" help:"Holders of two tokens each."`
	Changes int    `default:"0" help:"Changes of each position on the day that is measured."`
	History int    `default:"1" help:"Days settled before it."`
	Mode    string `default:"fixed" enum:"fixed,share" help:"Where the rewards come from: a rate, or the income of the days before."`
	Periods int    `default:"1" help:"In the mode share: days before it whose income is divided on the day that is measured, each by itself."`
	Measure string `default:"average" enum:"average,daily-minimum" help:"What of the day earns."`
	Shared  int    `default:"0" help:"Percent of the holders of which two have one owner, with minimum and cap per owner."`
	Seed    uint64 `default:"1" help:"Of the random changes."`
	JSON    bool   `name:"json" help:"Print one JSON object."`
}

func (benchSettleCmd) Help() string {
	return `Fills empty books, settles one day, and measures in the same run what the
database itself does with as many credits, a journal row and a balance row each:
the ratio of the two means something on a noisy machine too. Without --db the
books are a temporary SQLite file; with it they are ordinary books and stay.

Example:
  softstake bench settle --holders 500000
  softstake bench settle --holders 50000 --changes 10 --db sqlite:bench.db --json`
}

func (c *benchSettleCmd) Run(env *Env) error {
	if c.Holders < 2 || c.Changes < 0 || c.History < 1 {
		return usage("--holders is at least 2, --changes 0 or more, --history at least 1")
	}
	if c.Periods < 0 || c.Periods > c.History {
		return usage("--periods is at most --history, and not below zero")
	}
	o, done := benchOptions(env, c.Seed)
	mode, err := staking.ParseMode(c.Mode)
	if err != nil {
		return err
	}
	o.Mode, o.Periods, o.Shared = mode, c.Periods, c.Shared
	if o.Measure, err = staking.ParseMeasure(c.Measure); err != nil {
		return err
	}
	s, err := bench.Settle(env.Context, o, c.Holders, c.Changes, c.History)
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	rate, raw := perSecond(s.Positions, s.Time), perSecond(s.RawRows, s.RawTime)
	if c.JSON {
		return writeJSON(env.Stdout, struct {
			Engine         string      `json:"engine"`
			Mode           string      `json:"mode"`
			Measure        string      `json:"measure"`
			Shared         int         `json:"sharedPercent"`
			Holders        int         `json:"holders"`
			Changes        int         `json:"changes"`
			History        int         `json:"history"`
			Positions      int64       `json:"positions"`
			Took           json.Number `json:"seconds"`
			PerSecond      int64       `json:"positionsPerSecond"`
			RawPerSecond   int64       `json:"rawPerSecond"`
			Ratio          json.Number `json:"ratio"`
			PeakRSS        int64       `json:"peakRssBytes"`
			BytesPerReward int64       `json:"bytesPerReward"`
		}{s.Engine, c.Mode, c.Measure, c.Shared, s.Holders, s.Changes, s.History, s.Positions, seconds(s.Time), rate, raw,
			ratio(rate, raw), s.PeakRSS, s.BytesPerReward})
	}
	return env.printf(`%s: %d positions settled in %s s, %d a second
raw, the same credits set-based:  %d a second; ratio %s
memory of this process at most %d MiB; %d bytes a reward
`, s.Engine, s.Positions, seconds(s.Time), rate, raw, ratio(rate, raw), s.PeakRSS>>20, s.BytesPerReward)
}

type benchPostCmd struct {
	Accounts int `default:"100000" help:"Accounts to transfer between, of two tokens each."`
	Before   int `default:"0" help:"Entries in the books before."`
	batchFlags
	Singles int    `default:"64" help:"Callers that post one transfer at a time."`
	SingleN int    `name:"single-transfers" default:"40000" help:"Transfers posted one at a time."`
	Seed    uint64 `default:"1" help:"Of the random accounts."`
	JSON    bool   `name:"json" help:"Print one JSON object."`
}

// batchFlags are how many transfers are posted in batches.
type batchFlags struct {
	Callers   int `default:"0" help:"Callers that post batches. Without it: 1 for SQLite, 2 for PostgreSQL."`
	Batch     int `default:"1000" help:"Transfers in a batch."`
	Transfers int `default:"200000" help:"Transfers posted in batches."`
}

// transfers are these, and those that are posted singly.
func (f batchFlags) transfers(o bench.Options, singles, n int) bench.Transfers {
	return bench.Transfers{Callers: cmp.Or(f.Callers, min(o.Workers, 2)), Batch: f.Batch, Transfers: f.Transfers,
		Singles: singles, SingleN: n}
}

func (benchPostCmd) Help() string {
	return `Fills empty books with accounts, posts transfers between random ones in batches,
then one at a time from many callers at once, and measures in the same run what
the database itself does with as many, two journal rows and two balance rows
each. Every transfer counted is durable.

Example:
  softstake bench post
  softstake bench post --before 10000000 --db sqlite:bench.db --json`
}

func (c *benchPostCmd) Run(env *Env) error {
	if c.Accounts < 2 || c.Batch < 1 || c.Transfers < 1 || c.Singles < 1 || c.SingleN < 1 || c.Before < 0 ||
		c.Callers < 0 {
		return usage("--accounts is at least 2, and every other number above zero")
	}
	o, done := benchOptions(env, c.Seed)
	r, err := bench.Post(env.Context, o, bench.PostOptions{Accounts: c.Accounts, Before: c.Before,
		Transfers: c.transfers(o, c.Singles, c.SingleN)})
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	t, raw := formatTransfers(r.Transferred), perSecond(int64(c.Transfers), r.RawTime)
	if c.JSON {
		return writeJSON(env.Stdout, struct {
			Engine   string `json:"engine"`
			Accounts int    `json:"accounts"`
			Before   int    `json:"entriesBefore"`
			transfersJSON
			RawPerSecond int64       `json:"rawPerSecond"`
			Ratio        json.Number `json:"ratio"`
			PeakRSS      int64       `json:"peakRssBytes"`
		}{r.Engine, r.Accounts, r.Before, t, raw, ratio(t.PerSecond, raw), r.PeakRSS})
	}
	return env.printf(`%s: %d transfers in batches of %d from %d callers in %s s, %d a second
one at a time from %d callers: %d a second, 99 of 100 within %s s
raw, the same transfers on one connection: %d a second; ratio %s
memory of this process at most %d MiB
`, r.Engine, t.Transfers, t.Batch, t.Callers, t.Took, t.PerSecond, t.Singles, t.SinglePer, t.SingleP99, raw,
		ratio(t.PerSecond, raw), r.PeakRSS>>20)
}

// transfersJSON is what was measured of transfers.
type transfersJSON struct {
	Callers   int         `json:"callers"`
	Batch     int         `json:"batch"`
	Transfers int         `json:"transfers"`
	Took      json.Number `json:"seconds"`
	PerSecond int64       `json:"transfersPerSecond"`
	Singles   int         `json:"singleCallers"`
	SingleN   int         `json:"singleTransfers"`
	SinglePer int64       `json:"singleTransfersPerSecond"`
	SingleP99 json.Number `json:"singleP99Seconds"`
}

func formatTransfers(t bench.Transferred) transfersJSON {
	n := t.Transfers
	return transfersJSON{n.Callers, n.Batch, n.Transfers, seconds(t.Time), perSecond(int64(n.Transfers), t.Time),
		n.Singles, n.SingleN, perSecond(int64(n.SingleN), t.SingleTime), seconds(t.SingleP99)}
}

// benchOptions are what all benchmarks have in common, and what ends their
// progress. The books end before today, so that they are ordinary books.
func benchOptions(env *Env, seed uint64) (bench.Options, func() error) {
	p := &phases{env: env}
	o := bench.Options{Day: staking.DayOf(env.Now()) - 2, Seed: seed, Workers: 1, Insecure: env.Insecure,
		Progress: p.print}
	if env.DBGiven {
		o.URL = env.DB
	}
	if strings.HasPrefix(o.URL, "postgres") {
		o.Workers = 2 * runtime.GOMAXPROCS(0)
	}
	return o, p.end
}

// phases shows the progress of a benchmark, a meter for each part of it.
type phases struct {
	env   *Env
	mu    sync.Mutex
	what  string
	meter *meter
	err   error
}

func (p *phases) print(what string, done, of int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.meter == nil || p.what != what {
		p.finish()
		p.what, p.meter = what, newMeter(p.env, what, int64(of))
	}
	p.meter.to(int64(done), what)
}

func (p *phases) finish() {
	if p.meter != nil {
		p.err = errors.Join(p.err, p.meter.end())
	}
}

// end takes the last meter away, and says what went wrong with any.
func (p *phases) end() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
	return p.err
}

// perSecond is a rate, rounded down.
func perSecond(n int64, d time.Duration) int64 { return n * int64(time.Second) / max(int64(d), 1) }

// seconds writes a time in seconds with three decimals.
func seconds(d time.Duration) json.Number {
	return json.Number(ledger.FormatDecimal(d.Milliseconds(), 3))
}

// ratio writes a/b with three decimals, rounded down.
func ratio(a, b int64) json.Number {
	return json.Number(ledger.FormatDecimal(a*1000/max(b, 1), 3))
}

type benchHTTPCmd struct {
	Holders int `default:"500000" help:"Holders of two tokens each."`
	Days    int `default:"3" help:"Days of rewards."`
	batchFlags
	Singles int    `default:"64" help:"Callers that post one transfer a request."`
	SingleN int    `name:"single-transfers" default:"40000" help:"Transfers posted one a request."`
	Readers int    `default:"16" help:"Callers that ask what holders earn."`
	Reads   int    `default:"30000" help:"Requests of theirs, of each of the two."`
	Seed    uint64 `default:"1" help:"Of the random accounts."`
	JSON    bool   `name:"json" help:"Print one JSON object."`
}

func (benchHTTPCmd) Help() string {
	return `Fills empty books with holders and some days of rewards, serves them as "serve"
does, on a socket of this machine, and measures transfers in batches, transfers
one a request, and signed GET /sapi/v1/soft-staking/list and
/sapi/v1/soft-staking/history/rewardsRecord, without limits of request weight.
The clients are in the same process and share its cores; they keep their
connections. Every transfer counted is durable.

Example:
  softstake bench http
  softstake bench http --holders 50000 --db postgres://softstake@localhost/bench --json`
}

func (c *benchHTTPCmd) Run(env *Env) error {
	for _, n := range []int{c.Holders - 1, c.Days, c.Batch, c.Transfers, c.Singles, c.SingleN, c.Readers, c.Reads,
		c.Callers + 1} {
		if n < 1 {
			return usage("--holders is at least 2, and every other number above zero")
		}
	}
	o, done := benchOptions(env, c.Seed)
	r, err := bench.HTTP(env.Context, o, bench.HTTPOptions{Holders: c.Holders, Days: c.Days, Readers: c.Readers,
		Reads: c.Reads, Transfers: c.transfers(o, c.Singles, c.SingleN)}, env.serveBench)
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	t := formatTransfers(r.Transferred)
	list, rewards := perSecond(int64(r.Reads), r.ListTime), perSecond(int64(r.Reads), r.RewardsTime)
	if c.JSON {
		return writeJSON(env.Stdout, struct {
			Engine    string `json:"engine"`
			Holders   int    `json:"holders"`
			Positions int64  `json:"positions"`
			Days      int    `json:"days"`
			transfersJSON
			Readers    int         `json:"readers"`
			Reads      int         `json:"reads"`
			ListPer    int64       `json:"listPerSecond"`
			ListP99    json.Number `json:"listP99Seconds"`
			RewardsPer int64       `json:"rewardsPerSecond"`
			RewardsP99 json.Number `json:"rewardsP99Seconds"`
			PeakRSS    int64       `json:"peakRssBytes"`
		}{r.Engine, r.Holders, r.Positions, r.Days, t, r.Readers, r.Reads, list, seconds(r.ListP99), rewards,
			seconds(r.RewardsP99), r.PeakRSS})
	}
	return env.printf(`%s, %d positions, %d days of rewards; client and server on the same machine
%d transfers in batches of %d from %d callers in %s s, %d a second
one a request from %d callers: %d a second, 99 of 100 within %s s
list, signed, from %d callers: %d a second, 99 of 100 within %s s
rewardsRecord likewise: %d a second, 99 of 100 within %s s
memory of this process at most %d MiB
`, r.Engine, r.Positions, r.Days, t.Transfers, t.Batch, t.Callers, t.Took, t.PerSecond, t.Singles, t.SinglePer, t.SingleP99,
		r.Readers, list, seconds(r.ListP99), rewards, seconds(r.RewardsP99), r.PeakRSS>>20)
}

// serveBench serves books on a free port.
func (env *Env) serveBench(db *store.DB, sealer *access.Sealer, now func() time.Time) (url string, stop func() error,
	err error) {
	s, err := benchServer(db, sealer, now, nil)
	if err != nil {
		return "", nil, err
	}
	address, err := s.Start(env.Context, "127.0.0.1:0")
	return "http://" + address, s.Stop, err
}

type benchPagesCmd struct {
	Positions int    `default:"1000000" help:"Positions in the books: two of each holder."`
	Days      int    `default:"7" help:"Days of rewards."`
	Changes   int    `default:"2" help:"Changes of each position on the last of these days."`
	Visitors  int    `default:"200" help:"Holders who log in and look."`
	Reads     int    `default:"1000" help:"Requests of each page."`
	Seed      uint64 `default:"1" help:"Of the random holders."`
	JSON      bool   `name:"json" help:"Print one JSON object."`
}

func (benchPagesCmd) Help() string {
	return `Fills empty books with holders and some days of rewards, logs some of them in, and
measures how long the server takes to make each of their pages and of the console's, gateway and log and
all, one after another, without a network, after each holder has seen the page once:
half of them, and 99 of 100, within so long. CPU is the same in the time that the
processors worked for them: it depends less on what else the machine does. The bytes
are those of the page, and of all that a first visit loads with it, compressed.

Example:
  softstake bench pages
  softstake bench pages --positions 20000 --db postgres://softstake@localhost/bench --json`
}

func (c *benchPagesCmd) Run(env *Env) error {
	for _, n := range []int{c.Positions - 3, c.Days, c.Changes + 1, c.Visitors, c.Reads} {
		if n < 1 {
			return usage("--positions is at least 4, --changes 0 or more, and every other number above zero")
		}
	}
	o, done := benchOptions(env, c.Seed)
	r, err := bench.Pages(env.Context, o, bench.PagesOptions{
		Positions: c.Positions, Days: c.Days, Changes: c.Changes, Visitors: c.Visitors, Reads: c.Reads,
	}, env.handleBench)
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	if c.JSON {
		return c.json(env, r)
	}
	if err := env.printf("%s, %d positions, %d days of rewards; %d requests of each page\n\n", r.Engine, r.Positions,
		r.Days, r.Reads); err != nil {
		return err
	}
	g := newGrid(text("page"), figure("p50 ms"), figure("p99 ms"), figure("CPU p50 ms"), figure("CPU p99 ms"),
		figure("page KB"), figure("first load KB"))
	for _, p := range r.Pages {
		g.add(p.Path, thousandths(p.P50.Microseconds()), thousandths(p.P99.Microseconds()),
			thousandths(p.Processor50.Microseconds()), thousandths(p.Processor99.Microseconds()),
			thousandths(int64(p.Page)), thousandths(int64(p.Load)))
	}
	if err := g.write(env.Stdout); err != nil {
		return err
	}
	return env.printf("\nmemory of this process at most %d MiB\n", r.PeakRSS>>20)
}

// thousandths writes a number of thousandths with one decimal, rounded up.
func thousandths(n int64) string {
	tenths := (n + 99) / 100
	return strconv.FormatInt(tenths/10, 10) + "." + strconv.FormatInt(tenths%10, 10)
}

func (c *benchPagesCmd) json(env *Env, r bench.Looked) error {
	type page struct {
		Path  string      `json:"path"`
		P50   json.Number `json:"p50Seconds"`
		P99   json.Number `json:"p99Seconds"`
		CPU50 json.Number `json:"processorP50Seconds"`
		CPU99 json.Number `json:"processorP99Seconds"`
		Page  int         `json:"pageBytes"`
		Load  int         `json:"firstLoadBytes"`
	}
	pages := make([]page, len(r.Pages))
	for i, p := range r.Pages {
		pages[i] = page{p.Path, seconds(p.P50), seconds(p.P99), seconds(p.Processor50), seconds(p.Processor99), p.Page,
			p.Load}
	}
	return writeJSON(env.Stdout, struct {
		Engine    string `json:"engine"`
		Positions int    `json:"positions"`
		Days      int    `json:"days"`
		Reads     int    `json:"reads"`
		Pages     []page `json:"pages"`
		PeakRSS   int64  `json:"peakRssBytes"`
	}{r.Engine, r.Positions, r.Days, r.Reads, pages, r.PeakRSS})
}

// benchServer serves books as serve does. The log is written, but nowhere: what a disk
// takes to keep it is another's measurement.
func benchServer(db *store.DB, sealer *access.Sealer, now func() time.Time, pages *web.Options) (*serve.Server, error) {
	return serve.New(serve.Config{Books: db, Sealer: sealer, Now: now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Pages: pages,
		Console: &console.Options{Random: rand.Reader,
			Visitors: []console.Visitor{{Email: bench.Staff, Role: access.Operator},
				{Email: bench.Admin, Role: access.Admin}}}})
}

// handleBench answers for books as serve does.
func (env *Env) handleBench(db *store.DB, now func() time.Time) (http.Handler, error) {
	return benchServer(db, nil, now, &web.Options{Random: env.Random,
		Convert: &conversion.Rules{PriceMaxAge: conversion.MaxPriceAge}})
}
