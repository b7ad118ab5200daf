package access_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

func TestParseEmail(t *testing.T) {
	for text, want := range map[string]string{
		"alice@example.com":             "alice@example.com",
		" Alice@Example.COM\r\n":        "alice@example.com",
		"a.b+c_d-e@mail.example.co.uk":  "a.b+c_d-e@mail.example.co.uk",
		"o'neil@example.com":            "o'neil@example.com",
		"jürgen@müller.example":         "jürgen@müller.example",
		"JU\u0308RGEN@mu\u0308ller.de":  "jürgen@müller.de",
		"a@b":                           "a@b",
		strings.Repeat("x", 248) + "@a": strings.Repeat("x", 248) + "@a",
	} {
		if got, err := access.ParseEmail(text); err != nil || got != want {
			t.Errorf("%q is read as %q: %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "alice", "@example.com", "alice@", "a b@example.com", "alice@exa mple.com", "alice@@example.com", "a@b@c",
		".alice@example.com", "alice.@example.com", "a..b@example.com", "alice@.com", "alice@example..com",
		"alice@example.com.",
		"Alice <alice@example.com>", "<alice@example.com>", "alice@example.com (work)", `"alice"@example.com`,
		`"a b"@example.com`, "alice@[192.0.2.7]",
		"alice@example.com, bob@example.com", "alice@example.com\nbob@example.com", "alice\x00@example.com",
		"alice\xff@example.com",
		"alice\u200b@example.com", "alice\u00a0b@example.com", "\u202ealice@example.com",
		strings.Repeat("x", 250) + "@a.bc", strings.Repeat(" ", 2000) + "a@b",
	} {
		if got, err := access.ParseEmail(text); !errors.Is(err, ledger.ErrInvalid) || got != "" {
			t.Errorf("%q is read as %q: %v", text, got, err)
		}
	}
}

// An address that was read is read as itself: a person has one login, however it is typed.
func FuzzParseEmail(f *testing.F) {
	for _, seed := range []string{
		"alice@example.com", "ALICE@EXAMPLE.COM", "\u212a@\u0130.com", "e\u0301@\u01c5.de", "\u1e9e@x", "\u0345a@b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		email, err := access.ParseEmail(text)
		if err != nil {
			if !errors.Is(err, ledger.ErrInvalid) || email != "" || len(err.Error()) > 400 {
				t.Errorf("%q: %q, %v", text, email, err)
			}
			return
		}
		if again, err := access.ParseEmail(email); err != nil || again != email {
			t.Errorf("%q is read as %q, and that as %q: %v", text, email, again, err)
		}
		if len(email) > 254 || strings.ContainsAny(email, " \n\x00<>\"") {
			t.Errorf("%q is read as %q", text, email)
		}
	})
}
