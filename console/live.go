package console

import (
	"errors"
	"net/http"
	"time"

	"github.com/softstake/softstake/sse"
)

// LivePath is where a page hears that something has changed. It is a stream without an end, and not compressed.
const LivePath = Path + "/live"

const (
	mostStreams   = 200
	mostStreamsOf = 10               // of one session
	beatEvery     = 15 * time.Second // how often the session is looked at, and the stream shows that it is alive
)

// live streams that something has changed, until the session ends. HEAD returns the status alone: a browser does not
// let a page see why a stream was refused.
func (v *visit) live() error {
	switch {
	case !v.signedIn():
		v.w.WriteHeader(http.StatusUnauthorized)
		return nil
	case v.r.Method == http.MethodHead:
		v.w.WriteHeader(http.StatusNoContent)
		return nil
	case !v.streams.Acquire(v.text):
		v.w.Header().Set("Retry-After", "30")
		v.w.WriteHeader(http.StatusServiceUnavailable)
		return nil
	}
	defer v.streams.Release(v.text)
	if err := v.stream(); v.context().Err() == nil && !errors.Is(err, sse.ErrGone) {
		v.Log.Info("a stream of the console ended", "request", v.caller.Request, "reason", err)
	}
	return nil
}

// stream says "pulse" when the books have changed. It carries no figures: what the page shows it reads as any other.
func (v *visit) stream() error {
	v.poller.join()
	defer v.poller.leave()
	last, looked := v.pulse()
	if last.books == 0 { // the poller has begun with this stream: what is written from the answer on is a change
		select {
		case <-v.context().Done():
			return v.context().Err()
		case <-looked:
			last, looked = v.pulse()
		}
	}
	out, err := sse.Begin(v.w)
	if err != nil {
		return err
	}
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	if last.trial.number > 0 {
		last.trial.done = -1 // it may have moved between the page and its stream
	}
	for {
		select {
		case <-v.context().Done():
			return v.context().Err()
		case <-beat.C:
			if _, err = v.Sessions.Find(v.context(), v.text, v.browser(), false); err == nil {
				err = out.Send("", "", nil)
			}
		case <-looked:
			var now pulse
			now, looked = v.pulse()
			if last.books == 0 { // the first look has failed
				last.books = now.books
			}
			if now != last {
				last, err = now, out.Send("", "pulse", struct{}{})
			}
		}
		if err != nil {
			return err
		}
	}
}

// pulse is what a page looks at to see that something has changed.
type pulse struct {
	books int64     // when they were last written to; 0: that is not known yet
	night time.Time // when tonight's preview was last made
	trial struct {  // the visitor's simulation
		number, done int
		ended        bool
	}
}

// pulse is what there is to see now, and what is closed when that is looked at again.
func (v *visit) pulse() (p pulse, next <-chan struct{}) {
	p.books, next = v.poller.look()
	p.night = v.night.made()
	if t, there := v.trials.look(v.actor.Subject()); there {
		p.trial.number, p.trial.done, p.trial.ended = t.Number, t.Done, t.Ended
	}
	return p, next
}
