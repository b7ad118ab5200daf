package reports

import (
	"context"
	"errors"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Payout is a reward or a compensation that another ledger is to credit.
type Payout struct {
	Number  int64  // above zero, increasing, and dense within the books that paid it
	ID      string // that of its entry: the key by which crediting it is idempotent
	Due     staking.Due
	Account ledger.Account
	Amount  ledger.Amount // smallest units, above zero
	Paid    time.Time     // when the books paid it

	// Of those of OpenPayouts: why the other ledger refuses it, and since when; "": it has not answered.
	Refused  string
	Answered time.Time
}

// PayoutBatch is payouts that were paid together.
type PayoutBatch struct {
	First, Last int64 // their numbers
	Due         staking.Due
	Total       ledger.Amount // smallest units

	bucket int64
	entry  string // of a compensation; "": rewards
	paid   int64
}

// PayoutPage is some payouts, in the order of their numbers.
type PayoutPage struct {
	Payouts []Payout
	Batches []PayoutBatch // of which some are among them, also where the first ones are on the page before
	More    bool
}

// The columns of a PayoutBatch.
const batchColumns = "first, count, day, asset, total, bucket, entry, at"

func readPayoutBatch(r db.Row) (PayoutBatch, error) {
	return PayoutBatch{First: r.Int(0), Last: r.Int(0) + r.Int(1) - 1,
		Due: staking.Due{Asset: r.Text(3), Day: staking.Day(r.Int(2))}, Total: ledger.Amount(r.Int(4)),
		bucket: r.Int(5), entry: r.Text(6), paid: r.Int(7)}, nil
}

// Payouts are those after a number, at most limit.
func (rs *Reports) Payouts(ctx context.Context, after int64, limit int) (PayoutPage, error) {
	return read(ctx, rs, "read payouts", func(t db.View) (page PayoutPage, err error) {
		batches, err := db.All(t, readPayoutBatch, "SELECT "+batchColumns+" FROM payout_batches WHERE first > 0 AND "+
			"first >= coalesce((SELECT max(first) FROM payout_batches WHERE first > 0 AND first <= $1), 0) "+
			"ORDER BY first LIMIT $2",
			after+1, int64(limit)+2) // each has a payout, but the first, which may have been read to its end
		for _, b := range batches {
			if err != nil || b.Last <= after {
				continue
			}
			if len(page.Payouts) == limit {
				page.More = true
				break
			}
			read := max(after-b.First+1, 0)
			var some []Payout
			some, err = b.payouts(t, read, limit-len(page.Payouts))
			page.Batches, page.Payouts = append(page.Batches, b), append(page.Payouts, some...)
			page.More = len(some) < int(b.Last-b.First+1-read)
		}
		return page, err
	})
}

// payout is the one of the batch at an index.
func (b PayoutBatch) payout(index int64, account ledger.Account, amount ledger.Amount) Payout {
	id := b.entry
	if id == "" {
		id = staking.Accrual{Day: b.Due.Day, Asset: b.Due.Asset, Account: account}.EntryID()
	}
	return Payout{Number: b.First + index, ID: id, Due: b.Due, Account: account, Amount: amount, Paid: db.TimeOf(b.paid)}
}

// payouts are some of the batch: those from an index on.
func (b PayoutBatch) payouts(t db.View, from int64, limit int) ([]Payout, error) {
	if b.entry != "" {
		c, _ := ledger.ParseCompensationID(b.entry)
		return []Payout{b.payout(0, c.Account, b.Total)}, nil
	}
	skip, account, index := from, "", from-1
	if from >= store.PayoutMark { // books of before there were marks have none, and read the batch from its begin
		nth, found, err := db.First(t, func(r db.Row) (int64, error) {
			account = r.Text(1)
			return r.Int(0), nil
		}, "SELECT nth, account FROM payout_marks WHERE bucket = $1 AND day = $2 AND asset = $3 AND nth <= $4 "+
			"ORDER BY nth DESC LIMIT 1", b.bucket, int64(b.Due.Day), b.Due.Asset, from)
		if err != nil {
			return nil, err
		}
		if found {
			skip -= nth
		}
	}
	return db.All(t, func(r db.Row) (Payout, error) {
		index++
		return b.payout(index, ledger.Account(r.Text(0)), ledger.Amount(r.Int(1))), nil
	}, "SELECT account, reward FROM accruals WHERE bucket = $1 AND day = $2 AND asset = $3 AND reward > 0 AND "+
		"account > $4 ORDER BY account LIMIT $5 OFFSET $6", b.bucket, int64(b.Due.Day), b.Due.Asset, account,
		int64(limit), skip)
}

// OpenPayouts are the payouts after a number that are not credited, at most limit: those that are refused, or all.
func (rs *Reports) OpenPayouts(ctx context.Context, after int64, limit int, refused bool) ([]Payout, error) {
	return read(ctx, rs, "read payouts that are not credited", func(t db.View) (open []Payout, err error) {
		condition := "credited < count"
		if refused {
			condition += " AND refused > 0"
		}
		batches, err := db.All(t, readPayoutBatch, "SELECT "+batchColumns+" FROM payout_batches WHERE first > 0 AND "+
			condition+" AND first + count > $1 ORDER BY first LIMIT $2", after+1, int64(limit)+1) // each has one, but after's
		for _, b := range batches {
			if err != nil || len(open) == limit {
				break
			}
			for next := max(after, b.First-1); next < b.Last && len(open) < limit && err == nil; {
				var some []Payout
				some, err = b.payouts(t, next-b.First+1, openAtOnce)
				if err != nil || len(some) == 0 {
					break
				}
				next = some[len(some)-1].Number
				some, err = b.notCredited(t, some)
				for _, p := range some {
					if len(open) < limit && (p.Refused != "" || !refused) {
						open = append(open, p)
					}
				}
			}
		}
		return open, err
	})
}

// openAtOnce is how many payouts of a batch are looked up at once.
const openAtOnce = 1_000

// notCredited leaves out those of the batch's payouts that are credited, and adds why others are refused.
func (b PayoutBatch) notCredited(t db.View, all []Payout) (open []Payout, err error) {
	credited := map[string]bool{}
	refused := map[string]Payout{}
	err = t.QuerySet(func(r db.Row) error {
		if r.Int(1) == 1 {
			credited[r.Text(0)] = true
		} else {
			refused[r.Text(0)] = Payout{Refused: r.Text(2), Answered: db.TimeOf(r.Int(3))}
		}
		return nil
	}, "SELECT x.payout, x.credited, x.reference, x.at FROM {rows} JOIN payout_answers x ON x.bucket = r.bucket AND "+
		"x.payout = r.payout", db.SetOf(all, db.Int("bucket", func(Payout) int64 { return b.bucket }),
		db.Text("payout", func(p Payout) string { return p.ID })))
	for _, p := range all {
		if !credited[p.ID] {
			p.Refused, p.Answered = refused[p.ID].Refused, refused[p.ID].Answered
			open = append(open, p)
		}
	}
	return open, err
}

// PayoutState is how far the other ledger is with the payouts of a token.
type PayoutState struct {
	Asset   string
	Waiting int64     // those without an answer
	Oldest  time.Time // when the oldest batch with some of them was paid; zero: there is none
	Refused int64     // those that are refused
}

// PayoutStates are those of the tokens with payouts that are not credited, by symbol.
func (rs *Reports) PayoutStates(ctx context.Context) ([]PayoutState, error) {
	return list(ctx, rs, "read how far payouts are", func(r db.Row) (PayoutState, error) {
		return PayoutState{r.Text(0), r.Int(1), db.TimeOrZero(r.Int(2)), r.Int(3)}, nil
	}, `SELECT asset, CAST(sum(count - credited - refused) AS bigint),
	           coalesce(min(CASE WHEN count > credited + refused THEN at END), 0), CAST(sum(refused) AS bigint)
	      FROM payout_batches WHERE credited < count GROUP BY asset ORDER BY asset`)
}

// PayoutsOn reports whether what is paid now is to be credited in another ledger.
func (rs *Reports) PayoutsOn(ctx context.Context) (bool, error) {
	return read(ctx, rs, "read whether rewards are payouts", store.PayoutsOn)
}

// PayoutChunk is some payouts of one batch, of a size at most.
type PayoutChunk struct {
	Batch   PayoutBatch
	Payouts []Payout // at least one
}

// Last is the number of the last of its payouts.
func (c PayoutChunk) Last() int64 { return c.Payouts[len(c.Payouts)-1].Number }

// PayoutChunks are the payouts after a number in chunks, at most limit of them: the same chunks each time, wherever a
// reader begins. So the first one may have payouts through the number, too.
func (rs *Reports) PayoutChunks(ctx context.Context, after int64, size, limit int) ([]PayoutChunk, error) {
	return read(ctx, rs, "read payouts", func(t db.View) (chunks []PayoutChunk, err error) {
		batches, err := db.All(t, readPayoutBatch, "SELECT "+batchColumns+" FROM payout_batches WHERE first > 0 AND "+
			"first >= coalesce((SELECT max(first) FROM payout_batches WHERE first > 0 AND first <= $1), 0) "+
			"ORDER BY first LIMIT $2", after+1, int64(limit)+1) // the first may have been read to its end
		for _, b := range batches {
			from := max(after+1-b.First, 0) / int64(size) * int64(size)
			for ; err == nil && b.First+from <= b.Last && b.Last > after && len(chunks) < limit; from += int64(size) {
				c := PayoutChunk{Batch: b}
				c.Payouts, err = b.payouts(t, from, size)
				if err == nil && len(c.Payouts) == 0 {
					err = errors.New("a batch of payouts has fewer than it says")
				}
				chunks = append(chunks, c)
			}
		}
		return chunks, err
	})
}
