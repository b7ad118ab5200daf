package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/softstake/softstake/api"
)

// document is what the generator reads of an OpenAPI 3.1 description.
type document struct {
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]schema }
	Tags       []struct{ Name string }
}

type operation struct {
	OperationID string
	Summary     string
	Description string
	Tags        []string
	Parameters  []parameter
	RequestBody *struct{ Content map[string]media }
	Responses   map[string]struct{ Content map[string]media }
	Roles       []string `json:"x-roles"`

	method, path string
}

type parameter struct {
	Name, In, Description string
	Required              bool
	Schema                schema
}

type media struct{ Schema schema }

type schema struct {
	Ref         string `json:"$ref"`
	Type        types
	Format      string
	Description string
	Enum        []any
	Items       *schema
	Properties  map[string]schema
	Required    []string
	Events      map[string]schema `json:"$defs"`
}

// types are a schema's types: one, or one and null.
type types []string

func (t *types) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte(`"`)) {
		*t = []string{""}
		return json.Unmarshal(text, &(*t)[0])
	}
	return json.Unmarshal(text, (*[]string)(t))
}

// name is the schema that a reference leads to, or "".
func (s schema) name() string { return strings.TrimPrefix(s.Ref, "#/components/schemas/") }

// described is the description that the server answers with.
func described() (document, error) {
	var d document
	handler := api.New(api.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Rate: 1})
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v1/openapi.json", nil))
	if answer.Code != http.StatusOK {
		return d, fmt.Errorf("the description: %d", answer.Code)
	}
	return d, json.Unmarshal(answer.Body.Bytes(), &d)
}

// operations are all operations by tag, in the order of the tags, each by path and method.
func (d document) operations() [][]operation {
	byTag := make([][]operation, len(d.Tags))
	for path, methods := range d.Paths {
		for method, op := range methods {
			op.method, op.path = strings.ToUpper(method), path
			i := slices.IndexFunc(d.Tags, func(t struct{ Name string }) bool { return t.Name == op.Tags[0] })
			byTag[i] = append(byTag[i], op)
		}
	}
	for _, ops := range byTag {
		slices.SortFunc(ops, func(a, b operation) int {
			return strings.Compare(a.path+" "+a.method, b.path+" "+b.method)
		})
	}
	return byTag
}

// body is the schema of what the operation sends, or "".
func (op operation) body() string {
	if op.RequestBody == nil {
		return ""
	}
	return op.RequestBody.Content["application/json"].Schema.name()
}

// answer is the schema of what the operation is answered with, "" where it is no JSON.
func (op operation) answer() string {
	for _, status := range []string{"200", "201"} {
		if m, is := op.Responses[status].Content["application/json"]; is {
			return m.Schema.name()
		}
	}
	return ""
}

// export reports whether the answer is a file.
func (op operation) export() bool {
	_, is := op.Responses["200"].Content["application/x-ndjson"]
	return is && op.answer() == "" // what is answered by pages too is read by them
}

// events are the schemas of the events of a stream, by name.
func (op operation) events() map[string]schema {
	return op.Responses["200"].Content["text/event-stream"].Schema.Events
}

// in are the operation's parameters of a place.
func (op operation) in(place string) []parameter {
	var some []parameter
	for _, p := range op.Parameters {
		if p.In == place {
			some = append(some, p)
		}
	}
	return some
}
