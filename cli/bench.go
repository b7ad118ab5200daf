package cli

import (
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/softstake/softstake/bench"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

type benchCmd struct {
	Settle benchSettleCmd `cmd:"" help:"Measure how fast a day is settled."`
	Post   benchPostCmd   `cmd:"" help:"Measure how fast transfers are posted."`
	HTTP   benchHTTPCmd   `cmd:"" name:"http" help:"Measure how fast requests are answered."`
	Pages  benchPagesCmd  `cmd:"" help:"Measure how fast the holder's pages are made."`
}

type benchSettleCmd struct {
	Holders int    `default:"50000" help:"Holders of two tokens each."`
	Changes int    `default:"0" help:"Changes of each position on the day that is measured."`
	History int    `default:"1" help:"Days settled before it."`
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
	o, done := benchOptions(env, c.Seed)
	s, err := bench.Settle(env.Context, o, c.Holders, c.Changes, c.History)
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	rate, raw := perSecond(s.Positions, s.Time), perSecond(s.RawRows, s.RawTime)
	if c.JSON {
		return writeJSON(env.Stdout, struct {
			Engine         string      `json:"engine"`
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
		}{s.Engine, s.Holders, s.Changes, s.History, s.Positions, seconds(s.Time), rate, raw, ratio(rate, raw), s.PeakRSS,
			s.BytesPerReward})
	}
	return env.printf(`%s: %d positions settled in %s s, %d a second
raw, the same credits set-based:  %d a second; ratio %s
memory of this process at most %d MiB; %d bytes a reward
`, s.Engine, s.Positions, seconds(s.Time), rate, raw, ratio(rate, raw), s.PeakRSS>>20, s.BytesPerReward)
}

type benchPostCmd struct {
	Accounts  int    `default:"100000" help:"Accounts to transfer between, of two tokens each."`
	Before    int    `default:"0" help:"Entries in the books before."`
	Callers   int    `default:"0" help:"Callers that post batches. Without it: 1 for SQLite, 2 for PostgreSQL."`
	Batch     int    `default:"1000" help:"Transfers in a batch."`
	Transfers int    `default:"200000" help:"Transfers posted in batches."`
	Singles   int    `default:"64" help:"Callers that post one transfer at a time."`
	SingleN   int    `name:"single-transfers" default:"40000" help:"Transfers posted one at a time."`
	Seed      uint64 `default:"1" help:"Of the random accounts."`
	JSON      bool   `name:"json" help:"Print one JSON object."`
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
	if c.Callers == 0 {
		c.Callers = min(o.Workers, 2)
	}
	r, err := bench.Post(env.Context, o, bench.PostOptions{Accounts: c.Accounts, Before: c.Before, Callers: c.Callers,
		Batch:     c.Batch,
		Transfers: c.Transfers, Singles: c.Singles, SingleN: c.SingleN})
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	rate, single, raw := perSecond(int64(r.Transfers), r.Time), perSecond(int64(r.SingleN), r.SingleTime),
		perSecond(int64(r.RawN), r.RawTime)
	if c.JSON {
		return writeJSON(env.Stdout, struct {
			Engine       string      `json:"engine"`
			Accounts     int         `json:"accounts"`
			Before       int         `json:"entriesBefore"`
			Callers      int         `json:"callers"`
			Batch        int         `json:"batch"`
			Transfers    int         `json:"transfers"`
			Took         json.Number `json:"seconds"`
			PerSecond    int64       `json:"transfersPerSecond"`
			Singles      int         `json:"singleCallers"`
			SingleN      int         `json:"singleTransfers"`
			SinglePer    int64       `json:"singleTransfersPerSecond"`
			SingleP99    json.Number `json:"singleP99Seconds"`
			RawPerSecond int64       `json:"rawPerSecond"`
			Ratio        json.Number `json:"ratio"`
			PeakRSS      int64       `json:"peakRssBytes"`
		}{r.Engine, r.Accounts, r.Before, r.Callers, r.Batch, r.Transfers, seconds(r.Time), rate,
			r.Singles, r.SingleN, single, seconds(r.SingleP99), raw, ratio(rate, raw), r.PeakRSS})
	}
	return env.printf(`%s: %d transfers in batches of %d from %d callers in %s s, %d a second
one at a time from %d callers: %d a second, 99 of 100 within %s s
raw, the same transfers on one connection: %d a second; ratio %s
memory of this process at most %d MiB
`, r.Engine, r.Transfers, r.Batch, r.Callers, seconds(r.Time), rate, r.Singles, single, seconds(r.SingleP99), raw, ratio(rate, raw), r.PeakRSS>>20)
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
