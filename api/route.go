package api

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// How a route is made. A handler is a method of reader or of writer, of a struct with what
// is asked and a pointer to one with what is answered; their tags say where each field comes
// from, and describe it. get and change put it into the table of routes: huma describes it
// from the tags, for the OpenAPI document, and serves nothing. serve does for all routes
// what none does for itself: who is asking and whether they may, how often, what of the
// query and the body are ambiguous, idempotency with an Idempotency-Key, and turning an
// error into a problem. So a handler reads its input, calls one thing of the books, and
// answers. A struct that others embed has an exported name: huma looks into no other.

// Who may call a route. A holder's own account is looked at beside it.
var (
	everyone  = access.Roles
	staff     = []access.Role{access.Exchange, access.Operator, access.Auditor} // all who see everything
	exchange  = []access.Role{access.Exchange}
	operators = []access.Role{access.Operator}
	writers   = []access.Role{access.Exchange, access.Operator}
	owners    = []access.Role{access.Exchange, access.Holder} // a holder, and the exchange for it
	office    = []access.Role{access.Operator, access.Auditor}
)

const (
	// SmallBody is how many bytes of a request's body are read where nobody allows more.
	SmallBody = 64 << 10

	largeBody   = 8 << 20 // bytes of a body with many things in it
	jsonContent = "application/json"
)

// reader answers what only reads: every GET. It has no way to write the books.
type reader struct {
	*reports.Reports
	now     func() time.Time
	log     *slog.Logger
	hub     *events.Hub
	streams *streams // of events, at this moment
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
	account bool // the account in the path is looked at: a holder has its own only
	limit   int64
	params  []param
	body    bool // it is read into the input's Body; else the handler reads it by itself, or there is none

	// answer answers a request, or returns why it is refused. What it has answered is final unless
	// the same request may be answered otherwise later.
	answer func(http.ResponseWriter, *http.Request) (final bool, err error)
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

// get puts a route into the table that only reads.
func get[I, O any, A answerOf[O]](
	s *server, path string, roles []access.Role, handle func(reader, context.Context, *I) (A, error),
	op huma.Operation, options ...option,
) {
	op.Method, op.Path = http.MethodGet, path
	add(s, op, roles, func(ctx context.Context, in *I) (A, error) { return handle(s.reader, ctx, in) }, options)
}

// change puts a route into the table that changes the books: "POST /v1/entries".
func change[I, O any, A answerOf[O]](
	s *server, pattern string, roles []access.Role, handle func(writer, context.Context, *I) (A, error),
	op huma.Operation, options ...option,
) {
	op.Method, op.Path, _ = strings.Cut(pattern, " ")
	add(s, op, roles, func(ctx context.Context, in *I) (A, error) {
		actor := token(ctx).Actor().In(access.CallerOf(ctx).Request)
		return handle(writer{s.reader, s.Books.As(actor)}, ctx, in)
	}, options)
}

// add puts a route into the table: who may call it, and what it does. The account in its
// path, if it has one, is a holder's own, or it is not found.
func add[I, O any, A answerOf[O]](
	s *server, op huma.Operation, roles []access.Role, handle func(context.Context, *I) (A, error), options []option,
) {
	for _, set := range options {
		set(s, &op)
	}
	limit := cmp.Or(op.MaxBodyBytes, SmallBody)
	s.describeErrors(&op, roles, op.RequestBody != nil || has[I]("Body"))
	huma.Register[I, O](s.huma, op, nil)
	rt := s.routes[len(s.routes)-1]
	s.describeHeaders(rt.Operation)
	rt.roles, rt.limit, rt.account = roles, limit, strings.Contains(op.Path, "{account}")
	rt.body, rt.params = has[I]("Body"), paramsOf(rt.Operation, reflect.TypeFor[I]())
	rt.answer = func(w http.ResponseWriter, r *http.Request) (final bool, err error) {
		rt.patient(w)
		var in I
		if err := s.input(rt, r, reflect.ValueOf(&in).Elem()); err != nil {
			return false, err
		}
		out, err := handle(r.Context(), &in)
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

// serve answers a request, or returns why it is refused before its handler runs.
func (s *server) serve(rt *route, w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodHead && rt.streams() {
		w.Header().Set("Allow", rt.Method)
		return errMethod.In("", "it takes %s", rt.Method) // all of the work, and nothing to show for it
	}
	token, err := s.authenticate(r)
	if err != nil {
		return err
	}
	left, err := s.limits.take(token.ID, s.Now())
	left.set(w.Header())
	if err != nil {
		return err
	}
	if !slices.Contains(rt.roles, token.Role) {
		return access.ErrForbidden.In("", "a token of the role %s may not do this; %s", token.Role, mayCall(rt.roles))
	}
	if id := ledger.Account(r.PathValue("account")); rt.account && !token.Owns(id) {
		return noAccount(id)
	}
	if err := checkQuery(r.URL); err != nil {
		return err
	}
	var body []byte
	if rt.Method != http.MethodGet {
		if body, err = rt.read(r); err != nil {
			return err
		}
	}
	r = r.WithContext(context.WithValue(r.Context(), askedKey{}, asked{token: token, body: body}))
	if key := r.Header.Values("Idempotency-Key"); r.Method == http.MethodPost && key != nil {
		return s.repeat(rt, key, w, r)
	}
	_, err = rt.answer(w, r)
	return err
}

// streams reports whether the answer is a stream or may be one of any length.
func (rt *route) streams() bool {
	return slices.ContainsFunc(rt.Tags, func(tag string) bool { return tag == "Exports" || tag == "Events" })
}

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
	token, err := s.authenticate(r)
	if err != nil || !slices.Contains(s.routes[i].roles, token.Role) {
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
