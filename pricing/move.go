package pricing

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// How much a figure may move without approval, as a part of the one before: a fifth (20 %) from one day to the next,
// and a half within Month days, so that many small steps do not come to a large one. Ours: a token that doubles
// within a month is looked at, and one that follows its market is not.
const (
	freeMove      = 5
	freeMonthMove = 2
	// Month is how many days before its own those prices are that a price is compared with.
	Month = 30
)

// moves reports whether a price is farther from one before than a part of it. The first price of an asset has nothing
// to be compared with: see compared.first.
func (p Price) moves(before Price, part int64) bool {
	return before.Price != 0 && max(p.Price-before.Price, before.Price-p.Price) > before.Price/part
}

// move is a price, and the one that it is too far from.
type move struct{ now, before Price }

// compared is what is known of the prices that fresh ones are compared with. All but known are bases: the last price
// that a day had while it was not over, or its first one later, or what was approved for it last. A price of a day can
// be set again and again, and those of the days after it: what a person has just set is nothing to compare with.
type compared struct {
	fresh   []Price
	known   []Price            // of the day of each, or of the last day before it, as it is now
	earlier []Price            // of the day before each, or of the last before that
	month   map[string][]Price // of each asset, of Month days before the first to the last of its fresh ones
	nearest []Price            // of each of which month has none: the nearest of the asset
}

// firstRefused is the error of figures that were refused only because some are the first of their assets.
type firstRefused struct {
	error
	assets map[string]bool
}

func (f *firstRefused) Unwrap() error { return f.error }

// setting are figures that are set in one call.
type setting struct {
	asked any     // as they are kept with a proposal
	all   []Price // the same, by asset and day
	fresh []Price // those of all that are new or changed
}

// permit asks for approval of figures of which a fresh one moves too far (see tooFar) or is the first of its asset:
// one person could else name any, and convert at it. rebased are the fresh ones that are bases from now on, also of
// days that have one: those of the assets of which one was approved, all of which the effect names; and those of
// today, which follow their market, where the day before gives them their bounds. Where the first ones alone are
// refused, and there are others beside them, also unchanged ones, the error is a *firstRefused.
func (s series) permit(t db.Tx, books Books, x setting, now time.Time) (rebased map[Price]bool, err error) {
	c, err := s.before(t, x.fresh)
	if err != nil {
		return nil, err
	}
	moves := c.tooFar(nil)
	if len(moves) > 0 { // only then it matters what was approved
		approved, err := s.approved(t, now)
		if err != nil {
			return nil, err
		}
		moves = c.tooFar(approved)
	}
	first, far := c.first(), len(moves)
	for _, p := range first {
		moves = append(moves, move{now: p})
	}
	moved := map[string]bool{}
	for _, m := range moves {
		moved[m.now.Asset] = true
	}
	err = s.permitMoves(t, books, x, moves, moved)
	if errors.Is(err, control.ErrNeedsApproval) || ledger.ReasonOf(err) == control.ReasonNoPerson {
		alone := &firstRefused{err, map[string]bool{}}
		for _, p := range first {
			alone.assets[p.Asset] = true
		}
		if far == 0 && slices.ContainsFunc(x.all, func(p Price) bool { return !alone.assets[p.Asset] }) {
			return nil, alone
		}
	}
	rebased = map[Price]bool{}
	for i, p := range x.fresh {
		rebased[p] = moved[p.Asset] || p.Day == staking.DayOf(now) && c.earlier[i].Price != 0
	}
	return rebased, err
}

// permitMoves asks for approval of figures where some of them move. The effect names all that are asked for of the
// assets that have moved: what is approved is not compared with what was before it any more.
func (s series) permitMoves(t db.Tx, books Books, x setting, moves []move, moved map[string]bool) error {
	before := map[Price]string{}
	for _, m := range moves {
		before[m.now] = ", the first one"
		if m.before.Price != 0 {
			before[m.now] = fmt.Sprintf(", after %s of %s", ledger.FormatDecimal(m.before.Price, conversion.PriceScale),
				m.before.Day)
		}
	}
	var lines, assets []string
	for _, p := range x.all {
		if moved[p.Asset] {
			assets = append(assets, p.Asset)
			lines = append(lines, fmt.Sprintf("%s of %s: %s%s", p.Asset, p.Day,
				ledger.FormatDecimal(p.Price, conversion.PriceScale), before[p]))
		}
	}
	effect := fmt.Sprintf("%d %s, %s", len(x.fresh), s.table, strings.Join(lines, ", "))
	return books.Permit(t, moves != nil, s.operation, x.asked, strings.Join(slices.Compact(assets), " "), effect)
}

// tooFar are the prices that need approval: those that are more than a fifth away from what is known of their day;
// from that of the day before, of the last of the 7 days before it or, where there is none, of their own, unless they
// are near one of their day that was approved; or more than a half away from one of the Month days before, of their
// own or, where there is none, from the nearest. Of these days only those count since the last of which a price was
// approved.
func (c compared) tooFar(approved []Price) (moves []move) {
	for i, now := range c.fresh {
		near := func(a Price) bool { return a.Asset == now.Asset && a.Day == now.Day && !now.moves(a, freeMove) }
		earlier := c.earlier[i]
		if own := c.of(now, now.Day); earlier.Price == 0 && own != nil {
			earlier = own[0]
		}
		switch {
		case now.moves(c.known[i], freeMove):
			moves = append(moves, move{now, c.known[i]})
			continue
		case now.moves(earlier, freeMove) && !slices.ContainsFunc(approved, near):
			moves = append(moves, move{now, earlier})
			continue
		}
		since := now.Day - Month
		for _, a := range approved {
			if a.Asset == now.Asset && a.Day <= now.Day {
				since = max(since, a.Day)
			}
		}
		for _, before := range append(c.of(now, since), c.nearest[i]) {
			if now.moves(before, freeMonthMove) {
				moves = append(moves, move{now, before})
				break
			}
		}
	}
	return moves
}

// first are the fresh prices of assets that have none yet.
func (c compared) first() (first []Price) {
	for i, p := range c.fresh {
		if c.nearest[i].Price == 0 && c.of(p, p.Day-Month) == nil {
			first = append(first, p)
		}
	}
	return first
}

// setApart sets figures, and where only first ones of assets are refused, the others and then those, whose error it
// returns: a token that is new does not keep the prices of others from being set.
func setApart[F any](figures []F, asset func(F) string, set func([]F) (int, error)) (n int, err error) {
	n, err = set(figures)
	var refused *firstRefused
	if !errors.As(err, &refused) {
		return n, err
	}
	isFirst := func(f F) bool { return refused.assets[asset(f)] }
	if n, err = set(slices.DeleteFunc(slices.Clone(figures), isFirst)); err != nil {
		return 0, err
	}
	more, err := set(slices.DeleteFunc(slices.Clone(figures), func(f F) bool { return !isFirst(f) }))
	return n + more, err
}

// of are the prices from a day to that of another price, of its asset.
func (c compared) of(now Price, since staking.Day) (prices []Price) {
	for _, p := range c.month[now.Asset] {
		if p.Day >= since && p.Day <= now.Day {
			prices = append(prices, p)
		}
	}
	return prices
}

// before reads what fresh prices, which are sorted by asset and day, are compared with.
func (s series) before(t db.View, fresh []Price) (c compared, err error) {
	c = compared{fresh: fresh, month: map[string][]Price{}, nearest: make([]Price, len(fresh))}
	if c.known, err = s.at(t, s.figure, fresh); err != nil {
		return c, err
	}
	daysBefore := slices.Clone(fresh)
	for i := range daysBefore {
		daysBefore[i].Day--
	}
	if c.earlier, err = s.at(t, "base", daysBefore); err != nil {
		return c, err
	}
	var spans [][2]Price // the first and the last of each asset
	for _, p := range fresh {
		if n := len(spans); n > 0 && spans[n-1][0].Asset == p.Asset {
			spans[n-1][1] = p
			continue
		}
		spans = append(spans, [2]Price{p, p})
	}
	err = t.QuerySet(func(r db.Row) error {
		asset := r.Text(0)
		c.month[asset] = append(c.month[asset], Price{asset, staking.Day(r.Int(1)), r.Int(2)})
		return nil
	}, `SELECT p.`+s.name+`, p.day, p.base
	      FROM {rows} JOIN `+s.table+` p ON p.`+s.name+` = r.name AND p.day BETWEEN r.first AND r.last`,
		db.SetOf(spans,
			db.Text("name", func(span [2]Price) string { return span[0].Asset }),
			db.Int("first", func(span [2]Price) int64 { return int64(span[0].Day - Month) }),
			db.Int("last", func(span [2]Price) int64 { return int64(span[1].Day) })))
	if err != nil {
		return c, fmt.Errorf("read the %s of a month: %w", s.table, err)
	}
	return c, s.readNearest(t, c)
}

// readNearest reads the nearest price of each of which there is none of the Month days before, nor of its own.
func (s series) readNearest(t db.View, c compared) error {
	var alone []int
	for i, p := range c.fresh {
		if c.of(p, p.Day-Month) == nil {
			alone = append(alone, i)
		}
	}
	err := t.QueryEach(func(r db.Row) error {
		c.nearest[r.Int(0)] = Price{r.Text(1), staking.Day(r.Int(2)), r.Int(3)}
		return nil
	}, `SELECT CAST($1 AS bigint), `+s.name+`, day, base FROM `+s.table+`
	     WHERE `+s.name+` = $2 ORDER BY abs(day - $3), day LIMIT 1`,
		db.SetOf(alone,
			db.Int("number", func(i int) int64 { return int64(i) }),
			db.Text("name", func(i int) string { return c.fresh[i].Asset }),
			db.Int("day", func(i int) int64 { return int64(c.fresh[i].Day) })))
	if err != nil {
		return fmt.Errorf("read the nearest %s: %w", s.table, err)
	}
	return nil
}

// approved are the figures that were approved within Month days: those of the assets that a proposal is about. Others
// that were asked for with them needed no approval, and its effect has not named them.
func (s series) approved(t db.View, now time.Time) (all []Price, err error) {
	err = t.Query(func(r db.Row) error {
		prices, err := s.read(json.RawMessage(r.Text(0)))
		about := strings.Fields(r.Text(1))
		all = append(all, slices.DeleteFunc(prices, func(p Price) bool { return !slices.Contains(about, p.Asset) })...)
		return err
	}, "SELECT content, subject FROM proposals WHERE operation = $1 AND decision = $2 AND made_at >= $3",
		string(s.operation), string(control.Executed), now.Add(-control.Lifetime-(Month+1)*24*time.Hour).UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("read the %s that were approved: %w", s.table, err)
	}
	return all, nil
}
