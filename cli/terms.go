package cli

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type termsCmd struct {
	Set     termsSetCmd     `cmd:"" help:"Set a token's terms from a coming day on."`
	List    termsListCmd    `cmd:"" help:"List the terms of today and those that come, of a day, or all there ever were."`
	Correct termsCorrectCmd `cmd:"" help:"Correct the terms of a day that is over and not paid."`
}

// termsFlags are the figures to change; what is not given stays.
type termsFlags struct {
	APR      *string `name:"apr" placeholder:"RATE" help:"Yearly rate: 0.0015 is 0.15 %."`
	Min      *string `placeholder:"AMOUNT" help:"Average, or smallest balance of a day, below which nothing is earned."`
	Cap      *string `placeholder:"AMOUNT" help:"What is above it earns nothing."`
	Fee      *string `placeholder:"RATE" help:"Part of staking income, and of a gross rate, that the operator keeps: 0.3 is 30 %."`
	Offered  *bool   `negatable:"" help:"On offer, or not."`
	Mode     *string `placeholder:"MODE" help:"Where rewards come from: fixed, a yearly rate; share, the net staking income."`
	Measure  *string `placeholder:"MEASURE" help:"What of a day earns: average, or daily-minimum, its smallest balance."`
	PerOwner *bool   `negatable:"" help:"Minimum and cap are those of an owner's accounts together, or of each account."`
	GrossAPR *string `name:"gross-apr" placeholder:"RATE" help:"Yearly rate before the fee, as it is shown beside the APR; 0: none is. With --fee and without --apr the APR follows."`
}

// on is what holds on a day with what is to be changed.
func (f termsFlags) on(ctx context.Context, db *store.DB, d staking.Day, symbol string) (staking.Terms, ledger.Asset,
	error) {
	if f == (termsFlags{}) {
		return staking.Terms{}, ledger.Asset{}, usage("say what changes: --apr, --min, --cap, --fee, --offered, " +
			"--no-offered, --mode, --measure, --per-owner, --no-per-owner or --gross-apr")
	}
	asset, err := db.Asset(ctx, symbol)
	if err != nil {
		return staking.Terms{}, asset, err
	}
	all, err := reports.New(db.Reader()).TermsOn(ctx, d)
	if err != nil {
		return staking.Terms{}, asset, err
	}
	t := staking.Terms{Asset: symbol}
	if i := slices.IndexFunc(all, func(t staking.Terms) bool { return t.Asset == symbol }); i >= 0 {
		t = all[i]
	}
	t.From = d
	t, err = staking.TermsChange(f).Apply(asset, t)
	return t, asset, err
}

// follows says that nobody gave the APR of the terms, where it follows from what was given.
func (f termsFlags) follows(t staking.Terms) string {
	if !staking.TermsChange(f).APRFollows(t) {
		return ""
	}
	return " The APR follows from the gross rate and the fee: " + t.APR.String() + "."
}

type termsSetCmd struct {
	Asset string       `arg:"" help:"Token."`
	From  *staking.Day `placeholder:"DAY" help:"First day on which they hold, at the earliest tomorrow. Without it: tomorrow."`
	termsFlags
	Preview bool `help:"With --no-offered: print who would not earn any more; write nothing."`
	JSON    bool `help:"With --preview: print a JSON object."`
}

func (c *termsSetCmd) Help() string {
	return `What is not given stays as it is on that day. A gross rate less the fee is the APR, rounded down: --gross-apr and --fee without --apr set it, and figures that contradict one another are refused. In the mode share the APR is 0: holders share the income that is entered for the token ("softstake income add"), less the fee. Terms that lie in the future may be set again; every version is kept.

Examples:

  softstake terms set BNB --apr 0.002
  softstake terms set SOL --mode share --fee 0.3
  softstake terms set NEAR --gross-apr 0.041 --fee 0.3
  softstake terms set ADA --measure daily-minimum --per-owner
  softstake terms set AXS --no-offered --preview
  softstake terms set AXS --no-offered --from 2026-12-01`
}

func (c *termsSetCmd) Run(env *Env) error {
	from := given(c.From, staking.DayOf(env.Now())+1)
	switch delists := c.Offered != nil && !*c.Offered; {
	case c.Preview && !delists:
		return usage("--preview goes with --no-offered: it prints who would not earn any more")
	case c.JSON && !c.Preview:
		return usage("--json goes with --preview")
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		t, asset, err := c.on(ctx, db, from, c.Asset)
		if err != nil {
			return err
		}
		var e reports.Effect
		if !t.Offered {
			if e, err = reports.New(db.Reader()).PreviewDelisting(ctx, t.Asset, from); err != nil {
				return err
			}
		}
		if c.Preview {
			return writeEffect(env, e, t.Asset, "", c.JSON)
		}
		err = env.done(db.SetTerms(ctx, t), "From %s on %s%s\n", from, termsSentence(asset, t), c.follows(t))
		if err == nil && !t.Offered {
			err = env.printf("Holders who earn with it until then, as of now: %d.\n", e.Holders())
		}
		return err
	})
}

// termsSentence is what terms mean.
func termsSentence(a ledger.Asset, t staking.Terms) string {
	if !t.Offered {
		return t.Asset + " is not on offer."
	}
	rate, measured := " earns "+percent(t.APR)+" % a year, on ", "an average"
	if t.Mode == staking.Share {
		rate = " shares its net staking income, in proportion to "
	}
	if t.Measure == staking.Lowest {
		measured = "a smallest balance of the day"
	}
	sentence := t.Asset + rate + measured + " of at least " + withUnit(a, t.Min) + " and at most " + withUnit(a, t.Cap) +
		"."
	if t.PerOwner {
		sentence += " Minimum and cap are those of an owner's accounts together."
	}
	switch {
	case t.GrossAPR != 0: // they agree: the terms have just been set
		sentence += " Holders read: " + grossAndNet(t) + "."
	case t.Fee != 0:
		sentence += " The operator keeps " + percent(t.Fee) + " % of its staking income."
	}
	return sentence
}

// grossAndNet is the rate before the fee, the fee, and the rate.
func grossAndNet(t staking.Terms) string {
	return "gross " + percent(t.GrossAPR) + " %, fee " + percent(t.Fee) + " %, you get " + percent(t.APR) + " %"
}

type termsCorrectCmd struct {
	Day    staking.Day `arg:"" help:"A day that is over and whose rewards are not declared."`
	Asset  string      `arg:"" help:"Token."`
	Reason string      `required:"" placeholder:"TEXT" help:"Why; it is kept in the log."`
	termsFlags
}

func (c *termsCorrectCmd) Help() string {
	return `The terms of that one day are corrected and what was accrued for it is accrued again. After the day's rewards are declared only an adjustment corrects them (softstake adjust).

Example:

  softstake terms correct 2026-11-22 BNB --apr 0.0015 --reason "a zero was missing"`
}

func (c *termsCorrectCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		t, asset, err := c.on(ctx, db, c.Day, c.Asset)
		if err != nil {
			return err
		}
		return env.done(db.CorrectTerms(ctx, c.Day, t, c.Reason), "On %s %s%s\n", c.Day, termsSentence(asset, t),
			c.follows(t))
	})
}

type termsListCmd struct {
	Asset   string       `arg:"" optional:"" help:"Token; without it all."`
	On      *staking.Day `placeholder:"DAY" help:"Day whose terms to list. Without it: today and the days for which others are set."`
	History bool         `help:"List every version there ever was, with who set it."`
	JSON    bool         `help:"Print a JSON array."`
}

func (c *termsListCmd) Help() string {
	return `Holders earn the rate that is left of the gross rate after the fee, or a share of the staking income after the fee, or nothing where the token is not on offer. An average, or the lowest balance of a day, is measured; "/owner": minimum and cap are those of an owner's accounts together.

Examples:

  softstake terms list
  softstake terms list BNB --history`
}

type termsJSON struct {
	Asset string      `json:"asset"`
	From  staking.Day `json:"from"`
	figuresJSON
	Coming   bool     `json:"coming,omitempty"`
	Revision int      `json:"revision,omitempty"`
	SetAt    *instant `json:"setAt,omitempty"`
	SetBy    string   `json:"setBy,omitempty"`
	Reason   string   `json:"reason,omitempty"`
}

// figuresJSON are the figures of terms.
type figuresJSON struct {
	Offered  bool   `json:"offered"`
	APR      string `json:"apr"`
	Min      string `json:"minimum"`
	Cap      string `json:"cap"`
	Fee      string `json:"fee"`
	Mode     string `json:"mode"`
	Measure  string `json:"measure"`
	PerOwner bool   `json:"perOwner"`
	GrossAPR string `json:"grossApr,omitempty"` // absent: not stated
}

func formatFigures(a ledger.Asset, t staking.Terms) figuresJSON {
	f := figuresJSON{
		Offered: t.Offered, APR: t.APR.String(), Min: a.Format(t.Min), Cap: a.Format(t.Cap), Fee: t.Fee.String(),
		Mode: t.Mode.String(), Measure: t.Measure.String(), PerOwner: t.PerOwner,
	}
	if t.GrossAPR != 0 {
		f.GrossAPR = t.GrossAPR.String()
	}
	return f
}

func (c *termsListCmd) Run(env *Env) error {
	if c.History && c.On != nil {
		return usage("--on and --history exclude each other")
	}
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) error {
		if c.Asset != "" {
			if _, err := db.Asset(ctx, c.Asset); err != nil {
				return err
			}
		}
		revisions, err := c.read(ctx, env, db)
		return c.list(env, a).print(env, revisions, err)
	})
}

func (c *termsListCmd) read(ctx context.Context, env *Env, db *store.DB) ([]store.TermsRevision, error) {
	if c.History {
		return reports.New(db.Reader()).TermsHistory(ctx, c.Asset)
	}
	on := given(c.On, staking.DayOf(env.Now()))
	all, err := reports.New(db.Reader()).TermsOn(ctx, on)
	if err != nil {
		return nil, err
	}
	if c.On == nil {
		coming, err := reports.New(db.Reader()).ComingTerms(ctx, on)
		if err != nil {
			return nil, err
		}
		for _, r := range coming {
			all = append(all, r.Terms)
		}
		slices.SortStableFunc(all, func(a, b staking.Terms) int { return cmp.Compare(a.Asset, b.Asset) })
	}
	var revisions []store.TermsRevision
	for _, t := range all {
		if c.Asset == "" || c.Asset == t.Asset {
			revisions = append(revisions, store.TermsRevision{Terms: t})
		}
	}
	return revisions, nil
}

// coming reports whether terms of today's list hold only from a later day on.
func (c *termsListCmd) coming(env *Env, r store.TermsRevision) bool {
	return !c.History && c.On == nil && r.From > staking.DayOf(env.Now())
}

func (c *termsListCmd) list(env *Env, a assets) list[store.TermsRevision] {
	// They fit a terminal of 80 columns, but for the history. JSON has the rest.
	columns := []col{text("token"), text("from"), figure("gross %"), figure("fee %"), text("earns"), figure("minimum"),
		figure("cap"), text("measure")}
	if c.History {
		columns = append(columns, figure("version"), text("set at"), text("by"), text("reason"))
	}
	return list[store.TermsRevision]{
		json:    c.JSON,
		columns: columns,
		item: func(r store.TermsRevision) (any, []string) {
			return termsJSON{r.Asset, r.From, formatFigures(a[r.Asset], r.Terms), c.coming(env, r), r.Revision,
				instantOrNull(r.SetAt), r.SetBy, r.Reason}, c.row(a, r)
		},
	}
}

func (c *termsListCmd) row(a assets, r store.TermsRevision) []string {
	gross, earns, measure := none, percent(r.APR)+" %", "average"
	if r.GrossAPR != 0 {
		gross = percent(r.GrossAPR)
	}
	switch {
	case !r.Offered:
		earns = "nothing"
	case r.Mode == staking.Share:
		earns = "share"
	}
	if r.Measure == staking.Lowest {
		measure = "lowest"
	}
	if r.PerOwner {
		measure += "/owner"
	}
	row := []string{r.Asset, r.From.String(), gross, percent(r.Fee), earns, a.plain(r.Asset, r.Min),
		a.plain(r.Asset, r.Cap), measure}
	if c.History {
		row = append(row, strconv.Itoa(r.Revision), wallTime(r.SetAt), r.SetBy, r.Reason)
	}
	return row
}
