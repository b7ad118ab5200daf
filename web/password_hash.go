package web

import (
	"context"
	"errors"
	"time"

	"github.com/softstake/softstake/access"
)

const (
	hashesAtOnce    = 2               // of strangers, and as many of others; each takes 19 MiB and a core
	hashPatience    = 3 * time.Second // how long one waits for one's turn
	againIfBusy     = 5 * time.Second // after which one may come again who has waited in vain
	mostHashing     = 100             // who hash, or wait for their turn
	mostHashingFrom = 8               // of one network
	mostHashingOf   = 3               // of one person
)

// errBusy is returned if too many passwords are hashed at the same time.
var errBusy = errors.New("too many passwords are checked at the same time")

// turns limit how many passwords are hashed at the same time. No single client can make all
// others wait.
type turns struct {
	running chan struct{} // holds one for each that is hashed
	waiting *access.Limiter[string]
}

// newTurns lets so many of one wait at the same time.
func newTurns(each int) *turns {
	return &turns{running: make(chan struct{}, hashesAtOnce), waiting: access.NewLimiter[string](mostHashing, each)}
}

// inTurn calls what hashes a password when it is the caller's turn. errBusy if that
// does not come in time, or if too many wait already.
func (t *turns) inTurn(ctx context.Context, who string, do func() error) error {
	if !t.waiting.Acquire(who) {
		return errBusy
	}
	defer t.waiting.Release(who)
	patience := time.NewTimer(hashPatience)
	defer patience.Stop()
	select {
	case t.running <- struct{}{}:
		defer func() { <-t.running }()
		return do()
	case <-patience.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}
