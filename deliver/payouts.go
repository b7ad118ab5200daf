package deliver

import (
	"context"
	"errors"
	"fmt"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/payout"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// answersAtOnce is how many answers are read at once.
const answersAtOnce = 2_000

// Payouts delivers the payouts that there are, and goes on. An error of the target or of the database is kept with the
// target, logged and retried or, until the end, returned. An address that is not the target's, and a number to deliver
// from that is not between 1 and the next one, are returned at once, and so is that a table which is to get some again
// cannot be reached. Two processes that deliver to one target are safe: of a table each payout is added by one of them;
// to a topic one delivers, and the other waits.
func Payouts(ctx context.Context, c Config, to payout.Target) (Result, error) {
	p := &payouts{delivery: &delivery{Config: c}, to: to, reports: reports.New(c.Books.Reader()),
		assets: map[string]ledger.Asset{}}
	return p.run(ctx, p)
}

// payouts is a run that delivers them.
type payouts struct {
	*delivery
	to      payout.Target
	reports *reports.Reports
	assets  map[string]ledger.Asset
}

func (p *payouts) target() store.NewTarget {
	return store.NewTarget{Stream: store.PayoutStream, Address: p.to.Address()}
}

func (p *payouts) alone() bool { return !p.to.Keeps() }

func (p *payouts) number(ctx context.Context) error {
	_, err := p.Books.NumberPayouts(ctx)
	return err
}

func (p *payouts) open(ctx context.Context) (session, error) {
	s, err := p.to.Open(ctx)
	if err != nil {
		return nil, err
	}
	table, _ := s.(payout.Table)
	return &payoutSession{p, s, table}, nil
}

// resend sets back how far the target is. A table keeps that itself, and has to be reachable.
func (p *payouts) resend(ctx context.Context, n store.NewTarget) error {
	if !p.to.Keeps() {
		return p.Books.ResendTarget(ctx, n)
	}
	session, err := p.to.Open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(p.resendTable(ctx, session.(payout.Table), n), session.Close())
}

func (p *payouts) resendTable(ctx context.Context, table payout.Table, n store.NewTarget) error {
	has, err := table.Position(ctx) // what it has itself is what counts
	if err == nil && p.From > has.Number+1 {
		err = ledger.ErrInvalid.In("from", "it has the payouts up to number %d; from is 1 to %d", has.Number, has.Number+1)
	}
	if err == nil {
		err = p.keepPosition(ctx, has.Number)
	}
	if err == nil {
		err = p.Books.ResendTarget(ctx, n)
	}
	if err != nil {
		return err
	}
	last, err := p.last(ctx, p.From-1)
	if err == nil {
		err = table.Reset(ctx, last)
	}
	return err
}

// keepPosition keeps in the books how far a table is, by itself.
func (p *payouts) keepPosition(ctx context.Context, has int64) error {
	target, err := p.Books.Target(ctx, p.stream, p.Name)
	if err == nil && target.Number != has {
		err = p.move(ctx, target.Number, has)
	}
	return err
}

// payoutSession is a connection to the target; table is it, where it keeps by itself how far it is.
type payoutSession struct {
	*payouts
	payout.Session
	table payout.Table
}

// position is the number of the last payout that the target has: a table knows it, of others the books do.
func (s *payoutSession) position(ctx context.Context) (int64, error) {
	if s.table == nil {
		target, err := s.Books.Target(ctx, s.stream, s.Name)
		if err == nil {
			err = s.checkAhead(ctx, "topic", target.Number)
		}
		return target.Number, err
	}
	has, err := s.table.Position(ctx)
	if err != nil {
		return 0, err
	}
	err = s.checkAhead(ctx, "table", has.Number)
	var ours payout.Last
	if err == nil {
		ours, err = s.last(ctx, has.Number)
	}
	if err == nil && has.ID != "" && has.ID != ours.ID {
		err = fmt.Errorf("payout %d of the table is %s, and that of the books %q: they were recovered to a moment before, "+
			"or are others; deliver again from where they still agree, or from 1", has.Number, has.ID, ours.ID)
	}
	if err == nil {
		err = s.keepPosition(ctx, has.Number)
	}
	return has.Number, err
}

// checkAhead refuses a target, called what, that has payouts which the books do not have: the next ones would get
// numbers that it has, and never be handed over.
func (s *payoutSession) checkAhead(ctx context.Context, what string, has int64) error {
	newest, err := s.reports.NewestPayout(ctx)
	if err == nil && has > newest {
		err = fmt.Errorf("the %s has the payouts up to number %d, and the books only %d: they were recovered to a moment "+
			"before, or are others; deliver again from where they still agree, or from 1", what, has, newest)
	}
	return err
}

// last is the payout of a number in the books; without an ID where there is none.
func (p *payouts) last(ctx context.Context, number int64) (payout.Last, error) {
	last := payout.Last{Number: number}
	if number == 0 {
		return last, nil
	}
	found, err := p.reports.Payouts(ctx, number-1, 1)
	if err == nil && len(found.Payouts) == 1 && found.Payouts[0].Number == number {
		last.ID = found.Payouts[0].ID
	}
	return last, err
}

// next hands over the next payouts, and returns the number of the last one.
func (s *payoutSession) next(ctx context.Context, after int64) (int64, error) {
	found, err := s.reports.Payouts(ctx, after, s.Batch)
	if err != nil || len(found.Payouts) == 0 {
		return after, err
	}
	if after == 0 {
		if err := s.warn(ctx); err != nil {
			return after, err
		}
	}
	page, err := s.page(ctx, found)
	if err == nil {
		err = s.hand(ctx, func(ctx context.Context) error { return s.Session.Deliver(ctx, after, page) })
	}
	if errors.Is(err, payout.ErrMoved) {
		err = errMoved
	}
	if err == nil {
		err = s.move(ctx, after, page.Last())
	}
	if err != nil {
		return after, err
	}
	s.result.Sent += len(page.Payouts)
	s.Log.Info("payouts delivered", "target", s.Name, "payouts", len(page.Payouts), "number", page.Last())
	return page.Last(), nil
}

// warn says how many payouts go to a target that has none, and how many of them are credited already.
func (p *payouts) warn(ctx context.Context) error {
	all, credited, err := p.reports.NumberedPayouts(ctx)
	if err == nil {
		p.Log.Info("the target has no payouts yet, and gets all of them; where they were credited in another way, credit "+
			"each ID once", "target", p.Name, "payouts", all, "credited", credited)
	}
	return err
}

// page is what was found as it is handed over.
func (p *payouts) page(ctx context.Context, found reports.PayoutPage) (page payout.Page, err error) {
	for _, o := range found.Payouts {
		asset, err := p.asset(ctx, o.Due.Asset)
		if err != nil {
			return page, err
		}
		page.Payouts = append(page.Payouts, payout.Payout{Number: o.Number, ID: o.ID, Day: o.Due.Day.String(),
			Asset: o.Due.Asset, Account: o.Account, Amount: asset.Format(o.Amount), Paid: o.Paid})
	}
	for _, b := range found.Batches {
		if b.Last > page.Last() {
			continue // it goes on with the next page
		}
		asset, err := p.asset(ctx, b.Due.Asset)
		if err != nil {
			return page, err
		}
		page.Batches = append(page.Batches, payout.Batch{First: b.First, Last: b.Last, Day: b.Due.Day.String(),
			Asset: b.Due.Asset, Total: asset.Format(b.Total)})
	}
	return page, nil
}

func (p *payouts) asset(ctx context.Context, symbol string) (ledger.Asset, error) {
	if a, known := p.assets[symbol]; known {
		return a, nil
	}
	a, err := p.Books.Asset(ctx, symbol)
	if err == nil {
		p.assets[symbol] = a
	}
	return a, err
}

// answer brings back some of what a table says of its payouts, and returns how much it was.
func (s *payoutSession) answer(ctx context.Context) (int, error) {
	if s.table == nil {
		return 0, nil
	}
	answers, err := s.table.Answers(ctx, answersAtOnce)
	if err != nil || len(answers) == 0 {
		return 0, err
	}
	said, problems := make([]store.PayoutAnswer, len(answers)), make([]string, len(answers))
	for i, a := range answers {
		said[i] = store.PayoutAnswer{Payout: a.Payout, Transaction: a.Transaction, Refused: a.Refused}
	}
	outcomes, err := s.Books.AnswerPayouts(ctx, said)
	if err != nil {
		return 0, err
	}
	wrong := 0
	for i, o := range outcomes {
		if o.Err != nil {
			wrong++
			problems[i] = o.Err.Error()
			s.Log.Error("an acknowledgement contradicts the books; a person has to look at it", "target", s.Name, "payout",
				answers[i].Payout, "problem", o.Err)
		}
	}
	if err := s.table.Take(ctx, answers, problems); err != nil {
		return 0, err
	}
	s.result.Answers, s.result.Wrong = s.result.Answers+len(answers)-wrong, s.result.Wrong+wrong
	return len(answers), nil
}
