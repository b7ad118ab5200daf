package console

import (
	"context"
	"strconv"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
)

// Who sees what a holder has: support one holder at a time, and each look is logged; viewers and admins only what is
// proposed.
var (
	seesHolders = []access.Role{access.Support, access.Operator, access.Approver, access.Treasurer, access.Auditor}
	// Entries and withdrawals of all holders, one beside the other.
	seesEntries = []access.Role{access.Operator, access.Approver, access.Treasurer, access.Auditor}
	// Proposals say what is to be done to a holder, and the log what was.
	seesProposals = []access.Role{access.Viewer, access.Operator, access.Approver, access.Treasurer, access.Auditor,
		access.Admin}
	seesLog = []access.Role{access.Operator, access.Approver, access.Treasurer, access.Auditor, access.Admin}
)

// loginReader finds holders by their e-mail address.
type loginReader interface {
	Login(ctx context.Context, email string) (people.Login, error)
	Logins(ctx context.Context, id ledger.Account) ([]people.Login, error)
	StaffSessions(ctx context.Context, email string) ([]access.StaffSession, error)
	AllStaffSessions(ctx context.Context) ([]access.StaffSession, error)
	Factors(ctx context.Context, subject string) (people.Factors, error)
	Tokens(ctx context.Context) ([]access.Token, error)
	UnlimitedTokens(ctx context.Context) ([]access.Token, error)
	Staff(ctx context.Context) ([]access.Staff, error)
	StaffMember(ctx context.Context, email string) (access.Staff, error)
}

// keeper is all that a page may write: that support has looked at a holder.
type keeper interface {
	LogRead(ctx context.Context, by access.Actor, id ledger.Account, what string) error
}

// readLog is the keeper of some books.
type readLog struct{ books *store.DB }

// LogRead writes into the log that the actor has looked at something of a holder.
func (r readLog) LogRead(ctx context.Context, by access.Actor, id ledger.Account, what string) error {
	return r.books.As(by).LogRead(ctx, id, what)
}

// logRead logs a look of support. Those of other roles, who see all holders, are not logged.
func (v *visit) logRead(id ledger.Account, what string) error {
	if v.actor.Role != access.Support {
		return nil
	}
	return v.keeper.LogRead(v.context(), v.actor.In(v.caller.Request), id, what)
}

// accountPage is what there is to say of an account.
type accountPage struct {
	*view
	A        store.Account
	Logins   []people.Login
	On       bool // the switch is
	Balances table
	Journal  table
	Older    string // the page of the older lines, or ""
	Switch   table
	Rewards  table
	Waiting  table // withdrawals
	Proposed table // without rows where the visitor's role does not see proposals
}

// shownOf is how many of each list a page of an account has.
const shownOf = 20

func (v *visit) account() error {
	id := ledger.Account(v.r.PathValue("account"))
	a, err := v.Books.Account(v.context(), id)
	if err != nil {
		return err
	}
	if err := v.logRead(id, "account"); err != nil {
		return err
	}
	p := accountPage{view: v.view("account.title"), A: a}
	if p.Logins, err = v.Logins.Logins(v.context(), id); err != nil {
		return err
	}
	assets, err := v.assets()
	if err != nil {
		return err
	}
	for _, fill := range []func(map[string]ledger.Asset) error{p.fillBalances, p.fillJournal, p.fillSwitch, p.fillRewards,
		p.fillWithdrawals} {
		if err := fill(assets); err != nil {
			return err
		}
	}
	if p.Proposed, err = v.proposalsAbout(store.ProposalsAsked{Account: id}); err != nil {
		return err
	}
	return v.show("account", p)
}

func (p *accountPage) fillBalances(assets map[string]ledger.Asset) error {
	balances, err := p.visit.Reports.Balances(p.visit.context(), p.A.ID)
	p.Balances = table{Title: "account.balances", Empty: "account.balances.none", Columns: []column{{"terms.token", false},
		{"account.free", true}, {"account.held", true}, {"account.earned", true}}}
	for _, b := range balances {
		a := assets[b.Asset]
		p.Balances.Rows = append(p.Balances.Rows, row{text(b.Asset), text(p.amount(a, b.Free)), text(p.amount(a, b.Held)),
			text(p.amount(a, b.Earned))})
	}
	return err
}

func (p *accountPage) fillJournal(assets map[string]ledger.Asset) error {
	v := p.visit
	var after *reports.LineKey
	if at, err := strconv.ParseInt(v.value("at"), 10, 64); err == nil {
		key := reports.LineKey{At: time.UnixMilli(at), Entry: v.value("entry"), Move: -1}
		if key.Move, err = strconv.Atoi(v.value("move")); err == nil {
			key.Side, err = strconv.Atoi(v.value("side"))
		}
		if err != nil {
			return ledger.ErrNotFound
		}
		after = &key
	}
	lines, next, err := v.Reports.Lines(v.context(), p.A.ID, reports.LinesAsked{From: v.Books.FirstDay(),
		To: staking.DayOf(v.Books.Now()) + 1}, after, shownOf)
	p.Journal = table{Title: "account.journal", Empty: "account.journal.none", Columns: []column{{"log.at", false},
		{"account.what", false}, {"account.amount", true}, {"account.other", false}}}
	for _, l := range lines {
		part := ""
		if l.Account.IsHeld() {
			part = p.T("account.held")
		}
		p.Journal.Rows = append(p.Journal.Rows, row{text(p.Local(l.At)), {Text: string(l.Kind), Link: entryPath(l.Entry),
			Note: part}, text(p.signed(assets[l.Asset], l.Amount).of(l.Asset)), text(string(l.Other))})
	}
	if next != nil {
		p.Older = ui.Address(accountPath(p.A.ID), "at", strconv.FormatInt(next.At.UnixMilli(), 10), "entry", next.Entry,
			"move", strconv.Itoa(next.Move), "side", strconv.Itoa(next.Side))
	}
	return err
}

func (p *accountPage) fillSwitch(map[string]ledger.Asset) error {
	v := p.visit
	events, err := v.Reports.LatestSwitchEvents(v.context(), p.A.ID, nil, shownOf)
	p.Switch = table{Title: "account.switch", Empty: "account.switch.none", Columns: []column{{"log.at", false},
		{"account.what", false}, {"account.client", false}}}
	for _, e := range events {
		p.Switch.Rows = append(p.Switch.Rows, row{text(p.Local(e.At)), text(e.Action), {Text: e.Client, Note: e.Address}})
	}
	if err != nil {
		return err
	}
	enrollments, err := v.Reports.Enrollments(v.context(), p.A.ID)
	for _, e := range enrollments {
		p.On = p.On || e.On(staking.DayOf(v.Books.Now()))
	}
	return err
}

func (p *accountPage) fillRewards(assets map[string]ledger.Asset) error {
	v := p.visit
	today := staking.DayOf(v.Books.Now())
	rewards, err := v.Reports.RewardPage(v.context(), p.A.ID, reports.RewardsAsked{From: v.Books.FirstDay(), To: today,
		Newest: true}, nil, shownOf)
	p.Rewards = table{Title: "account.rewards", Empty: "account.rewards.none", Columns: []column{{"day", false},
		{"account.average", true}, {"account.reward", true}, {"account.credited", false}}}
	for _, r := range rewards {
		a := assets[r.Asset]
		p.Rewards.Rows = append(p.Rewards.Rows, row{{Text: p.Day(r.Day),
			Link: explanationPath(p.A.ID, r.Day, r.Asset)},
			text(p.amount(a, r.Average)), text(p.amount(a, r.Reward).of(r.Asset)), text(p.Local(r.PaidAt))})
	}
	return err
}

func (p *accountPage) fillWithdrawals(map[string]ledger.Asset) error {
	v := p.visit
	all, err := v.Reports.WithdrawalPage(v.context(), p.A.ID, reports.WithdrawalsAsked{Newest: true}, nil, shownOf)
	if err == nil {
		p.Waiting, err = v.withdrawalTable("account.withdrawals", all)
	}
	return err
}
