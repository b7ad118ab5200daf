package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Device is a browser in which a person has logged in. It is no proof of identity: whoever
// has its cookie still needs the password, and only has login attempts of its own.
type Device struct {
	ID          string    // 12 characters: the key of its login attempt counter
	Email       string    // of the login, as ParseEmail writes it
	PasswordSet time.Time // when the login's password was set; a new password makes the device unknown
	Expires     time.Time
}

// NewDevice makes the ID of a device.
func NewDevice(random io.Reader) (Device, error) {
	id, err := randomText(random, tokenID)
	return Device{ID: id}, err
}

// mostDevices is the most logins in the cookie of one browser that several people share.
const mostDevices = 4

// Between the devices of a cookie, and between the parts of one.
const (
	deviceSeparator = "~"
	partSeparator   = "."
)

// longestCookie is the most bytes of a cookie that are read: more than mostDevices have.
const longestCookie = 1 << 10

// DeviceSigner signs the cookie that lists a browser's devices, so that they need no rows.
// A cookie has for each device its ID, its expiry and an HMAC-SHA256 over all fields. It is
// safe for concurrent use.
type DeviceSigner struct {
	secret Hidden
}

// NewDeviceSigner signs with a secret of 32 random bytes.
func NewDeviceSigner(secret Hidden) DeviceSigner { return DeviceSigner{secret} }

// Format keeps the secret out of messages and logs.
func (DeviceSigner) Format(f fmt.State, _ rune) { fmt.Fprint(f, hidden) }

// Find is the device of a login in a cookie, or false if there is no valid one: it must be
// signed with this secret, for this address and the time its password was set, and not be
// expired at now. It compares in constant time.
func (s DeviceSigner) Find(cookie, email string, passwordSet, now time.Time) (Device, bool) {
	for _, text := range devicesIn(cookie) {
		if d, ok := s.read(text, email, passwordSet); ok && d.Expires.After(now) {
			return d, true
		}
	}
	return Device{}, false
}

// Add returns a cookie with a device added, and with the latest of those that are in it
// already: mostDevices in all.
func (s DeviceSigner) Add(cookie string, d Device) string {
	texts := []string{s.sign(d)}
	for _, text := range devicesIn(cookie) {
		if id, _, _ := strings.Cut(text, partSeparator); id != d.ID && len(texts) < mostDevices {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, deviceSeparator)
}

// devicesIn are the texts in a cookie that have the form of a device.
func devicesIn(cookie string) (texts []string) {
	if len(cookie) > longestCookie {
		return nil
	}
	for text := range strings.SplitSeq(cookie, deviceSeparator) {
		if parts := strings.Split(text, partSeparator); len(parts) == 3 && IsTokenID(parts[0]) {
			texts = append(texts, text)
		}
	}
	return texts
}

// sign is the text of a device in a cookie.
func (s DeviceSigner) sign(d Device) string {
	expires := strconv.FormatInt(d.Expires.Unix(), 10)
	return strings.Join([]string{d.ID, expires, base64.RawURLEncoding.EncodeToString(s.mac(d))}, partSeparator)
}

// read is the device of a text, or false if it was not signed for this login.
func (s DeviceSigner) read(text, email string, passwordSet time.Time) (Device, bool) {
	parts := strings.Split(text, partSeparator)
	expires, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return Device{}, false
	}
	d := Device{ID: parts[0], Email: email, PasswordSet: passwordSet, Expires: time.Unix(expires, 0).UTC()}
	return d, hmac.Equal([]byte(s.sign(d)), []byte(text))
}

// mac signs all fields. Only the address may have any character, and it comes last.
func (s DeviceSigner) mac(d Device) []byte {
	h := hmac.New(sha256.New, s.secret)
	fmt.Fprintf(h, "device %s %d %d %s", d.ID, d.Expires.Unix(), d.PasswordSet.UnixMilli(), d.Email)
	return h.Sum(nil)
}
