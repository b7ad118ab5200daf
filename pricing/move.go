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

// compared is what is known of the prices that fresh ones are compared with.
type compared struct {
	fresh   []Price
	known   []Price            // of the day of each, or of the last day before it
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

// permit asks for approval of figures, as they were asked for, of which a fresh one moves too far (see tooFar) or is the
// first of its asset: one person could else name any, and convert at it. Where the first ones alone are refused, and
// there are others beside them, the error is a *firstRefused.
func (s series) permit(t db.Tx, books Books, asked any, fresh []Price, now time.Time) error {
	c, err := s.before(t, fresh)
	if err != nil {
		return err
	}
	moves := c.tooFar(nil)
	if len(moves) > 0 { // only then it matters what was approved
		approved, err := s.approved(t, now)
		if err != nil {
			return err
		}
		moves = c.tooFar(approved)
	}
	first, far := c.first(), len(moves)
	for _, p := range first {
		moves = append(moves, move{now: p})
	}
	err = s.permitMoves(t, books, asked, len(fresh), moves)
	if errors.Is(err, control.ErrNeedsApproval) || ledger.ReasonOf(err) == control.ReasonNoPerson {
		alone := &firstRefused{err, map[string]bool{}}
		for _, p := range first {
			alone.assets[p.Asset] = true
		}
		if far == 0 && slices.ContainsFunc(fresh, func(p Price) bool { return !alone.assets[p.Asset] }) {
			return alone
		}
	}
	return err
}

// permitMoves asks for approval of figures, n of which are fresh, where some of them move.
func (s series) permitMoves(t db.Tx, books Books, asked any, n int, moves []move) error {
	var lines, assets []string
	for _, m := range moves {
		before := "the first one"
		if m.before.Price != 0 {
			before = fmt.Sprintf("after %s of %s", ledger.FormatDecimal(m.before.Price, conversion.PriceScale), m.before.Day)
		}
		assets = append(assets, m.now.Asset)
		lines = append(lines, fmt.Sprintf("%s of %s: %s, %s", m.now.Asset, m.now.Day,
			ledger.FormatDecimal(m.now.Price, conversion.PriceScale), before))
	}
	effect := fmt.Sprintf("%d %s, %s", n, s.table, strings.Join(lines, ", "))
	return books.Permit(t, moves != nil, s.operation, asked, strings.Join(slices.Compact(assets), " "), effect)
}

// tooFar are the prices that need approval: those that are more than a fifth away from what is known of their day;
// from that of the day before, or of the last of the 7 days before it, unless they are near one of their day that was
// approved; or more than a half away from one of the Month days before, of their own or, where there is none, from
// the nearest. Of these days only those count since the last of which a price was approved.
func (c compared) tooFar(approved []Price) (moves []move) {
	for i, now := range c.fresh {
		near := func(a Price) bool { return a.Asset == now.Asset && a.Day == now.Day && !now.moves(a, freeMove) }
		switch {
		case now.moves(c.known[i], freeMove):
			moves = append(moves, move{now, c.known[i]})
			continue
		case now.moves(c.earlier[i], freeMove) && !slices.ContainsFunc(approved, near):
			moves = append(moves, move{now, c.earlier[i]})
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
	if c.known, err = s.at(t, fresh); err != nil {
		return c, err
	}
	daysBefore := slices.Clone(fresh)
	for i := range daysBefore {
		daysBefore[i].Day--
	}
	if c.earlier, err = s.at(t, daysBefore); err != nil {
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
	}, `SELECT p.`+s.name+`, p.day, p.`+s.figure+`
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
	}, `SELECT CAST($1 AS bigint), `+s.name+`, day, `+s.figure+` FROM `+s.table+`
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

// approved are the figures that were approved within Month days.
func (s series) approved(t db.View, now time.Time) (all []Price, err error) {
	err = t.Query(func(r db.Row) error {
		prices, err := s.read(json.RawMessage(r.Text(0)))
		all = append(all, prices...)
		return err
	}, "SELECT content FROM proposals WHERE operation = $1 AND decision = $2 AND made_at >= $3",
		string(s.operation), string(control.Executed), now.Add(-control.Lifetime-(Month+1)*24*time.Hour).UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("read the %s that were approved: %w", s.table, err)
	}
	return all, nil
}
