// Package sse writes server-sent events to one client (HTML Living Standard, section 9.2). It knows
// nothing of the books.
package sse

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/softstake/softstake/download"
)

// retry is after how many milliseconds a client connects again whose stream has ended.
const retry = 2000

// ErrGone says that the client has gone away, or reads nothing any more.
var ErrGone = errors.New("the client is gone")

// Stream is a response that goes on until its client is gone. It is used by one goroutine.
type Stream struct {
	out     io.Writer
	control *http.ResponseController
}

// Begin sends the response's headers, and after how long the client is to connect again.
// ErrGone where they cannot be sent.
func Begin(w http.ResponseWriter) (Stream, error) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // some proxies would keep events until they have many
	w.WriteHeader(http.StatusOK)
	s := Stream{download.Paced(w), http.NewResponseController(w)}
	return s, s.write(fmt.Appendf(nil, "retry: %d\n\n", retry))
}

// Send sends an event at once, with its data as JSON. An event without a name is a comment,
// which shows that the stream is alive. The client resumes after the ID, unless it is "".
// ErrGone where the event cannot be sent.
func (s Stream) Send(id, name string, data any) error {
	var text bytes.Buffer
	if id != "" {
		fmt.Fprintf(&text, "id: %s\n", id)
	}
	if name == "" {
		text.WriteString(": still here\n\n")
		return s.write(text.Bytes())
	}
	fmt.Fprintf(&text, "event: %s\ndata: ", name)
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(data); err != nil { // a line, and its end
		return fmt.Errorf("write %T as JSON: %w", data, err)
	}
	text.WriteByte('\n')
	return s.write(text.Bytes())
}

func (s Stream) write(text []byte) error {
	_, err := s.out.Write(text)
	if err == nil {
		err = s.control.Flush()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return nil
}
