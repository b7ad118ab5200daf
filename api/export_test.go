package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"softstake/access"
)

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

// Problems are the sorts of problem, and of which operations only some come.
func Problems() (statuses map[string]int, onlyOf map[string][]string) {
	statuses = map[string]int{}
	for _, s := range sorts {
		statuses[s.name] = s.status
	}
	return statuses, onlyIn
}

// Description is what the document says of the operations.
type Description struct{ s *server }

// NewDescription describes all operations.
func NewDescription() Description { return Description{newServer(Options{})} }

// Check says what an answer has that the document does not know of.
func (d Description) Check(r *http.Request, status int, contentType string, body []byte) error {
	_, pattern := d.s.mux.Handler(r)
	for _, rt := range d.s.routes {
		if pattern == rt.Method+" "+rt.Path {
			return d.check(rt, status, contentType, body)
		}
	}
	return nil // there is no such operation
}

func (d Description) check(rt *route, status int, contentType string, body []byte) error {
	response := rt.Responses[fmt.Sprint(status)]
	if response == nil {
		return fmt.Errorf("the status %d of %s is not described", status, rt.OperationID)
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil && len(body) > 0 {
		return err
	}
	media := response.Content[kind]
	if media == nil && len(body) > 0 {
		return fmt.Errorf("the content %q of %s %d is not described", kind, rt.OperationID, status)
	}
	if kind != jsonContent && kind != problemContent {
		return nil
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return err
	}
	res := &huma.ValidateResult{}
	huma.Validate(d.s.huma.OpenAPI().Components.Schemas, media.Schema, huma.NewPathBuffer([]byte{}, 0), huma.ModeReadFromServer, value, res)
	return errors.Join(res.Errors...)
}
