package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// write brings the accepted entries into the books.
func (p *posting) write() error {
	steps := []func() error{p.correct, p.openBalances, p.writeEntries, p.writePostings, p.writeWithdrawals, p.writeConversions, p.writeReconciliations}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// correct takes back from the balances what apply put there for refused entries.
func (p *posting) correct() error {
	var wrong []*balance
	for _, b := range p.sorted {
		if b.exists && b.kept != b.applied {
			wrong = append(wrong, b)
		}
	}
	return p.update(wrong, func(b *balance) ledger.Amount { return b.kept - b.applied }, func(*balance, ledger.Amount) {})
}

// openBalances makes the rows of balances that were not there before.
func (p *posting) openBalances() error {
	var buckets, amounts, zeros, frozen []int64
	var accounts, assets []string
	for _, b := range p.sorted {
		if !b.exists && b.touched {
			mark := int64(0)
			if b.frozen {
				mark = 1
			}
			frozen = append(frozen, mark)
			buckets, amounts, zeros = append(buckets, int64(b.bucket)), append(amounts, int64(b.kept)), append(zeros, 0)
			accounts, assets = append(accounts, string(b.account)), append(assets, b.asset)
		}
	}
	return p.insertNew("balances", set{
		ints("bucket", buckets), texts("account", accounts), texts("asset", assets),
		ints("balance", amounts), ints("carry", zeros), ints("earned", zeros), ints("frozen", frozen),
	})
}

func (p *posting) writeEntries() error {
	var buckets, ats, posted, versions []int64
	var ids, credentials, roles, requests []string
	var digests, leaves, destinations [][]byte
	for _, it := range p.accepted() {
		buckets, ats, posted = append(buckets, int64(it.bucket)), append(ats, it.at), append(posted, p.now)
		ids, digests = append(ids, it.ID), append(digests, it.digest)
		versions, leaves, destinations = append(versions, ledger.DigestVersion), append(leaves, it.leaves), append(destinations, it.goes)
		by := it.call.actor
		credentials, roles, requests = append(credentials, by.Credential), append(roles, string(by.Role)), append(requests, by.Request)
	}
	return p.insertNew("entries", set{
		ints("bucket", buckets), texts("entry", ids), ints("at", ats), ints("posted_at", posted), blobs("digest", digests),
		ints("digest_version", versions), blobs("leaves", leaves), blobs("destination", destinations),
		texts("credential", credentials), texts("role", roles), texts("request", requests),
	})
}

// accepted are the entries to be written, by bucket and ID.
func (p *posting) accepted() []*item {
	var items []*item
	for _, it := range p.items {
		if it.isNew() {
			items = append(items, it)
		}
	}
	slices.SortFunc(items, func(a, b *item) int { return cmp.Or(a.bucket-b.bucket, cmp.Compare(a.ID, b.ID)) })
	return items
}

// insertNew writes rows that nobody else may have written meanwhile; where
// somebody has, the transaction is tried again and sees them.
func (p *posting) insertNew(table string, s set) error {
	if s.Len() == 0 {
		return nil
	}
	names := strings.Join(s.Names(), ", ")
	n, err := p.t.Set(nil, fmt.Sprintf("INSERT INTO %s (%s) SELECT r.%s FROM {rows} WHERE true ON CONFLICT DO NOTHING",
		table, names, strings.Join(s.Names(), ", r.")), s)
	if err == nil && n != int64(s.Len()) {
		err = errRetry
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", table, err)
	}
	return nil
}

// side is one posting on its way: one side of a move.
type side struct {
	key
	it     *item
	move   int
	side   int
	amount ledger.Amount
	other  ledger.Account
}

func (p *posting) writePostings() error {
	var sides []side
	for _, it := range p.accepted() {
		for i, m := range it.Moves {
			from, to := m.Sides()
			sides = append(sides,
				side{key{from, m.From, m.Asset}, it, i, 0, -m.Amount, m.To},
				side{key{to, m.To, m.Asset}, it, i, 1, m.Amount, m.From})
		}
	}
	slices.SortFunc(sides, func(a, b side) int {
		return cmp.Or(a.bucket-b.bucket, cmp.Compare(p.day(a.it), p.day(b.it)),
			cmp.Compare(a.it.at, b.it.at), cmp.Compare(a.it.ID, b.it.ID), a.move-b.move, a.side-b.side)
	})
	n := len(sides)
	buckets, days, ats, moves, ends, amounts := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	accounts, assets, entries, others, kinds := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, s := range sides {
		buckets[i], days[i], ats[i] = int64(s.bucket), int64(staking.DayOf(timeOf(s.it.at))), s.it.at
		moves[i], ends[i], amounts[i] = int64(s.move), int64(s.side), int64(s.amount)
		accounts[i], assets[i], entries[i] = string(s.account), s.asset, s.it.ID
		others[i], kinds[i] = string(s.other), string(s.it.Kind)
	}
	return p.insertNew("postings", set{
		ints("bucket", buckets), ints("day", days), texts("account", accounts), texts("asset", assets),
		ints("at", ats), texts("entry", entries), ints("move", moves), ints("side", ends),
		ints("amount", amounts), texts("other", others), texts("kind", kinds),
	})
}
