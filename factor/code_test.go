package factor

import (
	"bytes"
	"crypto/rand"
	"math/bits"
	"strings"
	"testing"
)

// TestRecoveryCodes: a code has at least 112 bits, which a hash without salt may keep, and is the same however it is
// typed; another person's, and another, is not.
func TestRecoveryCodes(t *testing.T) {
	code, err := NewRecoveryCode(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.ReplaceAll(code, "-", "")
	if each := bits.Len(uint(len(recoveryAlphabet))) - 1; len(plain)*each < 112 {
		t.Errorf("a code of %d characters of %d bits", len(plain), each)
	}
	hash := HashRecoveryCode("login a@example.com", code)
	for _, typed := range []string{plain, strings.ToUpper(code), strings.ReplaceAll(code, "-", " "), " " + code + "\n"} {
		if HashRecoveryCode("login a@example.com", typed) != hash {
			t.Errorf("typed as %q it is another", typed)
		}
	}
	if HashRecoveryCode("login b@example.com", code) == hash {
		t.Error("another person's is the same")
	}
	if HashRecoveryCode("login a@example.com", plain[1:]) == hash {
		t.Error("a part of it is the same")
	}
	if _, err := NewRecoveryCode(bytes.NewReader(nil)); err == nil {
		t.Error("a code is made without randomness")
	}
	if !IsTOTP("123 456") || IsTOTP(code) || IsTOTP("12345") || IsTOTP("1234567") {
		t.Error("codes of an authenticator app are taken for others")
	}
}
