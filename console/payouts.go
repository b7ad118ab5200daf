package console

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
)

// payouts are what another ledger is to credit: where they are delivered to, what is not credited, and what a person
// has resolved.
var payouts = register{
	Name: "payouts", apart: true, roles: access.StaffRoles, tables: (*visit).payoutsTables,
	forms: []registerForm{{"answer", "payouts answer", (*visit).answerFields, (*submission).answerPayout}},
}

const (
	// mostPayouts is how many payouts a list has.
	mostPayouts = 50
	// undeliveredFrom is from when on what is not delivered needs somebody.
	undeliveredFrom = 10 * time.Minute
)

// payoutStates are how far another ledger is, and where payouts and events are delivered to.
type payoutStates struct {
	Tokens          []reports.PayoutState
	Targets, Topics []reports.Target // of payouts, and of events
	now             time.Time
}

func (v *visit) payoutStates() (s payoutStates, err error) {
	s.now = v.Books.Now()
	if s.Tokens, err = v.Reports.PayoutStates(v.context()); err == nil {
		s.Targets, err = v.Reports.TargetsOf(v.context(), store.PayoutStream)
	}
	if err == nil {
		s.Topics, err = v.Reports.TargetsOf(v.context(), store.EventStream)
	}
	return s, err
}

// Any reports whether there is anything of payouts to show.
func (s payoutStates) Any() bool { return len(s.Tokens)+len(s.Targets) > 0 }

// needed is how many of them need somebody.
func (s payoutStates) needed() (n int) {
	for _, t := range s.Tokens {
		if t.Refused > 0 {
			n++
		}
	}
	for _, t := range slices.Concat(s.Targets, s.Topics) {
		if s.late(t) {
			n++
		}
	}
	return n
}

// late reports whether something waits for a target for long, or is not kept any more.
func (s payoutStates) late(t reports.Target) bool {
	return t.Lost || !t.Oldest.IsZero() && s.now.Sub(t.Oldest) >= undeliveredFrom
}

// targetTable is where payouts are delivered to.
func (p *view) targetTable(s payoutStates) table {
	return p.deliveries(s, "payouts.targets", s.Targets)
}

// topicTable is where events are delivered to.
func (p *view) topicTable(s payoutStates) table { return p.deliveries(s, "webhooks.topics", s.Topics) }

func (p *view) deliveries(s payoutStates, title string, targets []reports.Target) table {
	t := table{Title: title, Empty: title + ".none", Columns: []column{{"payouts.target", false},
		{"payouts.number", true}, {"payouts.backlog", true}, {"payouts.delivering", false}}}
	for _, target := range targets {
		waiting, state := text(p.count(target.Backlog)), text(p.T("payouts.delivering.yes"))
		if !target.Oldest.IsZero() {
			waiting.Note = p.UTC(target.Oldest)
		}
		if !target.Failed.IsZero() {
			state = cell{Text: target.Error, Note: p.UTC(target.Failed), Stored: true}
		}
		if s.late(target) {
			state.Mark = p.T("payouts.late")
		}
		moved := text(strconv.FormatInt(target.Number, 10)) // as commands take it
		if !target.Moved.IsZero() {
			moved.Note = p.UTC(target.Moved)
		}
		name := cell{Text: target.Name, Note: target.Address}
		if target.Kinds != "" {
			name.Note = target.Address + " (" + strings.ReplaceAll(target.Kinds, ",", ", ") + ")"
		}
		t.Rows = append(t.Rows, row{name, moved, waiting, state})
	}
	return t
}

// tokenPayouts are the tokens with payouts that are not credited.
func (p *view) tokenPayouts(s payoutStates) table {
	t := table{Title: "payouts.tokens", Empty: "payouts.tokens.none", Columns: []column{{"terms.token", false},
		{"payouts.unanswered", true}, {"payouts.since", false}, {"payouts.refused", true}}}
	for _, of := range s.Tokens {
		since, refused := text("–"), text(p.count(of.Refused))
		if !of.Oldest.IsZero() {
			since.Text = p.UTC(of.Oldest)
		}
		if of.Refused > 0 {
			refused.Mark = p.T("payouts.decide")
		}
		t.Rows = append(t.Rows, row{text(of.Asset), text(p.count(of.Waiting)), since, refused})
	}
	return t
}

func (v *visit) payoutsTables() ([]table, error) {
	p := v.view("")
	s, err := v.payoutStates()
	if err != nil {
		return nil, err
	}
	tables := []table{p.targetTable(s), p.tokenPayouts(s)}
	if !v.may(seesEntries) {
		return tables, nil
	}
	refused, err := v.Reports.OpenPayouts(v.context(), 0, mostPayouts, true)
	if err != nil {
		return nil, err
	}
	open, err := v.Reports.OpenPayouts(v.context(), 0, mostPayouts, false)
	if err != nil {
		return nil, err
	}
	assets, err := v.assets()
	return append(tables, p.payoutTable("payouts.list.refused", refused, assets),
		p.payoutTable("payouts.list.open", open, assets)), err
}

// payoutTable is a list of payouts that are not credited.
func (p *view) payoutTable(title string, all []reports.Payout, assets map[string]ledger.Asset) table {
	t := table{Title: title, Empty: title + ".none", Columns: []column{{"withdrawal.account", false},
		{"payouts.number", true}, {"account.amount", true}, {"payouts.paid", false}, {"payouts.answer", false}}}
	for _, o := range all {
		answer := text("–")
		if o.Refused != "" {
			answer = cell{Text: o.Refused, Note: p.UTC(o.Answered), Stored: true}
		}
		amount := text(p.amount(assets[o.Due.Asset], o.Amount).of(o.Due.Asset))
		number := text(strconv.FormatInt(o.Number, 10))
		t.Rows = append(t.Rows, row{{Text: string(o.Account), Link: accountPath(o.Account), Note: o.ID}, number, amount,
			text(p.UTC(o.Paid)), answer})
	}
	return t
}

func (v *visit) answerFields() ([]field, error) {
	return []field{{Name: "payout", Key: "payouts.payout", Hint: "payouts.payout.hint", Required: true},
		{Name: "transaction", Key: "payouts.transaction", Hint: "payouts.transaction.hint"},
		{Name: "refused", Key: "payouts.why"}}, nil
}

// answerPayout keeps for the other ledger that it has credited a payout, or refuses it.
func (s *submission) answerPayout(f *ui.Form) error {
	outcomes, err := s.Books.AnswerPayouts(s.context(), []store.PayoutAnswer{{Payout: typed(f, "payout"),
		Transaction: typed(f, "transaction"), Refused: typed(f, "refused")}})
	if err == nil {
		err = outcomes[0].Err
	}
	return err
}
