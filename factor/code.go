package factor

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"image"
	"io"
	"strings"
	"time"

	"github.com/boombuler/barcode/qr"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/softstake/softstake/access"
)

// TOTP is the secret that an authenticator app makes codes with [RFC 6238]: SHA-1, six digits, 30 seconds, which is
// what all of them can.
type TOTP struct {
	Secret string // in base32
	URI    string // otpauth://…, which apps read
}

const (
	totpPeriod      = 30 // seconds
	totpSecretBytes = 20
)

// NewTOTP makes a secret. The app shows issuer and name beside its codes.
func NewTOTP(random io.Reader, issuer, name string) (TOTP, error) {
	key, err := totp.Generate(totp.GenerateOpts{
		Issuer: issuer, AccountName: name, SecretSize: totpSecretBytes, Rand: random, Period: totpPeriod,
	})
	if err != nil {
		return TOTP{}, fmt.Errorf("make the secret of an authenticator app: %w", err)
	}
	return TOTP{Secret: key.Secret(), URI: key.URL()}, nil
}

// ParseTOTP reads a secret's URI. Its error is access.ErrUnknown.
func ParseTOTP(uri string) (TOTP, error) {
	key, err := otp.NewKeyFromURL(uri)
	if err != nil || key.Secret() == "" {
		return TOTP{}, access.ErrUnknown.In("", "it is no secret of an authenticator app")
	}
	return TOTP{Secret: key.Secret(), URI: uri}, nil
}

// CheckTOTP returns the time step of a code: that of now, or the one before or after it. access.ErrUnknown for another
// code; because of ReasonUsed for one of a step that is not after last, the step of the last code that was used.
func CheckTOTP(secret, code string, now time.Time, last int64) (step int64, err error) {
	code = strings.Join(strings.Fields(code), "")
	step = -1
	for at := now.Unix()/totpPeriod - 1; at <= now.Unix()/totpPeriod+1; at++ {
		want, err := totp.GenerateCodeCustom(secret, time.Unix(at*totpPeriod, 0).UTC(),
			totp.ValidateOpts{Period: totpPeriod, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, fmt.Errorf("make the code of an authenticator app: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step = at
		}
	}
	switch {
	case step < 0:
		return 0, access.ErrUnknown.In("", "it is not the code of an authenticator app")
	case step <= last:
		return 0, access.ErrUnknown.In("", "the code was used before").Because(ReasonUsed)
	}
	return step, nil
}

// IsTOTP reports whether text has the form of a code of an authenticator app, and so not of a recovery code.
func IsTOTP(text string) bool {
	text = strings.Join(strings.Fields(text), "")
	return len(text) == int(otp.DigitsSix) && strings.Trim(text, "0123456789") == ""
}

// QR is a URI as the dark modules of a QR code: the path of an SVG that is size modules wide, with a margin of four.
func QR(uri string) (path string, size int, err error) {
	code, err := qr.Encode(uri, qr.M, qr.Auto)
	if err != nil {
		return "", 0, fmt.Errorf("make a QR code: %w", err)
	}
	const margin = 4 // modules, as its standard asks
	var b strings.Builder
	area := code.Bounds()
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			if isDark(code, x, y) {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+margin, y+margin)
			}
		}
	}
	return b.String(), area.Dx() + 2*margin, nil
}

func isDark(i image.Image, x, y int) bool {
	r, _, _, _ := i.At(x, y).RGBA()
	return r == 0
}

// RecoveryCodes is how many recovery codes a person gets.
const RecoveryCodes = 10

const (
	recoveryAlphabet = "abcdefghijkmnpqrstuvwxyz23456789" // without those that look alike: 32, and so 5 bits each
	recoveryLength   = 24                                 // 120 bits: from 112 on no slow hash is needed
)

// NewRecoveryCode makes a code such as "7kfp-x2mn-ab34-qrst-9wde-c5hj", to be used once. Its
// errors are those of random.
func NewRecoveryCode(random io.Reader) (string, error) {
	b := make([]byte, recoveryLength)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	var text strings.Builder
	for i, c := range b {
		if i > 0 && i%4 == 0 {
			text.WriteByte('-')
		}
		text.WriteByte(recoveryAlphabet[int(c)%len(recoveryAlphabet)])
	}
	return text.String(), nil
}

// HashRecoveryCode is the SHA-256 of a subject's recovery code, however it is typed: in capitals, with or without
// hyphens and spaces.
func HashRecoveryCode(subject, code string) [32]byte {
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune(recoveryAlphabet, r) {
			return r
		}
		return -1
	}, strings.ToLower(code))
	return sha256.Sum256([]byte("recovery code of " + subject + ": " + plain))
}
