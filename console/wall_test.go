package console

import (
	"reflect"
	"slices"
	"testing"

	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/store"
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
	found := map[reflect.Type]string{}
	reach(page, page.PkgPath(), "visit", found)
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

// reach finds the types that a package reaches from a type, each with a path to it: by the fields that it can name,
// and by the results of functions and of exported methods.
func reach(t reflect.Type, pkg, path string, found map[reflect.Type]string) {
	if found[t] != "" {
		return
	}
	found[t] = path
	results := func(f reflect.Type, path string) {
		for i := range f.NumOut() {
			reach(f.Out(i), pkg, path+"()", found)
		}
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Chan, reflect.Map:
		reach(t.Elem(), pkg, path, found)
	case reflect.Func:
		results(t, path)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() || t.PkgPath() == pkg {
				reach(f.Type, pkg, path+"."+f.Name, found)
			}
		}
	}
	for i := range t.NumMethod() {
		if m := t.Method(i); m.IsExported() {
			results(m.Type, path+"."+m.Name)
		}
	}
}
