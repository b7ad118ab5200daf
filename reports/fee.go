package reports

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Fee is a change of @fees: the fee of an income, or fees that the operator took out or returned.
type Fee struct {
	Entry      string
	Asset      string
	Amount     ledger.Amount // signed, in smallest units: below zero where it left @fees
	At         time.Time     // UTC, when it was entered, and counts
	Credential string        // of who entered it
	Income     *Income       // nil: taken out, or returned
}

// FeesAsked says which changes of @fees are wanted: those that were entered on some days.
type FeesAsked struct {
	From, To staking.Day // both ends inclusive
	Asset    string      // "": all
}

// Fees are the wanted changes of @fees after one of them, of which At and Entry count, at most limit: the last entered
// first, those of one moment by entry. The zero one is before all. Incomes without a fee are among them.
func (rs *Reports) Fees(ctx context.Context, asked FeesAsked, after Fee, limit int) ([]Fee, error) {
	p := feePage{FeesAsked: asked, at: (asked.To + 1).Millis() - 1, limit: max(limit, 0)}
	if at := db.MillisOf(after.At); !after.At.IsZero() && at <= p.at {
		p.at, p.entry = at, after.Entry
	}
	return read(ctx, rs, "read the fees", func(t db.View) ([]Fee, error) {
		fees, err := p.ofIncomes(t)
		if err != nil {
			return nil, err
		}
		moved, err := p.moved(t)
		fees = append(fees, moved...)
		slices.SortFunc(fees, newestFee)
		return fees[:min(p.limit, len(fees))], err
	})
}

// feePage is a page of fees: those before a moment, in milliseconds, and of that moment those after an entry.
type feePage struct {
	FeesAsked
	at    int64
	entry string
	limit int
}

// ofIncomes are the fees of incomes.
func (p feePage) ofIncomes(t db.View) ([]Fee, error) {
	return db.All(t, func(r db.Row) (Fee, error) {
		i, err := readIncome(r)
		return Fee{ledger.IncomeID(i.Reference), i.Asset, i.Fee, i.At, i.Credential, &i}, err
	}, incomeRows+` WHERE i.at >= $3 AND (i.at < $4 OR (i.at = $4 AND e.entry > $5)) AND ($6 = '' OR i.asset = $6)
	     ORDER BY i.at DESC, e.entry LIMIT $7`, int64(staking.Share), int64(staking.DayMillis), p.From.Millis(), p.at,
		p.entry, p.Asset, int64(p.limit))
}

// moved are the fees that were taken out or returned. Their entries are found by what their IDs begin with, in every
// bucket by key, and lead to their postings, which lie among those of others.
func (p feePage) moved(t db.View) (fees []Fee, err error) {
	prefix := ledger.FeesID("")
	entries, err := db.AllOf(t, func(r db.Row) (Fee, error) {
		return Fee{Entry: r.Text(0), At: db.TimeOf(r.Int(1)), Credential: r.Text(2)}, nil
	}, `SELECT e.entry, e.at, e.credential
	      FROM {rows} JOIN entries e ON e.bucket = r.bucket AND e.entry >= r.low AND e.entry < r.high
	       AND e.at >= $5 AND (e.at < $6 OR (e.at = $6 AND e.entry > $7))`,
		append(store.EveryBucket(p.From), inEach("low", prefix), inEach("high", strings.TrimSuffix(prefix, "/")+"0")),
		p.From.Millis(), p.at, p.entry)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, newestFee)
	for some := range slices.Chunk(entries, max(p.limit, 1)) {
		if len(fees) >= p.limit {
			break
		}
		postings, err := db.AllOf(t, scan(readPosting), `SELECT `+postingColumns+`
		      FROM {rows} JOIN postings p ON p.bucket = r.bucket AND p.day = r.day AND p.at = r.at AND p.entry = r.entry
		       AND p.account = $5 AND p.kind = $6`,
			db.SetOf(some,
				db.Int("bucket", func(Fee) int64 { return int64(ledger.Fees.Bucket()) }),
				db.Int("day", func(f Fee) int64 { return int64(staking.DayOf(f.At)) }),
				db.Int("at", func(f Fee) int64 { return db.MillisOf(f.At) }),
				db.Text("entry", func(f Fee) string { return f.Entry })),
			string(ledger.Fees), string(ledger.FeeTransfer)) // callers could use such IDs before they were ours
		if err != nil {
			return nil, err
		}
		of := map[string]ledger.Posting{}
		for _, posting := range postings {
			of[posting.Entry] = posting
		}
		for _, f := range some {
			if posting, is := of[f.Entry]; is && (p.Asset == "" || p.Asset == posting.Asset) {
				f.Asset, f.Amount = posting.Asset, posting.Amount
				fees = append(fees, f)
			}
		}
	}
	return fees, nil
}

// newestFee orders the last entered first, and those of one moment by entry.
func newestFee(a, b Fee) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Entry, b.Entry)) }

// Kind is "income" of the fee of an income, "out" of fees that were taken out, and "in" of those that were returned.
func (f Fee) Kind() string {
	switch {
	case f.Income != nil:
		return "income"
	case f.Amount < 0:
		return "out"
	}
	return "in"
}
