package store_test

import (
	"errors"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/imports"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// eachLimited is each on books that are made as "init" makes them, with the limits of new books.
func eachLimited(t *testing.T, test func(t *testing.T, db *store.DB, clock *testkit.Clock)) {
	t.Helper()
	for _, kind := range scenario.Databases {
		t.Run(kind, func(t *testing.T) {
			clock := testkit.NewClock(noon)
			setup := shipped(t, day1)
			setup.Limits = nil
			test(t, opened(t, scenario.Books(t, kind, options(clock), setup), clock), clock)
		})
	}
}

// TestLimitsHaveAHistory: new books and new tokens begin with limits; what was set is kept, with who, when and why.
func TestLimitsHaveAHistory(t *testing.T) {
	eachLimited(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		tokens := testkit.Must(staking.ShippedTokens(day1))(t)
		limits := testkit.Must(reports.New(db.Reader()).Limits(ctx))(t)
		same(t, "tokens with limits", len(limits), len(tokens))
		dot := ledger.Asset{Symbol: "DOT", Scale: 8, MaxSupply: 1_000_000 * unit}
		high := staking.Token{Asset: dot, Terms: staking.Terms{Asset: "DOT", Offered: true, APR: 20_000_001, Cap: unit}}
		wants(t, db.AddAsset(ctx, high), ledger.ErrInvalid)
		high.Terms.APR--
		ok(t, db.AddAsset(ctx, high))

		first := staking.ShippedLimit(tokens[0].Asset)
		second, third := first, first
		second.MaxTotal, third.MaxAPR = 7, 100_000
		clock.Set(1, "13:00")
		ok(t, db.As(olga).SetLimit(ctx, second))
		ok(t, db.As(olga).SetLimit(ctx, second)) // it is so already
		ok(t, db.As(olga).SetFourEyes(ctx, true))
		needed, is := errors.AsType[*control.Needed](db.As(proposer).SetLimit(ctx, third))
		if !is {
			t.Fatal("limits were set without approval")
		}
		p := testkit.Must(db.As(proposer).Propose(ctx, needed.Draft, "less is enough"))(t)
		clock.Set(1, "14:00")
		testkit.Must(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest()))(t)
		var of []store.LimitRevision
		var others int
		for _, r := range testkit.Must(reports.New(db.Reader()).LimitHistory(ctx))(t) {
			if r.Asset == bnb {
				of = append(of, r)
			} else {
				others++
			}
		}
		same(t, "of other tokens", others, len(tokens)-1+1)
		same(t, "the history", of, []store.LimitRevision{
			{Limit: third, Number: 3, SetAt: testkit.Moment(1, "14:00"), SetBy: bob.Credential, Proposal: p.ID,
				Reason: "less is enough"},
			{Limit: second, Number: 2, SetAt: testkit.Moment(1, "13:00"), SetBy: olga.Credential},
			{Limit: first, Number: 1, SetAt: noon, SetBy: "test", Reason: "with the books"},
		})
		for _, l := range testkit.Must(reports.New(db.Reader()).Limits(ctx))(t) {
			if l.Asset == bnb {
				same(t, "the limits of today", l, third)
			}
		}
		ok(t, db.SetFourEyes(ctx, true))
		terms := tokens[0].Terms
		terms.From, terms.APR = day1+1, third.MaxAPR+1
		for _, wanted := range []error{ledger.ErrInvalid, control.ErrNeedsApproval} { // above the limit nobody proposes
			wants(t, db.As(proposer).SetTerms(ctx, terms), wanted)
			terms.APR--
		}
		clock.Set(2, "12:00")
		terms.APR = third.MaxAPR
		for _, wanted := range []error{control.ErrNeedsApproval, ledger.ErrInvalid} {
			wants(t, db.As(proposer).CorrectTerms(ctx, day1, terms, "wrong"), wanted)
			terms.APR++
		}
		clean(t, db, clock)
	})
}

// inflow is what brings tokens in, each to be done on some books.
type inflow struct{ *testing.T }

func (t inflow) posts(id string, tenths int64) func(*store.DB) error {
	return func(db *store.DB) error {
		return refusal(db.Post(t.Context(), []ledger.Entry{oneMove(id, ledger.Deposit, ledger.Custody, "alice", tenths)}))
	}
}

func (t inflow) opens(id ledger.Account, amount ledger.Amount) func(*store.DB) error {
	return func(db *store.DB) error {
		return refusal(db.PostOpenings(t.Context(), []imports.Opening{{Account: id, Asset: bnb, Amount: amount}}))
	}
}

func (t inflow) adjusts(id string, e ledger.Entry) func(*store.DB) error {
	e.ID, e.Kind = id, ledger.Adjustment
	return func(db *store.DB) error {
		_, err := db.AdjustAll(t.Context(), []store.ReasonedEntry{{Entry: e, Reason: "missed"}}, true)
		return err
	}
}

func (t inflow) earns(reference string, gross ledger.Amount) func(*store.DB) error {
	return func(db *store.DB) error {
		_, err := db.PostIncome(t.Context(), staking.Income{Reference: reference, Asset: bnb, Chain: "bsc", Source: "v",
			First: day1, Last: day1, Gross: gross, Evidence: "0x1"})
		return err
	}
}

func (t inflow) funds(id string, amount ledger.Amount) func(*store.DB) error {
	return func(db *store.DB) error { return failure(db.Fund(t.Context(), id, bnb, amount, false)) }
}

func (t inflow) returns(id string, amount ledger.Amount) func(*store.DB) error {
	return func(db *store.DB) error { return failure(db.MoveFees(t.Context(), id, bnb, amount, true)) }
}

// TestInflowIsLimited: what entries bring in on a day is added up for each token, of every kind and whoever posts it,
// but for credentials with a ceiling of their own. Above the limit income, corrections and what the house puts into its
// pools need approval, and the rest is refused.
func TestInflowIsLimited(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		clock.Set(2, "12:00")
		ok(t, db.SetLimit(ctx, staking.Limit{Asset: bnb, MaxInflow: 10 * unit}))
		limited := backEnd(t, db)
		in := inflow{t}
		brings := oneMove("", "", ledger.Custody, "alice", 11)
		from := oneMove("", "", ledger.Desk, "alice", 11)
		takes := oneMove("", "", "alice", ledger.Custody, 500)
		shop := db.As(payer)
		for i, c := range []struct {
			by   *store.DB
			do   func(*store.DB) error
			want error
		}{
			{shop, in.posts("d-1", 40), nil},
			{limited, in.posts("d-2", 500), nil}, // its own ceiling counts
			{db, in.opens("alice", 3*unit), nil},
			{db, in.opens("bob", 4*unit), access.ErrCeiling},
			{db.As(olga), in.adjusts("a-1", takes), nil}, // what is taken out gives nothing back
			{db, in.earns("i-1", 2*unit), nil},
			{db, in.earns("i-2", 2*unit), access.ErrCeiling},
			{db.As(olga), in.adjusts("a-2", brings), access.ErrCeiling},
			{db.As(olga), in.adjusts("a-3", from), access.ErrCeiling},
			{shop, in.posts("d-3", 11), access.ErrCeiling},
			{db, in.funds("f-1", unit+1), access.ErrCeiling},
			{db, in.returns("f-1", unit+1), access.ErrCeiling},
			{shop, in.posts("d-4", 10), nil},
			{shop, in.posts("d-4", 10), nil}, // it repeats what was posted
		} {
			if err := c.do(c.by); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%d: %v, not %v", i, err, c.want)
			}
		}
		ok(t, db.As(proposer).SetFourEyes(ctx, true))
		treasurer := access.Actor{Role: access.Treasurer, Credential: "operator Tom", Person: "tom"}
		for _, c := range []struct {
			by access.Actor
			do func(*store.DB) error
		}{{treasurer, in.earns("i-3", 20*unit)}, {proposer, in.adjusts("a-4", brings)},
			{treasurer, in.funds("f-2", 20*unit)}, {treasurer, in.returns("f-2", 20*unit)}} {
			needed, is := errors.AsType[*control.Needed](c.do(db.As(c.by)))
			if !is {
				t.Fatal("it needs no approval")
			}
			p := testkit.Must(db.As(c.by).Propose(ctx, needed.Draft, ""))(t)
			testkit.Must(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest()))(t)
		}
		wants(t, in.posts("d-5", 1)(shop), access.ErrCeiling)
		clock.Set(3, "00:00")
		for _, do := range []func(*store.DB) error{in.funds("f-3", unit), in.returns("f-3", unit)} {
			for range 2 { // within the limit at once, and once
				ok(t, do(db.As(treasurer)))
			}
		}
		ok(t, in.posts("d-5", 80)(shop))
		ok(t, in.earns("i-4", 0)(db.As(treasurer))) // nothing was earned
		wants(t, in.posts("d-6", 1)(shop), access.ErrCeiling)
		clean(t, db, clock)
	})
}

// TestLimitsAreReadOrNothingIsPosted: where the limits cannot be read there are not none, for the second entry either.
func TestLimitsAreReadOrNothingIsPosted(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		ok(t, db.SetLimit(ctx, staking.Limit{Asset: bnb, MaxInflow: unit}))
		testkit.Must(db.Exec(ctx, "ALTER TABLE limits RENAME TO hidden"))(t)
		if _, err := db.As(payer).Post(ctx, []ledger.Entry{oneMove("d-1", ledger.Deposit, ledger.Custody, "alice", 20),
			oneMove("d-2", ledger.Deposit, ledger.Custody, "alice", 20)}); err == nil {
			t.Error("the call has outcomes")
		}
		testkit.Must(db.Exec(ctx, "ALTER TABLE hidden RENAME TO limits"))(t)
		has(t, db, "alice", 0, 0)
	})
}
