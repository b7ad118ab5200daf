package store_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// allDocuments are the current versions of all documents.
func allDocuments() (all []store.DocumentVersion) {
	for _, name := range staking.DocumentNames {
		all = append(all, store.DocumentVersion{Name: name})
	}
	return all
}

// batchOf asks to switch accounts on, whose holders accepted everything at a moment.
func batchOf(at, accepted time.Time, accounts ...ledger.Account) (requests []store.EnrollRequest) {
	for _, id := range accounts {
		requests = append(requests, store.EnrollRequest{Account: id, At: at, Accepted: allDocuments(), AcceptedAt: accepted,
			Client: staking.Client{Platform: "ios", Version: "3.2.0", Address: "192.0.2.7", Country: "DE"}})
	}
	return requests
}

// written are how many rows of switching on there are.
func written(t *testing.T, db *store.DB) string {
	t.Helper()
	var counts []int64
	for _, table := range []string{"enrollments", "acceptances", "switch_events", "log"} {
		counts = append(counts, testkit.Must(db.Count(t.Context(), "SELECT count(*) FROM "+table))(t))
	}
	return fmt.Sprint(counts)
}

// A batch leaves what Accept and Enroll leave, one account after the other; repeating it
// has no further effect.
func TestEnrollBatch(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		var accounts []ledger.Account
		for n := range 40 {
			accounts = append(accounts, ledger.Account(fmt.Sprint("holder-", n)))
			testkit.Must(db.OpenAccount(t.Context(), accounts[n], "DE"))(t)
		}
		clock.Advance(time.Hour)
		accepted := clock.Now().Add(-time.Minute)
		all := append(accounts, accounts[0])
		for i, o := range testkit.Must(db.EnrollBatch(ctx, batchOf(time.Time{}, accepted, all...)))(t) {
			same(t, "the outcome", o, store.EnrollOutcome{Repeated: i == 40,
				Enrollment: staking.Enrollment{Account: all[i], From: day1 + 1, Until: staking.Forever}})
		}
		testkit.Must(db.OpenAccount(t.Context(), "alone", "DE"))(t)
		clock.Advance(-time.Minute)
		client := staking.Client{Platform: "ios", Version: "3.2.0", Address: "192.0.2.7", Country: "DE"}
		for _, name := range staking.DocumentNames {
			ok(t, db.Documents().Accept(ctx, "alone", name, 0, client))
		}
		clock.Advance(time.Minute)
		testkit.Must(db.Enroll(ctx, "alone", client, time.Time{}))(t)
		for _, id := range accounts {
			for what, same := range map[string]bool{
				"acceptances": slices.Equal(testkit.Must(reports.New(db.Reader()).Acceptances(ctx, id))(t),
					testkit.Must(reports.New(db.Reader()).Acceptances(ctx, "alone"))(t)),
				"switch events": slices.Equal(testkit.Must(reports.New(db.Reader()).SwitchEvents(ctx, id))(t),
					testkit.Must(reports.New(db.Reader()).SwitchEvents(ctx, "alone"))(t)),
			} {
				if !same {
					t.Errorf("%s's %s are not as of one that was switched on alone", id, what)
				}
			}
		}
		before := written(t, db)
		clock.Advance(time.Hour)
		for _, o := range testkit.Must(db.EnrollBatch(ctx, batchOf(time.Time{}, accepted, accounts...)))(t) {
			if o.Err != nil || !o.Repeated {
				t.Errorf("again the outcome is %+v", o)
			}
		}
		if after := written(t, db); after != before {
			t.Errorf("again it writes: %s, before %s", after, before)
		}
		deposit(t, db, "d", accounts[3], 2, "BNB", time.Time{})
		fund(t, db, "BNB", 1)
		clock.Set(3, "00:05")
		settle(t, db, clock)
		if earned(t, db, accounts[3], "BNB") == 0 {
			t.Error("nothing is earned")
		}
		if r := auditOf(t, db, audit.Options{}); r.Total != 0 {
			t.Errorf("the audit finds %v", r.Findings)
		}
	})
}

// Each row is refused by itself, for what Accept and Enroll refuse, and leaves nothing.
func TestEnrollBatchRefuses(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		for _, id := range []ledger.Account{"alice", "bob", "carol", "left"} {
			testkit.Must(db.OpenAccount(t.Context(), id, "DE"))(t)
		}
		testkit.Must(db.OpenAccount(ctx, "american", "US"))(t)
		testkit.Must(db.OpenAccount(ctx, "nowhere", ""))(t)
		testkit.Must(db.OpenAccount(t.Context(), "closed", "DE"))(t)
		ok(t, db.CloseAccount(ctx, "closed"))
		clock.Set(2, "10:00")
		testkit.Must(db.Documents().Publish(ctx, staking.RiskWarning, "all may be lost"))(t)
		accept(t, db, "left")
		on(t, db, "left")
		clock.Advance(time.Minute)
		off(t, db, "left")
		clock.Set(3, "12:00")
		settle(t, db, clock)
		cases, published := enrollCases(clock.Now()), testkit.Moment(2, "10:00")
		var requests []store.EnrollRequest
		for _, c := range cases {
			requests = append(requests, c.row)
		}
		for i, o := range testkit.Must(db.EnrollBatch(ctx, requests))(t) {
			c := cases[i]
			switch {
			case c.want == nil && (o.Err != nil || o.Enrollment.From != day1+3):
				t.Errorf("%s: %+v", c.what, o)
			case c.want != nil && !errors.Is(o.Err, c.want):
				t.Errorf("%s: %v, want %v", c.what, o.Err, c.want)
			}
		}
		if n := len(testkit.Must(reports.New(db.Reader()).Acceptances(ctx, "bob"))(t)) +
			len(testkit.Must(reports.New(db.Reader()).SwitchEvents(ctx, "bob"))(t)); n != 0 {
			t.Errorf("a refused row leaves %d rows", n)
		}
		late := batchOf(testkit.Moment(3, "08:00"), published, "carol", "left")
		off(t, db, "carol")
		for _, o := range testkit.Must(db.EnrollBatch(ctx, late[:1]))(t) {
			wants(t, o.Err, ledger.ErrInvalid) // before the last switch event
		}
	})
}

// Batches of the same accounts beside each other switch each on once.
func TestEnrollBatchesTogether(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		var accounts []ledger.Account
		for n := range 50 {
			accounts = append(accounts, ledger.Account(fmt.Sprint("holder-", n)))
			testkit.Must(db.OpenAccount(t.Context(), accounts[n], "DE"))(t)
		}
		var all sync.WaitGroup
		results := make([][]store.EnrollOutcome, 4)
		for i := range results {
			all.Go(func() {
				mine := slices.Clone(accounts)
				if i%2 == 1 {
					slices.Reverse(mine)
				}
				var err error
				if results[i], err = db.EnrollBatch(t.Context(), batchOf(time.Time{}, noon, mine...)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		first := 0
		for _, outcomes := range results {
			for _, o := range outcomes {
				ok(t, o.Err)
				if !o.Repeated {
					first++
				}
			}
		}
		if first != len(accounts) {
			t.Errorf("%d switches of %d accounts", first, len(accounts))
		}
	})
}

// enrollCase is a row, and what it is refused for.
type enrollCase struct {
	what string
	row  store.EnrollRequest
	want error
}

// enrollCases are rows on Day 3, of documents published at 10:00 on Day 2.
func enrollCases(now time.Time) []enrollCase {
	published := testkit.Moment(2, "10:00")
	row := func(change func(*store.EnrollRequest), id ledger.Account) store.EnrollRequest {
		r := batchOf(time.Time{}, published, id)[0]
		change(&r)
		return r
	}
	return []enrollCase{
		{"", row(func(r *store.EnrollRequest) {}, "alice"), nil},
		{"no account", row(func(r *store.EnrollRequest) {}, "nobody"), ledger.ErrNotFound},
		{"a house account", row(func(r *store.EnrollRequest) {}, "@custody"), ledger.ErrInvalid},
		{"a closed account", row(func(r *store.EnrollRequest) {}, "closed"), ledger.ErrInvalid},
		{"a restricted region", row(func(r *store.EnrollRequest) {}, "american"), staking.ErrRegion},
		{"no residence", row(func(r *store.EnrollRequest) {}, "nowhere"), staking.ErrRegion},
		{"a restricted country", row(func(r *store.EnrollRequest) { r.Client.Country = "IR" }, "bob"), staking.ErrRegion},
		{"no country", row(func(r *store.EnrollRequest) { r.Client.Country, r.Client.NeedCountry = "", true }, "bob"),
			staking.ErrUnknownCountry},
		{"an old app", row(func(r *store.EnrollRequest) { r.Client.Version = "3.0.9" }, "bob"), staking.ErrUpdateApp},
		{"a client that is none", row(func(r *store.EnrollRequest) { r.Client.Address = "a\nb" }, "bob"), ledger.ErrInvalid},
		{"no documents", row(func(r *store.EnrollRequest) { r.Accepted = nil }, "bob"), staking.ErrDocuments},
		{"an old version", row(func(r *store.EnrollRequest) { r.Accepted[2].Version = 1 }, "bob"), staking.ErrDocuments},
		{"an unknown version", row(func(r *store.EnrollRequest) { r.Accepted[0].Version = 9 }, "bob"), ledger.ErrNotFound},
		{"an unknown document", row(func(r *store.EnrollRequest) { r.Accepted[0].Name = "poem" }, "bob"), ledger.ErrNotFound},
		{"no time", row(func(r *store.EnrollRequest) { r.AcceptedAt = time.Time{} }, "bob"), ledger.ErrInvalid},
		{"accepted in the future", row(func(r *store.EnrollRequest) { r.AcceptedAt = now.Add(time.Second) }, "bob"),
			ledger.ErrInvalid},
		{"accepted before it was published", row(func(r *store.EnrollRequest) {
			r.AcceptedAt = published.Add(-time.Millisecond)
		}, "bob"), ledger.ErrInvalid},
		{"accepted after it is on", row(func(r *store.EnrollRequest) {
			r.At, r.AcceptedAt = testkit.Moment(3, "10:00"), testkit.Moment(3, "10:01")
		}, "bob"), ledger.ErrInvalid},
		{"on in the future", row(func(r *store.EnrollRequest) { r.At = now.Add(time.Minute) }, "bob"), ledger.ErrInvalid},
		{"on on a closed day", row(func(r *store.EnrollRequest) { r.At = testkit.Moment(2, "12:00") }, "bob"),
			ledger.ErrDayClosed},
		{"after it left", row(func(r *store.EnrollRequest) { r.At = testkit.Moment(3, "09:00") }, "left"), nil},
		{"in an open day", row(func(r *store.EnrollRequest) { r.At = testkit.Moment(3, "09:00") }, "carol"), nil},
	}
}
