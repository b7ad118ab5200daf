package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
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
