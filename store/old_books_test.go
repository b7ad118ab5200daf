package store_test

import (
	"fmt"
	"slices"
	"strings"
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

// sameBucket is an ID that lies in the bucket of another.
func sameBucket(id string) string {
	for n := 0; ; n++ {
		if other := fmt.Sprintf("n-%d", n); ledger.Account(other).Bucket() == ledger.Account(id).Bucket() {
			return other
		}
	}
}

// Books from before IDs were kept out that vanish from a URL are read, moved, settled
// and audited as they are; what is new is refused.
func TestIDsThatVanishFromAURL(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		deposit(t, db, "d-alice", "alice", 10, "BNB", time.Time{})
		move := func(from, to ledger.Account) []ledger.Move {
			return []ledger.Move{{From: from, To: to, Asset: "BNB", Amount: 1_00000000}}
		}
		for _, id := range []string{".", ".."} {
			_, err := db.OpenAccount(ctx, ledger.Account(id), "DE")
			wants(t, err, ledger.ErrInvalid)
			wants(t, db.OpenAccounts(ctx, []store.Account{{ID: ledger.Account(id)}}), ledger.ErrInvalid)
			_, err = db.Fund(ctx, id, "BNB", 1, false)
			wants(t, err, ledger.ErrInvalid)
			_, err = db.Adjust(ctx, ledger.Entry{ID: id, Kind: ledger.Adjustment, Moves: move(ledger.Custody, "alice")}, "why")
			wants(t, err, ledger.ErrInvalid)
			_, err = db.Withdraw(ctx, store.Withdrawal{ID: id, Account: "alice", Asset: "BNB", Amount: 1})
			wants(t, err, ledger.ErrInvalid)
			wants(t, refusal(db.Post(ctx, []ledger.Entry{{ID: "a/" + id, Kind: ledger.Deposit, Moves: move(ledger.Custody, "alice")}})), ledger.ErrInvalid)
			_, err = db.PostAll(ctx, []ledger.Entry{{ID: id + "/a", Kind: ledger.Deposit, Moves: move(ledger.Custody, "alice")}})
			wants(t, err, ledger.ErrInvalid)
		}

		// An account and an entry, and a withdrawal that waits, all called "..".
		const dots = ".."
		account, entry := ledger.Account(sameBucket(dots)), sameBucket(dots)
		open(t, db, account)
		deposit(t, db, entry, account, 5, "BNB", time.Time{})
		accept(t, db, account)
		on(t, db, account)
		request := "x" + entry
		must[store.Outcome](t)(db.Withdraw(ctx, store.Withdrawal{ID: request, Account: account, Asset: "BNB", Amount: 1_00000000}))
		for _, sql := range []string{
			"UPDATE accounts SET account = $1 WHERE account = $2", "UPDATE balances SET account = $1 WHERE account = $2",
			"UPDATE acceptances SET account = $1 WHERE account = $2", "UPDATE enrollments SET account = $1 WHERE account = $2",
			"UPDATE presses SET account = $1 WHERE account = $2", "UPDATE withdrawals SET account = $1 WHERE account = $2",
			"UPDATE pending SET account = $1 WHERE account = $2", "UPDATE postings SET account = $1 WHERE account = $2", "UPDATE postings SET other = $1 WHERE other = $2",
		} {
			must[int64](t)(db.Exec(ctx, sql, dots, string(account)))
			must[int64](t)(db.Exec(ctx, strings.ReplaceAll(sql, "$1 WHERE", "$1 || '/held' WHERE")+" || '/held'", dots, string(account)))
		}
		posted := ledger.Entry{ID: dots, Kind: ledger.Deposit, Moves: []ledger.Move{{From: ledger.Custody, To: dots, Asset: "BNB", Amount: 5_00000000}}}
		renameEntry(t, db, entry, posted)
		renameEntry(t, db, request, ledger.Entry{ID: "./w", Kind: ledger.WithdrawalRequest, Moves: move(dots, "../held")})
		must[int64](t)(db.Exec(ctx, "UPDATE withdrawals SET id = './w'"))
		must[int64](t)(db.Exec(ctx, "UPDATE pending SET id = './w'"))

		if a := must[store.Account](t)(db.Account(ctx, dots)); a.ID != dots {
			t.Errorf("the account is %+v", a)
		}
		found := 0
		for after := ledger.Account(""); ; found++ {
			page := must[[]store.Account](t)(db.Accounts(ctx, after, 1))
			if len(page) == 0 {
				break
			}
			after = page[0].ID
		}
		if found != 2 {
			t.Errorf("%d accounts are read page by page", found)
		}
		e, _, err := db.Entry(ctx, dots)
		if ok(t, err); e.Moves[0].To != dots {
			t.Errorf("the entry is %+v", e)
		}
		repeated := must[[]store.Outcome](t)(db.Post(ctx, []ledger.Entry{posted}))
		if !repeated[0].Repeated {
			t.Errorf("the entry posted again is answered %+v", repeated[0])
		}
		w := must[store.Withdrawal](t)(db.Withdrawal(ctx, dots, "./w"))
		ok(t, refusal(db.Post(ctx, []ledger.Entry{w.Ending(ledger.WithdrawalCancelled)})))
		ok(t, refusal(db.Post(ctx, []ledger.Entry{{ID: "t-1", Kind: ledger.Transfer, Moves: move("alice", dots)}})))
		must[store.Outcome](t)(db.Fund(ctx, "1", "BNB", 100_00000000, false))
		clock.Set(3, "00:10")
		settle(t, db, clock)
		if earned(t, db, dots, "BNB") == 0 {
			t.Error("the account earns nothing")
		}
		lines, _, err := db.Lines(ctx, dots, store.LinesAsked{From: day1, To: day1 + 3}, nil, 100)
		if ok(t, err); len(lines) != 7 {
			t.Errorf("its journal has %d lines: %v", len(lines), lines)
		}
		if r := auditOf(t, db, audit.Options{}); r.Total != 0 {
			t.Errorf("the audit finds %v", r.Findings)
		}
		off(t, db, dots)
	})
}

// renameEntry gives an entry another name and digest, as books may have them.
func renameEntry(t *testing.T, db *store.DB, from string, to ledger.Entry) {
	t.Helper()
	digest := to.Digest()
	must[int64](t)(db.Exec(t.Context(), "UPDATE entries SET entry = $1, bucket = $2, digest = $3 WHERE entry = $4", to.ID, int64(to.Bucket()), digest[:], from))
	must[int64](t)(db.Exec(t.Context(), "UPDATE postings SET entry = $1 WHERE entry = $2", to.ID, from))
}
