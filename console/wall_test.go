package console

import (
	"reflect"
	"slices"
	"testing"

	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestAPageCannotWrite: what a page is made with leads to none of the types that write, and to no interface but those
// of the readers.
func TestAPageCannotWrite(t *testing.T) {
	writes := []reflect.Type{reflect.TypeFor[store.DB](), reflect.TypeFor[server](), reflect.TypeFor[submission](),
		reflect.TypeFor[visitorSessions](), reflect.TypeFor[staffSessions](),
		reflect.TypeFor[people.People](), reflect.TypeFor[readLog]()}
	may := []reflect.Type{reflect.TypeFor[bookReader](), reflect.TypeFor[sessionReader](), reflect.TypeFor[loginReader](),
		reflect.TypeFor[keeper]()}
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
}
