package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/api"
)

// wrongValue is a value, and how a message names it.
type wrongValue struct{ text, named string }

// wrongFor are values of every JSON type but the one that a schema says.
func wrongFor(kind string) []wrongValue {
	all := map[string]wrongValue{
		"string": {`"x"`, "a string"}, "integer": {`7`, "a number"}, "boolean": {`true`, "true"},
		"null": {`null`, "null"}, "array": {`[]`, "an array"}, "object": {`{}`, "an object"},
	}
	delete(all, kind)
	var wrong []wrongValue
	for _, v := range all {
		wrong = append(wrong, v)
	}
	if kind == "integer" {
		wrong = append(wrong, wrongValue{`1.5`, "1.5"}, wrongValue{`1e2`, "1e2"}, wrongValue{`1e400`, "1e400"},
			wrongValue{`9223372036854775808`, "9223372036854775808"})
	}
	return wrong
}

// bodies makes bodies from what the document says of them.
type bodies struct{ schemas map[string]*bodySchema }

type bodySchema struct {
	Ref        string `json:"$ref"`
	Type       any
	Examples   []any
	Enum       []any
	Properties map[string]*bodySchema
	Items      *bodySchema
}

func (b bodies) resolve(s *bodySchema) *bodySchema {
	if s.Ref != "" {
		return b.schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	return s
}

// kind is the JSON type of a schema, the first where there are several.
func (s *bodySchema) kind() string {
	if all, several := s.Type.([]any); several {
		return fmt.Sprint(all[0])
	}
	return fmt.Sprint(s.Type)
}

// example is a value as the document says it; at is where in it the text wrong
// stands instead, or "".
func (b bodies) example(s *bodySchema, path, at, wrong string) string {
	if path == at && path != "" {
		return wrong
	}
	s = b.resolve(s)
	switch {
	case s.kind() == "object":
		var members []string
		for name, inner := range s.Properties {
			members = append(members,
				fmt.Sprintf("%q:%s", name, b.example(inner, strings.TrimPrefix(path+"."+name, "."), at, wrong)))
		}
		slices.Sort(members)
		return "{" + strings.Join(members, ",") + "}"
	case s.kind() == "array":
		return "[" + b.example(s.Items, path+"[0]", at, wrong) + "]"
	case len(s.Examples) > 0:
		return quoted(s.Examples[0])
	case len(s.Enum) > 0:
		return quoted(s.Enum[0])
	}
	return map[string]string{"string": `"x"`, "integer": "1", "boolean": "true"}[s.kind()]
}

func quoted(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // it was read from JSON
	}
	return string(text)
}

// fields are the paths of a body's fields, and of the items of its arrays, with the
// schema of each.
func (b bodies) fields(s *bodySchema, path string, all map[string]*bodySchema) {
	s = b.resolve(s)
	if path != "" {
		all[path] = s
	}
	for name, inner := range s.Properties {
		b.fields(inner, strings.TrimPrefix(path+"."+name, "."), all)
	}
	if s.Items != nil {
		b.fields(s.Items, path+"[0]", all)
	}
}

// describedBodies are the schemas of the operations' bodies.
func describedBodies(t *testing.T) (b bodies, byOperation map[string]*bodySchema) {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string
			RequestBody *struct {
				Content map[string]struct{ Schema *bodySchema }
			}
		}
		Components struct{ Schemas map[string]*bodySchema }
	}
	if err := json.Unmarshal(served(t, "/v1/openapi.json").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	byOperation = map[string]*bodySchema{}
	for _, methods := range doc.Paths {
		for _, o := range methods {
			if o.RequestBody != nil {
				byOperation[o.OperationID] = o.RequestBody.Content["application/json"].Schema
			}
		}
	}
	return bodies{doc.Components.Schemas}, byOperation
}

// caller is somebody who may call a route.
func caller(r api.Route) string {
	if r.Roles[0] == access.Holder {
		return own
	}
	return string(r.Roles[0])
}

// absent are the fields for which null stands as if they were not there.
var absent = regexp.MustCompile(`(^|\.)(at|acceptedAt|client|from|until|apr|fee|mode|measure|perOwner|grossApr)$`)

// TestAValueOfTheWrongType in any field of any body, at any depth, is refused by its
// field, what was expected and what was given.
func TestAValueOfTheWrongType(t *testing.T) {
	b, byOperation := describedBodies(t)
	words := regexp.MustCompile(`^expected (an? (decimal )?string( such as ".*")?|` +
		`a whole number( such as \d+| from -?\d+ to \d+)?|true or false|an array|an object), got (.*)\.$`)
	inTown(t, func(t *testing.T, w *town) {
		w.holder(own, "DE")
		tried := 0
		for _, route := range api.Routes() {
			schema := byOperation[route.Operation]
			if schema == nil {
				continue
			}
			fields := map[string]*bodySchema{}
			b.fields(schema, "", fields)
			for path, field := range fields {
				for _, wrong := range wrongFor(field.kind()) {
					if wrong.text == "null" && absent.MatchString(path) {
						continue
					}
					tried++
					r := w.call(caller(route), route.Method, pathOf(route, own),
						b.example(schema, "", path, wrong.text))
					detail, field := r.at("detail"), path
					if batch, in, row := inRow(path); row && r.status == http.StatusOK {
						// A row that cannot be read is refused by itself.
						result := batch + ".0."
						field, detail = in, r.at(result+"problem.detail")
						r.says(result+"status", "refused", result+"problem.type", "/v1/docs#invalid", result+"problem.field", in)
						if in == "" {
							field = "this element of " + batch
						}
					} else {
						r.refused(http.StatusBadRequest, "invalid", path)
					}
					said, found := strings.CutPrefix(detail, field+": ")
					parts := words.FindStringSubmatch(said)
					if !found || parts == nil || !strings.HasPrefix(parts[len(parts)-1], wrong.named) {
						t.Errorf("%s: %s as %s: %s", route.Operation, path, wrong.text, detail)
					}
				}
			}
		}
		if tried < 300 {
			t.Errorf("only %d values were tried", tried)
		}
	})
}

// inRow is a path within a row of a batch whose rows are refused by themselves.
func inRow(path string) (batch, in string, is bool) {
	for _, batch = range []string{"enrollments", "exclusions", "acknowledgements"} {
		if in, is = strings.CutPrefix(path, batch+"[0]"); is {
			break
		}
	}
	return batch, strings.TrimPrefix(in, "."), is
}

// TestFaultsAreInOurWords: the field, what was expected, and what was given.
func TestFaultsAreInOurWords(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder(own, "DE")
		batchOf := func(move string) string {
			return `{"entries":[{"id":"e-0","kind":"transfer","moves":[]},{"id":"e-1","kind":"transfer","moves":[` +
				move + `]}],"atomic":true}`
		}
		for _, c := range []struct{ who, method, path, body, detail string }{
			{"exchange", "POST", "/v1/batches", batchOf(`{"from":"alice","to":"bob","asset":"BNB","amount":2.5}`),
				`entries[1].moves[0].amount: expected a decimal string such as "2.5", got a number.`},
			{"exchange", "POST", "/v1/batches", batchOf(`{},[]`),
				`entries[1].moves[1]: expected an object, got an array.`},
			{"exchange", "POST", "/v1/batches", batchOf(`{"fee":"1"}`),
				`entries[1].moves[0].fee: unknown name; the known names are from, to, asset, amount.`},
			{"exchange", "POST", "/v1/batches", batchOf(`{"to":"bob","to":"bob"}`),
				`entries[1].moves[0].to: the name stands twice in one object; give it once.`},
			{"exchange", "POST", "/v1/accounts", `{"id":7}`, `id: expected a string such as "alice", got a number.`},
			{"exchange", "POST", "/v1/accounts", `{"id":"bob","Region":"DE"}`, `Region: the name is written "region".`},
			{"exchange", "POST", "/v1/accounts", `{"id":"bob","zone":"DE"}`,
				`zone: unknown name; the known names are id, region, owner.`},
			{"exchange", "POST", "/v1/accounts", `{"region":"DE"}`, `id is missing.`},
			{"exchange", "POST", "/v1/accounts", `{"id":""}`, `id: expected at least 1 characters, got "".`},
			{"exchange", "POST", "/v1/accounts", `{"id":"bob"} {}`,
				`the body: something follows the value; one is expected.`},
			{"exchange", "POST", "/v1/accounts", `{"id":"bob"`, `the body: the text ends in the middle of a value.`},
			{"exchange", "POST", "/v1/accounts", `{"id":bob}`,
				`the body: the text is not JSON: "b" is unexpected at line 1, column 7.`},
			{"exchange", "POST", "/v1/accounts", `[{"id":"bob"}]`, `the body: expected an object, got an array.`},
			{"exchange", "POST", "/v1/accounts", ``, `the request has no body.`},
			{"exchange", "POST", "/v1/entries", ``, `the request has no body.`},
			{"operator", "POST", "/v1/tokens", `{"asset":"DOT","scale":1.0,"maxSupply":"1"}`,
				`scale: expected a whole number such as 8, got 1.0.`},
			{"operator", "POST", "/v1/tokens",
				`{"asset":"DOT","scale":19,"maxSupply":"1","offered":true,"apr":"0.01","minimum":"1","cap":"1"}`,
				`scale: expected a number of at most 18, got 19.`},
			{"treasurer", "POST", "/v1/funds", `{"id":"f-1","asset":"BNB","amount":"1","direction":"up"}`,
				`direction: expected one of in, out, got "up".`},
			{"operator", "PUT", "/v1/prices", `{"prices":[]}`, `prices: expected at least 1 items, got 0.`},
			{"operator", "PUT", "/v1/prices", `{"prices":[{"asset":"BNB","day":"2026-13-01","price":"1"}]}`,
				`prices[0].day: expected a day such as "2026-11-22", got "2026-13-01".`},
			{"operator", "PUT", "/v1/prices", `{"prices":[{"asset":"BNB","day":"2026-03-01"}]}`,
				`prices[0].price is missing.`},
			{"exchange", "GET", "/v1/accounts?limit=x", ``, `limit: expected a whole number, got "x".`},
			{"exchange", "GET", "/v1/accounts?limit=0", ``, `limit: expected a number of at least 1, got 0.`},
			{"exchange", "GET", "/v1/accounts?size=1", ``, `size: the parameter is unknown here.`},
			{"exchange", "GET", "/v1/prices", ``, `asset: the parameter is missing.`},
		} {
			r := w.call(c.who, c.method, c.path, c.body)
			if r.status != http.StatusBadRequest || r.at("detail") != c.detail {
				t.Errorf("%s is answered %d %s\nwanted is         %s", c.body, r.status, r.body, c.detail)
			}
		}
	})
}
