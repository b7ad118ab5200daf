package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
)

var assets = map[string]ledger.Asset{
	"BNB": {Symbol: "BNB", Scale: 8, MaxSupply: 20_000_000_000_000_000},
	"BN":  {Symbol: "BN", Scale: 8, MaxSupply: ledger.MaxSupply},
}

func move(from, to ledger.Account) ledger.Move {
	return ledger.Move{From: from, To: to, Asset: "BNB", Amount: 1}
}

// both is every move between two different accounts of those named, either way.
func both(accounts ...ledger.Account) []ledger.Move {
	var moves []ledger.Move
	for _, from := range accounts {
		for _, to := range accounts {
			if from != to {
				moves = append(moves, move(from, to))
			}
		}
	}
	return moves
}

// Which moves an entry of each kind may make; the table names all that are
// allowed, and all others are refused.
func TestKindsAndTheirMoves(t *testing.T) {
	everyone := []ledger.Account{
		"alice", "bob", "alice/held", "bob/held", ledger.Custody, ledger.Desk, ledger.Rewards, ledger.Payable,
		"@other", "alice/other", "alice/held/held", "@desk/held", "/held",
	}
	adjustments := slices.DeleteFunc(both("alice", "bob", "alice/held", "bob/held", ledger.Desk, ledger.Custody),
		func(m ledger.Move) bool { return m.From.IsHouse() && m.To.IsHouse() })
	imports := []ledger.Move{
		move(ledger.Custody, "alice"), move(ledger.Custody, "bob"), move("alice", ledger.Custody),
		move("bob", ledger.Custody),
	}
	allowed := map[ledger.Kind][]ledger.Move{
		ledger.Deposit: {move(ledger.Custody, "alice"), move(ledger.Custody, "bob")},
		ledger.Withdrawal: {move("alice", ledger.Custody), move("bob", ledger.Custody),
			move("alice/held", ledger.Custody), move("bob/held", ledger.Custody)},
		ledger.Transfer:   both("alice", "bob"),
		ledger.Trade:      both("alice", "bob", "alice/held", "bob/held", ledger.Desk),
		ledger.Hold:       {move("alice", "alice/held"), move("bob", "bob/held")},
		ledger.Release:    {move("alice/held", "alice"), move("bob/held", "bob")},
		ledger.Adjustment: adjustments,
		ledger.Fund:       both(ledger.Custody, ledger.Rewards),
		"reward":          nil,

		ledger.Opening:         imports,
		ledger.Import:          imports,
		ledger.RewardElsewhere: imports,

		ledger.WithdrawalRequest:   {move("alice", "alice/held"), move("bob", "bob/held")},
		ledger.WithdrawalCompleted: {move("alice/held", ledger.Custody), move("bob/held", ledger.Custody)},
		ledger.WithdrawalCancelled: {move("alice/held", "alice"), move("bob/held", "bob")},
		"":                         nil,
	}
	for kind, moves := range allowed {
		for _, from := range everyone {
			for _, to := range everyone {
				m := move(from, to)
				err := ledger.Entry{ID: ledger.EndingID("e1", kind), Kind: kind, Moves: []ledger.Move{m}}.Check(assets)
				if want := slices.Contains(moves, m); (err == nil) != want {
					t.Errorf("%q from %s to %s: %v", kind, from, to, err)
				}
				if err != nil && !errors.Is(err, ledger.ErrInvalid) {
					t.Errorf("%q from %s to %s: %v is not ErrInvalid", kind, from, to, err)
				}
			}
		}
	}
}

func TestEntryCheck(t *testing.T) {
	utc := func(year int, month time.Month, day int) time.Time {
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	}
	east := time.FixedZone("east", 3600)
	for _, c := range []struct {
		what   string
		change func(*ledger.Entry)
		field  string // that is wrong; "": none
	}{
		{"sound", func(*ledger.Entry) {}, ""},
		{"no ID", func(e *ledger.Entry) { e.ID = "" }, "id"},
		{"ID of 128", func(e *ledger.Entry) { e.ID = strings.Repeat("e", 128) }, ""},
		{"ID of 129", func(e *ledger.Entry) { e.ID = strings.Repeat("e", 129) }, "id"},
		{"no moves", func(e *ledger.Entry) { e.Moves = nil }, "moves"},
		{"100 moves", func(e *ledger.Entry) { e.Moves = slices.Repeat(e.Moves, 100) }, ""},
		{"101 moves", func(e *ledger.Entry) { e.Moves = slices.Repeat(e.Moves, 101) }, "moves"},
		{"the second move is wrong", func(e *ledger.Entry) {
			e.Moves = append(e.Moves, move("alice", "bob"))
		}, "moves[1]"},
		{"nothing", func(e *ledger.Entry) { e.Moves[0].Amount = 0 }, "moves[0].amount"},
		{"less than nothing", func(e *ledger.Entry) { e.Moves[0].Amount = -1 }, "moves[0].amount"},
		{"all there can be", func(e *ledger.Entry) { e.Moves[0].Amount = assets["BNB"].MaxSupply }, ""},
		{"more than there can be", func(e *ledger.Entry) { e.Moves[0].Amount = assets["BNB"].MaxSupply + 1 },
			"moves[0].amount"},
		{"unknown asset", func(e *ledger.Entry) { e.Moves[0].Asset = "bnb" }, "moves[0].asset"},
		{"no asset", func(e *ledger.Entry) { e.Moves[0].Asset = "" }, "moves[0].asset"},
		{"no account", func(e *ledger.Entry) { e.Moves[0].To = "" }, "moves[0]"},
		{"the longest account", func(e *ledger.Entry) { e.Moves[0].To = ledger.Account(strings.Repeat("a", 128)) }, ""},
		{"too long an account", func(e *ledger.Entry) {
			e.Moves[0].To = ledger.Account(strings.Repeat("a", 129))
		}, "moves[0]"},
		{"1970", func(e *ledger.Entry) { e.At = utc(1970, 1, 1) }, ""},
		{"a moment before 1970", func(e *ledger.Entry) { e.At = utc(1970, 1, 1).Add(-1) }, "at"},
		{"1970 in the east, 1969 in UTC",
			func(e *ledger.Entry) { e.At = time.Date(1970, 1, 1, 0, 30, 0, 0, east) }, "at"},
		{"the end of 9999", func(e *ledger.Entry) { e.At = utc(10000, 1, 1).Add(-1) }, ""},
		{"10000 in the east, 9999 in UTC",
			func(e *ledger.Entry) { e.At = time.Date(10000, 1, 1, 0, 30, 0, 0, east) }, ""},
		{"10000", func(e *ledger.Entry) { e.At = utc(10000, 1, 1) }, "at"},
	} {
		e := ledger.Entry{ID: "e1", Kind: ledger.Deposit, Moves: []ledger.Move{move(ledger.Custody, "alice")}}
		c.change(&e)
		wrongIn(t, c.what, e.Check(assets), c.field)
	}
}

// wrongIn wants an error of one field of the input, or none where the field is "".
func wrongIn(t *testing.T, what string, err error, field string) {
	t.Helper()
	if field == "" {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		return
	}
	if e, is := errors.AsType[*ledger.Error](err); !is || !errors.Is(err, ledger.ErrInvalid) || e.Field != field {
		t.Errorf("%s: %#v; want ErrInvalid in the field %s", what, err, field)
	}
}

// A held part may be as long as its owner's longest ID makes it.
func TestTheLongestHolderCanHold(t *testing.T) {
	longest := ledger.Account(strings.Repeat("a", 128))
	e := ledger.Entry{ID: "e1", Kind: ledger.Hold, Moves: []ledger.Move{move(longest, longest.Held())}}
	if err := e.Check(assets); err != nil {
		t.Error(err)
	}
}

func TestCallersMayNotUseOurNamesAndKinds(t *testing.T) {
	for id, ok := range map[string]bool{
		"reward/2026-11-22/BNB/alice": false, "declare/x": false, "pay/x": false, "fund/x": false, "import/x": false,
		"opening/x": false, "close/x/1": false,
		"reward/": false, "reward": true, "rewards/1": true, "x/reward/1": true, "order-1": true,
	} {
		wrongIn(t, "ID "+id, ledger.Entry{ID: id, Kind: ledger.Deposit}.CheckCaller(), map[bool]string{false: "id"}[ok])
	}
	for kind, ok := range map[ledger.Kind]bool{
		ledger.Deposit: true, ledger.Withdrawal: true, ledger.Transfer: true, ledger.Trade: true, ledger.Hold: true,
		ledger.Release: true, ledger.Adjustment: true,
		ledger.WithdrawalRequest: true, ledger.WithdrawalCompleted: true, ledger.WithdrawalCancelled: true,
		ledger.Opening: false, ledger.Import: false, ledger.RewardElsewhere: false, ledger.Fund: false, "": false,
		"Deposit": false, "reward": false,
	} {
		wrongIn(t, fmt.Sprintf("kind %q", kind), ledger.Entry{ID: "e1", Kind: kind}.CheckCaller(),
			map[bool]string{false: "kind"}[ok])
	}
}

// A house account that is spread lies where the other side does; @rewards has one place.
func TestSides(t *testing.T) {
	alice, bob, rewards := ledger.Account("alice").Bucket(), ledger.Account("bob").Bucket(), ledger.Rewards.Bucket()
	custody, payable := ledger.Custody.Bucket(), ledger.Payable.Bucket()
	if different := map[int]bool{alice: true, bob: true, rewards: true, custody: true,
		payable: true}; len(different) != 5 {
		t.Fatal("this test needs accounts of different buckets")
	}
	for _, c := range []struct {
		from, to         ledger.Account
		fromLies, toLies int
	}{
		{ledger.Custody, "alice", alice, alice},
		{"alice", ledger.Custody, alice, alice},
		{"alice/held", ledger.Desk, alice, alice},
		{ledger.Payable, "bob", bob, bob},
		{"alice", "bob", alice, bob},
		{"alice", "alice/held", alice, alice},
		{ledger.Custody, ledger.Rewards, rewards, rewards},
		{ledger.Rewards, ledger.Payable, rewards, rewards},
	} {
		if from, to := move(c.from, c.to).Sides(); from != c.fromLies || to != c.toLies {
			t.Errorf("%s → %s lies in %d and %d; want %d and %d", c.from, c.to, from, to, c.fromLies, c.toLies)
		}
	}
}

// TestPendingWithdrawalsEnd: an ID that is reserved now may have requested a withdrawal
// before; it can be ended, and not requested again.
func TestPendingWithdrawalsEnd(t *testing.T) {
	for _, kind := range []ledger.Kind{ledger.WithdrawalCompleted, ledger.WithdrawalCancelled} {
		if err := (ledger.Entry{ID: ledger.EndingID("fees/2026-1", kind), Kind: kind}).CheckCaller(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	for _, e := range []ledger.Entry{
		{ID: "fees/2026-1", Kind: ledger.WithdrawalRequest}, {ID: "income/1/completed", Kind: ledger.Deposit},
	} {
		if err := e.CheckCaller(); err == nil {
			t.Errorf("%s %s is accepted", e.Kind, e.ID)
		}
	}
}
