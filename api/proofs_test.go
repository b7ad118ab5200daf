package api_test

import (
	"crypto/rand"
	"encoding/json"
	"strings"
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

// TestPublishedRoots: whoever has a token reads the roots of days, and the record that leads to the checkpoint.
func TestPublishedRoots(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.earner("alice")
		w.deposit("a-1", "alice", "3", "BNB")
		for day := 2; day <= 4; day++ {
			w.clock.Set(day, "00:20")
			w.settle()
		}
		public := w.sign()
		p := testkit.Must(verify.Parse([]byte(w.get("alice", "/v1/accounts/alice/proofs/"+w.day(2)+"/BNB").is(200).body)))(t)
		r := testkit.Must(p.Check(public))(t)
		a := w.get("alice", "/v1/proofs?limit=2").is(200)
		var page struct {
			Next  string
			Items []struct {
				Day    string
				Size   int64
				Tokens []struct{ Asset, Total, Root string }
			}
		}
		w.ok(json.Unmarshal([]byte(a.body), &page))
		if len(page.Items) != 2 || page.Items[0].Day != w.day(3) || page.Items[1].Day != w.day(2) || page.Next == "" {
			t.Fatalf("the page is %s", a.body)
		}
		if day := page.Items[1]; day.Size != r.Size || len(day.Tokens) != 1 || day.Tokens[0].Root != r.Root.String() ||
			day.Tokens[0].Total != "300000000" {
			t.Errorf("published is %+v, and proved %+v", day, r)
		}
		rest := w.get("alice", "/v1/proofs?limit=2&cursor="+page.Next).is(200).body
		if !strings.Contains(rest, w.day(1)) || strings.Contains(rest, w.day(2)) {
			t.Errorf("the next page is %s", rest)
		}
		w.get("alice", "/v1/proofs/"+w.day(2)).is(200).says("record", p.Record, "checkpoint", p.Checkpoint)
		w.get("alice", "/v1/proofs/"+w.day(4)).is(404)
	})
}
