package access

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/softstake/softstake/ledger"
)

// The bits of an RSA key: fewer are not safe, and more make verification slow.
const (
	minRSA = 2048
	maxRSA = 4096
)

// maxPublicKey is the length in bytes of the longest public key that is read.
const maxPublicKey = 8 << 10

// ParsePublicKey reads a public key of a type from PEM, and returns its PKIX DER. RSA
// keys have 2048 to 4096 bits. Its error is ledger.ErrInvalid.
func ParsePublicKey(t KeyType, text []byte) ([]byte, error) {
	if len(text) > maxPublicKey {
		return nil, ledger.ErrInvalid.In("", "the public key has %d bytes; at most %d are read",
			len(text), maxPublicKey)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, ledger.ErrInvalid.In("",
			`the public key: a PEM block "PUBLIC KEY" is needed, as "openssl pkey -pubout" writes it`)
	}
	if _, err := publicKey(t, block.Bytes); err != nil {
		return nil, err
	}
	return block.Bytes, nil
}

// publicKey reads the DER of a public key of a type. Its error is ledger.ErrInvalid.
func publicKey(t KeyType, der []byte) (crypto.PublicKey, error) {
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, ledger.ErrInvalid.In("", "the public key: %w", err)
	}
	switch public := public.(type) {
	case ed25519.PublicKey:
		if t == Ed25519 {
			return public, nil
		}
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); t == RSA && (bits < minRSA || bits > maxRSA) {
			return nil, ledger.ErrInvalid.In("", "the public key: it is an RSA key of %d bits; it has %d to %d",
				bits, minRSA, maxRSA)
		}
		if t == RSA {
			return public, nil
		}
	}
	return nil, ledger.ErrInvalid.In("", "the public key: it is not one of the type %s", t)
}

// Verify returns ErrSignature unless a signature is the key's over the payload, byte for
// byte as received. HMAC-SHA256 is in hex of any case; RSA PKCS#1 v1.5 with SHA-256 and
// Ed25519 are in base64 [api], with or without padding. It runs in constant time.
//
// One signature can be spelled in several ways: a replay is recognized by its payload, not
// by the signature's text.
func (k Key) Verify(s *Sealer, payload []byte, signature string) error {
	if k.Type == HMAC {
		return k.verifyHMAC(s, payload, signature)
	}
	given, err := decodeBase64(signature)
	if err != nil {
		return ErrSignature
	}
	public, err := publicKey(k.Type, k.Secret)
	if err != nil {
		return fmt.Errorf("%s cannot be used; revoke it, and make another: %w", k, err)
	}
	if !verifyPublic(public, payload, given) {
		return ErrSignature
	}
	return nil
}

func verifyPublic(public crypto.PublicKey, payload, signature []byte) bool {
	if key, is := public.(ed25519.PublicKey); is {
		return ed25519.Verify(key, payload, signature)
	}
	sum := sha256.Sum256(payload)
	return rsa.VerifyPKCS1v15(public.(*rsa.PublicKey), crypto.SHA256, sum[:], signature) == nil
}

func (k Key) verifyHMAC(s *Sealer, payload []byte, signature string) error {
	given, err := hex.DecodeString(signature)
	if err != nil || len(given) != sha256.Size {
		return ErrSignature
	}
	secret, err := k.open(s)
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write(payload)
	if !hmac.Equal(mac.Sum(nil), given) {
		return ErrSignature
	}
	return nil
}

// maxSignature is the length in characters of the longest signature, with room to spare.
const maxSignature = 1024

var errBase64 = errors.New("not base64")

// decodeBase64 reads standard base64, with its padding or without.
func decodeBase64(text string) ([]byte, error) {
	if len(text) > maxSignature || strings.ContainsAny(text, "\r\n") { // Go's decoder skips line ends
		return nil, errBase64
	}
	if strings.HasSuffix(text, "=") {
		return base64.StdEncoding.Strict().DecodeString(text)
	}
	return base64.RawStdEncoding.Strict().DecodeString(text)
}
