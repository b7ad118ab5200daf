package evidence_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// personal are what the books have of the person of the account "erika", each of which no other row has.
var personal = []string{"erika@example.com", "second@example.com", "198.51.100.77", "203.0.113.0/24", "Netscape 4",
	"Erikas phone", "Erikas script", "Erikas wallet", "ios 3.2.77", "the court of Erikastadt"}

// livePerson makes the account "erika", and everything of it that is personal.
func livePerson(t *testing.T, books *store.DB) {
	t.Helper()
	ctx := t.Context()
	testkit.Must(books.OpenAccount(ctx, "erika", "DE"))(t)
	hash := testkit.Must(access.HashPassword(rand.Reader, "correct horse battery"))(t)
	for _, email := range []string{"erika@example.com", "second@example.com"} {
		ok(t, books.People().AddLogin(ctx, people.Login{Email: email, Account: "erika", Password: hash}))
	}
	ok(t, books.People().RemoveLogin(ctx, "second@example.com"))
	for _, o := range testkit.Must(books.Post(ctx, []ledger.Entry{{ID: "erika-1", Kind: ledger.Deposit,
		Moves: []ledger.Move{{From: ledger.Custody, To: "erika", Asset: "BNB", Amount: 1}}}}))(t) {
		ok(t, o.Err)
	}
	session := access.Session{Email: "erika@example.com", Account: "erika", ID: strings.Repeat("s", 12), Hash: [32]byte{7},
		Client: "Netscape 4", Address: "198.51.100.77", Expires: books.Now().AddDate(0, 0, 30)}
	ok(t, books.People().AddSession(ctx, session, hash))
	holder := books.As(session.Actor())
	client := staking.Client{Platform: "ios", Version: "3.2.77", Address: "198.51.100.77"}
	ok(t, holder.Documents().Accept(ctx, "erika", "risk-warning", 0, client))
	ok(t, holder.Leave(ctx, "erika", client, books.Now()))
	ok(t, holder.People().AddSecurityEvent(ctx, "erika", people.SecurityEvent{Action: "log-in",
		Detail: session.Email, Client: session.Client, Address: session.Address}))
	key := access.Key{Key: strings.Repeat("E", 64), Account: "erika", Type: access.HMAC, Label: "Erikas phone",
		Permissions: []access.Permission{access.Read}, Secret: []byte("sealed"),
		Addresses: testkit.Must(access.ParseAddresses("203.0.113.0/24"))(t)}
	ok(t, holder.People().AddKey(ctx, key))
	_, err := holder.People().LimitKey(ctx, key.Key, testkit.Must(access.ParseAddresses("203.0.113.0/24,10.0.0.0/8"))(t))
	ok(t, err)
	ok(t, books.People().AddToken(ctx, access.Token{ID: strings.Repeat("E", 12), Role: access.Holder, Account: "erika",
		Hash: [32]byte{8}, Label: "Erikas script"}))
	testkit.Must(holder.People().AddWithdrawalAddress(ctx, people.WithdrawalAddress{Account: "erika", Asset: "BNB",
		Network: "BSC", Address: "0xe", Label: "Erikas wallet"}))(t)
	testkit.Must(books.Freeze(ctx, "erika", "the court of Erikastadt", true))(t)
	ok(t, failure(books.Unfreeze(ctx, "erika", "lifted")))
	for _, o := range testkit.Must(holder.Post(ctx, []ledger.Entry{{ID: "gift", Kind: ledger.Transfer,
		Moves: []ledger.Move{{From: "erika", To: town.Holder(2), Asset: "BNB", Amount: 1}}}}))(t) {
		ok(t, o.Err)
	}
}

func failure[A, B any](_ A, _ B, err error) error { return err }

// has are the personal texts that a backup of the books has, which has no page of a row that was removed.
func has(t *testing.T, books *store.DB) (found []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backup.db")
	ok(t, books.Engine().Backup(t.Context(), path, func(int64) {}))
	content := testkit.Must(os.ReadFile(path))(t)
	for _, text := range personal {
		if bytes.Contains(content, []byte(text)) {
			found = append(found, text)
		}
	}
	return found
}

// TestAPersonCanBeErased: the person of an account is removed, and the ledger stays. The audit finds nothing, and what
// was recorded and signed before holds, and so does what comes after.
func TestAPersonCanBeErased(t *testing.T) {
	for _, kind := range scenario.Databases {
		t.Run(kind, func(t *testing.T) {
			books, clock := books(t, kind, town)
			ctx, signer, notes := t.Context(), newSigner(t), []string(nil)
			livePerson(t, books)
			record := func() {
				makeAll(t, books)
				notes = append(notes, sign(t, books, signer).Note)
			}
			live(t, books, clock, 2, record)
			if found := has(t, books); len(found) != len(personal) {
				t.Fatalf("the books have %v", found)
			}
			_, err := books.EraseAccount(ctx, "erika")
			if ledger.ReasonOf(err) != store.ReasonOpen {
				t.Fatalf("an open account: %v", err)
			}
			ok(t, books.CloseAccount(ctx, "erika"))
			e := testkit.Must(books.EraseAccount(ctx, "erika"))(t)
			if e.Repeated || e.Erased != (people.Erased{Logins: 2, Keys: 1, Tokens: 1}) {
				t.Errorf("%+v", e)
			}
			if again := testkit.Must(books.EraseAccount(ctx, "erika"))(t); !again.Repeated || !again.At.Equal(e.At) {
				t.Errorf("again: %+v", again)
			}
			// The reason of a freeze is in the log, which says so to whoever writes it.
			if found := has(t, books); len(found) != 1 || found[0] != "the court of Erikastadt" {
				t.Errorf("afterwards the books have %v", found)
			}
			key := testkit.Must(books.People().Keys(ctx, "erika"))(t)
			if len(key) != 1 || key[0].Revoked.IsZero() || len(key[0].Secret) > 0 {
				t.Errorf("the key is %+v", key)
			}
			today := staking.DayOf(books.Now())
			clock.Forward((today + 1).Start().Add(5 * time.Minute))
			testkit.Must(staking.Run(ctx, books, clock.Now(), staking.Options{Workers: 1}))(t)
			clock.Forward((today + 1).Start().Add(20 * time.Minute))
			record()
			if c := check(t, books, signer, notes...); len(c.Findings) > 0 || c.Records == 0 {
				t.Errorf("after the person was erased: %+v", c)
			}
			if r := testkit.Must(audit.Run(ctx, reports.AuditOf(books.Reader()), audit.Options{Workers: 1}))(t); r.Total != 0 {
				t.Errorf("the audit finds %v", r.Findings)
			}
			posted := testkit.Must(reports.New(books.Reader()).Posted(ctx, "gift"))(t)
			if !strings.HasPrefix(posted.Actor.Credential, "login ") || strings.Contains(posted.Actor.Credential, "@") {
				t.Errorf("the gift was posted by %s", posted.Actor)
			}
			ok(t, books.Engine().Write(ctx, func(tx db.Tx) error {
				_, err := tx.Exec("UPDATE entries SET credential = 'login FORGED' WHERE entry = 'gift'")
				return err
			}))
			if c := check(t, books, signer, notes...); len(c.Findings) == 0 {
				t.Error("an entry of a holder's is that of another login now, and nobody finds it")
			}
		})
	}
}

// TestRetention: what says where and who persons are is removed when its retention is over, and the records hold.
func TestRetention(t *testing.T) {
	books, clock := books(t, "sqlite", town)
	ctx, signer := t.Context(), newSigner(t)
	livePerson(t, books)
	live(t, books, clock, 1, func() { makeAll(t, books) })
	note := sign(t, books, signer).Note
	prune := func(r people.Retention) { ok(t, books.People().PrunePersonal(ctx, r)) }
	const day = 24 * time.Hour
	kept := func() string { return strings.Join(has(t, books), ", ") }
	all := kept()
	prune(people.Retention{})
	prune(people.Retention{Origins: 2 * day, Emails: 2 * day})
	if now := kept(); now != all {
		t.Errorf("too early: %s", now)
	}
	clock.Forward(clock.Now().Add(2 * day))
	prune(people.Retention{Emails: 2 * day})
	if strings.Contains(kept(), "second@example.com") || !strings.Contains(kept(), "198.51.100.77") {
		t.Errorf("the login that ended: %s", kept())
	}
	prune(people.Retention{Origins: 2 * day, Emails: 2 * day})
	for range 2 {
		// A login that is there, and a key's own label and network, are no matter of retention.
		if now := kept(); now != "erika@example.com, 203.0.113.0/24, Erikas phone, Erikas script, Erikas wallet, "+
			"the court of Erikastadt" {
			t.Errorf("afterwards: %s", now)
		}
		prune(people.Retention{Origins: 2 * day, Emails: 2 * day})
	}
	if events := testkit.Must(books.People().SecurityEvents(ctx, "erika", nil, 10))(t); len(events) == 0 ||
		events[0].Address != "" || events[0].Action == "" {
		t.Errorf("the security events are %+v", events)
	}
	if c := check(t, books, signer, note); len(c.Findings) > 0 || c.Records == 0 {
		t.Errorf("after what is personal was removed: %+v", c)
	}
}
