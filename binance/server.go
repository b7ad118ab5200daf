// Package binance is a REST API for programs written for the exchange's Soft Staking: the same
// paths, shapes, limits and errors [api]. It decides nothing, and knows no SQL.
package binance

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/idempotency"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// Options are what the API works with.
type Options struct {
	Books   *store.DB
	Sealer  *access.Sealer // opens the secrets of HMAC keys
	Now     func() time.Time
	Log     *slog.Logger
	Weights bool         // whether the exchange's limits of request weight hold
	Accept  string       // where a holder accepts the documents, for the message of -6019
	Alarm   access.Alarm // of keys that are used from elsewhere; may be nil
}

// endpoint is one line of the table of what is answered here.
type endpoint struct {
	method     string
	path       string
	permission access.Permission // that the key needs; "" needs no key
	weight     int               // of one request [api], at most: see lighter

	// One of both: only change can write the books, in whose log the key is the actor.
	read   func(*request) (any, error)
	change func(*request, *store.DB) (any, error)
}

// get is an endpoint that only reads.
func get(path string, p access.Permission, weight int, read func(*request) (any, error)) endpoint {
	return endpoint{http.MethodGet, path, p, weight, read, nil}
}

// String is a line of the documentation: GET /sapi/v1/soft-staking/list read 50.
func (e endpoint) String() string {
	return fmt.Sprintf("%s %s %s %d", e.method, e.path, e.permission, e.weight)
}

// endpoints are all of them.
func endpoints() []endpoint { return slices.Concat(softStaking, spot, wallet, market, elsewhere) }

// marketData is the permission of an endpoint that needs a key, and no signature [api].
const marketData access.Permission = "market data"

// server answers requests.
type server struct {
	Options
	reports *reports.Reports
	table   map[string]endpoint // by path
	weights weights
}

// prefixes are what the exchange's paths begin with.
var prefixes = []string{"api", "sapi", "fapi", "dapi", "eapi", "papi"}

// Serves reports whether a path is one of the exchange's, which New's handler answers in
// JSON, whatever it is: "/api", "/sapi/v1/nothing", "//api/v3/time".
func Serves(path string) bool {
	first, _, _ := strings.Cut(strings.TrimLeft(path, "/"), "/")
	return slices.Contains(prefixes, first)
}

// plainPath is a path with one slash where it has several: a base URL that ends with
// one makes "//api/v3/time".
func plainPath(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

// New serves everything under the exchange's prefixes (Serves). The context of a request says who is
// calling (access.WithCaller).
func New(o Options) http.Handler {
	s := &server{Options: o, reports: reports.New(o.Books.Reader()), table: map[string]endpoint{}}
	for _, e := range endpoints() {
		s.table[e.path] = e
	}
	return s
}

// ServeHTTP answers a request in JSON, whatever it is.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, err := s.answer(w, r)
	if err != nil {
		answer = s.refuse(w.Header(), r, err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer.Body)))
	w.WriteHeader(answer.Status)
	if _, err := w.Write(answer.Body); err != nil {
		s.Log.Debug("the client did not wait for its answer", "request",
			access.CallerOf(r.Context()).Request, "error", err)
	}
}

// answer goes the way of a request: which endpoint, how heavy, who asks, what is the answer.
func (s *server) answer(w http.ResponseWriter, r *http.Request) (idempotency.Response, error) {
	e, known := s.table[plainPath(r.URL.Path)]
	if !known {
		return idempotency.Response{}, errNoPath
	}
	r.Pattern = e.path // as http.ServeMux does, for who counts requests by it
	if r.Method != e.method {
		w.Header().Set("Allow", e.method)
		return idempotency.Response{}, errNoMethod
	}
	now := s.Now()
	if s.Weights {
		if err := s.weights.weigh(w.Header(), e.path, e.weightOf(r.URL.RawQuery), access.CallerOf(r.Context()).Address,
			now); err != nil {
			return idempotency.Response{}, err
		}
	}
	req, err := s.read(w, r, e, now)
	if err != nil {
		return idempotency.Response{}, err
	}
	if e.change != nil {
		return s.repeat(req, e)
	}
	v, err := e.read(req)
	if err != nil {
		return idempotency.Response{}, err
	}
	return encoded(http.StatusOK, v)
}

// refuse is the answer of an error. One that is not in the table of errors is logged, and
// the client gets no detail.
func (s *server) refuse(h http.Header, r *http.Request, err error) idempotency.Response {
	no := refusalOf(err, access.CallerOf(r.Context()).Address, s.Accept)
	if no.status == http.StatusInternalServerError && !errors.Is(err, context.Canceled) {
		s.Log.Error("a request failed", "request", access.CallerOf(r.Context()).Request, "path",
			r.URL.Path, "error", err)
	}
	if no.after > 0 {
		h.Set("Retry-After", strconv.Itoa(no.after))
	}
	answer, err := encoded(no.status, no)
	if err != nil { // a refusal is a number and a text
		panic(err)
	}
	return answer
}

// encoded is a value as the JSON of an answer.
func encoded(status int, v any) (idempotency.Response, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // the exchange does not
	if err := e.Encode(v); err != nil {
		return idempotency.Response{}, fmt.Errorf("write the answer: %w", err)
	}
	return idempotency.Response{Status: status, Body: bytes.TrimSuffix(b.Bytes(), []byte("\n"))}, nil
}

// clocks is how far the clocks of several processes may differ: so much longer than
// a request can be accepted its answer is kept.
const clocks = time.Minute

// repeat makes a signed write idempotent: again within its window it is answered as the
// first time and changes nothing, so that an old "true" sent again after a "false"
// does not switch on. It is known by the canonical form of what was signed: a signature
// and what it is over can be written in several ways. Refusals are kept as well; what failed
// here is not, and may be sent again.
func (s *server) repeat(req *request, e endpoint) (idempotency.Response, error) {
	asked := idempotency.Request{
		Owner: "key " + req.key.Key, Key: hex.EncodeToString(req.name[:]), Digest: req.name,
		Until: req.until.Add(clocks),
	}
	books := s.Books.As(req.key.Actor().In(access.CallerOf(req.ctx).Request))
	answer, _, err := books.Requests().Do(req.ctx, asked, func(idempotency.Response) bool { return true },
		func(ctx context.Context) (idempotency.Response, error) {
			req.ctx = ctx
			v, err := e.change(req, books)
			if err == nil {
				return encoded(http.StatusOK, v)
			}
			no := refusalOf(err, access.CallerOf(ctx).Address, s.Accept)
			if no.status >= http.StatusInternalServerError || errors.Is(err, context.Canceled) {
				return idempotency.Response{}, err
			}
			return encoded(no.status, no)
		})
	return answer, err
}
