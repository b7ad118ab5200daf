package access

import (
	"errors"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
)

// TestActorsCannotBeImitated: whatever name is given at the command line, no token, key,
// login or process has the same credential.
func TestActorsCannotBeImitated(t *testing.T) {
	others := []Actor{
		Token{ID: "4fQx81LmZp0a", Role: Exchange}.Actor(), Key{Key: "vmPUZE6mv9SD5VNHk4"}.Actor(),
		Session{Email: "alice@example.com"}.Actor(), Process("serve"),
	}
	for _, other := range others {
		for _, name := range []string{
			other.Credential, "operator " + other.Credential, strings.ToUpper(other.Credential),
		} {
			a, err := CommandLine(name)
			if err != nil {
				t.Fatal(err)
			}
			if a.Credential != "operator "+name || a.Role != Operator || a.Credential == other.Credential {
				t.Errorf("--actor %q is kept as %+v, like %+v", name, a, other)
			}
		}
	}
	for _, name := range []string{
		"", " ", " olga", "olga ", "olga\n", "a\x00b", "\xff", "a\u2028b", "\u202eagol",
		strings.Repeat("o", maxName+1),
	} {
		if a, err := CommandLine(name); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("--actor %q is kept as %+v: %v", name, a, err)
		}
	}
	if a, err := CommandLine("Olga Müller"); err != nil || a.Credential != "operator Olga Müller" {
		t.Errorf("%+v, %v", a, err)
	}
	k := Key{Account: "alice"}
	holders := []Actor{Token{Role: Holder, Account: "alice"}.Actor(), k.Actor(), Session{Account: "alice"}.Actor()}
	for _, a := range holders {
		if err := a.CheckOwns("alice"); err != nil || a.CheckOwns("bob") == nil || a.CheckOwns("") == nil {
			t.Errorf("%+v: %v", a, err)
		}
	}
	if (Actor{Role: Holder}).CheckOwns("") == nil || Process("serve").CheckOwns("alice") != nil {
		t.Error("a holder without an account owns one, or a process does not act on alice's")
	}
	if a := Process("serve").In("r-1"); a != (Actor{Role: System, Credential: "serve", Request: "r-1"}) {
		t.Errorf("%+v", a)
	}
}
