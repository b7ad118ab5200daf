package binance_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/testkit"
)

// component writes a value as encodeURIComponent does, and strict as RFC 3986 does.
func component(s string) string {
	return strings.NewReplacer("+", "%20", "%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*", "%7E",
		"~").Replace(url.QueryEscape(s))
}

func strict(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// small writes escapes in small letters.
func small(s string) string {
	return strings.NewReplacer("%2F", "%2f", "%3A", "%3a", "%2C", "%2c", "%C3%A9", "%c3%a9", "%2B", "%2b").Replace(s)
}

// form writes a value as URLSearchParams does.
func form(s string) string {
	return strings.NewReplacer("%2A", "*", "~", "%7E").Replace(url.QueryEscape(s))
}

// withdrawal is a withdrawal of 0.1 BNB whose name and tag are written in a way.
func (f *fixture) withdrawal(write func(string) string, name, tag string) string {
	return fmt.Sprintf("coin=BNB&address=0x1&amount=0.1&name=%s&addressTag=%s&timestamp=%d",
		write(name), write(tag), f.now().UnixMilli())
}

// respell sends a withdrawal in the query or in the body, signed over another spelling.
func (f *fixture) respell(signs, sends string, inBody bool) answered {
	f.t.Helper()
	a := ask{method: http.MethodPost, path: applyPath, headers: f.keyed()}
	sends += "&signature=" + f.sign(signs)
	if a.query = sends; inBody {
		a.query, a.body = "", sends
	}
	return f.send(a)
}

// A signature over encodeURIComponent's spelling holds for a form's spelling of the
// same pairs, which is what the exchange's own connector for JavaScript sends.
func TestFormSpelling(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.deposit("d1", "alice", 100, "BNB")
		for _, inBody := range []bool{false, true} {
			for _, name := range []string{"my wallet", "it's (mine)!", "a~b*c", "café + 1/2, ~", "plain"} {
				for what, send := range map[string]func(string) string{
					"a form's": form, "as signed": component,
					"a form's, in small letters": func(s string) string { return small(form(s)) },
				} {
					tick(f)
					if got := f.respell(f.withdrawal(component, name, "7"), f.withdrawal(send, name, "7"),
						inBody); got.status != http.StatusOK {
						t.Errorf("%q, %s spelling, in the body: %t: %s", name, what, inBody, got)
					}
				}
			}
			// Whoever signs what it sends is always right.
			for _, write := range []func(string) string{
				form, strict, func(s string) string { return s }, func(s string) string { return small(form(s)) },
			} {
				tick(f)
				text := f.withdrawal(write, "café, bar", "1")
				if got := f.respell(text, text, inBody); got.status != http.StatusOK {
					t.Errorf("%s: %s", text, got)
				}
			}
		}
	})
}

// The same connector has some parameters of a POST in the query and some in the body:
// it signs the one, then the other, with nothing between.
func TestFormSpellingInTwoParts(t *testing.T) {
	f := newFixture(t, "sqlite", unchanged)
	f.deposit("d1", "alice", 100, "BNB")
	part := func(write func(string) string, name, rest string) string { return "name=" + write(name) + rest }
	query, body := fmt.Sprintf("&timestamp=%d", f.now().UnixMilli()), "&coin=BNB&address=0x1&amount=0.1"
	for _, c := range [][2]string{{"my wallet", "a b"}, {"it's", "plain"}, {"plain", "(a) ~b"}, {"plain", "plain"}} {
		inQuery := func(write func(string) string) string { return part(write, c[0], query) }
		inBody := func(write func(string) string) string { return "addressTag=" + write(c[1]) + body }
		a := ask{
			method: http.MethodPost, path: applyPath, headers: f.keyed(), body: inBody(form),
			query: inQuery(form) + "&signature=" + f.sign(inQuery(component)+inBody(component)),
		}
		if got := f.send(a); got.status != http.StatusOK {
			t.Errorf("%q: %s", c, got)
		}
		a.body = inBody(func(s string) string { return form(s + "+") }) // another tag
		f.wants(f.send(a), badSignature)
	}
}

// Other pairs than those signed, or in another order, are refused, however they are spelled.
func TestNoOtherPairsAreLetIn(t *testing.T) {
	f := newFixture(t, "sqlite", unchanged)
	f.deposit("d1", "alice", 100, "BNB")
	now := fmt.Sprint(f.now().UnixMilli())
	signed := "coin=BNB&address=0x1&amount=0.1&name=my%20wallet&addressTag=a%2Bb&timestamp=" + now
	for _, sends := range []string{
		// a plus that became a space
		"coin=BNB&address=0x1&amount=0.1&name=my+wallet&addressTag=a+b&timestamp=" + now,
		// and a space that became a plus
		"coin=BNB&address=0x1&amount=0.1&name=my%2Bwallet&addressTag=a%2Bb&timestamp=" + now,
		"coin=BNB&address=0x1&amount=0.1&name=my++wallet&addressTag=a%2Bb&timestamp=" + now,
		"coin=BNB&address=0x2&amount=0.1&name=my+wallet&addressTag=a%2Bb&timestamp=" + now,
		"coin=BNB&address=0x1&amount=0.1&addressTag=a%2Bb&name=my+wallet&timestamp=" + now,
		"coin=BNB&address=0x1&amount=0.1&name=my+wallet&addressTag=a%252Bb&timestamp=" + now,
		"coin=BNB&address=0x1&amount=0.1&name=my+wallet%26addressTag%3Da%2Bb&timestamp=" + now,
		"coin=BNB&address=0x1&amount=0.1&name=my+wallet&addressTag=a%2Bb&timestamp=" + now + "&x=~",
		"coin=BNB&address=0x1&amount=0.1&name=My+wallet&addressTag=a%2Bb&timestamp=" + now,
		"%20coin=BNB&address=0x1&amount=0.1&name=my+wallet&addressTag=a%2Bb&timestamp=" + now,
	} {
		for _, inBody := range []bool{false, true} {
			f.wants(f.respell(signed, sends, inBody), badSignature)
		}
	}
	// Nor the pairs of one part moved to the other.
	got := f.send(ask{method: http.MethodPost, path: applyPath, headers: f.keyed(),
		query: "coin=BNB&address=0x1&amount=0.1&signature=" + f.sign(signed),
		body:  "name=my+wallet&addressTag=a%2Bb&timestamp=" + now})
	f.wants(got, badSignature)
	// Only a form's spelling is looked at twice.
	plain := "coin=BNB&address=0x1&amount=0.1&addressTag=a%2Cb&timestamp=" + now
	f.wants(f.respell(plain, strings.ReplaceAll(plain, "%2C", ","), false), badSignature)
	f.wants(f.respell(plain, small(plain), false), badSignature)
	if there := testkit.Must(reports.New(f.db.Reader()).Balances(t.Context(), "alice"))(t); there[0].Held != 0 {
		t.Errorf("something is held: %+v", there)
	}
}

// A request that comes again in another spelling is the same request: it is answered
// as the first time, and withdraws once.
func TestARespelledRequestIsTheSame(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.deposit("d1", "alice", 100, "BNB")
		const name, tag = "my (old) wallet's, café", "a+b/c~"
		signed := f.withdrawal(component, name, tag)
		first := f.respell(signed, f.withdrawal(form, name, tag), false)
		if first.status != http.StatusOK {
			t.Fatalf("answered %s", first)
		}
		again := func() {
			t.Helper()
			for _, inBody := range []bool{false, true} {
				for _, write := range []func(string) string{
					component, form, strict, func(s string) string { return small(component(s)) },
					func(s string) string { return small(form(s)) },
				} {
					text := f.withdrawal(write, name, tag)
					if got := f.respell(signed, text, inBody); got.String() != first.String() {
						t.Errorf("sent as %s: %s, not %s", text, got, first)
					}
					// with a signature of its own
					if got := f.respell(text, text, inBody); got.String() != first.String() {
						t.Errorf("signed as %s: %s, not %s", text, got, first)
					}
				}
			}
			// What is signed is one text: it means the same wherever it is cut.
			cut := strings.Index(signed, "&name=")
			a := ask{
				method: http.MethodPost, path: applyPath, headers: f.keyed(), query: signed[:cut],
				body: signed[cut:] + "&signature=" + f.sign(signed),
			}
			f.wants(f.send(a), first.String())
			if there := testkit.Must(reports.New(f.db.Reader()).Balances(t.Context(), "alice"))(t); there[0].Held != 10000000 {
				t.Errorf("there are %+v", there)
			}
		}
		again()
		f.key, f.secret = f.newKey("alice", "read,withdraw", "192.0.2.0/24") // another key's request is another
		if got := f.respell(signed, signed, false); got.status != http.StatusOK || got.String() == first.String() {
			t.Errorf("with another key: %s, and before %s", got, first)
		}
	})
}

// Query and body are signed as one text. One that is cut elsewhere, so that its pairs are
// others, is refused, also when it comes before the one that was meant.
func TestARequestCutElsewhereIsRefused(t *testing.T) {
	f := newFixture(t, "sqlite", unchanged)
	f.deposit("d1", "alice", 100, "BNB")
	query, body := fmt.Sprintf("coin=BNB&amount=0.1&name=a+b&timestamp=%d&address=0x1",
		f.now().UnixMilli()), "network=BSC"
	signature := "&signature=" + f.sign(query+body)
	const refused = `400 {"code":-1100,"msg":"Illegal characters found in a parameter."}`
	whole := fmt.Sprintf("coin=BNB&address=0x94df&amount=0.19&addressTag=7%%3D7&withdrawOrderId=ord12345&timestamp=%d",
		f.now().UnixMilli())
	for cut := 1; cut < len(whole); cut++ {
		if whole[cut] == '&' || whole[cut-1] == '&' {
			continue // the same pairs
		}
		a := ask{
			method: http.MethodPost, path: applyPath, headers: f.keyed(), query: whole[:cut],
			body: whole[cut:] + "&signature=" + f.sign(whole),
		}
		if got := f.send(a); got.status != http.StatusBadRequest {
			t.Errorf("cut after %s: %s", whole[:cut], got)
		}
	}
	f.wants(f.send(ask{method: http.MethodPost, path: applyPath, headers: f.keyed(), query: query + body + signature}),
		refused)
	if there := testkit.Must(reports.New(f.db.Reader()).Balances(t.Context(), "alice"))(t); there[0].Held != 0 {
		t.Errorf("there are %+v", there)
	}
	first := f.send(ask{
		method: http.MethodPost, path: applyPath, headers: f.keyed(), query: query + signature, body: body,
	})
	if first.status != http.StatusOK {
		t.Fatalf("answered %s", first)
	}
	if there := testkit.Must(reports.New(f.db.Reader()).Balances(t.Context(), "alice"))(t); there[0].Held != 10000000 {
		t.Errorf("there are %+v", there)
	}
}
