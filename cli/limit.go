package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type limitCmd struct {
	Set  limitSetCmd  `cmd:"" help:"Set a token's limits."`
	List limitListCmd `cmd:"" help:"List the limits."`

	History     limitHistoryCmd     `cmd:"" help:"List the limits as they were set, by whom and why."`
	SetAccount  limitSetAccountCmd  `cmd:"" help:"Set how much of a token leaves an account on a day."`
	ListAccount limitListAccountCmd `cmd:"" help:"List how much leaves an account on a day."`
}

type limitSetCmd struct {
	Asset      string  `arg:"" help:"Token."`
	Total      *string `placeholder:"AMOUNT" help:"A day's total above which it needs approval; 0: no limit."`
	Change     *string `placeholder:"PERCENT" help:"Change against the day before above which it waits, such as 25 or 0.5; 0: no limit."`
	Withdrawal *string `placeholder:"AMOUNT" help:"With four eyes: a withdrawal from which on completing it needs approval; 0: none does."`
	APR        *string `name:"apr" placeholder:"RATE" help:"The highest APR that terms may have, such as 0.2; 0: no limit."`
	Inflow     *string `placeholder:"AMOUNT" help:"What may be brought in on a day; 0: no limit."`
}

func (c *limitSetCmd) Help() string {
	return `A day over a limit waits until a person approves it (softstake settle --approve DAY TOKEN) or corrects its terms. A change is that of a day's total, up or down; in the mode share it is that of the rate, and only up. A day below a hundredth of the limit of its total is not compared. What is not given stays.

Withdrawals below --withdrawal are added up over a day (UTC), of an account, of a destination and of a member of staff who completes them.

--inflow counts deposits of credentials without a ceiling of their own, opening balances (load), imports, income, corrections, and what is put into the pool (fund) or back into the fees, on the day (UTC) on which they are posted. Above it income, corrections, fund and fees return need approval, or are refused without four eyes; the rest is refused. To load the balances of an exchange, raise it for that day.

New books and new tokens begin with limits; books from before keep theirs, and have neither --apr nor --inflow until they are set.

Example:

  softstake limit set BNB --total 100 --change 25`
}

func (c *limitSetCmd) Run(env *Env) error {
	if *c == (limitSetCmd{Asset: c.Asset}) {
		return usage("say what to limit: --total, --change, --withdrawal, --apr or --inflow")
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		asset, err := db.Asset(ctx, c.Asset)
		if err != nil {
			return err
		}
		limits, err := reports.New(db.Reader()).Limits(ctx)
		if err != nil {
			return err
		}
		l := staking.Limit{Asset: c.Asset}
		if i := slices.IndexFunc(limits, func(l staking.Limit) bool { return l.Asset == c.Asset }); i >= 0 {
			l = limits[i]
		}
		for _, set := range []struct {
			given *string
			limit *ledger.Amount
		}{{c.Total, &l.MaxTotal}, {c.Withdrawal, &l.MaxWithdrawal}, {c.Inflow, &l.MaxInflow}} {
			if set.given == nil {
				continue
			}
			if *set.limit, err = asset.Parse(*set.given); err != nil {
				return err
			}
		}
		if c.Change != nil {
			if l.MaxChange, err = ledger.ParseDecimal(*c.Change, percentScale); err != nil {
				return err
			}
		}
		if c.APR != nil {
			if l.MaxAPR, err = staking.ParseRate(*c.APR); err != nil {
				return err
			}
		}
		return env.done(db.SetLimit(ctx, l), "%s\n", limitSentence(asset, l))
	})
}

// percentScale is how many decimals of a percentage are kept.
const percentScale = 2

// limitSentence is what a limit means.
func limitSentence(a ledger.Asset, l staking.Limit) string {
	var limits []string
	if l.MaxTotal > 0 {
		limits = append(limits, "a total above "+withUnit(a, l.MaxTotal))
	}
	if l.MaxChange > 0 {
		limits = append(limits, "a change above "+limitChange(l))
	}
	var sentences []string
	say := func(format string, args ...any) { sentences = append(sentences, fmt.Sprintf(format, args...)) }
	if limits != nil {
		say("A day of %s with %s needs approval.", l.Asset, strings.Join(limits, " or "))
	}
	if l.MaxWithdrawal > 0 {
		say("With four eyes, a withdrawal of %s or more needs approval.", withUnit(a, l.MaxWithdrawal))
	}
	if l.MaxAPR > 0 {
		say("Terms have an APR of at most %s.", l.MaxAPR)
	}
	if l.MaxInflow > 0 {
		say("At most %s may be brought in on a day.", withUnit(a, l.MaxInflow))
	}
	if sentences == nil {
		return l.Asset + " has no limit."
	}
	return strings.Join(sentences, " ")
}

func amountOrNone(a ledger.Asset, n ledger.Amount) string {
	if n == 0 {
		return none
	}
	return withUnit(a, n)
}

func limitChange(l staking.Limit) string {
	if l.MaxChange == 0 {
		return none
	}
	return ledger.FormatDecimal(l.MaxChange, percentScale) + " %"
}

type limitListCmd struct {
	JSON bool `help:"Print a JSON array."`
}

func (c *limitListCmd) Help() string {
	return `Example:

  softstake limit list`
}

type limitJSON struct {
	Asset  string `json:"asset"`
	Total  string `json:"maxTotal"`
	Change string `json:"maxChange"`

	Withdrawal string `json:"maxWithdrawal"`
	APR        string `json:"maxApr"`
	Inflow     string `json:"maxInflow"`
}

// limitColumns are those of limitRow.
var limitColumns = []col{text("token"), figure("a day's total"), figure("change"), figure("a withdrawal"),
	figure("APR"), figure("a day's inflow")}

// limitRow is a limit as JSON, and as a row of a table.
func (a assets) limitRow(l staking.Limit) (limitJSON, []string) {
	rate := none
	if l.MaxAPR > 0 {
		rate = l.MaxAPR.String()
	}
	return limitJSON{l.Asset, a.plain(l.Asset, l.MaxTotal), ledger.FormatDecimal(l.MaxChange, percentScale),
			a.plain(l.Asset, l.MaxWithdrawal), l.MaxAPR.String(), a.plain(l.Asset, l.MaxInflow)},
		[]string{l.Asset, amountOrNone(a[l.Asset], l.MaxTotal), limitChange(l),
			amountOrNone(a[l.Asset], l.MaxWithdrawal), rate, amountOrNone(a[l.Asset], l.MaxInflow)}
}

func (c *limitListCmd) Run(env *Env) error {
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) error {
		limits, err := reports.New(db.Reader()).Limits(ctx)
		return list[staking.Limit]{
			json:    c.JSON,
			columns: limitColumns,
			item: func(l staking.Limit) (any, []string) {
				of, row := a.limitRow(l)
				return of, row
			},
			none: "No token has a limit.\n",
		}.print(env, limits, err)
	})
}

type limitHistoryCmd struct {
	JSON bool `help:"Print a JSON array."`
}

func (c *limitHistoryCmd) Help() string {
	return `The newest first, of each token. Who set them is the approver's credential where they were proposed: "softstake proposal show ID" has the proposer.

Example:

  softstake limit history`
}

type limitRevisionJSON struct {
	limitJSON
	SetAt    string `json:"setAt"`
	SetBy    string `json:"setBy"`
	Proposal string `json:"proposal"`
	Reason   string `json:"reason"`
}

func (c *limitHistoryCmd) Run(env *Env) error {
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) error {
		all, err := reports.New(db.Reader()).LimitHistory(ctx)
		return list[store.LimitRevision]{
			json:    c.JSON,
			columns: append(slices.Clone(limitColumns), text("set at"), text("by"), text("proposal"), text("reason")),
			item: func(r store.LimitRevision) (any, []string) {
				of, row := a.limitRow(r.Limit)
				return limitRevisionJSON{of, ledger.FormatTime(r.SetAt), r.SetBy, r.Proposal, r.Reason},
					append(row, clockTime(r.SetAt), r.SetBy, cmp.Or(r.Proposal, none), cmp.Or(r.Reason, none))
			},
			none: "No token ever had a limit.\n",
		}.print(env, all, err)
	})
}
