package console

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/softstake/softstake/reports"
)

// nightLife is how old tonight's preview may be before it is made again, when somebody looks: ten seconds of work for a
// million positions slow the pages of less than one look in a hundred.
const nightLife = 30 * time.Minute

// night makes the preview of tonight beside the pages: it measures every holder, which takes seconds in large books,
// and no page waits for it.
type night struct {
	reports *reports.Reports
	log     *slog.Logger
	ctx     context.Context // ends it when the console stops
	work    sync.WaitGroup

	mu      sync.Mutex
	running bool
	began   time.Time // of the one that is made, or was made last
	last    map[string]reports.OpenPreview
	at      time.Time // when it was done; zero: none is
}

// look is tonight's preview by token, as it was last made: nil while the first is made. One that is too old is made
// again at the same time.
func (n *night) look(now time.Time) map[string]reports.OpenPreview {
	n.mu.Lock()
	defer n.mu.Unlock()
	if old := now.Sub(n.began); !n.running && (old > nightLife || old < 0) {
		n.running, n.began = true, now
		n.work.Go(n.make)
	}
	return n.last
}

// make makes the preview.
func (n *night) make() {
	previews, err := n.reports.PreviewOpen(n.ctx)
	if err != nil && n.ctx.Err() == nil {
		n.log.Warn("tonight's preview was not made", "error", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.running = false
	if err != nil {
		return
	}
	n.at = n.reports.Now()
	n.last = make(map[string]reports.OpenPreview, len(previews))
	for _, p := range previews {
		n.last[p.Asset] = p
	}
}

// made is when the preview was last made.
func (n *night) made() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.at
}
