package reports

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// TaxAsked says which tax report is wanted.
type TaxAsked struct {
	Year     int    // a UTC calendar year that has begun, not before that of the books' first day
	Currency string // conversion.USDT, or a code of ISO 4217
}

// TaxKind is what a line of a tax report sums.
type TaxKind string

// The kinds, in the order of an account's lines of an asset.
const (
	// TaxReward are rewards that were credited in the year. Those that wait, and those of less than a smallest unit,
	// are not received.
	TaxReward TaxKind = "reward"
	// TaxCompensation is what made good, in the year, rewards that were too low.
	TaxCompensation TaxKind = "compensation"
	// TaxBalance is what the account had, free and held, at the end of Tax.End. It is received by nothing.
	TaxBalance TaxKind = "balance"
)

// taxKinds are the kinds in their order.
var taxKinds = []TaxKind{TaxReward, TaxCompensation, TaxBalance}

// TaxLine sums what an account received of an asset in a year, or is its balance at the end. Values are in 1e-8 of the
// currency.
type TaxLine struct {
	Owner     string // of TaxOfOwners; "": it is of an account
	Account   ledger.Account
	Residence staking.Region // of the account, as it is now; "" where there is none
	Asset     string
	Kind      TaxKind
	Count     int64         // how often something was received
	Units     ledger.Amount // smallest units
	Value     *big.Int      // at receipt, each rounded down, then summed; nil: no receipt's is known, or it is a balance
	Unvalued  int64         // receipts whose value is not known, and not in Value
	EndValue  *big.Int      // of Units at the end of Tax.End, rounded down; nil: not known
}

// TaxYear is the year of a tax report; Reports.TaxYear makes it.
type TaxYear struct {
	TaxAsked
	End         staking.Day // 31 December, or today while the year has not ended
	from, until time.Time   // until is exclusive
}

// Tax is the tax report of one account.
type Tax struct {
	TaxYear
	Lines    []TaxLine // by asset and kind
	Value    *big.Int  // of all lines at receipt
	Unvalued int64     // of all lines
}

// TaxYear checks what is asked for. Its errors are ledger.ErrInvalid, in the fields "year" and "currency".
func (rs *Reports) TaxYear(asked TaxAsked) (TaxYear, error) {
	if err := pricing.CheckCurrency(asked.Currency); err != nil {
		return TaxYear{}, err
	}
	first, now := rs.FirstDay().Start().Year(), rs.Now().UTC().Year()
	if asked.Year < first || asked.Year > now {
		return TaxYear{}, ledger.ErrInvalid.In("year", "the year %d does not lie between %d, in which the books begin, "+
			"and %d", asked.Year, first, now)
	}
	start := func(year int) time.Time { return time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC) }
	y := TaxYear{TaxAsked: asked, from: start(asked.Year), until: start(asked.Year + 1)}
	y.End = min(staking.DayOf(y.until)-1, staking.DayOf(rs.Now()))
	return y, nil
}

// Tax is the tax report of an account, from one snapshot. A reward is received when it was credited. Its value is that
// of the price and the rate of the day that it is for, which do not change once that is paid; a compensation's, of the
// day on which it was posted. ErrNotFound if the account was never opened.
func (rs *Reports) Tax(ctx context.Context, id ledger.Account, y TaxYear) (Tax, error) {
	holder, err := rs.Account(ctx, id)
	if err != nil {
		return Tax{}, err
	}
	return read(ctx, rs, "read the taxes of "+string(id), func(t db.View) (Tax, error) {
		s, err := newTaxSums(t, y)
		if err == nil {
			err = s.addRewards(t, id.Bucket(), id)
		}
		if err == nil {
			err = s.addCompensations(t, id.Bucket(), id)
		}
		if err != nil {
			return Tax{}, err
		}
		balances, err := balancesAt(t, id, y.End+1, staking.DayOf(rs.Now())+1, rs.FirstDay())
		if err != nil {
			return Tax{}, err
		}
		for _, b := range balancesOf(balances) {
			if err := s.addBalance(id, b); err != nil {
				return Tax{}, err
			}
		}
		report := Tax{TaxYear: y, Lines: s.lines(), Value: new(big.Int)}
		for i := range report.Lines {
			l := &report.Lines[i]
			l.Residence, report.Unvalued = holder.Region, report.Unvalued+l.Unvalued
			if l.Value != nil {
				report.Value.Add(report.Value, l.Value)
			}
		}
		return report, nil
	})
}

// TaxOfAll gives visit the lines of each bucket of accounts, those without any too, by account, asset and kind; of
// balances there are none. All come from one snapshot, which lasts as long as visit takes. In memory are the lines of
// one bucket, one in 256 of all. visit may be called from the first bucket again, after begin, where the database asks
// for a retry. The year is one of Reports.TaxYear.
func (rs *Reports) TaxOfAll(ctx context.Context, y TaxYear, begin func() error, visit func([]TaxLine) error) error {
	return rs.taxOfAll(ctx, y, begin, func(_ db.View, _ int, lines []TaxLine) error { return visit(lines) },
		func() error { return nil })
}

// taxOfAll gives visit the lines of each bucket, and calls end after the last.
func (rs *Reports) taxOfAll(ctx context.Context, y TaxYear, begin func() error,
	visit func(t db.View, bucket int, lines []TaxLine) error, end func() error) error {
	err := rs.Read(ctx, func(t db.View) error {
		if err := begin(); err != nil {
			return err
		}
		s, err := newTaxSums(t, y)
		if err != nil {
			return err
		}
		for b := range ledger.Buckets {
			lines, err := s.bucket(t, b)
			if err == nil {
				err = visit(t, b, lines)
			}
			if err != nil {
				return err
			}
		}
		return end()
	})
	if err != nil {
		return fmt.Errorf("read the taxes of %d: %w", y.Year, err)
	}
	return nil
}

// taxSums adds up what accounts received in a year.
type taxSums struct {
	TaxYear
	assets map[string]ledger.Asset
	prices map[string][]pricing.Price // by asset, then by day
	rates  []pricing.Price            // of the currency, by day
	sums   map[taxKey]*TaxLine
}

type taxKey struct {
	account ledger.Account
	asset   string
	kind    TaxKind
}

// newTaxSums reads all prices, and the rates of the currency: a reward that is credited late is for a day long before.
func newTaxSums(t db.View, y TaxYear) (*taxSums, error) {
	s := &taxSums{TaxYear: y, assets: map[string]ledger.Asset{}, prices: map[string][]pricing.Price{},
		sums: map[taxKey]*TaxLine{}}
	symbols, err := db.All(t, db.TextOf, "SELECT symbol FROM assets")
	if err != nil {
		return nil, fmt.Errorf("read the assets: %w", err)
	}
	for _, symbol := range symbols {
		if s.assets[symbol], err = store.FindAsset(t, symbol); err != nil {
			return nil, err
		}
	}
	prices, err := db.All(t, readPrice, "SELECT asset, day, price FROM prices WHERE day <= $1 ORDER BY asset, day",
		int64(y.End))
	if err != nil {
		return nil, fmt.Errorf("read prices: %w", err)
	}
	for _, p := range prices {
		s.prices[p.Asset] = append(s.prices[p.Asset], p)
	}
	s.rates, err = db.All(t, readPrice,
		"SELECT currency, day, rate FROM rates WHERE currency = $1 AND day <= $2 ORDER BY day", y.Currency, int64(y.End))
	if err != nil {
		return nil, fmt.Errorf("read rates: %w", err)
	}
	return s, nil
}

// value is an amount's on a day, in 1e-8 of the currency and rounded down; nil: it is not known.
func (s *taxSums) value(asset string, d staking.Day, amount ledger.Amount) *big.Int {
	price, priced := priceOn(s.prices[asset], asset, d)
	rate, rated := priceOn(s.rates, s.Currency, d)
	if !priced || !rated {
		return nil
	}
	return pricing.ValueIn(s.assets[asset], amount, price, rate)
}

// line is the sum of a key.
func (s *taxSums) line(id ledger.Account, asset string, kind TaxKind) *TaxLine {
	key := taxKey{id, asset, kind}
	l := s.sums[key]
	if l == nil {
		l = &TaxLine{Account: id, Asset: asset, Kind: kind}
		s.sums[key] = l
	}
	return l
}

// receive adds what an account received, at the value of a day.
func (s *taxSums) receive(id ledger.Account, asset string, kind TaxKind, d staking.Day, amount ledger.Amount) error {
	l := s.line(id, asset, kind)
	l.Count++
	value := s.value(asset, d, amount)
	switch {
	case value == nil:
		l.Unvalued++
	case l.Value == nil:
		l.Value = value
	default:
		l.Value.Add(l.Value, value)
	}
	sum, err := l.Units.Add(amount)
	l.Units = sum
	return err
}

// addBalance adds what an account has at the end.
func (s *taxSums) addBalance(id ledger.Account, b Balance) error {
	all, err := b.Free.Add(b.Held)
	s.line(id, b.Asset, TaxBalance).Units = all
	return err
}

// lines are the sums, by account, asset and kind, with their values at the end; none is left.
func (s *taxSums) lines() []TaxLine {
	lines := make([]TaxLine, 0, len(s.sums))
	for l := range maps.Values(s.sums) {
		l.EndValue = s.value(l.Asset, s.End, l.Units)
		lines = append(lines, *l)
	}
	clear(s.sums)
	slices.SortFunc(lines, func(a, b TaxLine) int {
		return cmp.Or(strings.Compare(string(a.Account), string(b.Account)), strings.Compare(a.Asset, b.Asset),
			cmp.Compare(slices.Index(taxKinds, a.Kind), slices.Index(taxKinds, b.Kind)))
	})
	return lines
}

// bucket are the lines of a bucket's accounts.
func (s *taxSums) bucket(t db.View, bucket int) ([]TaxLine, error) {
	if err := s.addRewards(t, bucket, ""); err != nil {
		return nil, err
	}
	if err := s.addCompensations(t, bucket, ""); err != nil {
		return nil, err
	}
	lines := s.lines()
	if len(lines) == 0 {
		return nil, nil
	}
	regions := map[ledger.Account]staking.Region{}
	err := t.Query(func(r db.Row) error {
		regions[ledger.Account(r.Text(0))] = staking.Region(r.Text(1))
		return nil
	}, "SELECT account, region FROM accounts WHERE bucket = $1", int64(bucket))
	for i := range lines {
		lines[i].Residence = regions[lines[i].Account]
	}
	return lines, err
}

// addRewards adds the rewards that a bucket credited in the year; to one account, or "" to all.
func (s *taxSums) addRewards(t db.View, bucket int, id ledger.Account) error {
	days, paid, err := paidIn(t, bucket, s.from.UnixMilli(), s.until.UnixMilli()-1, "")
	if err != nil {
		return err
	}
	add := func(id ledger.Account, c Credit) error {
		if _, is := paid[RewardKey{c.Day, c.Asset}]; !is {
			return nil
		}
		return s.receive(id, c.Asset, TaxReward, c.Day, c.Reward)
	}
	if id != "" {
		var failed error
		err := accruedOn(t, id, days, func(c Credit) { failed = cmp.Or(failed, add(id, c)) })
		return cmp.Or(err, failed)
	}
	err = t.QuerySet(func(r db.Row) error {
		return add(ledger.Account(r.Text(0)), Credit{Day: staking.Day(r.Int(1)), Asset: r.Text(2),
			Reward: ledger.Amount(r.Int(3))})
	}, `SELECT a.account, a.day, a.asset, a.reward
	      FROM {rows} JOIN accruals a ON a.bucket = r.bucket AND a.day = r.day AND a.reward > 0`,
		db.SetOf(days,
			db.Int("bucket", func(staking.Day) int64 { return int64(bucket) }),
			db.Int("day", func(d staking.Day) int64 { return int64(d) })))
	if err != nil {
		return fmt.Errorf("read the rewards of bucket %d: %w", bucket, err)
	}
	return nil
}

// addCompensations adds the compensations that were posted to a bucket's accounts in the year; to one account, or "" to
// all. It reads the bucket's postings of the year.
func (s *taxSums) addCompensations(t db.View, bucket int, id ledger.Account) error {
	err := t.Query(func(r db.Row) error {
		return s.receive(ledger.Account(r.Text(0)), r.Text(1), TaxCompensation, staking.Day(r.Int(2)),
			ledger.Amount(r.Int(3)))
	}, `SELECT p.account, p.asset, p.day, p.amount FROM days d CROSS JOIN postings p
	     WHERE d.bucket = $1 AND d.day BETWEEN $2 AND $3 AND p.bucket = d.bucket AND p.day = d.day
	       AND p.kind = $4 AND p.side = 1 AND (p.account = $5 OR $5 = '')`,
		int64(bucket), int64(staking.DayOf(s.from)), int64(s.End), string(ledger.Compensation), string(id))
	if err != nil {
		return fmt.Errorf("read the compensations of bucket %d: %w", bucket, err)
	}
	return nil
}
