package openid_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/openid"
	"github.com/softstake/softstake/openid/providertest"
	"github.com/softstake/softstake/testkit"
)

func TestMain(m *testing.M) {
	providertest.Main()
	os.Exit(m.Run())
}

const redirect = "http://127.0.0.1:8080/console/login/back"

func configOf(issuer string) openid.Config {
	return openid.Config{Issuer: issuer, ClientID: providertest.ClientID, Secret: access.Hidden(providertest.Secret),
		Redirect: redirect, LoggedIn: "http://127.0.0.1:8080/console/login", Claim: "groups",
		Scopes: []string{"email", "profile"}, Now: time.Now,
		Roles: []openid.Mapping{{Group: "checkers", Role: access.Approver}, {Group: "ops", Role: access.Operator}}}
}

func request() openid.Request {
	return openid.Request{State: openid.NewVerifier(), Nonce: openid.NewVerifier(), Verifier: openid.NewVerifier()}
}

// logIn goes the way of a browser, and returns what it comes back with.
func logIn(t *testing.T, p *openid.Provider, there *providertest.Process, r openid.Request, email string) url.Values {
	t.Helper()
	back := there.LogIn(t, testkit.Must(p.Address(t.Context(), r))(t), email)
	if got := back.Scheme + "://" + back.Host + back.Path; got != redirect || back.Query().Get("state") != r.State {
		t.Fatalf("the browser comes back to %s", back)
	}
	return back.Query()
}

// TestLogInAtARealProvider: who they are and which role they have says the provider, each time.
func TestLogInAtARealProvider(t *testing.T) {
	there := providertest.Start(t, redirect)
	p := testkit.Must(openid.New(configOf(there.Issuer)))(t)
	enter := func(email string) (access.Staff, error) {
		t.Helper()
		r := request()
		return p.Redeem(t.Context(), r, logIn(t, p, there, r, email).Get("code"), "", 0)
	}
	olga := providertest.Person{ID: "1", Email: "olga@example.com", Groups: []string{"all", "ops"}}
	there.Knows(t, olga)
	want := access.Staff{Email: "olga@example.com", Role: access.Operator, Source: access.Provider,
		Subject: there.Issuer + " 1"}
	if got := testkit.Must(enter(olga.Email))(t); got != want {
		t.Errorf("%+v has logged in, not %+v", got, want)
	}
	olga.Groups = []string{"ops", "checkers"} // of two roles, the first that is named
	there.Knows(t, olga)
	there.Rotate(t)
	want.Role = access.Approver
	if got := testkit.Must(enter(olga.Email))(t); got != want {
		t.Errorf("%+v has logged in, not %+v", got, want)
	}
	olga.Groups = []string{"all"}
	there.Knows(t, olga)
	if _, err := enter(olga.Email); !errors.Is(err, access.ErrForbidden) || ledger.ReasonOf(err) != openid.ReasonNoGroup {
		t.Errorf("somebody in no group: %v", err)
	}
	there.Knows(t, providertest.Person{ID: "2", Email: "bob@example.com", Groups: []string{"ops"}, Unverified: true})
	if _, err := enter("bob@example.com"); !errors.Is(err, access.ErrUnknown) {
		t.Errorf("an address that is not verified: %v", err)
	}
	if to := p.LogOut(t.Context()); !strings.HasPrefix(to, there.Issuer+"/") ||
		!strings.Contains(to, "client_id=console") {
		t.Errorf("the log-out leads to %s", to)
	}
}

// TestACodeIsOfOneRequest: it is taken once, and with the verifier and nonce of the request that it came of.
func TestACodeIsOfOneRequest(t *testing.T) {
	there := providertest.Start(t, redirect)
	p := testkit.Must(openid.New(configOf(there.Issuer)))(t)
	there.Knows(t, providertest.Person{ID: "1", Email: "olga@example.com", Groups: []string{"ops"}})
	for what, change := range map[string]func(r *openid.Request){
		"another verifier": func(r *openid.Request) { r.Verifier = openid.NewVerifier() },
		"another nonce":    func(r *openid.Request) { r.Nonce = openid.NewVerifier() },
	} {
		r := request()
		code := logIn(t, p, there, r, "olga@example.com").Get("code")
		change(&r)
		if _, err := p.Redeem(t.Context(), r, code, "", 0); !errors.Is(err, access.ErrUnknown) {
			t.Errorf("with %s: %v", what, err)
		}
	}
	r := request()
	code := logIn(t, p, there, r, "olga@example.com").Get("code")
	if _, err := p.Redeem(t.Context(), r, code, "https://evil.example.com", 0); !errors.Is(err, access.ErrUnknown) {
		t.Errorf("with another issuer: %v", err)
	}
	testkit.Must(p.Redeem(t.Context(), r, code, there.Issuer, 0))(t)
	if _, err := p.Redeem(t.Context(), r, code, "", 0); !errors.Is(err, access.ErrUnknown) {
		t.Errorf("a code that was taken: %v", err)
	}
}

// TestAStepUpIsFresh: the person has logged in after the request, and not before.
func TestAStepUpIsFresh(t *testing.T) {
	there := providertest.Start(t, redirect)
	c := configOf(there.Issuer)
	later := time.Duration(0)
	c.Now = func() time.Time { return time.Now().Add(later) }
	p := testkit.Must(openid.New(c))(t)
	there.Knows(t, providertest.Person{ID: "1", Email: "olga@example.com", Groups: []string{"ops"}})
	r := request()
	r.Email = "olga@example.com"
	address := testkit.Must(url.Parse(testkit.Must(p.Address(t.Context(), r))(t)))(t)
	q := address.Query()
	if q.Get("max_age") != "0" || q.Get("prompt") != "login" || q.Get("code_challenge_method") != "S256" ||
		q.Get("code_challenge") == r.Verifier {
		t.Errorf("it is asked for by %s", address)
	}
	code := logIn(t, p, there, r, r.Email).Get("code")
	testkit.Must(p.Redeem(t.Context(), r, code, "", time.Minute))(t)
	code = logIn(t, p, there, r, r.Email).Get("code")
	later = 2 * time.Minute // as if the log-in had been two minutes before the request
	if _, err := p.Redeem(t.Context(), r, code, "", 0); !errors.Is(err, access.ErrUnknown) {
		t.Errorf("a log-in from before: %v", err)
	}
}

// badProvider answers with ID tokens that a test makes.
type badProvider struct {
	*httptest.Server
	key   *ecdsa.PrivateKey
	token func() string
}

func newBadProvider(t *testing.T) *badProvider {
	t.Helper()
	b := &badProvider{key: testkit.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)}
	mux := http.NewServeMux()
	answer := func(path string, value func() any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(value()); err != nil {
				t.Error(err)
			}
		})
	}
	answer("/.well-known/openid-configuration", func() any {
		return map[string]any{"issuer": b.URL, "authorization_endpoint": b.URL + "/auth", "token_endpoint": b.URL + "/token",
			"jwks_uri": b.URL + "/keys", "id_token_signing_alg_values_supported": []string{"none", "HS256", "ES256"}}
	})
	answer("/keys", func() any {
		return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
			{Key: &b.key.PublicKey, KeyID: "1", Algorithm: "ES256", Use: "sig"}}}
	})
	answer("/token", func() any {
		return map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": b.token()}
	})
	b.Server = httptest.NewServer(mux)
	t.Cleanup(b.Close)
	return b
}

// signed is an ID token that a key signs.
func signed(t *testing.T, algorithm jose.SignatureAlgorithm, key any, claims map[string]any) string {
	t.Helper()
	signer := testkit.Must(jose.NewSigner(jose.SigningKey{Algorithm: algorithm,
		Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil))(t)
	text := testkit.Must(json.Marshal(claims))(t)
	return testkit.Must(testkit.Must(signer.Sign(text))(t).CompactSerialize())(t)
}

// TestBadTokens: what a provider that is broken, or somebody in its place, says of a person is refused.
func TestBadTokens(t *testing.T) {
	b := newBadProvider(t)
	p := testkit.Must(openid.New(configOf(b.URL)))(t)
	r := request()
	r.Email = "olga@example.com"
	now := time.Now().Unix()
	good := func() map[string]any {
		return map[string]any{"iss": b.URL, "aud": "console", "sub": "1", "exp": now + 60, "iat": now, "auth_time": now,
			"nonce": r.Nonce, "email": "olga@example.com", "email_verified": true, "groups": []string{"ops"}}
	}
	es256 := func(claims map[string]any) string { return signed(t, jose.ES256, b.key, claims) }
	b.token = func() string { return es256(good()) }
	testkit.Must(p.Redeem(t.Context(), r, "code", b.URL, 0))(t)
	with := func(claim string, value any) func() string {
		return func() string {
			claims := good()
			claims[claim] = value
			return es256(claims)
		}
	}
	for what, token := range map[string]func() string{
		"another audience":        with("aud", "other"),
		"several audiences":       with("aud", []string{"console", "other"}),
		"another party":           with("azp", "other"),
		"another issuer":          with("iss", "https://id.example.com"),
		"another nonce":           with("nonce", "other"),
		"no nonce":                with("nonce", ""),
		"an end that is over":     with("exp", now-60),
		"a time to come":          with("iat", now+3600),
		"not yet":                 with("nbf", now+3600),
		"no moment of the log-in": with("auth_time", nil),
		"a log-in from before":    with("auth_time", now-120),
		"a log-in to come":        with("auth_time", now+120),
		"no subject":              with("sub", ""),
		"no address":              with("email", ""),
		"an unverified address":   with("email_verified", false),
		"another access token":    with("at_hash", "abc"),
		"another's key": func() string {
			return signed(t, jose.ES256, testkit.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t), good())
		},
		"a shared secret": func() string { return signed(t, jose.HS256, []byte(strings.Repeat("s", 32)), good()) },
		"no algorithm": func() string {
			claims := testkit.Must(json.Marshal(good()))(t)
			return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." +
				base64.RawURLEncoding.EncodeToString(claims) + "."
		},
		"a changed claim": func() string {
			parts := strings.Split(es256(good()), ".")
			claims := good()
			claims["email"] = "mallory@example.com"
			return parts[0] + "." + base64.RawURLEncoding.EncodeToString(testkit.Must(json.Marshal(claims))(t)) + "." + parts[2]
		},
		"nothing": func() string { return "" },
	} {
		b.token = token
		if s, err := p.Redeem(t.Context(), r, "code", "", 0); !errors.Is(err, access.ErrUnknown) {
			t.Errorf("an ID token with %s lets %+v in: %v", what, s, err)
		}
	}
	b.token = with("groups", "ops") // one group, as a text
	testkit.Must(p.Redeem(t.Context(), r, "code", "", 0))(t)
}

// TestAnotherIssuer: a provider that names itself otherwise is none.
func TestAnotherIssuer(t *testing.T) {
	b := newBadProvider(t)
	p := testkit.Must(openid.New(configOf(b.URL + "/")))(t)
	if address, err := p.Address(t.Context(), request()); err == nil {
		t.Errorf("a browser is sent to %s", address)
	}
	if to := p.LogOut(t.Context()); to != "" {
		t.Errorf("a log-out leads to %s", to)
	}
}

func TestConfigsThatAreRefused(t *testing.T) {
	for what, change := range map[string]func(c *openid.Config){
		"no TLS":            func(c *openid.Config) { c.Issuer = "http://id.example.com" },
		"no URL":            func(c *openid.Config) { c.Issuer = "id.example.com" },
		"a redirect in the": func(c *openid.Config) { c.Redirect = "http://console.example.com/back" },
		"no client":         func(c *openid.Config) { c.ClientID = "" },
		"no groups":         func(c *openid.Config) { c.Roles = nil },
	} {
		c := configOf("https://id.example.com")
		change(&c)
		if _, err := openid.New(c); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, text := range []string{"", "ops", "ops=", "=operator", "ops=holder", "ops=exchange", "ops=boss",
		"a=operator,"} {
		if _, err := openid.ParseMappings(text); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%q is read: %v", text, err)
		}
	}
	got := testkit.Must(openid.ParseMappings("checkers=approver, ops = Operator"))(t)
	if fmt.Sprint(got) != "[{checkers approver} {ops operator}]" {
		t.Errorf("read as %v", got)
	}
}
