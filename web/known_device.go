package web

import (
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/people"
)

// deviceLife is how long a device is known that nobody logs in with.
const deviceLife = 180 * 24 * time.Hour

// deviceCookie is the cookie of the devices that a browser is known as.
func (v *visit) deviceCookie() string { return cookieName("device", v.caller.Secure) }

// devices sign the cookies of devices: with a secret that is derived from the key
// outside of the books or, where there is none, with one that the books keep.
func (v *visit) devices() (access.DeviceSigner, error) {
	const purpose = "device cookies"
	var secret access.Hidden
	var err error
	if v.Sealer != nil {
		secret, err = v.Sealer.Derive(purpose)
	} else {
		secret, err = v.Books.People().Secret(v.context(), purpose, v.Random)
	}
	return access.NewDeviceSigner(secret), err
}

// devicesSent is what the browser has of its devices, or "".
func (v *visit) devicesSent() string {
	c, err := v.r.Cookie(v.deviceCookie())
	if err != nil {
		return ""
	}
	return c.Value
}

// findDevice is the device of a login that the browser is, or false. It does as much for
// an address that nobody logs in with, so that the time does not show who is known here.
func (v *visit) findDevice(email string, l people.Login) (d access.Device, known bool, err error) {
	sent := v.devicesSent()
	if sent == "" {
		return d, false, nil
	}
	signer, err := v.devices()
	if err != nil {
		return d, false, err
	}
	d, known = signer.Find(sent, email, l.Changed, v.Books.Now())
	return d, known && l.Email != "", nil
}

// setDevice makes the browser a device of a login whose password was given in it, or
// the device that it was for longer.
func (v *visit) setDevice(d access.Device, l people.Login) (err error) {
	if d.ID == "" {
		if d, err = access.NewDevice(v.Random); err != nil {
			return err
		}
	}
	signer, err := v.devices()
	if err != nil {
		return err
	}
	d.Email, d.PasswordSet, d.Expires = l.Email, l.Changed, v.Books.Now().Add(deviceLife)
	v.setCookie(v.deviceCookie(), signer.Add(v.devicesSent(), d), deviceLife)
	return nil
}
