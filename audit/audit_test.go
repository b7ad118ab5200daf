package audit

import (
	"context"
	"errors"
	"math/big"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// run audits the books.
func run(t *testing.T, b *memoryBooks, o Options) Report {
	t.Helper()
	report, err := Run(t.Context(), b, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestHonestBooks finds nothing, and counts what is there.
func TestHonestBooks(t *testing.T) {
	var done atomic.Int64
	got := run(t, honestBooks(t), Options{Workers: 3, Progress: func(int, int) { done.Add(1) }})
	want := Report{
		Through: day4, Accounts: 3, Positions: 20, Postings: 34, Accruals: 10,
		Tokens: []TokenSum{
			{Asset: bnb, Holders: big.NewInt(2*1_0000_0000 + 33_001), House: big.NewInt(-2*1_0000_0000 - 33_001)},
			{Asset: sol, Holders: big.NewInt(5*1_0000_0000 + 100_005), House: big.NewInt(-5*1_0000_0000 - 100_005)},
		},
	}
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if done.Load() != ledger.Buckets {
		t.Errorf("%d buckets were reported", done.Load())
	}
}

// TestOneDay audits the records of one day: what is wrong on another is not found.
func TestOneDay(t *testing.T) {
	b := honestBooks(t)
	b.accrual("alice", "BNB", day3).Reward++
	b.balance("alice", "BNB").Balance++
	b.outline.Intents--
	for d, want := range map[staking.Day]int64{day2: 0, day3: 3} { // the record, the control total, its digest
		if got := run(t, b, Options{Day: &d}); got.Total != want || got.Tokens != nil {
			t.Errorf("on %s: %d findings, %v", d, got.Total, got.Findings)
		}
	}
	for _, d := range []staking.Day{day1 - 1, day4 + 1} {
		if _, err := Run(t.Context(), b, Options{Day: &d}); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%s is not closed: %v", d, err)
		}
	}
}

// TestBooksThatCannotBeRead: an error of the database ends the audit, wherever it comes.
func TestBooksThatCannotBeRead(t *testing.T) {
	broken := errors.New("the disk is gone")
	methods := []string{
		"Outline", "Head", "Span", "Balances", "Enrollments", "Exclusions", "Postings", "Accruals",
		"Outside", "Entries", "Withdrawals", "Contradictions",
	}
	for _, method := range methods {
		b := honestBooks(t)
		b.broken = func(m string) error {
			if m == method {
				return broken
			}
			return nil
		}
		if _, err := Run(t.Context(), b, Options{Workers: 2}); !errors.Is(err, broken) {
			t.Errorf("%s: %v", method, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, honestBooks(t), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestBooksThatCannotBeReadAgain: the suspects of an entry that does not match are read again.
func TestBooksThatCannotBeReadAgain(t *testing.T) {
	broken := errors.New("the disk is gone")
	for _, method := range []string{"Postings", "Withdrawals", "Entries"} {
		b := honestBooks(t)
		b.entry("d1").Digest[0]++
		b.broken = func(m string) error {
			if m == method && b.reads > ledger.Buckets {
				return broken
			}
			return nil
		}
		if _, err := Run(t.Context(), b, Options{}); !errors.Is(err, broken) {
			t.Errorf("%s: %v", method, err)
		}
	}
}

// TestABucketIsReadAgain: what a failed read has counted counts no more.
func TestABucketIsReadAgain(t *testing.T) {
	once, b := true, honestBooks(t)
	b.broken = func(method string) error {
		if method != "Withdrawals" || !once || b.reads != ledger.Account("alice").Bucket()+1 {
			return nil
		}
		once = false
		return errors.New("the connection is lost")
	}
	got, want := run(t, b, Options{}), run(t, honestBooks(t), Options{})
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })); d != "" || once {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestBooksThatAreWrittenAtTheSameTime: an entry that does not match at first, and does when it is read again.
func TestBooksThatAreWrittenAtTheSameTime(t *testing.T) {
	b := honestBooks(t)
	digest := b.entry("d1").Digest
	digest[0]++
	b.reading = func(reads int) {
		if reads == ledger.Buckets+1 {
			digest[0]--
		}
	}
	got := run(t, b, Options{})
	want := "entries and their postings do not match, though each looks right; " +
		"were the books written by hand while they were read?"
	if d := cmp.Diff([]Finding{{What: want}}, got.Findings); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
