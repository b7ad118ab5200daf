package audit

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"hash"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// total is the sum of a bucket's records of a token's day.
type total struct {
	holders int64
	sum     big.Int
	digest  hash.Hash

	eligible big.Int // unit-milliseconds
	carried  big.Int // by how much they changed what holders carry, in 1/Unit of a smallest unit
	begin    []byte  // what each of its lines begins with
	end      [32]byte
}

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Day, b.Day), strings.Compare(a.Asset, b.Asset))
}

// addToTotal adds a record to its token's day.
func (w *worker) addToTotal(t *token, a *staking.Accrual) {
	if t.total == nil {
		k := Key{a.Day, a.Asset}
		t.total = w.totals[k]
		if t.total == nil {
			begin := a.Day.Start().AppendFormat(nil, time.DateOnly)
			t.total = &total{digest: sha256.New(), begin: fmt.Appendf(begin, " %s ", a.Asset)}
			w.totals[k] = t.total
		}
	}
	t.total.holders++
	t.total.sum.Add(&t.total.sum, w.scratch.SetInt64(int64(a.Reward)))
	t.total.eligible.Add(&t.total.eligible, integral(a.Eligible, a.EligibleRest))
	t.total.carried.Add(&t.total.carried, w.scratch.SetInt64(int64(a.Carry-a.Before)))
	w.line = appendLine(append(w.line[:0], t.total.begin...), a)
	t.total.digest.Write(w.line)
}

// appendLine writes a record as the digest of a paid day has it, after day and
// asset: account, opening, average, rest, eligible, APR in 1e-8, reward, fraction
// before and fraction left, and the rest of what is eligible unless it is zero, between
// spaces, in smallest units.
func appendLine(b []byte, a *staking.Accrual) []byte {
	b = append(b, a.Account...)
	for _, n := range [...]int64{int64(a.Opening), int64(a.Average), a.Rest, int64(a.Eligible), int64(a.APR),
		int64(a.Reward), int64(a.Before), int64(a.Carry)} {
		b = strconv.AppendInt(append(b, ' '), n, 10)
	}
	if a.EligibleRest != 0 {
		b = strconv.AppendInt(append(b, ' '), a.EligibleRest, 10)
	}
	return append(b, '\n')
}

// readTotals derives the balances of @payable and @rewards from the control totals: what
// was declared left the pool, and is payable until it is paid.
func (w *worker) readTotals() {
	declared := map[Key]bool{}
	for _, d := range w.head.Declared {
		declared[d.Key] = true
		t := w.token(d.Asset)
		t.declared.Add(&t.declared, big.NewInt(int64(d.Total)))
	}
	for _, b := range w.head.Batches {
		t, amount := w.token(b.Asset), big.NewInt(int64(b.Total))
		if declared[b.Key] && b.Day > t.progress.Paid {
			t.payable.Add(&t.payable, amount)
		}
		if w.audit.batches[b.Key] != nil && b.Day < w.outline.Closed {
			t.house.Add(&t.house, amount)
		}
	}
	for _, p := range w.head.Payments {
		if p.Day < w.outline.Closed {
			t := w.token(p.Asset)
			t.house.Sub(&t.house, big.NewInt(int64(p.Total)))
		}
		if !declared[p.Key] {
			w.find(on(p.Day, "", p.Asset, fmt.Sprintf("bucket %d was paid, but the day is not declared", w.number)))
		}
	}
}

// compareTotals compares, day by day and token by token, the bucket's records
// with its batch, and the batch with the payment.
func (w *worker) compareTotals() {
	batches, payments := byKey(w.head.Batches), byKey(w.head.Payments)
	for _, t := range w.totals {
		t.digest.Sum(t.end[:0])
	}
	keys := slices.Concat(slices.Collect(maps.Keys(batches)), slices.Collect(maps.Keys(payments)),
		slices.Collect(maps.Keys(w.totals)))
	slices.SortFunc(keys, compareKeys)
	for _, k := range slices.Compact(keys) {
		if w.only == nil || *w.only == k.Day {
			w.compareTotal(k, w.totals[k], batches[k], payments[k])
		}
	}
	for symbol, t := range w.tokens {
		if w.only == nil && !t.payableSeen && t.payable.Sign() != 0 {
			w.find(Finding{
				Account: ledger.Payable, Asset: symbol,
				What: fmt.Sprintf("bucket %d has no balance of it, derived %s", w.number, units(t.asset, &t.payable)),
			})
		}
	}
}

func byKey(rows []Batch) map[Key]*Batch {
	m := make(map[Key]*Batch, len(rows))
	for i := range rows {
		m[rows[i].Key] = &rows[i]
	}
	return m
}

func (w *worker) compareTotal(k Key, t *total, batch, payment *Batch) {
	asset, paid := w.token(k.Asset).asset, w.token(k.Asset).progress.Paid
	wrong := func(format string, args ...any) {
		w.find(on(k.Day, "", k.Asset, fmt.Sprintf("bucket %d: ", w.number)+fmt.Sprintf(format, args...)))
	}
	switch {
	case batch == nil && t != nil:
		wrong("there are %d rewards, %s together, but no control total", t.holders, units(asset, &t.sum))
	case batch != nil && t == nil:
		wrong("the control total is %d rewards, %s together, but there are none",
			batch.Holders, asset.Format(batch.Total))
	case batch != nil:
		if t.holders != batch.Holders || !is(&t.sum, int64(batch.Total)) {
			wrong("the control total is %d rewards, %s together; there are %d, %s together",
				batch.Holders, asset.Format(batch.Total), t.holders, units(asset, &t.sum))
		}
		if n := integral(batch.Eligible, batch.EligibleRest); n.Cmp(w.weighed(k, t)) != 0 {
			wrong("the control total of what was eligible is %s unit-milliseconds; there are %s", n, w.weighed(k, t))
		}
		if t.end != batch.Digest {
			wrong("the digest of the rewards is %x, derived %x", batch.Digest, t.end)
		}
	}
	switch {
	case payment == nil && batch != nil && k.Day <= paid:
		wrong("the day is paid, but not the control total of %s", asset.Format(batch.Total))
	case payment != nil && k.Day > paid:
		wrong("%s was paid, but the bucket is paid only through %s", asset.Format(payment.Total), paid)
	case payment != nil && batch == nil:
		wrong("%s was paid without a control total", asset.Format(payment.Total))
	case payment != nil && !payment.pays(batch):
		wrong("paid to %d holders: %s, digest %x; the control total is %d, %s, %x",
			payment.Holders, asset.Format(payment.Total), payment.Digest, batch.Holders,
			asset.Format(batch.Total), batch.Digest)
	}
}

// weighed is what the bucket's records of a day weigh: in the mode share what is eligible,
// else nothing.
func (w *worker) weighed(k Key, t *total) *big.Int {
	if r := w.ruleOn(k.Asset, k.Day); r == nil || r.Mode != staking.Share {
		return new(big.Int)
	}
	return &t.eligible
}

// pays reports whether a payment is of the batch.
func (b *Batch) pays(batch *Batch) bool {
	return b.Key == batch.Key && b.Holders == batch.Holders && b.Total == batch.Total && b.Digest == batch.Digest
}

// declared is a declaration, and the sum of the buckets' batches and records.
type declared struct {
	declaration Declaration
	carried     big.Int // by how much the records changed what holders carry
	holders     int64
	sum         big.Int
	eligible    big.Int
}

func (d *declared) add(b Batch) {
	d.holders += b.Holders
	d.sum.Add(&d.sum, big.NewInt(int64(b.Total)))
	d.eligible.Add(&d.eligible, integral(b.Eligible, b.EligibleRest))
}

// compareDeclared compares what was declared with the sum over the buckets.
func (a *audit) compareDeclared() {
	for _, x := range a.outline.Declared {
		d := a.batches[x.Key]
		if n := integral(x.Eligible, x.EligibleRest); n.Cmp(&d.eligible) != 0 {
			a.find(Finding{Day: x.Day, HasDay: true, Asset: x.Asset,
				What: fmt.Sprintf("declared is a weight of %s unit-milliseconds; the buckets have %s", n, &d.eligible)})
		}
		if d.holders == x.Holders && is(&d.sum, int64(x.Total)) {
			continue
		}
		asset := a.asset(x.Asset)
		a.find(on(x.Day, "", x.Asset, fmt.Sprintf("declared are %d rewards, %s together; the buckets have %d, %s together",
			x.Holders, asset.Format(x.Total), d.holders, units(asset, &d.sum))))
	}
}

// compareCarried compares what holders carry by their records with what is declared of the last day of each token: no
// less is reserved for them.
func (a *audit) compareCarried() {
	sums, last := tally[string]{}, map[string]*Declaration{}
	for i := range a.outline.Declared {
		x := &a.outline.Declared[i]
		sums.add(x.Asset, &a.batches[x.Key].carried)
		if last[x.Asset] == nil || last[x.Asset].Day < x.Day {
			last[x.Asset] = x
		}
	}
	for _, asset := range slices.Sorted(maps.Keys(last)) {
		x := last[asset]
		if exact(x.Carried).Cmp(sums.of(asset)) < 0 {
			a.find(on(x.Day, "", asset, fmt.Sprintf("declared are %s parts of a smallest unit that holders carry; they carry %s",
				exact(x.Carried), sums.of(asset))))
		}
	}
}
