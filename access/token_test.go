package access_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/testkit"
)

func TestTokens(t *testing.T) {
	token, text, err := access.NewToken(rand.Reader)
	if err != nil || len(text) != 60 || !strings.HasPrefix(text, "sst_"+token.ID+"_") {
		t.Fatalf("made %q with the ID %q: %v", text, token.ID, err)
	}
	if id, is := access.TokenID(text); !is || id != token.ID {
		t.Errorf("the ID of %q is %q, %t", text, id, is)
	}
	other, otherText, err := access.NewToken(rand.Reader)
	if err != nil || other.ID == token.ID || otherText == text {
		t.Errorf("a second token is %q: %v", otherText, err)
	}
	for _, c := range []struct {
		what             string
		text             string
		expires, revoked time.Time
		want             error
	}{
		{"as it was made", text, time.Time{}, time.Time{}, nil},
		{"before it expires", text, noon.Add(time.Millisecond), time.Time{}, nil},
		{"when it expires", text, noon, time.Time{}, access.ErrUnknown},
		{"revoked", text, time.Time{}, noon, access.ErrUnknown},
		{"another", otherText, time.Time{}, time.Time{}, access.ErrUnknown},
		{"the same ID with another secret", text[:17] + otherText[17:], time.Time{}, time.Time{}, access.ErrUnknown},
		{"cut", text[:59], time.Time{}, time.Time{}, access.ErrUnknown},
		{"nothing", "", time.Time{}, time.Time{}, access.ErrUnknown},
	} {
		token.Expires, token.Revoked = c.expires, c.revoked
		if err := token.Check(c.text, noon); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	broken := errors.New("no more")
	if _, _, err := access.NewToken(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("without random bytes: %v", err)
	}
}

func TestWhoseAToken(t *testing.T) {
	for _, c := range []struct {
		token access.Token
		alice bool
	}{
		{access.Token{Role: access.Holder, Account: "alice"}, true},
		{access.Token{Role: access.Holder, Account: "alice2"}, false},
		{access.Token{Role: access.Holder}, false},
		{access.Token{Role: access.Exchange}, true},
		{access.Token{Role: access.Operator}, true},
		{access.Token{Role: access.Auditor}, true},
		{access.Token{}, false},
	} {
		if c.token.Owns("alice") != c.alice {
			t.Errorf("a token of the role %q and account %q owns alice: %t", c.token.Role, c.token.Account, !c.alice)
		}
	}
}

func TestValidTokens(t *testing.T) {
	good, _, err := access.NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		change func(*access.Token)
		valid  bool
	}{
		"of an auditor":          {func(t *access.Token) { t.Role = access.Auditor }, true},
		"of a holder":            {func(t *access.Token) { t.Role, t.Account = access.Holder, "alice" }, true},
		"of a holder of nothing": {func(t *access.Token) { t.Role = access.Holder }, false},
		"of a house account": {func(t *access.Token) {
			t.Role, t.Account = access.Holder, ledger.Rewards
		}, false},
		"of an operator's account": {func(t *access.Token) { t.Role, t.Account = access.Operator, "alice" }, false},
		"without a role":           {func(*access.Token) {}, false},
		"with a role nobody has":   {func(t *access.Token) { t.Role = "root" }, false},
		"without a hash":           {func(t *access.Token) { t.Role, t.Hash = access.Auditor, [32]byte{} }, false},
		"with a short ID":          {func(t *access.Token) { t.Role, t.ID = access.Auditor, t.ID[1:] }, false},
		"with addresses": {func(t *access.Token) {
			t.Role, t.Addresses = access.Auditor, []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		}, true},
		"with addresses that are no range": {func(t *access.Token) {
			t.Role, t.Addresses = access.Auditor, []netip.Prefix{netip.MustParsePrefix("192.0.2.7/24")}
		}, false},
		"with a subject":              {func(t *access.Token) { t.Role, t.Subject = access.Auditor, "CN=x,O=y" }, true},
		"with a subject of no kind":   {func(t *access.Token) { t.Role, t.Subject = access.Auditor, "back end" }, false},
		"with a subject of two lines": {func(t *access.Token) { t.Role, t.Subject = access.Auditor, "CN=x\ny" }, false},
		"with an ID of other signs":   {func(t *access.Token) { t.Role, t.ID = access.Auditor, "0123456789-_" }, false},
	} {
		token := good
		c.change(&token)
		if err := token.Valid(); (err == nil) != c.valid || (err != nil && !errors.Is(err, ledger.ErrInvalid)) {
			t.Errorf("a token %s: %v", what, err)
		}
	}
}

// A token is used by whom it was given to: from where, and with which certificate.
func TestATokenIsLimitedToItsCaller(t *testing.T) {
	from := func(ranges, subject string) access.Token {
		return access.Token{Addresses: testkit.Must(access.ParseAddresses(ranges))(t), Subject: subject}
	}
	at := func(address, subject string) access.Caller {
		return access.Caller{Address: netip.MustParseAddr(address), Subject: subject}
	}
	for _, c := range []struct {
		token  access.Token
		caller access.Caller
		want   error
	}{
		{from("", ""), at("203.0.113.9", ""), nil},
		{from("", ""), access.Caller{}, nil},
		{from("192.0.2.0/24,2001:db8::/32", ""), at("192.0.2.255", "CN=x"), nil},
		{from("192.0.2.0/24,2001:db8::/32", ""), at("::ffff:192.0.2.1", ""), nil},
		{from("192.0.2.0/24,2001:db8::/32", ""), at("2001:db8::9", ""), nil},
		{from("192.0.2.0/24,2001:db8::/32", ""), at("192.0.3.0", ""), access.ErrAddress},
		{from("192.0.2.0/24", ""), access.Caller{}, access.ErrAddress}, // nobody knows from where
		{from("", "CN=x,O=y"), at("192.0.2.1", "CN=x,O=y"), nil},
		{from("", "CN=x,O=y"), at("192.0.2.1", "CN=x"), access.ErrUnknown},
		{from("", "CN=x,O=y"), at("192.0.2.1", ""), access.ErrUnknown},
		{from("192.0.2.0/24", "CN=x"), at("192.0.3.1", "CN=x"), access.ErrAddress},
	} {
		if err := c.token.CheckCaller(c.caller); !errors.Is(err, c.want) {
			t.Errorf("%s for %v: %v", c.token.Describe(), c.caller, err)
		}
	}
}

func TestATokenEndsSoon(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		expires, revoked time.Time
		want             bool
	}{
		{time.Time{}, time.Time{}, false}, {now, time.Time{}, false}, {now.Add(time.Minute), time.Time{}, true},
		{now.Add(access.ExpiresSoon), time.Time{}, true}, {now.Add(access.ExpiresSoon + 1), time.Time{}, false},
		{now.Add(time.Minute), now, false},
	} {
		if got := (access.Token{Expires: c.expires, Revoked: c.revoked}).Soon(now); got != c.want {
			t.Errorf("%v: %t", c, got)
		}
	}
}

// What is no token costs nothing, and never reaches the books.
func FuzzTokenID(f *testing.F) {
	_, text, err := access.NewToken(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		text, "", "sst_", text[:59], text + "x", strings.ReplaceAll(text, "_", "-"), "sst_\x00" + text[5:],
		"sst_ÿ" + text[6:],
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, is := access.TokenID(text)
		token := access.Token{ID: id, Hash: [32]byte{1}, Role: access.Auditor}
		if is != (id != "") || is != (token.Valid() == nil) || is && !strings.HasPrefix(text, "sst_"+id+"_") {
			t.Errorf("the ID of %q is %q, %t", text, id, is)
		}
	})
}

func TestSealing(t *testing.T) {
	s, other := newSealer(t), newSealer(t)
	sealed := testkit.Must(s.Seal([]byte("secret"), "a"))(t)
	if again := testkit.Must(s.Seal([]byte("secret"), "a"))(t); bytes.Equal(again, sealed) ||
		bytes.Contains(sealed, []byte("secret")) {
		t.Error("the same secret is sealed alike, or shows")
	}
	if secret, err := s.Open(sealed, "a"); err != nil || string(secret) != "secret" {
		t.Errorf("opened is %q: %v", secret, err)
	}
	for what, open := range map[string]func() ([]byte, error){
		"for another name": func() ([]byte, error) { return s.Open(sealed, "b") },
		"by another key":   func() ([]byte, error) { return other.Open(sealed, "a") },
		"when it is cut":   func() ([]byte, error) { return s.Open(sealed[1:], "a") },
		"when it is empty": func() ([]byte, error) { return s.Open(nil, "a") },
		"by nobody":        func() ([]byte, error) { return (*access.Sealer)(nil).Open(sealed, "a") },
	} {
		if secret, err := open(); err == nil || secret != nil {
			t.Errorf("it opens %s: %q", what, secret)
		}
	}
	if _, err := (*access.Sealer)(nil).Seal(nil, ""); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("sealed by nobody: %v", err)
	}
}

// A secret is sealed for its key and account: in the row of another it is nothing.
func TestASecretIsBoundToItsKey(t *testing.T) {
	s := newSealer(t)
	good := hmacKey(t, s)
	for what, change := range map[string]func(*access.Key, **access.Sealer){
		"":                   func(*access.Key, **access.Sealer) {},
		"of another account": func(k *access.Key, _ **access.Sealer) { k.Account = "bob" },
		"of another name":    func(k *access.Key, _ **access.Sealer) { k.Key = "X" + k.Key[1:] },
		"without a sealer":   func(_ *access.Key, s **access.Sealer) { *s = nil },
		"of other books":     func(_ *access.Key, s **access.Sealer) { *s = newSealer(t) },
	} {
		k, by := good, s
		change(&k, &by)
		opens, verified := k.Opens(by), k.Verify(by, []byte(vectorPayload), vectorSignature)
		if (opens == nil) != (what == "") || (verified == nil) != (what == "") ||
			errors.Is(verified, access.ErrSignature) {
			t.Errorf("a key %s: %v, %v", what, opens, verified)
		}
		if what != "" && strings.Contains(opens.Error()+verified.Error(), k.Key) {
			t.Errorf("the key is shown whole: %v", opens)
		}
	}
	ed, _ := publicKey(t, access.Ed25519)
	if err := ed.Opens(nil); err != nil {
		t.Errorf("a public key needs no sealer: %v", err)
	}
}

func TestNewSealer(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32))
	if _, err := access.NewSealer("\n " + key + "\r\n"); err != nil {
		t.Errorf("spaces around it: %v", err)
	}
	for _, text := range []string{
		"", "secretword", key[:40], key + "AAAA", base64.URLEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, 32)),
	} {
		if _, err := access.NewSealer(text); err == nil || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
	broken := errors.New("no more")
	if _, err := access.NewSealKey(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("without random bytes: %v", err)
	}
}

func TestCaller(t *testing.T) {
	if c := access.CallerOf(context.Background()); c != (access.Caller{}) {
		t.Errorf("nobody is %+v", c)
	}
	want := access.Caller{
		Address: netip.MustParseAddr("192.0.2.7"), Country: "DE", Platform: "ios", Version: "3.1.0", Request: "r-1",
	}
	if c := access.CallerOf(access.WithCaller(t.Context(), want)); c != want {
		t.Errorf("the caller is %+v", c)
	}
}
