package binance

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
)

// The function of ECMAScript, on the characters by which it differs from others.
func TestEncodeURIComponent(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "azAZ09-_.!~*'()": "azAZ09-_.!~*'()", " ": "%20", "+": "%2B", "/": "%2F", "%": "%25", "&=": "%26%3D",
		"é": "%C3%A9", "１": "%EF%BC%91", "🙂": "%F0%9F%99%82",
		"@:,;?#$[]": "%40%3A%2C%3B%3F%23%24%5B%5D", `"<>\^{|}` + "`": "%22%3C%3E%5C%5E%7B%7C%7D%60",
	} {
		if got := encodeURIComponent(text); got != want {
			t.Errorf("%q is %q, not %q", text, got, want)
		}
	}
}

func TestCanonical(t *testing.T) {
	for raw, want := range map[string]string{
		"":                              "",
		"name=my+wallet&t=1":            "name=my%20wallet&t=1",
		"name=my%20wallet&t=1":          "name=my%20wallet&t=1",
		"n=%21%27%28%29%2A%7E%7e%2a":    "n=!'()*~~*",
		"n=!'()*~":                      "n=!'()*~",
		"n=%2c,%2C&m=caf%c3%a9+caf%C3é": "n=%2C%2C%2C&m=caf%C3%A9%20caf%C3%C3%A9",
		"&b=2&&a=1&":                    "&b=2&&a=1&", // the order, and what is empty
		"a&b=&=c&=":                     "a&b=&=c&=",
		"a=b=c+d":                       "a=b%3Dc%20d",
		"a+b=%26%3D":                    "a%20b=%26%3D",
		"a=%zz+b":                       "a=%zz+b", // parse refuses it
	} {
		if got := canonical(raw); got != want {
			t.Errorf("%q is %q, not %q", raw, got, want)
		}
	}
}

// pairsOf are the decoded pairs of a raw query, in order.
func pairsOf(t *testing.T, raw string) (pairs [][2]string) {
	t.Helper()
	for _, pair := range strings.Split(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		n, err := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err = errors.Join(err, err2); err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		pairs = append(pairs, [2]string{n, v})
	}
	return pairs
}

// Of whatever is sent and let in, the bytes that are signed have the pairs that were
// sent, in their order, and the name of the request is that of every spelling of it.
func FuzzCanonical(f *testing.F) {
	sealer := sealedBy(f)
	key := access.Key{
		Key: strings.Repeat("k", 64), Account: "alice", Type: access.HMAC,
		Permissions: []access.Permission{access.Read},
	}
	if err := key.Seal(sealer, testSecret); err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		"name=my+wallet&t=1", "n=%27%2c&&m", "a=b=c+d", "%73=%C3%A9+", "a=~&b=%7e", "+=+&+", "x=%2526+",
	} {
		f.Add(seed, "")
		f.Add("a=1", seed)
	}
	f.Fuzz(func(t *testing.T, query, body string) {
		s, err := parse(query, body)
		if err != nil || strings.Contains(strings.ToLower(query+body), "gnature") {
			return
		}
		for _, raw := range []string{query, body} {
			if again := canonical(canonical(raw)); again != canonical(raw) {
				t.Errorf("%q: the canonical form %q of the canonical form is %q", raw, canonical(raw), again)
			}
			if got, want := pairsOf(t, canonical(raw)), pairsOf(t, raw); !slices.Equal(got, want) {
				t.Errorf("%q: the pairs of the canonical form are %q, not %q", raw, got, want)
			}
		}
		for _, signed := range []string{query + body, canonical(query) + canonical(body)} {
			s.signature = signatureOf(signed)
			got, err := s.verify(key, sealer)
			if err == nil && got != signed {
				t.Errorf("%q and %q, signed over %q, are let in over %q", query, body, signed, got)
			}
			if refused := err != nil; refused != (signed != query+body && !formSpelling.MatchString(query+body)) {
				t.Errorf("%q and %q, signed over %q: %v", query, body, signed, err)
			}
			if nameOf(endpoint{}, signed) != nameOf(endpoint{}, canonical(signed)) {
				t.Errorf("%q has another name than its canonical form", signed)
			}
		}
	})
}
