package cli

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/softstake/softstake/bench"
)

type benchJoinCmd struct {
	Source     string        `default:"file" placeholder:"ADDRESS" help:"Where the events are written and read: file, or kafka://HOST/TOPIC, nats://HOST/NAME or postgres://USER@HOST/DATABASE, to which they are written first. They stay there. Without it: ${default}."`
	Accounts   int           `default:"100000" help:"Accounts with two tokens each."`
	Partitions int           `default:"2" help:"Partitions of the source, and callers that post entries to compare."`
	Batch      int           `default:"1000" help:"Events that share a transaction at most, and entries a call."`
	Changes    int           `default:"200000" help:"Events, each a change with the balance after it."`
	Rate       int           `default:"2000" help:"Events a second while the lag is measured."`
	Lasts      time.Duration `default:"20s" help:"For how long the lag is measured."`
	Seed       uint64        `default:"1" help:"Of the random changes."`
	JSON       bool          `name:"json" help:"Print one JSON object."`
}

func (benchJoinCmd) Help() string {
	return `Fills empty books with accounts, brings the events of another ledger in from a source as "join" does, and posts as many
entries in batches in the same run, a half before and a half after: the ratio of the two means something on a noisy
machine too. Then events are written at a rate, and the time is taken until they are in the books.

Of Kafka the topic must be there, empty, with as many partitions as --partitions; of NATS the streams NAME-0, NAME-1 and so on are made, and must not be there; of PostgreSQL a table, a publication and a slot are made, and there is one partition.

Examples:

  softstake bench join
  softstake bench join --source kafka://127.0.0.1:9092/bench
  softstake bench join --source postgres://postgres@127.0.0.1/ledger --partitions 1
  softstake bench join --partitions 1 --db postgres://softstake@localhost/bench --json`
}

func (c *benchJoinCmd) Run(env *Env) error {
	if c.Accounts < 2*c.Partitions || c.Partitions < 1 || c.Batch < 1 || c.Batch > 2000 || c.Changes < 2 || c.Rate < 50 ||
		c.Lasts < 100*time.Millisecond {
		return usage("--accounts is at least twice --partitions, --batch from 1 to 2000, --changes at least 2, --rate at " +
			"least 50, and --lasts at least 100ms")
	}
	o, done := benchOptions(env, c.Seed)
	source := c.Source
	if source == "file" {
		source = ""
	}
	r, err := bench.Join(env.Context, o, bench.JoinOptions{Source: source, Accounts: c.Accounts,
		Partitions: c.Partitions, Batch: c.Batch, Changes: c.Changes, Rate: c.Rate, Lasts: c.Lasts})
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	rate, posted := perSecond(int64(r.Changes), r.Time), perSecond(int64(r.Changes), r.PostTime)
	used := ratio(int64(r.PostUsed), int64(r.Processor))
	if c.JSON {
		return writeJSON(env.Stdout, struct {
			Engine     string      `json:"engine"`
			Source     string      `json:"source"`
			Accounts   int         `json:"accounts"`
			Partitions int         `json:"partitions"`
			Batch      int         `json:"batch"`
			Changes    int         `json:"changes"`
			Took       json.Number `json:"seconds"`
			Rate       int64       `json:"changesPerSecond"`
			Posted     int64       `json:"postedPerSecond"`
			Ratio      json.Number `json:"ratio"`
			Used       json.Number `json:"processorRatio"`
			LagRate    int         `json:"lagChangesPerSecond"`
			LagP50     json.Number `json:"lagP50Seconds"`
			LagP99     json.Number `json:"lagP99Seconds"`
			LagTo      json.Number `json:"lagMaxSeconds"`
			PeakRSS    int64       `json:"peakRssBytes"`
		}{r.Engine, kind(c.Source), r.Accounts, r.Partitions, r.Batch, r.Changes, seconds(r.Time), rate, posted,
			ratio(rate, posted), used, r.Rate, seconds(r.LagP50), seconds(r.LagP99), seconds(r.LagTo), r.PeakRSS})
	}
	return env.printf(`%s: %d changes from %d partitions (%s) in %s s, %d a second
as many entries, posted in batches of %d from as many callers: %d a second; ratio %s, of this process's processor %s
at %d changes a second: half are in the books within %s s, 99 of 100 within %s s, all within %s s
memory of this process at most %d MiB
`, r.Engine, r.Changes, r.Partitions, kind(c.Source), seconds(r.Time), rate, r.Batch, posted, ratio(rate, posted), used, r.Rate,
		seconds(r.LagP50), seconds(r.LagP99), seconds(r.LagTo), r.PeakRSS>>20)
}

// kind is what a source is.
func kind(source string) string {
	scheme, _, _ := strings.Cut(source, ":")
	return scheme
}
