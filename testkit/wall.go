package testkit

import "reflect"

// Reached are the types that the package of a type reaches from it, each with a path to it, which begins with a name:
// by the fields that the package can name, and by the results of functions and of exported methods.
func Reached(from reflect.Type, name string) map[reflect.Type]string {
	found := map[reflect.Type]string{}
	reach(from, from.PkgPath(), name, found)
	return found
}

// reach adds what a package reaches from a type to found.
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
