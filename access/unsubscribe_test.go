package access_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
)

func TestOnlyItsOwnTextUnsubscribesAnAddress(t *testing.T) {
	u := access.NewUnsubscriber(bytes.Repeat([]byte{1}, 32))
	for _, email := range []string{"alice@example.com", "ünï@example.com", ""} {
		text := u.Text(email)
		if got, err := u.Email(text); err != nil || got != email {
			t.Errorf("%q is of %q, not of %q: %v", text, got, email, err)
		}
		if strings.ContainsAny(text, "/?&=+%@ ") {
			t.Errorf("%q is no part of a path", text)
		}
	}
	text, other := u.Text("alice@example.com"), u.Text("bob@example.com")
	name, _, _ := strings.Cut(other, ".")
	_, mac, _ := strings.Cut(text, ".")
	for what, text := range map[string]string{
		"nothing": "", "another's": name + "." + mac, "unsigned": name, "cut": text[:len(text)-1], "longer": text + "A",
		"of other books": access.NewUnsubscriber(bytes.Repeat([]byte{2}, 32)).Text("alice@example.com"), "rubbish": "%.%",
	} {
		if email, err := u.Email(text); !errors.Is(err, access.ErrUnknown) {
			t.Errorf("%s is of %q: %v", what, email, err)
		}
	}
	if text := fmt.Sprintf("%v %+v", u, &u); strings.Contains(text, "1 1 1") {
		t.Errorf("the secret is printed: %q", text)
	}
}
