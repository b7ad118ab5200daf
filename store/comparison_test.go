package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/comparison"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// compareWith compares the tokens BNB and SOL with balances of another ledger, lines of CSV, and keeps what came of it.
func compareWith(t *testing.T, db *store.DB, d staking.Day, balances string) store.Comparison {
	t.Helper()
	return compareAll(t, db, d, "account,asset,balance\n"+balances)
}

func compareAll(t *testing.T, db *store.DB, d staking.Day, text string) store.Comparison {
	t.Helper()
	return compareTokens(t, db, d, []string{bnb, sol}, text)
}

func resolveBreak(ctx context.Context, db *store.DB) error {
	_, err := db.ResolveBreak(ctx, store.BreakResolution{Number: 1, Asset: "ADA", Reason: "known"})
	return err
}

func setComparisonLimit(ctx context.Context, db *store.DB) error {
	return db.SetComparisonLimit(ctx, store.ComparisonLimit{Accounts: store.AnyDifference})
}

func setComparisonSource(ctx context.Context, db *store.DB) error {
	return db.SetComparisonSource(ctx, store.ComparisonSource{Endpoint: "https://ledger.example.com"})
}

func releaseDay(ctx context.Context, db *store.DB) error {
	_, err := db.ReleaseDay(ctx, store.ComparisonRelease{Asset: sol, Day: day1 + 1, Reason: "known"})
	return err
}

// comparisonToPropose has a token stopped of which nobody has any here, and the unpaid days of another one wait.
func comparisonToPropose(t *testing.T, db *store.DB) {
	t.Helper()
	ok(t, db.SetComparisonLimit(t.Context(), store.ComparisonLimit{Asset: "ADA", Amount: store.AnyDifference}))
	compareTokens(t, db, day1, []string{"ADA"}, "account,asset,balance\nalice,ADA,1\n")
	ok(t, db.SetComparisonLimit(t.Context(), store.ComparisonLimit{Asset: sol, Amount: store.AnyDifference,
		Accounts: store.AnyDifference, Waits: true}))
}

func compareTokens(t *testing.T, db *store.DB, d staking.Day, tokens []string, text string) store.Comparison {
	t.Helper()
	assets := ledger.BySymbol(testkit.Must(db.Assets(t.Context()))(t))
	c := testkit.Must(comparison.Whole.Make(t.Context(), reports.New(db.Reader()), d,
		comparison.Choose(assets, tokens),
		func(_ context.Context, _ staking.Day, chosen map[string]ledger.Asset) (reconcile.Figures, error) {
			return reconcile.Read(strings.NewReader(text), chosen)
		}))(t)
	c.Source = store.FromFile
	return testkit.Must(db.AddComparison(t.Context(), c))(t)
}

// theirBalances are the balances of BNB of payingBooks at the end of a day, as another ledger would have them; changed
// replaces some.
func theirBalances(t *testing.T, db *store.DB, d staking.Day, changed map[ledger.Account]string) string {
	t.Helper()
	var text strings.Builder
	a := testkit.Must(db.Asset(t.Context(), bnb))(t)
	ok(t, reports.New(db.Reader()).ExportBalances(t.Context(), (d+1).Start().Add(-time.Millisecond),
		func() error { return nil }, func(h reports.Held) error {
			balance, is := changed[h.Account]
			if !is {
				balance = a.Format(h.Free + h.Held)
			}
			if h.Asset == bnb && !h.Account.IsHouse() {
				fmt.Fprintf(&text, "%s,%s,%s\n", h.Account, h.Asset, balance)
			}
			return nil
		}))
	return text.String()
}

// TestABreakStopsItsToken and nothing else, until it is resolved, or until a later comparison is within the limit.
func TestABreakStopsItsToken(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		payingBooks(t, db, clock, 3)
		testkit.Must(db.Fund(ctx, "s", sol, coins(100), false))(t)
		deposit(t, db, "d-sol", "holder-000", 500, sol, time.Time{})
		waits := func(d int, want string) {
			t.Helper()
			clock.Set(d, "00:10")
			got := ""
			for _, w := range settle(t, db, clock).Waiting {
				got += fmt.Sprintf("%s %d: %v", w.Asset, w.Day-day1+1, errors.Is(w.Reason, staking.ErrBreak))
			}
			same(t, fmt.Sprintf("what waits on Day %d", d), got, want)
		}
		differs := map[ledger.Account]string{"holder-001": "1"}
		c := compareWith(t, db, day1+1, theirBalances(t, db, day1+1, differs))
		if c.Number != 1 || c.Stopped() != nil || c.Differing() != 1 {
			t.Errorf("without a limit: %+v", c)
		}
		waits(4, "")

		ok(t, db.SetComparisonLimit(ctx, store.ComparisonLimit{Amount: 0, Accounts: store.AnyDifference}))
		ok(t, db.SetComparisonLimit(ctx, store.ComparisonLimit{Asset: sol, Amount: store.AnyDifference,
			Accounts: store.AnyDifference}))
		waits(5, "") // what was found before is not looked at again
		wrong := theirBalances(t, db, day1+3, differs)
		c = compareWith(t, db, day1+3, wrong)
		same(t, "stopped", c.Stopped(), []string{bnb}) // SOL differs, too, and has a limit of its own
		waits(6, "BNB 5: true")
		compareWith(t, db, day1+2, theirBalances(t, db, day1+2, nil)) // of an earlier day
		waits(7, "BNB 5: true")
		_, err := db.ResolveBreak(ctx, store.BreakResolution{Number: 1, Asset: bnb, Reason: "x"})
		wants(t, err, ledger.ErrNotFound)
		wants(t, refusedReason(db.ResolveBreak(ctx, store.BreakResolution{Number: c.Number, Asset: bnb})), ledger.ErrInvalid)
		for _, want := range []bool{false, true} {
			same(t, "resolved before", testkit.Must(db.ResolveBreak(ctx,
				store.BreakResolution{Number: c.Number, Asset: bnb, Reason: "they correct it"}))(t), want)
		}
		waits(7, "") // all of its days

		c = compareWith(t, db, day1+5, theirBalances(t, db, day1+5, differs))
		waits(9, "BNB 7: true")
		// The rewards of Day 7 count on Day 8, and are not paid: Day 7 is the last that can be compared.
		days := testkit.Must(reports.New(db.Reader()).Comparable(ctx, false))(t)
		same(t, "comparable", days[len(days)-1], reports.Comparable{Day: day1 + 6, Tokens: []string{bnb}})
		compareWith(t, db, day1+6, theirBalances(t, db, day1+6, nil))
		waits(9, "")
		audited(t, db)
	})
}

// TestFiguresOfOthersReleaseNoToken that the nightly comparison has stopped: its own figures do, and of what others
// have stopped those of the same kind of source.
func TestFiguresOfOthersReleaseNoToken(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		asset := testkit.Must(db.Asset(ctx, bnb))(t)
		ok(t, db.SetComparisonLimit(ctx, store.ComparisonLimit{Amount: 0, Accounts: store.AnyDifference}))
		setting := int64(0)
		compared := func(d staking.Day, source string, scheduled bool, off ledger.Amount) error {
			token := store.ComparedToken{Kind: reconcile.Balances, Token: reconcile.Token{Asset: asset, Off: off}}
			c := store.Comparison{Day: d, At: (d + 1).Start().Add(-time.Millisecond), Source: source, Scheduled: scheduled,
				Setting: setting}
			if off > 0 {
				token.Differences, token.Theirs.Root[0] = 1, 1
				c.Differences = []store.ComparedDifference{{Kind: reconcile.Balances,
					Difference: reconcile.Difference{Account: "alice", Asset: asset, Ours: off}}}
			}
			c.Tokens = []store.ComparedToken{token}
			_, err := db.AddComparison(ctx, c)
			return err
		}
		wants(t, compared(day1, store.FromEndpoint, true, 0), ledger.ErrInvalid) // no source is set
		ok(t, db.SetComparisonSource(ctx, store.ComparisonSource{Endpoint: "https://ledger.example.com"}))
		wants(t, compared(day1, store.FromLedger, true, 0), ledger.ErrInvalid)
		setting = 1
		ok(t, db.SetComparisonSource(ctx, store.ComparisonSource{Endpoint: "https://other.example.com"}))
		wants(t, compared(day1, store.FromEndpoint, true, 0), ledger.ErrInvalid) // it was read before that
		ok(t, db.SetComparisonSource(ctx, store.ComparisonSource{Endpoint: "https://ledger.example.com"}))
		wants(t, compared(day1, store.FromEndpoint, true, 0), ledger.ErrInvalid) // of another setting of the same one
		setting = 3
		const nightly = "nightly"
		for i, step := range []struct {
			day    staking.Day
			source string
			off    ledger.Amount
			want   string // the reconciliations that stop BNB then
		}{
			{day1, nightly, 5, "[1]"},
			{day1 + 1, store.FromRequest, 0, "[1]"},
			{day1 + 1, store.FromFile, 0, "[1]"},
			{day1 + 1, store.FromLedger, 0, "[1]"},
			{day1 + 1, store.FromEndpoint, 0, "[1]"}, // of another endpoint than the nightly one
			{day1 + 1, store.FromRequest, 5, "[1 6]"},
			{day1 + 1, store.FromFile, 0, "[1 6]"},
			{day1, store.FromRequest, 0, "[1 6]"},
			{day1 + 1, store.FromRequest, 0, "[1]"},
			{day1 + 1, store.FromFile, 5, "[1 10]"},
			{day1, nightly, 0, "[10]"},
			{day1 + 1, nightly, 5, "[12]"},
			{day1 + 2, nightly, 0, "[]"},
		} {
			source := step.source
			if source == nightly {
				source = store.FromEndpoint
			}
			ok(t, compared(step.day, source, step.source == nightly, step.off))
			var numbers []int64
			for _, b := range testkit.Must(reports.New(db.Reader()).Breaks(ctx))(t) {
				numbers = append(numbers, b.Number)
			}
			same(t, fmt.Sprintf("what stops after reconciliation %d", i+1), fmt.Sprint(numbers), step.want)
		}
		audited(t, db)
	})
}

func refusedReason(_ bool, err error) error { return err }

// TestAComparisonIsKept as it was made, with what could explain each difference, and payouts beside balances.
func TestAComparisonIsKept(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx, rs := t.Context(), reports.New(db.Reader())
		payingBooks(t, db, clock, 3)
		clock.Set(5, "00:10")
		settle(t, db, clock)
		testkit.Must(db.Compensate(ctx, store.Compensation{Day: day1 + 2, Asset: bnb, Account: "holder-002", Name: "n",
			Amount: 7}, "late"))(t)
		testkit.Must(db.NumberPayouts(ctx))(t)
		rewards := map[ledger.Account]ledger.Amount{}
		for _, p := range allPayouts(t, db, 100) {
			if p.Due.Day == day1+2 {
				rewards[p.Account] += p.Amount
			}
		}
		a := testkit.Must(db.Asset(ctx, bnb))(t)
		text := "account,asset,balance,payout\n"
		for i, line := range strings.Fields(theirBalances(t, db, day1+3, map[ledger.Account]string{"holder-000": "1"})) {
			id := ledger.Account(fmt.Sprintf("holder-%03d", i))
			if i != 1 {
				line += "," + a.Format(rewards[id])
			} else {
				line += ","
			}
			text += line + "\n"
		}
		made := compareAll(t, db, day1+3, text)
		found := testkit.Must(rs.Comparison(ctx, made.Number))(t)
		found.Differences = testkit.Must(rs.ComparedDifferences(ctx, made.Number, reports.DifferenceKey{}, 100))(t)
		same(t, "as it is kept", fmt.Sprint(found), fmt.Sprint(forgotten(made)))
		if len(found.Differences) != 2 {
			t.Fatalf("the differences are %+v", found.Differences)
		}
		one, other := found.Differences[0], found.Differences[1]
		if one.Kind != reconcile.Balances || one.Account != "holder-000" || one.Theirs != ledger.Amount(unit) ||
			other.Kind != reconcile.Payouts || other.Account != "holder-001" || other.Theirs != 0 ||
			other.Ours != rewards["holder-001"] || other.Cause.Kind != reconcile.CausePayout ||
			other.Cause.Entry != "reward/2026-03-04/BNB/holder-001" {
			t.Errorf("the differences are %+v", found.Differences)
		}
		page := testkit.Must(rs.ComparedDifferences(ctx, made.Number, reports.DifferenceKey{Kind: one.Kind,
			Account: one.Account, Asset: bnb}, 1))(t)
		same(t, "the second page", fmt.Sprint(page), fmt.Sprint([]store.ComparedDifference{other}))
		_, err := rs.Comparison(ctx, 2)
		wants(t, err, ledger.ErrNotFound)
		if i := slices.IndexFunc(logOf(t, db), func(l store.LogLine) bool { return l.Action == "reconcile" }); i < 0 {
			t.Error("no line of the log")
		}
		audited(t, db)
	})
}

// forgotten is a comparison without what is not read again.
func forgotten(c store.Comparison) store.Comparison {
	c.By.Person = ""
	return c
}

func logOf(t *testing.T, db *store.DB) (lines []store.LogLine) {
	t.Helper()
	return testkit.Must(reports.New(db.Reader()).Log(t.Context(), noon, 1000))(t)
}

// TestComparisonsUnderFourEyes: resolving a break needs approval where four eyes are on, as setting a limit and a
// source does.
func TestComparisonsUnderFourEyes(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		payingBooks(t, db, clock, 1)
		ok(t, db.SetComparisonLimit(ctx, store.ComparisonLimit{Asset: bnb, Amount: 5, Accounts: store.AnyDifference}))
		c := compareWith(t, db, day1+1, "")
		ok(t, db.As(proposer).SetFourEyes(ctx, true))
		for op, propose := range map[control.Operation]func(*store.DB) error{
			control.ResolveBreak: func(b *store.DB) error {
				_, err := b.ResolveBreak(ctx, store.BreakResolution{Number: c.Number, Asset: bnb, Reason: "known"})
				return err
			},
			control.SetComparisonLimit: func(b *store.DB) error {
				return b.SetComparisonLimit(ctx, store.ComparisonLimit{Amount: 0, Accounts: 0})
			},
			control.SetComparisonSource: func(b *store.DB) error {
				return b.SetComparisonSource(ctx, store.ComparisonSource{Endpoint: "https://ledger.example.com"})
			},
		} {
			var needed *control.Needed
			if err := propose(db.As(proposer)); !errors.As(err, &needed) || needed.Draft.Operation != op {
				t.Fatalf("%s: %v", op, err)
			}
			p := testkit.Must(db.As(proposer).Propose(ctx, needed.Draft, "why"))(t)
			testkit.Must(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest()))(t)
		}
		// The limit of every token counts for one that has none of its own: whoever approves reads that.
		var needed *control.Needed
		off := store.ComparisonLimit{Asset: "SOL", Amount: store.AnyDifference, Accounts: store.AnyDifference}
		if err := db.As(proposer).SetComparisonLimit(ctx, off); !errors.As(err, &needed) || !strings.Contains(
			needed.Draft.Effect, "without it: a difference of more than 0, or more than 0 accounts") {
			t.Errorf("the effect of no limit is %+v, %v", needed, err)
		}
		rs := reports.New(db.Reader())
		same(t, "breaks", len(testkit.Must(rs.Breaks(ctx))(t)), 0)
		same(t, "limits", len(testkit.Must(rs.ComparisonLimits(ctx))(t)), 2)
		same(t, "the source", testkit.Must(rs.ComparisonState(ctx))(t).Source.Endpoint, "https://ledger.example.com")
	})
}

// TestTheNightlyComparisonIsClaimed by one process at a time, and retried with backoff where it fails.
func TestTheNightlyComparisonIsClaimed(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		claim := func(want bool) {
			t.Helper()
			same(t, "claimed", testkit.Must(db.ClaimComparison(ctx, time.Hour))(t), want)
		}
		claim(true)
		claim(false)
		clock.Advance(time.Hour)
		claim(true) // whoever had it is gone
		since := clock.Now()
		for _, wait := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
			ok(t, db.EndComparison(ctx, errors.New("out of reach")))
			claim(false)
			clock.Advance(wait)
			claim(true)
		}
		ok(t, db.EndComparison(ctx, errors.New(strings.Repeat("é", 4000))))
		fault := testkit.Must(reports.New(db.Reader()).ComparisonState(ctx))(t).Schedule.Fault
		if len(fault) < 4000 || len(fault) > 4096 || strings.Trim(fault, "é") != "…" {
			t.Errorf("%d bytes of a long fault are kept: %.20s", len(fault), fault)
		}
		clock.Advance(8 * time.Minute)
		claim(true)
		ok(t, db.EndComparison(ctx, errors.New("out of reach")))
		clock.Advance(16 * time.Minute)
		claim(true)
		s := testkit.Must(reports.New(db.Reader()).ComparisonState(ctx))(t).Schedule
		if !s.Failed.Equal(since) || s.Fault != "out of reach" {
			t.Errorf("it is %+v", s)
		}
		ok(t, db.ReleaseComparison(ctx)) // it was stopped: who starts again goes on with the backoff
		claim(true)
		stopped := testkit.Must(reports.New(db.Reader()).ComparisonState(ctx))(t).Schedule
		if stopped.Until = s.Until; stopped != s {
			t.Errorf("after a release it is %+v, not %+v", stopped, s)
		}
		ok(t, db.EndComparison(ctx, nil))
		claim(true)
	})
}

// TestADayWaitsUntilItIsCompared where the limit says so: with figures of the source that the books name, where they
// do, and within the limit; or until a person releases the day.
func TestADayWaitsUntilItIsCompared(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		payingBooks(t, db, clock, 2)
		ok(t, db.SetComparisonLimit(ctx, store.ComparisonLimit{Amount: 0, Accounts: store.AnyDifference}))
		ok(t, db.SetComparisonLimit(ctx, store.ComparisonLimit{Asset: bnb, Amount: 0, Accounts: store.AnyDifference,
			Waits: true}))
		waits := func(d int, want string) {
			t.Helper()
			clock.Set(d, "00:10")
			got := ""
			for _, w := range settle(t, db, clock).Waiting {
				got += fmt.Sprintf("%s %d: %v", w.Asset, w.Day-day1+1, errors.Is(w.Reason, staking.ErrUncompared))
			}
			same(t, fmt.Sprintf("what waits on Day %d", d), got, want)
		}
		waits(4, "BNB 3: true")
		compareWith(t, db, day1+1, theirBalances(t, db, day1+1, nil)) // of an earlier day
		waits(4, "BNB 3: true")
		compareTokens(t, db, day1+2, []string{sol}, "account,asset,balance\n") // of another token
		waits(4, "BNB 3: true")
		compareWith(t, db, day1+2, theirBalances(t, db, day1+2, nil))
		waits(4, "")

		release := func(d staking.Day) (bool, error) {
			return db.ReleaseDay(ctx, store.ComparisonRelease{Asset: bnb, Day: d, Reason: "it is down"})
		}
		ok(t, db.SetComparisonSource(ctx, store.ComparisonSource{Topic: "nats://n1.example.com/BALANCES"}))
		waits(5, "BNB 4: true")
		c := compareWith(t, db, day1+3, theirBalances(t, db, day1+3, nil)) // not of the source that is named
		waits(5, "BNB 4: true")
		for _, d := range []staking.Day{day1 - 1, day1 + 2, day1 + 4} { // before the books, paid, open
			wants(t, refusedReason(release(d)), ledger.ErrNotFound)
		}
		for _, repeated := range []bool{false, true} {
			same(t, "released before", testkit.Must(release(day1+3))(t), repeated)
		}
		waits(5, "")
		wants(t, refusedReason(db.ReleaseDay(ctx, store.ComparisonRelease{Asset: sol, Day: day1 + 3, Reason: "x"})),
			ledger.ErrNotFound)

		// What is over the limit pays nothing: not before it is resolved.
		waits(6, "BNB 5: true")
		c.Day, c.Source, c.Scheduled, c.Setting, c.Differences = day1+4, store.FromTopic, true, 1, nil
		c.Tokens = slices.DeleteFunc(c.Tokens, func(t store.ComparedToken) bool { return t.Asset.Symbol != bnb })
		c.Tokens[0].Differences, c.Tokens[0].Off, c.Tokens[0].Theirs.Root[0] = 1, 5, c.Tokens[0].Theirs.Root[0]+1
		c = testkit.Must(db.AddComparison(ctx, c))(t)
		waits(6, "BNB 5: false")
		testkit.Must(db.ResolveBreak(ctx, store.BreakResolution{Number: c.Number, Asset: bnb, Reason: "known"}))(t)
		waits(6, "")
		waits(7, "BNB 6: true")
		ok(t, db.SetComparisonLimit(ctx, store.ComparisonLimit{Asset: bnb, Amount: 0, Accounts: store.AnyDifference}))
		waits(7, "")
		audited(t, db)
	})
}

// TestFiguresThatAreSentAreBounded: how many comparisons a credential makes on a day, and the differences of each, are
// limited.
func TestFiguresThatAreSentAreBounded(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		asset := testkit.Must(db.Asset(ctx, bnb))(t)
		add := func(db *store.DB, source string, differences int) error {
			c := store.Comparison{Day: day1, At: clock.Now(), Source: source, Tokens: []store.ComparedToken{
				{Kind: reconcile.Balances, Token: reconcile.Token{Asset: asset, Differences: int64(differences), Off: 1}}}}
			for i := range differences {
				c.Differences = append(c.Differences, store.ComparedDifference{Kind: reconcile.Balances,
					Difference: reconcile.Difference{Account: ledger.Account(fmt.Sprintf("u-%d", i)), Asset: asset, Ours: 1}})
			}
			_, err := db.AddComparison(ctx, c)
			return err
		}
		wants(t, add(db, store.FromRequest, store.MostSent+1), ledger.ErrInvalid)
		for range store.MostRequests {
			ok(t, db.CheckRequests(ctx))
			ok(t, add(db, store.FromRequest, 1))
		}
		wants(t, db.CheckRequests(ctx), access.ErrCeiling)
		wants(t, add(db, store.FromRequest, 1), access.ErrCeiling)
		ok(t, add(db, store.FromFile, 1))
		other := db.As(access.Actor{Role: access.Exchange, Parts: access.AllParts, Credential: "token other"})
		ok(t, other.CheckRequests(ctx))
		ok(t, add(other, store.FromRequest, 1))
		clock.Advance(12 * time.Hour)
		ok(t, db.CheckRequests(ctx))
		same(t, "the newest", testkit.Must(reports.New(db.Reader()).Comparisons(ctx, 0, 1))(t)[0].Number,
			int64(store.MostRequests+2)) // dense
	})
}

// TestASourceHidesNoOther: what was compared last is said of each source, until nobody compares with it any more.
func TestASourceHidesNoOther(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		asset := testkit.Must(db.Asset(ctx, bnb))(t)
		ok(t, db.SetComparisonSource(ctx, store.ComparisonSource{Endpoint: "https://ledger.example.com"}))
		add := func(d staking.Day, source string, scheduled bool, differences int64) {
			t.Helper()
			token := store.ComparedToken{Kind: reconcile.Balances, Token: reconcile.Token{Asset: asset,
				Differences: differences}}
			payouts := token
			payouts.Kind = reconcile.Payouts
			testkit.Must(db.AddComparison(ctx, store.Comparison{Day: d, At: clock.Now(), Source: source, Scheduled: scheduled,
				Setting: 1, Tokens: []store.ComparedToken{token, payouts}}))(t)
		}
		last := func(want string) {
			t.Helper()
			got := ""
			for _, c := range testkit.Must(reports.New(db.Reader()).LastCompared(ctx))(t) {
				got += fmt.Sprintf("%s %s %d: %d, ", c.Asset, c.Source, c.Day-day1+1, c.Differences)
			}
			same(t, "what was compared last", got, want)
		}
		last("")
		add(day1+1, store.FromEndpoint, true, 0)
		add(day1, store.FromEndpoint, true, 3) // of an earlier day
		add(day1+1, store.FromRequest, false, 2)
		add(day1+2, store.FromEndpoint, true, 0)
		last("BNB nightly 3: 0, BNB request 2: 4, ")
		clock.Advance(7*24*time.Hour + time.Millisecond)
		add(day1+2, store.FromFile, false, 1)
		last("BNB file 3: 2, ")
	})
}
