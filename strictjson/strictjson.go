// Package strictjson reads JSON that can be read in one way only, and says in plain words where it
// cannot. It knows nothing of what the JSON means.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Fault is what is wrong with a text, and where.
type Fault struct {
	Field   string // such as "entries[3].moves[0].amount"; "": the whole
	Message string // what was expected, and what was given
}

// Error is the fault as a sentence: amount: expected a decimal string such as "2.5", got a number.
func (f *Fault) Error() string {
	if f.Field == "" {
		return f.Message
	}
	return plain(f.Field) + ": " + f.Message
}

// plain is a text from outside as a message shows it: quoted, where it has characters
// that a terminal or a log would not show.
func plain(s string) string {
	if quoted := strconv.Quote(s); quoted != `"`+s+`"` {
		return quoted
	}
	return s
}

// deepest is how far values may be nested.
const deepest = 16

// CheckFor is what is wrong with a text that is to be one JSON value for a type, or
// nil. The text is UTF-8, has no name twice in one object (readers would silently take
// the first or the last), is not nested more than 16 deep, and nothing follows it. Its
// names are known and written exactly as the type says, each value is of the expected
// JSON type, and null stands only for what may be absent; a nil type accepts any names
// and values. A field's tag "example" is shown where its value is of the wrong type.
// The error is a *Fault.
func CheckFor(text []byte, into reflect.Type) error {
	if !utf8.Valid(text) {
		return &Fault{Message: "the text is not valid UTF-8"}
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := checkValue(d, nil, slot{t: into}); err != nil {
		return faultOf(text, err)
	}
	return checkEnd(d)
}

// checkEnd refuses what follows the value that was read.
func checkEnd(d *json.Decoder) error {
	if _, err := d.Token(); err != io.EOF {
		return &Fault{Message: "something follows the value; one is expected"}
	}
	return nil
}

// Decode reads a text that CheckFor finds nothing wrong with into a value: what looks
// like a mistake is not passed over. Its error is a *Fault, or that of a type that
// reads JSON by itself. into is a pointer.
func Decode(text []byte, into any) error {
	err := CheckFor(text, reflect.TypeOf(into).Elem())
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return faultOf(text, err)
	}
	return nil
}

// faultOf is a reader's error as a fault, in our words: those of encoding/json speak
// of Go's types.
func faultOf(text []byte, err error) error {
	var wrongType *json.UnmarshalTypeError
	var wrongText *json.SyntaxError
	switch {
	case errors.As(err, &wrongType):
		kind, _, _ := strings.Cut(wrongType.Value, " ") // without the value itself
		return &Fault{Field: wrongType.Field, Message: "expected another value; this " + kind + " does not fit"}
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return &Fault{Message: "the text ends in the middle of a value"}
	case errors.As(err, &wrongText):
		return &Fault{Message: "the text is not JSON" + unexpected(text)}
	}
	return err
}

// unexpected is where a text stops being JSON, as the end of a sentence.
func unexpected(text []byte) string {
	var whole json.RawMessage
	var wrong *json.SyntaxError // a decoder's knows the place within its own buffer only
	if err := json.Unmarshal(text, &whole); !errors.As(err, &wrong) || wrong.Offset < 1 ||
		wrong.Offset > int64(len(text)) {
		return ""
	}
	before := text[:wrong.Offset-1]
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	character, _ := utf8.DecodeRune(text[len(before):])
	return fmt.Sprintf(": %q is unexpected at line %d, column %d",
		string(character), 1+bytes.Count(before, []byte("\n")), 1+utf8.RuneCount(line))
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
func checkValue(d *json.Decoder, at *place, into slot) error {
	if at != nil && at.depth > deepest {
		return &Fault{Message: fmt.Sprintf("values are nested more than %d deep", deepest)}
	}
	token, err := d.Token()
	if err != nil {
		return err
	}
	if wrong := into.refuse(token); wrong != "" {
		return &Fault{Field: at.field(), Message: wrong}
	}
	switch token {
	case json.Delim('{'):
		return checkObject(d, at, into)
	case json.Delim('['):
		element := into.element()
		for i := 0; d.More(); i++ {
			if err := checkValue(d, at.within("", i), element); err != nil {
				return err
			}
		}
		_, err = d.Token()
	}
	return err
}

// checkObject reads the rest of an object.
func checkObject(d *json.Decoder, at *place, into slot) error {
	known := into.members()
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name, is := token.(string)
		if !is || name == "" {
			return &Fault{Field: at.field(), Message: "a member has no name"}
		}
		here := at.within(name, 0)
		if seen[name] {
			return &Fault{Field: here.field(), Message: "the name stands twice in one object; give it once"}
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

// Elements takes the elements of an array out of a text that is to be one JSON object:
// the array that is the object's member of a name. Each element is returned as it is
// written, so that Decode can refuse one of them and read the others; rest is the text with
// that array empty, for Decode to read all else. Only what ends the reading of the text
// itself is an error: it is not JSON, or the array has more elements than most. Where the
// text is no object, or the member no array, there are no elements and rest is the text.
// The elements share the memory of the text. The error is a *Fault.
func Elements(text []byte, name string, most int) (elements []json.RawMessage, rest []byte, err error) {
	var skipped json.RawMessage
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&skipped); err != nil {
		return nil, nil, faultOf(text, err)
	}
	if err := checkEnd(d); err != nil {
		return nil, nil, err
	}
	d = json.NewDecoder(bytes.NewReader(text))
	token, err := d.Token()
	if err != nil || token != json.Delim('{') {
		return nil, text, faultOf(text, err)
	}
	for d.More() {
		member, err := d.Token()
		if err != nil {
			return nil, nil, faultOf(text, err)
		}
		if member != name || !isArray(text[d.InputOffset():]) {
			if err := d.Decode(&skipped); err != nil {
				return nil, nil, faultOf(text, err)
			}
			continue
		}
		return array(d, text, name, most)
	}
	return nil, text, nil
}

// isArray reports whether the value that follows a member's name begins as an array does.
func isArray(after []byte) bool {
	value := bytes.TrimLeft(after, " \t\r\n:")
	return len(value) > 0 && value[0] == '['
}

// array takes the elements of the array that the decoder reads next.
func array(d *json.Decoder, text []byte, name string, most int) (elements []json.RawMessage, rest []byte, err error) {
	if _, err := d.Token(); err != nil {
		return nil, nil, faultOf(text, err)
	}
	first, n := d.InputOffset(), 0
	var element json.RawMessage
	for ; d.More(); n++ {
		if err := d.Decode(&element); err != nil {
			return nil, nil, faultOf(text, err)
		}
		if end := d.InputOffset(); n < most {
			elements = append(elements, text[end-int64(len(element)):end])
		}
	}
	if n > most {
		return nil, nil, &Fault{Field: name, Message: fmt.Sprintf("expected at most %d items, got %d", most, n)}
	}
	rest = append(rest, text[:first]...)
	return elements, append(rest, text[d.InputOffset():]...), nil
}
