package cli

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/softstake/softstake/demo"
	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/web"
)

const (
	// tick is how often the town lives on while nobody moves its clock.
	tick = time.Second
	// tickAgain is how long it rests when that has failed.
	tickAgain = time.Minute
)

// player moves the town's clock for its visitors: web.Play.
type player struct {
	town     *demo.Town
	visitors []web.Visitor
	latest   func() time.Time // the clock is not moved beyond it; nil: it has no end
	log      *slog.Logger
	every    time.Duration
	signer   *evidence.Signer // nil: the days are recorded, and not signed

	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup

	mu       sync.Mutex
	progress web.Progress
}

// newPlayer makes the player of a town. Books that are kept are ordinary ones,
// which have no tomorrow.
func newPlayer(env *Env, town *demo.Town, visitors []web.Visitor, log *slog.Logger) *player {
	p := &player{town: town, visitors: visitors, log: log, every: tick}
	if env.DBGiven {
		p.latest = env.Now
	}
	return p
}

// anchor makes the records of the days so far, and signs them with a key that is gone with the town. It returns the
// public key, or "": books that are kept are signed by whoever keeps them.
func (p *player) anchor(env *Env) (public string, err error) {
	if env.DBGiven {
		return "", nil
	}
	private, public, err := evidence.NewKey(env.Random, "town.example/softstake")
	if err != nil {
		return "", err
	}
	signer, _, err := evidence.KeySigner(private)
	p.signer = &signer
	if err == nil {
		err = p.record(env.Context)
	}
	return public, err
}

// record makes and signs the records that are due.
func (p *player) record(ctx context.Context) error {
	if p.signer == nil {
		return nil
	}
	_, err := p.town.Books.Evidence().Make(ctx)
	if err == nil {
		_, _, err = p.town.Books.Evidence().Sign(ctx, *p.signer)
	}
	if errors.Is(err, ledger.ErrNotFound) {
		return nil // no day is over
	}
	return err
}

// lives lets happen what is due at a moment, and records the days that are over.
func (p *player) lives(to time.Time, progress func(done, of int)) error {
	err := p.town.Move(p.ctx, to, progress)
	if err == nil {
		err = p.record(p.ctx)
	}
	return err
}

// begin lets the town live on with its clock, until end or the context's.
func (p *player) begin(ctx context.Context) {
	p.ctx, p.stop = context.WithCancel(ctx)
	p.work.Go(p.live)
}

// end stops whatever moves.
func (p *player) end() {
	p.stop()
	p.work.Wait()
}

// live lets happen what is due by the clock, again and again.
func (p *player) live() {
	timer := time.NewTimer(p.every)
	defer timer.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-timer.C:
		}
		wait := p.every
		if err := p.lives(p.town.Clock.Now(), nil); err != nil && p.ctx.Err() == nil {
			p.log.Error("the town does not live on; retrying", "error", plain(err), "in", tickAgain)
			wait = tickAgain
		}
		timer.Reset(wait)
	}
}

// Move begins to move the clock on. ledger.ErrInvalid if that is beyond where it may go.
func (p *player) Move(by time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.progress.Moving {
		return nil
	}
	if err := p.ctx.Err(); err != nil {
		return err
	}
	from := p.town.Clock.Now()
	to := from.Add(by)
	if p.latest != nil && to.After(p.latest()) {
		return ledger.ErrInvalid.In("", "%s lies ahead, and these books are kept", to.Format(time.DateTime))
	}
	p.progress = web.Progress{Moving: true, From: from, To: to}
	p.work.Go(func() { p.move(to) })
	return nil
}

// move moves the clock, and keeps how far it is.
func (p *player) move(to time.Time) {
	err := p.lives(to, func(done, of int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.progress.Done, p.progress.Of = done, of
	})
	if err != nil && p.ctx.Err() == nil {
		p.log.Error("the clock was not moved to its end", "to", to, "error", plain(err))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress.Moving, p.progress.Err = false, err
}

// Progress is how far the clock has come.
func (p *player) Progress() web.Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.progress
}

// Visitors are those whose shoes one may put on.
func (p *player) Visitors() []web.Visitor { return p.visitors }
