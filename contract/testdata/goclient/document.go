package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// document is what openapi.json says, read without any code of the server's. As an
// http.RoundTripper it compares each answer with it.
type document struct {
	root    map[string]any
	schemas *jsonschema.Compiler
	faults  []error
	reached map[string]bool // templates of paths that a GET was answered 200 for
}

// documentURL names the document to the schemas' compiler.
const documentURL = "file:///openapi.json"

func readDocument(name string) (*document, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	d := &document{root: root.(map[string]any), schemas: jsonschema.NewCompiler(), reached: map[string]bool{}}
	d.schemas.AssertFormat()
	return d, d.schemas.AddResource(documentURL, root)
}

// node is what stands at a JSON pointer, and the pointer that its references lead to.
func (d *document) node(pointer string) (map[string]any, string) {
	at := d.root
	for _, name := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		inner, is := at[unescape.Replace(name)].(map[string]any)
		if !is {
			return nil, pointer
		}
		at = inner
	}
	if ref, is := at["$ref"].(string); is {
		return d.node(strings.TrimPrefix(ref, "#"))
	}
	return at, pointer
}

var (
	escape   = strings.NewReplacer("~", "~0", "/", "~1")
	unescape = strings.NewReplacer("~1", "/", "~0", "~")
)

// RoundTrip makes a request, and compares its answer with the document.
func (d *document) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	if err := d.check(r, answer, body); err != nil {
		d.faults = append(d.faults, fmt.Errorf("%s %s: %d: %w", r.Method, r.URL.Path, answer.StatusCode, err))
	}
	return answer, nil
}

// template is the path of the document that a request's path is one of: the one with
// the fewest placeholders.
func (d *document) template(path string) string {
	paths, _ := d.node("/paths")
	asked := strings.Split(path, "/")
	best, fewest := "", len(asked)+1
	for template := range paths {
		parts := strings.Split(template, "/")
		if len(parts) != len(asked) {
			continue
		}
		fits, open := true, 0
		for i, part := range parts {
			if strings.HasPrefix(part, "{") {
				open++
			} else if part != asked[i] {
				fits = false
			}
		}
		if fits && open < fewest {
			best, fewest = template, open
		}
	}
	return best
}

func (d *document) check(r *http.Request, answer *http.Response, body []byte) error {
	template := d.template(r.URL.EscapedPath())
	pointer := "/paths/" + escape.Replace(template) + "/" + strings.ToLower(r.Method) + "/responses/" + strconv.Itoa(answer.StatusCode)
	response, pointer := d.node(pointer)
	if response == nil {
		return errors.New("the status is not described")
	}
	if r.Method == http.MethodGet && answer.StatusCode == http.StatusOK {
		d.reached[template] = true
	}
	var faults []error
	headers, _ := response["headers"].(map[string]any)
	for name := range headers {
		faults = append(faults, d.checkHeader(pointer+"/headers/"+name, name, answer.Header))
	}
	if len(body) == 0 {
		return errors.Join(faults...)
	}
	kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	media, at := d.node(pointer + "/content/" + escape.Replace(kind))
	switch {
	case err != nil || media == nil:
		faults = append(faults, fmt.Errorf("the content %q is not described: %v", kind, err))
	case strings.HasSuffix(kind, "json"):
		faults = append(faults, d.validate(at+"/schema", body))
	}
	return errors.Join(faults...)
}

func (d *document) checkHeader(pointer, name string, sent http.Header) error {
	header, at := d.node(pointer)
	text := sent.Get(name)
	schema, _ := header["schema"].(map[string]any)
	switch {
	case schema == nil:
		return fmt.Errorf("the header %s has no schema", name)
	case text == "" && header["required"] == true:
		return fmt.Errorf("the header %s is missing", name)
	case text == "":
		return nil
	case schema["type"] == "string":
		text = strconv.Quote(text)
	}
	if err := d.validate(at+"/schema", []byte(text)); err != nil {
		return fmt.Errorf("the header %s: %w", name, err)
	}
	return nil
}

// validate compares JSON with the schema at a pointer.
func (d *document) validate(pointer string, text []byte) error {
	schema, err := d.schemas.Compile(documentURL + "#" + (&url.URL{Path: pointer}).EscapedPath())
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// walk gets every path of the document with the token of every role, and with none;
// also what there is not, and with a parameter that is unknown. Each must be answered
// with 200 to somebody, but the stream, which has no end.
func (d *document) walk(ctx context.Context, s server) error {
	paths, _ := d.node("/paths")
	nowhere := map[string]string{}
	for name := range s.Places {
		nowhere[name] = "nowhere"
	}
	s.Tokens["nobody"] = "nobody"
	var faults []error
	for template := range paths {
		if get, _ := d.node("/paths/" + escape.Replace(template) + "/get"); get == nil || template == "/v1/events" {
			continue
		}
		found := d.path(template, s.Places)
		for _, path := range []string{found, d.path(template, nowhere), found + "&unknown=1"} {
			for _, token := range s.Tokens {
				faults = append(faults, d.get(ctx, s.URL+path, token))
			}
		}
		if !d.reached[template] {
			faults = append(faults, fmt.Errorf("%s is not answered with 200 to anybody", template))
		}
	}
	return errors.Join(faults...)
}

func (d *document) get(ctx context.Context, url, token string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := d.RoundTrip(r)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// path is a path of the document with what it needs in it: its placeholders, and the
// parameters that are required, as in their examples.
func (d *document) path(template string, places map[string]string) string {
	path := template
	for name, value := range places {
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(value))
	}
	query := url.Values{}
	get, _ := d.node("/paths/" + escape.Replace(template) + "/get")
	parameters, _ := get["parameters"].([]any)
	for _, p := range parameters {
		p := p.(map[string]any)
		schema, _ := p["schema"].(map[string]any)
		if examples, _ := schema["examples"].([]any); p["in"] == "query" && p["required"] == true && len(examples) > 0 {
			query.Set(p["name"].(string), fmt.Sprint(examples[0]))
		}
	}
	return path + "?" + query.Encode()
}
