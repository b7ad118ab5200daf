package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/idempotency"
	"github.com/softstake/softstake/ledger"
)

const (
	answerKept = 24 * time.Hour // how long an answer is stored under its Idempotency-Key
	longestKey = 128            // characters of an Idempotency-Key
)

// keptHeaders are the headers of an answer that are stored with it.
var keptHeaders = []string{"Content-Type", "Location"}

// repeat answers a request with an Idempotency-Key: the first time by its handler, later with
// the stored answer. A refusal is stored only if the request itself is wrong: if it may
// succeed later, the key counts as unused.
func (s *server) repeat(rt *route, keys []string, w http.ResponseWriter, r *http.Request) error {
	if len(keys) != 1 || !isKey(keys[0]) {
		return ledger.ErrInvalid.In("Idempotency-Key",
			"it is 1 to %d printable characters of ASCII without spaces, sent once", longestKey)
	}
	req := requestOf(r.Context())
	claim := idempotency.Request{
		Owner: "token " + req.token.ID, Key: keys[0], Digest: digest(r, req.body), Until: s.Now().Add(answerKept),
	}
	// Do claims the key, runs the function and keeps the answer, each in a transaction of its own. After a
	// crash in between the key is in flight for some minutes; then the function runs again, and the
	// entry's ID makes that harmless.
	final := false
	kept := func(a idempotency.Response) bool { return a.Status < http.StatusInternalServerError && final }
	answer, repeated, err := s.Books.Requests().Do(r.Context(), claim, kept,
		func(ctx context.Context) (idempotency.Response, error) {
			rec := &recorder{to: w, header: http.Header{}}
			var err error
			if final, err = rt.answer(rec, r.WithContext(ctx)); err != nil {
				final = permanent(err)
				s.refuse(rec, r, err)
			}
			return rec.answer(), nil
		})
	if errors.Is(err, ledger.ErrConflict) {
		return errKeyUsed.In("", "%q", keys[0])
	}
	if err == nil && repeated {
		err = readdress(&answer, access.CallerOf(r.Context()).Request)
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(answer.Headers) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		w.Header().Set(name, value)
	}
	if repeated {
		w.Header().Set("Idempotency-Replayed", "true")
	}
	w.WriteHeader(answer.Status)
	if _, err := w.Write(answer.Body); err != nil {
		return nil // the client has disconnected; the answer is stored for its next request
	}
	return nil
}

// readdress puts the ID of the current request into a stored problem, so that this request
// is found in the log.
func readdress(a *idempotency.Response, request string) error {
	if a.Status < http.StatusBadRequest {
		return nil
	}
	var p Problem
	if err := json.Unmarshal(a.Body, &p); err != nil {
		return fmt.Errorf("read a problem that was kept: %w", err)
	}
	p.Request = request
	body, err := marshal(p)
	a.Body = body
	return err
}

func isKey(key string) bool {
	if len(key) < 1 || len(key) > longestKey {
		return false
	}
	return strings.IndexFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// digest is the hash of a request's content: two that differ in it are a conflict.
func digest(r *http.Request, body []byte) (sum [32]byte) {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(r.Method), []byte(r.URL.EscapedPath()), []byte(r.URL.RawQuery), body} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write(part)
	}
	h.Sum(sum[:0])
	return sum
}

// recorder is an answer that is written to memory.
type recorder struct {
	to     http.ResponseWriter
	header http.Header
	status int
	body   bytes.Buffer
}

// Unwrap is where the answer goes afterwards: a deadline that is put off is put off there.
func (a *recorder) Unwrap() http.ResponseWriter { return a.to }

// Header are the answer's headers.
func (a *recorder) Header() http.Header { return a.header }

// WriteHeader begins the answer.
func (a *recorder) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write writes a part of the body.
func (a *recorder) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// answer is what was written, to be kept.
func (a *recorder) answer() idempotency.Response {
	a.WriteHeader(http.StatusOK)
	var headers strings.Builder
	for _, name := range keptHeaders {
		if value := a.header.Get(name); value != "" {
			fmt.Fprintf(&headers, "%s: %s\n", name, value)
		}
	}
	return idempotency.Response{Status: a.status, Headers: headers.String(), Body: a.body.Bytes()}
}
