package scenario

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Request is a request that a test makes.
type Request struct {
	Method, URL, Body string
	Headers           map[string]string
}

// Do makes the request, follows redirects, and returns the response and its body.
func (q Request) Do(t testing.TB) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), q.Method, q.URL, strings.NewReader(q.Body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range q.Headers {
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}
