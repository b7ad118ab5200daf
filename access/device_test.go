package access_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/testkit"
)

// newDevice is a device of alice, and its cookie.
func newDevice(t *testing.T, s access.DeviceSigner, email string) (access.Device, string) {
	t.Helper()
	d := testkit.Must(access.NewDevice(rand.Reader))(t)
	d.Email, d.PasswordSet, d.Expires = email, noon.Add(-time.Hour), noon.Add(time.Hour)
	return d, s.Add("", d)
}

func TestADeviceIsKnownAgain(t *testing.T) {
	s := access.NewDeviceSigner(bytes.Repeat([]byte{1}, 32))
	d, cookie := newDevice(t, s, "alice@example.com")
	if got, ok := s.Find(cookie, d.Email, d.PasswordSet, noon); !ok || got != d {
		t.Errorf("%q is %+v, %t", cookie, got, ok)
	}
	if strings.Contains(cookie, "alice") ||
		strings.Trim(cookie, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~") != "" {
		t.Errorf("the cookie is %q", cookie)
	}
	parts := strings.Split(cookie, ".")
	for what, c := range map[string]struct {
		signer   access.DeviceSigner
		cookie   string
		email    string
		set, now time.Time
		known    bool
	}{
		"of another login":      {s, cookie, "bob@example.com", d.PasswordSet, noon, false},
		"of nobody":             {s, cookie, "", time.Time{}, noon, false},
		"with another password": {s, cookie, d.Email, d.PasswordSet.Add(time.Millisecond), noon, false},
		"expired":               {s, cookie, d.Email, d.PasswordSet, d.Expires, false},
		"of other books": {access.NewDeviceSigner(bytes.Repeat([]byte{2}, 32)), cookie, d.Email,
			d.PasswordSet, noon, false},
		"that lives longer": {s, parts[0] + ".9999999999." + parts[2], d.Email, d.PasswordSet, noon, false},
		"with a sign before": {s, parts[0] + ".+" + parts[1] + "." + parts[2], d.Email,
			d.PasswordSet, noon, false},
		"with another ID": {s, "AAAAAAAAAAAA." + parts[1] + "." + parts[2], d.Email,
			d.PasswordSet, noon, false},
		"without a signature":     {s, parts[0] + "." + parts[1] + ".", d.Email, d.PasswordSet, noon, false},
		"cut":                     {s, cookie[:len(cookie)-1], d.Email, d.PasswordSet, noon, false},
		"made longer":             {s, cookie + "A", d.Email, d.PasswordSet, noon, false},
		"without an expiry":       {s, parts[0] + ".." + parts[2], d.Email, d.PasswordSet, noon, false},
		"nothing":                 {s, "", d.Email, d.PasswordSet, noon, false},
		"separators":              {s, "~..~.~" + cookie[:20] + "~~", d.Email, d.PasswordSet, noon, false},
		"more than a cookie has":  {s, cookie + strings.Repeat("~", 2000), d.Email, d.PasswordSet, noon, false},
		"with another's behind":   {s, cookie + "~" + parts[0] + ".1.x", d.Email, d.PasswordSet, noon, true},
		"with rubbish before":     {s, "rubbish~" + cookie, d.Email, d.PasswordSet, noon, true},
		"in the last millisecond": {s, cookie, d.Email, d.PasswordSet, d.Expires.Add(-time.Millisecond), true},
	} {
		if _, ok := c.signer.Find(c.cookie, c.email, c.set, c.now); ok != c.known {
			t.Errorf("a cookie %s is known: %t", what, ok)
		}
	}
	broken := errors.New("no more")
	if _, err := access.NewDevice(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("without random bytes: %v", err)
	}
	if text := fmt.Sprintf("%v %+v", s, &s); strings.Contains(text, "\x01") || strings.Contains(text, "1 1 1") {
		t.Errorf("the secret is printed: %q", text)
	}
}

// Those who share a browser are all known in it, up to a number, the latest first.
func TestABrowserIsSeveralDevices(t *testing.T) {
	s := access.NewDeviceSigner(bytes.Repeat([]byte{1}, 32))
	var devices []access.Device
	cookie := ""
	for i := range 6 {
		d, _ := newDevice(t, s, fmt.Sprintf("%d@example.com", i))
		devices = append(devices, d)
		cookie = s.Add(cookie, d)
	}
	for i, d := range devices {
		if _, ok := s.Find(cookie, d.Email, d.PasswordSet, noon); ok != (i >= 2) {
			t.Errorf("login %d is known: %t", i, ok)
		}
	}
	again := devices[3]
	again.Expires = again.Expires.Add(time.Hour)
	cookie = s.Add(cookie, again)
	if got, _ := s.Find(cookie, again.Email, again.PasswordSet, noon); got != again ||
		strings.Count(cookie, "~") != 3 || len(cookie) > 400 {
		t.Errorf("renewed is %+v in %q", got, cookie)
	}
	if cookie := s.Add(strings.Repeat("x", 5000), again); len(cookie) > 100 {
		t.Errorf("%q", cookie)
	}
}

// What is derived for another purpose is as secret as the key, and does not give it away.
func TestASealerDerivesSecrets(t *testing.T) {
	key := testkit.Must(access.NewSealKey(rand.Reader))(t)
	one, same := testkit.Must(access.NewSealer(key))(t), testkit.Must(access.NewSealer(key))(t)
	other := testkit.Must(access.NewSealer(testkit.Must(access.NewSealKey(rand.Reader))(t)))(t)
	secret := testkit.Must(one.Derive("devices"))(t)
	if len(secret) != 32 || !bytes.Equal(secret, testkit.Must(same.Derive("devices"))(t)) {
		t.Error("the same key derives another secret")
	}
	if bytes.Equal(secret, testkit.Must(one.Derive("others"))(t)) ||
		bytes.Equal(secret, testkit.Must(other.Derive("devices"))(t)) {
		t.Error("another purpose or key derives the same secret")
	}
	if _, err := (*access.Sealer)(nil).Derive("devices"); err == nil {
		t.Error("nothing derives a secret")
	}
}
