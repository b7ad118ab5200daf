package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/demo"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// demoCmd makes a town to look at.
type demoCmd struct {
	Holders int          `default:"1000" help:"How many holders, 10 to 100000."`
	Days    int          `default:"30" help:"How many days they earn, 3 to 366."`
	Seed    uint64       `default:"1" help:"Another seed, another town; the same seed, the same town."`
	Last    *staking.Day `placeholder:"DAY" help:"The last of the days. Without it: 2025-10-31, whatever day it is, so that the same seed prints the same."`
	Factor  string       `name:"withdrawal-factor" enum:"on,off" default:"off" help:"on: a holder withdraws with a passkey or an authenticator app only, as in books that are made with init."`
	Report  bool         `help:"Print the report and end."`
	Join    bool         `help:"Show softstake beside a made-up exchange with a ledger of its own, and end: its changes come in, its holders earn, payouts go back, and both sides are compared."`
	Ledger  string       `enum:"postgres,sqlite,auto" default:"auto" help:"With --join, where the exchange keeps its ledger: postgres, which is started for it, or sqlite. Without it: PostgreSQL where it is installed."`
	Listen  string       `placeholder:"ADDRESS" help:"Where the town is served; port 0 takes a free one. Without it: 127.0.0.1:8080, or a free port where that is taken."`
}

func (demoCmd) Help() string {
	return `Makes a town of made-up holders with deposits, withdrawals, transfers, trades and
open orders, settles every day, audits the books, and prints what the tokens paid
and how some rewards came about. Then it serves the town's pages, and says at which
address and as whom one may log in: its clock goes on, and may be moved by an hour,
a day or a week on top of each page, while the town lives and days are settled.
Without --db the books are a temporary file, gone when the command ends; with it
they are ordinary books and stay, and their clock is not moved beyond today.

Example:
  softstake demo
  softstake demo --report --holders 5000 --days 90 --seed 7
  softstake demo --join
  softstake demo --db sqlite:town.db`
}

func (c *demoCmd) Run(env *Env) error {
	if c.Join {
		return c.besideExchange(env)
	}
	o := demo.Options{Holders: c.Holders, Days: c.Days, Seed: c.Seed, Last: given(c.Last, demo.LastDay()),
		Volatile: !env.DBGiven, Insecure: env.Insecure, Factor: c.Factor == "on", Sealer: env.optionalSealer}
	if err := c.checkListen(env.Insecure); err != nil {
		return err
	}
	if env.DBGiven {
		if today := staking.DayOf(env.Now()); o.Last >= today {
			return usage("--last %s is not over; books that are kept end before today, %s", o.Last, today)
		}
	}
	if !c.Report {
		return c.books(env, func(url string) error { return c.look(env, url, o) })
	}
	var v visit
	if err := c.books(env, func(url string) (err error) {
		if v, err = c.visit(env, url, o); err == nil {
			err = v.town.Close()
		}
		return err
	}); err != nil {
		return err
	}
	// Books that are thrown away are gone: a reader that goes away (| head) ends the program at once.
	return c.print(env, v)
}

// books gives fn where to make the books: where it was said, or in a folder that is
// removed when fn has returned.
func (c *demoCmd) books(env *Env, fn func(url string) error) error {
	if env.DBGiven {
		return fn(env.DB)
	}
	dir, err := os.MkdirTemp("", "softstake-demo-*")
	if err != nil {
		return err
	}
	err = fn("sqlite:" + filepath.Join(dir, "town.db"))
	return errors.Join(err, os.RemoveAll(dir))
}

// look makes the town, prints its report, and serves it.
func (c *demoCmd) look(env *Env, url string, o demo.Options) error {
	if !env.DBGiven { // the key is gone with the books
		sealer, err := newSealer(env)
		if err != nil {
			return err
		}
		o.Sealer = func() (*access.Sealer, error) { return sealer, nil }
	}
	v, err := c.visit(env, url, o)
	if err != nil {
		return err
	}
	sealer, err := o.Sealer()
	if err == nil && env.DBGiven {
		sealer, err = env.makeSealer(env.Context, v.town.Books)
	}
	if err == nil {
		err = c.serve(env, v, sealer)
	}
	return errors.Join(err, v.town.Close())
}

// visit is what the report shows of a town.
type visit struct {
	town     *demo.Town
	entries  int // posted in the days that the report covers
	audit    audit.Report
	totals   []demo.Total
	incomes  []demo.Income
	campaign demo.Campaign
	showcase []reports.Explanation
	examples []demo.Example
}

// visit makes the town, shows how far it is, and reads what the report shows. The
// town is open, unless there is an error.
func (c *demoCmd) visit(env *Env, url string, o demo.Options) (visit, error) {
	m := newMeter(env, "days settled", int64(o.Days)+1)
	m.every = 10
	o.Progress = func(done, _ int) { m.to(int64(done), m.what) }
	town, err := demo.New(env.Context, url, o)
	ended := m.end()
	if err != nil {
		return visit{}, err
	}
	v := visit{town: town, entries: town.Entries}
	if ended == nil {
		ended = v.read(env.Context)
	}
	if ended != nil {
		ended = errors.Join(ended, town.Close())
	}
	return v, ended
}

func (v *visit) read(ctx context.Context) (err error) {
	if v.audit, err = audit.Run(ctx, reports.AuditOf(v.town.Books.Reader()), audit.Options{Workers: 2}); err != nil {
		return err
	}
	if v.audit.Total > 0 {
		return fmt.Errorf("the audit of the town found %d differences, the first: %v", v.audit.Total, v.audit.Findings[0])
	}
	if v.totals, err = v.town.Totals(ctx); err != nil {
		return err
	}
	if v.incomes, err = v.town.Incomes(ctx); err != nil {
		return err
	}
	if v.campaign, err = v.town.Campaign(ctx); err != nil {
		return err
	}
	if v.showcase, err = v.town.Showcase(ctx); err != nil {
		return err
	}
	v.examples, err = v.town.Examples(ctx)
	return err
}

// print prints the report.
func (c *demoCmd) print(env *Env, v visit) error {
	return cmp.Or(
		env.printf("A made-up town: %d holders, and nora with two accounts; %d entries, %s to %s, seed %d.\n\n",
			c.Holders, v.entries, v.town.First, v.town.Last, c.Seed),
		printTotals(env, v.totals),
		printIncomes(env, v.incomes),
		printCampaign(env, v.campaign),
		printEvents(env, v.town),
		env.printf("The audit derived all %d rewards again from %d postings: no difference.\n", v.audit.Accruals,
			v.audit.Postings),
		printShowcase(env, v.showcase),
		printExamples(env, v.examples),
		c.printNext(env, v))
}

func printTotals(env *Env, totals []demo.Total) error {
	g := newGrid(text("token"), text("mode"), figure("gross %"), figure("net % a year"), figure("holders paid"),
		figure("rewards"), figure("total paid"), figure("mean average"), figure("worth in USDT"))
	for _, t := range totals {
		gross, net := "", ""
		if t.Rate.GrossKnown {
			gross = shortPercent(t.Rate.Gross)
		}
		if t.Rate.Known {
			net = shortPercent(t.Rate.Net)
		}
		g.add(t.Token.Symbol, t.Rate.Mode.String(), gross, net, strconv.FormatInt(t.Holders, 10),
			strconv.FormatInt(t.Rewards, 10), t.Token.Format(t.Paid), t.Token.Format(t.Average), cents(t.Worth))
	}
	return g.write(env.Stdout)
}

// printEvents shows what did not go as usual.
func printEvents(env *Env, town *demo.Town) error {
	var b strings.Builder
	for _, d := range town.Delays {
		days := d.First.String()
		if d.Last > d.First {
			days += " to " + d.Last.String()
		}
		fmt.Fprintf(&b, "%s of %s waited for funds, and was paid on %s.\n", d.Asset, days, d.PaidOn)
	}
	fmt.Fprintf(&b, "%s of %s is over a limit, and waits for approval.\n", demo.Inflated, town.Last)
	x := town.Excluded()
	fmt.Fprintf(&b, "%s and %s have one owner, and share the minimum and the cap of %s.\n", demo.Nora, demo.Savings,
		demo.Capped)
	fmt.Fprintf(&b, "%s of %s is in the %s from %s to %s: these days are not measured.\n", x.Asset, x.Account, x.Product,
		x.From, x.Until-1)
	fmt.Fprintf(&b, "%s, of a restricted region, pressed Start Earning and was refused.\n", town.Refused)
	return env.printf("\n%s", b.String())
}

// printNext names commands that go on from here. Those that look into books need
// books that are kept.
func (c *demoCmd) printNext(env *Env, v visit) error {
	url := redact(env.DB)
	lines := [][2]string{{fmt.Sprintf("demo --seed %d", c.Seed+6), "another town"}}
	if !env.DBGiven {
		url = "sqlite:town.db"
		lines = append(lines, [2]string{"demo" + c.flags() + " --db " + url, "this one, kept; then:"})
	}
	for _, e := range v.showcase[max(len(v.showcase)-1, 0):] {
		m := e.Measured
		lines = append(lines,
			[2]string{fmt.Sprintf("explain %s %s %s --db %s", m.Account, m.Day, m.Asset, url)},
			[2]string{fmt.Sprintf("statement %s --from %s --db %s", m.Account, m.Day-1, url)})
	}
	lines = append(lines,
		[2]string{fmt.Sprintf("rates %s --db %s", v.incomes[0].Token.Symbol, url)},
		[2]string{fmt.Sprintf("campaign show %s --db %s", v.campaign.ID, url)},
		[2]string{"audit --db " + url},
		[2]string{"estimate 'history/testdata/Transaction-History-202508011200(UTC+1)_3f9a.csv'"})
	var b strings.Builder
	for _, l := range lines {
		line := "  go run . " + l[0]
		if l[1] != "" {
			line = pad(line, 45, false) + "  # " + l[1]
		}
		b.WriteString(line + "\n")
	}
	return env.printf("\nTry next:\n%s", b.String())
}

// flags are those that make this town again, where they are not the default.
func (c *demoCmd) flags() string {
	flags := ""
	if c.Holders != 1000 {
		flags += fmt.Sprintf(" --holders %d", c.Holders)
	}
	if c.Days != 30 {
		flags += fmt.Sprintf(" --days %d", c.Days)
	}
	if c.Seed != 1 {
		flags += fmt.Sprintf(" --seed %d", c.Seed)
	}
	if c.Last != nil {
		flags += fmt.Sprintf(" --last %s", c.Last)
	}
	return flags
}

// printShowcase writes how the last rewards of one holder came about, if there is one.
func printShowcase(env *Env, days []reports.Explanation) error {
	if len(days) == 0 {
		return nil
	}
	m := days[0].Measured
	if err := env.printf("\nHow %s earned its last %s: each amount × the seconds left of the day;\ntogether, ÷ "+
		"86400, that is the average.\n\n", m.Account, m.Asset); err != nil {
		return err
	}
	for _, e := range days {
		if err := writePaper(env.Stdout, e); err != nil {
			return err
		}
	}
	return nil
}

// cents cuts a value in USDT after two decimals.
func cents(value ledger.Amount) string {
	return fmt.Sprintf("%d.%02d", value/100_000_000, value/1_000_000%100)
}

// writePaper writes how a reward came about, as one would on paper: what the
// balance was at midnight and each change of it, times the seconds that were left
// of the day; their sum and the average; the rate; and what is carried.
func writePaper(w io.Writer, e reports.Explanation) error {
	m, asset, paper := e.Measured, e.Asset, e.Paper()
	day := newGrid(text("time"), text("change"), figure("amount"), text("×"), figure("seconds"), text("="),
		figure("product"))
	seconds := func(n *big.Int) string { return ledger.FormatBig(n, asset.Scale+3) }
	for _, l := range paper.Lines {
		what := "opening"
		if l.Change != nil {
			what = string(l.Change.Kind)
		}
		day.add(l.At.Format("15:04:05.000"), what, asset.Format(l.Amount), "×", ledger.FormatDecimal(l.Left, 3), "=",
			seconds(l.Product))
	}
	day.add("", "average", asset.Format(m.Average)+more(m.Rest != 0), "×", "86400", "=", seconds(paper.Integral))

	reward := newGrid(text("step"), figure("amount"))
	reward.add(fmt.Sprintf("%s × %s ÷ 365", overDay(asset, paper.Earning, 1, 0), m.APR),
		inDigits(paper.Interest, asset.Scale))
	reward.add("+ carried from the reward before", inDigits(big.NewInt(int64(m.Before)), asset.Scale))
	reward.add("= paid, rounded down", asset.Format(m.Reward))
	reward.add("  carried to the next", inDigits(big.NewInt(int64(m.Carry)), asset.Scale))

	_, err := fmt.Fprintf(w, "%s: %s\n%s%s", m.Day, between(e), day.body(), reward.body())
	return err
}

// between is how an average that earned lies to the minimum and the cap.
func between(e reports.Explanation) string {
	low, high := e.Asset.Format(e.Terms.Min), e.Asset.Format(e.Terms.Cap)
	if e.Measured.Average > e.Terms.Cap || (e.Measured.Average == e.Terms.Cap && e.Measured.Rest > 0) {
		return fmt.Sprintf("above the cap; it earns on %s", high)
	}
	return fmt.Sprintf("at least the minimum of %s, and not above the cap of %s", low, high)
}
