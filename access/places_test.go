package access

import (
	"fmt"
	"testing"

	"softstake/ledger"
)

func TestPlacesAreCounted(t *testing.T) {
	const all, each = 1000, 10
	p := NewPlaces[ledger.Account](all, each)
	for n := range all {
		if !p.Take(ledger.Account(fmt.Sprint("a", n/each))) {
			t.Fatalf("place %d is refused", n)
		}
	}
	if p.Take("another") {
		t.Error("there is one too many")
	}
	for n := range all {
		p.Give(ledger.Account(fmt.Sprint("a", n/each)))
	}
	if p.Taken() != 0 || len(p.of) != 0 {
		t.Errorf("%d places of %d are left", p.Taken(), len(p.of))
	}
}
