package cli

import (
	"bytes"
	"html/template"
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

// servedAPI is one of the APIs or the pages, and how it words a refusal of the gateway.
type servedAPI struct {
	name    string // for the metrics
	refuse  func(w http.ResponseWriter, status int, request string)
	maxBody func(r *http.Request) int64 // how many bytes of a body it reads; nil: smallBody
}

var (
	exchangeAPI = servedAPI{name: "exchange", refuse: refuseExchange}
	ownAPI      = servedAPI{name: "v1", refuse: refuseOwn}
	pagesAPI    = servedAPI{name: "pages", refuse: refusePage}
)

// refuseExchange refuses in the exchange's words [api].
func refuseExchange(w http.ResponseWriter, status int, _ string) {
	code, text := -1000, "An unknown error occurred while processing the request."
	if status == http.StatusServiceUnavailable {
		code, text = -1008, "Server is currently overloaded with other requests. Please try again in a few minutes."
	}
	refuse(w, "application/json", status, struct {
		Code int    `json:"code"`
		Msg  string `json:"msg"`
	}{code, text})
}

// refuseOwn refuses with a problem document.
func refuseOwn(w http.ResponseWriter, status int, request string) {
	kind, title, detail := "internal", "Internal error", "Something failed here, and is logged under this request's ID; the same request may be made again."
	if status == http.StatusServiceUnavailable {
		kind, title, detail = "busy", "Too busy", "Too many requests are in flight; nothing was done; make the same request again in a second."
	}
	refuse(w, "application/problem+json", status, struct {
		Type    string `json:"type"`
		Title   string `json:"title"`
		Status  int    `json:"status"`
		Detail  string `json:"detail"`
		Request string `json:"request"`
	}{"/v1/docs#" + kind, title, status, detail, request})
}

// refusePage refuses with a page as small as can be: what makes the real ones may be what has failed.
func refusePage(w http.ResponseWriter, status int, request string) {
	title, why := "Something went wrong", "It is our fault, and we have a record of it. Try again in a moment."
	if status == http.StatusServiceUnavailable {
		title, why = "Too many visitors at once", "Nothing was done. Go back, and try again in a moment."
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	w.WriteHeader(status)
	if err := smallPage.Execute(w, struct{ Title, Why, Request, Test string }{title, why, request, w.Header().Get(testHeader)}); err != nil {
		return // the visitor has gone away, and the request is logged
	}
}

var smallPage = template.Must(template.New("small").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>{{.Title}}</title>
{{if .Test}}<p role="note">This is a test: nothing here is real.</p>
{{end}}<main><h1>{{.Title}}</h1><p>{{.Why}}</p><p>Request {{.Request}}</p></main></html>
`))

func refuse(w http.ResponseWriter, contentType string, status int, body any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	if err := writeJSON(w, body); err != nil {
		return // the client has gone away, and its request is logged
	}
}
