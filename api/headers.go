package api

import (
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// The document's description of an answer's headers. They are set in several places: the
// gateway names the request, serve counts it, repeat repeats an answer, and a problem has
// its own. A test compares each answer with this description.

// answerHeaders are the headers of answers, by the names of the document's
// components. One that is required is in every answer for which headersOf names it.
type answerHeaders struct {
	Request      string `component:"X-Request-Id" required:"true" example:"YJ5GQZ3NCMFWBJ7LVQZ2HDLU5Y" doc:"The request's ID, under which it is logged: the one you sent in this header, if it has 1 to 64 letters, digits, dots, dashes and underscores; otherwise a new one."`
	Limit        int32  `component:"RateLimit-Limit" required:"true" minimum:"1" doc:"How many requests the credential may make in a burst."`
	Remaining    int32  `component:"RateLimit-Remaining" required:"true" minimum:"0" doc:"How many of them it may still make at this moment. The number grows steadily."`
	Reset        int32  `component:"RateLimit-Reset" required:"true" minimum:"1" doc:"In how many seconds, without another request, it may make RateLimit-Limit requests in a burst again."`
	Retry        int32  `component:"Retry-After" required:"true" minimum:"1" doc:"After how many seconds the same request may be made again."`
	InProgress   int32  `component:"Retry-After-In-Progress" minimum:"1" doc:"After how many seconds the same request may be made again. Only where a request under the same Idempotency-Key is in progress."`
	Replayed     bool   `component:"Idempotency-Replayed" doc:"true: the answer is that of an earlier request under the same Idempotency-Key. Absent otherwise."`
	Authenticate string `component:"WWW-Authenticate" required:"true" doc:"How to authenticate: with a bearer token."`
	Disposition  string `component:"Content-Disposition" required:"true" doc:"That the answer is a file, and its name."`
}

// headerComponents are answerHeaders as the document describes them.
func (s *server) headerComponents() map[string]*huma.Header {
	components := map[string]*huma.Header{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[answerHeaders]()) {
		schema := huma.SchemaFromField(s.huma.OpenAPI().Components.Schemas, field, "")
		header := &huma.Header{
			Description: schema.Description, Required: field.Tag.Get("required") == "true", Schema: schema,
		}
		schema.Description = ""
		components[field.Tag.Get("component")] = header
	}
	return components
}

// headersOf are the headers of an operation's answer with a status.
func (s *server) headersOf(op *huma.Operation, status int) map[string]*huma.Header {
	headers := map[string]*huma.Header{}
	refer := func(name, component string) {
		used := s.huma.OpenAPI().Components.Headers
		used[component] = s.headers[component]
		headers[name] = &huma.Header{Ref: "#/components/headers/" + component}
	}
	refer("X-Request-Id", "X-Request-Id")
	// What is refused before its credential is known, and what the gateway refuses, is not counted.
	if s.Rate > 0 && status != http.StatusUnauthorized && status < http.StatusInternalServerError {
		for _, name := range []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} {
			refer(name, name)
		}
	}
	post := op.Method == http.MethodPost
	switch status {
	case http.StatusUnauthorized:
		refer("WWW-Authenticate", "WWW-Authenticate")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		refer("Retry-After", "Retry-After")
	case http.StatusConflict:
		if post {
			refer("Retry-After", "Retry-After-In-Progress")
		}
	case http.StatusOK:
		if slices.Contains(op.Tags, "Exports") {
			refer("Content-Disposition", "Content-Disposition")
		}
	}
	// Of refusals only those of requests that can never succeed are kept under a key; all of them are 400.
	if post && status <= http.StatusBadRequest {
		refer("Idempotency-Replayed", "Idempotency-Replayed")
	}
	return headers
}

// describeHeaders puts the headers of an operation's answers, of those that are no
// problems, into its description.
func (s *server) describeHeaders(op *huma.Operation) {
	for status, response := range op.Responses {
		if code, err := strconv.Atoi(status); err == nil && code < http.StatusBadRequest {
			response.Headers = s.headersOf(op, code)
		}
	}
}
