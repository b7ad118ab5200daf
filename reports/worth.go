package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
)

// worth is what an account's rewards up to and including a day come to. It never
// changes, other than by a price that is set late for one that had none: a day's
// price is fixed when it is paid.
type worth struct {
	through  staking.Day // all tokens are paid through it
	value    ledger.Amount
	unpriced int
	late     int64 // of the books' late prices it knows so many
}

// worths keep what accounts' rewards were worth, so that nobody adds a long history
// up at each look. Each process keeps its own: what is kept stays true whatever
// others do.
type worths struct {
	mu    sync.Mutex
	known map[ledger.Account]worth
}

// maxWorths bounds how many accounts' are kept: with IDs of usual length, some 10 MB.
const maxWorths = 100_000

// of is what is known of an account; through day 0 where nothing is.
func (s *worths) of(id ledger.Account) worth {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[id]
}

// keep keeps what was found out of an account. Where there is no room any of the others goes.
func (s *worths) keep(id ledger.Account, w worth) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[ledger.Account]worth{}
	}
	if _, there := s.known[id]; !there && len(s.known) >= maxWorths {
		for other := range s.known {
			delete(s.known, other)
			break
		}
	}
	s.known[id] = w
}

// readRewards reads the rewards that are not in what is known, by day, with the prices of their days. Nothing is
// known where a price that was missing may be there by now.
func (r *reading) readRewards() error {
	if r.worth.through == 0 || r.worth.unpriced > 0 && r.worth.late != r.late {
		r.worth = worth{through: r.rs.FirstDay() - 1}
	}
	r.worth.late = r.late
	last := r.worth.through
	for _, t := range r.tokens {
		if t.Earned > 0 {
			last = max(last, t.paid)
		}
	}
	var days []staking.Day
	for d := r.worth.through + 1; d <= last; d++ {
		days = append(days, d)
	}
	if days == nil {
		return nil
	}
	err := accruedOn(r.t, r.id, days, func(c Credit) {
		if c.Day <= r.tokens[c.Asset].paid {
			a := staking.Accrual{Day: c.Day, Asset: c.Asset, Reward: c.Reward}
			r.rewards = append(r.rewards, Reward{Accrual: a})
		}
	})
	if err != nil {
		return err
	}
	slices.SortFunc(r.rewards, func(a, b Reward) int { return cmp.Compare(a.Day, b.Day) })
	return priceRewards(r.t, r.rewards)
}

// addRewards adds the rewards to what is known. Kept are those through the day that all tokens are paid through;
// those of tokens that are ahead of the others count as well.
func (r *reading) addRewards() (err error) {
	paid := r.worth.through
	for _, t := range r.tokens {
		paid = max(paid, t.paid)
	}
	for _, t := range r.tokens {
		if t.settled {
			paid = min(paid, t.paid)
		}
	}
	total := r.worth
	r.worth.through = max(r.worth.through, paid)
	for _, reward := range r.rewards {
		if !reward.PriceKnown {
			total.unpriced++
		} else if total.value, err = total.value.Add(reward.Value); err != nil {
			return err
		}
		if reward.Day <= r.worth.through {
			r.worth.value, r.worth.unpriced = total.value, total.unpriced
		}
	}
	r.Value, r.Unpriced = total.value, total.unpriced
	r.rs.worths.keep(r.id, r.worth)
	return nil
}

// priceRewards finds the prices of the rewards' days: for each asset in one statement.
func priceRewards(t db.View, rewards []Reward) error {
	type span struct{ first, last staking.Day }
	spans := map[string]span{}
	for _, r := range rewards {
		s, there := spans[r.Asset]
		if !there {
			s = span{r.Day, r.Day}
		}
		spans[r.Asset] = span{min(s.first, r.Day), max(s.last, r.Day)}
	}
	if len(spans) == 0 {
		return nil
	}
	prices := map[string][]pricing.Price{} // by day
	err := t.QueryEach(func(r db.Row) error {
		p, err := readPrice(r)
		prices[p.Asset] = append(prices[p.Asset], p)
		return err
	}, "SELECT asset, day, price FROM prices WHERE asset = $1 AND day BETWEEN $2 AND $3 ORDER BY day",
		db.SetOf(slices.Sorted(maps.Keys(spans)),
			db.Text("asset", func(symbol string) string { return symbol }),
			db.Int("from", func(symbol string) int64 { return int64(spans[symbol].first) - pricing.Reach }),
			db.Int("to", func(symbol string) int64 { return int64(spans[symbol].last) })))
	if err != nil {
		return fmt.Errorf("read prices: %w", err)
	}
	for i := range rewards {
		r := &rewards[i]
		r.Price, r.PriceKnown = priceOn(prices[r.Asset], r.Asset, r.Day)
	}
	return nil
}

// priceOn is a day's price among an asset's, which are by day.
func priceOn(prices []pricing.Price, asset string, d staking.Day) (price int64, known bool) {
	if asset == conversion.USDT {
		return conversion.PriceUnit, true
	}
	after, _ := slices.BinarySearchFunc(prices, d+1,
		func(p pricing.Price, d staking.Day) int { return cmp.Compare(p.Day, d) })
	if after == 0 || prices[after-1].Day < d-pricing.Reach {
		return 0, false
	}
	return prices[after-1].Price, true
}
