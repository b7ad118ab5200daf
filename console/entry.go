package console

import (
	"errors"
	"net/http"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
)

// entryPage is an entry with both sides of its moves.
type entryPage struct {
	*view
	E        reports.Posted
	Moves    table
	Proposed table // without rows where the visitor's role does not see proposals
}

// mostMoves is how many moves of an entry a page shows.
const mostMoves = 500

func (v *visit) entry() error {
	e, err := v.Reports.Posted(v.context(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	assets, err := v.assets()
	if err != nil {
		return err
	}
	p := entryPage{view: v.view("entry.title"), E: e, Moves: table{Title: "entry.moves", Empty: "entry.moves.none",
		Columns: []column{{"entry.from", false}, {"entry.to", false}, {"account.amount", true}}}}
	if p.Proposed, err = v.proposalsAbout(store.ProposalsAsked{Entry: e.ID}); err != nil {
		return err
	}
	for _, m := range e.Moves[:min(len(e.Moves), mostMoves)] {
		p.Moves.Rows = append(p.Moves.Rows, row{side(m.From), side(m.To),
			text(p.amount(assets[m.Asset], m.Amount).of(m.Asset))})
	}
	return v.show("entry", p)
}

// side is one side of a move: a holder's leads to the account.
func side(id ledger.Account) cell {
	if owner := id.Owner(); owner.CheckHolder() == nil {
		return link(string(id), accountPath(owner))
	}
	return text(string(id))
}

// dayPage is a day of the books.
type dayPage struct {
	*view
	Of     staking.Day
	Open   bool
	Before string // the page of the day before, or ""
	After  string // that of the day after, or ""
	Totals table
	Late   int         // events that came when the day was closed
	Events table       // the first of them, for those who see entries
	Over   []overLimit // what waits for approval
	May    bool        // the visitor's role may approve them, or propose that
	F      *ui.Form
}

// overLimit is a token whose rewards of the day are over a limit.
type overLimit struct {
	Asset string
	Why   string // the total and the limit, as the books say it
}

func (v *visit) day() error { return v.showDay(http.StatusOK, ui.EmptyForm()) }

func (v *visit) showDay(status int, f *ui.Form) error {
	d, err := staking.ParseDay(v.r.PathValue("day"))
	today := staking.DayOf(v.Books.Now())
	if err != nil || d < v.Books.FirstDay() || d > today {
		return ledger.ErrNotFound
	}
	open, err := v.Reports.FirstOpen(v.context())
	if err != nil {
		return err
	}
	assets, err := v.assets()
	if err != nil {
		return err
	}
	totals, err := v.Reports.DayTotals(v.context(), d, d)
	if err != nil {
		return err
	}
	prices, err := v.Reports.PricesFor(v.context(), d)
	if err != nil {
		return err
	}
	p := dayPage{view: v.view("day.title"), Of: d, Open: d >= open, F: f,
		May: control.Check(control.ApproveDay, v.actor) == nil}
	tokens, err := v.Reports.TokenStatus(v.context())
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if over, is := errors.AsType[*ledger.Error](t.Waiting); is && t.PaidThrough+1 == d && over.Kind == staking.ErrLimit {
			p.Over = append(p.Over, overLimit{t.Asset, over.Detail})
		}
	}
	p.Totals = table{Title: "day.totals", Empty: "day.totals.none", Columns: []column{{"terms.token", false},
		{"day.holders", true}, {"day.total", true}, {"day.price", true}}}
	for _, t := range totals {
		price := text("–")
		if known, there := prices[t.Asset]; there {
			price = text(p.price(known.Price))
		}
		p.Totals.Rows = append(p.Totals.Rows, row{text(t.Asset), text(t.Holders), text(p.amount(assets[t.Asset], t.Total)),
			price})
	}
	if err := p.fillLate(assets); err != nil {
		return err
	}
	if d > v.Books.FirstDay() {
		p.Before = dayPath(d - 1)
	}
	if d < today {
		p.After = dayPath(d + 1)
	}
	return v.showAs(status, "day", p)
}

// fillLate adds the events of sources that came when the day was closed.
func (p *dayPage) fillLate(assets map[string]ledger.Asset) (err error) {
	v := p.visit
	n, err := v.Reports.LateCountOf(v.context(), p.Of)
	if p.Late = int(n); err != nil || n == 0 || !v.may(seesEntries) {
		return err
	}
	late, err := v.Reports.LateEventsOf(v.context(), p.Of, mostLate)
	p.Events = table{Title: "streams.late", Empty: "streams.late.none", Columns: []column{{"entry.id", false},
		{"withdrawal.account", false}, {"account.amount", true}, {"streams.at", false}, {"entry.at", false}}}
	for _, e := range late {
		p.Events.Rows = append(p.Events.Rows, row{link(e.Entry, entryPath(e.Entry)), side(e.Account),
			text(p.signed(assets[e.Asset], e.Amount).of(e.Asset)), text(p.UTC(e.At)), text(p.UTC(e.Dated))})
	}
	return err
}

// dayPath is the page of a day.
func dayPath(d staking.Day) string { return Path + "/days/" + d.String() }

// approveDay approves that a token's rewards of a day are over a limit, or proposes that.
func (s *submission) approveDay() error {
	d, err := staking.ParseDay(s.r.PathValue("day"))
	if err != nil {
		return ledger.ErrNotFound
	}
	f := s.form()
	at, err := s.orPropose(s.Books.Approve(s.context(), d, f.Value("asset")), f.Value("reason"))
	switch {
	case err == nil && at != "":
		return s.see(at)
	case err == nil:
		return s.see(dayPath(d))
	case s.fault(f, err):
		return s.showDay(http.StatusUnprocessableEntity, f)
	}
	return err
}
