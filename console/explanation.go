package console

import (
	"errors"
	"math/big"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/ui"
)

// explanationPage is how a reward came about.
type explanationPage struct {
	*view
	Account       ledger.Account
	On            string // the day
	E             reports.Explanation
	Chart         ui.DayChart
	Sum           table // without rows where nothing is earned
	Changes       table
	Compensations table
	Before, After string // the pages of the nearest days with a reward, or ""
}

// explanation explains a token's day of an account, rewarded or not.
func (v *visit) explanation() error {
	id := ledger.Account(v.r.PathValue("account"))
	d, err := staking.ParseDay(v.r.PathValue("day"))
	if err != nil {
		return ledger.ErrNotFound
	}
	symbol := v.r.PathValue("asset")
	if err := v.logRead(id, "reward "+d.String()+" "+symbol); err != nil {
		return err
	}
	e, err := v.Reports.Explain(v.context(), id, d, symbol)
	if errors.Is(err, ledger.ErrInvalid) { // no day of these books
		err = ledger.ErrNotFound
	}
	if err != nil {
		return err
	}
	p := explanationPage{view: v.view("explanation.title"), Account: id, E: e}
	p.On, p.Chart = p.Day(d), p.DayChart(e, v.Books.Now())
	p.Sum, p.Changes, p.Compensations = p.sumTable(), p.changesTable(), p.compensationsTable()
	before, after, err := v.Reports.NearRewards(v.context(), id, d, symbol)
	if before > 0 {
		p.Before = explanationPath(id, before, symbol)
	}
	if after > 0 {
		p.After = explanationPath(id, after, symbol)
	}
	if err != nil {
		return err
	}
	return v.show("explanation", p)
}

// explanationPath is the page that explains a token's day of an account.
func explanationPath(id ledger.Account, d staking.Day, asset string) string {
	return accountPath(id) + "/rewards/" + d.String() + "/" + asset
}

func (p explanationPage) changesTable() table {
	t := table{Title: "explanation.changes", Empty: "explanation.changes.none", Columns: []column{{"log.at", false},
		{"account.what", false}, {"account.amount", true}, {"account.balance", true}, {"account.other", false}}}
	for _, c := range p.E.Changes {
		t.Rows = append(t.Rows, row{text(p.UTC(c.At)), link(string(c.Kind), entryPath(c.Entry)),
			text(p.signed(p.E.Asset, c.Amount)), text(p.amount(p.E.Asset, c.Balance)), side(c.Other)})
	}
	return t
}

func (p explanationPage) compensationsTable() table {
	t := table{Title: "explanation.compensations", Columns: []column{{"log.at", false}, {"entry.id", false},
		{"account.amount", true}}}
	for _, c := range p.E.Compensations {
		t.Rows = append(t.Rows, row{text(p.UTC(c.At)), link(c.Entry, entryPath(c.Entry)),
			text(p.signed(p.E.Asset, c.Amount))})
	}
	return t
}

// sumTable is the sum as one writes it on paper, from the balance over the day to the reward and what is carried on.
func (p explanationPage) sumTable() table {
	t := table{Title: "explanation.sum", Columns: []column{{"explanation.step", false}, {"explanation.working", true},
		{"account.amount", true}}}
	if !p.E.Earned {
		return t
	}
	add := func(key, working string, amount figure, pairs ...any) {
		t.Rows = append(t.Rows, row{text(p.T(key, pairs...)), text(working), text(amount)})
	}
	paper, m, seconds := p.E.Paper(), p.E.Measured, p.T("explanation.seconds", "token", p.E.Asset.Symbol)
	product := func(n *big.Int) figure { return figure{number: p.Number(ledger.FormatBig(n, p.E.Asset.Scale+3))} }
	if !p.E.OnlyShares {
		add(ui.TextBy(p.E.Terms.Measure, "explanation.integral"), seconds, product(paper.Integral))
		if p.Joint() {
			add("explanation.together", seconds, product(paper.Together))
		}
		if p.E.Weighing == nil {
			add("explanation.interest", p.days(paper.Earning)+" × "+p.Number(m.APR.String())+" ÷ 365",
				figure{number: p.exact(paper.Interest)})
		}
	}
	if w := p.E.Weighing; w != nil {
		mine, all := w.Whole()
		add("explanation.weight", seconds, product(mine))
		if all.Sign() > 0 {
			add("explanation.weight.all", seconds, product(all))
		}
		if w.EstimateKnown {
			add("explanation.estimate", "", p.amount(p.E.Asset, w.Estimate))
		}
	}
	for _, s := range paper.Shares {
		working := p.exact(s.Pool) + " × " + s.Mine.String() + " ÷ " + s.All.String()
		if s.Budget != nil {
			add("explanation.campaign", working, figure{number: p.exact(s.Parts)}, "title", s.Budget.Campaign.Title)
			continue
		}
		add("explanation.share", working, figure{number: p.exact(s.Parts)}, "first", p.Day(s.First), "last", p.Day(s.Last))
	}
	if p.E.Weighing == nil || len(paper.Shares) > 0 {
		add("explanation.before", "", figure{number: p.exact(big.NewInt(int64(m.Before)))})
		add("explanation.numerator", "", figure{number: p.exact(paper.Numerator)})
		add("explanation.rounded", "", p.amount(p.E.Asset, m.Reward))
		add("explanation.carry", "", figure{number: p.exact(big.NewInt(int64(m.Carry)))})
	}
	return t
}

// beyond is how many digits below the smallest unit are shown of an amount before rounding.
const beyond = 8

// exact formats parts of a smallest unit in whole tokens, with dots where more digits follow.
func (p explanationPage) exact(units *big.Int) string {
	return p.dotted(reports.UnitsDecimal(units, p.E.Asset.Scale, beyond))
}

// days formats smallest units × milliseconds in whole tokens over a day, likewise.
func (p explanationPage) days(integral *big.Int) string {
	return p.dotted(reports.DaysDecimal(integral, 1, p.E.Asset.Scale, 0))
}

func (p explanationPage) dotted(decimal string, exact bool) string {
	if exact {
		return p.Number(decimal)
	}
	return p.Number(decimal) + more
}

// Joint reports whether minimum and cap are compared with what the owner's accounts hold together.
func (p explanationPage) Joint() bool { return p.E.Together != (staking.Integral{}) }

// Average is what is compared with the minimum: the owner's, where Joint.
func (p explanationPage) Average() string {
	compared, _ := p.E.Compared()
	return p.Plain(p.E.Asset, compared)
}
