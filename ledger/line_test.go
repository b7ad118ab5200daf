package ledger_test

import (
	"testing"

	"github.com/softstake/softstake/ledger"
)

func TestLines(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "0x94df8b35": true, "Grüße, 東京, שלום": true, "👩\u200d🔬": true,
		"a\nb": false, "a\tb": false, "a\x1b[31mb": false, "a\x00": false, "a\u0085b": false, "\xff": false,
		"a\u2028b": false, "a\u2029b": false, "0x94\u202edf8b": false, "a\u2066b\u2069": false, "a\u200fb": false,
		"a\u061cb": false,
	} {
		if got := ledger.IsLine(text); got != want {
			t.Errorf("IsLine(%q) = %v", text, got)
		}
	}
}
