package evidence_test

import (
	"crypto/rand"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/testkit"
)

// TestAnAddressCanBeErased: e-mail addresses of holders are in no record. Where they are erased afterwards, and where a
// person was as well, the records hold.
func TestAnAddressCanBeErased(t *testing.T) {
	books, clock := books(t, "sqlite", town)
	ctx, signer, alice := t.Context(), newSigner(t), town.Holder(1)
	hash := testkit.Must(access.HashPassword(rand.Reader, "correct horse battery"))(t)
	session := books.As(access.Session{Email: "alice@example.com", Account: alice}.Actor())
	ok(t, books.People().AddLogin(ctx, people.Login{Email: "alice@example.com", Account: alice, Password: hash}))
	ok(t, books.People().RemoveLogin(ctx, "alice@example.com"))
	for _, o := range testkit.Must(session.Post(ctx, []ledger.Entry{{ID: "gift", Kind: ledger.Transfer,
		Moves: []ledger.Move{{From: alice, To: town.Holder(2), Asset: "BNB", Amount: 1}}}}))(t) {
		ok(t, o.Err)
	}
	live(t, books, clock, 2, func() { makeAll(t, books) })
	note := sign(t, books, signer).Note
	for _, sql := range []string{
		"UPDATE log SET detail = '' WHERE detail LIKE '%alice@example.com%'",
		"UPDATE entries SET credential = 'login erased' WHERE credential LIKE '%alice@example.com%'",
		"UPDATE switch_events SET client = '', address = ''",
	} {
		ok(t, books.Engine().Write(ctx, func(tx db.Tx) error {
			n, err := tx.Exec(sql)
			if n == 0 {
				t.Errorf("nothing to erase: %s", sql)
			}
			return err
		}))
	}
	if c := check(t, books, signer, note); len(c.Findings) > 0 || c.Records == 0 {
		t.Errorf("after the address was erased: %+v", c)
	}
	ok(t, books.Engine().Write(ctx, func(tx db.Tx) error {
		_, err := tx.Exec("UPDATE entries SET credential = 'token AAAAAAAAAAAA' WHERE credential = 'login erased'")
		return err
	}))
	if c := check(t, books, signer, note); len(c.Findings) == 0 {
		t.Error("an entry of a holder's is that of a token now, and nobody finds it")
	}
}
