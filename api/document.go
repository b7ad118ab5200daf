package api

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/softstake/softstake/access"
)

// huma asks a variable of its own, and not each API, whether every list may be null as
// well. None may here, for any server.
func init() { huma.DefaultArrayNullable = false }

// describe begins the OpenAPI document.
func describe() huma.Config {
	c := huma.DefaultConfig("softstake", "1")
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", "" // they are served by finish
	c.CreateHooks = nil                                   // no answer has links to its schema in it
	c.Info.Description = "Soft Staking on double-entry books: accounts, entries, balances, what is offered, " +
		"rewards and how each came about. The chapters at /v1/docs describe how amounts, times, pages, " +
		"repetitions and problems work."
	c.Info.Contact = &huma.Contact{Name: "The operator of this server"}
	c.Servers = []*huma.Server{{URL: "/", Description: "The server that this document comes from."}}
	c.Components.Headers, c.Components.Responses = map[string]*huma.Header{}, map[string]*huma.Response{}
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{bearer: {
		Type: "http", Scheme: "bearer",
		Description: "A token that \"softstake token create\" has made. Its role determines what it may do; " +
			"a holder's may only be used for its own account.",
	}}
	c.Tags = tags
	return c
}

// bearer is the name of the one security scheme.
const bearer = "token"

// tags are the groups of operations.
var tags = []*huma.Tag{
	{Name: "Accounts", Description: "Holders' accounts: opened, with a residence, and closed forever."},
	{Name: "Entries", Description: "What happens in the books: each entry is posted whole or not at all, " +
		"and is idempotent by its ID."},
	{Name: "Journal", Description: "What accounts have, and every change it came about by."},
	{Name: "Offer", Description: "What is offered: tokens and their dated terms, documents, regions, prices."},
	{Name: "Soft Staking", Description: "A holder's switch, rewards, and how each came about."},
	{Name: "Payouts", Description: "What another ledger is to credit, and whether it has."},
	{Name: "Reconciliation", Description: "Whether another ledger says the same."},
	{Name: "Webhooks", Description: "Who gets events and payouts as messages by HTTP, and how far each is."},
	{Name: "Operation", Description: "Runs, funds, limits, and the log of what operators changed."},
	{Name: "Exports", Description: "Tables of any length, as CSV or JSON lines."},
	{Name: "Events", Description: "What happens, as it happens."},
}

// describer keeps the operations that huma describes as the table's lines.
type describer struct{ s *server }

// Handle keeps an operation as the table's newest line.
func (d describer) Handle(op *huma.Operation, _ func(huma.Context)) {
	d.s.routes = append(d.s.routes, &route{Operation: op})
}

// ServeHTTP is never called: requests come through the mux.
func (d describer) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.s.mux.ServeHTTP(w, r) }

// about describes an operation. Statuses are those of the problems that its handler itself
// may answer with; those that any route may are added.
func about(id, group, summary, text string, statuses ...int) huma.Operation {
	return huma.Operation{
		OperationID: id, Tags: []string{group}, Summary: summary, Description: text, Errors: statuses,
	}
}

// option is what else an operation has.
type option func(*server, *huma.Operation)

// upTo is the limit of an operation's body in bytes; without it 64 KiB.
func upTo(limit int64) option { return func(_ *server, op *huma.Operation) { op.MaxBodyBytes = limit } }

// takes is the body, a T, of a handler that reads it by itself, see request: its struct has
// no field Body.
func takes[T any](text string) option {
	return func(s *server, op *huma.Operation) {
		op.RequestBody = &huma.RequestBody{Description: text, Required: true, Content: jsonOf[T](s)}
	}
}

// created is an idempotent creation, answered with a T: 201 first, 200 when it is repeated.
func created[T any](repeated string) option {
	return func(s *server, op *huma.Operation) {
		op.DefaultStatus = http.StatusCreated
		op.Responses = map[string]*huma.Response{"200": {Description: repeated, Content: jsonOf[T](s)}}
	}
}

// streamed is the answer of an operation that is no JSON.
func streamed(op *huma.Operation, text string, content map[string]*huma.MediaType) {
	op.DefaultStatus = http.StatusOK
	op.Responses = map[string]*huma.Response{"200": {Description: text, Content: content}}
}

// has reports whether a handler's struct has a field.
func has[T any](field string) bool {
	_, found := reflect.TypeFor[T]().FieldByName(field)
	return found
}

// describeErrors puts the problems that an operation may answer with into its
// description, and leaves none for huma to describe.
func (s *server) describeErrors(op *huma.Operation, roles []access.Role, hasBody bool) {
	statuses := append([]int{400, 401, 403, 500, 503}, op.Errors...)
	op.Errors = nil
	if s.Rate > 0 {
		statuses = append(statuses, 429)
	}
	if strings.Contains(op.Path, "{account}") {
		statuses = append(statuses, 404)
	}
	if op.Method != http.MethodGet {
		statuses = append(statuses, 408, 413)
	}
	if hasBody {
		statuses = append(statuses, 415)
	}
	if op.Method == http.MethodPost {
		statuses = append(statuses, 409, 422)
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: "Idempotency-Key", In: "header", Example: "3f1c9a52-0d2e-4b7e",
			Description: "1 to 128 printable characters without spaces. For 24 hours a repeated request with the " +
				"same key has no further effect, and gets the first response again.",
			Schema: &huma.Schema{Type: huma.TypeString, MinLength: new(1), MaxLength: new(longestKey)},
		})
	}
	op.Security = []map[string][]string{{bearer: {}}}
	if op.Extensions == nil {
		op.Extensions = map[string]any{}
	}
	op.Extensions["x-roles"] = roles
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	if slices.Contains(mayNeedApproval, op.OperationID) {
		op.Responses["202"] = &huma.Response{Description: "It needs approval, and is proposed: nothing was done yet.",
			Content: jsonOf[proposalOut](s)}
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: whyHeader, In: "header", Example: "surplus of October",
			Description: "Why, where it needs approval: it is kept with the proposal.",
			Schema:      &huma.Schema{Type: huma.TypeString, MaxLength: new(200)},
		})
	}
	for _, status := range statuses {
		op.Responses[strconv.Itoa(status)] = s.problemResponse(op, status)
	}
}

// sharedProblems are the problem statuses that every operation answers in the same way.
// Each is described once, as a component of this name.
var sharedProblems = map[int]string{
	401: "Unauthorized", 408: "BodyTimeout", 413: "BodyTooLarge", 415: "UnsupportedMediaType",
	422: "IdempotencyKeyUsed", 429: "TooManyRequests", 500: "InternalError", 503: "TooBusy",
}

// problemResponse describes an operation's answer with a status of a problem.
func (s *server) problemResponse(op *huma.Operation, status int) *huma.Response {
	described := &huma.Response{
		Description: problemsOf(op.OperationID, status), Headers: s.headersOf(op, status),
		Content: map[string]*huma.MediaType{problemContent: {Schema: schemaOf[Problem](s)}},
	}
	name := sharedProblems[status]
	if name == "" {
		return described
	}
	s.huma.OpenAPI().Components.Responses[name] = described
	return &huma.Response{Ref: responses + name}
}

// responses is where the answers are that several operations share.
const responses = "#/components/responses/"

// problemsOf names the types of problem of a status that an operation answers with.
func problemsOf(operation string, status int) string {
	var titles []string
	for _, s := range problemTypes {
		if s.status == status && s.in(operation) && !slices.Contains(titles, s.title) {
			titles = append(titles, s.title)
		}
	}
	return strings.Join(titles, ", or: ")
}

// jsonOf is a T as JSON.
func jsonOf[T any](s *server) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{jsonContent: {Schema: schemaOf[T](s)}}
}

// schemaOf is the schema of a T, by reference.
func schemaOf[T any](s *server) *huma.Schema {
	return s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
}

// finish serves what is made of the table of routes, when all routes are in it.
func (s *server) finish() {
	doc := s.huma.OpenAPI()
	// huma describes its own errors beside ours; none is ever answered with.
	delete(doc.Components.Schemas.Map(), "ErrorModel")
	delete(doc.Components.Schemas.Map(), "ErrorDetail")
	s.openAnswers()
	s.mux.HandleFunc("GET /v1/openapi.json", serveText("application/json", func() []byte {
		text, err := marshal(doc)
		if err != nil {
			panic(err) // our own types cannot be described
		}
		return text
	}))
	s.serveDocs()
	s.mux.HandleFunc("/v1/", s.nowhere)
}

// openAnswers allows fields in answers that the document does not describe: a new field
// must not break a client that validates. Request bodies stay closed. So no schema may
// be used for both; TestAnswersAreOpenAndBodiesClosed checks it.
func (s *server) openAnswers() {
	components := s.huma.OpenAPI().Components
	opened := map[*huma.Schema]bool{}
	var open func(*huma.Schema)
	open = func(schema *huma.Schema) {
		if schema == nil || opened[schema] {
			return
		}
		opened[schema] = true
		if schema.Ref != "" {
			open(components.Schemas.SchemaFromRef(schema.Ref))
		}
		if schema.AdditionalProperties == false {
			schema.AdditionalProperties = nil
		}
		open(schema.Items)
		for _, inner := range schema.Properties {
			open(inner)
		}
		for _, inner := range eventSchemas(schema) {
			open(inner)
		}
	}
	answers := slices.Collect(maps.Values(components.Responses))
	for _, rt := range s.routes {
		answers = slices.AppendSeq(answers, maps.Values(rt.Responses))
	}
	for _, response := range answers {
		for _, media := range response.Content {
			open(media.Schema)
		}
	}
}

// serveText answers with a text that never changes, and is made at the first request: a server is not asked for most of
// them.
func serveText(contentType string, text func() []byte) http.HandlerFunc {
	text = sync.OnceValue(text)
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		write(w, contentType, http.StatusOK, text())
	}
}

// nowhere answers where there is no route: not found, or known under another method.
func (s *server) nowhere(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := s.mux.Handler(other); pattern != "/v1/" {
			allowed = append(allowed, method)
		}
	}
	if allowed == nil {
		s.refuse(w, r, errNowhere)
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	s.refuse(w, r, errMethod.In("", "it takes %s", strings.Join(allowed, ", ")))
}

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
