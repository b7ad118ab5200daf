package api_test

import (
	"crypto/rand"
	"testing"

	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/testkit"
	"github.com/softstake/softstake/verify"
)

// sign makes and signs the records that are due, and returns the public key.
func (w *town) sign() (public string) {
	w.t.Helper()
	private, public, err := evidence.NewKey(rand.Reader, "books.example.com")
	w.ok(err)
	signer, _, err := evidence.KeySigner(private)
	w.ok(err)
	testkit.Must(w.db.Evidence().Make(w.t.Context()))(w.t)
	_, _, err = w.db.Evidence().Sign(w.t.Context(), signer)
	w.ok(err)
	return public
}

// TestProofOfABalance: the answer is a proof that is checked without the books, of the holder's own account only.
func TestProofOfABalance(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.earner("alice")
		w.earner("bob")
		w.deposit("a-1", "alice", "3", "BNB")
		w.deposit("b-1", "bob", "1", "BNB")
		w.clock.Set(2, "00:20")
		w.settle()
		path := "/v1/accounts/alice/proofs/" + w.day(1) + "/BNB"
		w.get("alice", path).is(404)
		public := w.sign()
		a := w.get("alice", path).is(200).says("amount", "300000000", "day", w.day(1))
		p := testkit.Must(verify.Parse([]byte(a.body)))(t)
		if r, err := p.Check(public); err != nil || r.Total != 400000000 {
			t.Errorf("the proof shows %+v, %v", r, err)
		}
		w.get("bob", path).is(404)
		w.get("alice", "/v1/accounts/alice/proofs/"+w.day(1)+"/SOL").is(404)
	})
}
