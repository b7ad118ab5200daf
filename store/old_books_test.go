package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// Books from before codes were checked hold residences and regions that do not exist:
// they are read, settled and audited as they are, and count as none for activation.
func TestResidencesThatDoNotExist(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		for _, code := range []staking.Region{"XX", "ZZ", "UK", "EU", "QQ", "T1", "US-ZZ"} {
			_, err := db.OpenAccount(ctx, "new", code)
			wants(t, err, ledger.ErrInvalid)
			wants(t, db.OpenAccounts(ctx, []store.Account{{ID: "new", Region: code}}), ledger.ErrInvalid)
			wants(t, failure(db.AddRegion(ctx, code, 0, "")), ledger.ErrInvalid)
		}
		for _, id := range []ledger.Account{"alice", "bob"} {
			open(t, db, id)
			deposit(t, db, "d-"+string(id), id, 2, "BNB", time.Time{})
			accept(t, db, id)
		}
		on(t, db, "alice")
		testkit.Must(db.Fund(ctx, "1", "BNB", 100_00000000, false))(t)
		testkit.Must(db.Exec(ctx, "UPDATE accounts SET region = 'XX'"))(t)
		testkit.Must(db.Exec(ctx, "INSERT INTO listings (code, number, from_day, added, added_by, reason, ended, "+
			"removed, removed_by, restored, unfinished) VALUES ('UK', 1, 1, 0, '', '', 0, 0, '', 0, 0)"))(t)

		_, err := db.Enroll(ctx, "bob", staking.Client{}, time.Time{})
		wants(t, err, staking.ErrRegion)
		if s := holder(t, db, "bob", reports.Eligibility); s.Region == nil {
			t.Error("bob's residence does not exist, and he could switch on")
		}
		testkit.Must(db.Enroll(ctx, "alice", staking.Client{}, time.Time{}))(t) // it is on already
		clock.Set(3, "00:10")
		settle(t, db, clock)
		if earned(t, db, "alice", "BNB") == 0 {
			t.Error("what was on before goes on earning")
		}
		if r := auditOf(t, db, audit.Options{}); r.Total != 0 {
			t.Errorf("the audit finds %v", r.Findings)
		}
		off(t, db, "alice")
		if a := testkit.Must(db.Account(ctx, "alice"))(t); a.Region != "XX" {
			t.Errorf("alice's residence is read as %q", a.Region)
		}
		setRegion(t, db, "bob", "GB")
		on(t, db, "bob")

		if regions := testkit.Must(reports.New(db.Reader()).Regions(ctx))(t); !slices.Contains(regions, "UK") {
			t.Errorf("listed are %v", regions)
		}
		testkit.Must(db.RemoveRegion(ctx, "uk"))(t)
		wants(t, failure(db.RemoveRegion(ctx, "UK")), ledger.ErrNotFound)
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

// oneBNB are the moves of one BNB.
func oneBNB(from, to ledger.Account) []ledger.Move {
	return []ledger.Move{{From: from, To: to, Asset: "BNB", Amount: 1_00000000}}
}

// TestNewIDsCannotVanishFromAURL: whatever it is that is called so.
func TestNewIDsCannotVanishFromAURL(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		deposit(t, db, "d-alice", "alice", 10, "BNB", time.Time{})
		for _, id := range []string{".", ".."} {
			_, err := db.OpenAccount(ctx, ledger.Account(id), "DE")
			wants(t, err, ledger.ErrInvalid)
			wants(t, db.OpenAccounts(ctx, []store.Account{{ID: ledger.Account(id)}}), ledger.ErrInvalid)
			_, err = db.Fund(ctx, id, "BNB", 1, false)
			wants(t, err, ledger.ErrInvalid)
			_, err = db.Adjust(ctx, ledger.Entry{ID: id, Kind: ledger.Adjustment, Moves: oneBNB(ledger.Custody, "alice")}, "why")
			wants(t, err, ledger.ErrInvalid)
			_, err = db.Withdraw(ctx, store.Withdrawal{ID: id, Account: "alice", Asset: "BNB", Amount: 1})
			wants(t, err, ledger.ErrInvalid)
			wants(t, refusal(db.Post(ctx, []ledger.Entry{{ID: "a/" + id, Kind: ledger.Deposit,
				Moves: oneBNB(ledger.Custody, "alice")}})), ledger.ErrInvalid)
			_, err = db.PostAll(ctx, []ledger.Entry{{ID: id + "/a", Kind: ledger.Deposit,
				Moves: oneBNB(ledger.Custody, "alice")}})
			wants(t, err, ledger.ErrInvalid)
		}
	})
}

// dots is what the account, the entry and the withdrawal of older books are called.
const dots = ".."

// dotted puts into the books what older ones may hold: an account "..", its deposit
// ".." of 5 BNB, which it returns, and its withdrawal "./w" of 1 BNB, which waits.
func dotted(t *testing.T, db *store.DB) ledger.Entry {
	t.Helper()
	account, entry := ledger.Account(sameBucket(dots)), sameBucket(dots)
	open(t, db, account)
	deposit(t, db, entry, account, 5, "BNB", time.Time{})
	accept(t, db, account)
	on(t, db, account)
	request := "x" + entry
	testkit.Must(db.Withdraw(t.Context(), store.Withdrawal{ID: request, Account: account, Asset: "BNB",
		Amount: 1_00000000}))(t)
	for _, column := range []string{
		"accounts account", "balances account", "acceptances account", "enrollments account", "switch_events account",
		"withdrawals account", "pending account",
		"postings account", "postings other",
	} {
		table, name, _ := strings.Cut(column, " ")
		sql := fmt.Sprintf("UPDATE %s SET %s = $1 WHERE %s = $2", table, name, name)
		testkit.Must(db.Exec(t.Context(), sql, dots, string(account)))(t)
		testkit.Must(db.Exec(t.Context(), sql, dots+"/held", string(account.Held())))(t)
	}
	posted := ledger.Entry{ID: dots, Kind: ledger.Deposit,
		Moves: []ledger.Move{{From: ledger.Custody, To: dots, Asset: "BNB", Amount: 5_00000000}}}
	renameEntry(t, db, entry, posted)
	renameEntry(t, db, request, ledger.Entry{ID: "./w", Kind: ledger.WithdrawalRequest, Moves: oneBNB(dots, dots+"/held")})
	testkit.Must(db.Exec(t.Context(), "UPDATE withdrawals SET id = './w'"))(t)
	testkit.Must(db.Exec(t.Context(), "UPDATE pending SET id = './w'"))(t)
	ok(t, signed(t, db, integrity.Withdrawals, "id = './w'"))
	return posted
}

// Books from before IDs were kept out that vanish from a URL are read, moved, settled
// and audited as they are.
func TestIDsThatVanishFromAURL(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		deposit(t, db, "d-alice", "alice", 10, "BNB", time.Time{})
		posted := dotted(t, db)

		if a := testkit.Must(db.Account(ctx, dots))(t); a.ID != dots {
			t.Errorf("the account is %+v", a)
		}
		found := 0
		for after := ledger.Account(""); ; found++ {
			page := testkit.Must(reports.New(db.Reader()).Accounts(ctx, after, 1))(t)
			if len(page) == 0 {
				break
			}
			after = page[0].ID
		}
		if found != 2 {
			t.Errorf("%d accounts are read page by page", found)
		}
		e, _, err := reports.New(db.Reader()).Entry(ctx, dots)
		if ok(t, err); !slices.Equal(e.Moves, posted.Moves) {
			t.Errorf("the entry is %+v", e)
		}
		if again := testkit.Must(db.Post(ctx, []ledger.Entry{posted}))(t); !again[0].Repeated {
			t.Errorf("the entry posted again is answered %+v", again[0])
		}
		w := testkit.Must(reports.New(db.Reader()).Withdrawal(ctx, dots, "./w"))(t)
		ok(t, refusal(db.Post(ctx, []ledger.Entry{w.Ending(ledger.WithdrawalCancelled)})))
		ok(t, refusal(db.Post(ctx, []ledger.Entry{{ID: "t-1", Kind: ledger.Transfer, Moves: oneBNB("alice", dots)}})))
		testkit.Must(db.Fund(ctx, "1", "BNB", 100_00000000, false))(t)
		clock.Set(3, "00:10")
		settle(t, db, clock)
		if earned(t, db, dots, "BNB") == 0 {
			t.Error("the account earns nothing")
		}
		lines, _, err := reports.New(db.Reader()).Lines(ctx, dots, reports.LinesAsked{From: day1, To: day1 + 3}, nil, 100)
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
	there, _, err := reports.New(db.Reader()).Entry(t.Context(), from)
	ok(t, err)
	to.At = there.At
	var destination []byte
	if to.Kind == ledger.WithdrawalRequest {
		destination = ledger.Destination{}.Hash()
	}
	digest := to.Digest(to.Leaves(), destination)
	testkit.Must(db.Exec(t.Context(), "UPDATE entries SET entry = $1, bucket = $2, digest = $3, leaves = $4 "+
		"WHERE entry = $5",
		to.ID, int64(to.Bucket()), digest[:], to.Leaves(), from))(t)
	testkit.Must(db.Exec(t.Context(), "UPDATE postings SET entry = $1 WHERE entry = $2", to.ID, from))(t)
}
