package api

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/softstake/softstake/access"
)

// The page at /v1/docs is made once, on the server, from the document that programs
// read: each operation is described in one place.

//go:embed docs.html docs.css
var docsFiles embed.FS

var docsTemplate = template.Must(template.New("docs.html").Funcs(template.FuncMap{"rich": rich}).
	ParseFS(docsFiles, "docs.html"))

// docsPolicy lets the page use its own stylesheet, and nothing else of anywhere.
const docsPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docsPage is what the page shows.
type docsPage struct {
	Groups   []docsGroup
	Problems []docsProblem
	Rate     int // requests a minute and credential; 0: no limit
	Burst    int
	Small    int // KiB of a body
	Large    int // MiB of a body with many things
	Entries  int
	Kept     string
	Test     bool
}

type docsGroup struct {
	Name, Anchor, About string
	Operations          []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary, About string
	Roles                            []access.Role
	Parameters                       []docsField
	BodyAbout                        string
	Body                             []docsField
	BodyExample                      string
	Limit                            string // what of its body is read, where that is not the usual
	Answers                          []docsAnswer
	Problems                         []docsProblem
}

// docsField is a line of a table: a parameter, or a field of a body at its path.
type docsField struct {
	Name, In, Type, About, Example string
	Required                       bool // in what is asked: it must be there; in what is answered: it is always there
}

type docsAnswer struct {
	Status, About, Content string
	Fields                 []docsField
	Example                string
}

type docsProblem struct {
	Name, Title, About string
	Status             int
}

// docs is the page.
func (s *server) docs() []byte {
	p := docsPage{
		Groups: s.docsGroups(), Problems: docsProblems(func(problemType) bool { return true }), Rate: s.Rate,
		Burst: s.limits.burst,
		Small: SmallBody >> 10, Large: largeBody >> 20, Entries: mostEntries, Kept: "24 hours", Test: s.Test,
	}
	var text bytes.Buffer
	if err := docsTemplate.Execute(&text, p); err != nil {
		panic(err) // it is made of our own files and types
	}
	return text.Bytes()
}

// serveDocs serves the page at /v1/docs.
func (s *server) serveDocs() {
	page := serveText("text/html; charset=utf-8", s.docs)
	s.mux.HandleFunc("GET /v1/docs", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", docsPolicy)
		page(w, r)
	})
	s.mux.HandleFunc("GET /v1/docs.css", serveText("text/css; charset=utf-8", func() []byte {
		style, err := docsFiles.ReadFile("docs.css")
		if err != nil {
			panic(err) // it is embedded
		}
		return style
	}))
}

// docsGroups are the operations in their groups, in the order of the routes.
func (s *server) docsGroups() []docsGroup {
	var groups []docsGroup
	for _, tag := range s.huma.OpenAPI().Tags {
		g := docsGroup{Name: tag.Name, Anchor: "group-" + anchor(tag.Name), About: tag.Description}
		for _, rt := range s.routes {
			if slices.Contains(rt.Tags, tag.Name) {
				g.Operations = append(g.Operations, s.docsOperation(rt))
			}
		}
		groups = append(groups, g)
	}
	return groups
}

func anchor(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "-")) }

func (s *server) docsOperation(rt *route) docsOperation {
	shape := shape{s.huma.OpenAPI().Components.Schemas}
	o := docsOperation{
		ID: rt.OperationID, Method: rt.Method, Path: rt.Path, Summary: rt.Summary, About: rt.Description,
		Roles: rt.roles,
	}
	for _, p := range rt.Parameters {
		f := docsField{Name: p.Name, In: p.In, Required: p.Required, About: p.Description}
		if p.Schema != nil {
			f.Type, f.Example = shape.kind(p.Schema), shape.exampleText(p.Schema)
		}
		o.Parameters = append(o.Parameters, f)
	}
	if rt.RequestBody != nil {
		schema := rt.RequestBody.Content[jsonContent].Schema
		o.BodyAbout, o.Body, o.BodyExample = rt.RequestBody.Description, shape.fields("", schema), shape.json(schema)
		if rt.limit > SmallBody {
			o.Limit = fmt.Sprintf("%d MiB", rt.limit>>20)
		}
	}
	for status, response := range rt.Responses {
		if status[0] != '2' {
			continue
		}
		o.Answers = append(o.Answers, shape.answers(status, response)...)
	}
	slices.SortFunc(o.Answers, func(a, b docsAnswer) int {
		return cmp.Or(strings.Compare(a.Status, b.Status), strings.Compare(a.Content, b.Content))
	})
	// A second status often answers with the same: one table is enough for both.
	for i := range max(0, len(o.Answers)-1) {
		if a, next := &o.Answers[i], o.Answers[i+1]; a.Example == next.Example {
			a.Fields, a.Example = nil, ""
		}
	}
	o.Problems = docsProblems(func(p problemType) bool {
		return rt.Responses[fmt.Sprint(p.status)] != nil && p.in(rt.OperationID)
	})
	return o
}

// answers are what an operation answers with a status, by content type.
func (s shape) answers(status string, response *huma.Response) []docsAnswer {
	if len(response.Content) == 0 {
		return []docsAnswer{{Status: status, About: response.Description}}
	}
	var all []docsAnswer
	for content, media := range response.Content {
		a := docsAnswer{Status: status, About: response.Description, Content: content}
		if media.Schema != nil && content == jsonContent {
			a.Fields, a.Example = s.fields("", media.Schema), s.json(media.Schema)
		}
		all = append(all, a)
	}
	return all
}

// docsProblems are the types of problem that are wanted, by status and name.
func docsProblems(wanted func(problemType) bool) []docsProblem {
	var all []docsProblem
	for _, p := range problemTypes {
		if p.about != "" && wanted(p) {
			all = append(all, docsProblem{p.name, p.title, p.about, p.status})
		}
	}
	slices.SortFunc(all, func(a, b docsProblem) int {
		return cmp.Or(a.Status-b.Status, strings.Compare(a.Name, b.Name))
	})
	return all
}

// rich is a text with paragraphs, in which text between backquotes is code.
func rich(text string) template.HTML {
	var b strings.Builder
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		b.WriteString("<p>")
		for i, part := range strings.Split(paragraph, "`") {
			if i%2 == 1 {
				part = "<code>" + template.HTMLEscapeString(part) + "</code>"
			} else {
				part = template.HTMLEscapeString(part)
			}
			b.WriteString(part)
		}
		b.WriteString("</p>")
	}
	return template.HTML(b.String())
}

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
