package binance_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/testkit"
)

// What real clients sign and send, byte for byte: always over the raw query and the
// raw body without the signature's pair.
func TestSignedPayloads(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		stamp := fmt.Sprintf("timestamp=%d", f.now().UnixMilli())
		for what, c := range map[string]struct {
			signs       string // what the client signs
			query, body string // what it sends; SIG is the signature
			refused     bool
		}{
			"the usual":                    {"asset=XX&" + stamp, "asset=XX&" + stamp + "&signature=SIG", "", false},
			"the signature first":          {"asset=XX&" + stamp, "signature=SIG&asset=XX&" + stamp, "", false},
			"the signature in the middle":  {"asset=XX&" + stamp, "asset=XX&signature=SIG&" + stamp, "", false},
			"a leading &":                  {"&" + stamp, "&" + stamp + "&signature=SIG", "", false},
			"a leading & that is unsigned": {stamp, "&" + stamp + "&signature=SIG", "", true},
			"two &":                        {"asset=XX&&" + stamp, "asset=XX&&" + stamp + "&signature=SIG", "", false},
			"& at the end":                 {stamp + "&", stamp + "&&signature=SIG", "", false},
			"& after the signature":        {stamp + "&", stamp + "&signature=SIG&", "", false},
			"not sorted": {stamp + "&recvWindow=5000&asset=XX",
				stamp + "&recvWindow=5000&asset=XX&signature=SIG", "", false},
			"sorted by the way": {"asset=XX&" + stamp, stamp + "&asset=XX&signature=SIG", "", true},
			"escaped": {"asset=%58%58&x=a%2Cb+c&" + stamp,
				"asset=%58%58&x=a%2Cb+c&" + stamp + "&signature=SIG", "", false},
			"escaped by the way":         {"x=a,b&" + stamp, "x=a%2Cb&" + stamp + "&signature=SIG", "", true},
			"escapes in small letters":   {"x=%2c&" + stamp, "x=%2c&" + stamp + "&signature=SIG", "", false},
			"a name alone":               {"asset&" + stamp, "asset&" + stamp + "&signature=SIG", "", false},
			"an empty value":             {"asset=&" + stamp, "asset=&" + stamp + "&signature=SIG", "", false},
			"all in the body":            {"asset=XX&" + stamp, "", "asset=XX&" + stamp + "&signature=SIG", false},
			"the signature in the query": {"asset=XX&" + stamp, "signature=SIG", "asset=XX&" + stamp, false},
			"the signature in the body":  {"asset=XX&" + stamp, "asset=XX&" + stamp, "signature=SIG", false},
			"both, with nothing between": {"asset=XX" + stamp, "asset=XX", stamp + "&signature=SIG", false},
			"both, with & between":       {"asset=XX&" + stamp, "asset=XX", stamp + "&signature=SIG", true},
			"the body unsigned": {"asset=XX&" + stamp, "asset=XX&" + stamp + "&signature=SIG",
				"asset=YY", true},
			"a parameter added": {stamp, stamp + "&signature=SIG&asset=XX", "", true},
		} {
			sig := f.sign(c.signs)
			for _, sig := range []string{sig, strings.ToUpper(sig)} {
				got := f.send(ask{
					method: http.MethodPost, path: assetsPath, headers: f.keyed(),
					query: strings.ReplaceAll(c.query, "SIG", sig), body: strings.ReplaceAll(c.body, "SIG", sig),
				})
				want := "200 []"
				if c.refused {
					want = badSignature
				}
				if got.String() != want {
					t.Errorf("%s: %s", what, got)
				}
			}
		}
	})
}

// Where the query and the body have a parameter, the query's counts.
func TestTheQueryWins(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.deposit("d1", "alice", 1, "BNB")
		f.deposit("d2", "alice", 1, "SOL")
		stamp := fmt.Sprintf("&timestamp=%d", f.now().UnixMilli())
		const row = `200 [{"asset":"%s","free":"1","locked":"0","freeze":"0","withdrawing":"0","ipoable":"0","btcValuation":"0"}]`
		post := func(query, body, kind string) answered {
			t.Helper()
			headers := f.keyed()
			headers["Content-Type"] = kind
			signature := f.sign(query + body)
			if kind == "application/json" {
				signature = f.sign(query)
			}
			return f.send(ask{
				method: http.MethodPost, path: assetsPath, query: query + "&signature=" + signature, body: body,
				headers: headers,
			})
		}
		const form = "application/x-www-form-urlencoded"
		f.wants(post("asset=BNB"+stamp, "asset=SOL", form), fmt.Sprintf(row, "BNB"))
		f.wants(post("x=1"+stamp, "asset=SOL", form+"; charset=utf-8"), fmt.Sprintf(row, "SOL"))
		f.wants(post("x=1"+stamp, "asset=SOL", ""), fmt.Sprintf(row, "SOL"))
		f.wants(post("asset=SOL"+stamp, "", "application/json"), fmt.Sprintf(row, "SOL"))
		f.wants(post("asset=SOL"+stamp, "{}", "application/json"), fmt.Sprintf(row, "SOL"))
	})
}

// Keys of which only the holder has the secret half, signatures as clients write them.
func TestPublicKeys(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		edPublic, edPrivate, err := ed25519.GenerateKey(rand.Reader)
		ok(t, err)
		rsaPrivate := testkit.Must(rsa.GenerateKey(rand.Reader, 2048))(t)
		for _, c := range []struct {
			kind   access.KeyType
			public any
			sign   func(string) []byte
		}{
			{access.Ed25519, edPublic, func(payload string) []byte { return ed25519.Sign(edPrivate, []byte(payload)) }},
			{access.RSA, rsaPrivate.Public(), func(payload string) []byte {
				sum := sha256.Sum256([]byte(payload))
				return testkit.Must(rsa.SignPKCS1v15(rand.Reader, rsaPrivate, crypto.SHA256, sum[:]))(t)
			}},
		} {
			name, _, err := access.NewKey(rand.Reader)
			ok(t, err)
			text := pem.EncodeToMemory(&pem.Block{
				Type: "PUBLIC KEY", Bytes: testkit.Must(x509.MarshalPKIXPublicKey(c.public))(t),
			})
			f.key = access.Key{Key: name, Account: "alice", Type: c.kind, Permissions: []access.Permission{access.Read}}
			f.key.Secret = testkit.Must(access.ParsePublicKey(c.kind, text))(t)
			ok(t, f.db.People().AddKey(t.Context(), f.key))
			raw := 0
			for n := range 20 { // until a signature has a "+"
				query := fmt.Sprintf("asset=undefined&n=%d&timestamp=%d", n, f.now().UnixMilli())
				sig := base64.StdEncoding.EncodeToString(c.sign(query))
				raw += strings.Count(sig, "+")
				for _, written := range []string{
					sig, url.QueryEscape(sig), strings.ReplaceAll(sig, "=", "%3d"), strings.TrimRight(sig, "="),
				} {
					f.wants(f.send(ask{
						method: http.MethodGet, path: listPath, query: query + "&signature=" + written,
						headers: f.keyed(),
					}), listed)
				}
				for _, wrong := range []string{
					strings.ReplaceAll(sig, "+", "%20") + "+", sig[1:], "A" + sig, f.sign(query),
				} {
					f.wants(f.send(ask{
						method: http.MethodGet, path: listPath, query: query + "&signature=" + wrong,
						headers: f.keyed(),
					}), badSignature)
				}
			}
			if raw == 0 {
				t.Error("no signature has a +: the test shows nothing")
			}
		}
	})
}
