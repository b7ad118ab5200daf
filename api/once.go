package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"softstake/ledger"
	"softstake/store"
)

const (
	answerKept = 24 * time.Hour // how long an answer is kept under its Idempotency-Key
	longestKey = 128            // characters of an Idempotency-Key
)

// keptHeaders are those of an answer that are kept with it.
var keptHeaders = []string{"Content-Type", "Location", "Retry-After"}

// once answers a request under an Idempotency-Key: the first time by its handler,
// later as the first time.
func (s *server) once(rt *route, keys []string, w http.ResponseWriter, r *http.Request) error {
	if len(keys) != 1 || !isKey(keys[0]) {
		return inField("Idempotency-Key", fmt.Errorf("%w: it is 1 to %d printable characters of ASCII without spaces, sent once", ledger.ErrInvalid, longestKey))
	}
	what := request(r.Context())
	asked := store.Asked{
		Owner: "token " + what.token.ID, Key: keys[0], Request: digest(r, what.body), Until: s.Now().Add(answerKept),
	}
	answer, repeated, err := s.Books.Once(r.Context(), asked, kept, func(ctx context.Context) (store.Answer, error) {
		rec := &recorder{to: w, header: http.Header{}}
		rt.answer(newCall(rt, rec, r.WithContext(ctx)))
		return rec.answer(), nil
	})
	if errors.Is(err, ledger.ErrMismatch) {
		return fmt.Errorf("%w: %q", errKeyUsed, keys[0])
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
		return nil // the client has gone away; the answer is kept for when it comes again
	}
	return nil
}

// kept says whether an answer is kept: not one that says to ask again.
func kept(a store.Answer) bool {
	return a.Status < http.StatusInternalServerError && a.Status != http.StatusTooManyRequests
}

func isKey(key string) bool {
	if len(key) < 1 || len(key) > longestKey {
		return false
	}
	return strings.IndexFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// digest is what a request asks for: two that differ in it are not the same.
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
func (a *recorder) answer() store.Answer {
	a.WriteHeader(http.StatusOK)
	var headers strings.Builder
	for _, name := range keptHeaders {
		if value := a.header.Get(name); value != "" {
			fmt.Fprintf(&headers, "%s: %s\n", name, value)
		}
	}
	return store.Answer{Status: a.status, Headers: headers.String(), Body: a.body.Bytes()}
}
