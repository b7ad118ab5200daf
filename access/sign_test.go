package access_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/testkit"
)

// The exchange's own example [api].
const (
	vectorSecret  = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
	vectorPayload = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1" +
		"&recvWindow=5000&timestamp=1499827319559"
	vectorSignature = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
)

// name is the name of a key.
var name = strings.Repeat("Aa1Zz9Bb", 8)

func newSealer(t testing.TB) *access.Sealer {
	t.Helper()
	s, err := access.NewSealer(testkit.Must(access.NewSealKey(rand.Reader))(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// hmacKey is a key with the secret of the exchange's example.
func hmacKey(t testing.TB, s *access.Sealer) access.Key {
	t.Helper()
	k := access.Key{Key: name, Account: "alice", Type: access.HMAC, Permissions: []access.Permission{access.Read}}
	if err := k.Seal(s, vectorSecret); err != nil {
		t.Fatal(err)
	}
	return k
}

// pairs are private keys, made once: RSA keys are slow to make.
var pairs = sync.OnceValue(func() map[access.KeyType]crypto.Signer {
	_, curve, errCurve := ed25519.GenerateKey(rand.Reader)
	modulus, errModulus := rsa.GenerateKey(rand.Reader, 2048)
	if err := errors.Join(errCurve, errModulus); err != nil {
		panic(err)
	}
	return map[access.KeyType]crypto.Signer{access.Ed25519: curve, access.RSA: modulus}
})

// publicPEM is a public key as openssl writes it.
func publicPEM(t testing.TB, public crypto.PublicKey) []byte {
	t.Helper()
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: testkit.Must(x509.MarshalPKIXPublicKey(public))(t)})
}

// publicKey is a key whose private half signs.
func publicKey(t testing.TB, kind access.KeyType) (access.Key, func(payload string) []byte) {
	t.Helper()
	private := pairs()[kind]
	k := access.Key{Key: name, Account: "alice", Type: kind, Permissions: []access.Permission{access.Read}}
	k.Secret = testkit.Must(access.ParsePublicKey(kind, publicPEM(t, private.Public())))(t)
	return k, func(payload string) []byte {
		t.Helper()
		if kind == access.Ed25519 {
			return testkit.Must(private.Sign(nil, []byte(payload), crypto.Hash(0)))(t)
		}
		sum := sha256.Sum256([]byte(payload))
		return testkit.Must(private.Sign(rand.Reader, sum[:], crypto.SHA256))(t)
	}
}

func TestTheExchangesOwnExample(t *testing.T) {
	s := newSealer(t)
	k := hmacKey(t, s)
	for _, c := range []struct {
		what, payload, signature string
		want                     error
	}{
		{"as it is published", vectorPayload, vectorSignature, nil},
		{"in capitals", vectorPayload, strings.ToUpper(vectorSignature), nil},
		{"in both", vectorPayload, "C" + vectorSignature[1:], nil},
		{"of another payload", vectorPayload + "0", vectorSignature, access.ErrSignature},
		{"of the payload with a sign in front", "&" + vectorPayload, vectorSignature, access.ErrSignature},
		{"with its last digit changed", vectorPayload, vectorSignature[:63] + "2", access.ErrSignature},
		{"with its first digit changed", vectorPayload, "d" + vectorSignature[1:], access.ErrSignature},
		{"cut", vectorPayload, vectorSignature[:62], access.ErrSignature},
		{"with an odd digit", vectorPayload, vectorSignature[:63], access.ErrSignature},
		{"with something behind it", vectorPayload, vectorSignature + "00", access.ErrSignature},
		{"that is empty", vectorPayload, "", access.ErrSignature},
		{"that is not hex", vectorPayload, strings.Repeat("g", 64), access.ErrSignature},
		{"in base64", vectorPayload, base64.StdEncoding.EncodeToString([]byte(vectorSignature[:32])),
			access.ErrSignature},
		{"that is very long", vectorPayload, strings.Repeat("a", 1<<20), access.ErrSignature},
	} {
		if err := k.Verify(s, []byte(c.payload), c.signature); !errors.Is(err, c.want) {
			t.Errorf("the signature %s: %v, want %v", c.what, err, c.want)
		}
	}
	mac := hmac.New(sha256.New, []byte(vectorSecret))
	if err := k.Verify(s, nil, hex.EncodeToString(mac.Sum(nil))); err != nil {
		t.Errorf("of nothing: %v", err)
	}
}

func TestSignaturesOfPrivateKeys(t *testing.T) {
	const payload = "&timestamp=1499827319559&note=a+b%20c"
	for _, kind := range []access.KeyType{access.Ed25519, access.RSA} {
		k, sign := publicKey(t, kind)
		signature := sign(payload)
		padded := base64.StdEncoding.EncodeToString(signature)
		bare := strings.TrimRight(padded, "=")
		last := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", bare[len(bare)-1])
		changed := append([]byte(nil), signature...)
		changed[10] ^= 1
		for _, c := range []struct {
			what, payload, signature string
			want                     error
		}{
			{"padded", payload, padded, nil},
			{"without padding", payload, bare, nil},
			{"of another payload", payload + " ", padded, access.ErrSignature},
			{"that is changed", payload, base64.StdEncoding.EncodeToString(changed), access.ErrSignature},
			{"cut", payload, base64.StdEncoding.EncodeToString(signature[:60]), access.ErrSignature},
			{"with too much padding", payload, bare + "===", access.ErrSignature},
			{"with too little padding", payload, bare + "=", access.ErrSignature},
			{"with a line end", payload, padded[:20] + "\n" + padded[20:], access.ErrSignature},
			{"with bits that count for nothing", payload, bare[:len(bare)-1] +
				"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[last+1:last+2], access.ErrSignature},
			{"in the alphabet of addresses", payload,
				base64.URLEncoding.EncodeToString([]byte{0xfb, 0xff}) + padded[4:], access.ErrSignature},
			{"in hex", payload, hex.EncodeToString(signature), access.ErrSignature},
			{"that is empty", payload, "", access.ErrSignature},
			{"that is very long", payload, strings.Repeat("A", 1<<20), access.ErrSignature},
		} {
			if err := k.Verify(nil, []byte(c.payload), c.signature); !errors.Is(err, c.want) {
				t.Errorf("%s: the signature %s: %v, want %v", kind, c.what, err, c.want)
			}
		}
		other, _ := publicKey(t,
			map[access.KeyType]access.KeyType{access.Ed25519: access.RSA, access.RSA: access.Ed25519}[kind])
		if err := other.Verify(nil, []byte(payload), padded); !errors.Is(err, access.ErrSignature) {
			t.Errorf("the signature of an %s key is another's: %v", kind, err)
		}
		k.Secret = k.Secret[1:]
		if err := k.Verify(nil, []byte(payload), padded); err == nil || errors.Is(err, access.ErrSignature) {
			t.Errorf("%s: a public key that is damaged in the books is no matter of the signature: %v", kind, err)
		}
	}
}

func TestParsePublicKey(t *testing.T) {
	small := testkit.Must(rsa.GenerateKey(rand.Reader, 1024))(t)
	curve := testkit.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	rsaPEM, edPEM := publicPEM(t, pairs()[access.RSA].Public()), publicPEM(t, pairs()[access.Ed25519].Public())
	private := pem.EncodeToMemory(&pem.Block{
		Type: "PRIVATE KEY", Bytes: testkit.Must(x509.MarshalPKCS8PrivateKey(pairs()[access.Ed25519]))(t),
	})
	for _, c := range []struct {
		what string
		kind access.KeyType
		text []byte
		want string // in the error; "": none
	}{
		{"RSA", access.RSA, rsaPEM, ""},
		{"Ed25519", access.Ed25519, edPEM, ""},
		{"a comment before it", access.Ed25519, append([]byte("mine:\r\n"), edPEM...), ""},
		{"RSA as Ed25519", access.Ed25519, rsaPEM, "not one of the type ed25519"},
		{"Ed25519 as RSA", access.RSA, edPEM, "not one of the type rsa"},
		{"for HMAC", access.HMAC, edPEM, "not one of the type hmac"},
		{"another curve", access.Ed25519, publicPEM(t, curve.Public()), "not one of the type"},
		{"too few bits", access.RSA, publicPEM(t, small.Public()), "1024 bits; it has 2048 to 4096"},
		{"a private key", access.Ed25519, private, "openssl pkey -pubout"},
		{"DER", access.Ed25519, []byte("0*0\x05"), "openssl pkey -pubout"},
		{"nothing", access.RSA, nil, "openssl pkey -pubout"},
		{"too long", access.RSA, append(rsaPEM, make([]byte, 8<<10)...), "at most 8192"},
		{"nonsense inside", access.RSA, []byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
			"the public key"},
	} {
		der, err := access.ParsePublicKey(c.kind, c.text)
		if c.want == "" && (err != nil || len(der) == 0) {
			t.Errorf("%s: %v", c.what, err)
		}
		if c.want != "" && (!errors.Is(err, ledger.ErrInvalid) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
}

// Whatever is sent as a signature, it is refused or right, and costs no more than itself.
func FuzzVerify(f *testing.F) {
	s := newSealer(f)
	ed, sign := publicKey(f, access.Ed25519)
	rs, _ := publicKey(f, access.RSA)
	right := base64.StdEncoding.EncodeToString(sign(vectorPayload))
	for _, seed := range []string{
		"", vectorSignature, right, right[:86], "====", "\n", "ÿ", strings.Repeat("A", 2000),
	} {
		f.Add(seed, vectorPayload)
	}
	hm := hmacKey(f, s)
	f.Fuzz(func(t *testing.T, signature, payload string) {
		for _, k := range []access.Key{hm, ed, rs} {
			switch err := k.Verify(s, []byte(payload), signature); {
			case err == nil && k.Type == access.HMAC && payload == vectorPayload &&
				strings.EqualFold(signature, vectorSignature):
			case err == nil && k.Type == access.Ed25519 && payload == vectorPayload &&
				strings.TrimRight(signature, "=") == right[:86]:
			case !errors.Is(err, access.ErrSignature):
				t.Errorf("%s key, signature %q over %q: %v", k.Type, signature, payload, err)
			}
		}
	})
}

func FuzzParsePublicKey(f *testing.F) {
	f.Add("rsa", publicPEM(f, pairs()[access.RSA].Public()))
	f.Add("ed25519", publicPEM(f, pairs()[access.Ed25519].Public()))
	f.Add("hmac", []byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"))
	f.Fuzz(func(t *testing.T, kind string, text []byte) {
		der, err := access.ParsePublicKey(access.KeyType(kind), text)
		if err != nil {
			if !errors.Is(err, ledger.ErrInvalid) || len(err.Error()) > 1000 {
				t.Errorf("%v", err)
			}
			return
		}
		k := access.Key{
			Key: name, Account: "alice", Type: access.KeyType(kind), Permissions: []access.Permission{access.Read},
			Secret: der,
		}
		if err := k.Valid(); err != nil {
			t.Errorf("what was read is not valid: %v", err)
		}
		if err := k.Verify(nil, []byte("payload"), "AAAA"); !errors.Is(err, access.ErrSignature) {
			t.Errorf("what was read cannot be used: %v", err)
		}
	})
}
