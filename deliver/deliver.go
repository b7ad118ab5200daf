// Package deliver hands the payouts of books to a target, by number, and brings back what the target says of them. It
// knows no SQL, and decides nothing about money.
package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/softstake/softstake/backoff"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/payout"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// Config is what to deliver where.
type Config struct {
	Books  *store.DB
	Target payout.Target
	Name   string // of the target in the books
	Log    *slog.Logger
	Poll   time.Duration // how often to look for more, above zero
	Batch  int           // how many payouts at most are handed over at once, at least 1
	// A number from 0 to n-1, for n above zero: so that not all processes retry at the same moment.
	Random   func(n int64) int64
	From     int64 // number from which to deliver again, first of all; 0: go on
	UntilEnd bool  // end when there is nothing more now; else when the context ends
}

// Result is what a run has done.
type Result struct {
	Payouts int // that were handed over, also those that were before
	Answers int // that were read and are in the books
	Wrong   int // that were read, and contradict the books
}

// answersAtOnce is how many answers are read at once.
const answersAtOnce = 2_000

// Run delivers what there is, and goes on. An error of the target or of the database is kept with the target, logged
// and retried or, until the end, returned. An address that is not the target's, and a number to deliver from that is
// not between 1 and the next one, are returned at once. Two processes that deliver to one target are safe: of a table
// each payout is added by one of them, to a topic both may send some.
func Run(ctx context.Context, c Config) (Result, error) {
	d := &delivery{Config: c, reports: reports.New(c.Books.Reader()), assets: map[string]ledger.Asset{}}
	_, err := c.Books.AddPayoutTarget(ctx, c.Name, c.Target.Address())
	if err == nil || c.From > 0 && errors.Is(err, ledger.ErrConflict) {
		if err = nil; c.From > 0 {
			err = d.resend(ctx)
		}
	}
	if err != nil {
		return d.result, err
	}
	for wait := c.Poll; ; {
		before := d.result
		err := d.follow(ctx)
		switch {
		case ctx.Err() != nil:
			return d.result, nil
		case errors.Is(err, errEnd):
			return d.result, nil
		case errors.Is(err, payout.ErrMoved):
			c.Log.Info("another process delivers too, or somebody has payouts sent again", "target", c.Name)
			backoff.Pause(ctx, backoff.Jitter(c.Poll, c.Random))
			continue
		}
		if kept := c.Books.FailPayoutTarget(ctx, c.Name, err.Error()); kept != nil && ctx.Err() == nil {
			err = errors.Join(err, kept)
		}
		if c.UntilEnd {
			return d.result, err
		}
		if d.result != before {
			wait = c.Poll
		}
		in := backoff.Jitter(wait, c.Random)
		c.Log.Error("payouts cannot be delivered; retrying", "target", c.Name, "in", in, "error", err)
		backoff.Pause(ctx, in)
		wait = backoff.Next(wait)
	}
}

// delivery is a run.
type delivery struct {
	Config
	reports *reports.Reports
	assets  map[string]ledger.Asset
	result  Result
}

// errEnd is the end of what there is now.
var errEnd = errors.New("nothing more now")

// move keeps that the target has the payouts up to a number. payout.ErrMoved where it is not at the first one any more.
func (d *delivery) move(ctx context.Context, from, to int64) error {
	err := d.Books.MovePayoutTarget(ctx, d.Name, from, to)
	if errors.Is(err, ledger.ErrConflict) {
		return fmt.Errorf("%w: %w", payout.ErrMoved, err)
	}
	return err
}

// resend sets back how far the target is.
func (d *delivery) resend(ctx context.Context) error {
	session, err := d.Target.Open(ctx)
	if err != nil {
		return err
	}
	table, is := session.(payout.Table)
	if is { // what it has itself is what counts
		var has payout.Last
		if has, err = table.Position(ctx); err == nil && d.From > has.Number+1 {
			err = ledger.ErrInvalid.In("from", "it has the payouts up to number %d; from is 1 to %d", has.Number, has.Number+1)
		}
		if err == nil {
			err = d.keepPosition(ctx, has.Number)
		}
	}
	if err == nil {
		err = d.Books.ResendPayouts(ctx, d.Name, d.Target.Address(), d.From)
	}
	if err == nil && is {
		var last payout.Last
		if last, err = d.last(ctx, d.From-1); err == nil {
			err = table.Reset(ctx, last)
		}
	}
	return errors.Join(err, session.Close())
}

// keepPosition keeps in the books how far a table is, by itself.
func (d *delivery) keepPosition(ctx context.Context, has int64) error {
	target, err := d.Books.PayoutTarget(ctx, d.Name)
	if err == nil && target.Number != has {
		err = d.move(ctx, target.Number, has)
	}
	return err
}

// follow delivers from where the target is until something fails; errEnd where there is nothing more, until the end.
func (d *delivery) follow(ctx context.Context) (err error) {
	session, err := d.Target.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	table, _ := session.(payout.Table)
	number, err := d.position(ctx, table)
	if err != nil {
		return err
	}
	if err := d.Books.FailPayoutTarget(ctx, d.Name, ""); err != nil {
		return err
	}
	for numbered := false; ; {
		next, err := d.hand(ctx, session, number)
		if err != nil {
			return err
		}
		answers, err := d.answer(ctx, table)
		if err != nil {
			return err
		}
		switch more := next > number || answers > 0; {
		case more:
			number, numbered = next, false
		case !numbered:
			// What was paid by a process that has ended before it gave numbers gets them now.
			if _, err := d.Books.NumberPayouts(ctx); err != nil {
				return err
			}
			numbered = true
		case d.UntilEnd:
			return errEnd
		default:
			if numbered = false; !backoff.Pause(ctx, d.Poll) {
				return ctx.Err()
			}
		}
	}
}

// position is the number of the last payout that the target has: a table knows it, of others the books do.
func (d *delivery) position(ctx context.Context, table payout.Table) (int64, error) {
	if table == nil {
		target, err := d.Books.PayoutTarget(ctx, d.Name)
		return target.Number, err
	}
	has, err := table.Position(ctx)
	if err != nil {
		return 0, err
	}
	newest, err := d.reports.NewestPayout(ctx)
	if err == nil && has.Number > newest {
		err = fmt.Errorf("the table has the payouts up to number %d, and the books only %d: they were recovered to a moment "+
			"before, or are others; deliver again from where they still agree, or from 1", has.Number, newest)
	}
	var ours payout.Last
	if err == nil {
		ours, err = d.last(ctx, has.Number)
	}
	if err == nil && has.ID != "" && has.ID != ours.ID {
		err = fmt.Errorf("payout %d of the table is %s, and that of the books %q: they were recovered to a moment before, "+
			"or are others; deliver again from where they still agree, or from 1", has.Number, has.ID, ours.ID)
	}
	if err == nil {
		err = d.keepPosition(ctx, has.Number)
	}
	return has.Number, err
}

// last is the payout of a number in the books; without an ID where there is none.
func (d *delivery) last(ctx context.Context, number int64) (payout.Last, error) {
	last := payout.Last{Number: number}
	if number == 0 {
		return last, nil
	}
	found, err := d.reports.Payouts(ctx, number-1, 1)
	if err == nil && len(found.Payouts) == 1 && found.Payouts[0].Number == number {
		last.ID = found.Payouts[0].ID
	}
	return last, err
}

// hand hands over the next payouts, and returns the number of the last one.
func (d *delivery) hand(ctx context.Context, session payout.Session, after int64) (int64, error) {
	found, err := d.reports.Payouts(ctx, after, d.Batch)
	if err != nil || len(found.Payouts) == 0 {
		return after, err
	}
	page, err := d.page(ctx, found)
	if err == nil {
		err = session.Deliver(ctx, after, page)
	}
	if err == nil {
		err = d.move(ctx, after, page.Last())
	}
	if err != nil {
		return after, err
	}
	d.result.Payouts += len(page.Payouts)
	d.Log.Info("payouts delivered", "target", d.Name, "payouts", len(page.Payouts), "number", page.Last())
	return page.Last(), nil
}

// page is what was found as it is handed over.
func (d *delivery) page(ctx context.Context, found reports.PayoutPage) (page payout.Page, err error) {
	for _, p := range found.Payouts {
		asset, err := d.asset(ctx, p.Due.Asset)
		if err != nil {
			return page, err
		}
		page.Payouts = append(page.Payouts, payout.Payout{Number: p.Number, ID: p.ID, Day: p.Due.Day.String(),
			Asset: p.Due.Asset, Account: p.Account, Amount: asset.Format(p.Amount), Paid: p.Paid})
	}
	for _, b := range found.Batches {
		if b.Last > page.Last() {
			continue // it goes on with the next page
		}
		asset, err := d.asset(ctx, b.Due.Asset)
		if err != nil {
			return page, err
		}
		page.Batches = append(page.Batches, payout.Batch{First: b.First, Last: b.Last, Day: b.Due.Day.String(),
			Asset: b.Due.Asset, Total: asset.Format(b.Total)})
	}
	return page, nil
}

func (d *delivery) asset(ctx context.Context, symbol string) (ledger.Asset, error) {
	if a, known := d.assets[symbol]; known {
		return a, nil
	}
	a, err := d.Books.Asset(ctx, symbol)
	if err == nil {
		d.assets[symbol] = a
	}
	return a, err
}

// answer brings back some of what a table says of its payouts, and returns how much it was.
func (d *delivery) answer(ctx context.Context, table payout.Table) (int, error) {
	if table == nil {
		return 0, nil
	}
	answers, err := table.Answers(ctx, answersAtOnce)
	if err != nil || len(answers) == 0 {
		return 0, err
	}
	said, problems := make([]store.PayoutAnswer, len(answers)), make([]string, len(answers))
	for i, a := range answers {
		said[i] = store.PayoutAnswer{Payout: a.Payout, Transaction: a.Transaction, Refused: a.Refused}
	}
	outcomes, err := d.Books.AnswerPayouts(ctx, said)
	if err != nil {
		return 0, err
	}
	wrong := 0
	for i, o := range outcomes {
		if o.Err != nil {
			wrong++
			problems[i] = o.Err.Error()
			d.Log.Error("an acknowledgement contradicts the books; a person has to look at it", "target", d.Name, "payout",
				answers[i].Payout, "problem", o.Err)
		}
	}
	if err := table.Take(ctx, answers, problems); err != nil {
		return 0, err
	}
	d.result.Answers, d.result.Wrong = d.result.Answers+len(answers)-wrong, d.result.Wrong+wrong
	return len(answers), nil
}
