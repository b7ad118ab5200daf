package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
)

// TestAProposalOverTheAPI: with four eyes money leaves when an approver has approved it, who looks at what it does.
func TestAProposalOverTheAPI(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.post("treasurer", "/v1/funds", `{"id":"f-1","asset":"BNB","amount":"10","direction":"in"}`).is(200)
		w.ok(w.db.SetFourEyes(t.Context(), true))
		const out = `{"id":"f-2","asset":"BNB","amount":"4","direction":"out"}`
		var p struct{ ID, State, Effect, EffectDigest, Reason, Proposer, Done string }
		for range 2 {
			r := w.call("treasurer", "POST", "/v1/funds", out, "X-Reason", "surplus of October")
			r.is(202)
			w.ok(json.Unmarshal([]byte(r.body), &p))
			if r.header.Get("Location") != "/v1/proposals/"+p.ID || p.State != "open" || p.Effect != "4 as fund/f-2" ||
				p.Reason != "surplus of October" {
				t.Errorf("%s: %v", r.body, r.header)
			}
		}
		for asked, want := range map[string]string{"entry=fund/f-2": p.ID, "entry=fund/f-1": "", "account=alice": ""} {
			r := w.get("auditor", "/v1/proposals?"+asked)
			r.is(200)
			if got := strings.Contains(r.body, p.ID); got != (want != "") {
				t.Errorf("%s: %s", asked, r.body)
			}
		}
		for kept := range 2 { // under a key it is the same answer
			r := w.call("treasurer", "POST", "/v1/funds", out, "Idempotency-Key", "k-1")
			r.is(202)
			if replayed := r.header.Get("Idempotency-Replayed") == "true"; replayed != (kept == 1) {
				t.Errorf("request %d: replayed is %t", kept, replayed)
			}
		}
		approve := func(who, digest string) reply {
			return w.post(who, "/v1/proposals/"+p.ID+"/approve", fmt.Sprintf(`{"effectDigest":%q}`, digest))
		}
		for _, who := range []string{"treasurer", "operator", "exchange", "auditor"} {
			approve(who, p.EffectDigest).refused(403, "forbidden", "")
		}
		approve("approver", "00000000000000000000000000000000").refused(409, "effect", "effect")
		approve("approver", p.EffectDigest).is(200)
		r := approve("approver", p.EffectDigest)
		r.is(200)
		w.ok(json.Unmarshal([]byte(r.body), &p))
		if p.State != "executed" || p.Done != p.Effect {
			t.Errorf("%s", r.body)
		}
		w.post("treasurer", "/v1/funds", out).is(200) // it is posted
		w.post("approver", "/v1/proposals/"+p.ID+"/reject", `{"reason":"too late"}`).refused(409, "not-open", "")
		w.get("auditor", "/v1/proposals/no-such").refused(404, "not-found", "")
	})
}

// TestOnePersonWithTwoTokens: whoever proposes something does not approve it with another token.
func TestOnePersonWithTwoTokens(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		token, text, err := access.NewToken(zeros{})
		w.ok(err)
		token.Role, token.Person = access.Approver, "the admin"
		w.ok(w.db.People().AddToken(t.Context(), token))
		w.tokens["again"] = text
		w.ok(w.db.SetFourEyes(t.Context(), true))
		r := w.call("admin", "PUT", "/v1/tokens/BNB/limits", `{"maxTotal":"0","maxChange":"5"}`)
		r.is(202)
		var p struct{ ID, EffectDigest string }
		w.ok(json.Unmarshal([]byte(r.body), &p))
		body := fmt.Sprintf(`{"effectDigest":%q}`, p.EffectDigest)
		w.post("again", "/v1/proposals/"+p.ID+"/approve", body).refused(403, "forbidden", "")
		w.post("again", "/v1/proposals/"+p.ID+"/reject", `{"reason":"mine"}`).refused(403, "forbidden", "")
		w.post("approver", "/v1/proposals/"+p.ID+"/approve", body).is(200)
	})
}
