package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/idempotency"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

// keysPage is an account's API keys.
type keysPage struct {
	*view
	Usable, Over []keyRow // that can be used, and that cannot; the newest first
	Again        bool     // the visitor has sent the form of a key again
	Full         bool     // no more can be made
	Most         string
}

// keyRow is an API key.
type keyRow struct {
	access.Key
	State string // "live", "expired" or "revoked"
}

// From are the addresses from which the key may be used: "" is from anywhere.
func (k keyRow) From() string {
	var from []string
	for _, a := range k.Addresses {
		text := a.String()
		if a.IsSingleIP() {
			text = a.Addr().String()
		}
		from = append(from, text)
	}
	return strings.Join(from, ", ")
}

// Path is where the key is revoked. It has enough of the key's name to find it by.
func (k keyRow) Path() string { return "/account/keys/" + keyName(k.Key) + "/revoke" }

// keyNameLength is how many characters of a key are in an address: no log has all of it.
const keyNameLength = 12

func keyName(k access.Key) string { return k.Key[:keyNameLength] }

// keyRow is a key and its state.
func (v *visit) keyRow(k access.Key) keyRow {
	row := keyRow{Key: k, State: "live"}
	switch {
	case !k.Revoked.IsZero():
		row.State = "revoked"
	case k.Live(v.Books.Now()) != nil:
		row.State = "expired"
	}
	return row
}

// keys lists the account's API keys.
func (v *visit) keys() error {
	page, err := v.keysPage("keys.title")
	if err != nil {
		return err
	}
	page.Again = v.value("again") != ""
	return v.show("keys", page)
}

func (v *visit) keysPage(title string) (page keysPage, err error) {
	page = keysPage{view: v.view(title), Most: v.locale.Number(fmt.Sprint(people.MaxKeys))}
	all, err := v.People.Keys(v.context(), v.account())
	for _, k := range slices.Backward(all) {
		row := v.keyRow(k)
		if row.State == "live" {
			page.Usable = append(page.Usable, row)
		} else {
			page.Over = append(page.Over, row)
		}
	}
	page.Full = len(page.Usable) >= people.MaxKeys
	return page, err
}

// keyPage is one API key.
type keyPage struct {
	*view
	K      keyRow
	Secret string // of one that was just made; "": its holder has it
}

// ownKey is the account's key that the address names; ledger.ErrNotFound if there is none.
func (v *visit) ownKey() (access.Key, error) {
	all, err := v.People.Keys(v.context(), v.account())
	if err != nil {
		return access.Key{}, err
	}
	for _, k := range all {
		if keyName(k) == v.r.PathValue("name") {
			return k, nil
		}
	}
	return access.Key{}, ledger.ErrNotFound.In("", "an API key")
}

// keyToRevoke asks whether a key is to be revoked.
func (v *visit) keyToRevoke() error {
	k, err := v.ownKey()
	if err != nil {
		return err
	}
	if !k.Revoked.IsZero() {
		return v.see("/account/keys")
	}
	return v.show("key-revoke", keyPage{view: v.view("keys.revoke.title"), K: v.keyRow(k)})
}

// revokeKey ends a key, immediately and in every process.
func (s *submission) revokeKey() error {
	k, err := s.ownKey()
	if err != nil {
		return err
	}
	if k.Revoked.IsZero() {
		if err := s.Books.People().RevokeKey(s.context(), k.Key); err != nil {
			return err
		}
		if err := s.recordEvent("key revoke", k.Named()); err != nil {
			return err
		}
	}
	return s.see("/account/keys")
}

// keyFormPage is the form that makes an API key.
type keyFormPage struct {
	keysPage
	F               *ui.Form
	HMAC            bool     // keys with a secret can be made here
	Lives           []string // how many days a key may live; "0" is without an end
	ID              string
	Trade, Withdraw bool   // are ticked
	Lapse           string // how many days a key may trade from anywhere
	Has             people.Factors
}

// ticked are the permissions that a form asks for, as access.ParsePermissions reads
// them: every key may read.
func ticked(f *ui.Form) string {
	return strings.Join(append([]string{string(access.Read)}, f.Values["may"]...), ",")
}

// keyLives are the lives of a key that can be chosen, in days, and keyLife the proposed one.
var keyLives = []string{"30", "90", "365", "0"}

const (
	keyLife      = "90"
	longestLabel = 60 // characters
)

// keyForm shows the form that makes an API key.
func (v *visit) keyForm() error {
	f, err := v.draftForm("/account/keys/new")
	if err != nil {
		return err
	}
	usual := access.Ed25519
	if v.Sealer != nil {
		usual = access.HMAC
	}
	for name, value := range map[string]string{"type": string(usual), "days": keyLife} {
		if f.Value(name) == "" {
			f.Values.Set(name, value)
		}
	}
	return v.showKeyForm(http.StatusOK, f)
}

func (v *visit) showKeyForm(status int, f *ui.Form) error {
	keys, err := v.keysPage("keys.new.title")
	if err != nil {
		return err
	}
	asked := strings.Split(ticked(f), ",")
	page := keyFormPage{
		keysPage: keys, F: f, HMAC: v.Sealer != nil, Lives: keyLives,
		Trade: slices.Contains(asked, string(access.Trade)), Withdraw: slices.Contains(asked, string(access.Withdraw)),
		Lapse: v.locale.Number(strconv.Itoa(int(access.UnlimitedTrade / (24 * time.Hour)))),
	}
	if page.Has, err = v.factors(); err != nil {
		return err
	}
	if page.ID, err = v.formID(f.Value("id")); err != nil {
		return err
	}
	return v.showAs(status, "key-new", page)
}

// readKey is the key that the form asks for, without its name. It sets the form's faults.
func (v *visit) readKey(f *ui.Form) access.Key {
	k := access.Key{Account: v.account(), Label: strings.TrimSpace(f.Value("label"))}
	if n := utf8.RuneCountInString(k.Label); n == 0 || n > longestLabel ||
		strings.ContainsFunc(k.Label, func(r rune) bool { return !unicode.IsPrint(r) }) {
		f.SetFault("label", v.locale.T("keys.fault.label", "most", longestLabel))
	}
	var err error
	if k.Type, err = access.ParseKeyType(f.Value("type")); err != nil || k.Type == access.HMAC && v.Sealer == nil {
		f.SetFault("type", v.locale.T("keys.fault.type"))
	} else if k.Type != access.HMAC {
		text := strings.TrimSpace(f.Value("public")) + "\n"
		if k.Secret, err = access.ParsePublicKey(k.Type, []byte(text)); err != nil {
			f.SetFault("public", v.locale.T(fmt.Sprintf("keys.fault.public.%s", k.Type)))
		}
	}
	if k.Permissions, err = access.ParsePermissions(ticked(f)); err != nil {
		f.SetFault("may", v.locale.T("keys.fault.may"))
	}
	// One a line, which is easiest to read, or separated by commas.
	lines := strings.FieldsFunc(f.Value("addresses"),
		func(r rune) bool { return r == ',' || r == ';' || unicode.IsSpace(r) })
	if k.Addresses, err = access.ParseAddresses(strings.Join(lines, ",")); err != nil {
		f.SetFault("addresses", v.locale.T("keys.fault.addresses", "most", access.MaxKeyAddresses))
	} else if slices.Contains(k.Permissions, access.Withdraw) && !k.Limited() {
		f.SetFault("addresses", v.locale.T("keys.fault.withdraw"))
	}
	days, err := strconv.Atoi(f.Value("days"))
	switch {
	case err != nil || !slices.Contains(keyLives, f.Value("days")):
		f.SetFault("days", v.locale.T("keys.fault.days"))
	case days > 0:
		k.Expires = v.Books.Now().AddDate(0, 0, days)
	}
	return k
}

// makeKey makes an API key and shows it. Its secret is not shown again.
func (s *submission) makeKey() error {
	f := s.form()
	k := s.readKey(f)
	keys, err := s.keysPage("keys.title")
	if err != nil {
		return err
	}
	if keys.Full {
		f.SetFault("", s.locale.T("keys.full", "most", keys.Most))
	}
	if !isID(f.Value("id")) {
		f.SetFault("", s.locale.T("keys.fault.id"))
	}
	if f.Faulty() {
		return s.showKeyForm(http.StatusUnprocessableEntity, f)
	}
	has, err := s.stepUp(f, k.StepUp(s.Books.Now()), s.showKeyForm)
	if err == nil && !has {
		err = s.confirm(f, "password", s.showKeyForm)
	}
	if err != nil {
		return err
	}
	secret, repeated, err := s.addKey(&k, f.Value("id"))
	switch {
	case ledger.ReasonOf(err) == access.ReasonFactor:
		f.SetFault("may", s.locale.T("keys.fault.factor"))
		return s.showKeyForm(http.StatusUnprocessableEntity, f)
	case ledger.ReasonOf(err) == people.ReasonTooManyKeys: // another page has made the last one
		f.SetFault("", s.locale.T("keys.full", "most", keys.Most))
		return s.showKeyForm(http.StatusUnprocessableEntity, f)
	case err != nil:
		return err
	case repeated:
		return s.see("/account/keys", "again", "1")
	}
	return s.show("key-made", keyPage{view: s.view("keys.made.title"), K: s.keyRow(k), Secret: secret})
}

// addKey makes the key that a form asks for. repeated reports that the same form was sent
// before: the form's ID is the idempotency key, and the secret is not shown again.
func (s *submission) addKey(k *access.Key, id string) (secret string, repeated bool, err error) {
	asked := idempotency.Request{
		Owner: "pages " + string(k.Account), Key: "key " + id, Digest: sha256.Sum256([]byte(id)),
		Until: s.Books.Now().Add(24 * time.Hour),
	}
	_, repeated, err = s.Books.Requests().Do(s.context(), asked, func(idempotency.Response) bool { return true },
		func(ctx context.Context) (idempotency.Response, error) {
			var err error
			if k.Key, secret, err = access.NewKey(s.Random); err != nil {
				return idempotency.Response{}, err
			}
			if k.Type != access.HMAC {
				secret = ""
			} else if err := k.Seal(s.Sealer, secret); err != nil {
				return idempotency.Response{}, err
			}
			if err := s.Books.People().AddKey(ctx, *k); err != nil {
				return idempotency.Response{}, err
			}
			k.Created = s.Books.Now()
			k.LimitTrade(k.Created)
			made := people.SecurityEvent{
				Action: "key create", Detail: k.Named(), Client: s.browser(), Address: s.address(),
			}
			return idempotency.Response{Status: http.StatusOK}, s.Books.People().AddSecurityEvent(ctx, k.Account, made)
		})
	if errors.Is(err, idempotency.ErrInFlight) {
		return "", true, nil
	}
	return secret, repeated, err
}
