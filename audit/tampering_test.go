package audit

import (
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// TestTampering: each finding that an audit makes, by what makes it. It is among those that are named.
func TestTampering(t *testing.T) {
	all := slices.Concat(tamperedDays, tamperedBalances, tamperedRewards, tamperedTotals,
		tamperedEntries, tamperedMoves, tamperedWithdrawals, tamperedIncomes)
	for _, c := range all {
		b := honestBooks(t)
		c.tamper(b)
		got := run(t, b, Options{Workers: 2})
		if !slices.ContainsFunc(got.Findings, func(f Finding) bool { return strings.Contains(f.String(), c.want) }) {
			t.Errorf("not found: %s; found: %v", c.want, got.Findings)
		}
	}
}

// TestTamperingWithTheSmallestBalance: books that are measured by it are right, and what differs from it is found.
func TestTamperingWithTheSmallestBalance(t *testing.T) {
	if got := run(t, honestBooksBy(t, staking.Lowest), Options{}); len(got.Findings) > 0 {
		t.Fatalf("honest books: %v", got.Findings)
	}
	for _, c := range []tampering{
		{"2026-03-02 alice BNB: average is 1.475, derived 0.9", func(b *memoryBooks) {
			b.accrual("alice", "BNB", day2).Average = 1475 * coin / 1000
		}},
		{"2026-03-02 alice BNB: the average's rest is 1, derived 0",
			func(b *memoryBooks) { b.accrual("alice", "BNB", day2).Rest = 1 }},
		{"2026-03-02 alice BNB: average is 0.9, derived 1.475", func(b *memoryBooks) {
			b.buckets[alice].head.Terms[0].Measure = staking.Average
		}},
		{"2026-03-02 alice BNB: average is 0.9, derived 0.8", func(b *memoryBooks) {
			b.side("h1", "alice", "BNB").Amount = -2 * coin / 10
		}},
	} {
		b := honestBooksBy(t, staking.Lowest)
		c.tamper(b)
		got := run(t, b, Options{Workers: 2})
		if !slices.ContainsFunc(got.Findings, func(f Finding) bool { return strings.Contains(f.String(), c.want) }) {
			t.Errorf("not found: %s; found: %v", c.want, got.Findings)
		}
	}
}

// tampering is something that was done to the books by hand, and how it is found.
type tampering struct {
	want   string // a part of the finding
	tamper func(b *memoryBooks)
}

var (
	alice = ledger.Account("alice").Bucket()
	bob   = ledger.Account("bob").Bucket()
)

func row[T any](rows []T, is func(*T) bool) *T {
	for i := range rows {
		if is(&rows[i]) {
			return &rows[i]
		}
	}
	panic("there is no such row")
}

func without[T any](rows []T, is func(*T) bool) []T {
	return slices.DeleteFunc(rows, func(x T) bool { return is(&x) })
}

func (b *memoryBooks) balance(account ledger.Account, symbol string) *Balance {
	return row(b.of(account).balances, func(x *Balance) bool { return x.Account == account && x.Asset == symbol })
}

func (b *memoryBooks) accrual(account ledger.Account, symbol string, d staking.Day) *staking.Accrual {
	return row(b.of(account).accruals, func(x *staking.Accrual) bool {
		return x.Account == account && x.Asset == symbol && x.Day == d
	})
}

func (b *memoryBooks) entry(id string) *Entry {
	return row(b.buckets[ledger.Entry{ID: id}.Bucket()].entries, func(x *Entry) bool { return x.ID == id })
}

// side is a posting of an entry, of an account.
func (b *memoryBooks) side(id string, account ledger.Account, symbol string) *Posting {
	for i := range b.buckets {
		for j := range b.buckets[i].postings {
			if x := &b.buckets[i].postings[j]; x.Entry == id && x.Account == account && x.Asset == symbol {
				return x
			}
		}
	}
	panic("there is no such posting")
}

// each changes each posting of an entry.
func (b *memoryBooks) each(id string, change func(*Posting)) {
	for i := range b.buckets {
		for j := range b.buckets[i].postings {
			if x := &b.buckets[i].postings[j]; x.Entry == id {
				change(x)
			}
		}
	}
}

// drop removes the postings of an entry that are to go.
func (b *memoryBooks) drop(id string, gone func(*Posting) bool) {
	for i := range b.buckets {
		of := &b.buckets[i]
		of.postings = without(of.postings, func(x *Posting) bool { return x.Entry == id && gone(x) })
	}
}

func (b *memoryBooks) batch(bucket int, symbol string, d staking.Day) *Batch {
	return row(b.buckets[bucket].head.Batches, func(x *Batch) bool { return x.Key == Key{Day: d, Asset: symbol} })
}

func (b *memoryBooks) payment(bucket int, symbol string, d staking.Day) *Batch {
	return row(b.buckets[bucket].head.Payments, func(x *Batch) bool { return x.Key == Key{Day: d, Asset: symbol} })
}

func (b *memoryBooks) dropAccrual(account ledger.Account, symbol string, d staking.Day) {
	of := b.of(account)
	of.accruals = without(of.accruals, func(x *staking.Accrual) bool {
		return x.Account == account && x.Asset == symbol && x.Day == d
	})
}

// dropBalances removes the rows of an account in the bucket of a holder.
func (b *memoryBooks) dropBalances(holder, account ledger.Account) {
	of := b.of(holder)
	of.balances = without(of.balances, func(x *Balance) bool { return x.Account == account })
}

func (b *memoryBooks) everywhere(change func(*Head)) {
	for i := range b.buckets {
		change(&b.buckets[i].head)
	}
}

// sign signs an entry's row again, as somebody does who knows how.
func (e *Entry) sign() { e.Digest = digestOf(e.ID, e.At, e.Leaves, e.Destination) }

var tamperedDays = []tampering{
	{"the closing of 3 days is written down, the last 2026-03-04; closed are all from 2026-03-01 to 2026-03-04",
		func(b *memoryBooks) { b.outline.Intents-- }},
	{"the closing of 4 days is written down, the last 2026-03-03",
		func(b *memoryBooks) { b.outline.Intended-- }},
	{"bucket 3 has rows of 5 days; from 2026-03-01 to 2026-03-06 there are 6",
		func(b *memoryBooks) { b.buckets[3].head.Days-- }},
	{"2026-03-02: is open in bucket 3, but a later day is closed",
		func(b *memoryBooks) { b.buckets[3].head.FirstOpen = day2 }},
	{"2026-03-05: is accrued in bucket 3, but not closed",
		func(b *memoryBooks) { b.buckets[3].head.Progress[0].Accrued++ }},
	{"bucket 3 has no row of its progress",
		func(b *memoryBooks) { b.buckets[3].head.Progress = b.buckets[3].head.Progress[1:] }},
	{"2026-03-09 alice BNB: has rows of a day that the books do not have; theirs are 2026-03-01 to 2026-03-06",
		func(b *memoryBooks) {
			x := *b.side("d1", "alice", "BNB")
			x.Day = day6 + 3
			b.buckets[alice].postings = append(b.buckets[alice].postings, x)
		}},
	{"2026-02-27 bob SOL: has rows of a day that the books do not have", func(b *memoryBooks) {
		x := *b.accrual("bob", "SOL", day2)
		x.Day = day1 - 2
		b.buckets[bob].accruals = append(b.buckets[bob].accruals, x)
	}},
	{"19 decimals", func(b *memoryBooks) { b.everywhere(func(h *Head) { h.Assets[0].Scale = 19 }) }},
}

var tamperedBalances = []tampering{
	{"@elsewhere BNB: there is no such house account", func(b *memoryBooks) {
		of := b.of("@elsewhere")
		of.balances = append(of.balances, Balance{Account: "@elsewhere", Asset: "BNB"})
	}},
	{"bob BNB: the account was never opened", func(b *memoryBooks) { b.balance("bob", "BNB").Opened = false }},
	{"dave BNB: its balance lies in bucket 3, where it does not belong", func(b *memoryBooks) {
		b.buckets[3].balances = append(b.buckets[3].balances, Balance{Account: "dave", Asset: "BNB", Opened: true})
	}},
	{"bob XYZ: there is no such asset", func(b *memoryBooks) {
		b.buckets[bob].balances = append(b.buckets[bob].balances, Balance{Account: "bob", Asset: "XYZ", Opened: true})
	}},
	{"alice BNB: balance is 1.70025003, derived 1.70025002",
		func(b *memoryBooks) { b.balance("alice", "BNB").Balance++ }},
	{"alice BNB: earned is 0.00025003, derived 0.00025002",
		func(b *memoryBooks) { b.balance("alice", "BNB").Earned++ }},
	{"alice BNB: carry is ", func(b *memoryBooks) { b.balance("alice", "BNB").Carry++ }},
	{"alice/held BNB: balance is -1, derived 0.3; the balance -1 is below zero",
		func(b *memoryBooks) { b.balance("alice/held", "BNB").Balance = -coin }},
	{"@rewards BNB: balance is ", func(b *memoryBooks) { b.balance(ledger.Rewards, "BNB").Balance++ }},
	{"2026-03-01 bob SOL: has a posting of entry d2, but no balance", func(b *memoryBooks) {
		b.dropBalances("bob", "bob")
	}},
	{"2026-03-01 carol BNB: the balance is -1 at 2026-03-01T12:00:00.000Z",
		func(b *memoryBooks) { b.of("carol").head.Overdrawn = nil }},
	{"at the end of 2026-03-04 holders have ", func(b *memoryBooks) {
		b.side("d2", "bob", "SOL").Amount++
	}},
}

var tamperedRewards = []tampering{
	{"2026-03-02 alice BNB: opening is 1, derived 2",
		func(b *memoryBooks) { b.accrual("alice", "BNB", day2).Opening = coin }},
	{"2026-03-02 alice BNB: average is 2, derived 1.475",
		func(b *memoryBooks) { b.accrual("alice", "BNB", day2).Average = 2 * coin }},
	{"2026-03-02 alice BNB: the average's rest is 7, derived 0",
		func(b *memoryBooks) { b.accrual("alice", "BNB", day2).Rest = 7 }},
	{"2026-03-02 alice BNB: eligible is 2, derived 1",
		func(b *memoryBooks) { b.accrual("alice", "BNB", day2).Eligible = 2 * coin }},
	{"2026-03-02 alice BNB: APR is 0.03650001, by the terms 0.0365",
		func(b *memoryBooks) { b.accrual("alice", "BNB", day2).APR++ }},
	{"2026-03-02 alice BNB: reward is 0.00010001, derived 0.0001",
		func(b *memoryBooks) { b.accrual("alice", "BNB", day2).Reward++ }},
	{"2026-03-02 alice BNB: carry before is 7, derived 0",
		func(b *memoryBooks) { b.accrual("alice", "BNB", day2).Before = 7 }},
	{"2026-03-02 alice BNB: carry is 7, derived 0",
		func(b *memoryBooks) { b.accrual("alice", "BNB", day2).Carry = 7 }},
	{"2026-03-02 alice BNB: has no record of its reward of 0.0001", func(b *memoryBooks) {
		b.dropAccrual("alice", "BNB", day2)
	}},
	{"2026-03-02 dave BNB: has a reward of 0.0001, but no balance",
		func(b *memoryBooks) { b.accrual("alice", "BNB", day2).Account = "dave" }},
	{"2026-03-02 alice/held BNB: has a reward of 0.0001, but only the free balance of a holder earns",
		func(b *memoryBooks) {
			b.accrual("alice", "BNB", day2).Account = "alice/held"
		}},
	{"2026-03-04 alice BNB: has a reward of 0.00007001, but the bucket is accrued only through 2026-03-03",
		func(b *memoryBooks) {
			b.buckets[alice].head.Progress[0].Accrued--
		}},
	{"2026-03-02 alice BNB: has a reward of 0.0001, but the token has no terms on the day",
		func(b *memoryBooks) {
			b.buckets[alice].head.Terms[0].From = day3
		}},
	{"2026-03-02 bob SOL: has a reward of 0.0004, but the token is not offered on the day",
		func(b *memoryBooks) {
			b.buckets[bob].head.Terms = b.buckets[bob].head.Terms[:2]
		}},
	{"2026-03-03 alice BNB: has a reward of 0.00008001, but no enrollment covers the day",
		func(b *memoryBooks) {
			b.buckets[alice].enrollments[0].Until = day3
		}},
	{"2026-03-03 alice BNB: has a reward of 0.00008001, but the average is below the minimum of 1",
		func(b *memoryBooks) {
			b.buckets[alice].head.Terms[0].Min = coin
		}},
	{"2026-03-02 alice BNB: average is 1.475, derived 0.9; eligible is 1, derived 0.9",
		func(b *memoryBooks) { b.buckets[alice].head.Terms[0].Measure = staking.Lowest }},
	{"2026-03-04 alice BNB: has a reward of 0.00007001, but the smallest balance is below the minimum of 1",
		func(b *memoryBooks) {
			b.buckets[alice].head.Terms[0].Measure = staking.Lowest
			b.buckets[alice].head.Terms[0].Min = coin
		}},
	{"2026-03-02 bob: is enrolled, but the account was never opened",
		func(b *memoryBooks) { b.buckets[bob].enrollments[0].Opened = false }},
	{"2026-03-02 alice/held: is enrolled in bucket ", func(b *memoryBooks) {
		e := b.buckets[alice].enrollments[0]
		e.Account = "alice/held"
		b.buckets[alice].enrollments = append(b.buckets[alice].enrollments, e)
	}},
	{"2026-03-03 bob: is enrolled twice: also from 2026-03-02 until 2026-03-04", func(b *memoryBooks) {
		e := b.buckets[bob].enrollments[0]
		e.From = day3
		b.buckets[bob].enrollments = append(b.buckets[bob].enrollments, e)
	}},
}

var tamperedTotals = []tampering{
	{"parts of a smallest unit that holders carry; they carry", func(b *memoryBooks) {
		for i := range b.outline.Declared {
			b.outline.Declared[i].Carried = staking.Exact{}
		}
	}},
	{"2026-03-02 BNB: declared are 3 rewards, 0.00015 together; the buckets have 2, 0.00015 together",
		func(b *memoryBooks) {
			b.outline.Declared[2].Holders++
		}},
	{"the day is not declared", func(b *memoryBooks) {
		b.everywhere(func(h *Head) { h.Declared = h.Declared[4:] })
	}},
	{": there are 1 rewards, 0.0001 together, but no control total", func(b *memoryBooks) {
		h := &b.buckets[alice].head
		h.Batches = without(h.Batches, func(x *Batch) bool { return x.Key == Key{day2, "BNB"} })
	}},
	{": 0.0001 was paid without a control total", func(b *memoryBooks) {
		h := &b.buckets[alice].head
		h.Batches = without(h.Batches, func(x *Batch) bool { return x.Key == Key{day2, "BNB"} })
	}},
	{": the control total is 1 rewards, 0.0001 together, but there are none", func(b *memoryBooks) {
		b.dropAccrual("alice", "BNB", day2)
	}},
	{": the control total is 1 rewards, 0.00010001 together; there are 1, 0.0001 together",
		func(b *memoryBooks) { b.batch(alice, "BNB", day2).Total++ }},
	{": the digest of the rewards is 00000000",
		func(b *memoryBooks) { b.batch(alice, "BNB", day2).Digest = [32]byte{} }},
	{": the day is paid, but not the control total of 0.0001", func(b *memoryBooks) {
		h := &b.buckets[alice].head
		h.Payments = without(h.Payments, func(x *Batch) bool { return x.Key == Key{day2, "BNB"} })
	}},
	{": 0.00007001 was paid, but the bucket is paid only through 2026-03-03",
		func(b *memoryBooks) { b.buckets[alice].head.Progress[0].Paid-- }},
	{": paid to 1 holders: 0.00010001, digest", func(b *memoryBooks) { b.payment(alice, "BNB", day2).Total++ }},
	{"@payable SOL: bucket ", func(b *memoryBooks) {
		b.dropBalances("bob", ledger.Payable)
		b.dropBalances("alice", ledger.Payable)
	}},
	{"@payable BNB: balance is 0.00000001, derived 0, in bucket ",
		func(b *memoryBooks) { b.buckets[alice].balance(ledger.Payable, "BNB").Balance++ }},
}

var tamperedEntries = []tampering{
	{"2026-03-01 alice BNB: entry d1: its time 2026-03-02T12:00:00.000Z is not of the day",
		func(b *memoryBooks) {
			b.side("d1", "alice", "BNB").At += staking.DayMillis
		}},
	{"2026-03-01 alice BNB: entry d1: move 0, side 1 cannot have the amount -2",
		func(b *memoryBooks) { b.side("d1", "alice", "BNB").Amount *= -1 }},
	{"2026-03-01 alice BNB: entry d1: lies in bucket 3, where it does not belong", func(b *memoryBooks) {
		b.buckets[3].postings = append(b.buckets[3].postings, *b.side("d1", "alice", "BNB"))
	}},
	{"2026-03-01 alice BNB: entry reward/1: what is paid is written as records of rewards, never as postings too",
		func(b *memoryBooks) {
			b.each("d1", func(x *Posting) { x.Entry = "reward/1" })
		}},
	{"2026-03-01: the row of entry d1 lies in bucket 3, where it does not belong", func(b *memoryBooks) {
		b.buckets[3].entries = append(b.buckets[3].entries, *b.entry("d1"))
	}},
	{"2026-03-01: entry d1 has a row of its own, but no postings",
		func(b *memoryBooks) { b.drop("d1", func(*Posting) bool { return true }) }},
	{"2026-03-01 alice BNB: entry d1 has no row of its own", func(b *memoryBooks) { b.entry("d1").ID = "d0" }},
	{"2026-03-01 alice BNB: entry d1 counts at 2026-03-01T12:00:00.001Z by its own row, and at 2026-03-01T12:00:00",
		func(b *memoryBooks) {
			b.entry("d1").At++
		}},
	{"2026-03-01 alice BNB: entry d1 has a digest of version 1",
		func(b *memoryBooks) { b.entry("d1").Version = 1 }},
	{"2026-03-01 alice BNB: entry d1 does not say what was posted: its digest is",
		func(b *memoryBooks) { b.entry("d1").Digest[0]++ }},
	{"2026-03-01 alice BNB: entry d1 has a row that its digest was not made of",
		func(b *memoryBooks) { b.entry("d1").Leaves = nil }},
	{"2026-03-02 alice BNB: entry t1 does not say what was posted", func(b *memoryBooks) {
		b.entry("t1").Leaves = b.entry("t1").Leaves[:32]
		b.entry("t1").sign()
	}},
}

var tamperedMoves = []tampering{
	{"2026-03-02 alice BNB: entry t1 has a move 2, but no move 0", func(b *memoryBooks) {
		b.each("t1", func(x *Posting) { x.Move += 2 })
		b.drop("t1", func(x *Posting) bool { return x.Asset == "SOL" })
	}},
	{"2026-03-02 bob BNB: entry t1 move 0 has only one side, that of alice", func(b *memoryBooks) {
		b.drop("t1", func(x *Posting) bool { return x.Account == "bob" && x.Asset == "BNB" })
	}},
	{"2026-03-02 alice BNB: entry t1 move 0 has 4 sides, which do not belong together", func(b *memoryBooks) {
		b.each("t1", func(x *Posting) { x.Move = 0 })
	}},
	{"2026-03-02 bob BNB: entry t1 move 0: its two sides differ: 2 BNB from alice to bob",
		func(b *memoryBooks) {
			b.side("t1", "bob", "BNB").Amount *= 2
		}},
	{"2026-03-02 alice BNB: entry t1 move 0: its two sides differ: 2 BNB from alice to bob",
		func(b *memoryBooks) {
			b.side("t1", "alice", "BNB").Amount *= 2
		}},
}

var tamperedWithdrawals = []tampering{
	{"2026-03-03 alice BNB: the withdrawal ghost is requested by no entry", func(b *memoryBooks) {
		x := b.buckets[alice].withdrawals[0]
		x.ID = "ghost"
		b.buckets[alice].withdrawals = append(b.buckets[alice].withdrawals, x)
	}},
	{"2026-03-03 alice BNB: entry w1 requests a withdrawal, and there are 0 rows of it",
		func(b *memoryBooks) { b.buckets[alice].withdrawals = nil }},
	{"2026-03-01 alice BNB: entry d1 requests no withdrawal, and there is a row of one", func(b *memoryBooks) {
		x := b.buckets[alice].withdrawals[0]
		x.ID = "d1"
		b.buckets[alice].withdrawals = append(b.buckets[alice].withdrawals, x)
	}},
	{"2026-03-03 alice BNB: entry w1 requests another withdrawal than the row of it says",
		func(b *memoryBooks) { b.buckets[alice].withdrawals[0].Amount++ }},
	{"2026-03-03 alice BNB: entry w1 requests a withdrawal that goes elsewhere by its row",
		func(b *memoryBooks) { b.buckets[alice].withdrawals[0].To.Address = "0x2" }},
	{"2026-03-03 alice BNB: entry w1 has a row that its digest was not made of",
		func(b *memoryBooks) { b.entry("w1").Destination = nil }},
	{"2026-03-01 alice BNB: entry d1 has a row that its digest was not made of",
		func(b *memoryBooks) { b.entry("d1").Destination = []byte("x") }},
}

// income is the row of earned.
func (b *memoryBooks) income() *Income {
	return &b.buckets[bringsIn(earned, at(day3, 13)).Bucket()].incomes[0]
}

var tamperedIncomes = []tampering{
	{"2026-03-03 SOL: the income ghost is brought in by no entry", func(b *memoryBooks) {
		x := *b.income()
		x.Reference = "ghost"
		home := &b.buckets[ledger.Entry{ID: "income/ghost"}.Bucket()]
		home.incomes = append(home.incomes, x)
	}},
	{"2026-03-03 @custody SOL: entry income/i1 brings in income, and there are 0 rows of it",
		func(b *memoryBooks) { b.income().Reference = "i3" }},
	{"the income i1 lies in bucket", func(b *memoryBooks) {
		bucket := &b.buckets[(b.income().bucketOfEntry()+1)%ledger.Buckets]
		bucket.incomes = append(bucket.incomes, *b.income())
	}},
	{"2026-03-03 @custody SOL: entry income/i1 brings in another income than the row of it says",
		func(b *memoryBooks) { b.income().Gross++ }},
	{"2026-03-03 @custody SOL: entry income/i1 brings in another income than the row of it says",
		func(b *memoryBooks) { b.income().Asset = "BNB" }},
	{"2026-03-03 SOL: the income i1 was divided by the fee 0.29; by the terms of 2026-03-02 it is 0.3",
		func(b *memoryBooks) { b.income().Fee = 29_000_000 }},
	{"2026-03-03 @custody SOL: entry income/i1 counts at",
		func(b *memoryBooks) { b.income().At++ }},
	{"2026-03-03 @custody SOL: entry income/i1 has other evidence than the row of its income says",
		func(b *memoryBooks) { b.income().Evidence = "epoch 713" }},
	{"2026-03-03 @custody SOL: entry income/i1 has other evidence than the row of its income says",
		func(b *memoryBooks) { b.income().First-- }},
	{"2026-03-01 alice BNB: entry income/d1 brings in no income, and there is a row of one", func(b *memoryBooks) {
		for i := range b.buckets {
			for j := range b.buckets[i].entries {
				b.buckets[i].entries[j].rename("d1", "income/d1")
			}
			for j := range b.buckets[i].postings {
				if x := &b.buckets[i].postings[j]; x.Entry == "d1" {
					x.Entry = "income/d1"
				}
			}
		}
		x := *b.income()
		x.Reference = "d1"
		b.buckets[alice].incomes = append(b.buckets[alice].incomes, x)
	}},
	{"2026-03-03 @custody SOL: entry income/i1 does not say what was posted",
		func(b *memoryBooks) { b.entry("income/i1").Digest = make([]byte, 32) }},
}

func (i *Income) bucketOfEntry() int { return ledger.Entry{ID: i.entry()}.Bucket() }

func (e *Entry) rename(from, to string) {
	if e.ID == from {
		e.ID = to
	}
}

// shareBooks are honest books with a token in the mode share that nobody has: its income of
// days 1 and 2, entered on day 3, stays for the next distribution.
func shareBooks(t *testing.T) *memoryBooks {
	b := honestBooks(t)
	shared := staking.Income{
		Reference: "i9", Asset: "TON", Chain: "ton", Source: "validator 9", First: day1, Last: day2, Gross: 100,
		Evidence: "round 9",
	}
	e := shared.Entry(feeOfSOL)
	e.At = at(day3, 14)
	row := Income{
		Reference: "i9", Asset: "TON", Chain: "ton", Source: "validator 9", First: day1, Last: day2, Mode: staking.Share,
		Gross: 100, Fee: feeOfSOL, Evidence: "round 9", At: e.At.UnixMilli(),
	}
	b.post(e)
	home := &b.buckets[e.Bucket()]
	home.incomes = append(home.incomes, row)
	leaves := e.Leaves()
	digest := e.Digest(leaves, shared.Hash())
	home.entries[len(home.entries)-1].Destination, home.entries[len(home.entries)-1].Digest = shared.Hash(), digest[:]
	for d := day1; d <= day4; d++ {
		b.outline.Declared = append(b.outline.Declared, Declaration{Key: Key{d, "TON"}})
	}
	b.outline.Distributions = []Distribution{{
		Key: Key{day3, "TON"}, First: day1, Last: day2, Gross: 100, Net: 70, Weight: "0",
	}}
	b.outline.Terms = append(b.outline.Terms, staking.Terms{
		Asset: "TON", From: day1, Offered: true, Mode: staking.Share, Min: 1, Cap: coin, Fee: feeOfSOL,
	})
	b.outline.Incomes, b.outline.Over = []Income{row}, day4
	for i := range b.buckets {
		h := &b.buckets[i].head
		h.Assets = append(h.Assets, ledger.Asset{Symbol: "TON", Scale: 8, MaxSupply: coin})
		h.Terms = append(h.Terms, b.outline.Terms[0])
		h.Progress = append(h.Progress, Progress{Asset: "TON", Accrued: day4, Paid: day4})
		h.Declared = slices.Clone(b.outline.Declared)
	}
	return b
}

// TestSharesNobodyHas: the books are right, and each row of the distribution that was
// changed by hand is found.
func TestSharesNobodyHas(t *testing.T) {
	if got := run(t, shareBooks(t), Options{Workers: 2}); len(got.Findings) > 0 {
		t.Fatalf("found in honest books: %v", got.Findings)
	}
	each := func(b *memoryBooks, change func(*Distribution)) {
		change(&b.outline.Distributions[0])
	}
	for _, c := range []tampering{
		{"has a gross income of 101", func(b *memoryBooks) { each(b, func(d *Distribution) { d.Gross++ }) }},
		{"derived 100 and 70", func(b *memoryBooks) { each(b, func(d *Distribution) { d.Net-- }) }},
		{"begins with 7 parts", func(b *memoryBooks) { each(b, func(d *Distribution) { d.Before.Part = 7 }) }},
		{"is divided by the weight 1", func(b *memoryBooks) { each(b, func(d *Distribution) { d.Weight = "1" }) }},
		{"divides no income", func(b *memoryBooks) { each(b, func(d *Distribution) { d.First = day2 }) }},
		{"paid 5 parts of a smallest unit", func(b *memoryBooks) { each(b, func(d *Distribution) { d.Paid.Part = 5 }) }},
		{"is missing, though the day is declared", func(b *memoryBooks) {
			b.outline.Distributions = nil
		}},
		{"is written, though the day is not declared", func(b *memoryBooks) {
			b.outline.Declared = without(b.outline.Declared,
				func(d *Declaration) bool { return d.Key == Key{day3, "TON"} })
		}},
		{"bucket 3 has 2 parts of a smallest unit", func(b *memoryBooks) {
			b.buckets[3].head.Shares = []Share{{Key: Key{day3, "TON"}, First: day1, Last: day2, Sum: staking.Exact{Part: 2}}}
		}},
		{"bucket 3 has a share of the distribution", func(b *memoryBooks) {
			b.buckets[3].head.Shares = []Share{{Key: Key{day4, "TON"}, First: day1, Last: day2}}
		}},
		{"is of the mode fixed; by the terms of", func(b *memoryBooks) {
			for i := range b.buckets {
				for j := range b.buckets[i].incomes {
					b.buckets[i].incomes[j].Mode = staking.Fixed
				}
			}
		}},
		{"is of a token without terms", func(b *memoryBooks) {
			for i := range b.buckets {
				b.buckets[i].head.Terms = without(b.buckets[i].head.Terms,
					func(x *staking.Terms) bool { return x.Asset == "TON" })
			}
		}},
		{"declared is a weight of 86400000",
			func(b *memoryBooks) { b.outline.Declared[len(b.outline.Declared)-1].Eligible = 1 }},
	} {
		b := shareBooks(t)
		c.tamper(b)
		got := run(t, b, Options{Workers: 2})
		if !slices.ContainsFunc(got.Findings, func(f Finding) bool { return strings.Contains(f.String(), c.want) }) {
			t.Errorf("not found: %s; found: %v", c.want, got.Findings)
		}
	}
}
