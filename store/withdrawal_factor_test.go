package store_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// A holder without a second factor withdraws nothing, saves no address and makes no key that withdraws, whatever the
// credential. A token and a key stand for those who log in to the account. Back ends are not asked.
func TestAWithdrawalNeedsAFactor(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		scenario.AnyAddress(t, db, "alice")
		addLogin(t, db, "alice@example.com", "alice")
		addLogin(t, db, "second@example.com", "alice")
		deposit(t, db, "d", "alice", 100, bnb, time.Time{})
		n := 0
		try := func(by *store.DB) string {
			t.Helper()
			n++
			_, err := by.Withdraw(ctx, store.Withdrawal{ID: fmt.Sprintf("alice/w%d", n), Account: "alice", Asset: bnb,
				Amount: coins(1), Address: "0x1"})
			return reasonOf(err)
		}
		key := access.Key{Key: strings.Repeat("W", 64), Account: "alice", Type: access.HMAC, Secret: []byte("sealed"),
			Permissions: []access.Permission{access.Read, access.Withdraw},
			Addresses:   []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
		save := func(by *store.DB) string {
			_, err := by.People().AddWithdrawalAddress(ctx, people.WithdrawalAddress{Account: "alice", Asset: bnb,
				Address: "0x2"})
			return reasonOf(err)
		}
		all := func(what string, want string) {
			t.Helper()
			for name, actor := range aliceAs {
				same(t, what+", "+name, try(db.As(actor)), want)
			}
		}
		all("books from before there was the rule", "")
		for range 2 {
			ok(t, db.SetWithdrawalFactor(ctx, true))
		}
		all("without a factor", access.ReasonFactor)
		same(t, "a back end", try(db), "")
		session := db.As(aliceAs["session"])
		wantsReason(t, session.People().AddKey(ctx, key), access.ErrForbidden, access.ReasonFactor)
		for name, actor := range aliceAs {
			same(t, "an address, "+name, save(db.As(actor)), access.ReasonFactor)
		}
		refused := testkit.Must(session.Post(ctx, []ledger.Entry{request("plain", "alice", 1)}))(t)
		wantsReason(t, refused[0].Err, access.ErrForbidden, access.ReasonFactor)
		n = 0
		same(t, "the first request, again", try(db.As(aliceAs["token"])), "")
		n = 100

		addPasskey(t, db, access.LoginSubject("second@example.com"), "Phone")
		same(t, "the person without one", try(session), access.ReasonFactor)
		same(t, "a token", try(db.As(aliceAs["token"])), "")
		same(t, "a key", try(db.As(aliceAs["key"])), "")
		same(t, "an address with a key", save(db.As(aliceAs["key"])), "")
		second := db.As(holderActor(access.LoginSubject("second@example.com"), ""))
		same(t, "the person who has one, and did not confirm", try(second), access.ReasonStepUp)

		ok(t, db.SetWithdrawalFactor(ctx, false))
		same(t, "the rule is off", try(session), "")
		ok(t, db.SetWithdrawalFactor(ctx, true))
		ok(t, session.People().SetSavedOnly(ctx, "alice", true))
		wantsReason(t, session.People().SetSavedOnly(ctx, "alice", false), access.ErrForbidden, access.ReasonFactor)
		ok(t, db.SetWithdrawalFactor(ctx, false))
		on := testkit.Must(reports.New(db.Reader()).NeedsFactor(ctx))(t)
		same(t, "it says so", on, false)
		audited(t, db)
	})
}
