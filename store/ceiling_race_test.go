package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestTwoProcessesShareWhatIsLeft: two processes do at the same time what only one may: with one token, with two
// tokens of one person, and with whatever brings tokens in. On PostgreSQL both have read what is used before either
// has written it.
func TestTwoProcessesShareWhatIsLeft(t *testing.T) {
	eachBooks(t, func(t *testing.T, url string, clock *testkit.Clock) {
		one, two := opened(t, url, clock), opened(t, url, clock)
		ctx := t.Context()
		for _, id := range []ledger.Account{"alice", "bob"} {
			open(t, one, id)
			deposit(t, one, "d-"+string(id), id, 100, bnb, noon)
		}
		payouts := []ledger.Entry{requested(t, one, "w-1", "alice", 30, "0xaa"), requested(t, one, "w-2", "bob", 30, "0xbb")}
		ok(t, one.SetLimit(ctx, staking.Limit{Asset: bnb, MaxWithdrawal: 5 * unit, MaxInflow: 10 * unit}))
		stolen := backEnd(t, one, "desk:BNB=10/day", "enrollment=1/day", "accounts=1/day", "deposits:BNB=10/day")
		token := access.Actor{Role: access.Exchange, Parts: access.AllParts, Credential: credentialOf(t, one),
			Ceilings: ceilingsOf(t, one)}
		ok(t, one.As(proposer).SetFourEyes(ctx, true))
		posts := func(db *store.DB, e ledger.Entry) error {
			outcomes, err := db.Post(ctx, []ledger.Entry{e})
			if err == nil {
				err = outcomes[0].Err
			}
			return err
		}
		ann := func(db *store.DB, token string) *store.DB {
			return db.As(access.Actor{Role: access.Operator, Credential: token, Person: "ann"})
		}
		enrolls := func(db *store.DB, id ledger.Account) error {
			_, err := db.Enroll(ctx, id, staking.Client{}, noon)
			return err
		}
		opens := func(db *store.DB, id ledger.Account) error {
			_, err := db.OpenAccount(ctx, id, "DE")
			return err
		}
		for what, c := range map[string]struct {
			first, second func() error
			refused       error
		}{
			"deposits": {
				func() error { return posts(stolen, oneMove("m-1", ledger.Deposit, ledger.Custody, "alice", 60)) },
				func() error { return posts(two.As(token), oneMove("m-2", ledger.Deposit, ledger.Custody, "bob", 60)) },
				access.ErrCeiling},
			"@desk": {
				func() error { return posts(stolen, oneMove("t-1", ledger.Trade, ledger.Desk, "alice", 60)) },
				func() error { return posts(two.As(token), oneMove("t-2", ledger.Trade, "bob", ledger.Desk, 60)) },
				access.ErrCeiling},
			"switches": {func() error { return enrolls(stolen, "alice") }, func() error { return enrolls(two.As(token), "bob") },
				access.ErrCeiling},
			"accounts": {func() error { return opens(stolen, "carol") }, func() error { return opens(two.As(token), "dora") },
				access.ErrCeiling},
			"brought in": {
				func() error { return posts(one.As(payer), oneMove("i-1", ledger.Deposit, ledger.Custody, "alice", 60)) },
				func() error { return posts(two, oneMove("i-2", ledger.Deposit, ledger.Custody, "bob", 60)) },
				access.ErrCeiling},
			"completed by one person": {
				func() error { return posts(ann(one, "token AAAAAAAAAAAA"), payouts[0]) },
				func() error { return posts(ann(two, "token BBBBBBBBBBBB"), payouts[1]) },
				control.ErrNeedsApproval},
		} {
			first, second := together(t, url, c.first, c.second)
			if (first == nil) == (second == nil) || !errors.Is(errors.Join(first, second), c.refused) {
				t.Errorf("%s: %v; %v; one is done, and one is refused", what, first, second)
			}
		}
		clean(t, one, clock)
	})
}

// together does two things at the same time. On PostgreSQL both wait for a moment where they count what they use.
func together(t *testing.T, url string, first, second func() error) (err1, err2 error) {
	t.Helper()
	open := func() {}
	waiting := func() {}
	if strings.HasPrefix(url, "postgres") {
		g := shut(t, url, "LOCK TABLE ceilings_used IN SHARE MODE") // it is read, and not written
		open, waiting = g.open, func() { g.waiting(2) }
	}
	done1, done2 := make(chan error, 1), make(chan error, 1)
	go func() { done1 <- first() }()
	go func() { done2 <- second() }()
	waiting()
	open()
	return <-done1, <-done2
}
