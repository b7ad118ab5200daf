package strictjson

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// slot is what a value goes into.
type slot struct {
	t       reflect.Type // nil: anything fits
	example string       // the field's tag of this name, or ""
}

// refuse is what was expected where a value does not fit, or "". Of an object or an
// array it sees the beginning.
func (s slot) refuse(token json.Token) string {
	t := plainType(s.t)
	if t == nil || t.Kind() == reflect.Interface {
		return ""
	}
	switch token := token.(type) {
	case string:
		return s.unless(t.Kind() == reflect.String, t, "a string")
	case json.Number:
		if wholeKind(t.Kind()) {
			return s.refuseNumber(t, token.String())
		}
		return s.unless(t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64, t, "a number")
	case bool:
		return s.unless(t.Kind() == reflect.Bool, t, strconv.FormatBool(token))
	case json.Delim:
		if token == '{' {
			return s.unless(t.Kind() == reflect.Struct || t.Kind() == reflect.Map, t, "an object")
		}
		return s.unless(t.Kind() == reflect.Slice || t.Kind() == reflect.Array, t, "an array")
	}
	return s.unless(s.t.Kind() == reflect.Pointer, t, "null")
}

// unless is what was expected instead of what was given, unless that fits.
func (s slot) unless(fits bool, t reflect.Type, given string) string {
	if fits {
		return ""
	}
	expected := s.expected(t)
	if given == "a number" && expected == "a string" {
		given += "; write it in quotes"
	}
	return "expected " + expected + ", got " + given
}

// expected names what fits a plain type.
func (s slot) expected(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.String && s.example != "" && strings.Trim(s.example, "0123456789.") == "":
		return fmt.Sprintf("a decimal string such as %q", s.example)
	case t.Kind() == reflect.String && s.example != "":
		return fmt.Sprintf("a string such as %q", s.example)
	case t.Kind() == reflect.String:
		return "a string"
	case wholeKind(t.Kind()) && s.example != "":
		return "a whole number such as " + s.example
	case wholeKind(t.Kind()):
		return "a whole number"
	}
	return kinds[t.Kind()]
}

// kinds are the JSON types of Go's kinds that need no more words.
var kinds = map[reflect.Kind]string{
	reflect.Bool: "true or false", reflect.Float32: "a number", reflect.Float64: "a number", reflect.Slice: "an array",
	reflect.Array: "an array", reflect.Struct: "an object", reflect.Map: "an object",
}

func wholeKind(k reflect.Kind) bool { return k >= reflect.Int && k <= reflect.Uint64 }

// refuseNumber is what was expected where a number does not fit a type of whole
// numbers, or "".
func (s slot) refuseNumber(t reflect.Type, number string) string {
	var err error
	signed := t.Kind() < reflect.Uint
	if signed {
		_, err = strconv.ParseInt(number, 10, t.Bits())
	} else {
		_, err = strconv.ParseUint(number, 10, t.Bits())
	}
	switch {
	case err == nil:
		return ""
	case errors.Is(err, strconv.ErrRange) && signed:
		least, most := int64(-1)<<(t.Bits()-1), uint64(1)<<(t.Bits()-1)-1
		return fmt.Sprintf("expected a whole number from %d to %d, got %s", least, most, clip(number))
	case errors.Is(err, strconv.ErrRange):
		return fmt.Sprintf("expected a whole number from 0 to %d, got %s", uint64(1)<<t.Bits()-1, clip(number))
	}
	return "expected " + s.expected(t) + ", got " + clip(number)
}

// element is what a value in an array goes into.
func (s slot) element() slot {
	t := plainType(s.t)
	if t == nil || t.Kind() != reflect.Slice && t.Kind() != reflect.Array {
		return slot{}
	}
	return slot{t: t.Elem()}
}

// members are the names that an object may have, in their order, and what each goes
// into.
type members struct {
	names  []string
	slots  map[string]slot
	others *slot // what any other name's value goes into; nil: there is no other name
}

// anything is what an object goes into that nothing is known of.
var anything = &members{others: &slot{}}

// member is what the member at a place goes into.
func (m *members) member(at *place) (slot, error) {
	if inner, known := m.slots[at.name]; known {
		return inner, nil
	}
	if m.others != nil {
		return *m.others, nil
	}
	for _, name := range m.names {
		if strings.EqualFold(name, at.name) {
			return slot{}, &Fault{Field: at.field(), Message: fmt.Sprintf("the name is written %q", name)}
		}
	}
	return slot{}, &Fault{
		Field: at.field(), Message: "unknown name; the known names are " + strings.Join(m.names, ", "),
	}
}

// structs are the members of the structs seen so far, by type: to find them takes
// longer than to read a small object.
var structs sync.Map

// members are the names of an object that goes into the slot.
func (s slot) members() *members {
	t := plainType(s.t)
	switch {
	case t != nil && t.Kind() == reflect.Map:
		return &members{others: &slot{t: t.Elem()}}
	case t == nil || t.Kind() != reflect.Struct:
		return anything
	}
	if found, ok := structs.Load(t); ok {
		return found.(*members)
	}
	m := &members{slots: map[string]slot{}}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported() || f.Anonymous && name == "":
			continue
		case name == "":
			name = f.Name
		}
		m.names = append(m.names, name)
		m.slots[name] = slot{f.Type, f.Tag.Get("example")}
	}
	structs.Store(t, m)
	return m
}

// plainType is the type that pointers lead to, or nil where it reads JSON by itself.
// One that reads text is a string.
func plainType(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == nil || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()):
		return nil
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return reflect.TypeFor[string]()
	}
	return t
}
