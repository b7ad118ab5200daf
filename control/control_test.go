package control_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

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
	"join": "", "join resume": "O", "join skip": "O", "join retire": "O", "join close": "O",
	"days set-close-after": "O", "day close": "O", "declare": "O", "settle approve": "O",
	"limit set-account": "M", "limit own": "H", "withdrawal-factor on": "M", "withdrawal-factor off": "M",
	"login add": "O", "login password": "OH", "login remove": "O", "key create": "OH", "key limit": "OH",
	"key revoke":   "OH",
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
