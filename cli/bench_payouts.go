package cli

import (
	"encoding/json"
	"errors"

	"github.com/softstake/softstake/bench"
)

type benchPayoutsCmd struct {
	Holders int    `default:"500000" help:"Holders of two tokens each, whose rewards of a day are payouts."`
	Page    int    `default:"10000" help:"Payouts that are read or delivered at once."`
	Target  string `placeholder:"ADDRESS" help:"Where they are delivered too, as by \"payouts deliver\". They stay there."`
	Seed    uint64 `default:"1" help:"Of what is random."`
	JSON    bool   `name:"json" help:"Print one JSON object."`
}

func (benchPayoutsCmd) Help() string {
	return `Fills empty books with holders, settles a day, and reads its rewards as another ledger does: by GET /v1/payouts, page
by page, from a client in the same process. With --target they are then delivered, to an empty table or topic.

Examples:

  softstake bench payouts
  softstake bench payouts --holders 50000 --target "postgres://softstake@127.0.0.1/exchange" --json`
}

func (c *benchPayoutsCmd) Run(env *Env) error {
	if c.Holders < 2 || c.Page < 1 || c.Page > 10_000 {
		return usage("--holders is at least 2, and --page from 1 to 10000")
	}
	p := bench.PayoutsOptions{Holders: c.Holders, Page: c.Page}
	if c.Target != "" {
		var err error
		to := payoutsDeliverCmd{Target: c.Target, deliverFlags: deliverFlags{Name: "bench"}}
		if p.Target, err = to.target(env); err != nil {
			return err
		}
	}
	o, done := benchOptions(env, c.Seed)
	r, err := bench.Payouts(env.Context, o, p, env.serveBench)
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	read, delivered := perSecond(r.Payouts, r.PollTime), int64(0)
	if c.Target != "" {
		delivered = perSecond(r.Payouts, r.DeliveryTime)
	}
	if c.JSON {
		return writeJSON(env.Stdout, struct {
			Engine       string      `json:"engine"`
			Payouts      int64       `json:"payouts"`
			Page         int         `json:"page"`
			Read         json.Number `json:"seconds"`
			ReadUsed     json.Number `json:"processorSeconds"`
			ReadRate     int64       `json:"payoutsPerSecond"`
			Target       string      `json:"target"`
			Delivery     json.Number `json:"deliverySeconds"`
			DeliveryUsed json.Number `json:"deliveryProcessorSeconds"`
			DeliveryRate int64       `json:"deliveredPerSecond"`
			PeakRSS      int64       `json:"peakRssBytes"`
		}{r.Engine, r.Payouts, r.Page, seconds(r.PollTime), seconds(r.PollUsed), read, kind(c.Target),
			seconds(r.DeliveryTime), seconds(r.DeliveryUsed), delivered, r.PeakRSS})
	}
	if err := env.printf("%s: %d payouts read by /v1 in pages of %d in %s s, %d a second; "+
		"of this process's processor %s s\n", r.Engine, r.Payouts, r.Page, seconds(r.PollTime), read,
		seconds(r.PollUsed)); err != nil {
		return err
	}
	if c.Target != "" {
		if err := env.printf("delivered (%s) in %s s, %d a second; of this process's processor %s s\n", kind(c.Target),
			seconds(r.DeliveryTime), delivered, seconds(r.DeliveryUsed)); err != nil {
			return err
		}
	}
	return env.printf("memory of this process at most %d MiB\n", r.PeakRSS>>20)
}
