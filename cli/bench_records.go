package cli

import (
	"encoding/json"
	"errors"

	"github.com/softstake/softstake/bench"
)

type benchRecordsCmd struct {
	Holders int    `default:"1000000" help:"Holders of two tokens each."`
	History int    `default:"1" help:"Days settled before the one that is recorded."`
	Seed    uint64 `default:"1" help:"Of the random changes."`
	JSON    bool   `name:"json" help:"Print one JSON object."`
}

func (benchRecordsCmd) Help() string {
	return `Fills empty books with holders, settles some days, and measures the record of one day more, on which each position
changes once: the hashes of the rows of the day, and the sum tree of what is owed of each token. Nothing waits for it:
"serve" makes records beside its work. Then it measures how long the proofs of one holder take.

Example:
  softstake bench records
  softstake bench records --holders 50000 --db postgres://softstake@localhost/bench --json`
}

func (c *benchRecordsCmd) Run(env *Env) error {
	if c.Holders < 2 || c.History < 1 {
		return usage("--holders is at least 2, --history at least 1")
	}
	o, done := benchOptions(env, c.Seed)
	r, err := bench.Records(env.Context, o, c.Holders, c.History)
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(env.Stdout, struct {
			Engine    string      `json:"engine"`
			Holders   int         `json:"holders"`
			History   int         `json:"history"`
			Positions int64       `json:"positions"`
			Took      json.Number `json:"seconds"`
			Processor json.Number `json:"processorSeconds"`
			Before    int64       `json:"peakRssBytesBefore"`
			PeakRSS   int64       `json:"peakRssBytes"`
			ProofP50  json.Number `json:"proofsP50Seconds"`
			ProofP99  json.Number `json:"proofsP99Seconds"`
		}{r.Engine, r.Holders, r.History, r.Positions, seconds(r.Time), seconds(r.Processor), r.Before, r.PeakRSS,
			seconds(r.ProofP50), seconds(r.ProofP99)})
	}
	return env.printf(`%s: the record of a day of %d positions in %s s, %s s of them of this process's processor
memory of this process at most %d MiB, and %d MiB before
proofs of a holder's day: half within %s s, 99 of 100 within %s s
`, r.Engine, r.Positions, seconds(r.Time), seconds(r.Processor), r.PeakRSS>>20, r.Before>>20, seconds(r.ProofP50),
		seconds(r.ProofP99))
}
