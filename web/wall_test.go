package web

import (
	"reflect"
	"slices"
	"testing"

	"github.com/softstake/softstake/idempotency"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestAPageCannotWrite: what a page is made with leads to none of the types that write,
// and to no interface but those of the readers and the keeper.
func TestAPageCannotWrite(t *testing.T) {
	writes := []reflect.Type{
		reflect.TypeFor[store.DB](), reflect.TypeFor[people.People](), reflect.TypeFor[pricing.Prices](),
		reflect.TypeFor[idempotency.Requests](),
		reflect.TypeFor[server](), reflect.TypeFor[submission](), reflect.TypeFor[Play](),
	}
	may := []reflect.Type{
		reflect.TypeFor[bookReader](), reflect.TypeFor[peopleReader](), reflect.TypeFor[clockReader](),
		reflect.TypeFor[keeper](), reflect.TypeFor[priceReader](),
	}
	page := reflect.TypeFor[visit]()
	found := testkit.Reached(page, "visit")
	for at, path := range found {
		ours := at.Kind() == reflect.Interface && at.PkgPath() == page.PkgPath()
		if slices.Contains(writes, at) || ours && !slices.Contains(may, at) {
			t.Errorf("a page reaches %s by %s", at, path)
		}
	}
	for _, at := range may {
		if found[at] == "" {
			t.Errorf("a page does not reach %s: nothing is tested", at)
		}
	}
	var kept []string
	for m := range reflect.TypeFor[keeper]().Methods() {
		kept = append(kept, m.Name)
	}
	if want := []string{"AddDraft", "RemoveDraft", "TouchSession"}; !slices.Equal(kept, want) {
		t.Errorf("a page may write %v, and not only %v", kept, want)
	}
}
