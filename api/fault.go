package api

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"softstake/ledger"
	"softstake/strictjson"
)

// What huma finds wrong with a request is worded as strictjson words what is wrong with
// a value: in which field, what is due, and what was given. huma keeps its
// messages in variables, and puts them into a schema when that is made.
func init() {
	validation.MsgExpectedMinLength = "at least %d characters are due"
	validation.MsgExpectedMaxLength = "at most %d characters are due"
	validation.MsgExpectedMinItems = "at least %d items are due"
	validation.MsgExpectedMaxItems = "at most %d items are due"
	validation.MsgExpectedMinimumNumber = "a number of at least %v is due"
	validation.MsgExpectedMaximumNumber = "a number of at most %v is due"
	validation.MsgExpectedOneOf = "one of %s is due"
	validation.MsgExpectedMatchPattern = "text that matches %s is due"
	validation.MsgExpectedRFC3339Date = `a day such as "2026-11-22" is due`
	validation.MsgExpectedRFC3339DateTime = `a time such as "2026-11-22T10:00:00.000Z" is due`
}

// ofParameters are our words for what huma has no variables for.
var ofParameters = map[string]string{
	"invalid integer":                     "a whole number is due",
	"invalid boolean":                     "true or false is due",
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
	if strings.HasSuffix(message, " due") {
		message += given(d.Value)
	}
	if field == "" {
		return fmt.Errorf("%w: the request: %s", ledger.ErrInvalid, message)
	}
	return inField(field, fmt.Errorf("%w: %w", ledger.ErrInvalid, &strictjson.Fault{Field: ledger.Clip(field), Message: message}))
}

// given is what stands where something else is due, as the end of a sentence.
func given(value any) string {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.String:
		return fmt.Sprintf(", not %q", ledger.Clip(v.String()))
	case reflect.Slice, reflect.Map:
		return fmt.Sprintf(", not %d", v.Len())
	case reflect.Invalid:
		return ""
	}
	return fmt.Sprintf(", not %v", value)
}
