package access_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/testkit"
)

// noon is when the tests play.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestNewKey(t *testing.T) {
	// 0xff and 0xf8 would make some characters likelier than others, and are passed over.
	random := bytes.NewReader(slices.Concat(bytes.Repeat([]byte{0xff}, 30), bytes.Repeat([]byte{0xf8}, 34),
		bytes.Repeat([]byte{247}, 64), bytes.Repeat([]byte{62}, 64)))
	key, secret, err := access.NewKey(random)
	if err != nil || key != strings.Repeat("9", 64) || secret != strings.Repeat("A", 64) {
		t.Errorf("made %q and %q: %v", key, secret, err)
	}
	for text, is := range map[string]bool{
		key: true, key[1:]: false, key[1:] + "_": false, key[1:] + "é": false, "": false,
	} {
		if access.IsKey(text) != is {
			t.Errorf("%q is a key: %t", text, !is)
		}
	}
	broken := errors.New("no more")
	if _, _, err := access.NewKey(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("without random bytes: %v", err)
	}
	if _, _, err := access.NewKey(bytes.NewReader(make([]byte, 64))); err == nil {
		t.Error("a secret is made without random bytes")
	}
}

func TestNamed(t *testing.T) {
	k := access.Key{Key: strings.Repeat("k", 64), Label: "report"}
	if got := k.Named(); got != "kkkkkkkk… report" {
		t.Errorf("named %q", got)
	}
	if k.Label = ""; k.Named() != "kkkkkkkk…" {
		t.Errorf("named %q", k.Named())
	}
	if k.Label = strings.Repeat("ü", 200); len([]rune(k.Named())) != 100 || !utf8.ValidString(k.Named()) {
		t.Errorf("named %q", k.Named())
	}
}

func TestParseKeyTypeAndRole(t *testing.T) {
	for _, s := range []string{"hmac", "HMAC", "Ed25519", "rsa"} {
		if kind, err := access.ParseKeyType(s); err != nil || string(kind) != strings.ToLower(s) {
			t.Errorf("%q is read as %q: %v", s, kind, err)
		}
	}
	for _, s := range []string{"Exchange", "operator", "auditor", "holder"} {
		if role, err := access.ParseRole(s); err != nil || string(role) != strings.ToLower(s) {
			t.Errorf("%q is read as %q: %v", s, role, err)
		}
	}
	for _, s := range []string{"", "ecdsa", "root", strings.Repeat("x", 10_000)} {
		_, kind := access.ParseKeyType(s)
		_, role := access.ParseRole(s)
		if !errors.Is(kind, ledger.ErrInvalid) || !errors.Is(role, ledger.ErrInvalid) ||
			len(kind.Error()+role.Error()) > 500 {
			t.Errorf("%.20q: %v, %v", s, kind, role)
		}
	}
}

func TestParsePermissions(t *testing.T) {
	for text, want := range map[string]string{
		"read": "read", "read,trade": "read,trade", " Trade , READ ": "read,trade", "read,read": "read",
	} {
		if p, err := access.ParsePermissions(text); err != nil || access.FormatPermissions(p) != want {
			t.Errorf("%q is read as %q: %v", text, p, err)
		}
	}
	for _, text := range []string{"", "trade", "read,", "read;trade", "read,write", "all"} {
		if p, err := access.ParsePermissions(text); !errors.Is(err, ledger.ErrInvalid) || p != nil {
			t.Errorf("%q is read as %q: %v", text, p, err)
		}
	}
}

func TestParseAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "  ": "",
		"192.0.2.7":                        "192.0.2.7/32",
		"192.0.2.7/24":                     "192.0.2.0/24",
		"::ffff:192.0.2.7":                 "192.0.2.7/32",
		"::ffff:192.0.2.7/120":             "192.0.2.0/24",
		"::ffff:c000:207":                  "192.0.2.7/32",
		"2001:DB8::1":                      "2001:db8::1/128",
		"2001:db8::1/32, 192.0.2.7":        "2001:db8::/32,192.0.2.7/32",
		"192.0.2.7,192.0.2.7/32,192.0.2.8": "192.0.2.7/32,192.0.2.8/32",
		"0.0.0.0/0,::/0":                   "0.0.0.0/0,::/0",
	} {
		if a, err := access.ParseAddresses(text); err != nil || access.FormatAddresses(a) != want {
			t.Errorf("%q is read as %q: %v", text, access.FormatAddresses(a), err)
		}
	}
	for _, text := range []string{
		",", "192.0.2", "192.0.2.256", "192.0.2.7/33", "192.0.2.7/-1", "2001:db8::/129", "::ffff:192.0.2.7/95",
		"fe80::1%eth0", "fe80::1%eth0/64",
		"example.org", "192.0.2.7 192.0.2.8", "010.0.0.1",
		strings.Repeat("192.0.2.7,", access.MaxKeyAddresses) + "192.0.2.7",
	} {
		if a, err := access.ParseAddresses(text); !errors.Is(err, ledger.ErrInvalid) || a != nil {
			t.Errorf("%q is read as %q: %v", text, a, err)
		}
	}
}

func TestAllows(t *testing.T) {
	limited := access.Key{
		Permissions: []access.Permission{access.Read},
		Addresses:   testkit.Must(access.ParseAddresses("192.0.2.0/24,2001:db8::/32"))(t),
	}
	anywhere := access.Key{Permissions: []access.Permission{access.Read, access.Trade}}
	for _, c := range []struct {
		key  access.Key
		do   access.Permission
		from string
		want error
	}{
		{limited, access.Read, "192.0.2.255", nil},
		{limited, access.Read, "::ffff:192.0.2.1", nil},
		{limited, access.Read, "2001:db8:ffff::1", nil},
		{limited, access.Read, "2001:db8::1%eth0", nil},
		{limited, access.Read, "192.0.3.0", access.ErrAddress},
		{limited, access.Read, "::c000:201", access.ErrAddress},
		{limited, access.Read, "", access.ErrAddress},
		{limited, access.Trade, "192.0.3.0", access.ErrAddress},
		{limited, access.Trade, "192.0.2.1", access.ErrForbidden},
		{anywhere, access.Trade, "", nil},
		{anywhere, access.Read, "fe80::1%eth0", nil},
		{anywhere, "withdraw", "192.0.2.1", access.ErrForbidden},
	} {
		var from netip.Addr
		if c.from != "" {
			from = netip.MustParseAddr(c.from)
		}
		if err := c.key.Allows(c.do, from); !errors.Is(err, c.want) {
			t.Errorf("%s from %q: %v, want %v", c.do, c.from, err, c.want)
		}
	}
}

func TestLive(t *testing.T) {
	for _, c := range []struct {
		what             string
		expires, revoked time.Time
		want             error
	}{
		{"forever", time.Time{}, time.Time{}, nil},
		{"a millisecond more", noon.Add(time.Millisecond), time.Time{}, nil},
		{"expired now", noon, time.Time{}, access.ErrUnknown},
		{"revoked", time.Time{}, noon.Add(-time.Hour), access.ErrUnknown},
		{"revoked by a clock ahead of ours", time.Time{}, noon.Add(time.Hour), access.ErrUnknown},
	} {
		if err := (access.Key{Expires: c.expires, Revoked: c.revoked}).Live(noon); !errors.Is(err, c.want) {
			t.Errorf("a key %s: %v", c.what, err)
		}
	}
}

func TestValidKeys(t *testing.T) {
	good := hmacKey(t, newSealer(t))
	good.Addresses = testkit.Must(access.ParseAddresses("192.0.2.0/24"))(t)
	if err := good.Valid(); err != nil {
		t.Errorf("a good key: %v", err)
	}
	for what, change := range map[string]func(*access.Key){
		"a short name":       func(k *access.Key) { k.Key = k.Key[1:] },
		"a name with a sign": func(k *access.Key) { k.Key = "-" + k.Key[1:] },
		"a house account":    func(k *access.Key) { k.Account = ledger.Rewards },
		"no permission":      func(k *access.Key) { k.Permissions = nil },
		"only trade":         func(k *access.Key) { k.Permissions = []access.Permission{access.Trade} },
		"permissions out of order": func(k *access.Key) {
			k.Permissions = []access.Permission{access.Trade, access.Read}
		},
		"a range not masked": func(k *access.Key) {
			k.Addresses = []netip.Prefix{netip.MustParsePrefix("192.0.2.7/24")}
		},
		"a range that is none":     func(k *access.Key) { k.Addresses = []netip.Prefix{{}} },
		"no secret":                func(k *access.Key) { k.Secret = nil },
		"no type":                  func(k *access.Key) { k.Type = "" },
		"a secret as a public key": func(k *access.Key) { k.Type = access.Ed25519 },
	} {
		k := good
		change(&k)
		if err := k.Valid(); !errors.Is(err, ledger.ErrInvalid) || strings.Contains(err.Error(), good.Key) {
			t.Errorf("a key with %s: %v", what, err)
		}
	}
}

// What is logged or printed by mistake shows nothing.
func TestSecretsAreNotPrinted(t *testing.T) {
	seal := testkit.Must(access.NewSealKey(bytes.NewReader(bytes.Repeat([]byte("seal"), 8))))(t)
	s := testkit.Must(access.NewSealer(seal))(t)
	k := hmacKey(t, s)
	k.Secret = access.Hidden("sealed")
	var out strings.Builder
	for _, value := range []any{k, &k, []access.Key{k}, s, *s, k.Secret, struct{ K access.Key }{k}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("text", "value", value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "value", value)
	}
	out.Write(testkit.Must(json.Marshal(k.Secret))(t))
	for _, secret := range []string{
		"sealed", fmt.Sprintf("%x", "sealed"), fmt.Sprint([]byte("sealed")), "c2VhbGVk", seal,
		fmt.Sprint([]byte("seal"))[1:10], "[0x73",
	} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is printed:\n%s", secret, out.String())
		}
	}
	if got := fmt.Sprintf("%v", k); got != "key Aa1Zz9Bb… of alice" || fmt.Sprintf("%+v", &k) != got {
		t.Errorf("a key is printed as %q", got)
	}
}

func FuzzParsePermissions(f *testing.F) {
	for _, seed := range []string{"read", "read,trade", "TRADE,read", ",", "read,write", "withdraw,read"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		permissions, err := access.ParsePermissions(text)
		if err != nil {
			if !errors.Is(err, ledger.ErrInvalid) || permissions != nil || len(err.Error()) > 400 {
				t.Errorf("%q: %v, %v", text, permissions, err)
			}
			return
		}
		sets := []string{"read", "read,trade", "read,withdraw", "read,trade,withdraw"}
		if got := access.FormatPermissions(permissions); !slices.Contains(sets, got) {
			t.Errorf("%q is read as %q", text, got)
		}
	})
}

func FuzzParseAddresses(f *testing.F) {
	for _, seed := range []string{"", "192.0.2.7", "::ffff:192.0.2.7/96", "2001:db8::/32,fe80::1%eth0", "0.0.0.0/0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		addresses, err := access.ParseAddresses(text)
		if err != nil {
			if !errors.Is(err, ledger.ErrInvalid) || addresses != nil || len(err.Error()) > 400 {
				t.Errorf("%q: %v, %v", text, addresses, err)
			}
			return
		}
		again, err := access.ParseAddresses(access.FormatAddresses(addresses))
		if err != nil || !slices.Equal(again, addresses) {
			t.Errorf("%q is read as %v, and that as %v: %v", text, addresses, again, err)
		}
		for _, a := range addresses {
			if k := (access.Key{
				Permissions: []access.Permission{access.Read}, Addresses: addresses,
			}); k.Allows(access.Read, a.Addr()) != nil {
				t.Errorf("%q: %s is not allowed from itself", text, a)
			}
		}
	})
}
