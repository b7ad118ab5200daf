package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/sse"
)

// LivePath is where a page hears of what happens. It is a stream without an end,
// and not compressed.
const LivePath = "/live"

const (
	mostStreams   = 1000
	mostStreamsOf = 10               // one account's: it cannot take everybody's
	streamsFull   = 30 * time.Second // after which one may come again who was one too many
)

// live tells of what happens to the visitor's account, until the session ends. HEAD
// reports whether it would: a browser does not tell a page why a stream was refused.
func (v *visit) live() error {
	switch {
	case v.account() == "":
		v.w.WriteHeader(http.StatusUnauthorized)
		return nil
	case v.r.Method == http.MethodHead:
		v.w.WriteHeader(http.StatusNoContent)
		return nil
	case !v.streams.Acquire(v.account()):
		v.comeAgain(streamsFull)
		v.w.WriteHeader(http.StatusServiceUnavailable)
		return nil
	}
	defer v.streams.Release(v.account())
	if err := v.stream(); v.context().Err() == nil && !errors.Is(err, sse.ErrGone) {
		v.Log.Info("a page's stream ended", "request", v.caller.Request, "reason", err)
	}
	return nil
}

// stream writes events. At each sign of life the session is looked at again.
func (v *visit) stream() error {
	out, err := sse.Begin(v.w)
	if err != nil {
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
		return out.Send(e.ID, e.Type, e.Body)
	})
}
