package store

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// CheckCompared is staking.ErrUncompared where the limit of a token lets no day be paid before it is compared with
// another ledger, and this day is not: by a comparison of the balances at its end that is within the limit, or is
// resolved. Where the books name a source, it must have figures of that one. A day that a person has released need not
// be compared.
func CheckCompared(t db.View, d staking.Day, asset ledger.Asset) error {
	l, err := comparisonLimitOf(t, asset.Symbol)
	if err != nil || !l.Waits {
		return err
	}
	source, err := ComparisonSourceNow(t)
	if err != nil {
		return err
	}
	found, err := db.Count(t, `SELECT (SELECT count(*) FROM comparison_tokens t JOIN comparisons c ON c.number = t.number
	      WHERE t.asset = $1 AND t.kind = 'balance' AND c.day = $2 AND (c.scheduled = 1 OR $3 = 0)
	        AND (t.stops = 0 OR EXISTS (SELECT 1 FROM comparison_resolutions r
	             WHERE r.number = t.number AND r.asset = t.asset)))
	    + (SELECT count(*) FROM comparison_releases r WHERE r.asset = $1 AND r.day = $2)`, asset.Symbol, int64(d),
		db.Flag(source.On()))
	if err == nil && found == 0 {
		return staking.ErrUncompared.In("", "the end of %s", d).Because(staking.ReasonUncompared, asset.Symbol, d)
	}
	return annotate(err, "look whether %s was compared", asset.Symbol)
}

// ComparisonRelease is a day of a token that is to be paid though it is not compared, and why.
type ComparisonRelease struct {
	Asset  string
	Day    staking.Day
	Reason string
}

// ReleaseDay lets a closed day of a token be paid though it was not compared with another ledger. It may need approval.
// Repeating it has no further effect: repeated says that it was released before. ledger.ErrNotFound where the day does
// not wait for a comparison.
func (b *DB) ReleaseDay(ctx context.Context, r ComparisonRelease) (repeated bool, err error) {
	if err := ledger.At("reason", CheckReason(r.Reason)); err != nil {
		return false, err
	}
	asset, err := b.Asset(ctx, r.Asset)
	if err != nil {
		return false, err
	}
	err = b.engine.Write(ctx, func(t db.Tx) error {
		if err := lockToken(t, r.Asset); err != nil {
			return err
		}
		released, err := db.Count(t, "SELECT count(*) FROM comparison_releases WHERE asset = $1 AND day = $2", r.Asset,
			int64(r.Day))
		if repeated = released > 0; err != nil || repeated {
			return err
		}
		if err := b.checkAwaited(t, r.Day, asset); err != nil {
			return err
		}
		if _, err := t.Exec("INSERT INTO comparison_releases (asset, day, released_at, released_by, reason) "+
			"VALUES ($1, $2, $3, $4, $5)", r.Asset, int64(r.Day), b.now(), b.actor.Credential, r.Reason); err != nil {
			return err
		}
		effect := fmt.Sprintf("%s is paid though it was not compared with the other ledger: %s", r.Day, r.Reason)
		if err := b.permit(t, control.ReleaseDay, r, r.Asset, effect); err != nil {
			return err
		}
		return b.logLine(t, string(control.ReleaseDay), r.Asset, effect)
	})
	return repeated, annotate(err, "release %s of %s", r.Asset, r.Day)
}

// checkAwaited is ledger.ErrNotFound unless a closed day of a token waits for a comparison.
func (b *DB) checkAwaited(t db.View, d staking.Day, asset ledger.Asset) error {
	open, err := b.firstOpen(t)
	if err != nil {
		return err
	}
	declared, err := Declared(t, d, asset.Symbol)
	if err != nil {
		return err
	}
	uncompared := CheckCompared(t, d, asset)
	if uncompared != nil && !staking.IsWaiting(uncompared) {
		return uncompared
	}
	if uncompared == nil || declared || d >= open || d < b.first {
		return ledger.ErrNotFound.In("", "%s of %s does not wait to be compared", asset.Symbol, d)
	}
	return nil
}
