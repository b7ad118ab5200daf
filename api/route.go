package api

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
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/strictjson"
)

// How a route is made. A handler is a function of a struct with what is asked and a
// pointer to one with what is answered; their tags say to huma where each field
// comes from and goes to, and to the reader what it is. add puts it into the table
// of routes, and does for all of them what none does for itself: who is asking and
// whether they may, how often, what of the query and the body cannot be read in one
// way only, answering once under an Idempotency-Key, and turning an error into a
// problem. So a handler reads its input, calls one thing of the books, and answers.
// A struct that others embed has an exported name: huma looks into no other.

// Who may call a route. A holder's own account is looked at beside it.
var (
	everyone  = access.Roles
	staff     = []access.Role{access.Exchange, access.Operator, access.Auditor} // all who see everything
	exchange  = []access.Role{access.Exchange}
	operators = []access.Role{access.Operator}
	writers   = []access.Role{access.Exchange, access.Operator}
	owners    = []access.Role{access.Exchange, access.Holder} // a holder, and the exchange for it
)

const (
	smallBody   = 64 << 10 // bytes of a body, where a route does not say otherwise
	largeBody   = 8 << 20  // bytes of a body with many things in it
	jsonContent = "application/json"
)

// route is a line of the table of who may do what.
type route struct {
	*huma.Operation
	roles   []access.Role
	account bool // the account in the path is looked at: a holder has its own only
	limit   int64
	body    reflect.Type // what huma reads the body into; nil: the handler reads it by itself, or there is none
	answer  func(huma.Context)
}

// adapter takes what huma makes of a handler, for serve to call.
type adapter struct{ s *server }

// Handle keeps an operation and its handler as the table's newest line.
func (a adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	a.s.routes = append(a.s.routes, &route{Operation: op, answer: handler})
}

// ServeHTTP is never called: requests come through the mux.
func (a adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.s.mux.ServeHTTP(w, r) }

// add puts a route into the table: who may call it, and what it does. The account
// in its path, if it has one, is a holder's own, or it is not found. MaxBodyBytes
// zero is 64 KiB. A handler that reads its body by itself, see request, describes it in
// RequestBody, and has no field Body. Errors are the statuses of the problems that
// the handler itself may answer with; those that any route may are added.
func add[I, O any](s *server, op huma.Operation, roles []access.Role, handle func(context.Context, *I) (*O, error)) {
	body, limit := op.RequestBody, op.MaxBodyBytes
	// The body is read, and limited, before huma sees it.
	op.RequestBody, op.MaxBodyBytes, op.BodyReadTimeout = nil, -1, -1
	op.Errors = s.describeErrors(&op, roles, body != nil || has[I]("Body"))
	huma.Register(s.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
	rt := s.routes[len(s.routes)-1]
	s.describeHeaders(rt.Operation)
	if body != nil {
		rt.RequestBody = body
	}
	if field, found := reflect.TypeFor[I]().FieldByName("Body"); found {
		rt.body = field.Type
	}
	rt.roles, rt.limit, rt.account = roles, limit, strings.Contains(op.Path, "{account}")
	if limit == 0 {
		rt.limit = smallBody
	}
	s.mux.HandleFunc(op.Method+" "+op.Path, func(w http.ResponseWriter, r *http.Request) {
		if err := s.serve(rt, w, r); err != nil {
			s.refuse(w, r, err)
		}
	})
}

// serve answers a request, or says why it is refused before its handler sees it.
func (s *server) serve(rt *route, w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodHead && rt.streams() {
		w.Header().Set("Allow", rt.Method)
		return fmt.Errorf("%w: it takes %s", errMethod, rt.Method) // all of the work, and nothing to show for it
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
		return fmt.Errorf("%w: a token of the role %s may not do this; %s", access.ErrForbidden, token.Role, mayCall(rt.roles))
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
		return s.once(rt, key, w, r)
	}
	if err := rt.check(r.Header, body); err != nil {
		return err
	}
	rt.answer(newCall(rt, w, r))
	return nil
}

// streams says whether the answer is a stream or may be one of any length.
func (rt *route) streams() bool {
	return slices.ContainsFunc(rt.Tags, func(tag string) bool { return tag == "Exports" || tag == "Events" })
}

// checkQuery refuses a query that different readers would read differently, and a URL
// of which not all is text.
func checkQuery(u *url.URL) error {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return fmt.Errorf("%w: the query of the URL cannot be read; write a semicolon in it as %%3B, and a percent sign as %%25", ledger.ErrInvalid)
	}
	for name, all := range values {
		switch {
		case len(all) > 1:
			return inField(name, fmt.Errorf("%w: the parameter stands %d times in the query; say it once", ledger.ErrInvalid, len(all)))
		case !isText(name) || !isText(all[0]):
			return inField(strings.ToValidUTF8(name, "?"), fmt.Errorf("%w: the parameter is not text in UTF-8", ledger.ErrInvalid))
		}
	}
	if !isText(u.Path) {
		return fmt.Errorf("%w: the path of the URL is not text in UTF-8", ledger.ErrInvalid)
	}
	return nil
}

// isText says whether a database can keep it as text: UTF-8 without NUL.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// maxBody is how many bytes of a request's body are read.
func (s *server) maxBody(r *http.Request) int64 {
	_, pattern := s.mux.Handler(r)
	i := slices.IndexFunc(s.routes, func(rt *route) bool { return rt.Method+" "+rt.Path == pattern })
	if i < 0 || s.routes[i].limit <= smallBody {
		return smallBody
	}
	token, err := s.authenticate(r)
	if err != nil || !slices.Contains(s.routes[i].roles, token.Role) {
		return smallBody // the route says what is wrong
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
		return nil, fmt.Errorf("%w: at most %d bytes are read here; send less at once", errTooLarge, rt.limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fmt.Errorf("%w in time; make the same request again", errTimeout)
	case err != nil:
		return nil, fmt.Errorf("%w: the body ends before it is whole; make the same request again", ledger.ErrInvalid)
	}
	return body, nil
}

// check refuses a body that is not JSON as the route takes it. A route that reads
// its body by itself looks at what is in it by itself.
func (rt *route) check(h http.Header, body []byte) error {
	if rt.RequestBody == nil {
		return nil
	}
	if len(body) == 0 {
		return fmt.Errorf("%w: the request has no body", ledger.ErrInvalid)
	}
	if kind, _, err := mime.ParseMediaType(h.Get("Content-Type")); h.Get("Content-Type") != "" && (err != nil || kind != jsonContent) {
		return fmt.Errorf("%w: it is %q; send %s", errMediaType, ledger.Clip(h.Get("Content-Type")), jsonContent)
	}
	if coding := h.Get("Content-Encoding"); coding != "" {
		return fmt.Errorf("%w: it is encoded as %q; send it plain", errMediaType, ledger.Clip(coding))
	}
	if rt.body == nil {
		return nil
	}
	return inJSON(strictjson.CheckFor(body, rt.body))
}

// inJSON is a fault of a body as an error in its field.
func inJSON(err error) error {
	var fault *strictjson.Fault
	switch {
	case !errors.As(err, &fault):
		return err
	case fault.Field == "":
		return fmt.Errorf("%w: the body: %w", ledger.ErrInvalid, err)
	}
	return inField(fault.Field, fmt.Errorf("%w: %w", ledger.ErrInvalid, err))
}

// humaContext lends its methods to call, in which a field named Context would hide one of them.
type humaContext huma.Context

// call is a request on its way through huma, whose body has been read.
type call struct {
	humaContext
	w       http.ResponseWriter
	body    []byte
	status  int  // that of a problem, instead of what huma says; 0: none
	curable bool // it is refused, in part or whole, for what may be otherwise later
}

func newCall(rt *route, w http.ResponseWriter, r *http.Request) *call {
	return &call{humaContext: humago.NewContext(rt.Operation, r, w), w: w, body: request(r.Context()).body}
}

// BodyReader reads the body again.
func (c *call) BodyReader() io.Reader { return bytes.NewReader(c.body) }

// Header is a header of the request. A body's type has been looked at: it is JSON.
func (c *call) Header(name string) string {
	if name == "Content-Type" {
		return jsonContent
	}
	return c.humaContext.Header(name)
}

// SetReadDeadline does nothing: there is no more to be read.
func (c *call) SetReadDeadline(time.Time) error { return nil }

// SetStatus begins the answer.
func (c *call) SetStatus(status int) {
	if c.status != 0 {
		status = c.status
	}
	c.humaContext.SetStatus(status)
}

// writer is what an answer is streamed to, for a handler whose Out has a
// `Body func(huma.Context)`. A http.ResponseController flushes it and sets its deadlines.
func writer(ctx huma.Context) http.ResponseWriter { return ctx.(*call).w }
