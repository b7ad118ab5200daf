package evidence

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/softstake/softstake/ledger"
)

// Signer signs checkpoints with an Ed25519 key, whose name is the origin of the checkpoints.
type Signer struct {
	note.Verifier
	sign func(message []byte) ([]byte, error)
}

// Sign is the Ed25519 signature of a message.
func (s Signer) Sign(message []byte) ([]byte, error) { return s.sign(message) }

// NewKey makes a key: private is for KeySigner, public is for ParseVerifier. The name stands in each checkpoint, and is
// best one of the operator's own, such as books.example.com/softstake.
func NewKey(random io.Reader, name string) (private, public string, err error) {
	private, public, err = note.GenerateKey(random, name)
	if err != nil {
		return "", "", fmt.Errorf("make a key: %w", err)
	}
	if _, err := note.NewVerifier(public); err != nil {
		return "", "", ledger.ErrInvalid.In("name", "a key's name has no spaces and no +")
	}
	return private, public, nil
}

// KeySigner signs with a private key of NewKey, and returns the public key too.
func KeySigner(private string) (s Signer, public string, err error) {
	signer, err := note.NewSigner(private)
	if err != nil {
		return s, "", ledger.ErrInvalid.In("key", "it is not a private key for checkpoints")
	}
	key, err := base64.StdEncoding.DecodeString(strings.SplitN(private, "+", 5)[4])
	if err != nil {
		return s, "", fmt.Errorf("read the private key: %w", err)
	}
	of := ed25519.NewKeyFromSeed(key[1:]).Public().(ed25519.PublicKey) // the first byte is the algorithm
	public, v, err := publicKey(signer.Name(), of)
	return Signer{v, signer.Sign}, public, err
}

func publicKey(name string, key ed25519.PublicKey) (public string, v note.Verifier, err error) {
	if public, err = note.NewEd25519VerifierKey(name, key); err == nil {
		v, err = ParseVerifier(public)
	}
	return public, v, err
}

// PublicKeyOf is the public key of a name and of an Ed25519 key in PEM, as a KMS gives it out.
func PublicKeyOf(name string, text []byte) (public string, err error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return "", ledger.ErrInvalid.In("key", "it is no key in PEM")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	key, is := parsed.(ed25519.PublicKey)
	if err != nil || !is {
		return "", ledger.ErrInvalid.In("key", "it is no public key of Ed25519")
	}
	public, _, err = publicKey(name, key)
	return public, err
}

// CommandSigner signs with a command, for keys that a KMS or an HSM keeps: it gets the message on standard input, and
// prints the Ed25519 signature of it in base64. What it prints is verified.
func CommandSigner(ctx context.Context, command string, public note.Verifier) Signer {
	return Signer{public, func(message []byte) ([]byte, error) {
		cmd := exec.CommandContext(ctx, "sh", "-c", command)
		cmd.Stdin = bytes.NewReader(message)
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("the command that signs: %w", err)
		}
		signature, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(out)))
		if err != nil || !public.Verify(message, signature) {
			return nil, ledger.ErrInvalid.In("signature", "the command has not printed a signature of %s in base64",
				public.Name())
		}
		return signature, nil
	}}
}

// ParseVerifier reads a public key, as NewKey makes it: NAME+HASH+KEY.
func ParseVerifier(public string) (note.Verifier, error) {
	v, err := note.NewVerifier(public)
	if err != nil {
		return nil, ledger.ErrInvalid.In("verifier", "it is not a public key for checkpoints, NAME+HASH+KEY")
	}
	return v, nil
}
