package web

import (
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/testkit"
	"github.com/softstake/softstake/verify"
)

// signed is a website of which some days are over and signed, and published with the key.
func signed(t *testing.T, days int) (w *website, key string) {
	t.Helper()
	private, key, err := evidence.NewKey(rand.Reader, "books.example.com")
	if err != nil {
		t.Fatal(err)
	}
	w = newWebsite(t, func(o *Options) { o.AnchorKey = key })
	w.holder("bob", "DE")
	w.deposit("alice", "2 BNB")
	w.deposit("bob", "5 BNB")
	signer, _, err := evidence.KeySigner(private)
	w.ok(err)
	for day := 1; day <= days; day++ {
		w.settle(day)
	}
	w.at(days+1, "00:20")
	testkit.Must(w.books.Evidence().Make(t.Context()))(t)
	_, _, err = w.books.Evidence().Sign(t.Context(), signer)
	w.ok(err)
	return w, key
}

// TestWhatIsOwedIsPublished: everybody sees roots, totals, checkpoints and the key, and gets them as files.
func TestWhatIsOwedIsPublished(t *testing.T) {
	w := newWebsite(t)
	stranger := w.another()
	stranger.get("/proofs").is(http.StatusOK).has("No day is signed yet.", "No day is recorded yet.")
	stranger.get("/proofs/anchor.pub").is(http.StatusNotFound)
	w.login("alice@example.com")
	w.read("/account/proofs").is(http.StatusOK).has("No day is signed yet.")

	w, key := signed(t, publishedDays+2)
	stranger = w.another()
	p := stranger.get("/proofs").is(http.StatusOK).has(key, "Signed through", "books.example.com", "7", `rel="next"`)
	if cache := p.header.Get("Cache-Control"); cache != publicFor {
		t.Errorf("the page is kept as %q", cache)
	}
	last := w.day(publishedDays + 2)
	s := testkit.Must(w.books.Evidence().Signed(t.Context(), last))(t)
	root := testkit.Must(evidence.ParseRecord(s.Record))(t).Liabilities[0].Root
	p.has(`href="/proofs/`+last.String()+`/record.txt"`, root.Hash.String())
	for path, want := range map[string]string{"/" + last.String() + "/record.txt": s.Record,
		"/" + last.String() + "/checkpoint.txt": s.Checkpoint, "/checkpoints.txt": s.Checkpoint,
		"/anchor.pub": key + "\n"} {
		if file := stranger.get("/proofs" + path).is(http.StatusOK); file.body != want {
			t.Errorf("%s is %q", path, file.body)
		}
	}
	stranger.get("/proofs?before="+w.day(3).String()).is(http.StatusOK).has("Newest", w.day(1).String()+"/").
		hasNot(`rel="next"`, w.day(3).String()+"/")
	for _, path := range []string{"/proofs?before=x", "/proofs/x/record.txt", "/proofs/" + (last + 1).String() +
		"/checkpoint.txt"} {
		stranger.get(path).is(http.StatusNotFound)
	}
	stranger.get("/login").has(`href="/proofs"`)
}

// TestProofsOfAHolder: the page has what the script checks, the server has checked it too, and each file is what
// "softstake verify" takes. Nobody gets another's.
func TestProofsOfAHolder(t *testing.T) {
	w, key := signed(t, 2)
	w.login("alice@example.com")
	day := w.day(2).String()
	p := w.read("/account/proofs").is(http.StatusOK).has("This server has checked", `data-amount="200000000"`,
		`data-total="700000000"`, `data-key="`+strings.ReplaceAll(key, "+", "&#43;")+`"`, `data-day="`+day+`"`, `src="/static/proof.`)
	w.read("/earn").has(`data-proofs="/account/proofs/`+day+`/proofs.json"`, "data-daily")
	for _, path := range []string{"/account", "/activity"} {
		w.read(path).has(`href="/account/proofs"`)
	}
	path := "/account/proofs/" + day + "/BNB/proof.json"
	p.has(path)
	file := w.get(path).is(http.StatusOK)
	if name := file.header.Get("Content-Disposition"); !strings.Contains(name, "proof_"+day+"_BNB.json") {
		t.Errorf("the file is %q", name)
	}
	proof := testkit.Must(verify.Parse([]byte(file.body)))(t)
	if r := testkit.Must(proof.Check(key))(t); proof.Account != "alice" || proof.Amount != 2_00000000 ||
		r.Total != 7_00000000 {
		t.Errorf("the proof %+v shows %+v", proof, r)
	}
	all := w.get("/account/proofs/" + day + "/proofs.json").is(http.StatusOK).body
	if all != "["+strings.TrimSuffix(file.body, "\n")+"]\n" {
		t.Errorf("all proofs are %s", all)
	}
	w.read("/account/proofs?day="+w.day(1).String()).has("At the end of 2 Mar 2026",
		`value="`+w.day(1).String()+`" selected`)
	for _, path := range []string{"/account/proofs/" + day + "/SOL/proof.json", "/account/proofs?day=2026-13-01",
		"/account/proofs?day=" + w.day(3).String(), "/account/proofs/" + w.day(3).String() + "/proofs.json"} {
		w.get(path).is(http.StatusNotFound)
	}
	w.cookie("lang", "de")
	w.read("/account/proofs").has("Dieser Server hat geprüft").hasNot(keys...)
	w.another().get("/account/proofs/" + day + "/proofs.json").is(http.StatusSeeOther)

	// Another key signs now: what it has not signed is proved, and not said to be signed.
	w.cookie("lang", "en")
	w.pages.AnchorKey = "other" + key
	w.read("/account/proofs").has(`<p data-proof="unsigned" class="verdict">`)
	w.pages.AnchorKey = key[:len(key)-4] + "AAA=" // of this name, and it is not the one
	w.read("/account/proofs").has(`<p data-proof="checkpoint" class="fault block">`)
	w.pages.AnchorKey = key

	// Books that were changed prove nothing, and the page says so.
	w.ok(w.books.Engine().Write(t.Context(), func(t db.Tx) error {
		_, err := t.Exec("UPDATE balances SET balance = balance - 1 WHERE account = 'alice' AND asset = 'BNB'")
		return err
	}))
	w.read("/account/proofs").is(http.StatusOK).has(`<p data-proof="record" class="fault block">`,
		`<p data-proof="server" class="verdict" hidden>`)
	w.get("/account/proofs/" + day + "/proofs.json").is(http.StatusConflict)
}
