// Package strictjson reads JSON that can be read in one way only. It knows nothing of what the JSON means.
package strictjson

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Fault says what is wrong with a text, and where.
type Fault struct {
	Field   string // such as "entries[3].moves[0].amount"; "": the whole
	Message string // goes on after the field's name: "stands twice in one object"
}

// Error is the fault as a sentence.
func (f *Fault) Error() string {
	if f.Field == "" {
		return f.Message
	}
	return fmt.Sprintf("%q %s", f.Field, f.Message)
}

// deepest is how far values may be nested.
const deepest = 16

// Check says what is wrong with a text that is to be one JSON value, or nil: it is
// UTF-8, has no name twice in one object, of which readers would silently take the
// first or the last, is not nested more than 16 deep, and nothing follows it. Its
// error is a *Fault.
func Check(text []byte) error { return check(text, nil) }

// Decode reads a text that Check finds nothing wrong with into a value. Its names
// are known, and written exactly as the value's types say, and null stands only for
// what may be absent: what looks like a mistake is not passed over. Its error is a
// *Fault, or that of a type that reads JSON by itself. into is a pointer.
func Decode(text []byte, into any) error {
	err := check(text, reflect.TypeOf(into).Elem())
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return faultOf(err)
	}
	return nil
}

// check reads a text that is to go into a type, or into anything where it is nil.
func check(text []byte, into reflect.Type) error {
	if !utf8.Valid(text) {
		return &Fault{Message: "the text is not valid UTF-8"}
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := checkValue(d, nil, into); err != nil {
		return faultOf(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return &Fault{Message: "something follows the value; one is expected"}
	}
	return nil
}

// faultOf is a reader's error as a fault.
func faultOf(err error) error {
	var wrongType *json.UnmarshalTypeError
	var wrongText *json.SyntaxError
	switch {
	case errors.As(err, &wrongType):
		return &Fault{Field: wrongType.Field, Message: "cannot be a JSON " + wrongType.Value}
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return &Fault{Message: "the text ends in the middle of a value"}
	case errors.As(err, &wrongText):
		return &Fault{Message: "the text is not JSON: " + wrongText.Error()}
	}
	return err
}

// place is where a value stands in those around it.
type place struct {
	in    *place
	name  string // in an object
	index int    // in an array, where name is ""
	depth int    // 1: directly in the outermost value
}

// within is a place in the value at p.
func (p *place) within(name string, index int) *place {
	inner := &place{in: p, name: name, index: index, depth: 1}
	if p != nil {
		inner.depth += p.depth
	}
	return inner
}

// field names the place for a message, from the outermost value on.
func (p *place) field() string {
	switch {
	case p == nil:
		return ""
	case p.name == "":
		return p.in.field() + "[" + strconv.Itoa(p.index) + "]"
	case p.in == nil:
		return clip(p.name)
	}
	return p.in.field() + "." + clip(p.name)
}

// longestName is how many bytes of a name from outside a message shows.
const longestName = 64

func clip(s string) string {
	if len(s) <= longestName {
		return s
	}
	return strings.ToValidUTF8(s[:longestName], "") + "…"
}

// checkValue reads one value whole.
func checkValue(d *json.Decoder, at *place, into reflect.Type) error {
	if at != nil && at.depth > deepest {
		return &Fault{Message: fmt.Sprintf("values are nested more than %d deep", deepest)}
	}
	token, err := d.Token()
	if err != nil {
		return err
	}
	if what := unfit(token, into); what != "" {
		return &Fault{Field: at.field(), Message: "cannot be " + what}
	}
	switch token {
	case json.Delim('{'):
		return checkObject(d, at, into)
	case json.Delim('['):
		element := elementOf(into)
		for i := 0; d.More(); i++ {
			if err := checkValue(d, at.within("", i), element); err != nil {
				return err
			}
		}
		_, err = d.Token()
	}
	return err
}

// unfit says what a value is that cannot go into a type, or "".
func unfit(token json.Token, into reflect.Type) string {
	if into == nil {
		return ""
	}
	absent := into.Kind() == reflect.Pointer
	t := plainType(into)
	if t == nil || t.Kind() == reflect.Interface {
		return ""
	}
	what, fits := "null", absent
	switch token := token.(type) {
	case string:
		what, fits = "a string", t.Kind() == reflect.String
	case json.Number:
		what, fits = "a number", t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64
	case bool:
		what, fits = "true or false", t.Kind() == reflect.Bool
	case json.Delim:
		what, fits = "an array", t.Kind() == reflect.Slice || t.Kind() == reflect.Array
		if token == '{' {
			what, fits = "an object", t.Kind() == reflect.Struct || t.Kind() == reflect.Map
		}
	}
	switch {
	case fits:
		return ""
	case what == "a number" && t.Kind() == reflect.String:
		return "a number; write it in quotes"
	}
	return what
}

// checkObject reads the rest of an object.
func checkObject(d *json.Decoder, at *place, into reflect.Type) error {
	known := membersOf(into)
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name, is := token.(string)
		if !is || name == "" {
			return &Fault{Field: at.field(), Message: "has a member without a name"}
		}
		here := at.within(name, 0)
		if seen[name] {
			return &Fault{Field: here.field(), Message: "stands twice in one object; say it once"}
		}
		seen[name] = true
		inner, err := known.member(here)
		if err != nil {
			return err
		}
		if err := checkValue(d, here, inner); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// members are an object's names, and the types of what they name; nil: any name.
type members map[string]reflect.Type

// member is the type of the member at a place.
func (m members) member(at *place) (reflect.Type, error) {
	inner, known := m[at.name]
	if known || m == nil {
		return inner, nil
	}
	for name := range m {
		if strings.EqualFold(name, at.name) {
			return nil, &Fault{Field: at.field(), Message: fmt.Sprintf("is written %q", name)}
		}
	}
	return nil, &Fault{Field: at.field(), Message: "is unknown here"}
}

// structs are the members of the structs seen so far, by type: to find them takes
// longer than to read a small object.
var structs sync.Map

// membersOf are the members of what an object goes into.
func membersOf(t reflect.Type) members {
	if t = plainType(t); t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	if found, ok := structs.Load(t); ok {
		return found.(members)
	}
	m := members{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported() || f.Anonymous && name == "":
			continue
		case name == "":
			name = f.Name
		}
		m[name] = f.Type
	}
	structs.Store(t, m)
	return m
}

// elementOf is the type of what stands in an array that goes into a type.
func elementOf(t reflect.Type) reflect.Type {
	if t = plainType(t); t == nil || t.Kind() != reflect.Slice && t.Kind() != reflect.Array {
		return nil
	}
	return t.Elem()
}

// plainType is the type that pointers lead to, or nil where it reads JSON by itself.
func plainType(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil {
		return nil
	}
	p := reflect.PointerTo(t)
	if p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return nil
	}
	return t
}
