package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// shape describes a value's form, for people.
type shape struct{ schemas huma.Registry }

// resolve is the schema that a reference leads to, and the type it was made of, if any.
func (s shape) resolve(schema *huma.Schema) (*huma.Schema, reflect.Type) {
	if schema.Ref == "" {
		return schema, nil
	}
	return s.schemas.SchemaFromRef(schema.Ref), s.schemas.TypeFromRef(schema.Ref)
}

// kind is a value's kind in a word or two.
func (s shape) kind(schema *huma.Schema) string {
	resolved, _ := s.resolve(schema)
	name := resolved.Type
	switch {
	case name == huma.TypeArray:
		name = "list of " + plural(s.kind(resolved.Items))
	case len(resolved.Enum) > 0:
		words := make([]string, len(resolved.Enum))
		for i, word := range resolved.Enum {
			words[i] = fmt.Sprint(word)
		}
		return strings.Join(words, ", ")
	case resolved.Format == "date-time":
		name = "time"
	case resolved.Format == "date":
		name = "day"
	case name == "":
		name = "any"
	}
	if resolved.Nullable {
		name += " or null"
	}
	return name + bounds(resolved)
}

func plural(word string) string {
	if strings.Contains(word, ",") || strings.HasSuffix(word, "s") {
		return word
	}
	return word + "s"
}

// bounds are what limits a value, in brackets, or nothing.
func bounds(schema *huma.Schema) string {
	var words []string
	say := func(least, most any, unit string) {
		least, most = reach(least), reach(most)
		switch {
		case least != nil && most != nil:
			words = append(words, fmt.Sprintf("%v to %v%s", least, most, unit))
		case least != nil:
			words = append(words, fmt.Sprintf("at least %v%s", least, unit))
		case most != nil:
			words = append(words, fmt.Sprintf("at most %v%s", most, unit))
		}
	}
	say(schema.Minimum, schema.Maximum, "")
	say(schema.MinLength, schema.MaxLength, " characters")
	say(schema.MinItems, schema.MaxItems, " items")
	if schema.Default != nil {
		words = append(words, fmt.Sprintf("without it %v", schema.Default))
	}
	if words == nil {
		return ""
	}
	return " (" + strings.Join(words, "; ") + ")"
}

// reach is what a pointer leads to, or nil.
func reach(pointer any) any {
	if v := reflect.ValueOf(pointer); v.Kind() == reflect.Pointer && !v.IsNil() {
		return v.Elem().Interface()
	}
	return nil
}

// fields are an object's fields and those of the objects in it, each at its path.
func (s shape) fields(path string, schema *huma.Schema) []docsField {
	resolved, made := s.resolve(schema)
	switch resolved.Type {
	case huma.TypeArray:
		return s.fields(path+"[]", resolved.Items)
	case huma.TypeObject:
	default:
		return nil
	}
	var all []docsField
	for _, name := range order(resolved, made) {
		inner := resolved.Properties[name]
		at := strings.TrimPrefix(path+"."+name, ".")
		all = append(all, docsField{
			Name: at, Type: s.kind(inner), About: inner.Description, Required: slices.Contains(resolved.Required, name),
			Example: s.exampleText(inner),
		})
		all = append(all, s.fields(at, inner)...)
	}
	return all
}

// order is an object's names as its type has them: the schema itself has no order.
func order(schema *huma.Schema, made reflect.Type) []string {
	var names []string
	if made != nil {
		for _, f := range reflect.VisibleFields(made) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if schema.Properties[name] != nil {
				names = append(names, name)
			}
		}
	}
	var others []string
	for name := range schema.Properties {
		if !slices.Contains(names, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	return append(names, others...)
}

// exampleText is an example of a simple value, or "".
func (s shape) exampleText(schema *huma.Schema) string {
	if len(schema.Examples) == 0 {
		return ""
	}
	return fmt.Sprint(schema.Examples[0])
}

// json is an example of a value.
func (s shape) json(schema *huma.Schema) string {
	var compact, text bytes.Buffer
	s.write(&compact, schema)
	if err := json.Indent(&text, compact.Bytes(), "", "  "); err != nil {
		panic(err) // we have written it ourselves
	}
	return text.String()
}

// write writes an example, as one line of JSON.
func (s shape) write(b *bytes.Buffer, schema *huma.Schema) {
	resolved, made := s.resolve(schema)
	switch {
	case len(schema.Examples) > 0:
		s.writeValue(b, schema.Examples[0])
	case resolved.Type == huma.TypeArray:
		b.WriteByte('[')
		s.write(b, resolved.Items)
		b.WriteByte(']')
	case resolved.Type == huma.TypeObject:
		b.WriteByte('{')
		for i, name := range order(resolved, made) {
			if i > 0 {
				b.WriteByte(',')
			}
			s.writeValue(b, name)
			b.WriteByte(':')
			s.write(b, resolved.Properties[name])
		}
		b.WriteByte('}')
	case len(resolved.Enum) > 0:
		s.writeValue(b, resolved.Enum[0])
	default:
		s.writeValue(b, usual[resolved.Type+" "+resolved.Format])
	}
}

// usual are examples of what has none of its own.
var usual = map[string]any{
	"string ": "…", "string date-time": "2026-11-22T10:00:00.000Z", "string date": "2026-11-22",
	"boolean ": true, "integer int64": 1, "integer int32": 1,
}

func (s shape) writeValue(b *bytes.Buffer, v any) {
	text, err := marshal(v)
	if err != nil {
		panic(err) // examples are made of JSON
	}
	b.Write(bytes.TrimSuffix(text, []byte("\n")))
}
