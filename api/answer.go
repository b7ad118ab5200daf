package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/softstake/softstake/ledger"
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

func reply[T any](body T, err error) (*answer[T], error) {
	if err != nil {
		return nil, err
	}
	return &answer[T]{body}, nil
}

func (a *answer[T]) send(rt *route, w http.ResponseWriter, _ *http.Request) (final bool, err error) {
	return sendJSON(w, rt.DefaultStatus, a.Body)
}

// creation is the answer of an idempotent creation: 201 first, 200 when it is repeated.
type creation[T any] struct {
	Status int
	Body   T
}

func replyCreated[T any](body T, repeated bool, err error) (*creation[T], error) {
	if err != nil {
		return nil, err
	}
	if repeated {
		return &creation[T]{http.StatusOK, body}, nil
	}
	return &creation[T]{http.StatusCreated, body}, nil
}

func (c *creation[T]) send(_ *route, w http.ResponseWriter, _ *http.Request) (final bool, err error) {
	return sendJSON(w, c.Status, c.Body)
}

// sendJSON answers with a body of JSON. A part of it may be refused for what may be
// otherwise later: then it is not final.
func sendJSON(w http.ResponseWriter, status int, body any) (final bool, err error) {
	text, err := marshal(body)
	if err != nil {
		return false, err
	}
	partly, is := body.(interface{ retryable() bool })
	write(w, jsonContent, status, text)
	return !is || !partly.retryable(), nil
}

// marshal is a value as a line of JSON, in which < stays <.
func marshal(v any) ([]byte, error) {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write %T as JSON: %w", v, err)
	}
	return []byte(text.String()), nil
}

// write writes an answer. It is no error if the client has disconnected.
func write(w http.ResponseWriter, contentType string, status int, text []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	if _, err := w.Write(text); err != nil {
		return // the client has gone away, and its request is logged
	}
}

// instant writes a time as all times are written: RFC 3339 in UTC, with milliseconds.
func instant(t time.Time) string { return ledger.FormatTime(t) }

// instantIf writes a time, or nothing for the zero time.
func instantIf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return instant(t)
}

// shown maps a list of the books to what is shown.
func shown[T, U any](all []T, show func(T) (U, error)) ([]U, error) {
	items := make([]U, 0, len(all))
	for _, one := range all {
		item, err := show(one)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
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

// slowTimeout is how long the answer of a slow operation may take.
const slowTimeout = 15 * time.Minute

// extendDeadline puts off the deadline of a slow operation's answer.
func (rt *route) extendDeadline(w http.ResponseWriter) {
	if rt.Metadata["slow"] == nil {
		return
	}
	// A writer without deadlines needs none put off.
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(slowTimeout)); err != nil &&
		!errors.Is(err, http.ErrNotSupported) {
		panic(http.ErrAbortHandler)
	}
}
