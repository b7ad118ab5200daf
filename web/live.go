package web

import (
	"cmp"
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
	streamsFull   = 30 * time.Second // the Retry-After where there are as many
)

// live streams the events of the visitor's account until the session ends. HEAD returns
// the status alone: a browser does not let a page see why a stream was refused.
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

// stream writes events. At each heartbeat the session is checked again.
func (v *visit) stream() error {
	out, err := sse.Begin(v.w)
	if err != nil {
		return err
	}
	after := cmp.Or(v.r.Header.Get("Last-Event-ID"), v.value("after")) // a browser that reconnects, or a new page
	return v.Events.Subscribe(v.context(), v.account(), after, func(e events.Event) error {
		if e.Type == "" {
			if _, err := v.findSession(v.text); err != nil {
				return err
			}
		}
		return out.Send(e.ID, e.Type, e.Body)
	})
}
