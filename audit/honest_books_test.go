package audit

import (
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// The days of the books: four are closed, two have rows and are open.
const (
	day1 staking.Day = 20_513 // 2026-03-01
	day2             = day1 + 1
	day3             = day1 + 2
	day4             = day1 + 3
	day6             = day1 + 5
)

const coin ledger.Amount = 100_000_000

var (
	bnb = ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: 200_000_000 * coin}
	sol = ledger.Asset{Symbol: "SOL", Scale: 8, MaxSupply: 1_000_000_000 * coin}
)

// earned is the income of the entry income/i1, lost that of income/i2: the fee of SOL is 30 %.
var (
	earned = staking.Income{
		Reference: "i1", Asset: "SOL", Chain: "solana", Source: "validator 1", First: day1, Last: day2, Gross: 101,
		Evidence: "epoch 712",
	}
	lost = staking.Income{
		Reference: "i2", Asset: "SOL", Chain: "solana", Source: "validator 1", First: day2, Last: day2, Gross: -11,
		Evidence: "slashing 7",
	}
	feeOfSOL = 3 * staking.Whole / 10
)

func bringsIn(i staking.Income, at time.Time) ledger.Entry {
	e := i.Entry(feeOfSOL)
	e.At = at
	return e
}

// elsewhere is where the withdrawal w1 goes.
var elsewhere = ledger.Destination{Address: "0x1", Network: "BSC", Tag: "7", ClientID: "mine"}

func at(d staking.Day, hour int) time.Time { return d.Start().Add(time.Duration(hour) * time.Hour) }

func move(from, to ledger.Account, symbol string, amount ledger.Amount) ledger.Move {
	return ledger.Move{From: from, To: to, Asset: symbol, Amount: amount}
}

// posted are the entries of the books.
var posted = []ledger.Entry{
	{ID: "f1", Kind: ledger.Fund, At: at(day1, 12), Moves: []ledger.Move{
		move(ledger.Custody, ledger.Rewards, "BNB", 10*coin), move(ledger.Custody, ledger.Rewards, "SOL", 10*coin),
	}},
	{ID: "d1", Kind: ledger.Deposit, At: at(day1, 12), Moves: one(ledger.Custody, "alice", "BNB", 2*coin)},
	{ID: "d2", Kind: ledger.Deposit, At: at(day1, 0), Moves: one(ledger.Custody, "bob", "SOL", 5*coin)},
	{ID: "a1", Kind: ledger.Adjustment, At: at(day1, 12), Moves: one("carol", ledger.Custody, "BNB", coin)},
	{ID: "a2", Kind: ledger.Adjustment, At: at(day1, 13), Moves: one(ledger.Custody, "carol", "BNB", coin)},
	{ID: "t1", Kind: ledger.Trade, At: at(day2, 12), Moves: []ledger.Move{
		move("alice", "bob", "BNB", coin), move("bob", "alice", "SOL", 2*coin),
	}},
	{ID: "h1", Kind: ledger.Hold, At: at(day2, 18), Moves: one("alice", "alice/held", "BNB", coin/10)},
	{ID: "w1", Kind: ledger.WithdrawalRequest, At: at(day3, 12), Moves: one("alice", "alice/held", "BNB", coin/5)},
	bringsIn(earned, at(day3, 13)),
	bringsIn(lost, at(day4, 13)),
	{ID: "d5", Kind: ledger.Deposit, At: at(day4, 24), Moves: one(ledger.Custody, "alice", "BNB", coin)},
}

func one(from, to ledger.Account, symbol string, amount ledger.Amount) []ledger.Move {
	return []ledger.Move{move(from, to, symbol, amount)}
}

// honestBooks are what package store would have written in four days:
//
//	day 1  alice 2 BNB from noon, bob 5 SOL; carol below zero for an hour, by another ledger
//	day 2  alice and bob are enrolled; they trade, alice holds
//	day 3  alice requests a withdrawal
//	day 4  the last day of bob's enrollment is over; SOL is declared, and not paid yet
func honestBooks(t *testing.T) *memoryBooks { return honestBooksBy(t, staking.Average) }

// honestBooksBy are these books with BNB measured in another way.
func honestBooksBy(t *testing.T, measure staking.Measure) *memoryBooks {
	b := &memoryBooks{outline: Outline{First: day1, Closed: day4, Intended: day4, Intents: 4}}
	for i := range b.buckets {
		b.buckets[i].books = b
	}
	for _, e := range posted {
		b.post(e)
	}
	carol := b.of("carol")
	carol.head.Overdrawn = []Overdraft{{
		Account: "carol", Asset: "BNB", At: at(day1, 12).UnixMilli(), Until: at(day1, 13).UnixMilli(),
	}}
	for account, e := range map[ledger.Account]staking.Enrollment{
		"alice": {From: day2, Until: staking.Forever},
		"bob":   {From: day2, Until: day4},
		"carol": {From: day4, Until: day2}, // switched off on the day it was switched on
	} {
		e.Account = account
		bucket := b.of(account)
		bucket.enrollments = append(bucket.enrollments, Enrollment{e, true})
		bucket.head.Accounts++
	}
	rate, err := staking.ParseRate("0.0365")
	if err != nil {
		t.Fatal(err)
	}
	terms := []staking.Terms{
		{Asset: "BNB", From: day1, Offered: true, APR: rate, Min: coin / 2, Cap: coin, Measure: measure},
		{Asset: "SOL", From: day1, Offered: false, APR: rate, Min: coin, Cap: 10 * coin},
		{Asset: "SOL", From: day1, Offered: true, APR: rate, Min: coin, Cap: 10 * coin, Fee: feeOfSOL}, // a later revision
	}
	for d := day1; d <= day4; d++ {
		b.settle(d, terms[0], true)
		b.settle(d, terms[2], d < day4)
	}
	for i := range b.buckets {
		h := &b.buckets[i].head
		h.Last, h.Days, h.FirstOpen = day6, 6, day4+1
		h.Assets, h.Terms = []ledger.Asset{bnb, sol}, slices.Clone(terms)
		h.Progress = []Progress{{Asset: "BNB", Accrued: day4, Paid: day4}, {Asset: "SOL", Accrued: day4, Paid: day3}}
		h.Declared = slices.Clone(b.outline.Declared)
	}
	return b
}

// of is the bucket of an account.
func (b *memoryBooks) of(account ledger.Account) *memoryBucket { return &b.buckets[account.Bucket()] }

// post writes an entry: its row, its postings, the balances, and a withdrawal if it requests one.
func (b *memoryBooks) post(e ledger.Entry) {
	var destination []byte
	if e.Kind == ledger.WithdrawalRequest {
		destination = elsewhere.Hash()
		m := e.Moves[0]
		home := b.of(m.From)
		home.withdrawals = append(home.withdrawals, Withdrawal{
			ID: e.ID, Account: m.From, Asset: m.Asset, Amount: m.Amount, At: e.At.UnixMilli(), To: elsewhere,
		})
	}
	row := &b.buckets[e.Bucket()]
	for _, i := range []staking.Income{earned, lost} {
		if e.ID == ledger.IncomeID(i.Reference) {
			destination = i.Hash()
			row.incomes = append(row.incomes, Income{
				Reference: i.Reference, Asset: i.Asset, Chain: i.Chain, Source: i.Source, First: i.First, Last: i.Last,
				Gross: i.Gross, Fee: feeOfSOL, Evidence: i.Evidence, At: e.At.UnixMilli(),
			})
		}
	}
	leaves := e.Leaves()
	digest := e.Digest(leaves, destination)
	row.entries = append(row.entries, Entry{
		ID: e.ID, At: e.At.UnixMilli(),
		Version: ledger.DigestVersion, Digest: digest[:], Leaves: leaves, Destination: destination,
	})
	for i, m := range e.Moves {
		x := Posting{
			Day: staking.DayOf(e.At), Account: m.From, Asset: m.Asset, At: e.At.UnixMilli(),
			Entry: e.ID, Move: int64(i), Amount: -m.Amount, Other: m.To, Kind: e.Kind,
		}
		from, to := m.Sides()
		b.buckets[from].change(x)
		x.Account, x.Other, x.Side, x.Amount = m.To, m.From, 1, m.Amount
		b.buckets[to].change(x)
	}
}

func (b *memoryBucket) change(x Posting) {
	b.postings = append(b.postings, x)
	b.balance(x.Account, x.Asset).Balance += x.Amount
}

// balance is the row of a balance, made where there is none.
func (b *memoryBucket) balance(account ledger.Account, symbol string) *Balance {
	same := func(x Balance) bool { return x.Account == account && x.Asset == symbol }
	i := slices.IndexFunc(b.balances, same)
	if i < 0 {
		i = len(b.balances)
		b.balances = append(b.balances, Balance{Account: account, Asset: symbol, Opened: !account.IsHouse()})
	}
	return &b.balances[i]
}

// settle accrues a day of a token, declares it, and pays it or leaves it payable.
func (b *memoryBooks) settle(d staking.Day, terms staking.Terms, pay bool) {
	key := Key{Day: d, Asset: terms.Asset}
	total := Declaration{Key: key}
	for _, before := range b.outline.Declared {
		if before.Asset == terms.Asset {
			total.Carried = before.Carried
		}
	}
	for i := range b.buckets {
		bucket := &b.buckets[i]
		batch, lines := Batch{Key: key}, []byte(nil)
		for _, account := range bucket.covered(d) {
			a, earned := staking.Accrue(d, terms, bucket.holding(d, account, terms))
			if !earned {
				continue
			}
			bucket.accruals = append(bucket.accruals, a)
			total.Carried = total.Carried.Add(staking.Exact{Part: a.Carry}).Sub(staking.Exact{Part: a.Before})
			batch.Holders, batch.Total, lines = batch.Holders+1, batch.Total+a.Reward, a.AppendLine(lines)
			if row := bucket.balance(account, terms.Asset); pay {
				row.Balance, row.Earned, row.Carry = row.Balance+a.Reward, row.Earned+a.Reward, a.Carry
			}
		}
		if batch.Holders == 0 {
			continue
		}
		batch.Digest = sha256.Sum256(lines)
		bucket.head.Batches = append(bucket.head.Batches, batch)
		total.Holders, total.Total = total.Holders+batch.Holders, total.Total+batch.Total
		if payable := bucket.balance(ledger.Payable, terms.Asset); pay {
			bucket.head.Payments = append(bucket.head.Payments, batch)
		} else {
			payable.Balance += batch.Total
		}
	}
	b.outline.Declared = append(b.outline.Declared, total)
	b.of(ledger.Rewards).balance(ledger.Rewards, terms.Asset).Balance -= total.Total
}

// covered are the accounts that an enrollment covers on a day.
func (b *memoryBucket) covered(d staking.Day) (accounts []ledger.Account) {
	for _, e := range b.enrollments {
		if e.Covers(d) {
			accounts = append(accounts, e.Account)
		}
	}
	return accounts
}

func (b *memoryBucket) holding(d staking.Day, account ledger.Account, terms staking.Terms) staking.Holding {
	row := b.balance(account, terms.Asset)
	h := staking.HoldingAt(account, terms.Asset, row.Balance, row.Carry)
	var changes []staking.Change
	for _, x := range b.postings {
		if x.Account == account && x.Asset == terms.Asset && x.Day >= d {
			h.Rewind(x.Amount, x.At-d.Millis())
			changes = append(changes, staking.Change{Millis: x.At - d.Millis(), Amount: x.Amount})
		}
	}
	if terms.Measure == staking.Lowest {
		h.MeasureLowest(changes)
	}
	return h
}
