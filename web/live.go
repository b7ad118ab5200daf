package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/softstake/softstake/events"
)

// livePath is where a page hears of what happens. It is a stream without an end,
// and not compressed.
const livePath = "/live"

const (
	mostStreams    = 1000
	mostStreamsOf  = 10               // one account's: it cannot take everybody's
	streamsFull    = 30 * time.Second // after which one may come again who was one too many
	streamAgain    = 2000             // milliseconds after which a browser comes again whose stream has ended
	streamPatience = 30 * time.Second
)

func (s *server) liveRoutes() { s.open("GET "+livePath, s.live) }

// live tells of what happens to the visitor's account, until the session ends. HEAD
// says whether it would: a browser does not tell a page why a stream was refused.
func (s *server) live(v *visit) error {
	switch {
	case v.account() == "":
		v.w.WriteHeader(http.StatusUnauthorized)
		return nil
	case v.r.Method == http.MethodHead:
		v.w.WriteHeader(http.StatusNoContent)
		return nil
	case !s.streams.Acquire(v.account()):
		v.comeAgain(streamsFull)
		v.w.WriteHeader(http.StatusServiceUnavailable)
		return nil
	}
	defer s.streams.Release(v.account())
	if err := v.stream(); v.context().Err() == nil && !errors.Is(err, errGone) {
		s.Log.Info("a page's stream ended", "request", v.caller.Request, "reason", err)
	}
	return nil
}

// errGone says that the browser has gone away, or takes nothing any more.
var errGone = errors.New("the browser is gone")

// stream writes events. At each sign of life the session is looked at again.
func (v *visit) stream() error {
	h := v.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // some proxies would keep events until they have many
	v.w.WriteHeader(http.StatusOK)
	if err := v.send(fmt.Appendf(nil, "retry: %d\n\n", streamAgain)); err != nil {
		return err
	}
	after := v.r.Header.Get("Last-Event-ID") // a browser that comes again by itself
	if after == "" {
		after = v.value("after")
	}
	return v.Events.Subscribe(v.context(), v.account(), after, func(e events.Event) error {
		if e.Type == "" {
			if _, err := v.findSession(v.text); err != nil {
				return err
			}
		}
		text, err := eventText(e)
		if err != nil {
			return err
		}
		return v.send(text)
	})
}

// send sends a piece now. Its deadline is one of the network, and so of the real
// time, whatever clock the books go by.
func (v *visit) send(text []byte) error {
	c := http.NewResponseController(v.w)
	err := c.SetWriteDeadline(time.Now().Add(streamPatience))
	if err == nil || errors.Is(err, http.ErrNotSupported) {
		_, err = v.w.Write(text)
	}
	if err == nil {
		err = c.Flush()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}

// eventText is an event as it is sent: a few lines, and an empty one. One of no type
// is a comment, and the ID to go on from.
func eventText(e events.Event) ([]byte, error) {
	var text bytes.Buffer
	if e.ID != "" {
		fmt.Fprintf(&text, "id: %s\n", e.ID)
	}
	if e.Type == "" {
		text.WriteString(": still here\n\n")
		return text.Bytes(), nil
	}
	body, err := json.Marshal(e.Body)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&text, "event: %s\ndata: %s\n\n", e.Type, body)
	return text.Bytes(), nil
}
