package serve

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/softstake/softstake/db"
)

// outage logs that the books cannot be reached: when an outage begins, when its cause
// changes, and when it ends. The scheduler, health and metrics share one, so that a retry is
// not logged each time. It is safe for concurrent use.
type outage struct {
	log *slog.Logger
	now func() time.Time

	mu       sync.Mutex
	since    time.Time
	failures int
	cause    string
}

// failed reports whether an error is that the books cannot be reached, and counts it.
func (o *outage) failed(err error) bool {
	var unreachable *db.UnreachableError
	if !errors.As(err, &unreachable) {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failures++; o.failures == 1 {
		o.since = o.now()
	}
	if cause := unreachable.Error(); cause != o.cause {
		o.cause = cause
		o.log.Error("the books cannot be reached; retrying", "error", unreachable)
	}
	return true
}

// over ends the outage, if there is one: the books were reached.
func (o *outage) over() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failures == 0 {
		return
	}
	o.log.Info("the books can be reached again", "after", o.now().Sub(o.since).Round(time.Second).String(), "failures",
		o.failures)
	o.failures, o.cause = 0, ""
}
