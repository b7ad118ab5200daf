package serve

import (
	"bytes"
	"net/http"
)

// mostHeld is how many bytes of an answer are held in memory while its request has a slot.
const mostHeld = 512 << 10

// reply is an answer on its way, that knows how far it is. What a handler writes is held
// until the request has given its slot back: a client that reads slowly holds none. A
// longer answer, and one that is flushed, goes to the client as it is written.
type reply struct {
	http.ResponseWriter
	status int // 0: not begun
	bytes  int64
	held   bytes.Buffer
	direct bool // nothing is held any more
}

// WriteHeader begins the answer.
func (a *reply) WriteHeader(status int) {
	switch {
	case status < 200: // it only announces the answer
		a.ResponseWriter.WriteHeader(status)
	case a.status == 0:
		a.status = status
	case a.direct:
		a.ResponseWriter.WriteHeader(status) // which logs that it is the second
	}
}

// Write writes a part of the body.
func (a *reply) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if !a.direct && a.held.Len()+len(p) <= mostHeld {
		a.bytes += int64(len(p))
		return a.held.Write(p)
	}
	if err := a.send(); err != nil {
		return 0, err
	}
	n, err := a.ResponseWriter.Write(p)
	a.bytes += int64(n)
	return n, err
}

// send sends what is held. What is written later is not held.
func (a *reply) send() error {
	if a.direct || a.status == 0 {
		return nil
	}
	a.direct = true
	a.ResponseWriter.WriteHeader(a.status)
	if a.held.Len() == 0 {
		return nil
	}
	_, err := a.ResponseWriter.Write(a.held.Bytes())
	a.held = bytes.Buffer{}
	return err
}

// Unwrap lets http.ResponseController reach the connection.
func (a *reply) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// FlushError sends what is written.
func (a *reply) FlushError() error {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if err := a.send(); err != nil {
		return err
	}
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Flush sends what is written, for those who do not ask whether it could be.
func (a *reply) Flush() {
	if a.FlushError() != nil {
		return // the next write says that the client is gone
	}
}

// result is the status that the client sees.
func (a *reply) result() int {
	if a.status == 0 {
		return http.StatusOK
	}
	return a.status
}
