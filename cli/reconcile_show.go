package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type (
	comparisonJSON struct {
		Number      int64            `json:"number,omitempty"`
		Day         staking.Day      `json:"day"`
		At          instant          `json:"at"`
		Position    int64            `json:"position"`
		Source      string           `json:"source"`
		Scheduled   bool             `json:"scheduled"`
		Theirs      string           `json:"theirPosition,omitempty"`
		TheirTime   *instant         `json:"theirTime,omitempty"`
		PayoutsDay  string           `json:"payoutsDay,omitempty"`
		Ignored     int64            `json:"ignored"`
		Differing   int64            `json:"differing"`
		MadeAt      *instant         `json:"madeAt,omitempty"`
		MadeBy      string           `json:"madeBy,omitempty"`
		Tokens      []comparedJSON   `json:"tokens"`
		Differences []differenceJSON `json:"differences,omitempty"`
	}
	comparedJSON struct {
		Asset      string         `json:"asset"`
		Kind       reconcile.Kind `json:"kind"`
		Ours       sideJSON       `json:"ours"`
		Theirs     sideJSON       `json:"theirs"`
		Differing  int64          `json:"differing"`
		Off        string         `json:"off"`
		Stops      bool           `json:"stops"`
		Resolved   *instant       `json:"resolved,omitempty"`
		ResolvedBy string         `json:"resolvedBy,omitempty"`
		Reason     string         `json:"reason,omitempty"`
	}
	sideJSON struct {
		Accounts int64  `json:"accounts"`
		Sum      string `json:"sum"`
		Root     string `json:"root"`
	}
	differenceJSON struct {
		Kind    reconcile.Kind      `json:"kind"`
		Account ledger.Account      `json:"account"`
		Asset   string              `json:"asset"`
		Ours    string              `json:"ours"`
		Theirs  string              `json:"theirs"`
		Missing string              `json:"missing"`
		Cause   reconcile.CauseKind `json:"cause,omitempty"`
		Entry   string              `json:"entry,omitempty"`
		At      *instant            `json:"entryAt,omitempty"`
		More    int                 `json:"morePayouts,omitempty"`
	}
)

func formatComparison(c store.Comparison) comparisonJSON {
	out := comparisonJSON{Number: c.Number, Day: c.Day, At: instant(c.At), Position: c.Position, Source: c.Source,
		Scheduled: c.Scheduled, Theirs: c.Theirs.Position, TheirTime: instantOrNull(c.Theirs.At), Ignored: c.Ignored,
		Differing: c.Differing(), MadeAt: instantOrNull(c.MadeAt), MadeBy: c.By.Credential, Tokens: []comparedJSON{}}
	if c.WithPayouts {
		out.PayoutsDay = c.PayoutsDay().String()
	}
	side := func(t store.ComparedToken, s reconcile.Side) sideJSON {
		return sideJSON{s.Accounts, ledger.FormatBig(&s.Sum, t.Asset.Scale), s.Root.String()}
	}
	for _, t := range c.Tokens {
		out.Tokens = append(out.Tokens, comparedJSON{t.Asset.Symbol, t.Kind, side(t, t.Ours), side(t, t.Theirs),
			t.Differences, t.Asset.Format(t.Off), t.Stops, instantOrNull(t.Resolved), t.ResolvedBy, t.ResolvedWhy})
	}
	for _, d := range c.Differences {
		out.Differences = append(out.Differences, differenceJSON{d.Kind, d.Account, d.Asset.Symbol, d.Asset.Format(d.Ours),
			d.Asset.Format(d.Theirs), ledger.FormatBig(d.Missing(), d.Asset.Scale), d.Cause.Kind, d.Cause.Entry,
			instantOrNull(d.Cause.At), d.Cause.More})
	}
	return out
}

// comparedOf says what is compared of a token: of payouts "BNB payouts".
func comparedOf(symbol string, kind reconcile.Kind) string {
	if kind == reconcile.Payouts {
		return symbol + " payouts"
	}
	return symbol
}

// stateText is the state that the other ledger's figures are of.
func stateText(s reconcile.AsOf) string {
	state := "no state that it names"
	if s.Position != "" {
		state = "its position " + s.Position
	}
	if !s.At.IsZero() {
		state += ", " + wallTime(s.At) + " UTC by its clock"
	}
	return state
}

// writeComparison prints a comparison for a person.
func writeComparison(env *Env, c store.Comparison) error {
	name := "Not kept"
	if c.Number > 0 {
		name = fmt.Sprintf("Reconciliation %d", c.Number)
	}
	if err := env.printf("%s: the end of %s; the other ledger's figures are of %s.\n\n", name, c.Day,
		stateText(c.Theirs)); err != nil {
		return err
	}
	grid := newGrid(text("token"), figure("accounts"), figure("theirs"), figure("sum"), figure("their sum"), text("root"),
		text("their root"), figure("differences"))
	for _, t := range c.Tokens {
		if t.Ours.Accounts+t.Theirs.Accounts > 0 {
			grid.add(comparedOf(t.Asset.Symbol, t.Kind), strconv.FormatInt(t.Ours.Accounts, 10),
				strconv.FormatInt(t.Theirs.Accounts, 10), ledger.FormatBig(&t.Ours.Sum, t.Asset.Scale),
				ledger.FormatBig(&t.Theirs.Sum, t.Asset.Scale), shortRoot(t.Ours), shortRoot(t.Theirs),
				strconv.FormatInt(t.Differences, 10))
		}
	}
	if err := grid.write(env.Stdout); err != nil {
		return err
	}
	if c.Ignored > 0 {
		if err := env.printf("\n%s of tokens that are not compared.\n",
			count(c.Ignored, "amount is", "amounts are")); err != nil {
			return err
		}
	}
	if err := writeDifferences(env, c); err != nil {
		return err
	}
	return writeStopped(env, c)
}

func writeDifferences(env *Env, c store.Comparison) error {
	if len(c.Differences) == 0 {
		return nil
	}
	found := newGrid(text("account"), figure("here"), figure("there"), figure("missing there"),
		text("what could explain it"))
	for _, d := range c.Differences {
		account := string(d.Account)
		if d.Kind == reconcile.Payouts {
			account += ", payout"
		}
		found.add(account, withUnit(d.Asset, d.Ours), withUnit(d.Asset, d.Theirs),
			ledger.FormatBig(d.Missing(), d.Asset.Scale)+" "+d.Asset.Symbol, causeText(d))
	}
	if err := env.printf("\n"); err != nil {
		return err
	}
	return found.write(env.Stdout)
}

// writeStopped says which tokens are not paid, which were resolved, and of which no day is paid without a comparison.
func writeStopped(env *Env, c store.Comparison) error {
	if stopped := c.Stopped(); stopped != nil {
		later := "a later reconciliation"
		if c.Scheduled {
			later = "a later one with what \"reconcile set\" names"
		}
		if err := env.printf("\nOver the limit: %s. It is not paid until that is resolved, or %s is within the limit.\n",
			strings.Join(stopped, " "), later); err != nil {
			return err
		}
	}
	var wait []string
	for i, t := range c.Tokens {
		if t.Limit.Waits && (i == 0 || c.Tokens[i-1].Asset != t.Asset) {
			wait = append(wait, t.Asset.Symbol)
		}
	}
	if wait != nil {
		if err := env.printf("\nNo day is paid before it is compared: %s.\n", strings.Join(wait, " ")); err != nil {
			return err
		}
	}
	for i, t := range c.Tokens {
		if t.Resolved.IsZero() || i > 0 && c.Tokens[i-1].Asset == t.Asset {
			continue
		}
		if err := env.printf("\n%s was resolved on %s UTC by %s: %s\n", t.Asset.Symbol, wallTime(t.Resolved), t.ResolvedBy,
			t.ResolvedWhy); err != nil {
			return err
		}
	}
	return nil
}

// shortRoot is the beginning of a root, as much as a person compares.
func shortRoot(s reconcile.Side) string { return s.Root.String()[:10] }

// causeText is a cause as a sentence.
func causeText(d store.ComparedDifference) string {
	c := d.Cause
	switch payout := d.Kind == reconcile.Payouts; {
	case payout && c.Kind == reconcile.CauseChange:
		return "acknowledged with another amount, or credited with others: " + c.Entry
	case payout && c.Kind == reconcile.CauseNone:
		return "no payout here"
	}
	switch c.Kind {
	case reconcile.CausePayout:
		others := ""
		if c.More > 0 {
			others = fmt.Sprintf(" and %d more", c.More)
		}
		return "not credited there: " + c.Entry + others
	case reconcile.CauseHere:
		return "as much, perhaps not there: " + c.Entry + ", " + clockTime(c.At)
	case reconcile.CauseLater:
		return "as much, later here: " + c.Entry + ", " + clockTime(c.At)
	case reconcile.CauseChange:
		return "the first change of the day: " + c.Entry + ", " + clockTime(c.At)
	case reconcile.CauseMany:
		return "so much moved that day that not all of it is looked at"
	case reconcile.CauseNobody:
		return "the books have no such account"
	case reconcile.CauseNone:
		return "nothing moved here that day"
	}
	return "not looked for: there are too many"
}

type reconcileListCmd struct {
	Limit int  `default:"30" help:"How many at most; 0: all."`
	JSON  bool `help:"Print a JSON array."`
}

func (c *reconcileListCmd) Help() string {
	return `Example:

  softstake reconcile list`
}

func (c *reconcileListCmd) Run(env *Env) error {
	if c.Limit < 0 {
		return usage("--limit is 0 or more")
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		_, _, err := list[store.Comparison]{
			json: c.JSON,
			columns: []col{figure("number"), text("day"), text("made (UTC)"), text("by"), text("figures of"),
				figure("differences"), text("stops paying")},
			item: func(r store.Comparison) (any, []string) {
				return formatComparison(r), []string{strconv.FormatInt(r.Number, 10), r.Day.String(), wallTime(r.MadeAt),
					r.By.Credential, r.Source, strconv.FormatInt(r.Differing(), 10), stoppedText(r)}
			},
			none: "Nothing was reconciled yet.\n",
		}.printPages(env, c.Limit, func(after store.Comparison, most int) ([]store.Comparison, error) {
			return reports.New(db.Reader()).Comparisons(ctx, after.Number, most)
		})
		if err == nil && !c.JSON {
			err = writeAwaited(ctx, env, reports.New(db.Reader()))
		}
		return err
	})
}

// writeAwaited says which days wait to be compared.
func writeAwaited(ctx context.Context, env *Env, rs *reports.Reports) error {
	tokens, err := rs.TokenStatus(ctx)
	for _, t := range tokens {
		if err == nil && errors.Is(t.Waiting, staking.ErrUncompared) {
			err = env.printf("\n%s of %s waits to be compared.\n", t.Asset, t.PaidThrough+1)
		}
	}
	return err
}

// figuresText says where figures came from.
func figuresText(source string) string {
	switch source {
	case reports.Nightly:
		return "each night"
	case store.FromLedger:
		return "figures of a database"
	}
	return "figures of a " + source
}

// stoppedText are the tokens that a comparison stops.
func stoppedText(c store.Comparison) string {
	return cmp.Or(strings.Join(c.Stopped(), " "), none)
}

type reconcileShowCmd struct {
	Number int64 `arg:"" help:"Number, as \"reconcile list\" names it."`
	Limit  int   `default:"100" help:"How many differences to list at most, up to 10000."`
	JSON   bool  `help:"Print a JSON object."`
}

func (c *reconcileShowCmd) Help() string {
	return `Example:

  softstake reconcile show 12`
}

func (c *reconcileShowCmd) Run(env *Env) error {
	if c.Limit < 0 || c.Limit > store.MostDifferences {
		return usage("--limit is from 0 to %d", store.MostDifferences)
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		rs := reports.New(db.Reader())
		found, err := rs.Comparison(ctx, c.Number)
		if err == nil {
			found.Differences, err = rs.ComparedDifferences(ctx, c.Number, reports.DifferenceKey{}, c.Limit)
		}
		switch {
		case err != nil:
			return err
		case c.JSON:
			return writeJSON(env.Stdout, formatComparison(found))
		}
		return writeComparison(env, found)
	})
}

// reconciledState is what is to be said of reconciliations in the status.
type reconciledState struct {
	breaks   []store.Break
	compared []reports.Compared
	state    reports.ComparisonState
}

func readReconciled(ctx context.Context, rs *reports.Reports) (s reconciledState, err error) {
	if s.breaks, err = rs.Breaks(ctx); err != nil {
		return s, err
	}
	if s.compared, err = rs.LastCompared(ctx); err != nil {
		return s, err
	}
	s.state, err = rs.ComparisonState(ctx)
	return s, err
}

type (
	reconciledJSON struct {
		Nightly bool              `json:"nightly"`
		Failing *instant          `json:"failingSince"` // null: the last one did not fail
		Fault   string            `json:"fault,omitempty"`
		Tokens  []lastComparedOut `json:"tokens"`
	}
	lastComparedOut struct {
		Asset     string      `json:"asset"`
		Source    string      `json:"source"` // "nightly", or as that of a reconciliation
		Day       staking.Day `json:"day"`
		Number    int64       `json:"number"`
		Differing int64       `json:"differing"`
		Stops     bool        `json:"stops"`
	}
)

// format is nil where nothing was ever compared, and nothing is each night.
func (s reconciledState) format() *reconciledJSON {
	if s.compared == nil && !s.state.Source.On() {
		return nil
	}
	out := reconciledJSON{Nightly: s.state.Source.On(), Failing: instantOrNull(s.state.Schedule.Failed),
		Fault: s.state.Schedule.Fault, Tokens: []lastComparedOut{}}
	for _, c := range s.compared {
		out.Tokens = append(out.Tokens, lastComparedOut{c.Asset, c.Source, c.Day, c.Number, c.Differences,
			slices.ContainsFunc(s.breaks, func(b store.Break) bool { return b.Asset == c.Asset })})
	}
	return &out
}

// write says when what was compared, and what differs.
func (s reconciledState) write(env *Env) (err error) {
	type night struct {
		day    staking.Day
		number int64
		source string
	}
	tokens, differ := map[night][]string{}, map[night][]string{}
	var nights []night
	for _, c := range s.compared {
		n := night{c.Day, c.Number, c.Source}
		if tokens[n] == nil {
			nights = append(nights, n)
		}
		tokens[n] = append(tokens[n], c.Asset)
		if c.Differences > 0 {
			differ[n] = append(differ[n], c.Asset)
		}
	}
	for _, n := range nights {
		says := "the other ledger says the same"
		if differ[n] != nil {
			says = strings.Join(differ[n], " ") + " differs: see \"softstake reconcile show " + strconv.FormatInt(n.number, 10) +
				"\""
		}
		err = cmp.Or(err, env.printf("\nReconciled at the end of %s, %s: %s; %s.\n", n.day, figuresText(n.source),
			strings.Join(tokens[n], " "), says))
	}
	if failed := s.state.Schedule.Failed; !failed.IsZero() {
		err = cmp.Or(err, env.printf("\nThe nightly reconciliation fails since %s UTC: %s.\n", wallTime(failed),
			redact(s.state.Schedule.Fault)))
	}
	return err
}
