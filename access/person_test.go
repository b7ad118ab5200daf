package access_test

import (
	"errors"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

// TestOnePersonIsWrittenInManyWays: all of these are olga.
func TestOnePersonIsWrittenInManyWays(t *testing.T) {
	for _, name := range []string{"olga", "Olga", "OLGA", " olga ", "ｏｌｇａ", "ᴼlga", "𝐨𝐥𝐠𝐚"} {
		if got := access.PersonOf(name); got != "olga" {
			t.Errorf("%q is %q", name, got)
		}
	}
	if a, b := access.PersonOf("Olga  de\u00a0Vries"), access.PersonOf("olga de vries"); a != b {
		t.Errorf("%q and %q", a, b)
	}
	if a, b := access.PersonOf("STRASSER"), access.PersonOf("straßer"); a != b {
		t.Errorf("%q and %q", a, b)
	}
}

// TestNobodyLooksLikeAnother: a name that is not another's does not look like it either.
func TestNobodyLooksLikeAnother(t *testing.T) {
	for name, valid := range map[string]bool{
		"": true, "olga": true, "Olga 2": true, "olga@example.com": true, "Zoë Łukasiewicz": true, "Björn Strauß": true,
		"Ольга": true, "Ελένη": true, "王小明": true, "ნინო": true,
		"оlga":     false, // a Cyrillic o
		"ВОВ":      false, // wholly Cyrillic, and looks like BOB
		"сосо":     false,
		"οοο":      false, // Greek
		"olgɑ":     false, // a Latin alpha
		"olıga":    false, // an i without a dot
		"olga‚2":   false, // no comma of ASCII
		"olga王":    false,
		"o\u0331l": false, // a mark that belongs to no letter of its own
	} {
		if err := access.CheckPerson(name); (err == nil) != valid || err != nil && !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%q: %v", name, err)
		}
		if name == "" {
			continue
		}
		if _, err := access.CommandLine(name); (err == nil) != valid {
			t.Errorf("--actor %q: %v", name, err)
		}
		token := access.Token{ID: "aaaaaaaaaaaa", Hash: [32]byte{1}, Role: access.Auditor, Person: access.PersonOf(name)}
		if err := token.Valid(); (err == nil) != valid {
			t.Errorf("a token of %q: %v", name, err)
		}
	}
}
