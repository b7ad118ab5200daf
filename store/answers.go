package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/softstake/softstake/ledger"
)

// ErrBusy says that the same request is being answered at this moment.
var ErrBusy = errors.New("the same request is being answered")

// AnswerWait is how long a request is waited for that is being answered. After it
// whoever was at it is taken to have gone away. It is longer than any signed request
// can be accepted (a minute, and what clocks differ): a repeated one cannot outlive it.
const AnswerWait = 3 * time.Minute

// Answer is what a request was answered.
type Answer struct {
	Status  int    // of HTTP, above zero
	Headers string // lines "Name: value", as few as are worth keeping
	Body    []byte
}

// Asked names a request that is to be answered once: who asked, and under which
// key. Another request under the same key is a mistake.
type Asked struct {
	Owner   string    // "key …" or "token …"
	Key     string    // the caller's
	Request [32]byte  // the SHA-256 of what was asked
	Until   time.Time // how long the answer is kept; it lies ahead
}

// afterwardsWait is how long the books may take to hear what became of a request.
const afterwardsWait = 10 * time.Second

// maxAsked is the length in bytes of the longest owner and key.
const maxAsked = 1000

// Once answers a request once: the first time with what do returns, which is kept
// until Until where keep says so; then with what was kept, and do is not called.
// Its errors are do's, ErrMismatch where another request had the key, and ErrBusy
// where another process or goroutine is answering it; one that went away without
// an answer is succeeded after AnswerWait, and so do is safe to call twice.
//
// do runs outside of any transaction, and to its end also when the caller goes away:
// else nobody would know whether what it began was done. Where it has succeeded and its answer cannot
// be kept, that is an error, and the request is not answered again before AnswerWait.
func (db *DB) Once(ctx context.Context, a Asked, keep func(Answer) bool, do func(context.Context) (Answer, error)) (answer Answer, repeated bool, err error) {
	if err := a.check(timeOf(db.now())); err != nil {
		return Answer{}, false, err
	}
	c := claim{Asked: a, bucket: int64(ledger.Entry{ID: a.Owner + " " + a.Key}.Bucket()), at: db.now()}
	if err := db.engine.Write(ctx, c.take); err != nil {
		return Answer{}, false, fmt.Errorf("claim the answer to a request of %s: %w", a.Owner, err)
	}
	if c.kept != nil {
		return *c.kept, true, nil
	}
	answered := false
	defer func() {
		if !answered { // do has failed, or panicked, or its answer is not kept
			if gaveUp := db.afterwards(ctx, c.release); gaveUp != nil {
				err = errors.Join(err, fmt.Errorf("give the claim to a request of %s up: %w", a.Owner, gaveUp))
			}
		}
	}()
	if answer, err = do(context.WithoutCancel(ctx)); err != nil {
		return Answer{}, false, err
	}
	if answered = keep(answer); !answered {
		return answer, false, nil
	}
	if err := db.afterwards(ctx, func(t tx) error { return c.keep(t, answer) }); err != nil {
		return Answer{}, false, fmt.Errorf("keep the answer to a request of %s: %w", a.Owner, err)
	}
	return answer, false, nil
}

// afterwards writes what became of a request, also where its caller has gone away
// meanwhile: what was done is to be known all the same.
func (db *DB) afterwards(ctx context.Context, fn func(tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterwardsWait)
	defer cancel()
	return db.engine.Write(ctx, fn)
}

func (a Asked) check(now time.Time) error {
	for _, text := range []string{a.Owner, a.Key} {
		if text == "" || len(text) > maxAsked || !utf8.ValidString(text) || strings.Contains(text, "\x00") {
			return fmt.Errorf("%w: a request's owner and key are text of 1 to %d bytes; %q is not", ledger.ErrInvalid, maxAsked, ledger.Clip(text))
		}
	}
	if !a.Until.After(now) {
		return fmt.Errorf("%w: an answer kept until %s is not kept; it is %s", ledger.ErrInvalid, stamp(a.Until.UnixMilli()), stamp(now.UnixMilli()))
	}
	return nil
}

// claim is the row that says who is answering a request: since when is whose it is.
type claim struct {
	Asked
	bucket int64
	at     int64
	kept   *Answer // the answer, where there is one already
}

// take makes the claim, or finds the answer. A claim that is over, or whose maker
// went away, is taken over at a later moment than its own: the moment tells whose
// the row is. Where a commit's answer was lost it finds itself, and says ErrBusy.
func (c *claim) take(t tx) error {
	c.kept = nil
	n, err := t.Exec(`INSERT INTO answers (bucket, owner, key, request, status, headers, body, claimed, until)
	                  VALUES ($1, $2, $3, $4, 0, '', $5, $6, $7) ON CONFLICT DO NOTHING`,
		c.bucket, c.Owner, c.Key, c.Request[:], []byte{}, c.at, c.Until.UnixMilli())
	if err != nil || n > 0 {
		return err
	}
	var there Answer
	var same, found bool
	var at, until int64
	err = t.Query(func(r row) error {
		there = Answer{Status: int(r.Int(0)), Headers: r.Text(1), Body: r.Bytes(2)}
		same, found = string(r.Bytes(3)) == string(c.Request[:]), true
		at, until = r.Int(4), r.Int(5)
		return nil
	}, "SELECT status, headers, body, request, claimed, until FROM answers WHERE bucket = $1 AND owner = $2 AND key = $3", c.bucket, c.Owner, c.Key)
	switch working := there.Status == 0 && at > c.at-AnswerWait.Milliseconds(); {
	case err != nil:
		return err
	case !found:
		return errRetry // forgotten meanwhile
	case !same && until > c.at:
		return fmt.Errorf("%w: key %q", ledger.ErrMismatch, ledger.Clip(c.Key))
	case working:
		return ErrBusy
	case there.Status != 0 && until > c.at:
		c.kept = &there
		return nil
	}
	n, err = t.Exec(`UPDATE answers SET request = $1, status = 0, headers = '', body = $2, claimed = $3, until = $4
	                  WHERE bucket = $5 AND owner = $6 AND key = $7 AND claimed = $8 AND status = $9`,
		c.Request[:], []byte{}, c.at, c.Until.UnixMilli(), c.bucket, c.Owner, c.Key, at, int64(there.Status))
	if err == nil && n == 0 {
		err = errRetry // another has taken it
	}
	return err
}

// keep writes the answer, unless another has succeeded to the claim.
func (c *claim) keep(t tx, a Answer) error {
	if a.Status <= 0 {
		return fmt.Errorf("an answer has a status above zero, not %d", a.Status)
	}
	_, err := t.Exec("UPDATE answers SET status = $1, headers = $2, body = $3 WHERE bucket = $4 AND owner = $5 AND key = $6 AND status = 0 AND claimed = $7",
		int64(a.Status), a.Headers, append([]byte{}, a.Body...), c.bucket, c.Owner, c.Key, c.at)
	return err
}

// release gives the claim up, so that the request can be answered at once when it comes again.
func (c *claim) release(t tx) error {
	_, err := t.Exec("DELETE FROM answers WHERE bucket = $1 AND owner = $2 AND key = $3 AND status = 0 AND claimed = $4", c.bucket, c.Owner, c.Key, c.at)
	return err
}
