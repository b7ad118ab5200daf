package store

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// TermsRevision is terms as they were set. Of one token and day the highest
// revision counts; none is ever edited.
type TermsRevision struct {
	staking.Terms
	Revision int // from 1
	SetAt    time.Time
	SetBy    string
	Reason   string
}

// AddAsset adds an asset to the books, with terms that hold from tomorrow on and the limits that new books begin with
// (staking.ShippedLimit). Repeating has no further effect; the same symbol with other figures is ErrConflict, and terms
// above the limit of the APR are ledger.ErrInvalid.
func (b *DB) AddAsset(ctx context.Context, token staking.Token) error {
	if err := token.Check(); err != nil {
		return err
	}
	symbol, asked := token.Asset.Symbol, token
	err := b.engine.Write(ctx, func(t db.Tx) error {
		if same, err := sameToken(t, token); err != nil || same {
			return err
		}
		token.Terms.From = staking.DayOf(b.clock()) + 1
		limit := staking.ShippedLimit(token.Asset)
		if err := inOrder(
			func() error { return limit.CheckTerms(token.Terms) },
			func() error { return b.writeToken(t, token, limit, "added") },
			func() error { return b.wrote(t, integrity.Assets, symbol) }); err != nil {
			return err
		}
		detail := fmt.Sprintf("%d decimals, at most %s; %s", token.Asset.Scale, token.Asset.Format(token.Asset.MaxSupply),
			token.Terms.Describe(token.Asset))
		if err := b.permit(t, control.AddAsset, asked, symbol, detail); err != nil {
			return err
		}
		return b.logLine(t, "asset add", symbol, detail)
	})
	if err != nil {
		return fmt.Errorf("add %s: %w", symbol, err)
	}
	_, err = b.loadAssets(ctx)
	return err
}

// sameToken reports whether the asset is there, added with the same figures.
func sameToken(t db.Tx, token staking.Token) (bool, error) {
	a := token.Asset
	var scale, supply int64
	found, err := db.One(t, []*int64{&scale, &supply}, "SELECT scale, max_supply FROM assets WHERE symbol = $1", a.Symbol)
	if err != nil || !found {
		return false, err
	}
	first, _, err := db.First(t, ReadTermsRevision, "SELECT "+TermsColumns+
		" FROM terms WHERE asset = $1 ORDER BY from_day, revision", a.Symbol)
	if err != nil {
		return false, err
	}
	if int(scale) != a.Scale || ledger.Amount(supply) != a.MaxSupply || !first.Terms.Same(token.Terms) {
		return false, ledger.ErrConflict.In("", "it was added with %d decimals, a largest supply of %d units and "+
			"other terms, or some of them",
			scale, supply).Because(ReasonTokenExists)
	}
	return true, nil
}

// TermsFigures are what ReadTerms reads.
const TermsFigures = "asset, from_day, offered, apr, minimum, cap, fee, mode, measure, per_owner, gross_apr"

// TermsColumns are what ReadTermsRevision reads.
const TermsColumns = TermsFigures + ", revision, set_at, set_by, reason"

// ReadTermsRevision reads a row whose first columns are TermsColumns. It is a row function of db.All, and never fails.
// Of the revisions of one day, from 1, the last counts. When it was set is in UTC, to the millisecond.
func ReadTermsRevision(r db.Row) (TermsRevision, error) {
	return TermsRevision{ReadTerms(r), int(r.Int(11)), db.TimeOf(r.Int(12)), r.Text(13), r.Text(14)}, nil
}

// writeTerms writes a revision that nobody else may have written at the same time.
func (b *DB) writeTerms(t db.Tx, r TermsRevision) error {
	text := func(name, v string) db.Field[TermsRevision] {
		return db.Text(name, func(TermsRevision) string { return v })
	}
	number := func(name string, v int64) db.Field[TermsRevision] {
		return db.Int(name, func(TermsRevision) int64 { return v })
	}
	fields := []db.Field[TermsRevision]{
		text("asset", r.Asset), number("from_day", int64(r.From)), number("revision", int64(r.Revision)),
		number("offered", db.Flag(r.Offered)), number("apr", int64(r.APR)), number("minimum", int64(r.Min)),
		number("cap", int64(r.Cap)), number("set_at", b.now()), text("set_by", b.actor.Credential), text("reason", r.Reason),
	}
	if r.Fee != 0 || r.Mode != staking.Fixed { // else they are the columns' defaults
		fields = append(fields, number("fee", int64(r.Fee)), number("mode", int64(r.Mode)))
	}
	if r.Measure != staking.Average || r.PerOwner || r.GrossAPR != 0 {
		fields = append(fields, number("measure", int64(r.Measure)), number("per_owner", db.Flag(r.PerOwner)),
			number("gross_apr", int64(r.GrossAPR)))
	}
	n, err := insert(t, "terms", db.SetOf([]TermsRevision{r}, fields...))
	if err == nil && n == 0 {
		err = db.ErrRetry
	}
	return annotate(err, "write the terms of %s", r.Asset)
}

// revisions is how many terms of a token were set for this very day.
func revisions(t db.Tx, asset string, d staking.Day) (int, error) {
	n, err := db.Count(t, "SELECT count(*) FROM terms WHERE asset = $1 AND from_day = $2", asset, int64(d))
	return int(n), err
}

// SetTerms sets a token's terms from a day on, at the earliest tomorrow, until
// the next day for which terms are set. What was set for that day before is kept.
// Terms that hold then already are not set again.
func (b *DB) SetTerms(ctx context.Context, terms staking.Terms) error {
	asset, err := b.Asset(ctx, terms.Asset)
	if err != nil {
		return err
	}
	if err := terms.Check(asset); err != nil {
		return err
	}
	if tomorrow := staking.DayOf(b.clock()) + 1; terms.From < tomorrow || terms.From >= staking.Forever {
		return ledger.ErrInvalid.In("", "terms of %s: they are set from tomorrow on (%s), not from %s",
			terms.Asset, tomorrow, terms.From).Because(ReasonDayBegun)
	}
	detail := terms.Describe(asset)
	if !terms.Offered {
		holders, err := b.earningHolders(ctx, terms)
		if err != nil {
			return fmt.Errorf("set the terms of %s: %w", terms.Asset, err)
		}
		detail += fmt.Sprintf("; holders who earn with it until then: %d", holders)
	}
	err = b.engine.Write(ctx, func(t db.Tx) error {
		if err := inOrder(
			func() error { return b.checkNotClosed(t, terms.From) },
			func() error { return checkAPR(t, terms) }); err != nil {
			return err
		}
		holding, err := TermsAt(t, terms.From)
		if err != nil || holding[terms.Asset].Same(terms) {
			return err
		}
		n, err := revisions(t, terms.Asset, terms.From)
		if err != nil {
			return err
		}
		if err := b.writeTerms(t, TermsRevision{Terms: terms, Revision: n + 1}); err != nil {
			return err
		}
		if err := b.permit(t, control.SetTerms, terms, terms.Asset, detail+"; without it: "+
			holding[terms.Asset].Describe(asset)); err != nil {
			return err
		}
		return b.logLine(t, "terms set", terms.Asset, detail)
	})
	if err != nil {
		return fmt.Errorf("set the terms of %s: %w", terms.Asset, err)
	}
	return nil
}

// checkNotClosed refuses a day that is closed, though it is tomorrow by a clock that was set back: its terms have paid.
func (b *DB) checkNotClosed(t db.View, d staking.Day) error {
	first, err := b.firstOpen(t)
	if err == nil && d < first {
		err = dayClosed(d, first)
	}
	return err
}

// CorrectTerms corrects a token's terms of one day that is over and not declared,
// and of that day alone. What was accrued for it is accrued again by the next run;
// an approval of it is taken back. Who corrected and why is kept. Safe to call twice.
func (b *DB) CorrectTerms(ctx context.Context, d staking.Day, terms staking.Terms, reason string) error {
	asset, err := b.Asset(ctx, terms.Asset)
	if err != nil {
		return err
	}
	terms.From = d
	if err := terms.Check(asset); err != nil {
		return err
	}
	if err := ledger.At("reason", CheckReason(reason)); err != nil {
		return err
	}
	if today := staking.DayOf(b.clock()); d >= today {
		return ledger.ErrInvalid.In("", "%s is not over", d).Because(ReasonDayNotOver)
	}
	err = b.engine.Write(ctx, func(t db.Tx) error {
		if err := b.lockUndeclared(t, d, terms.Asset); err != nil {
			return err
		}
		if err := checkAPR(t, terms); err != nil {
			return err
		}
		if done, err := b.correct(t, terms, reason); err != nil || done {
			return err
		}
		if err := unaccrue(t, d, terms.Asset); err != nil {
			return err
		}
		detail := terms.Describe(asset) + " for that day alone: " + reason
		if err := b.permit(t, control.CorrectTerms, termsCorrection{d, terms, reason}, terms.Asset, detail); err != nil {
			return err
		}
		return b.logLine(t, "terms correct", terms.Asset, detail)
	})
	if err != nil {
		return fmt.Errorf("correct the terms of %s of %s: %w", terms.Asset, d, err)
	}
	return nil
}

// lockToken takes what Declare takes: the day's total of a token is not declared until the commit.
func lockToken(t db.Tx, asset string) error {
	n, err := t.Exec("UPDATE progress SET paid_through = paid_through WHERE bucket = 0 AND asset = $1", asset)
	if err == nil && n == 0 {
		err = ledger.ErrNotFound.In("", "%s has no progress", asset)
	}
	return err
}

// lockUndeclared locks a token whose day is not declared.
func (b *DB) lockUndeclared(t db.Tx, d staking.Day, asset string) error {
	if err := lockToken(t, asset); err != nil {
		return err
	}
	declared, err := Declared(t, d, asset)
	if err == nil && declared {
		err = ledger.ErrInvalid.In("", "it is declared and being paid").Because(ReasonDeclared)
	}
	return err
}

// correct writes the corrected terms, and after them those that held before.
// done says that they held already.
func (b *DB) correct(t db.Tx, terms staking.Terms, reason string) (done bool, err error) {
	holding, err := TermsAt(t, terms.From)
	if err != nil {
		return false, err
	}
	before, known := holding[terms.Asset]
	if !known {
		return false, ledger.ErrInvalid.In("", "%s has no terms on that day", terms.Asset)
	}
	if before.Fee != terms.Fee || before.Mode != terms.Mode {
		return false, ledger.ErrInvalid.In("fee", "the fee and the mode of a day that is over cannot be corrected: "+
			"income was divided by them; correct the income with a negative one")
	}
	if before.Same(terms) {
		return true, nil
	}
	n, err := revisions(t, terms.Asset, terms.From)
	if err != nil {
		return false, err
	}
	next, err := revisions(t, terms.Asset, terms.From+1)
	if err != nil {
		return false, err
	}
	if next == 0 {
		before.From = terms.From + 1
		if err := b.writeTerms(t, TermsRevision{Terms: before, Revision: 1,
			Reason: fmt.Sprintf("as before the correction of %s", terms.From)}); err != nil {
			return false, err
		}
	}
	return false, b.writeTerms(t, TermsRevision{Terms: terms, Revision: n + 1, Reason: reason})
}

// unaccrue takes back what was accrued of a token's day. It writes every row of
// the token's progress, so that whoever is accruing it at the same time begins again.
func unaccrue(t db.Tx, d staking.Day, asset string) error {
	if _, err := t.Exec(`UPDATE progress SET accrued_through = CASE WHEN paid_through = $1 - 1 THEN $1 - 1 ELSE accrued_through END
	                      WHERE asset = $2`, int64(d), asset); err != nil {
		return err
	}
	every := everyBucket(sameInt("day", int64(d)), sameText("asset", asset))
	for _, sql := range []string{
		"DELETE FROM accruals WHERE bucket = $1 AND day = $2 AND asset = $3",
		"DELETE FROM batches WHERE bucket = $1 AND day = $2 AND asset = $3",
		"DELETE FROM shares WHERE bucket = $1 AND day = $2 AND asset = $3",
		"DELETE FROM campaign_eligible WHERE bucket = $1 AND day = $2 AND asset = $3",
		"DELETE FROM campaign_weights WHERE bucket = $1 AND day = $2 AND asset = $3",
		"DELETE FROM campaign_shares WHERE bucket = $1 AND day = $2 AND asset = $3",
	} {
		if err := t.Each(nil, sql, every); err != nil {
			return err
		}
	}
	if err := ungroup(t, d, asset); err != nil {
		return err
	}
	_, err := t.Exec("DELETE FROM approvals WHERE day = $1 AND asset = $2", int64(d), asset)
	return err
}

// earningHolders counts the holders who earn with a token today and whose enrollment covers the day
// from which new terms of it hold.
func (b *DB) earningHolders(ctx context.Context, next staking.Terms) (n int64, err error) {
	err = b.engine.Read(ctx, func(t db.View) error {
		today, err := TermsAt(t, staking.DayOf(b.clock()))
		now := today[next.Asset]
		if err != nil || !now.Offered {
			return err
		}
		n = 0
		return t.QueryEach(func(r db.Row) error { n += r.Int(0); return nil }, `SELECT count(*) FROM accounts a JOIN enrollments e ON e.bucket = a.bucket AND e.account = a.account
			JOIN balances b ON b.bucket = a.bucket AND b.account = a.account
			WHERE a.bucket = $1 AND a.closed = 0 AND e.until_day > $2 AND e.from_day < e.until_day AND b.asset = $3 AND b.balance >= $4`,
			everyBucket(sameInt("day", int64(next.From)), sameText("asset", next.Asset),
				sameInt("least", int64(max(now.Min, 1)))))
	})
	return n, err
}
