package api

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/strictjson"
)

// What huma finds wrong with a request is worded as strictjson words what is wrong with
// a value: in which field, what was expected, and what was given. huma keeps
// its messages in variables, and puts them into a schema when that is made.
func init() {
	validation.MsgExpectedMinLength = "expected at least %d characters"
	validation.MsgExpectedMaxLength = "expected at most %d characters"
	validation.MsgExpectedMinItems = "expected at least %d items"
	validation.MsgExpectedMaxItems = "expected at most %d items"
	validation.MsgExpectedMinimumNumber = "expected a number of at least %v"
	validation.MsgExpectedMaximumNumber = "expected a number of at most %v"
	validation.MsgExpectedOneOf = "expected one of %s"
	validation.MsgExpectedMatchPattern = "expected text that matches %s"
	validation.MsgExpectedRFC3339Date = `expected a day such as "2026-11-22"`
	validation.MsgExpectedRFC3339DateTime = `expected a time such as "2026-11-22T10:00:00.000Z"`
}

// ofParameters are our words for what huma has no variables for.
var ofParameters = map[string]string{
	"invalid integer":                     "expected a whole number",
	"invalid boolean":                     "expected true or false",
	"required query parameter is missing": "the parameter is missing",
	"unknown query parameter":             "the parameter is unknown here",
}

// faultOf is what huma finds wrong with a field.
func faultOf(d *huma.ErrorDetail) error {
	_, field, _ := strings.Cut(d.Location, ".") // without body, query, path or header
	var missing string
	if n, err := fmt.Sscanf(d.Message, "expected required property %s to be present", &missing); n == 1 && err == nil {
		missing = strings.TrimPrefix(field+"."+missing, ".")
		return inField(missing, fmt.Errorf("%w: %s is missing", ledger.ErrInvalid, missing))
	}
	message := d.Message
	if ours, known := ofParameters[message]; known {
		message = ours
	}
	if strings.HasPrefix(message, "expected ") {
		message += given(d.Value)
	}
	if field == "" {
		return fmt.Errorf("%w: the request: %s", ledger.ErrInvalid, message)
	}
	return inField(field, fmt.Errorf("%w: %w", ledger.ErrInvalid, &strictjson.Fault{Field: ledger.Clip(field), Message: message}))
}

// given is what was given instead of what was expected, as the end of a sentence.
func given(value any) string {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.String:
		return fmt.Sprintf(", got %q", ledger.Clip(v.String()))
	case reflect.Slice, reflect.Map:
		return fmt.Sprintf(", got %d", v.Len())
	case reflect.Invalid:
		return ""
	}
	return fmt.Sprintf(", got %v", value)
}
