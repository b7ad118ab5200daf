package web

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

func (s *server) keyRoutes() {
	s.get("/account/keys", s.keys)
	s.forms("/account/keys/new", s.keyForm, s.makeKey)
	s.forms("/account/keys/{name}/revoke", s.keyToRevoke, s.revokeKey)
}

// keysPage is an account's API keys.
type keysPage struct {
	*view
	Usable, Over []keyRow // that can be used, and that cannot any more; the newest first
	Again        bool     // the visitor has sent a form to make one twice
	Full         bool     // no more can be made
	Most         string
}

// keyRow is an API key.
type keyRow struct {
	access.Key
	State string // "live", "expired" or "revoked"
}

// From is from where the key may be used: "" is from anywhere.
func (k keyRow) From() string {
	var from []string
	for _, a := range k.Addresses {
		if a.IsSingleIP() {
			from = append(from, a.Addr().String())
		} else {
			from = append(from, a.String())
		}
	}
	return strings.Join(from, ", ")
}

// Path is where the key is revoked. It has enough of the key's name to find it by.
func (k keyRow) Path() string { return "/account/keys/" + keyName(k.Key) + "/revoke" }

// keyNameLength is how many characters of a key stand in an address: the whole of it is in no log.
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
func (s *server) keys(v *visit) error {
	page, err := v.keysPage()
	if err != nil {
		return err
	}
	page.Again = v.value("again") != ""
	return v.show("keys", page)
}

func (v *visit) keysPage() (page keysPage, err error) {
	page = keysPage{view: v.view("keys.title"), Most: v.locale.number(fmt.Sprint(people.MaxKeys))}
	all, err := v.Books.People().Keys(v.context(), v.account())
	for i := range all {
		row := v.keyRow(all[len(all)-1-i])
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

// ownKey is the account's key that the address names; ledger.ErrNotFound if it has none such.
func (v *visit) ownKey() (access.Key, error) {
	all, err := v.Books.People().Keys(v.context(), v.account())
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
func (s *server) keyToRevoke(v *visit) error {
	k, err := v.ownKey()
	if err != nil {
		return err
	}
	if !k.Revoked.IsZero() {
		return v.see("/account/keys", nil)
	}
	return v.show("key-revoke", keyPage{view: v.view("keys.revoke.title"), K: v.keyRow(k)})
}

// revokeKey ends a key, immediately and in every process.
func (s *server) revokeKey(v *visit) error {
	k, err := v.ownKey()
	if err != nil {
		return err
	}
	if k.Revoked.IsZero() {
		if err := v.Books.People().RevokeKey(v.context(), k.Key); err != nil {
			return err
		}
		if err := v.recordEvent("key revoke", k.Named()); err != nil {
			return err
		}
	}
	return v.see("/account/keys", nil)
}

// showKey shows a key that was just made. Its secret is not shown again.
func (v *visit) showKey(k access.Key, secret string) error {
	return v.showAs(http.StatusOK, "key-made", keyPage{view: v.view("keys.made.title"), K: v.keyRow(k), Secret: secret})
}
