package control_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
)

// lettersOf are the roles, and the parts of a back end, with the letters that stand for them below.
var lettersOf = map[string]access.Actor{
	"d": {Role: access.Exchange, Parts: access.Deposits}, "t": {Role: access.Exchange, Parts: access.Trades},
	"w": {Role: access.Exchange, Parts: access.Withdrawals}, "e": {Role: access.Exchange, Parts: access.Enrollment},
	"V": {Role: access.Viewer}, "S": {Role: access.Support}, "O": {Role: access.Operator}, "P": {Role: access.Approver},
	"U": {Role: access.Treasurer}, "A": {Role: access.Auditor}, "M": {Role: access.Admin}, "H": {Role: access.Holder},
	"s": {Role: access.System}, "c": {Role: access.Operator, Credential: "operator Olga"},
}

// matrix says of every operation who may do or propose it, beside the command line and the books' own processes, which
// may all. It is written by hand, and not made of the table that it is compared with.
var matrix = map[control.Operation]string{
	"init": "", "upgrade": "", "restore": "", "app-role grant": "", "load": "", "import": "", "import read": "",
	"key reseal": "", "key protect": "", "anchor": "", "backup": "",
	"account open": "de", "account set-region": "eO", "account close": "e", "account sweep": "tO", "account freeze": "O",
	"account unfreeze": "O", "account read": "S", "owner set": "O", "label add": "O", "label remove": "O",
	"address set": "dH", "address remove": "dH", "accept": "eH", "enroll": "eH", "leave": "eH", "exclude add": "O",
	"exclude end": "O", "post": "dtwH", "withdrawal request": "wH", "withdrawal cancel": "wOH",
	"withdrawal-address add": "H", "withdrawal-address any": "H", "withdrawal-address load": "",
	"withdrawal-address remove": "OH", "withdrawal-address saved-only": "OH",
	"withdrawal complete":    "wO",
	"reconciliation resolve": "O", "adjust": "O", "compensate": "O",
	"fund": "U", "fund withdraw": "U", "fees withdraw": "U", "fees return": "U", "income": "U", "campaign add": "U",
	"campaign end": "OU", "asset add": "O", "terms set": "O", "terms correct": "O", "limit set": "M", "price set": "O",
	"currency set": "O", "document publish": "O", "disclosure set": "O", "region add": "OM", "region remove": "OM",
	"join": "", "join add": "O", "join resume": "O", "join skip": "O", "join retire": "O", "join close": "O",
	"reconcile": "d", "reconcile set": "", "reconcile set-limit": "M", "reconcile resolve": "O",
	"reconcile release":    "O",
	"days set-close-after": "O", "day close": "O", "declare": "O", "settle approve": "O",
	"limit set-account": "M", "limit own": "H", "withdrawal-factor on": "M", "withdrawal-factor off": "M",
	"webhook add": "M", "webhook change": "M", "webhook rotate": "M", "webhook remove": "M", "webhook skip": "O",
	"webhook disable": "OM", "webhook enable": "OM", "webhook replay": "OM", "webhook test": "OM",
	"payouts on": "M", "payouts off": "M", "payouts answer": "dO",
	"payouts deliver": "", "payouts resend": "", "payouts end-delivery": "",
	"events deliver": "", "events resend": "", "events end-delivery": "",
	"login add": "O", "login invite": "O", "login password": "H", "login remove": "O",
	"key create": "OH", "key limit": "OH", "key revoke": "OH",
	"token create": "M", "token revoke": "M", "four-eyes on": "M", "four-eyes off": "M",
	"staff add": "M", "staff set-role": "M", "staff invite": "M", "staff disable": "M", "staff log-in": "VSOPUAM",
	"staff log-in refused": "VSOPUAM", "staff log-out": "VSOPUAM",
	"factor add": "VSOPUAMH", "factor rename": "VSOPUAMH", "factor remove": "VSOPUAMH", "factor codes": "VSOPUAMH",
	"factor reset":  "OM",
	"account erase": "O", "break-glass": "M",
	"proposal make": "dtweOUM", "proposal approve": "P", "proposal reject": "P",
}

func TestEveryOperationAndEveryRole(t *testing.T) {
	for _, op := range control.Operations() {
		letters, known := matrix[op]
		if !known {
			t.Errorf("%s is not in the matrix: say who may do or propose it", op)
		}
		for letter, actor := range lettersOf {
			err := control.Check(op, actor)
			may := strings.Contains(letters+"sc", letter)
			if may != (err == nil) || err != nil && !errors.Is(err, access.ErrForbidden) {
				t.Errorf("%s by %s %s: %v", op, actor.Role, actor.Parts, err)
			}
		}
	}
	if err := control.Check("no such", access.Process("serve")); !errors.Is(err, access.ErrForbidden) {
		t.Errorf("an operation that is in no table: %v", err)
	}
}

// TestPartsOfABackEnd: each kind of entry that a caller may post belongs to one part.
func TestPartsOfABackEnd(t *testing.T) {
	kinds := map[ledger.Kind]string{ledger.Deposit: "d", ledger.Trade: "t", ledger.Transfer: "t", ledger.Hold: "t",
		ledger.Release: "t", ledger.Withdrawal: "w", ledger.WithdrawalRequest: "w", ledger.WithdrawalCompleted: "w",
		ledger.WithdrawalCancelled: "w", ledger.Opening: "", ledger.Fund: "", ledger.Adjustment: ""}
	for kind, letters := range kinds {
		for letter, actor := range lettersOf {
			err := control.CheckKind(kind, actor)
			if may := actor.Role != access.Exchange || strings.Contains(letters, letter); may != (err == nil) {
				t.Errorf("%s by %s %s: %v", kind, actor.Role, actor.Parts, err)
			}
		}
	}
}

// TestWhatAHolderPosts: what leaves the free part of its own account, now, and nothing else.
func TestWhatAHolderPosts(t *testing.T) {
	alice := access.Token{ID: "4fQx81LmZp0a", Role: access.Holder, Account: "alice"}.Actor()
	nobody := access.Actor{Role: access.Holder}
	entry := func(kind ledger.Kind, sides ...ledger.Account) ledger.Entry {
		e := ledger.Entry{ID: "alice/e-1", Kind: kind}
		for i := 0; i < len(sides); i += 2 {
			e.Moves = append(e.Moves, ledger.Move{From: sides[i], To: sides[i+1], Asset: "BNB", Amount: 1})
		}
		return e
	}
	dated, decided := entry(ledger.Transfer, "alice", "bob"), entry(ledger.Transfer, "alice", "bob")
	dated.At, decided.Authoritative = time.Unix(0, 0), true
	named := func(id string, e ledger.Entry) ledger.Entry {
		e.ID = id
		return e
	}
	const hash = "0123456789abcdef0123456789abcdef"
	request := entry(ledger.WithdrawalRequest, "alice", "alice/held")
	key, login := access.Key{Key: "abcdefgh", Account: "alice"}.Actor(), access.Session{Account: "alice"}.Actor()
	for _, c := range []struct {
		what     string
		entry    ledger.Entry
		converts bool
		by       access.Actor
		may      bool
	}{
		{"its own transfer", entry(ledger.Transfer, "alice", "bob"), false, alice, true},
		{"its own request", entry(ledger.WithdrawalRequest, "alice", "alice/held"), false, alice, true},
		{"its own cancellation", entry(ledger.WithdrawalCancelled, "alice/held", "alice"), false, alice, true},
		{"its own conversion", entry(ledger.Trade, "alice", ledger.Desk, ledger.Desk, "alice"), true, alice, true},
		{"a trade with @desk that nobody has priced", entry(ledger.Trade, "alice", ledger.Desk, ledger.Desk, "alice"), false,
			alice, false},
		{"another's conversion", entry(ledger.Trade, "bob", ledger.Desk, ledger.Desk, "bob"), true, alice, false},
		{"a conversion that another pays", entry(ledger.Trade, "bob", ledger.Desk, ledger.Desk, "alice"), true, alice, false},
		{"a conversion that another gets", entry(ledger.Trade, "alice", ledger.Desk, ledger.Desk, "bob"), true, alice, false},
		{"a deposit", entry(ledger.Deposit, ledger.Custody, "alice"), false, alice, false},
		{"another's transfer", entry(ledger.Transfer, "bob", "alice"), false, alice, false},
		{"another's beside its own", entry(ledger.Transfer, "alice", "bob", "bob", "alice"), false, alice, false},
		{"what is held", entry(ledger.Transfer, "alice/held", "alice"), false, alice, false},
		{"another's request", entry(ledger.WithdrawalRequest, "bob", "bob/held"), false, alice, false},
		{"another's cancellation", entry(ledger.WithdrawalCancelled, "bob/held", "bob"), false, alice, false},
		{"a withdrawal", entry(ledger.Withdrawal, "alice", ledger.Custody), false, alice, false},
		{"a completion", entry(ledger.WithdrawalCompleted, "alice/held", ledger.Custody), false, alice, false},
		{"the past", dated, false, alice, false},
		{"what another ledger decided", decided, false, alice, false},
		{"what another ledger decided, by a back end", decided, false, lettersOf["t"], false},
		{"the same, with its token", decided, false,
			access.Actor{Role: access.Exchange, Parts: access.Trades, Authoritative: true}, true},
		{"the same, at the command line", decided, false, lettersOf["c"], true},
		{"a deposit's name", named("d-1", entry(ledger.Transfer, "alice", "bob")), false, alice, false},
		{"another's name", named("bob/e-1", request), false, alice, false},
		{"a name with parts", named("alice/w/completed", request), false, alice, false},
		{"its own conversion under another's name",
			named("d-1", entry(ledger.Trade, "alice", ledger.Desk, ledger.Desk, "alice")), true, alice, false},
		{"what an API key requests", named(hash, request), false, key, true},
		{"such a name of another credential", named(hash, request), false, alice, false},
		{"what a page posts", named("web-"+hash, request), false, login, true},
		{"a cancellation, which its request names",
			named(hash+"/cancelled", entry(ledger.WithdrawalCancelled, "alice/held", "alice")), false, alice, true},
		{"without an account", entry(ledger.Transfer, "", "bob"), false, nobody, false},
	} {
		err := control.CheckEntry(c.entry, c.converts, c.by)
		if c.may != (err == nil) || err != nil && !errors.Is(err, access.ErrForbidden) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// TestEveryRuleNamesItsRoles: a rule names who may, and says when it needs approval.
func TestEveryRuleNamesItsRoles(t *testing.T) {
	for _, op := range control.Operations() {
		rule, _ := control.RuleOf(op)
		if rule.Roles == nil || (rule.Class == control.Sometimes) != (rule.When != "") {
			t.Errorf("%s is %+v", op, rule)
		}
		if slices.Contains(rule.Roles, access.Exchange) && control.PartsOf(op) == 0 {
			t.Errorf("%s is a back end's, and of none of its parts", op)
		}
	}
}
