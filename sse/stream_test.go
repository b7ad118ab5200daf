package sse

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"
)

func TestEventsAreFramed(t *testing.T) {
	answer := httptest.NewRecorder()
	s, err := Begin(answer)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []struct {
		id, name string
		data     any
	}{
		{"7", "balance", map[string]string{"entry": "<d-1>"}},
		{"", "ready", struct{}{}},
		{"8", "", nil},
		{"", "", nil},
	} {
		if err := s.Send(e.id, e.name, e.data); err != nil {
			t.Error(err)
		}
	}
	const want = "retry: 2000\n\nid: 7\nevent: balance\ndata: {\"entry\":\"<d-1>\"}\n\nevent: ready\ndata: " +
		"{}\n\nid: 8\n: still here\n\n: still here\n\n"
	if got := answer.Body.String(); got != want || answer.Header().Get("Content-Type") != "text/event-stream" ||
		!answer.Flushed {
		t.Errorf("%v %q, want %q", answer.Header(), got, want)
	}
}

// silent is a client whose connection ends.
type silent struct{ *httptest.ResponseRecorder }

func (silent) Write([]byte) (int, error) { return 0, errors.New("connection reset") }

func (silent) SetWriteDeadline(time.Time) error { return nil }

func TestAClientThatIsGone(t *testing.T) {
	if _, err := Begin(silent{httptest.NewRecorder()}); !errors.Is(err, ErrGone) {
		t.Errorf("%v", err)
	}
}
