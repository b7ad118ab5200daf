// Package holding measures what enrolled accounts held on a day. It reads the tables of the books, and knows no rule.
package holding

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// pageSize is how many positions are in memory at once, whatever the number of holders.
const pageSize = 16384

// Measure measures what the enrolled accounts of a bucket held on the day of the
// wanted tokens, page after page in key order: counted back from the balances
// now, which show the rewards of all days before and of none since. Each has its shares of
// the distributions of the day, of which those who are not enrolled any more may have some,
// and those who are excluded on the day.
// A token whose terms of the day have the measure Lowest is measured by it, and where a campaign takes the
// measure that the terms do not have, by both; only then memory grows with the changes of the day. shares may be nil:
// there are no distributions.
func Measure(t db.View, bucket int, by *Measuring, wanted func(asset string) bool, shares *Shares,
	page func([]staking.Holding) error) error {
	m := measure{t: t, bucket: int64(bucket), day: by.Day, by: by, wanted: wanted, shares: shares}
	if err := m.anyExcluded(); err != nil {
		return err
	}
	for {
		more, err := m.balances()
		if err != nil || !more {
			return err
		}
		if shares != nil {
			if err := shares.weigh(&m); err != nil {
				return err
			}
		}
		if err := m.enrolled(); err != nil {
			return err
		}
		if len(m.page) == 0 {
			continue
		}
		if err := m.changes(); err != nil {
			return err
		}
		for i := range m.page {
			m.page[i].Weighed = by.weighed[m.page[i].Asset]
			shares.take(i, &m.page[i])
		}
		if err := page(m.page); err != nil {
			return err
		}
	}
}

// measure is a page of holdings being measured.
type measure struct {
	t           db.View
	bucket      int64
	day         staking.Day
	by          *Measuring
	wanted      func(asset string) bool
	shares      *Shares
	page        []staking.Holding
	excludes    bool                     // the bucket has exclusions that cover the day
	moved       map[int][]staking.Change // of positions of the page in these tokens, on the day
	first, last string                   // accounts of the page
	asset       string                   // of the last account, with which the next page begins
	from, after string                   // account and asset after which the page begins
	ends        bool                     // the page is the last
}

// balances reads the next page, as if nothing had changed since the day began;
// more reports whether there was one.
func (m *measure) balances() (more bool, err error) {
	m.page = m.page[:0]
	m.from, m.after = m.last, m.asset
	rows := 0
	err = m.t.Query(func(r db.Row) error {
		rows++
		m.last, m.asset = r.Text(0), r.Text(1)
		if !more {
			m.first, more = m.last, true
		}
		if account := ledger.Account(m.last); m.wanted(m.asset) && !account.IsHeld() && !account.IsHouse() {
			m.page = append(m.page, staking.HoldingAt(account, m.asset, ledger.Amount(r.Int(2)), staking.Fraction(r.Int(3))))
		}
		return nil
	}, `SELECT account, asset, balance, carry FROM balances
	     WHERE bucket = $1 AND (account, asset) > ($2, $3) ORDER BY account, asset LIMIT $4`, m.bucket, m.from, m.after, int64(pageSize))
	m.ends = rows < pageSize
	if err != nil {
		return false, fmt.Errorf("read balances: %w", err)
	}
	return more, nil
}

// enrolled leaves in the page what accounts hold whose switch covers the day, and no
// exclusion does, or who have a share of a distribution.
func (m *measure) enrolled() error {
	accounts, err := db.All(m.t, db.TextOf,
		`SELECT account FROM enrollments WHERE bucket = $1 AND account BETWEEN $2 AND $3 AND from_day <= $4 AND until_day > $4
		  ORDER BY account`, m.bucket, m.first, m.last, int64(m.day))
	if err != nil {
		return fmt.Errorf("read enrollments: %w", err)
	}
	excluded, err := m.excluded()
	if err != nil {
		return err
	}
	i, kept := 0, m.page[:0]
	for n, h := range m.page {
		for i < len(accounts) && accounts[i] < string(h.Account) {
			i++
		}
		h.Absent = i == len(accounts) || accounts[i] != string(h.Account) || excluded.has(h)
		if !h.Absent || m.shares.has(n, h.Asset) {
			m.shares.keep(len(kept), n)
			kept = append(kept, h)
		}
	}
	m.page = kept
	return nil
}

// changes takes out of the page what was changed since the day began: one range of
// keys, in order of time, which is read once a page.
func (m *measure) changes() error {
	at := 0
	m.moved = map[int][]staking.Change{}
	err := m.t.Query(func(r db.Row) error {
		account, asset := r.Text(0), r.Text(1)
		var found bool
		if at, found = m.find(at, account, asset); found {
			change := staking.Change{Millis: r.Int(2) - m.day.Millis(), Amount: ledger.Amount(r.Int(3))}
			m.page[at].Rewind(change.Amount, change.Millis)
			if (m.by.lowest[asset] || m.by.other[asset]) && change.Millis < staking.DayMillis {
				m.moved[at] = append(m.moved[at], change)
			}
		}
		return nil
	}, "SELECT account, asset, at, amount FROM postings WHERE bucket = $1 AND day >= $2 AND account BETWEEN $3 AND $4",
		m.bucket, int64(m.day), m.first, m.last)
	if err != nil {
		return fmt.Errorf("read changes: %w", err)
	}
	for i := range m.page {
		m.by.give(&m.page[i], m.moved[i])
	}
	return nil
}

// find looks for a position in the page; changes of one position may follow one another.
func (m *measure) find(hint int, account, asset string) (int, bool) {
	for i := hint; i < min(hint+2, len(m.page)); i++ {
		if h := &m.page[i]; string(h.Account) == account && h.Asset == asset {
			return i, true
		}
	}
	i, found := slices.BinarySearchFunc(m.page, account, func(h staking.Holding, _ string) int {
		if c := strings.Compare(string(h.Account), account); c != 0 {
			return c
		}
		return strings.Compare(h.Asset, asset)
	})
	return min(i, len(m.page)-1), found
}
