package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/staking"
)

// EveryToken is the subject of the log where a limit is that of every token that has none of its own.
const EveryToken = "every token"

// AnyDifference is the limit of an amount, or of a number of accounts, that nothing exceeds.
const AnyDifference = -1

// ComparisonLimit is what may differ of a token between the books and another ledger before it is not paid any more, as
// it was set. The one of a token with the highest number counts; none is ever edited.
type ComparisonLimit struct {
	Asset    string        // "": every token that has none of its own
	Amount   ledger.Amount // of all accounts together, without signs, in smallest units; AnyDifference: any
	Accounts int64         // how many accounts; AnyDifference: any
	Waits    bool          `json:",omitempty"` // a day is not paid before it is compared, see CheckCompared
	Number   int64         `json:"-"`          // from 1; 0: none was set
	SetAt    time.Time     `json:"-"`
	SetBy    string        `json:"-"` // the credential; where it was proposed, the approver's
}

// noComparisonLimit is what holds where nothing was ever set.
var noComparisonLimit = ComparisonLimit{Amount: AnyDifference, Accounts: AnyDifference}

// Stops reports whether there is anything that stops paying.
func (l ComparisonLimit) Stops() bool { return l.Amount >= 0 || l.Accounts >= 0 }

// Exceeded reports whether what differs of a token is over the limit: by its amount, or by its number of accounts.
func (l ComparisonLimit) Exceeded(t reconcile.Token) bool {
	return l.Amount >= 0 && t.Off > l.Amount || l.Accounts >= 0 && t.Differences > l.Accounts
}

// Describe says what the limit is. The amount of every token is in smallest units.
func (l ComparisonLimit) Describe(a ledger.Asset) string {
	text := l.describeStop(a)
	if l.Waits {
		text += ", and no day is paid before it is compared"
	}
	return text
}

// describeStop says from what difference on the token is not paid.
func (l ComparisonLimit) describeStop(a ledger.Asset) string {
	switch amount := a.Format(l.Amount); {
	case !l.Stops():
		return "no difference stops paying"
	case l.Amount < 0:
		return fmt.Sprintf("more than %d accounts that differ stop paying", l.Accounts)
	case l.Accounts < 0:
		return fmt.Sprintf("a difference of more than %s stops paying", amount)
	default:
		return fmt.Sprintf("a difference of more than %s, or more than %d accounts that differ, stop paying", amount,
			l.Accounts)
	}
}

// ComparisonLimitColumns are what ReadComparisonLimit reads.
const ComparisonLimitColumns = "asset, number, amount, accounts, waits, set_at, set_by"

// ReadComparisonLimit reads a row of ComparisonLimitColumns. It never fails.
func ReadComparisonLimit(r db.Row) (ComparisonLimit, error) {
	return ComparisonLimit{Asset: r.Text(0), Number: r.Int(1), Amount: ledger.Amount(r.Int(2)), Accounts: r.Int(3),
		Waits: r.Int(4) == 1, SetAt: db.TimeOf(r.Int(5)), SetBy: r.Text(6)}, nil
}

// lastComparisonLimit is the last limit that was set of a token, or of all; number 0: none was.
func lastComparisonLimit(t db.View, asset string) (ComparisonLimit, error) {
	l, found, err := db.First(t, ReadComparisonLimit, "SELECT "+ComparisonLimitColumns+
		" FROM comparison_limits WHERE asset = $1 ORDER BY number DESC LIMIT 1", asset)
	if !found {
		l = noComparisonLimit
		l.Asset = asset
	}
	return l, annotate(err, "read from what difference on %s is not paid", asset)
}

// comparisonLimitOf is the limit that counts for a token: its own, else that of all.
func comparisonLimitOf(t db.View, asset string) (ComparisonLimit, error) {
	l, err := lastComparisonLimit(t, asset)
	if err == nil && l.Number == 0 {
		l, err = lastComparisonLimit(t, "")
	}
	return l, err
}

// SetComparisonLimit sets from what difference on a token, or every token that has no limit of its own, is not paid,
// and whether its days wait until they are compared. The first counts for the comparisons from then on, the second for
// the days that are not declared then. An amount that is set for every token must be 0 or AnyDifference, since the
// units of tokens differ. It may need approval. Idempotent. ledger.ErrInvalid below AnyDifference.
func (b *DB) SetComparisonLimit(ctx context.Context, l ComparisonLimit) error {
	l = ComparisonLimit{Asset: l.Asset, Amount: l.Amount, Accounts: l.Accounts, Waits: l.Waits}
	asset, subject := ledger.Asset{}, EveryToken
	switch {
	case l.Amount < AnyDifference || l.Accounts < AnyDifference:
		return ledger.ErrInvalid.In("", "a limit is 0 or more")
	case l.Asset == "" && l.Amount > 0:
		return ledger.ErrInvalid.In("amount", "an amount above 0 is that of a token; name it")
	case l.Asset != "":
		var err error
		if asset, err = b.Asset(ctx, l.Asset); err != nil {
			return err
		}
		subject = l.Asset
	}
	err := b.engine.Write(ctx, func(t db.Tx) error {
		was, err := lastComparisonLimit(t, l.Asset)
		if err != nil || was.Number > 0 && was.Amount == l.Amount && was.Accounts == l.Accounts && was.Waits == l.Waits {
			return err
		}
		counts, err := comparisonLimitOf(t, l.Asset) // until then
		if err != nil {
			return err
		}
		n, err := t.Exec("INSERT INTO comparison_limits (asset, number, amount, accounts, waits, set_at, "+
			"set_by) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING", l.Asset, was.Number+1, int64(l.Amount),
			l.Accounts, db.Flag(l.Waits), b.now(), b.actor.Credential)
		if err == nil && n == 0 {
			err = db.ErrRetry
		}
		if err != nil {
			return err
		}
		effect := l.Describe(asset) + "; without it: " + counts.Describe(asset)
		if err := b.permit(t, control.SetComparisonLimit, l, subject, effect); err != nil {
			return err
		}
		return b.logLine(t, string(control.SetComparisonLimit), subject, effect)
	})
	return annotate(err, "set from what difference on %s is not paid", subject)
}

// Break is a comparison of a token that stops paying it.
type Break struct {
	Number int64
	Kind   reconcile.Kind
	Asset  string
	Day    staking.Day
	MadeAt time.Time
	reconcile.Token
}

// Supersedes is the SQL condition that a comparison n, of the same day as c and made after it or of a later day, counts
// in the place of c: it has figures of the source that the books name, which needs approval to change, or both have
// figures of one other kind of source. So who sends figures releases no token that the nightly comparison has stopped.
const Supersedes = "(n.day, n.number) > (c.day, c.number) AND " +
	"(n.scheduled = 1 OR c.scheduled = 0 AND n.source = c.source)"

// stopping are the comparisons that stop paying: over the limit, not resolved, and superseded by no other.
const stopping = `SELECT c.number, t.kind, t.asset, c.day, c.made_at, t.differences, t.off
	  FROM comparison_tokens t JOIN comparisons c ON c.number = t.number
	 WHERE t.stops = 1 AND NOT EXISTS (SELECT 1 FROM comparison_resolutions r WHERE r.number = t.number AND r.asset = t.asset)
	   AND NOT EXISTS (SELECT 1 FROM comparison_tokens l JOIN comparisons n ON n.number = l.number
	       WHERE l.asset = t.asset AND l.kind = t.kind AND ` + Supersedes + ")"

func readBreak(r db.Row) (Break, error) {
	b := Break{Number: r.Int(0), Kind: reconcile.Kind(r.Text(1)), Asset: r.Text(2), Day: staking.Day(r.Int(3)),
		MadeAt: db.TimeOf(r.Int(4))}
	b.Token.Differences, b.Token.Off = r.Int(5), ledger.Amount(r.Int(6))
	return b, nil
}

// Breaks are the comparisons that stop paying tokens now, by token, number and kind; of one token, or of all where it
// is "".
func Breaks(t db.View, asset string) ([]Break, error) {
	sql, args := stopping, []any(nil)
	if asset != "" {
		sql, args = sql+" AND t.asset = $1", []any{asset}
	}
	breaks, err := db.All(t, readBreak, sql+" ORDER BY t.asset, t.number, t.kind", args...)
	return breaks, annotate(err, "read what differs from the other ledger")
}

// CheckBreak is staking.ErrBreak where a comparison with another ledger stops paying a token.
func CheckBreak(t db.View, asset ledger.Asset) error {
	breaks, err := Breaks(t, asset.Symbol)
	if err != nil || breaks == nil {
		return err
	}
	k := breaks[0]
	return staking.ErrBreak.In("", "%s", k.describe(asset)).Because(staking.ReasonBreak, k.Number, asset.Symbol)
}

// describe says what differs.
func (k Break) describe(a ledger.Asset) string {
	return fmt.Sprintf("reconciliation %d, of the end of %s, differs in its %ss by %s %s, accounts: %d", k.Number, k.Day,
		k.Kind, a.Format(k.Off), a.Symbol, k.Differences)
}

// BreakResolution is why a break does not stop paying a token any more.
type BreakResolution struct {
	Number        int64 // of the comparison
	Asset, Reason string
}

// ResolveBreak lets a token be paid though a comparison is over its limit, unless another one stops it too. It may
// need approval. A later comparison that is over it stops the token again. Repeating it has no further effect:
// repeated says that it was resolved before. ledger.ErrNotFound where that comparison does not stop the token.
func (b *DB) ResolveBreak(ctx context.Context, r BreakResolution) (repeated bool, err error) {
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
		resolved, err := db.Count(t, "SELECT count(*) FROM comparison_resolutions WHERE number = $1 AND asset = $2", r.Number,
			r.Asset)
		if repeated = resolved > 0; err != nil || repeated {
			return err
		}
		breaks, err := Breaks(t, r.Asset)
		if err != nil {
			return err
		}
		var differs []string // of each kind: it is resolved for all of them
		for _, k := range breaks {
			if k.Number == r.Number {
				differs = append(differs, k.describe(asset))
			}
		}
		if differs == nil {
			return ledger.ErrNotFound.In("", "reconciliation %d does not stop paying %s", r.Number, r.Asset)
		}
		if _, err := t.Exec("INSERT INTO comparison_resolutions (number, asset, resolved_at, resolved_by, reason) "+
			"VALUES ($1, $2, $3, $4, $5)", r.Number, r.Asset, b.now(), b.actor.Credential, r.Reason); err != nil {
			return err
		}
		effect := fmt.Sprintf("it is paid though %s: %s", strings.Join(differs, ", and "), r.Reason)
		if err := b.permit(t, control.ResolveBreak, r, r.Asset, effect); err != nil {
			return err
		}
		return b.logLine(t, string(control.ResolveBreak), r.Asset, effect)
	})
	return repeated, annotate(err, "resolve reconciliation %d of %s", r.Number, r.Asset)
}
