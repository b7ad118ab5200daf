package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/softstake/softstake/access"
)

// The answers of tests have their names in exactly the letters of the document.
func init() { huma.ValidateStrictCasing = true }

// Route is a line of the table of who may do what.
type Route struct {
	Method, Path, Operation string
	Roles                   []access.Role
	Tags                    []string
}

// Routes are the whole table.
func Routes() []Route {
	var all []Route
	for _, rt := range newServer(Options{}).routes {
		all = append(all, Route{rt.Method, rt.Path, rt.OperationID, rt.roles, rt.Tags})
	}
	return all
}

// Problems are the types of problem, and of which operations only some come.
func Problems() (statuses map[string]int, onlyOf map[string][]string) {
	statuses = map[string]int{}
	for _, s := range problemTypes {
		statuses[s.name] = s.status
	}
	return statuses, onlyIn
}

// Description is what the document says of the operations.
type Description struct{ s *server }

// NewDescription describes all operations of a server that limits requests.
func NewDescription() Description { return Description{newServer(Options{Rate: 1})} }

// Check says what an answer has that the document does not know of, and what it lacks
// that the document promises.
func (d Description) Check(r *http.Request, status int, header http.Header, body []byte) error {
	_, pattern := d.s.mux.Handler(r)
	for _, rt := range d.s.routes {
		if pattern != rt.Method+" "+rt.Path {
			continue
		}
		response := rt.Responses[fmt.Sprint(status)]
		if response == nil {
			return fmt.Errorf("the status %d of %s is not described", status, rt.OperationID)
		}
		if name, shared := strings.CutPrefix(response.Ref, responses); shared {
			response = d.s.huma.OpenAPI().Components.Responses[name]
		}
		return errors.Join(d.checkHeaders(response, status, header),
			d.checkBody(response, header.Get("Content-Type"), body))
	}
	return nil // there is no such operation
}

// checkHeaders compares an answer's headers with those that are described.
func (d Description) checkHeaders(response *huma.Response, status int, header http.Header) error {
	var faults []error
	known := map[string]*huma.Header{}
	for name, described := range response.Headers {
		known[http.CanonicalHeaderKey(name)] = described
		component := d.s.huma.OpenAPI().Components.Headers[strings.TrimPrefix(described.Ref, "#/components/headers/")]
		text := header.Get(name)
		if component == nil || component.Required && text == "" {
			faults = append(faults, fmt.Errorf("the header %s of %d is missing", name, status))
		}
		if text == "" {
			continue
		}
		var value any = text
		if component.Schema.Type != huma.TypeString {
			faults = append(faults, json.Unmarshal([]byte(text), &value))
		}
		faults = append(faults, d.validate(component.Schema, value))
	}
	for name := range d.s.headers {
		// said of some of these only
		counted := strings.HasPrefix(name, "RateLimit-") && status >= http.StatusInternalServerError
		if header.Get(name) != "" && known[http.CanonicalHeaderKey(name)] == nil && !counted {
			faults = append(faults, fmt.Errorf("the header %s of %d is not described", name, status))
		}
	}
	return errors.Join(faults...)
}

// checkBody compares an answer's body with what is described.
func (d Description) checkBody(response *huma.Response, contentType string, body []byte) error {
	if len(body) == 0 {
		return nil
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return err
	}
	media := response.Content[kind]
	if media == nil {
		return fmt.Errorf("the content %q is not described", kind)
	}
	if kind != jsonContent && kind != problemContent {
		return nil
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return err
	}
	return errors.Join(d.validate(media.Schema, value), d.undescribed(media.Schema, "", value))
}

func (d Description) validate(schema *huma.Schema, value any) error {
	res := &huma.ValidateResult{}
	huma.Validate(d.s.huma.OpenAPI().Components.Schemas, schema, huma.NewPathBuffer([]byte{}, 0),
		huma.ModeReadFromServer, value, res)
	return errors.Join(res.Errors...)
}

// undescribed says which fields of a value its schema does not name. The schema lets
// them be, for clients of an older document.
func (d Description) undescribed(schema *huma.Schema, path string, value any) error {
	if schema.Ref != "" {
		schema = d.s.huma.OpenAPI().Components.Schemas.SchemaFromRef(schema.Ref)
	}
	var faults []error
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			if known := schema.Properties[name]; known != nil {
				faults = append(faults, d.undescribed(known, path+"."+name, inner))
			} else {
				faults = append(faults, fmt.Errorf("the field %s.%s is not described", path, name))
			}
		}
	case []any:
		for i, inner := range value {
			faults = append(faults, d.undescribed(schema.Items, fmt.Sprintf("%s[%d]", path, i), inner))
		}
	}
	return errors.Join(faults...)
}

// BothWays are the schemas, by name, that are part of what is asked and of what is
// answered.
func (d Description) BothWays() []string {
	schemas := d.s.huma.OpenAPI().Components.Schemas
	var refs func(*huma.Schema, map[string]bool)
	refs = func(schema *huma.Schema, seen map[string]bool) {
		if schema == nil || seen[schema.Ref] {
			return
		}
		if schema.Ref != "" {
			seen[schema.Ref] = true
			schema = schemas.SchemaFromRef(schema.Ref)
		}
		refs(schema.Items, seen)
		for _, inner := range schema.Properties {
			refs(inner, seen)
		}
	}
	asked, answered := map[string]bool{}, map[string]bool{}
	for _, rt := range d.s.routes {
		if rt.RequestBody != nil {
			refs(rt.RequestBody.Content[jsonContent].Schema, asked)
		}
		for _, response := range rt.Responses {
			for _, media := range response.Content {
				refs(media.Schema, answered)
			}
		}
	}
	var both []string
	for ref := range asked {
		if answered[ref] {
			both = append(both, ref)
		}
	}
	slices.Sort(both)
	return both
}
