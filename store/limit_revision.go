package store

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// LimitRevision is the limits of a token as they were set. The one with the highest number counts; none is ever edited.
type LimitRevision struct {
	staking.Limit
	Number   int // from 1
	SetAt    time.Time
	SetBy    string // the credential; where it was proposed, the approver's
	Proposal string // its ID; "": it was set without one
	Reason   string // of the proposal; of a new token's first limits, how it came
}

// LimitColumns are what ReadLimit reads.
const LimitColumns = "asset, max_total, max_change, max_withdrawal, max_apr, max_inflow"

// LimitRevisionColumns are what ReadLimitRevision reads.
const LimitRevisionColumns = LimitColumns + ", number, set_at, set_by, proposal, reason"

// ReadLimit reads a row whose first columns are LimitColumns. It never fails.
func ReadLimit(r db.Row) (staking.Limit, error) {
	return staking.Limit{Asset: r.Text(0), MaxTotal: ledger.Amount(r.Int(1)), MaxChange: r.Int(2),
		MaxWithdrawal: ledger.Amount(r.Int(3)), MaxAPR: staking.Rate(r.Int(4)), MaxInflow: ledger.Amount(r.Int(5))}, nil
}

// ReadLimitRevision reads a row of LimitRevisionColumns. It never fails. When it was set is in UTC, to the millisecond.
func ReadLimitRevision(r db.Row) (LimitRevision, error) {
	l, err := ReadLimit(r)
	return LimitRevision{Limit: l, Number: int(r.Int(6)), SetAt: db.TimeOf(r.Int(7)), SetBy: r.Text(8),
		Proposal: r.Text(9), Reason: r.Text(10)}, err
}

// limitsOf is what is limited of a token now.
func limitsOf(t db.View, token string) (staking.Limit, error) {
	r, err := lastLimit(t, token)
	return r.Limit, err
}

// lastLimit is the last revision; the one with the number 0, without limits, where none was ever set.
func lastLimit(t db.View, token string) (LimitRevision, error) {
	r, _, err := db.First(t, ReadLimitRevision, "SELECT "+LimitRevisionColumns+
		" FROM limits WHERE asset = $1 ORDER BY number DESC LIMIT 1", token)
	r.Asset = token
	return r, annotate(err, "read the limits of %s", token)
}

// SetLimit sets what is limited of a token; zeros are no limits. What was set before is kept. Idempotent.
// ledger.ErrInvalid for a limit below zero.
func (b *DB) SetLimit(ctx context.Context, l staking.Limit) error {
	asset, err := b.Asset(ctx, l.Asset)
	if err == nil {
		err = l.Check()
	}
	if err != nil {
		return err
	}
	err = b.engine.Write(ctx, func(t db.Tx) error {
		was, err := lastLimit(t, l.Asset)
		if err != nil || was.Limit == l {
			return err
		}
		r := LimitRevision{Limit: l, Number: was.Number + 1}
		if b.approval != nil {
			p, err := FindProposal(t, b.approval.proposal)
			if err != nil {
				return err
			}
			r.Proposal, r.Reason = p.ID, p.Reason
		}
		if err := b.writeLimit(t, r); err != nil {
			return err
		}
		detail := describeLimit(asset, l)
		if err := b.permit(t, control.SetLimit, l, l.Asset,
			detail+"; without it: "+describeLimit(asset, was.Limit)); err != nil {
			return err
		}
		return b.logLine(t, string(control.SetLimit), l.Asset, detail)
	})
	return annotate(err, "set the limits of %s", l.Asset)
}

// writeLimit writes a revision, now, that nobody else may have written at the same time.
func (b *DB) writeLimit(t db.Tx, r LimitRevision) error {
	text := func(name, v string) db.Field[LimitRevision] {
		return db.Text(name, func(LimitRevision) string { return v })
	}
	number := func(name string, v int64) db.Field[LimitRevision] {
		return db.Int(name, func(LimitRevision) int64 { return v })
	}
	n, err := insert(t, "limits", db.SetOf([]LimitRevision{r},
		text("asset", r.Asset), number("number", int64(r.Number)), number("set_at", b.now()),
		text("set_by", b.actor.Credential), text("proposal", r.Proposal), text("reason", r.Reason),
		number("max_total", int64(r.MaxTotal)), number("max_change", r.MaxChange),
		number("max_withdrawal", int64(r.MaxWithdrawal)), number("max_apr", int64(r.MaxAPR)),
		number("max_inflow", int64(r.MaxInflow))))
	if err == nil && n == 0 {
		err = db.ErrRetry
	}
	return annotate(err, "write the limits of %s", r.Asset)
}

// checkAPR is ledger.ErrInvalid for terms with a rate above the token's limit.
func checkAPR(t db.View, terms staking.Terms) error {
	l, err := limitsOf(t, terms.Asset)
	if err == nil {
		err = l.CheckTerms(terms)
	}
	return err
}

func describeLimit(a ledger.Asset, l staking.Limit) string {
	text := fmt.Sprintf("a day's total %s, its change %s%%", a.Format(l.MaxTotal), ledger.FormatDecimal(l.MaxChange, 2))
	if l.MaxWithdrawal > 0 {
		text += ", a withdrawal without approval below " + a.Format(l.MaxWithdrawal)
	}
	if l.MaxAPR > 0 {
		text += ", an APR " + l.MaxAPR.String()
	}
	if l.MaxInflow > 0 {
		text += ", brought in on a day " + a.Format(l.MaxInflow)
	}
	return text + "; 0: none"
}
