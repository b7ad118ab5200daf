package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"softstake/ledger"
)

// AttemptsKept is the longest window in which attempts are counted.
const AttemptsKept = 24 * time.Hour

// Attempt counts an attempt of somebody, before it is known whether it succeeds:
// at most so many in a window of time, which begins with the first and is at most
// AttemptsKept. wait is zero, or how long until the next is taken; then it was not
// counted. Attempts at one moment, in several processes too, are counted one by one.
// who is any text; only its hash is kept, since people type their password into the
// wrong field.
func (db *DB) Attempt(ctx context.Context, who string, most int, window time.Duration) (wait time.Duration, err error) {
	if most < 1 || window < time.Millisecond || window > AttemptsKept {
		return 0, fmt.Errorf("%w: %d attempts in %s; it is at least 1 in at most %s", ledger.ErrInvalid, most, window, AttemptsKept)
	}
	who = attemptedBy(who)
	err = db.engine.write(ctx, func(t tx) error {
		wait = 0
		now := db.now()
		// A window that begins later than it can is one of a clock that was put back.
		n, err := t.exec(`INSERT INTO attempts (bucket, who, since, tries) VALUES ($1, $2, $3, 1)
		                  ON CONFLICT (bucket, who) DO UPDATE SET
		                    tries = CASE WHEN attempts.since BETWEEN $4 AND $5 THEN attempts.tries + 1 ELSE 1 END,
		                    since = CASE WHEN attempts.since BETWEEN $4 AND $5 THEN attempts.since ELSE $3 END
		                  WHERE attempts.tries < $6 OR attempts.since NOT BETWEEN $4 AND $5`,
			keyBucket(who), who, now, now-window.Milliseconds()+1, now+window.Milliseconds(), int64(most))
		if err != nil || n > 0 {
			return err
		}
		var since int64
		found, err := one(t, []*int64{&since}, "SELECT since FROM attempts WHERE bucket = $1 AND who = $2", keyBucket(who), who)
		if err == nil && !found {
			err = errRetry // forgiven meanwhile
		}
		wait = max(timeOf(since).Add(window).Sub(timeOf(now)), time.Millisecond)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count an attempt: %w", err)
	}
	return wait, nil
}

// attemptedBy is how somebody is kept.
func attemptedBy(who string) string {
	sum := sha256.Sum256([]byte(who))
	return hex.EncodeToString(sum[:])
}

// Forgive forgets somebody's attempts, after one that succeeded. Safe to call twice.
func (db *DB) Forgive(ctx context.Context, who string) error {
	who = attemptedBy(who)
	err := db.engine.write(ctx, func(t tx) error {
		_, err := t.exec("DELETE FROM attempts WHERE bucket = $1 AND who = $2", keyBucket(who), who)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget attempts: %w", err)
	}
	return nil
}
