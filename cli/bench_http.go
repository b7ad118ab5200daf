package cli

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/bench"
	"github.com/softstake/softstake/store"
)

type benchHTTPCmd struct {
	Holders   int    `default:"500000" help:"Holders of two tokens each."`
	Days      int    `default:"3" help:"Days of rewards."`
	Callers   int    `default:"0" help:"Callers that post batches. Without it: 1 for SQLite, 2 for PostgreSQL."`
	Batch     int    `default:"1000" help:"Transfers in a batch."`
	Transfers int    `default:"200000" help:"Transfers posted in batches."`
	Singles   int    `default:"64" help:"Callers that post one transfer a request."`
	SingleN   int    `name:"single-transfers" default:"40000" help:"Transfers posted one a request."`
	Readers   int    `default:"16" help:"Callers that ask what holders earn."`
	Reads     int    `default:"30000" help:"Requests of theirs, of each of the two."`
	Seed      uint64 `default:"1" help:"Of the random accounts."`
	JSON      bool   `name:"json" help:"Print one JSON object."`
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

// Run measures requests.
func (c *benchHTTPCmd) Run(env *Env) error {
	for _, n := range []int{c.Holders - 1, c.Days, c.Batch, c.Transfers, c.Singles, c.SingleN, c.Readers, c.Reads,
		c.Callers + 1} {
		if n < 1 {
			return usage("--holders is at least 2, and every other number above zero")
		}
	}
	o, done := benchOptions(env, c.Seed)
	if c.Callers == 0 {
		c.Callers = min(o.Workers, 2)
	}
	r, err := bench.HTTP(env.Context, o, bench.HTTPOptions{Holders: c.Holders, Days: c.Days, Callers: c.Callers,
		Batch:     c.Batch,
		Transfers: c.Transfers, Singles: c.Singles, SingleN: c.SingleN, Readers: c.Readers, Reads: c.Reads}, env.serveBench)
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	rate, single := perSecond(int64(r.Transfers), r.Time), perSecond(int64(r.SingleN), r.SingleTime)
	list, rewards := perSecond(int64(r.Reads), r.ListTime), perSecond(int64(r.Reads), r.RewardsTime)
	if c.JSON {
		return writeJSON(env.Stdout, struct {
			Engine     string      `json:"engine"`
			Holders    int         `json:"holders"`
			Positions  int64       `json:"positions"`
			Days       int         `json:"days"`
			Callers    int         `json:"callers"`
			Batch      int         `json:"batch"`
			Transfers  int         `json:"transfers"`
			Took       json.Number `json:"seconds"`
			PerSecond  int64       `json:"transfersPerSecond"`
			Singles    int         `json:"singleCallers"`
			SingleN    int         `json:"singleTransfers"`
			SinglePer  int64       `json:"singleTransfersPerSecond"`
			SingleP99  json.Number `json:"singleP99Seconds"`
			Readers    int         `json:"readers"`
			Reads      int         `json:"reads"`
			ListPer    int64       `json:"listPerSecond"`
			ListP99    json.Number `json:"listP99Seconds"`
			RewardsPer int64       `json:"rewardsPerSecond"`
			RewardsP99 json.Number `json:"rewardsP99Seconds"`
			PeakRSS    int64       `json:"peakRssBytes"`
		}{r.Engine, r.Holders, r.Positions, r.Days, r.Callers, r.Batch, r.Transfers, seconds(r.Time), rate,
			r.Singles, r.SingleN, single, seconds(r.SingleP99), r.Readers, r.Reads,
			list, seconds(r.ListP99), rewards, seconds(r.RewardsP99), r.PeakRSS})
	}
	return env.printf(`%s, %d positions, %d days of rewards; client and server on the same machine
%d transfers in batches of %d from %d callers in %s s, %d a second
one a request from %d callers: %d a second, 99 of 100 within %s s
list, signed, from %d callers: %d a second, 99 of 100 within %s s
rewardsRecord likewise: %d a second, 99 of 100 within %s s
memory of this process at most %d MiB
`, r.Engine, r.Positions, r.Days, r.Transfers, r.Batch, r.Callers, seconds(r.Time), rate, r.Singles, single, seconds(r.SingleP99),
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
