package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/strictjson"
)

// A request is read in three steps: its body is JSON that can be read in one way only and has the
// names and types of its Go type (strictjson), body and parameters are within what the
// OpenAPI document describes (fits); the rest is the handler's to parse.

// param is a parameter of a route, and the field of its handler's struct that it goes into.
type param struct {
	*huma.Param
	field []int
	usual string // the value where none is given; "": none
}

// paramsOf are the parameters that go into a struct, in a fixed order. Each is a string or an int.
func paramsOf(op *huma.Operation, into reflect.Type) []param {
	var all []param
	for _, f := range reflect.VisibleFields(into) {
		for _, p := range op.Parameters {
			if p.Name == f.Tag.Get(p.In) {
				all = append(all, param{p, f.Index, f.Tag.Get("default")})
			}
		}
	}
	slices.SortFunc(all, func(a, b param) int {
		return cmp.Or(strings.Compare(a.In, b.In), strings.Compare(a.Name, b.Name))
	})
	return all
}

// text is what a request has for a parameter.
func (p param) text(r *http.Request, query url.Values) string {
	switch p.In {
	case "path":
		return r.PathValue(p.Name)
	case "query":
		return query.Get(p.Name)
	}
	return r.Header.Get(p.Name)
}

// input reads a request into a handler's struct. The errors for which a request is refused
// are ledger.ErrInvalid, in their field, or errMediaType.
func (s *server) input(rt *route, r *http.Request, into reflect.Value) error {
	body, query := request(r.Context()).body, r.URL.Query()
	if rt.RequestBody != nil {
		if err := checkContent(r.Header, body); err != nil {
			return err
		}
	}
	if rt.body {
		if err := decode(body, into.FieldByName("Body").Addr().Interface()); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !slices.ContainsFunc(rt.params, func(p param) bool { return p.In == "query" && p.Name == name }) {
			return wrong(name, "the parameter is unknown here")
		}
	}
	if rt.body {
		if err := s.fitsBody(rt.RequestBody.Content[jsonContent].Schema, body); err != nil {
			return err
		}
	}
	for _, p := range rt.params {
		if err := s.inputParam(p, cmp.Or(p.text(r, query), p.usual), into.FieldByIndex(p.field)); err != nil {
			return err
		}
	}
	return nil
}

// inputParam reads a parameter's text into its field; "" is none.
func (s *server) inputParam(p param, text string, into reflect.Value) error {
	switch {
	case text == "" && p.Required:
		return wrong(p.Name, "the parameter is missing")
	case text == "":
		return nil
	case into.Kind() == reflect.String:
		into.SetString(text)
		return s.fits(p.Schema, p.Name, text)
	}
	n, err := strconv.ParseInt(text, 10, into.Type().Bits())
	if err != nil {
		return expected(p.Name, text, "a whole number")
	}
	into.SetInt(n)
	return s.fits(p.Schema, p.Name, json.Number(text))
}

// fitsBody is where a body differs from its schema, or nil.
func (s *server) fitsBody(schema *huma.Schema, body []byte) error {
	var value any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return err
	}
	return s.fits(schema, "", value)
}

// checkContent refuses a body whose Content-Type is not JSON.
func checkContent(h http.Header, body []byte) error {
	if len(body) == 0 {
		return ledger.ErrInvalid.In("", "the request has no body")
	}
	if kind, _, err := mime.ParseMediaType(h.Get("Content-Type")); h.Get("Content-Type") != "" &&
		(err != nil || kind != jsonContent) {
		return errMediaType.In("", "it is %q; send %s", ledger.Clip(h.Get("Content-Type")), jsonContent)
	}
	if coding := h.Get("Content-Encoding"); coding != "" {
		return errMediaType.In("", "it is encoded as %q; send it plain", ledger.Clip(coding))
	}
	return nil
}

// fits is where a value differs from its schema, or nil: a body's, whose names and types
// have been looked at, or a parameter's. Numbers are json.Number.
func (s *server) fits(schema *huma.Schema, field string, value any) error {
	if schema.Ref != "" {
		schema = s.huma.OpenAPI().Components.Schemas.SchemaFromRef(schema.Ref)
	}
	switch value := value.(type) {
	case map[string]any:
		for _, name := range schema.Required {
			if _, given := value[name]; !given {
				missing := strings.TrimPrefix(field+"."+name, ".")
				return ledger.ErrInvalid.In(missing, "%s is missing", missing)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if err := s.fits(schema.Properties[name], strings.TrimPrefix(field+"."+name, "."),
				value[name]); err != nil {
				return err
			}
		}
	case []any:
		if limit := outside(len(value), schema.MinItems, schema.MaxItems); limit != "" {
			return expected(field, len(value), "%s items", limit)
		}
		for i, item := range value {
			if err := s.fits(schema.Items, fmt.Sprintf("%s[%d]", field, i), item); err != nil {
				return err
			}
		}
	case json.Number:
		return fitsNumber(schema, field, value)
	case string:
		return fitsText(schema, field, value)
	}
	return nil
}

func fitsNumber(schema *huma.Schema, field string, value json.Number) error {
	n, err := value.Int64()
	if err != nil {
		return expected(field, value, "a whole number")
	}
	var least, most *int64
	if schema.Minimum != nil {
		least = new(int64(*schema.Minimum))
	}
	if schema.Maximum != nil {
		most = new(int64(*schema.Maximum))
	}
	if limit := outside(n, least, most); limit != "" {
		return expected(field, n, "a number of %s", limit)
	}
	return nil
}

func fitsText(schema *huma.Schema, field, text string) error {
	if limit := outside(utf8.RuneCountInString(text), schema.MinLength, schema.MaxLength); limit != "" {
		return expected(field, text, "%s characters", limit)
	}
	if schema.Pattern != "" && !regexp.MustCompile(schema.Pattern).MatchString(text) {
		return expected(field, text, "text that matches %s", schema.Pattern)
	}
	if _, err := time.Parse(time.DateOnly, text); schema.Format == "date" && err != nil {
		return expected(field, text, `a day such as "2026-11-22"`)
	}
	if _, err := time.Parse(time.RFC3339, text); schema.Format == "date-time" && err != nil {
		return expected(field, text, `a time such as "2026-11-22T10:00:00.000Z"`)
	}
	if len(schema.Enum) > 0 && !slices.Contains(schema.Enum, any(text)) {
		words := make([]string, len(schema.Enum))
		for i, word := range schema.Enum {
			words[i] = fmt.Sprint(word)
		}
		return expected(field, text, "one of %s", strings.Join(words, ", "))
	}
	return nil
}

// outside is the limit that n is beyond, in words, or "".
func outside[N int | int64](n N, least, most *N) string {
	switch {
	case least != nil && n < *least:
		return fmt.Sprintf("at least %d", *least)
	case most != nil && n > *most:
		return fmt.Sprintf("at most %d", *most)
	}
	return ""
}

// expected is what was expected in a field, and what was given.
func expected(field string, given any, format string, args ...any) error {
	if text, is := given.(string); is {
		given = strconv.Quote(ledger.Clip(text))
	}
	return wrong(field, fmt.Sprintf("expected "+format+", got %v", append(args, given)...))
}

// wrong is what is wrong with a field of the request.
func wrong(field, message string) error {
	return ledger.ErrInvalid.In(field, "%w", &strictjson.Fault{Field: ledger.Clip(field), Message: message})
}

// inJSON is a fault of a body as an error in its field.
func inJSON(err error) error {
	var fault *strictjson.Fault
	switch {
	case !errors.As(err, &fault):
		return err
	case fault.Field == "":
		return ledger.ErrInvalid.In("", "the body: %w", err)
	}
	return ledger.ErrInvalid.In(fault.Field, "%w", err)
}
