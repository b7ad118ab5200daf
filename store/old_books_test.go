package store_test

import (
	"slices"
	"testing"
	"time"

	"softstake/audit"
	"softstake/ledger"
	"softstake/staking"
	"softstake/store"
)

// Books from before codes were checked hold residences and regions that do not exist:
// they are read, settled and audited as they are, and count as none for activation.
func TestResidencesThatDoNotExist(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *Clock) {
		ctx := t.Context()
		for _, code := range []staking.Region{"XX", "ZZ", "UK", "EU", "QQ", "T1", "US-ZZ"} {
			_, err := db.OpenAccount(ctx, "new", code)
			wants(t, err, ledger.ErrInvalid)
			wants(t, db.OpenAccounts(ctx, []store.Account{{ID: "new", Region: code}}), ledger.ErrInvalid)
			wants(t, db.AddRegion(ctx, code), ledger.ErrInvalid)
		}
		for _, id := range []ledger.Account{"alice", "bob"} {
			open(t, db, id)
			deposit(t, db, "d-"+string(id), id, 2, "BNB", time.Time{})
			accept(t, db, id)
		}
		on(t, db, "alice")
		must[store.Outcome](t)(db.Fund(ctx, "1", "BNB", 100_00000000, false))
		must[int64](t)(db.Exec(ctx, "UPDATE accounts SET region = 'XX'"))
		must[int64](t)(db.Exec(ctx, "INSERT INTO regions (code) VALUES ('UK')"))

		_, err := db.Enroll(ctx, "bob", staking.Client{}, time.Time{})
		wants(t, err, staking.ErrRegion)
		if s := must[store.Standing](t)(db.Standing(ctx, "bob", staking.Client{})); s.Region == nil {
			t.Error("bob's residence does not exist, and he could switch on")
		}
		must[staking.Enrollment](t)(db.Enroll(ctx, "alice", staking.Client{}, time.Time{})) // it is on already
		clock.Set(3, "00:10")
		settle(t, db, clock)
		if earned(t, db, "alice", "BNB") == 0 {
			t.Error("what was on before goes on earning")
		}
		if r := auditOf(t, db, audit.Options{}); r.Total != 0 {
			t.Errorf("the audit finds %v", r.Findings)
		}
		off(t, db, "alice")
		if a := must[store.Account](t)(db.Account(ctx, "alice")); a.Region != "XX" {
			t.Errorf("alice's residence is read as %q", a.Region)
		}
		ok(t, db.SetRegion(ctx, "bob", "GB"))
		on(t, db, "bob")

		if regions := must[[]staking.Region](t)(db.Regions(ctx)); !slices.Contains(regions, "UK") {
			t.Errorf("listed are %v", regions)
		}
		ok(t, db.RemoveRegion(ctx, "uk"))
		wants(t, db.RemoveRegion(ctx, "UK"), ledger.ErrNotFound)
	})
}
