package serve

import (
	"bytes"
	"net/http"
)

// mostHeld is how many bytes of a response are held in memory while its request has a slot.
const mostHeld = 512 << 10

// response is a response that is being written, and how far it is. What a handler writes is
// held until the request has released its slot: a client that reads slowly holds none. A
// longer response, and one that is flushed, goes to the client as it is written.
type response struct {
	http.ResponseWriter
	status int // 0: not begun
	bytes  int64
	held   bytes.Buffer
	direct bool // nothing is held any more
}

// WriteHeader begins the response.
func (a *response) WriteHeader(status int) {
	switch {
	case status < 200: // it only announces the response
		a.ResponseWriter.WriteHeader(status)
	case a.status == 0:
		a.status = status
	case a.direct:
		a.ResponseWriter.WriteHeader(status) // which logs that it is the second
	}
}

// Write writes a part of the body.
func (a *response) Write(p []byte) (int, error) {
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
func (a *response) send() error {
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
func (a *response) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// FlushError sends what is written.
func (a *response) FlushError() error {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if err := a.send(); err != nil {
		return err
	}
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Flush sends what is written, for those who do not ask whether it could be.
func (a *response) Flush() {
	if a.FlushError() != nil {
		return // the next write says that the client is gone
	}
}

// result is the status that the client sees.
func (a *response) result() int {
	if a.status == 0 {
		return http.StatusOK
	}
	return a.status
}
