// Package idempotency makes requests with an idempotency key idempotent: the response is stored
// under the caller's key, and a repeated request gets it again. It knows nothing of books or of HTTP.
package idempotency

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// ErrInFlight means that the same request is in flight: repeat it later.
const ErrInFlight ledger.ErrorKind = "the same request is being answered"

// ClaimLife is how long a request in flight excludes others with its key. After it the
// process that answered it is assumed dead. It is longer than a signed request is accepted
// (a minute, and the difference of clocks), so no replay can outlive it.
const ClaimLife = 3 * time.Minute

// Requests are the requests with a key, and their responses. All methods are safe for
// concurrent use, by several processes too.
type Requests struct {
	db    *db.DB
	clock func() time.Time
}

// New stores requests and responses in a database.
func New(d *db.DB, clock func() time.Time) *Requests { return &Requests{d, clock} }

// now is the clock's time in milliseconds since 1970.
func (r *Requests) now() int64 { return r.clock().UnixMilli() }

// Response is what a request was answered.
type Response struct {
	Status  int    // of HTTP, above zero
	Headers string // lines "Name: value", as few as are worth keeping
	Body    []byte
}

// Request identifies a request: who sent it, and under which key. Another request with the
// same key is ErrConflict.
type Request struct {
	Owner  string    // "key …" or "token …"
	Key    string    // the idempotency key, which the caller chooses
	Digest [32]byte  // the SHA-256 of the request
	Until  time.Time // when the response expires; in the future
}

// recordWait is how long the database may take to record the result of a request.
const recordWait = 10 * time.Second

// maxName is the length in bytes of the longest owner and key.
const maxName = 1000

// Do answers a request: the first time with the response of do, which is stored until Until
// if keep is true for it; later with the stored response, without calling do. Its errors
// are do's, ErrConflict if another request had the key, and ErrInFlight if another process
// or goroutine is answering it. After ClaimLife do may be called again for a request whose
// process died without a response, so do itself must be idempotent.
//
// do runs outside of any transaction, and runs to its end even if the caller disconnects:
// otherwise the result of what it began would be unknown. If it succeeds and its response
// cannot be stored, Do fails, and the request is not answered again before ClaimLife.
func (r *Requests) Do(
	ctx context.Context, q Request, keep func(Response) bool, do func(context.Context) (Response, error),
) (response Response, repeated bool, err error) {
	if err := q.check(r.clock()); err != nil {
		return Response{}, false, err
	}
	c := claim{Request: q, bucket: int64(ledger.Entry{ID: q.Owner + " " + q.Key}.Bucket()), at: r.now()}
	if err := r.db.Write(ctx, c.take); err != nil {
		return Response{}, false, fmt.Errorf("claim a request of %s: %w", q.Owner, err)
	}
	if c.kept != nil {
		return *c.kept, true, nil
	}
	answered := false
	defer func() {
		if !answered { // do has failed, or panicked, or its response is not kept
			if failed := r.record(ctx, c.release); failed != nil {
				err = errors.Join(err, fmt.Errorf("release the claim of a request of %s: %w", q.Owner, failed))
			}
		}
	}()
	if response, err = do(context.WithoutCancel(ctx)); err != nil {
		return Response{}, false, err
	}
	if answered = keep(response); !answered {
		return response, false, nil
	}
	if err := r.record(ctx, func(t db.Tx) error { return c.keep(t, response) }); err != nil {
		return Response{}, false, fmt.Errorf("keep the response to a request of %s: %w", q.Owner, err)
	}
	return response, false, nil
}

// record writes the result of a request, even if its caller has disconnected.
func (r *Requests) record(ctx context.Context, fn func(db.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWait)
	defer cancel()
	return r.db.Write(ctx, fn)
}

func (q Request) check(now time.Time) error {
	for _, text := range []string{q.Owner, q.Key} {
		if text == "" || len(text) > maxName || !utf8.ValidString(text) || strings.Contains(text, "\x00") {
			return ledger.ErrInvalid.In("", "a request's owner and key are text of 1 to %d bytes; %q is not",
				maxName, ledger.Clip(text))
		}
	}
	if !q.Until.After(now) {
		return ledger.ErrInvalid.In("", "a response kept until %s is not kept; it is %s",
			ledger.FormatTime(q.Until), ledger.FormatTime(now))
	}
	return nil
}

// claim is the row of a request in flight: its time identifies the owner.
type claim struct {
	Request
	bucket int64
	at     int64
	kept   *Response // the response, where there is one already
}

// take makes the claim, or finds the response. An expired claim is taken over with a later
// time than its own. If the acknowledgement of a commit was lost, it finds its own claim,
// and returns ErrInFlight.
func (c *claim) take(t db.Tx) error {
	c.kept = nil
	n, err := t.Exec(`INSERT INTO responses (bucket, owner, key, request, status, headers, body, claimed, until)
	                  VALUES ($1, $2, $3, $4, 0, '', $5, $6, $7) ON CONFLICT DO NOTHING`,
		c.bucket, c.Owner, c.Key, c.Digest[:], []byte{}, c.at, c.Until.UnixMilli())
	if err != nil || n > 0 {
		return err
	}
	var same bool
	var at, until int64
	there, found, err := db.First(t, func(r db.Row) (Response, error) {
		same, at, until = string(r.Bytes(3)) == string(c.Digest[:]), r.Int(4), r.Int(5)
		return Response{Status: int(r.Int(0)), Headers: r.Text(1), Body: r.Bytes(2)}, nil
	}, "SELECT status, headers, body, request, claimed, until FROM responses "+
		"WHERE bucket = $1 AND owner = $2 AND key = $3", c.bucket, c.Owner, c.Key)
	switch working := there.Status == 0 && at > c.at-ClaimLife.Milliseconds(); {
	case err != nil:
		return err
	case !found:
		return db.ErrRetry // removed at the same time
	case !same && until > c.at:
		return ledger.ErrConflict.In("", "key %q", ledger.Clip(c.Key))
	case working:
		return ErrInFlight
	case there.Status != 0 && until > c.at:
		c.kept = &there
		return nil
	}
	n, err = t.Exec(`UPDATE responses SET request = $1, status = 0, headers = '', body = $2, claimed = $3, until = $4
	                  WHERE bucket = $5 AND owner = $6 AND key = $7 AND claimed = $8 AND status = $9`,
		c.Digest[:], []byte{}, c.at, c.Until.UnixMilli(), c.bucket, c.Owner, c.Key, at, int64(there.Status))
	if err == nil && n == 0 {
		err = db.ErrRetry // another has taken it
	}
	return err
}

// keep writes the response, unless another has taken over the claim.
func (c *claim) keep(t db.Tx, a Response) error {
	if a.Status <= 0 {
		return fmt.Errorf("a response has a status above zero, not %d", a.Status)
	}
	_, err := t.Exec("UPDATE responses SET status = $1, headers = $2, body = $3 WHERE bucket = $4 AND owner = $5 "+
		"AND key = $6 AND status = 0 AND claimed = $7",
		int64(a.Status), a.Headers, append([]byte{}, a.Body...), c.bucket, c.Owner, c.Key, c.at)
	return err
}

// release removes the claim, so that a repeated request is answered immediately.
func (c *claim) release(t db.Tx) error {
	_, err := t.Exec("DELETE FROM responses WHERE bucket = $1 AND owner = $2 AND key = $3 AND status = 0 AND claimed = $4",
		c.bucket, c.Owner, c.Key, c.at)
	return err
}

// Prune removes expired responses, in small transactions. Repeating it has no further
// effect, and several processes may call it at the same time.
func (r *Requests) Prune(ctx context.Context) error {
	now := r.now()
	err := r.db.Prune(ctx, func(t db.View, most int) (db.Set, error) {
		old, err := db.All(t, func(r db.Row) (claim, error) {
			q := Request{Owner: r.Text(1), Key: r.Text(2), Until: db.TimeOf(r.Int(4))}
			return claim{Request: q, bucket: r.Int(0), at: r.Int(3)}, nil
		}, `SELECT bucket, owner, key, claimed, until FROM responses
		     WHERE until <= $1 AND (status <> 0 OR claimed <= $2) ORDER BY until LIMIT $3`, now, now-ClaimLife.Milliseconds(), int64(most))
		return db.SetOf(old,
			db.Int("bucket", func(c claim) int64 { return c.bucket }),
			db.Text("owner", func(c claim) string { return c.Owner }),
			db.Text("key", func(c claim) string { return c.Key }),
			db.Int("claimed", func(c claim) int64 { return c.at }),
			db.Int("until", func(c claim) int64 { return c.Until.UnixMilli() })), err
	}, "DELETE FROM responses WHERE bucket = $1 AND owner = $2 AND key = $3 AND claimed = $4 AND until = $5")
	if err != nil {
		return fmt.Errorf("remove old responses: %w", err)
	}
	return nil
}
