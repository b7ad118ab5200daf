package serve

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// recorder makes the records of closed days, and signs them, beside the scheduler: no reward waits for it.
type recorder struct {
	books  *store.DB
	log    *slog.Logger
	outage *outage
	poll   time.Duration
	anchor func(context.Context) (records int64, through staking.Day, err error)
	signed int64 // how many records the last checkpoint is of
	failed bool  // the last time, and this is logged
}

func newRecorder(c Config, o *outage) *recorder {
	return &recorder{books: c.Books, log: c.Log, outage: o, poll: c.Poll, anchor: c.Anchor}
}

// run makes and signs what is due, now and again until the context ends.
func (r *recorder) run(ctx context.Context) {
	again := time.NewTicker(r.poll)
	defer again.Stop()
	for {
		if err := r.record(ctx); err != nil && ctx.Err() == nil && !r.outage.failed(err) && !r.failed {
			r.log.Error("the records of the days are not made or signed; retrying", "error", err, "in", r.poll)
			r.failed = true
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

// record makes the records that are due. It signs where there are new ones, or the last checkpoint did not arrive.
func (r *recorder) record(ctx context.Context) error {
	made, err := r.books.Evidence().Make(ctx)
	if err == nil && r.anchor != nil && (made > 0 || r.signed == 0 || r.failed) {
		err = r.sign(ctx)
	}
	if err == nil {
		r.failed = false
	}
	return err
}

func (r *recorder) sign(ctx context.Context) error {
	records, through, err := r.anchor(ctx)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil // the first day is not over
	}
	if err == nil && records != r.signed {
		r.signed = records
		r.log.Info("signed the records", "through", through.String(), "records", records)
	}
	return err
}
