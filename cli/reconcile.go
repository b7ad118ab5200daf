package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// reconcileCmd compares the balances of a day with those of another ledger.
type reconcileCmd struct {
	File          string       `arg:"" optional:"" help:"The other ledger's balances: CSV with the columns account, asset and balance, or lines of JSON; - is the standard input."`
	Ledger        string       `placeholder:"URL" help:"The other ledger's database instead, postgres://USER@HOST/DATABASE; with --balances-query."`
	BalancesQuery string       `placeholder:"SQL" help:"What to ask --ledger: a SELECT with the columns account, asset and balance, in which $1 is the moment after the day."`
	Day           *staking.Day `placeholder:"DAY" help:"Compare at the end of this day. Without it: the last closed day."`
	Asset         []string     `placeholder:"TOKEN" help:"Only this token; may be repeated."`
	Limit         int          `default:"100" help:"How many differences to list at most, up to 1000."`
	JSON          bool         `help:"Print a JSON object."`
}

func (c *reconcileCmd) Help() string {
	return `Of each token the number of accounts, the sum and a root are compared, and where these differ, each account; free and held count together. For each account that differs, the first event that could explain it is named. The root is the hash of a Merkle tree (RFC 6962) over the accounts in the order of their bytes, with the leaves "ACCOUNT BALANCE", so that the other side can make it too. Rewards count from 00:00 after their day: a payout that the other ledger has not credited yet is a difference, and is named.

A line of JSON is {"account":"alice","asset":"BNB","balance":"12.5"}; one line may be {"position":"0/1A2B","at":"2026-11-22T00:00:00Z"}, the state that the figures are of. Balances of tokens that are not compared are left out, and counted. The exit status is 1 when anything differs.

Examples:

  softstake reconcile balances.csv --day 2026-11-21
  softstake reconcile --ledger postgres://softstake@ledger/exchange --balances-query 'SELECT account, asset, sum(amount) AS balance FROM postings WHERE at < $1 GROUP BY account, asset'`
}

func (c *reconcileCmd) Run(env *Env) error {
	switch {
	case (c.File == "") == (c.Ledger == ""):
		return usage("name a file, or --ledger")
	case (c.Ledger == "") != (c.BalancesQuery == ""):
		return usage("--ledger and --balances-query are given together")
	case c.Limit < 0 || c.Limit > 1000:
		return usage("--limit is from 0 to 1000")
	}
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, known assets) error {
		rs := reports.New(db.Reader())
		day, err := c.day(ctx, rs)
		if err != nil {
			return err
		}
		chosen, err := c.chosen(ctx, db, known)
		if err != nil {
			return err
		}
		theirs, err := c.theirs(ctx, env, chosen, day)
		if err != nil {
			return err
		}
		at := (day + 1).Start().Add(-time.Millisecond)
		comparison := reconcile.New(chosen, theirs, c.Limit)
		err = rs.ExportBalances(ctx, at, func() error { comparison.Begin(); return nil }, func(h reports.Held) error {
			if h.Account.IsHouse() {
				return nil
			}
			both, err := h.Free.Add(h.Held)
			comparison.Add(reconcile.Balance{Account: h.Account, Asset: h.Asset, Amount: both})
			return err
		})
		if err != nil {
			return err
		}
		r := reconciled{day: day, at: at, theirs: theirs, Result: comparison.End()}
		if err := r.explain(ctx, rs); err != nil {
			return err
		}
		if err := r.write(env, c.JSON); err != nil {
			return err
		}
		return r.differs()
	})
}

// day is the day at whose end both are compared: no entry is added to it any more.
func (c *reconcileCmd) day(ctx context.Context, rs *reports.Reports) (staking.Day, error) {
	final, _, err := rs.Final(ctx)
	switch {
	case err != nil:
		return 0, err
	case c.Day == nil && final < rs.FirstDay():
		return 0, ledger.ErrInvalid.In("", "no day is closed yet")
	case c.Day == nil:
		return final, nil
	case *c.Day < rs.FirstDay() || *c.Day > final:
		return 0, ledger.ErrInvalid.In("", "%s is no day that is closed, with the rewards that count on it", *c.Day)
	}
	return *c.Day, nil
}

// chosen are the tokens to compare.
func (c *reconcileCmd) chosen(ctx context.Context, db *store.DB, known assets) (map[string]ledger.Asset, error) {
	if c.Asset == nil {
		return known, nil
	}
	chosen := map[string]ledger.Asset{}
	for _, symbol := range c.Asset {
		a, err := db.Asset(ctx, symbol)
		if err != nil {
			return nil, err
		}
		chosen[symbol] = a
	}
	return chosen, nil
}

// theirs are the figures of the other ledger.
func (c *reconcileCmd) theirs(ctx context.Context, env *Env, chosen map[string]ledger.Asset,
	day staking.Day) (f reconcile.Figures, err error) {
	if c.Ledger != "" {
		q, err := reconcile.ParseQuery(c.Ledger, c.BalancesQuery, env.Insecure)
		if err != nil {
			return f, fmt.Errorf("--ledger: %w", err)
		}
		return q.Read(ctx, (day + 1).Start(), chosen)
	}
	f, err = readFile(env, c.File, func(in io.Reader) (reconcile.Figures, error) { return reconcile.Read(in, chosen) })
	if err != nil && c.File == "-" {
		err = fmt.Errorf("standard input: %w", err)
	} else if err != nil {
		err = fmt.Errorf("%s: %w", c.File, err)
	}
	return f, err
}

// reconciled is a comparison with another ledger.
type reconciled struct {
	reconcile.Result
	day    staking.Day
	at     time.Time // of the balances of these books
	theirs reconcile.Figures
	causes []reports.Cause // of Differences
}

// explain looks for the causes of differences.
func (r *reconciled) explain(ctx context.Context, rs *reports.Reports) error {
	for _, d := range r.Differences {
		cause, err := rs.Cause(ctx, d.Account, d.Asset.Symbol, d.Missing(), r.at)
		if err != nil {
			return err
		}
		r.causes = append(r.causes, cause)
	}
	return nil
}

// differs says that something differs, or is nil.
func (r *reconciled) differs() error {
	n := r.Differing()
	if n == 0 {
		return nil
	}
	return fmt.Errorf("at the end of %s, %s from the other ledger", r.day,
		count(int(n), "balance differs", "balances differ"))
}

type (
	reconciledJSON struct {
		Day         staking.Day       `json:"day"`
		At          instant           `json:"at"`
		Position    string            `json:"theirPosition,omitempty"`
		TheirTime   *instant          `json:"theirTime,omitempty"`
		Ignored     int               `json:"ignored"`
		Tokens      []tokenCompared   `json:"tokens"`
		Differences []differenceFound `json:"differences"`
	}
	tokenCompared struct {
		Asset       string   `json:"asset"`
		Ours        sideJSON `json:"ours"`
		Theirs      sideJSON `json:"theirs"`
		Differences int64    `json:"differences"`
	}
	sideJSON struct {
		Accounts int64  `json:"accounts"`
		Sum      string `json:"sum"`
		Root     string `json:"root"`
	}
	differenceFound struct {
		Account ledger.Account    `json:"account"`
		Asset   string            `json:"asset"`
		Ours    string            `json:"ours"`
		Theirs  string            `json:"theirs"`
		Missing string            `json:"missing"`
		Cause   reports.CauseKind `json:"cause"`
		Entry   string            `json:"entry,omitempty"`
		At      *instant          `json:"entryAt,omitempty"`
		More    int               `json:"morePayouts,omitempty"`
	}
)

func (r *reconciled) write(env *Env, asJSON bool) error {
	if asJSON {
		return writeJSON(env.Stdout, r.json())
	}
	state := "no state that it names"
	if r.theirs.Position != "" {
		state = "its position " + r.theirs.Position
	}
	if !r.theirs.At.IsZero() {
		state += ", " + wallTime(r.theirs.At) + " UTC by its clock"
	}
	if err := env.printf("The end of %s; the other ledger's figures are of %s.\n\n", r.day, state); err != nil {
		return err
	}
	grid := newGrid(text("token"), figure("accounts"), figure("theirs"), figure("sum"), figure("their sum"), text("root"),
		text("their root"), figure("differences"))
	for _, t := range r.Tokens {
		if t.Ours.Accounts+t.Theirs.Accounts > 0 {
			grid.add(t.Asset.Symbol, strconv.FormatInt(t.Ours.Accounts, 10), strconv.FormatInt(t.Theirs.Accounts, 10),
				ledger.FormatBig(&t.Ours.Sum, t.Asset.Scale), ledger.FormatBig(&t.Theirs.Sum, t.Asset.Scale),
				shortRoot(t.Ours), shortRoot(t.Theirs), strconv.FormatInt(t.Differences, 10))
		}
	}
	if err := grid.write(env.Stdout); err != nil {
		return err
	}
	if r.theirs.Ignored > 0 {
		balances := count(r.theirs.Ignored, "balance is", "balances are")
		if err := env.printf("\n%s of tokens that are not compared.\n", balances); err != nil {
			return err
		}
	}
	if len(r.Differences) == 0 {
		return nil
	}
	if err := env.printf("\n"); err != nil {
		return err
	}
	found := newGrid(text("account"), figure("here"), figure("there"), figure("missing there"),
		text("what could explain it"))
	for i, d := range r.Differences {
		found.add(string(d.Account), d.Asset.Format(d.Ours)+" "+d.Asset.Symbol, d.Asset.Format(d.Theirs)+" "+d.Asset.Symbol,
			ledger.FormatBig(d.Missing(), d.Asset.Scale)+" "+d.Asset.Symbol, causeText(r.causes[i]))
	}
	return found.write(env.Stdout)
}

// shortRoot is the beginning of a root, as much as a person compares.
func shortRoot(s reconcile.Side) string { return s.Root.String()[:10] }

// causeText is a cause as a sentence.
func causeText(c reports.Cause) string {
	switch c.Kind {
	case reports.CausePayout:
		others := ""
		if c.More > 0 {
			others = fmt.Sprintf(" and %d more", c.More)
		}
		return "not credited there: " + c.Entry + others
	case reports.CauseHere:
		return "as much, perhaps not there: " + c.Entry + ", " + clockTime(c.At)
	case reports.CauseLater:
		return "as much, later here: " + c.Entry + ", " + clockTime(c.At)
	case reports.CauseChange:
		return "the first change of the day: " + c.Entry + ", " + clockTime(c.At)
	case reports.CauseMany:
		return "so much moved that day that not all of it is looked at"
	case reports.CauseNobody:
		return "the books have no such account"
	}
	return "nothing moved here that day"
}

func (r *reconciled) json() reconciledJSON {
	out := reconciledJSON{Day: r.day, At: instant(r.at), Position: r.theirs.Position,
		TheirTime: instantOrNull(r.theirs.At), Ignored: r.theirs.Ignored, Tokens: []tokenCompared{},
		Differences: []differenceFound{}}
	side := func(t reconcile.Token, s reconcile.Side) sideJSON {
		return sideJSON{s.Accounts, ledger.FormatBig(&s.Sum, t.Asset.Scale), s.Root.String()}
	}
	for _, t := range r.Tokens {
		out.Tokens = append(out.Tokens, tokenCompared{t.Asset.Symbol, side(t, t.Ours), side(t, t.Theirs), t.Differences})
	}
	for i, d := range r.Differences {
		c := r.causes[i]
		out.Differences = append(out.Differences, differenceFound{d.Account, d.Asset.Symbol, d.Asset.Format(d.Ours),
			d.Asset.Format(d.Theirs), ledger.FormatBig(d.Missing(), d.Asset.Scale), c.Kind, c.Entry, instantOrNull(c.At),
			c.More})
	}
	return out
}
