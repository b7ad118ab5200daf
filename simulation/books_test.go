package simulation

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const coin ledger.Amount = 100_000_000

var day1 = staking.DayOf(testkit.Noon)

// town is books of random days, all of them paid.
type town struct {
	*store.DB
	*rand.Rand
	url   string
	clock *testkit.Clock
	last  staking.Day // the last day that is paid

	steady bool // terms do not change, and there is nothing beside holders and their balances,
	marked bool // but for exclusions, owners and labels
	gone   map[ledger.Account]bool
}

// newTown makes books that begin on Day 1 with BNB in the mode fixed and SOL in the mode share, with a fee, and TIP,
// which only campaigns pay.
func newTown(t *testing.T, kind string, r *rand.Rand) *town {
	t.Helper()
	w := &town{Rand: r, clock: testkit.NewClock(day1.Start()), url: scenario.NewURL(t, kind, false),
		gone: map[ledger.Account]bool{}}
	setup := store.Setup{From: day1, Regions: staking.ShippedRegions(), Documents: staking.ShippedDocuments(),
		Limits:     staking.NoLimit,
		CloseAfter: 5 * time.Minute}
	for _, symbol := range []string{"BNB", "SOL", "TIP"} {
		asset := ledger.Asset{Symbol: symbol, Scale: 8, MaxSupply: 1_000_000_000 * coin}
		terms := testkit.Must(staking.ParseTerms(asset, day1, "0.0773", "0.5", "150"))(t)
		if symbol == "SOL" {
			terms.Mode, terms.APR, terms.Fee = staking.Share, 0, 3*staking.Whole/10
		}
		if symbol == "TIP" { // nobody funds a rate on what campaigns have paid
			terms.APR = 0
		}
		setup.Tokens = append(setup.Tokens, staking.Token{Asset: asset, Terms: terms})
	}
	w.DB = testkit.Must(store.Create(t.Context(), w.url,
		store.Options{Clock: w.clock.Now, Actor: access.Process("test"), Volatile: true}, setup))(t)
	t.Cleanup(func() { ok(t, w.Close()) })
	for _, symbol := range []string{"BNB", "SOL"} { // with SOL, campaigns pay while a loss is to be made up for
		testkit.Must(w.Fund(t.Context(), "pool-"+symbol, symbol, 1_000_000*coin, false))(t)
	}
	return w
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open opens accounts and enrolls them from a day on, each with what it holds of both tokens.
func (w *town) open(t *testing.T, from staking.Day, accounts ...ledger.Account) {
	t.Helper()
	var opened []store.Account
	for _, a := range accounts {
		opened = append(opened, store.Account{ID: a, Region: "DE", Opened: w.clock.Now()})
	}
	ok(t, w.OpenAccounts(t.Context(), opened))
	ok(t, w.EnrollAll(t.Context(), accounts, from))
}

// post posts an entry of one move; one that is refused is left out.
func (w *town) post(t *testing.T, id string, kind ledger.Kind, at time.Time, m ledger.Move) {
	t.Helper()
	outcomes, err := w.Post(t.Context(), []ledger.Entry{{ID: id, Kind: kind, At: at, Moves: []ledger.Move{m}}})
	ok(t, err)
	for _, o := range outcomes {
		if o.Err != nil && !errors.Is(o.Err, ledger.ErrInsufficient) && !errors.Is(o.Err, ledger.ErrInvalid) {
			t.Fatal(o.Err)
		}
	}
}

func (w *town) deposit(t *testing.T, id string, to ledger.Account, asset string, n ledger.Amount, at time.Time) {
	t.Helper()
	w.post(t, id, ledger.Deposit, at, ledger.Move{From: ledger.Custody, To: to, Asset: asset, Amount: n})
}

// income enters income of SOL.
func (w *town) income(t *testing.T, reference string, first, last staking.Day, gross ledger.Amount) {
	t.Helper()
	_, err := w.PostIncome(t.Context(), staking.Income{Reference: reference, Asset: "SOL", Chain: "solana",
		Source: "validator", First: first, Last: last, Gross: gross, Evidence: "report"})
	if !errors.Is(err, ledger.ErrInsufficient) { // there is nothing to lose yet
		ok(t, err)
	}
}

// settle closes and pays the days before a time.
func (w *town) settle(t *testing.T, d staking.Day) {
	t.Helper()
	w.clock.Forward((d + 1).Start().Add(10 * time.Minute))
	report := testkit.Must(staking.Run(t.Context(), w.DB, w.clock.Now(), staking.Options{Workers: 2}))(t)
	if len(report.Waiting) > 0 {
		t.Fatalf("%v waits", report.Waiting)
	}
	w.last = d
}

// live plays random days: changes at random moments, the same ones and midnight, people who come, leave
// and return, terms that change, income of periods of several days, some of it lost, and
// runs that are late.
func (w *town) live(t *testing.T, accounts, days int) {
	t.Helper()
	ctx, paidTo := t.Context(), day1
	names := make([]ledger.Account, accounts)
	for i := range names {
		names[i] = ledger.Account(fmt.Sprintf("holder-%02d", i))
	}
	w.open(t, day1+1, names...)
	for n := range days {
		d := day1 + staking.Day(n)
		w.clock.Forward(d.Start().Add(23 * time.Hour))
		at := d.Start()
		for i := range 30 {
			id := fmt.Sprintf("e-%d-%d", n, i)
			switch w.IntN(6) {
			case 0:
				at = d.Start()
			case 1, 2, 3:
				at = d.Start().Add(time.Duration(w.IntN(23*3_600_000)) * time.Millisecond)
			}
			a, asset := names[w.IntN(accounts)], []string{"BNB", "SOL"}[w.IntN(2)]
			amount := 1 + ledger.Amount(w.Int64N(int64(40*coin)))
			switch w.IntN(4) {
			case 0:
				w.post(t, id, ledger.Withdrawal, at, ledger.Move{From: a, To: ledger.Custody, Asset: asset, Amount: amount})
			case 1:
				w.post(t, id, ledger.Transfer, at, ledger.Move{From: a, To: names[w.IntN(accounts)], Asset: asset,
					Amount: amount})
			default:
				w.deposit(t, id, a, asset, amount, at)
			}
		}
		for range 3 {
			if a := names[w.IntN(accounts)]; w.gone[a] {
				continue
			} else if w.IntN(2) == 0 {
				ok(t, w.Leave(ctx, a, staking.Client{}, time.Time{}))
			} else {
				ok(t, w.EnrollAll(ctx, []ledger.Account{a}, d+1))
			}
		}
		if !w.steady {
			w.beside(t, d, names)
		} else if w.marked {
			w.mark(t, d, names)
		}
		if len := staking.Day(1 + w.IntN(4)); paidTo+len <= d && w.IntN(2) == 0 {
			for i := range 1 + w.IntN(2) {
				w.income(t, fmt.Sprintf("i-%d-%d", n, i), paidTo, paidTo+len-1, w.gross())
			}
			if w.IntN(2) == 0 && paidTo > day1 { // more of a period before
				w.income(t, fmt.Sprintf("late-%d", n), paidTo-1, paidTo-1, w.gross())
			}
			paidTo += len
		}
		if w.IntN(3) > 0 || n == days-1 {
			w.settle(t, d)
		}
	}
}

// gross is an income, which is zero or below at times.
func (w *town) gross() ledger.Amount {
	switch w.IntN(6) {
	case 0:
		return 0
	case 1:
		return -ledger.Amount(w.Int64N(int64(coin) / 2))
	}
	return ledger.Amount(w.Int64N(int64(coin)))
}

// beside does what may happen on a day beside what holders do.
func (w *town) beside(t *testing.T, d staking.Day, names []ledger.Account) {
	t.Helper()
	ctx := t.Context()
	if w.IntN(3) == 0 {
		w.change(t, d+1)
	}
	if (d-day1)%6 == 0 {
		w.campaign(t, d)
	}
	if d == day1+8 || d == day1+13 { // an account is closed, and leaves what it has to another
		a := names[w.IntN(len(names)/2)]
		w.gone[a] = true
		testkit.Must(w.SweepAccount(ctx, a, names[len(names)-1]))(t)
	}
	w.mark(t, d, names)
}

// mark excludes some accounts for days, gives them owners, and labels or takes them away.
func (w *town) mark(t *testing.T, d staking.Day, names []ledger.Account) {
	t.Helper()
	ctx := t.Context()
	for range 2 {
		a := names[w.IntN(len(names)-1)]
		if w.gone[a] {
			continue
		}
		x := staking.Exclusion{Account: a, Asset: []string{"", "BNB", "SOL", "TIP"}[w.IntN(4)], Product: "Launchpool",
			From: d + staking.Day(w.IntN(2)), Until: d + 2 + staking.Day(w.IntN(3))}
		testkit.Must(w.Exclude(ctx, []store.ExclusionRequest{{Exclusion: x}}))(t)
		_, _, err := w.SetOwner(ctx, a, []string{"", "p-1", "p-2", "p-3"}[w.IntN(4)], 0)
		ok(t, err)
		if w.IntN(2) == 0 {
			_, _, err = w.AddLabel(ctx, a, "vip", 0)
		} else {
			_, _, err = w.RemoveLabel(ctx, a, "vip", 0)
		}
		ok(t, err)
	}
}

// campaign makes a campaign of some days from tomorrow on, in one of the tokens.
func (w *town) campaign(t *testing.T, d staking.Day) {
	t.Helper()
	c := staking.Campaign{ID: "c-" + d.String(), Title: "campaign", Asset: []string{"TIP", "BNB", "SOL"}[(d-day1)/6%3],
		Pool: 1000 + ledger.Amount(w.Int64N(int64(coin))), First: d + 1, Last: d + 1 + staking.Day(w.IntN(8)),
		Multipliers: []staking.Multiplier{{Label: "vip", Percent: 150}}}
	c.Parts = staking.EqualParts(c.Pool, []string{"BNB", "SOL"}[:1+w.IntN(2)])
	if w.IntN(2) == 0 {
		c.Members = 5
	}
	testkit.Must(w.PostCampaign(t.Context(), c))(t)
}

// change changes the terms of a token from a day on, within its mode.
func (w *town) change(t *testing.T, from staking.Day) {
	t.Helper()
	terms := staking.Terms{Asset: "BNB", From: from, Offered: w.IntN(5) > 0, APR: staking.Rate(w.IntN(20_000_000)),
		Min: ledger.Amount(w.Int64N(int64(30 * coin))), Cap: 30*coin + ledger.Amount(w.Int64N(int64(90*coin))),
		Measure: staking.Measure(w.IntN(2)), PerOwner: w.IntN(2) == 0}
	if w.IntN(2) == 0 {
		terms.Asset, terms.Mode, terms.APR, terms.Fee = "SOL", staking.Share, 0, staking.Rate(w.IntN(50_000_000))
	}
	ok(t, w.SetTerms(t.Context(), terms))
}

// accruals are what a plan accrues through the last day simulated, sorted as recordedOf sorts.
func accruals(t *testing.T, w *town, o Options) (before, after []string) {
	t.Helper()
	if o.Change == nil {
		o.Change = func(_ ledger.Asset, _ staking.Day, t staking.Terms) (staking.Terms, error) { return t, nil }
	}
	ok(t, w.Reader().Read(t.Context(), func(view db.View) error {
		s := &simulation{Options: o, t: view, index: map[string]int{}}
		before, after = nil, nil
		if err := s.prepare(w.Reader()); err != nil {
			return err
		}
		if err := s.measure(); err != nil {
			return err
		}
		lines := []*[]string{&before, &after}
		return s.walk(func(p *holding.Period, token int) error {
			for k, plan := range s.plans() {
				err := plan.accruals(p, token, func(_ int, a staking.Accrual) error {
					if a.Day <= o.Through {
						*lines[k] = append(*lines[k], lineOf(a))
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}))
	slices.Sort(before)
	slices.Sort(after)
	return before, after
}

func lineOf(a staking.Accrual) string {
	return fmt.Sprintf("%d\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d", a.Day, a.Asset, a.Account, a.Opening, a.Average,
		a.Rest, a.Eligible, a.EligibleRest, a.APR, a.Reward, a.Before, a.Carry)
}

// recordedOf are the accruals in the books, of a token or of all.
func recordedOf(t *testing.T, w *town, o Options, where string) []string {
	t.Helper()
	return testkit.Must(scenario.Rows(t.Context(), w.url,
		`SELECT day, asset, account, opening, average, rest, eligible, eligible_rest, apr, reward, before, carry FROM accruals
		  WHERE day BETWEEN `+strconv.Itoa(int(o.From))+` AND `+strconv.Itoa(int(o.Through))+where))(t)
}
