package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// pageSize is how many positions are in memory at once, whatever the number of holders.
const pageSize = 16384

// Accrue applies the rule to every enrolled holding of the piece and writes what
// it earned. Balances, carries, enrollments, changes and terms are read in one
// snapshot. Tokens whose day another has accrued meanwhile are passed over.
func (db *DB) Accrue(ctx context.Context, p staking.Piece, d staking.Day, tokens []string, rule staking.Rule) error {
	return db.engine.Claim(ctx, func(t tx) error {
		terms, err := TermsAt(t, d)
		if err != nil {
			return err
		}
		for _, bucket := range p {
			a := accruing{t: t, bucket: bucket, day: d, rule: rule, terms: terms, batches: map[string]*accrued{}}
			if err := a.run(tokens); err != nil {
				return fmt.Errorf("accrue %s: %w", d, err)
			}
		}
		return nil
	})
}

// run accrues the bucket's day of those tokens that are ours to do.
func (a *accruing) run(tokens []string) error {
	claimed, err := claimProgress(a.t, `UPDATE progress SET accrued_through = $3 FROM {rows}
	                WHERE progress.bucket = r.bucket AND progress.asset = r.asset
	                  AND progress.accrued_through = $3 - 1 AND progress.paid_through = $3 - 1 RETURNING progress.asset`, a.bucket, a.day, tokens)
	if err != nil || len(claimed) == 0 {
		return err
	}
	for _, token := range claimed {
		a.batches[token] = &accrued{digest: sha256.New()}
	}
	if err := Holdings(a.t, a.bucket, a.day, func(asset string) bool { return a.batches[asset] != nil }, a.page); err != nil {
		return err
	}
	return a.total()
}

// claimProgress moves the bucket's progress of some tokens on by a day, with a
// statement that passes over those which are not at the day before, and says
// which it has moved: theirs is the work, until the transaction ends.
func claimProgress(t tx, sql string, bucket int, d staking.Day, tokens []string) (claimed []string, err error) {
	_, err = t.Set(func(r row) error { claimed = append(claimed, r.Text(0)); return nil }, sql,
		set{ints("bucket", slices.Repeat([]int64{int64(bucket)}, len(tokens))), texts("asset", tokens)}, int64(d))
	if err != nil {
		return nil, fmt.Errorf("claim bucket %d of %s: %w", bucket, d, err)
	}
	return claimed, nil
}

// accruing is the accruing of one bucket's day.
type accruing struct {
	t       tx
	bucket  int
	day     staking.Day
	rule    staking.Rule
	terms   map[string]staking.Terms
	batches map[string]*accrued // by token
	line    []byte
}

// accrued sums what a bucket accrued of a token.
type accrued struct {
	holders int64
	total   ledger.Amount
	digest  hash.Hash
}

// page accrues some holdings and writes their accruals, in key order.
func (a *accruing) page(page []staking.Holding) error {
	n := len(page)
	accounts, assets := make([]string, 0, n), make([]string, 0, n)
	figures := make([][]int64, 8)
	for i := range figures {
		figures[i] = make([]int64, 0, n)
	}
	for _, h := range page {
		accrual, earned := a.rule(a.day, a.terms[h.Asset], h)
		if !earned {
			continue
		}
		b := a.batches[h.Asset]
		b.holders++
		total, err := b.total.Add(accrual.Reward)
		if err != nil {
			return fmt.Errorf("the total of %s: %w", h.Asset, err)
		}
		b.total = total
		a.line = accrual.AppendLine(a.line[:0])
		b.digest.Write(a.line)
		accounts, assets = append(accounts, string(h.Account)), append(assets, h.Asset)
		for i, v := range [...]int64{
			int64(accrual.Opening), int64(accrual.Average), accrual.Rest, int64(accrual.Eligible),
			int64(accrual.APR), int64(accrual.Reward), int64(accrual.Before), int64(accrual.Carry),
		} {
			figures[i] = append(figures[i], v)
		}
	}
	n = len(accounts)
	if n == 0 {
		return nil
	}
	return a.t.Insert("accruals", set{
		ints("bucket", slices.Repeat([]int64{int64(a.bucket)}, n)), ints("day", slices.Repeat([]int64{int64(a.day)}, n)),
		texts("account", accounts), texts("asset", assets),
		ints("opening", figures[0]), ints("average", figures[1]), ints("rest", figures[2]), ints("eligible", figures[3]),
		ints("apr", figures[4]), ints("reward", figures[5]), ints("before", figures[6]), ints("carry", figures[7]),
	})
}

// total writes what the bucket accrued of each token.
func (a *accruing) total() error {
	for token, b := range a.batches {
		if b.holders == 0 {
			continue
		}
		if _, err := a.t.Exec("INSERT INTO batches (bucket, day, asset, holders, total, digest) VALUES ($1, $2, $3, $4, $5, $6)",
			int64(a.bucket), int64(a.day), token, b.holders, int64(b.total), b.digest.Sum(nil)); err != nil {
			return fmt.Errorf("write the totals of %s: %w", a.day, err)
		}
	}
	return nil
}

// holdings measures what the enrolled accounts of a bucket held on a day of the
// wanted tokens, page after page in key order: counted back from the balances
// now, which show the rewards of all days before and of none since.
func Holdings(t view, bucket int, d staking.Day, wanted func(asset string) bool, page func([]staking.Holding) error) error {
	m := measure{t: t, bucket: int64(bucket), day: d, wanted: wanted}
	for {
		more, err := m.balances()
		if err != nil || !more {
			return err
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
		if err := page(m.page); err != nil {
			return err
		}
	}
}

// measure is a page of holdings being measured.
type measure struct {
	t           view
	bucket      int64
	day         staking.Day
	wanted      func(asset string) bool
	page        []staking.Holding
	first, last string // accounts of the page
	asset       string // of the last account, with which the next page begins
}

// balances reads the next page, as if nothing had changed since the day began;
// more says whether there was one.
func (m *measure) balances() (more bool, err error) {
	m.page = m.page[:0]
	from, after := m.last, m.asset
	err = m.t.Query(func(r row) error {
		m.last, m.asset = r.Text(0), r.Text(1)
		if !more {
			m.first, more = m.last, true
		}
		if account := ledger.Account(m.last); m.wanted(m.asset) && !account.IsHeld() && !account.IsHouse() {
			m.page = append(m.page, staking.Now(account, m.asset, ledger.Amount(r.Int(2)), staking.Fraction(r.Int(3))))
		}
		return nil
	}, `SELECT account, asset, balance, carry FROM balances
	     WHERE bucket = $1 AND (account, asset) > ($2, $3) ORDER BY account, asset LIMIT $4`, m.bucket, from, after, int64(pageSize))
	if err != nil {
		return false, fmt.Errorf("read balances: %w", err)
	}
	return more, nil
}

// enrolled leaves in the page what accounts hold whose switch covers the day.
func (m *measure) enrolled() error {
	var accounts []string
	err := m.t.Query(func(r row) error { accounts = append(accounts, r.Text(0)); return nil },
		`SELECT account FROM enrollments WHERE bucket = $1 AND account BETWEEN $2 AND $3 AND from_day <= $4 AND until_day > $4
		  ORDER BY account`, m.bucket, m.first, m.last, int64(m.day))
	if err != nil {
		return fmt.Errorf("read enrollments: %w", err)
	}
	i := 0
	m.page = slices.DeleteFunc(m.page, func(h staking.Holding) bool {
		for i < len(accounts) && accounts[i] < string(h.Account) {
			i++
		}
		return i == len(accounts) || accounts[i] != string(h.Account)
	})
	return nil
}

// changes takes out of the page what was changed since the day began: one range of
// keys, in order of time, which is read once a page.
func (m *measure) changes() error {
	at := 0
	err := m.t.Query(func(r row) error {
		account, asset := r.Text(0), r.Text(1)
		var found bool
		if at, found = m.find(at, account, asset); found {
			m.page[at].Undo(ledger.Amount(r.Int(3)), r.Int(2)-m.day.Millis())
		}
		return nil
	}, "SELECT account, asset, at, amount FROM postings WHERE bucket = $1 AND day >= $2 AND account BETWEEN $3 AND $4", m.bucket, int64(m.day), m.first, m.last)
	if err != nil {
		return fmt.Errorf("read changes: %w", err)
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

// termsOn are the terms of each token on a day. A token without terms yet is not among them.
func TermsAt(t view, d staking.Day) (map[string]staking.Terms, error) {
	terms := map[string]staking.Terms{}
	err := t.Query(func(r row) error {
		terms[r.Text(0)] = readTerms(r)
		return nil
	}, `SELECT t.asset, t.from_day, t.offered, t.apr, t.minimum, t.cap FROM assets a CROSS JOIN terms t
	     WHERE t.asset = a.symbol
	       AND t.from_day = (SELECT max(f.from_day) FROM terms f WHERE f.asset = a.symbol AND f.from_day <= $1)
	       AND t.revision = (SELECT max(r.revision) FROM terms r WHERE r.asset = a.symbol AND r.from_day = t.from_day)`, int64(d))
	if err != nil {
		return nil, fmt.Errorf("read the terms of %s: %w", d, err)
	}
	return terms, nil
}

func readTerms(r row) staking.Terms {
	return staking.Terms{
		Asset: r.Text(0), From: staking.Day(r.Int(1)), Offered: r.Int(2) != 0,
		APR: staking.Rate(r.Int(3)), Min: ledger.Amount(r.Int(4)), Cap: ledger.Amount(r.Int(5)),
	}
}

// AccrualColumns are what readAccrual reads.
const AccrualColumns = "a.day, a.account, a.asset, a.opening, a.average, a.rest, a.eligible, a.apr, a.reward, a.before, a.carry"

func ReadAccrual(r row) staking.Accrual {
	return staking.Accrual{
		Day: staking.Day(r.Int(0)), Account: ledger.Account(r.Text(1)), Asset: r.Text(2),
		Opening: ledger.Amount(r.Int(3)), Average: ledger.Amount(r.Int(4)), Rest: r.Int(5), Eligible: ledger.Amount(r.Int(6)),
		APR: staking.Rate(r.Int(7)), Reward: ledger.Amount(r.Int(8)), Before: staking.Fraction(r.Int(9)), Carry: staking.Fraction(r.Int(10)),
	}
}
