package people

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
)

// StaffLogIn is a log-in that was begun at the OpenID provider: what its answer is compared with.
type StaffLogIn struct {
	State    string   // random, in the address that the provider sends the browser back to
	Browser  [32]byte // SHA-256 of a random text that only the browser has that began it
	Nonce    string   // random, comes back in the ID token
	Verifier string   // of PKCE
	Email    string   // of a step-up: the person who must come back; "": anybody
	Digest   string   // of a step-up: what it permits; "": it is a log-in
	Next     string   // the page after it
	Made     time.Time
	Expires  time.Time
}

// StaffLogInLife is how long a person may take at the provider.
const StaffLogInLife = 10 * time.Minute

// BeginStaffLogIn stores a log-in that begins now.
func (p *People) BeginStaffLogIn(ctx context.Context, l StaffLogIn) error {
	return p.write(ctx, "begin a log-in of staff", func(t db.Tx) error {
		now := p.now()
		_, err := t.Exec(`INSERT INTO staff_log_ins (bucket, state, browser, nonce, verifier, email, digest, next, made,
		  expires) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, keyBucket(l.State), l.State, l.Browser[:], l.Nonce,
			l.Verifier, l.Email, l.Digest, l.Next, now, now+StaffLogInLife.Milliseconds())
		return err
	})
}

// TakeStaffLogIn reads the log-in of a state, and removes it: it is used once, also by callers at the same time.
// access.ErrUnknown if there is none, or its time is over.
func (p *People) TakeStaffLogIn(ctx context.Context, state string) (l StaffLogIn, err error) {
	err = p.write(ctx, "take a log-in of staff", func(t db.Tx) error {
		found := false
		l, found, err = db.First(t, scanStaffLogIn, "SELECT state, browser, nonce, verifier, email, digest, next, made, "+
			"expires FROM staff_log_ins WHERE bucket = $1 AND state = $2 AND expires > $3", keyBucket(state), state, p.now())
		if err != nil {
			return err
		}
		n, err := t.Exec("DELETE FROM staff_log_ins WHERE bucket = $1 AND state = $2", keyBucket(state), state)
		if err == nil && (!found || n == 0) {
			err = access.ErrUnknown
		}
		return err
	})
	if err != nil {
		return StaffLogIn{}, err
	}
	return l, nil
}

func scanStaffLogIn(r db.Row) (StaffLogIn, error) {
	l := StaffLogIn{State: r.Text(0), Nonce: r.Text(2), Verifier: r.Text(3), Email: r.Text(4), Digest: r.Text(5),
		Next: r.Text(6), Made: db.TimeOf(r.Int(7)), Expires: db.TimeOf(r.Int(8))}
	if n := copy(l.Browser[:], r.Bytes(1)); n != len(l.Browser) {
		return l, fmt.Errorf("a log-in of staff in the books has a hash of %d bytes", n)
	}
	return l, nil
}
