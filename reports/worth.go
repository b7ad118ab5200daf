package reports

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
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

// since is what still counts of what is known of an account's rewards: nothing,
// where a price that was missing may be there by now.
func (s situation) since(known worth, first staking.Day) worth {
	if known.through == 0 || known.unpriced > 0 && known.late != s.late {
		known = worth{through: first - 1}
	}
	known.late = s.late
	return known
}

// add adds rewards to what is known: those through the day that all tokens are
// paid, to be kept, and with those of tokens that are ahead of the others, the total.
func (s situation) add(known worth, rewards []Reward, assets map[string]ledger.Asset) (kept, total worth, err error) {
	kept, total = known, known
	for _, d := range s.paid {
		kept.through = max(kept.through, d)
	}
	for _, d := range s.paid {
		kept.through = max(known.through, min(kept.through, d))
	}
	for _, r := range rewards {
		if err := total.add(assets[r.Asset], r); err != nil {
			return kept, total, err
		}
		if r.Day <= kept.through {
			kept.value, kept.unpriced = total.value, total.unpriced
		}
	}
	return kept, total, nil
}

// add adds a reward to what it comes to.
func (w *worth) add(asset ledger.Asset, r Reward) error {
	if !r.PriceKnown {
		w.unpriced++
		return nil
	}
	value, err := store.Value(asset, r.Reward, r.Price)
	if err == nil {
		w.value, err = w.value.Add(value)
	}
	return err
}

// valued are an account's rewards credited after what is known of them, by day,
// with the prices of their days.
func valued(t db.View, id ledger.Account, known worth, s situation) ([]Reward, error) {
	last := known.through
	for asset, d := range s.paid {
		if s.earned[asset] > 0 {
			last = max(last, d)
		}
	}
	if last == known.through {
		return nil, nil
	}
	var all []staking.Day
	for d := known.through + 1; d <= last; d++ {
		all = append(all, d)
	}
	var rewards []Reward
	days := map[string][]staking.Day{} // of each asset
	err := accruedOn(t, id, all, func(c Credit) {
		if c.Day <= s.paid[c.Asset] {
			rewards = append(rewards, Reward{Accrual: staking.Accrual{Day: c.Day, Asset: c.Asset, Reward: c.Reward}})
			days[c.Asset] = append(days[c.Asset], c.Day)
		}
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rewards, func(a, b Reward) int { return cmp.Compare(a.Day, b.Day) })
	prices, err := pricesOf(t, days)
	if err != nil {
		return nil, err
	}
	for i := range rewards {
		r := &rewards[i]
		r.Price, r.PriceKnown = priceOn(prices[r.Asset], r.Asset, r.Day)
	}
	return rewards, nil
}

// pricesOf reads the prices of some assets' days, and those before them that hold
// on, by asset and day.
func pricesOf(t db.View, days map[string][]staking.Day) (map[string][]store.Price, error) {
	prices := map[string][]store.Price{}
	var assets []string
	var from, to []int64
	for asset, d := range days {
		assets, from, to = append(assets, asset), append(from, int64(slices.Min(d))-store.PriceReach), append(to, int64(slices.Max(d)))
	}
	if assets == nil {
		return prices, nil
	}
	err := t.QueryEach(func(r db.Row) error {
		prices[r.Text(0)] = append(prices[r.Text(0)], store.Price{Asset: r.Text(0), Day: staking.Day(r.Int(1)), Price: r.Int(2)})
		return nil
	}, "SELECT asset, day, price FROM prices WHERE asset = $1 AND day BETWEEN $2 AND $3 ORDER BY day",
		db.Set{db.Texts("asset", assets), db.Ints("from", from), db.Ints("to", to)})
	if err != nil {
		return nil, fmt.Errorf("read prices: %w", err)
	}
	return prices, nil
}

// priceOn is a day's price among an asset's, which are by day.
func priceOn(prices []store.Price, asset string, d staking.Day) (price int64, known bool) {
	if asset == store.USDT {
		return store.PriceUnit, true
	}
	after, _ := slices.BinarySearchFunc(prices, d+1, func(p store.Price, d staking.Day) int { return cmp.Compare(p.Day, d) })
	if after == 0 || prices[after-1].Day < d-store.PriceReach {
		return 0, false
	}
	return prices[after-1].Price, true
}
