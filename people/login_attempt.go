package people

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// AttemptsKept is the longest window in which attempts are counted. Counters are removed
// after it, since an attacker on many networks makes many of them.
const AttemptsKept = time.Hour

// CountAttempt adds one to an attempt counter, before it is known whether the attempt
// succeeds. At most most attempts are allowed in a window, which begins with the first and
// is at most AttemptsKept. wait is zero, or how long until the next is allowed; then it was
// not counted. It is exact under concurrency, in several processes too. counter is any
// text; only its hash is stored, since people type their password into the wrong field.
func (p *People) CountAttempt(
	ctx context.Context, counter string, most int, window time.Duration,
) (wait time.Duration, err error) {
	if most < 1 || window < time.Millisecond || window > AttemptsKept {
		return 0, ledger.ErrInvalid.In("", "%d attempts in %s; it is at least 1 in at most %s",
			most, window, AttemptsKept)
	}
	key := attemptKey(counter)
	err = p.db.Write(ctx, func(t db.Tx) error {
		wait = 0
		now := p.now()
		// A window that begins later than it can is one of a clock that was put back.
		n, err := t.Exec(`INSERT INTO attempts (bucket, counter, since, tries) VALUES ($1, $2, $3, 1)
		                  ON CONFLICT (bucket, counter) DO UPDATE SET
		                    tries = CASE WHEN attempts.since BETWEEN $4 AND $5 THEN attempts.tries + 1 ELSE 1 END,
		                    since = CASE WHEN attempts.since BETWEEN $4 AND $5 THEN attempts.since ELSE $3 END
		                  WHERE attempts.tries < $6 OR attempts.since NOT BETWEEN $4 AND $5`,
			keyBucket(key), key, now, now-window.Milliseconds()+1, now+window.Milliseconds(), int64(most))
		if err != nil || n > 0 {
			return err
		}
		since, found, err := db.First(t, db.IntOf, "SELECT since FROM attempts WHERE bucket = $1 AND counter = $2",
			keyBucket(key), key)
		if err == nil && !found {
			err = db.ErrRetry // it was reset in between
		}
		wait = max(db.TimeOf(since).Add(window).Sub(db.TimeOf(now)), time.Millisecond)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count an attempt: %w", err)
	}
	return wait, nil
}

// How many recipients an account may look up in a window, found or not, on the pages and by
// every API together. A sender needs few of them; whoever wants to enumerate accounts needs
// many.
const (
	MostRecipients   = 60
	RecipientsWindow = time.Hour
)

// CountRecipient counts that an account looks up a recipient, before it is known whether
// there is one. wait is that of CountAttempt.
func (p *People) CountRecipient(ctx context.Context, from ledger.Account) (wait time.Duration, err error) {
	return p.CountAttempt(ctx, "send "+string(from), MostRecipients, RecipientsWindow)
}

// attemptKey is the hash of a counter's name.
func attemptKey(counter string) string {
	sum := sha256.Sum256([]byte(counter))
	return hex.EncodeToString(sum[:])
}

// UncountAttempts subtracts one from each counter, none below zero: for an attempt that was
// counted, and succeeded or was not made.
func (p *People) UncountAttempts(ctx context.Context, counters ...string) error {
	return p.changeAttempts(ctx, "take back an attempt",
		"UPDATE attempts SET tries = tries - 1 WHERE bucket = $1 AND counter = $2 AND tries > 0", counters)
}

// ResetAttempts sets a counter to zero, after an attempt that succeeded. Repeating has
// no further effect.
func (p *People) ResetAttempts(ctx context.Context, counter string) error {
	return p.changeAttempts(ctx, "reset a counter of attempts", "DELETE FROM attempts WHERE bucket = $1 AND counter = $2",
		[]string{counter})
}

// changeAttempts runs a statement for the key of each counter.
func (p *People) changeAttempts(ctx context.Context, what, sql string, counters []string) error {
	return p.write(ctx, what, func(t db.Tx) error {
		for _, counter := range counters {
			key := attemptKey(counter)
			if _, err := t.Exec(sql, keyBucket(key), key); err != nil {
				return err
			}
		}
		return nil
	})
}
