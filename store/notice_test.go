package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// noticed are the notices of an account in short, the newest first.
func noticed(t *testing.T, db *store.DB, id ledger.Account) (lines []string) {
	t.Helper()
	for _, n := range testkit.Must(db.People().Notices(t.Context(), id, nil, 100))(t) {
		lines = append(lines, strings.Join(append([]string{string(n.Kind)}, n.Facts...), "|"))
	}
	return lines
}

// mailed are the mails to an address in short, the newest first.
func mailed(t *testing.T, db *store.DB, email string) (lines []string) {
	t.Helper()
	for _, m := range testkit.Must(db.People().Mails(t.Context(), email, 100))(t) {
		state := "waits"
		if !m.Sent.IsZero() {
			state = "sent"
		} else if m.Ended {
			state = "ended"
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %d %s %s", m.Notice.Kind, m.Tries, state, m.Problem)))
	}
	return lines
}

// notify adds a notice in a transaction of its own.
func notify(t *testing.T, b *store.DB, subject string, kind people.NoticeKind, facts ...string) error {
	t.Helper()
	return b.Engine().Write(t.Context(), func(tx db.Tx) error { return b.People().Notify(tx, subject, kind, facts...) })
}

// A new key, a new password and a log-in with a new browser each are a notice of the account and a mail to every one
// of its logins, in the same transaction; what is repeated or refused is none.
func TestChangesAreNotified(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		addLogin(t, db, "alice@example.com", "alice")
		addLogin(t, db, "both@example.com", "alice")
		addLogin(t, db, "bob@example.com", "bob")
		same(t, "at first", noticed(t, db, "alice"), nil)

		known := newSession(t, clock, "alice@example.com", "alice")
		stranger := newSession(t, clock, "alice@example.com", "alice")
		stranger.Stranger, stranger.Client, stranger.Address = true, "Firefox", "192.0.2.7 DE"
		ok(t, db.People().AddSession(ctx, known, oneHash))
		for range 2 { // the same call, whose answer was lost
			ok(t, db.People().AddSession(ctx, stranger, oneHash))
		}
		clock.Advance(time.Second)
		key := newKey(t, "alice")
		for range 2 {
			ok(t, db.People().AddKey(ctx, key))
		}
		clock.Advance(time.Second)
		testkit.Must(db.People().SetPassword(ctx, "alice@example.com", people.PasswordChange{Hash: otherHash}))(t)
		wants(t, db.People().AddSession(ctx, stranger, oneHash), ledger.ErrNotFound) // with the former password

		same(t, "alice", noticed(t, db, "alice"), []string{"password|alice@example.com",
			"key|" + key.Short() + "|" + access.FormatPermissions(key.Permissions), "device|Firefox|192.0.2.7 DE"})
		for _, email := range []string{"alice@example.com", "both@example.com"} {
			same(t, email, mailed(t, db, email), []string{"password 0 waits", "key 0 waits", "device 0 waits"})
		}
		same(t, "bob", noticed(t, db, "bob"), nil)
		same(t, "bob's mail", mailed(t, db, "bob@example.com"), nil)
		_, err := db.People().Notices(ctx, "nobody", nil, 10)
		wants(t, err, ledger.ErrNotFound)

		first := testkit.Must(db.People().Notices(ctx, "alice", nil, 2))(t)
		rest := testkit.Must(db.People().Notices(ctx, "alice", &first[1], 2))(t)
		if len(first) != 2 || len(rest) != 1 || rest[0].Kind != people.NoticeDevice {
			t.Errorf("pages of notices: %v, %v", first, rest)
		}

		ok(t, db.People().RemoveLogin(ctx, "both@example.com"))
		same(t, "of a removed login", mailed(t, db, "both@example.com"), nil)
	})
}

// TestAFreezeThatPausesRewardsNotifies: who earned, once, and nobody whose rewards go on or were off.
func TestAFreezeThatPausesRewardsNotifies(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		for _, id := range []ledger.Account{"earns", "stops", "off"} {
			open(t, db, id)
			if id != "off" {
				on(t, db, id)
			}
			freeze(t, db, id, id == "earns")
		}
		testkit.Must(db.Freeze(t.Context(), "stops", "court order 7", false))(t)
		same(t, "earns", noticed(t, db, "earns"), nil)
		same(t, "stops", noticed(t, db, "stops"), []string{"paused|frozen"})
		same(t, "off", noticed(t, db, "off"), nil)
	})
}

// A notice may be for a login, whose account it then is, or for a member of staff, who has none.
func TestWhoIsNotified(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		open(t, db, "alice")
		addLogin(t, db, "alice@example.com", "alice")
		ok(t, notify(t, db, "login alice@example.com", people.NoticeFactor, "passkey"))
		same(t, "of a login", noticed(t, db, "alice"), []string{"factor|passkey"})
		ok(t, notify(t, db, access.StaffSubject("olga@example.com"), people.NoticeFactor, "passkey"))
		same(t, "of staff", mailed(t, db, "olga@example.com"), []string{"factor 0 waits"})
		wants(t, notify(t, db, "login nobody@example.com", people.NoticeFactor), ledger.ErrNotFound)
		wants(t, notify(t, db, "alice", people.NoticeFactor), ledger.ErrInvalid)
	})
}

// Each mail in the outbox is claimed by one process at a time, and again when the lease is over; what was sent, and
// what is given up, is not.
func TestMailIsClaimed(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, one, "alice")
		addLogin(t, one, "alice@example.com", "alice")
		for _, kind := range []people.NoticeKind{people.NoticeDevice, people.NoticeKey, people.NoticePaused} {
			ok(t, notify(t, one, access.LoginSubject("alice@example.com"), kind))
			clock.Advance(time.Second)
		}
		claim := func(db *store.DB) (people.Mail, string) {
			m, found, err := db.People().ClaimMail(ctx)
			if ok(t, err); !found {
				return m, ""
			}
			return m, fmt.Sprintf("%s %d", m.Notice.Kind, m.Tries)
		}
		first, what := claim(one)
		same(t, "the first", what, "device 1")
		second, what := claim(two)
		same(t, "the second", what, "key 1")
		third, what := claim(one)
		same(t, "the third", what, "paused 1")
		_, what = claim(two)
		same(t, "no more", what, "")

		ok(t, one.People().EndMail(ctx, first, ""))
		ok(t, two.People().RetryMail(ctx, second, clock.Now().Add(time.Minute), "451 later\r\nplease\x00\xff"))
		clock.Advance(time.Minute)
		again, what := claim(one)
		same(t, "retried", what, "key 2")
		ok(t, one.People().EndMail(ctx, again, "550 no such user"))
		ok(t, two.People().RetryMail(ctx, again, clock.Now(), "too late"))
		clock.Advance(10 * time.Minute)
		_, what = claim(two)
		same(t, "when the lease is over", what, "paused 2")
		ok(t, one.People().EndMail(ctx, third, ""))
		same(t, "all", mailed(t, one, "alice@example.com"),
			[]string{"paused 2 sent", "key 2 ended 550 no such user", "device 1 sent"})

		clock.Advance(people.MailsKept)
		ok(t, one.Prune(ctx, people.Retention{}))
		same(t, "after a month", mailed(t, one, "alice@example.com"), nil)
		same(t, "the notices stay", len(noticed(t, one, "alice")), 3)
	})
}

func TestMailSettings(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		addLogin(t, db, "alice@example.com", "alice")
		settings := func() people.MailSettings { return testkit.Must(db.People().MailSettings(ctx, "Alice@example.com"))(t) }
		same(t, "at first", settings(), people.MailSettings{Optional: true})
		for range 2 {
			ok(t, db.People().ChangeMailSettings(ctx, "ALICE@example.com", func(s *people.MailSettings) {
				s.Language, s.Optional = "de", false
			}))
		}
		same(t, "changed", settings(), people.MailSettings{Language: "de"})
		ok(t, notify(t, db, access.LoginSubject("alice@example.com"), people.NoticePaused, "frozen"))
		m, _, err := db.People().ClaimMail(ctx)
		if ok(t, err); m.Language != "de" || m.Optional || m.Account != "alice" {
			t.Errorf("the mail is %+v", m)
		}
		nothing := func(*people.MailSettings) {}
		wants(t, db.People().ChangeMailSettings(ctx, "bob@example.com", nothing), ledger.ErrNotFound)
		wants(t, db.People().ChangeMailSettings(ctx, "bob", nothing), ledger.ErrInvalid)
		ok(t, db.People().RemoveLogin(ctx, "alice@example.com"))
		same(t, "of a removed login", settings(), people.MailSettings{Optional: true})
	})
}

// TestPausedRewardsAreNotified: by a residence that changes or is cleared, a region that is listed, and an exclusion;
// who earned, and nobody else. TestAFreezeThatPausesRewardsNotifies has the freeze.
func TestPausedRewardsAreNotified(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		for _, id := range []ledger.Account{"moves", "unverified", "listed", "excluded", "off"} {
			open(t, db, id)
			if id != "off" {
				on(t, db, id)
			}
		}
		testkit.Must(db.SetRegion(ctx, "listed", "FR"))(t)
		testkit.Must(db.AddRegion(ctx, "AT", staking.DayOf(clock.Now()), "new law"))(t)
		for range 2 {
			testkit.Must(db.SetRegion(ctx, "moves", "AT"))(t)
			testkit.Must(db.SetRegion(ctx, "unverified", ""))(t)
			testkit.Must(db.AddRegion(ctx, "FR", 0, "new law"))(t)
			for _, id := range []ledger.Account{"excluded", "off"} {
				testkit.Must(db.Exclude(ctx, []store.ExclusionRequest{{Exclusion: staking.Exclusion{Account: id, Asset: bnb,
					Product: "Launchpool"}}}))(t)
			}
		}
		same(t, "moves", noticed(t, db, "moves"), []string{"paused|region"})
		same(t, "unverified", noticed(t, db, "unverified"), []string{"paused|residence"})
		same(t, "listed", noticed(t, db, "listed"), []string{"paused|region"})
		same(t, "excluded", noticed(t, db, "excluded"), []string{"paused|excluded"})
		same(t, "off", noticed(t, db, "off"), nil)
	})
}

// TestLargeWithdrawalsAreNotified: from the amount on that the token's limits name, once, whoever requests it.
func TestLargeWithdrawalsAreNotified(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		scenario.AnyAddress(t, db, "alice")
		deposit(t, db, "d", "alice", 100, bnb, time.Time{})
		ask := func(by *store.DB, id string, tokens int64) {
			t.Helper()
			testkit.Must(by.Withdraw(ctx, store.Withdrawal{ID: id, Account: "alice", Asset: bnb, Amount: coins(tokens),
				Address: "0xabcdef0123456789"}))(t)
		}
		ask(db, "unlimited", 50)
		ok(t, db.SetLimit(ctx, staking.Limit{Asset: bnb, MaxWithdrawal: coins(10)}))
		ask(db, "small", 9)
		same(t, "none", noticed(t, db, "alice"), nil)
		for range 2 {
			ask(db, "large", 10)
			ask(db.As(aliceAs["key"]), "larger", 11)
		}
		same(t, "two", noticed(t, db, "alice"), []string{"withdrawal|BNB|6789", "withdrawal|BNB|6789"})
	})
}
