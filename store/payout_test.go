package store_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/softstake/softstake/imports"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// payingBooks are books in which some holders earn from Day 2 on, with payouts on from Day 3 on: Day 2 is paid.
func payingBooks(t *testing.T, db *store.DB, clock *testkit.Clock, holders int) {
	t.Helper()
	testkit.Must(db.Fund(t.Context(), "f", bnb, coins(10_0000), false))(t)
	for i := range holders {
		id := ledger.Account(fmt.Sprintf("holder-%03d", i))
		open(t, db, id)
		on(t, db, id)
		deposit(t, db, "d-"+string(id), id, int64(100+i), bnb, noon)
	}
	clock.Set(3, "00:10")
	settle(t, db, clock)
	ok(t, db.SetPayouts(t.Context(), true))
}

// allPayouts reads all payouts in pages, and compares what each page says of its batches with what it has.
func allPayouts(t *testing.T, db *store.DB, limit int) (all []reports.Payout) {
	t.Helper()
	rs, totals := reports.New(db.Reader()), map[int64]ledger.Amount{}
	var batches []reports.PayoutBatch
	for more, after := true, int64(0); more; {
		page := testkit.Must(rs.Payouts(t.Context(), after, limit))(t)
		for _, p := range page.Payouts {
			if p.Number != after+1 {
				t.Fatalf("payout %d follows %d", p.Number, after)
			}
			after = p.Number
			i := slices.IndexFunc(page.Batches, func(b reports.PayoutBatch) bool {
				return b.First <= p.Number && p.Number <= b.Last && b.Due == p.Due
			})
			if i < 0 {
				t.Fatalf("payout %+v is of none of the batches %+v", p, page.Batches)
			}
			totals[page.Batches[i].First] += p.Amount
		}
		batches = append(batches, page.Batches...)
		all, more = append(all, page.Payouts...), page.More
		if len(page.Payouts) > limit || more && len(page.Payouts) < limit {
			t.Fatalf("a page of %d has %d payouts, and there are more: %v", limit, len(page.Payouts), more)
		}
	}
	for _, b := range batches {
		same(t, fmt.Sprintf("the total of the batch from %d", b.First), totals[b.First], b.Total)
	}
	return all
}

// TestPayouts: what is paid from the setting on are payouts, each once, numbered without a gap, whatever the size of a
// page; compensations too. They are the same as the rewards.
func TestPayouts(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		payingBooks(t, db, clock, 30)
		same(t, "payouts of before", len(allPayouts(t, db, 7)), 0)
		clock.Set(5, "00:10")
		settle(t, db, clock)
		all := allPayouts(t, db, 7)
		same(t, "payouts of two days", len(all), 60)
		same(t, "payouts in one page", allPayouts(t, db, 1000), all)
		same(t, "payouts one by one", allPayouts(t, db, 1), all)
		for _, p := range all {
			e := testkit.Must(reports.New(db.Reader()).Explain(t.Context(), p.Account, p.Due.Day, p.Due.Asset))(t)
			if e.Measured.Reward != p.Amount || e.Measured.EntryID() != p.ID || !p.Paid.Equal(clock.Now()) {
				t.Errorf("payout %+v, and the reward is %d", p, e.Measured.Reward)
			}
		}
		refusedAfter(t, db, all)
		c := store.Compensation{Day: day1 + 2, Asset: bnb, Account: "holder-003", Name: "n", Amount: 7}
		testkit.Must(db.Compensate(t.Context(), c, "late"))(t)
		testkit.Must(db.Compensate(t.Context(), c, "late"))(t)
		same(t, "numbered", testkit.Must(db.NumberPayouts(t.Context()))(t), 1)
		same(t, "numbered again", testkit.Must(db.NumberPayouts(t.Context()))(t), 0)
		last := testkit.Must(reports.New(db.Reader()).Payouts(t.Context(), 60, 10))(t).Payouts
		same(t, "the compensation", last, []reports.Payout{{Number: 61, ID: "compensation/2026-03-04/BNB/holder-003/n",
			Due: staking.Due{Asset: bnb, Day: day1 + 2}, Account: "holder-003", Amount: 7, Paid: clock.Now()}})
		ok(t, db.SetPayouts(t.Context(), false))
		clock.Set(6, "00:10")
		settle(t, db, clock)
		same(t, "payouts after they are off", len(allPayouts(t, db, 100)), 61)
		audited(t, db)
	})
}

// refusedAfter refuses the first payout of a batch and the last of all, and wants that one after the first: also where
// the batch in between has no other that is refused.
func refusedAfter(t *testing.T, db *store.DB, all []reports.Payout) {
	t.Helper()
	i, last := 0, len(all)-1
	for all[i].Due != all[i+1].Due || all[i].Account.Bucket() != all[i+1].Account.Bucket() {
		i++
	}
	if i+1 == last {
		t.Fatal("the last batch alone has two payouts")
	}
	for _, p := range []reports.Payout{all[i], all[last]} {
		same(t, "the answer", answerOne(t, db, p.ID, "", "closed"), "kept")
	}
	open := testkit.Must(reports.New(db.Reader()).OpenPayouts(t.Context(), all[i].Number, 1, true))(t)
	if len(open) != 1 || open[0].ID != all[last].ID {
		t.Errorf("after payout %d, which is refused, are %+v", all[i].Number, open)
	}
}

// TestPagesInALargeBatch: a page that begins inside of a large batch is the same whatever the size of the pages, and
// what is open of it too.
func TestPagesInALargeBatch(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		var accounts []store.Account
		var ids []ledger.Account
		var openings []imports.Opening
		for i := 0; len(ids) < 2*store.PayoutMark+50; i++ {
			if id := ledger.Account(fmt.Sprint("h-", i)); id.Bucket() == 7 {
				accounts, ids = append(accounts, store.Account{ID: id}), append(ids, id)
				openings = append(openings, imports.Opening{Account: id, Asset: bnb, Amount: coins(int64(100 + len(ids)))})
			}
		}
		testkit.Must(db.Fund(t.Context(), "f", bnb, coins(10_0000), false))(t)
		ok(t, db.OpenAccounts(t.Context(), accounts))
		ok(t, db.EnrollAll(t.Context(), ids, day1))
		testkit.Must(db.PostOpenings(t.Context(), openings))(t)
		ok(t, db.SetPayouts(t.Context(), true))
		clock.Set(2, "00:10")
		settle(t, db, clock)
		all := allPayouts(t, db, 10_000)
		same(t, "payouts", len(all), len(ids))
		same(t, "marks", testkit.Must(db.Count(t.Context(), "SELECT count(*) FROM payout_marks"))(t), 2)
		for _, limit := range []int{97, store.PayoutMark} {
			same(t, fmt.Sprintf("payouts in pages of %d", limit), allPayouts(t, db, limit), all)
		}
		rs := reports.New(db.Reader())
		for _, after := range []int64{0, store.PayoutMark - 1, store.PayoutMark, store.PayoutMark + 1, 2 * store.PayoutMark} {
			open := testkit.Must(rs.OpenPayouts(t.Context(), after, 10, false))(t)
			same(t, fmt.Sprintf("what is open after %d", after), open, all[after:after+10])
		}
		audited(t, db)
	})
}

// answerOne says what became of one answer: kept, repeated, or the error.
func answerOne(t *testing.T, db *store.DB, payout, transaction, refused string) string {
	t.Helper()
	o := testkit.Must(db.AnswerPayouts(t.Context(),
		[]store.PayoutAnswer{{Payout: payout, Transaction: transaction, Refused: refused}}))(t)[0]
	switch {
	case o.Err != nil:
		return o.Err.Error()
	case o.Repeated:
		return "repeated"
	}
	return "kept"
}

// payoutState compares how many payouts are not answered, and how many are refused.
func payoutState(t *testing.T, db *store.DB, clock *testkit.Clock, waiting, refused int64) {
	t.Helper()
	var want []reports.PayoutState
	if waiting+refused > 0 {
		want = []reports.PayoutState{{Asset: bnb, Waiting: waiting, Refused: refused}}
		if waiting > 0 {
			want[0].Oldest = clock.Now()
		}
	}
	rs := reports.New(db.Reader())
	same(t, "the state", testkit.Must(rs.PayoutStates(t.Context()))(t), want)
	same(t, "open", len(testkit.Must(rs.OpenPayouts(t.Context(), 0, 100, false))(t)), int(waiting+refused))
	same(t, "refused", len(testkit.Must(rs.OpenPayouts(t.Context(), 0, 100, true))(t)), int(refused))
}

// TestPayoutAnswers: a payout is credited once, by one transaction; it may be refused before.
func TestPayoutAnswers(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		payingBooks(t, db, clock, 4)
		clock.Set(4, "00:10")
		settle(t, db, clock)
		all := allPayouts(t, db, 100)
		payoutState(t, db, clock, 4, 0)
		for _, c := range []struct{ payout, transaction, refused, want string }{
			{all[0].ID, "tx-1", "", "kept"},
			{all[0].ID, "tx-1", "", "repeated"},
			{all[0].ID, "tx-2", "", all[0].ID + ` is credited by the transaction "tx-1"`},
			{all[0].ID, "", "closed", all[0].ID + ` is credited by the transaction "tx-1"`},
			{all[1].ID, "", "closed", "kept"},
			{all[1].ID, "", "closed", "repeated"},
			{all[1].ID, "", "frozen", "repeated"},
			{all[1].ID, "tx-3", "", "kept"},
			{all[1].ID, "", "closed", all[1].ID + ` is credited by the transaction "tx-3"`},
			{all[2].ID, "", "closed", "kept"},
			{"reward/2026-03-03/BNB/holder-000", "tx-4", "", "payout reward/2026-03-03/BNB/holder-000"}, // of before
			{"reward/2026-03-04/BNB/nobody", "tx-4", "", "payout reward/2026-03-04/BNB/nobody"},
			{"compensation/2026-03-04/BNB/holder-000/n", "tx-4", "", "payout compensation/2026-03-04/BNB/holder-000"},
			{"reward/2026-03-04/BNB", "tx-4", "", "is not the ID of a payout"},
			{"reward/2026-03-04/BNB/@rewards", "tx-4", "", "is not the ID of a payout"},
			{"deposit/1", "tx-4", "", "is not the ID of a payout"},
			{all[3].ID, "", "", "either a transaction or why"},
			{all[3].ID, "tx-4", "closed", "either a transaction or why"},
			{all[3].ID, "tx\n4", "", "not a line of plain text"},
		} {
			contains(t, answerOne(t, db, c.payout, c.transaction, c.refused), c.want)
		}
		payoutState(t, db, clock, 1, 1)
		rs := reports.New(db.Reader())
		open := testkit.Must(rs.OpenPayouts(t.Context(), 0, 1, false))(t)
		same(t, "the first that is open", open[0].ID, all[2].ID)
		same(t, "why", open[0].Refused, "closed")
		same(t, "the next", testkit.Must(rs.OpenPayouts(t.Context(), open[0].Number, 5, false))(t)[0].ID, all[3].ID)
		audited(t, db)
	})
}

// TestPayoutsAreAnsweredOnce: of two processes that answer a payout at the same time one credits it, and the other has
// a conflict.
func TestPayoutsAreAnsweredOnce(t *testing.T) {
	eachTwo(t, func(t *testing.T, db, other *store.DB, clock *testkit.Clock) {
		payingBooks(t, db, clock, 2)
		clock.Set(4, "00:10")
		settle(t, db, clock)
		all := allPayouts(t, db, 100)
		var work sync.WaitGroup
		outcomes := make([][]store.PayoutOutcome, 2)
		for i, books := range []*store.DB{db, other} {
			work.Go(func() {
				answers := []store.PayoutAnswer{{Payout: all[0].ID, Transaction: fmt.Sprint("tx-", i)},
					{Payout: all[1].ID, Transaction: "tx-9"}, {Payout: all[1].ID, Refused: "closed"}}
				var err error
				if outcomes[i], err = books.AnswerPayouts(t.Context(), answers); err != nil {
					t.Errorf("answer: %v", err)
				}
			})
		}
		work.Wait()
		if a, b := outcomes[0], outcomes[1]; (a[0].Err == nil) == (b[0].Err == nil) || a[1].Repeated == b[1].Repeated ||
			a[2].Err == nil || b[2].Err == nil {
			t.Errorf("two at once are answered %v and %v", a, b)
		}
		payoutState(t, db, clock, 0, 0)
		audited(t, db)
	})
}

// TestTheSourceCreditsRewards: an event of a joined source says that a reward is credited, which is the answer to its
// payout. One of a reward that there is not, of another account or amount, or of one that another event has credited,
// stops its partition.
func TestTheSourceCreditsRewards(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		payingBooks(t, db, clock, 3)
		clock.Set(4, "00:10")
		settle(t, db, clock)
		all := allPayouts(t, db, 100)
		asset := testkit.Must(db.Asset(t.Context(), bnb))(t)
		credit := func(id string, p reports.Payout, amount ledger.Amount) string {
			return fmt.Sprintf(`{"type":"reward","id":%q,"at":"2026-03-05T00:05:00Z","account":%q,"token":"BNB","change":%q,"reward":%q}`,
				id, p.Account, asset.Format(amount), p.ID)
		}
		before := all[0] // of a day before payouts were on
		before.ID = staking.Accrual{Day: day1 + 1, Asset: bnb, Account: before.Account}.EntryID()
		was := testkit.Must(reports.New(db.Reader()).Explain(t.Context(), before.Account, day1+1, bnb))(t).Measured.Reward
		testkit.Must(db.AnswerPayouts(t.Context(), []store.PayoutAnswer{{Payout: all[1].ID, Transaction: "tx-1"}}))(t)
		same(t, "why it stopped", joinAll(t, db, eventBatch(t, 1, credit("p-1", all[0], all[0].Amount)+"\n"+
			credit("p-2", all[1], all[1].Amount)+"\n"+credit("p-3", before, was))).Reason, "")
		open := testkit.Must(reports.New(db.Reader()).OpenPayouts(t.Context(), 0, 9, false))(t)
		same(t, "open", len(open), 1)
		same(t, "open", open[0].ID, all[2].ID)
		absent, other := all[2], all[2]
		absent.ID = "reward/2026-03-04/BNB/nobody"
		other.ID = all[0].ID
		change := func(id string, p reports.Payout) string {
			return fmt.Sprintf(`{"id":%q,"at":"2026-03-05T00:05:00Z","account":%q,"token":"BNB","change":"1"}`, id, p.Account)
		}
		p := partition(t, db)
		for _, c := range []struct{ event, reason string }{
			{credit("q-0", all[2], all[2].Amount+1), "and the source has credited"},
			{credit("q-1", all[0], all[0].Amount), "is credited by the event join/shop/p-1 already"},
			{credit("q-2", before, was), "is credited by the event join/shop/p-3 already"},
			{credit("q-3", absent, 5), "reward reward/2026-03-04/BNB/nobody of "},
			{credit("q-4", other, all[0].Amount), "reward " + all[0].ID + " of " + string(all[2].Account)},
			{credit("q-5", all[2], all[2].Amount) + "\n" + credit("q-6", all[2], all[2].Amount),
				"is credited by the event join/shop/q-5 already"},
			{credit("q-7", all[1], all[1].Amount), "is credited by the event join/shop/p-2 already"}, // and by tx-1
			{credit("p-1", before, was), "different content"},
			{credit("p-1", all[0], all[0].Amount+1), "and the source has credited"},
			{credit("p-1", other, all[0].Amount), "reward " + all[0].ID + " of " + string(all[2].Account)},
			{change("p-1", all[0]), "different content"},
			{change("q-8", all[0]) + "\n" + credit("q-8", before, was), "different content"},
			{credit("q-8", before, was+1), "different content"}, // another one than was passed over
			{credit("p-1", all[0], all[0].Amount) + "\n" + change("p-1", all[1]), "different content"},
			{change("q-9", all[0]) + "\n" + strings.Replace(change("q-9", all[0]), "}", `,"reverses":"q-8"}`, 1),
				"different content"},
		} {
			batch := eventBatch(t, p.Position+1, c.event)
			p = joinAll(t, db, batch)
			contains(t, p.Reason, c.reason)
			ok(t, db.SkipEvents(t.Context(), store.PartitionSkip{Source: "shop", Name: "p1", Event: p.StopEvent,
				Reason: "typing"}))
			p = joinAll(t, db, batch)
		}
		second := eventBatch(t, 1, credit("p-1", all[0], all[0].Amount))
		second.Source = "another"
		contains(t, joinAll(t, db, second).Reason, "is credited by the event join/shop/p-1 already")
		contains(t, answerOne(t, db, all[2].ID, "join/shop/q-9", ""), "begins with join/")
		same(t, "open", len(testkit.Must(reports.New(db.Reader()).OpenPayouts(t.Context(), 0, 9, false))(t)), 0)
	})
}

func contains(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("%q does not say %q", text, part)
	}
}
