package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// answerOf is what a handler answers with: a pointer to a struct that huma describes. What
// is sent is final unless the same request may be answered otherwise later.
type answerOf[O any] interface {
	*O
	send(rt *route, w http.ResponseWriter, r *http.Request) (final bool, err error)
}

// none is an answer without a body.
type none struct{}

func (*none) send(rt *route, w http.ResponseWriter, _ *http.Request) (final bool, err error) {
	w.WriteHeader(rt.DefaultStatus)
	return true, nil
}

// answer is what is answered with one status.
type answer[T any] struct{ Body T }

func say[T any](body T, err error) (*answer[T], error) {
	if err != nil {
		return nil, err
	}
	return &answer[T]{body}, nil
}

func (a *answer[T]) send(rt *route, w http.ResponseWriter, _ *http.Request) (final bool, err error) {
	return sendJSON(w, rt.DefaultStatus, a.Body)
}

// made is the answer of an idempotent creation: 201 first, 200 when it is repeated.
type made[T any] struct {
	Status int
	Body   T
}

func sayMade[T any](body T, repeated bool, err error) (*made[T], error) {
	if err != nil {
		return nil, err
	}
	if repeated {
		return &made[T]{http.StatusOK, body}, nil
	}
	return &made[T]{http.StatusCreated, body}, nil
}

func (m *made[T]) send(_ *route, w http.ResponseWriter, _ *http.Request) (final bool, err error) {
	return sendJSON(w, m.Status, m.Body)
}

// sendJSON answers with a body of JSON. A part of it may be refused for what may be
// otherwise later: then it is not final.
func sendJSON(w http.ResponseWriter, status int, body any) (final bool, err error) {
	text, err := marshal(body)
	if err != nil {
		return false, err
	}
	partly, is := body.(interface{ curable() bool })
	write(w, jsonContent, status, text)
	return !is || !partly.curable(), nil
}

// write writes an answer. It is no error if the client has disconnected.
func write(w http.ResponseWriter, contentType string, status int, text []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	if _, err := w.Write(text); err != nil {
		return // the client has gone away, and its request is logged
	}
}

// stream is an answer of any length, which is written as it is made.
type stream struct {
	write func(http.ResponseWriter, *http.Request)
}

func (s *stream) send(_ *route, w http.ResponseWriter, r *http.Request) (final bool, err error) {
	s.write(w, r)
	return true, nil
}

// slow marks an operation that reads all holdings, and whose answer may be long in coming.
func slow(_ *server, op *huma.Operation) { op.Metadata = map[string]any{"slow": true} }

// patience is how long the answer of a slow operation may take.
const patience = 15 * time.Minute

// patient puts off the deadline of a slow operation's answer.
func (rt *route) patient(w http.ResponseWriter) {
	if rt.Metadata["slow"] == nil {
		return
	}
	// A writer without deadlines needs none put off.
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience)); err != nil &&
		!errors.Is(err, http.ErrNotSupported) {
		panic(http.ErrAbortHandler)
	}
}
