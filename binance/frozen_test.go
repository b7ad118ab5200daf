package binance_test

import (
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
)

// TestAFrozenAccount answers what its programs understand: the account is suspended,
// can neither trade nor withdraw, and what it has is still shown.
func TestAFrozenAccount(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.enter("d", ledger.Deposit, ledger.Custody, "alice", "BNB", 2_00000000)
		if _, err := f.db.Freeze(t.Context(), "alice", "order 7", false); err != nil {
			t.Fatal(err)
		}
		const banned = `400 {"code":-3022,"msg":"You account's trading is banned."}`
		f.wants(f.post(applyPath, "coin=BNB&address=bnb1x&amount=1"), banned)
		f.wants(f.get(setPath, "softStaking=true"), banned)
		f.wants(f.get(statusPath, ""), `200 {"data":"Locked"}`)
		if shown := f.get("/api/v3/account", "").String(); !strings.Contains(shown,
			`"canTrade":false,"canWithdraw":false,"canDeposit":true`) || !strings.Contains(shown, `"free":"2"`) {
			t.Errorf("the account is %s", shown)
		}
		if _, _, err := f.db.Unfreeze(t.Context(), "alice", "lifted"); err != nil {
			t.Fatal(err)
		}
		tick(f) // or it is the request that was refused
		f.apply("coin=BNB&address=bnb1x&amount=1")
		f.wants(f.get(statusPath, ""), `200 {"data":"Normal"}`)
	})
}
