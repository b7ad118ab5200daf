package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/staking"
)

// RaiseWait is how long a holder's own daily limit waits that is raised or taken away. A lower one holds at once.
const RaiseWait = 24 * time.Hour

// MaxLimitChanges is how often a holder changes the own daily limit of a token in 24 hours at most: each change is a
// row that is kept.
const MaxLimitChanges = 10

// ReasonLimitChanges is of access.ErrCeiling: MaxLimitChanges are reached.
const ReasonLimitChanges = "limit-changes"

// AccountLimit is how much of a token leaves an account on a day (UTC) at most.
type AccountLimit struct {
	Account ledger.Account // "": of every account that has none of its own
	Asset   string
	Amount  ledger.Amount // in the asset's smallest unit; 0: none
}

// SetAccountLimit sets how much of a token an account, or every account, withdraws and sends on a day at most, where
// the holder asks for it with a session, a token or a key. An account's limit is in the place of that of every account;
// 0 takes it away. It holds at once, and needs approval (control.SetAccountLimit). Idempotent. ledger.ErrNotFound if
// the account or the token is not in the books; ErrInvalid for a negative amount.
func (b *DB) SetAccountLimit(ctx context.Context, l AccountLimit) error {
	asset, err := b.checkAccountLimit(ctx, l)
	if err != nil {
		return err
	}
	err = b.engine.Write(ctx, func(t db.Tx) error {
		if err := lockAccountLimit(t, l); err != nil {
			return err
		}
		last, err := lastAccountLimit(t, limitKey{account: l.Account, asset: l.Asset})
		if err != nil || last.amount == l.Amount {
			return err
		}
		now := b.now()
		if err := writeAccountLimit(t, l, false, accountLimit{number: last.number + 1, from: now}, now); err != nil {
			return err
		}
		of := string(l.Account)
		if of == "" {
			of = "every account"
		}
		if err := b.noticeLowered(t, l, last.amount); err != nil {
			return err
		}
		detail := fmt.Sprintf("%s: %s, before: %s", l.Asset, aDay(asset, l.Amount), aDay(asset, last.amount))
		if err := b.permit(t, control.SetAccountLimit, l, of, detail); err != nil {
			return err
		}
		return b.logLine(t, string(control.SetAccountLimit), of, detail)
	})
	return annotate(err, "set a daily limit")
}

// noticeLowered adds a notice where the operator's limit of an account is lower than the one that it had, which is that
// of every account where before is 0. What holds for every account is a notice to nobody: it is on the page of limits.
func (b *DB) noticeLowered(t db.Tx, l AccountLimit, before ledger.Amount) error {
	if l.Account == "" {
		return nil
	}
	usual, err := lastAccountLimit(t, limitKey{asset: l.Asset})
	if err != nil {
		return err
	}
	was, is := cmp.Or(before, usual.amount), cmp.Or(l.Amount, usual.amount)
	if is == 0 || was > 0 && is >= was {
		return nil
	}
	return b.People().NotifyAll(t, []ledger.Account{l.Account}, people.NoticeSetLimit, l.Asset)
}

func (b *DB) checkAccountLimit(ctx context.Context, l AccountLimit) (ledger.Asset, error) {
	if l.Account != "" {
		if err := l.Account.CheckHolder(); err != nil {
			return ledger.Asset{}, err
		}
	}
	asset, err := b.Asset(ctx, l.Asset)
	if err == nil && (l.Amount < 0 || l.Amount > asset.MaxSupply) {
		err = ledger.ErrInvalid.In("amount", "a daily limit lies between 0 and %s", asset.Format(asset.MaxSupply))
	}
	return asset, err
}

func aDay(a ledger.Asset, amount ledger.Amount) string {
	if amount == 0 {
		return "no daily limit"
	}
	return a.Format(amount) + " " + a.Symbol + " a day"
}

// lockAccountLimit locks what a limit is of: the account or, for every account, the token.
func lockAccountLimit(t db.Tx, l AccountLimit) error {
	if l.Account == "" {
		return lockToken(t, l.Asset)
	}
	_, err := lockAccount(t, l.Account)
	return err
}

// OwnLimitStepUp is the digest of the step-up by which a holder confirms a higher daily limit.
func OwnLimitStepUp(l AccountLimit) string {
	return access.StepUp("limit own", string(l.Account), l.Asset, fmt.Sprint(int64(l.Amount)))
}

// SetOwnLimit sets the daily limit that a holder has given the own account, beside the operator's: the lower one holds.
// It returns from when on it holds. A lower one holds at once, and is a notice: whoever sets it in another's account
// locks the holder out. A higher one, and none (0), holds after RaiseWait, and is confirmed by a person with
// OwnLimitStepUp: access.ErrForbidden because of access.ReasonStepUp or ReasonFactor. A limit that waits is replaced.
// Idempotent. access.ErrCeiling because of ReasonLimitChanges after MaxLimitChanges. Its other errors are those of
// SetAccountLimit.
func (b *DB) SetOwnLimit(ctx context.Context, l AccountLimit) (from time.Time, err error) {
	asset, err := b.checkAccountLimit(ctx, l)
	if err != nil {
		return from, err
	}
	if err := b.actor.CheckOwns(l.Account); err != nil {
		return from, err
	}
	err = b.engine.Write(ctx, func(t db.Tx) error {
		if err := lockAccountLimit(t, l); err != nil {
			return err
		}
		k := limitKey{l.Account, l.Asset, true}
		last, err := lastAccountLimit(t, k)
		if err != nil {
			return err
		}
		if from = db.TimeOrZero(last.from); last.amount == l.Amount {
			return nil
		}
		now := b.now()
		next := accountLimit{number: last.number + 1, former: last.at(now), from: now}
		if err := mayChangeLimit(t, k, last.number, now); err != nil {
			return err
		}
		if next.former > 0 && (l.Amount == 0 || l.Amount > next.former) {
			if err := b.confirmRaise(t, l); err != nil {
				return err
			}
			next.from += RaiseWait.Milliseconds()
		} else if err := b.People().NotifyAll(t, []ledger.Account{l.Account}, people.NoticeLowered, l.Asset); err != nil {
			return err
		}
		from = db.TimeOf(next.from)
		if err := writeAccountLimit(t, l, k.own, next, now); err != nil {
			return err
		}
		return b.logLine(t, "limit own", string(l.Account), fmt.Sprintf("%s: %s, from %s on", l.Asset,
			aDay(asset, l.Amount), ledger.FormatTime(from)))
	})
	return from, annotate(err, "set the own daily limit of %s", l.Account)
}

// confirmRaise uses the step-up of a higher limit, and adds its notice. A token and a key are no persons, and
// raise none.
func (b *DB) confirmRaise(t db.Tx, l AccountLimit) error {
	if b.actor.Subject() == "" {
		return access.ErrForbidden.In("", "a higher daily limit is confirmed by a person who has logged in").
			Because(access.ReasonStepUp)
	}
	if err := b.People().NeedFactor(t, l.Account); err != nil {
		return err
	}
	if err := people.UseStepUp(t, b.guard, b.now(), b.actor, OwnLimitStepUp(l)); err != nil {
		return err
	}
	return b.People().NotifyAll(t, []ledger.Account{l.Account}, people.NoticeLimit, l.Asset)
}

// mayChangeLimit refuses one change more than MaxLimitChanges of 24 hours. last is the number of the last one.
func mayChangeLimit(t db.View, k limitKey, last, now int64) error {
	n, err := db.Count(t, `SELECT count(*) FROM account_limits
	                        WHERE bucket = $1 AND account = $2 AND asset = $3 AND own = $4 AND number > $5 AND set_at > $6`,
		k.bucket(), string(k.account), k.asset, db.Flag(k.own), last-MaxLimitChanges, now-RaiseWait.Milliseconds())
	if err == nil && n >= MaxLimitChanges {
		err = access.ErrCeiling.In("", "a daily limit of a token is changed %d times in 24 hours", MaxLimitChanges).
			Because(ReasonLimitChanges)
	}
	return err
}

func writeAccountLimit(t db.Tx, l AccountLimit, own bool, next accountLimit, now int64) error {
	_, err := t.Exec(`INSERT INTO account_limits (bucket, account, asset, own, number, amount, former, from_at, set_at)
	                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, limitKey{account: l.Account}.bucket(), string(l.Account),
		l.Asset, db.Flag(own), next.number, int64(l.Amount), int64(next.former), next.from, now)
	return err
}

// limitKey names the limits of an account, or of every account (""), for a token: the operator's or the holder's own.
type limitKey struct {
	account ledger.Account
	asset   string
	own     bool
}

func (k limitKey) compare(other limitKey) int {
	return cmp.Or(cmp.Compare(k.account, other.account), cmp.Compare(k.asset, other.asset),
		cmp.Compare(db.Flag(k.own), db.Flag(other.own)))
}

// bucket is where an account's limits lie; those of every account lie in bucket 0.
func (k limitKey) bucket() int64 {
	if k.account == "" {
		return 0
	}
	return int64(k.account.Bucket())
}

// limitsFor name the limits that hold for an account together.
func limitsFor(id ledger.Account, asset string) []limitKey {
	return []limitKey{{asset: asset}, {account: id, asset: asset}, {account: id, asset: asset, own: true}}
}

// accountLimit is the last row of a limitKey; the zero value where there is none.
type accountLimit struct {
	number, from   int64
	amount, former ledger.Amount
}

// at is the limit that holds at now; 0: none.
func (l accountLimit) at(now int64) ledger.Amount {
	if l.from > now {
		return l.former
	}
	return l.amount
}

func lastAccountLimit(t db.View, k limitKey) (accountLimit, error) {
	all, err := readAccountLimits(t, []limitKey{k})
	return all[k], err
}

// readAccountLimits reads the last row of each limit: however often one was changed, one row of it is read.
func readAccountLimits(t db.View, keys []limitKey) (map[limitKey]accountLimit, error) {
	all := map[limitKey]accountLimit{}
	err := t.QuerySet(func(r db.Row) error {
		all[limitKey{ledger.Account(r.Text(0)), r.Text(1), r.Int(2) != 0}] = accountLimit{number: r.Int(3), from: r.Int(4),
			amount: ledger.Amount(r.Int(5)), former: ledger.Amount(r.Int(6))}
		return nil
	}, `SELECT l.account, l.asset, l.own, l.number, l.from_at, l.amount, l.former
	      FROM {rows} JOIN account_limits l ON l.bucket = r.bucket AND l.account = r.account AND l.asset = r.asset
	       AND l.own = r.own AND l.number = (SELECT max(m.number) FROM account_limits m WHERE m.bucket = r.bucket
	                                            AND m.account = r.account AND m.asset = r.asset AND m.own = r.own)`,
		db.SetOf(keys,
			db.Int("bucket", limitKey.bucket),
			db.Text("account", func(k limitKey) string { return string(k.account) }),
			db.Text("asset", func(k limitKey) string { return k.asset }),
			db.Int("own", func(k limitKey) int64 { return db.Flag(k.own) })))
	return all, annotate(err, "read daily limits")
}

// DailyLimit is how much of a token may leave an account on a day (UTC), and how much of it is left today.
type DailyLimit struct {
	Asset string
	Limit ledger.Amount // the lower one of the operator's and the holder's own
	Used  ledger.Amount // today: withdrawn, also what is pending, and sent to others; without what was cancelled
	Own   ledger.Amount // the holder's own; 0: none
	Next  ledger.Amount // the holder's own from NextFrom on
	From  time.Time     // of Next; zero: none waits
}

// Left is how much may still leave today.
func (l DailyLimit) Left() ledger.Amount { return max(l.Limit-l.Used, 0) }

// effective is the limit that holds for an account at now: the lower one of the operator's and the holder's own.
func effective(all map[limitKey]accountLimit, id ledger.Account, asset string, now int64) ledger.Amount {
	keys := limitsFor(id, asset)
	limit, own := cmp.Or(all[keys[1]].at(now), all[keys[0]].at(now)), all[keys[2]].at(now)
	if own > 0 && (limit == 0 || own < limit) {
		limit = own
	}
	return limit
}

// DailyLimits are the limits of an account at now, by token: of the tokens that have one now, or will have.
func DailyLimits(t db.View, id ledger.Account, now time.Time, assets []string) (map[string]DailyLimit, error) {
	var keys []limitKey
	for _, asset := range assets {
		keys = append(keys, limitsFor(id, asset)...)
	}
	all, err := readAccountLimits(t, keys)
	if err != nil {
		return nil, err
	}
	limits, at := map[string]DailyLimit{}, now.UnixMilli()
	for _, asset := range assets {
		own := all[limitKey{id, asset, true}]
		l := DailyLimit{Asset: asset, Limit: effective(all, id, asset, at), Own: own.at(at)}
		if own.from > at {
			l.Next, l.From = own.amount, db.TimeOf(own.from)
		}
		if l.Limit > 0 || !l.From.IsZero() {
			limits[asset] = l
		}
	}
	var wanted []spendingKey
	for _, asset := range slices.Sorted(maps.Keys(limits)) {
		wanted = append(wanted, spendingKey{id, asset, staking.DayOf(now)})
	}
	used, err := readSpendings(t, wanted)
	for k, amount := range used {
		l := limits[k.asset]
		l.Used = amount
		limits[k.asset] = l
	}
	return limits, err
}
