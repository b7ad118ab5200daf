// Package api is our own JSON API, for an exchange's back end and for pages: it reads, parses,
// calls one thing of the books, and answers. It knows no SQL.
package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/strictjson"
)

// How a route is made. A handler is a method of reader or of writer, of a struct with the input
// and a pointer to one with the answer; their tags say where each field comes from, and describe
// it. get and change put it into the table of routes: huma describes it from the tags, for the
// OpenAPI document, and serves nothing. serve does for all routes what none does for itself: the
// credential, its rate and its role, a query that can be read in one way, the body, and an
// Idempotency-Key; input fills the struct; refuse turns an error into a problem (problem.go). So
// a handler reads its input, calls one thing of the books, and answers. A struct that others
// embed has an exported name: huma looks into no other.

// Who may call a route that reads, by what it shows. Who may call one that changes, the package control says.
var (
	// What is offered, to whom, and for what.
	everyone = access.Roles
	// The state of the books, and nothing of a holder.
	staff = []access.Role{access.Viewer, access.Operator, access.Approver, access.Treasurer, access.Auditor,
		access.Admin}
	// What is proposed: a back end reads what it has proposed itself.
	proposals = append([]access.Role{access.Exchange}, staff...)
	// One holder: each read of support is logged, and a holder sees its own.
	oneHolder = []access.Role{access.Exchange, access.Support, access.Operator, access.Approver, access.Auditor,
		access.Holder}
	// Lists of all holders.
	allHolders = []access.Role{access.Exchange, access.Operator, access.Approver, access.Auditor}
	// The same, to each holder its own.
	subscribers = append([]access.Role{access.Holder}, allHolders...)
	// Who changed what.
	overseers = []access.Role{access.Operator, access.Approver, access.Auditor, access.Admin}
)

// does is who may call a route that does an operation: the roles that may do or propose it, or some of them.
func does(op control.Operation, only ...access.Role) operation {
	rule, known := control.RuleOf(op)
	if !known {
		panic(fmt.Sprintf("the package control knows no operation %q", op))
	}
	roles := rule.Roles
	if only != nil {
		roles = slices.DeleteFunc(slices.Clone(roles), func(r access.Role) bool { return !slices.Contains(only, r) })
	}
	return operation{op, roles}
}

// operation is what a route does, and the roles that may call it.
type operation struct {
	does  control.Operation
	roles []access.Role
}

const (
	// SmallBody is how many bytes of a request's body are read where nobody allows more.
	SmallBody = 64 << 10

	largeBody   = 8 << 20 // bytes of a body with many things in it
	jsonContent = "application/json"
)

// Options are what the API works with.
type Options struct {
	Books   *store.DB
	Events  *events.Hub
	Now     func() time.Time
	Log     *slog.Logger
	Test    bool         // the books are a test, which the documentation shows
	Rate    int          // requests a minute and credential; 0: no limit
	Streams int          // limit of concurrent streams of events; 0: 1000
	Alarm   access.Alarm // of tokens that are used from elsewhere; may be nil
}

// server serves the table of routes.
type server struct {
	Options
	reader reader
	mux    *http.ServeMux
	huma   huma.API
	routes []*route
	limits *limits
	wrong  *unknownTokens

	headers map[string]*huma.Header // components that answers may have
}

// Handler serves everything under /v1.
type Handler struct{ server *server }

// New makes the API's handler.
func New(o Options) Handler { return Handler{newServer(o)} }

// ServeHTTP answers a request. The context has the caller (access.WithCaller). How
// long the body may take is limited by who calls it, which may read the body before.
func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.server.mux.ServeHTTP(w, r) }

// MaxBody is how many bytes of a request's body are read: 64 KiB, or what the route
// takes if the request's credential may call it. It reads nothing of the body.
func (h Handler) MaxBody(r *http.Request) int64 { return h.server.maxBody(r) }

func newServer(o Options) *server {
	streams := &streams{most: cmp.Or(o.Streams, usualStreams), of: map[string]int{}}
	s := &server{
		Options: o, reader: reader{reports.New(o.Books.Reader()), o.Books.Reader(), o.Now, o.Log, o.Events, streams, o.Alarm},
		mux: http.NewServeMux(), limits: newLimits(o.Rate),
	}
	s.wrong = newUnknownTokens(func(ctx context.Context, n int) ([][32]byte, error) {
		return s.reader.People().UsableTokens(ctx, n)
	})
	s.huma = huma.NewAPI(describe(), describer{s})
	s.headers = s.headerComponents()
	s.accountRoutes()
	s.ownerRoutes()
	s.eraseRoutes()
	s.freezeRoutes()
	s.entryRoutes()
	s.withdrawalRoutes()
	s.addressRoutes()
	s.dailyLimitRoutes()
	s.reconciliationRoutes()
	s.comparisonRoutes()
	s.bulkRoutes()
	s.correctionRoutes()
	s.journalRoutes()
	s.tokenRoutes()
	s.limitRoutes()
	s.termsRoutes()
	s.rateRoutes()
	s.documentRoutes()
	s.acceptanceRoutes()
	s.regionRoutes()
	s.activationRoutes()
	s.enrollmentRoutes()
	s.exclusionRoutes()
	s.rewardRoutes()
	s.todayRoutes()
	s.runRoutes()
	s.fundRoutes()
	s.incomeRoutes()
	s.feeRoutes()
	s.campaignRoutes()
	s.priceRoutes()
	s.currencyRoutes()
	s.taxRoutes()
	s.payoutRoutes()
	s.webhookRoutes()
	s.proofRoutes()
	s.logRoutes()
	s.exportRoutes()
	s.proposalRoutes()
	s.eventRoutes()
	s.finish()
	return s
}

// reader answers what only reads: every GET. It has no way to write the books.
type reader struct {
	*reports.Reports
	source  store.Reader // what the reports read
	now     func() time.Time
	log     *slog.Logger
	hub     *events.Hub
	streams *streams // of events, at this moment
	alarm   access.Alarm
}

// raise reports an error that is a security event.
func (rd reader) raise(ctx context.Context, err error) {
	if errors.Is(err, access.ErrCeiling) {
		rd.alarm.Raise(ctx, access.OverCeiling, token(ctx).Actor().Credential)
	}
}

// writer answers what changes the books, with the request's credential as the actor.
type writer struct {
	reader
	books *store.DB
}

// route is a line of the table of who may do what.
type route struct {
	*huma.Operation
	roles   []access.Role
	does    control.Operation // "": it reads
	account bool              // the account in the path is looked at: a holder has its own only
	limit   int64
	params  []param
	body    bool // it is read into the input's Body; else the handler reads it by itself, or there is none

	// answer answers a request, or returns why it is refused. What it has answered is final unless
	// the same request may be answered otherwise later.
	answer func(http.ResponseWriter, *http.Request) (final bool, err error)
}

// get puts a route into the table that only reads.
func get[I, O any, A answerOf[O]](
	s *server, path string, roles []access.Role, handle func(reader, context.Context, *I) (A, error),
	op huma.Operation, options ...option,
) {
	op.Method, op.Path = http.MethodGet, path
	add(s, op, operation{roles: roles}, func(ctx context.Context, in *I) (A, error) {
		return handle(s.reader, ctx, in)
	}, options)
}

// change puts a route into the table that changes the books: "POST /v1/entries".
func change[I, O any, A answerOf[O]](
	s *server, pattern string, does operation, handle func(writer, context.Context, *I) (A, error),
	op huma.Operation, options ...option,
) {
	op.Method, op.Path, _ = strings.Cut(pattern, " ")
	add(s, op, does, func(ctx context.Context, in *I) (A, error) {
		// As is the same books, for this actor: each entry and each line of the log keeps it.
		actor := token(ctx).Actor().In(access.CallerOf(ctx).Request)
		return handle(writer{s.reader, s.Books.As(actor)}, ctx, in)
	}, options)
}

// add puts a route into the table: who may call it, and what it does. The account in its
// path, if it has one, is a holder's own, or it is not found.
func add[I, O any, A answerOf[O]](
	s *server, op huma.Operation, does operation, handle func(context.Context, *I) (A, error), options []option,
) {
	for _, set := range options {
		set(s, &op)
	}
	limit := cmp.Or(op.MaxBodyBytes, SmallBody)
	s.describeErrors(&op, does.roles, op.RequestBody != nil || has[I]("Body"))
	huma.Register[I, O](s.huma, op, nil) // it becomes the table's newest line: describer.Handle
	rt := s.routes[len(s.routes)-1]
	s.describeHeaders(rt.Operation)
	rt.roles, rt.does, rt.limit, rt.account = does.roles, does.does, limit, strings.Contains(op.Path, "{account}")
	rt.body, rt.params = has[I]("Body"), paramsOf(rt.Operation, reflect.TypeFor[I]())
	rt.answer = func(w http.ResponseWriter, r *http.Request) (final bool, err error) {
		rt.extendDeadline(w)
		var in I
		if err := s.input(rt, r, reflect.ValueOf(&in).Elem()); err != nil {
			return false, err
		}
		out, err := handle(r.Context(), &in)
		s.reader.raise(r.Context(), err)
		if needed, is := errors.AsType[*control.Needed](err); is {
			return s.propose(w, r, needed)
		}
		if err != nil {
			return false, err
		}
		return out.send(rt, w, r)
	}
	s.mux.HandleFunc(op.Method+" "+op.Path, func(w http.ResponseWriter, r *http.Request) {
		if err := s.serve(rt, w, r); err != nil {
			s.refuse(w, r, err)
		}
	})
}

// serve answers a request, or returns why it is refused: by serve itself, or by its handler.
func (s *server) serve(rt *route, w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodHead && rt.streams() {
		w.Header().Set("Allow", rt.Method)
		return errMethod.In("", "it takes %s", rt.Method) // all of the work, and nothing to show for it
	}
	token, err := s.authenticate(r)
	if err != nil {
		return err
	}
	if err := token.CheckCaller(access.CallerOf(r.Context())); err != nil {
		event := access.WrongCertificate
		if errors.Is(err, access.ErrAddress) {
			event = access.WrongAddress
		}
		s.Alarm.Raise(r.Context(), event, token.Actor().Credential)
		return err
	}
	if token, err = s.breakGlass(r.Context(), token, rt.roles); err != nil {
		return err
	}
	left, err := s.limits.take(token.ID, s.Now()) // the rate limit of the credential: limits.go
	left.set(w.Header())
	if err != nil {
		return err
	}
	if !slices.Contains(rt.roles, token.Role) {
		return access.ErrForbidden.In("", "a token of the role %s may not do this; %s", token.Role, mayCall(rt.roles))
	}
	if rt.does != "" {
		if err := control.Check(rt.does, token.Actor()); err != nil { // the books check it again
			return err
		}
	}
	if id := ledger.Account(r.PathValue("account")); rt.account && !token.Owns(id) {
		return noAccount(id)
	}
	if err := checkQuery(r.URL); err != nil {
		return err
	}
	if token.Role == access.Support && rt.account { // who looked at whom is known before it is shown
		actor := token.Actor().In(access.CallerOf(r.Context()).Request)
		if err := s.Books.As(actor).LogRead(r.Context(), ledger.Account(r.PathValue("account")), rt.Path); err != nil {
			return err
		}
	}
	var body []byte
	if rt.Method != http.MethodGet {
		if body, err = rt.read(r); err != nil {
			return err
		}
	}
	r = r.WithContext(context.WithValue(r.Context(), requestKey{},
		request{token: token, body: body, accept: r.Header.Get("Accept")}))
	if key := r.Header.Values("Idempotency-Key"); r.Method == http.MethodPost && key != nil {
		return s.repeat(rt, key, w, r) // as below, or with the response that was kept: 24 h per token and key
	}
	_, err = rt.answer(w, r)
	return err
}

// streams reports whether the answer is a stream or may be one of any length.
func (rt *route) streams() bool {
	return rt.Path == balancesPath ||
		slices.ContainsFunc(rt.Tags, func(tag string) bool { return tag == "Exports" || tag == "Events" })
}

// mayCall is who may call a route.
func mayCall(roles []access.Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return "it takes one of " + strings.Join(names, ", ")
}

// noAccount is the error of an account that does not exist, or that the caller must not know.
func noAccount(id ledger.Account) error {
	return ledger.ErrNotFound.In("", "there is no account %q", ledger.Clip(string(id)))
}

// request is what serve knows of a request, for its handler.
type request struct {
	token  access.Token
	body   []byte
	accept string // the header Accept
}

type requestKey struct{}

// requestOf is the request of a handler's context.
func requestOf(ctx context.Context) request {
	r, _ := ctx.Value(requestKey{}).(request)
	return r
}

// token is the credential of the request, which has been checked.
func token(ctx context.Context) access.Token { return requestOf(ctx).token }

// checkQuery refuses a query that different readers would read differently, and a URL
// of which not all is text.
func checkQuery(u *url.URL) error {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return ledger.ErrInvalid.In("", "the query of the URL cannot be read; write a semicolon in it as %%3B, "+
			"and a percent sign as %%25")
	}
	for name, all := range values {
		switch {
		case len(all) > 1:
			return ledger.ErrInvalid.In(name, "the parameter stands %d times in the query; say it once", len(all))
		case !isText(name) || !isText(all[0]):
			return ledger.ErrInvalid.In(strings.ToValidUTF8(name, "?"), "the parameter is not text in UTF-8")
		}
	}
	if !isText(u.Path) {
		return ledger.ErrInvalid.In("", "the path of the URL is not text in UTF-8")
	}
	return nil
}

// isText reports whether a database can keep it as text: UTF-8 without NUL.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// maxBody is how many bytes of a request's body are read.
func (s *server) maxBody(r *http.Request) int64 {
	_, pattern := s.mux.Handler(r)
	i := slices.IndexFunc(s.routes, func(rt *route) bool { return rt.Method+" "+rt.Path == pattern })
	if i < 0 || s.routes[i].limit <= SmallBody {
		return SmallBody
	}
	text, err := tokenText(r)
	var token access.Token
	if err == nil {
		token, err = s.find(r, text) // serve counts it
	}
	if err != nil || !slices.Contains(s.routes[i].roles, token.As(s.routes[i].roles).Role) ||
		token.CheckCaller(access.CallerOf(r.Context())) != nil {
		return SmallBody // the route says what is wrong
	}
	return s.routes[i].limit
}

// read reads the request's body, as much as the route allows. The body of every request
// but a GET is read, also where none is taken: under an Idempotency-Key the whole
// request is compared.
func (rt *route) read(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, rt.limit+1))
	switch tooLarge := (*http.MaxBytesError)(nil); {
	case int64(len(body)) > rt.limit || errors.As(err, &tooLarge):
		return nil, errTooLarge.In("", "at most %d bytes are read here; send less at once", rt.limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, errTimeout.In("", "the body has not come in time; make the same request again")
	case err != nil:
		return nil, ledger.ErrInvalid.In("", "the body ends before it is whole; make the same request again")
	}
	return body, nil
}

// A request is read in three steps. Its body is JSON that can be read in one way only and has the
// names and types of its Go type (decode). A body that goes into the input's field Body, and
// the parameters, are within what the OpenAPI document describes (schema.go). The rest is the
// handler's to parse.

// param is a parameter of a route, and the field of its handler's struct that it goes into.
type param struct {
	*huma.Param
	field []int
	usual string // the value where none is given; "": none
}

// paramsOf are the parameters that go into a struct, in a fixed order. Each is a string or an int.
func paramsOf(op *huma.Operation, into reflect.Type) []param {
	var all []param
	for _, f := range reflect.VisibleFields(into) {
		for _, p := range op.Parameters {
			if p.Name == f.Tag.Get(p.In) {
				all = append(all, param{p, f.Index, f.Tag.Get("default")})
			}
		}
	}
	slices.SortFunc(all, func(a, b param) int {
		return cmp.Or(strings.Compare(a.In, b.In), strings.Compare(a.Name, b.Name))
	})
	return all
}

// text is what a request has for a parameter.
func (p param) text(r *http.Request, query url.Values) string {
	switch p.In {
	case "path":
		return r.PathValue(p.Name)
	case "query":
		return query.Get(p.Name)
	}
	return r.Header.Get(p.Name)
}

// input reads a request into a handler's struct. The errors for which a request is refused
// are ledger.ErrInvalid, in their field, or errMediaType.
func (s *server) input(rt *route, r *http.Request, into reflect.Value) error {
	body, query := requestOf(r.Context()).body, r.URL.Query()
	if rt.RequestBody != nil {
		if err := checkContent(r.Header, body); err != nil {
			return err
		}
	}
	if rt.body {
		if err := decode(body, into.FieldByName("Body").Addr().Interface()); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !slices.ContainsFunc(rt.params, func(p param) bool { return p.In == "query" && p.Name == name }) {
			return wrong(name, "the parameter is unknown here")
		}
	}
	if rt.body {
		if err := s.fitsBody(rt.RequestBody.Content[jsonContent].Schema, body); err != nil {
			return err
		}
	}
	for _, p := range rt.params {
		if err := s.inputParam(p, cmp.Or(p.text(r, query), p.usual), into.FieldByIndex(p.field)); err != nil {
			return err
		}
	}
	return nil
}

// inputParam reads a parameter's text into its field; "" is none.
func (s *server) inputParam(p param, text string, into reflect.Value) error {
	switch {
	case text == "" && p.Required:
		return wrong(p.Name, "the parameter is missing")
	case text == "":
		return nil
	case into.Kind() == reflect.String:
		into.SetString(text)
		return s.fits(p.Schema, p.Name, text)
	}
	n, err := strconv.ParseInt(text, 10, into.Type().Bits())
	if err != nil {
		return expected(p.Name, text, "a whole number")
	}
	into.SetInt(n)
	return s.fits(p.Schema, p.Name, json.Number(text))
}

// decode reads a body strictly: strictjson refuses a name that is unknown, stands twice or is
// written otherwise, null for what is not optional, and what follows the body. Its errors are
// ledger.ErrInvalid, in their field.
func decode(text []byte, into any) error { return inJSON(strictjson.Decode(text, into)) }

// inJSON is a fault of a body as an error in its field.
func inJSON(err error) error {
	var fault *strictjson.Fault
	switch {
	case !errors.As(err, &fault):
		return err
	case fault.Field == "":
		return ledger.ErrInvalid.In("", "the body: %w", err)
	}
	return ledger.ErrInvalid.In(fault.Field, "%w", err)
}

// checkContent refuses a body whose Content-Type is not JSON.
func checkContent(h http.Header, body []byte) error {
	if len(body) == 0 {
		return ledger.ErrInvalid.In("", "the request has no body")
	}
	if kind, _, err := mime.ParseMediaType(h.Get("Content-Type")); h.Get("Content-Type") != "" &&
		(err != nil || kind != jsonContent) {
		return errMediaType.In("", "it is %q; send %s", ledger.Clip(h.Get("Content-Type")), jsonContent)
	}
	if coding := h.Get("Content-Encoding"); coding != "" {
		return errMediaType.In("", "it is encoded as %q; send it plain", ledger.Clip(coding))
	}
	return nil
}
