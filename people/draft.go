package people

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// Draft is a form that a person has filled in and not confirmed yet. It belongs to a
// session, and never changes: different content is another draft.
type Draft struct {
	ID      string // made by the caller of what the draft says; 1 to 64 of a-z 0-9 -
	Account ledger.Account
	Session string // the ID of the session that it was made in
	Path    string // of the form
	Body    string // the fields, as a form is encoded
	Expires time.Time
}

const (
	// MaxDrafts is the most drafts of an account; the oldest ones above it are removed.
	MaxDrafts = 50
	// DraftLife is how long a draft is there that is not used.
	DraftLife = 24 * time.Hour
	// longestDraft is the largest size of a draft's fields, in bytes.
	longestDraft = 16 << 10
)

// AddDraft stores a draft of a session until DraftLife from now; Expires is ignored. Adding
// it again only extends its life, and moves it to the current session. ErrNotFound if the
// account has no such session, or it has ended; ErrInvalid for an invalid draft.
func (p *People) AddDraft(ctx context.Context, d Draft) error {
	if !isDraftID(d.ID) || !strings.HasPrefix(d.Path, "/") || len(d.Body) > longestDraft {
		return ledger.ErrInvalid.In("", "a draft has an ID, a path, and at most %d bytes of fields", longestDraft)
	}
	if !access.IsTokenID(d.Session) {
		return noSession(d.Session)
	}
	return p.write(ctx, "keep a draft of "+ledger.Clip(string(d.Account)), func(t db.Tx) error {
		if err := p.books.Actor().CheckOwns(d.Account); err != nil {
			return err
		}
		now := p.now()
		// The end of the session takes the same lock, and removes its drafts.
		n, err := t.Exec("UPDATE sessions SET expires = expires "+
			"WHERE bucket = $1 AND id = $2 AND account = $3 AND expires > $4",
			keyBucket(d.Session), d.Session, string(d.Account), now)
		if err == nil && n == 0 {
			err = noSession(d.Session)
		}
		if err != nil {
			return err
		}
		if _, err := t.Exec(`INSERT INTO drafts (bucket, account, id, session, path, body, created, expires)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (bucket, account, id) DO UPDATE SET session = excluded.session, path = excluded.path,
			  body = excluded.body, created = excluded.created, expires = excluded.expires`,
			int64(d.Account.Bucket()), string(d.Account), d.ID, d.Session, d.Path, d.Body, now,
			now+DraftLife.Milliseconds()); err != nil {
			return err
		}
		return removeOldDrafts(t, d)
	})
}

// removeOldDrafts removes the oldest drafts above MaxDrafts.
func removeOldDrafts(t db.Tx, added Draft) error {
	others, err := db.All(t, db.TextOf,
		"SELECT id FROM drafts WHERE bucket = $1 AND account = $2 AND id <> $3 ORDER BY created DESC, id",
		int64(added.Account.Bucket()), string(added.Account), added.ID)
	if err != nil {
		return err
	}
	for _, id := range others[min(len(others), MaxDrafts-1):] {
		if err := removeDraft(t, added.Account, id); err != nil {
			return err
		}
	}
	return nil
}

func removeDraft(t db.Tx, account ledger.Account, id string) error {
	_, err := t.Exec("DELETE FROM drafts WHERE bucket = $1 AND account = $2 AND id = $3",
		int64(account.Bucket()), string(account), id)
	return err
}

// Draft is an account's draft of an ID; ErrNotFound if there is none any more.
func (r Reader) Draft(ctx context.Context, account ledger.Account, id string) (Draft, error) {
	if !isDraftID(id) {
		return Draft{}, noDraft(id)
	}
	return look(ctx, r, "draft", func(t db.View) (Draft, error) {
		d, found, err := db.First(t, func(r db.Row) (Draft, error) {
			return Draft{
				ID: id, Account: account, Session: r.Text(0), Path: r.Text(1), Body: r.Text(2),
				Expires: db.TimeOf(r.Int(3)),
			}, nil
		}, "SELECT session, path, body, expires FROM drafts "+
			"WHERE bucket = $1 AND account = $2 AND id = $3 AND expires > $4",
			int64(account.Bucket()), string(account), id, r.now())
		if err == nil && !found {
			err = noDraft(id)
		}
		return d, err
	})
}

// LastDraft is the latest draft of a form that an account has made in a session; ErrNotFound if there is none any more.
func (r Reader) LastDraft(ctx context.Context, account ledger.Account, session, path string) (Draft, error) {
	return look(ctx, r, "draft", func(t db.View) (Draft, error) {
		d, found, err := db.First(t, func(r db.Row) (Draft, error) {
			return Draft{
				ID: r.Text(0), Account: account, Session: session, Path: path, Body: r.Text(1), Expires: db.TimeOf(r.Int(2)),
			}, nil
		}, "SELECT id, body, expires FROM drafts WHERE bucket = $1 AND account = $2 AND session = $3 AND path = $4 "+
			"AND expires > $5 ORDER BY created DESC, id LIMIT 1",
			int64(account.Bucket()), string(account), session, path, r.now())
		if err == nil && !found {
			err = noDraft(path)
		}
		return d, err
	})
}

func noDraft(id string) error { return ledger.ErrNotFound.In("", "a draft %q", ledger.Clip(id)) }

func isDraftID(id string) bool {
	return id != "" && len(id) <= 64 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// RemoveDraft removes a draft that was used. Repeating has no further effect.
func (p *People) RemoveDraft(ctx context.Context, account ledger.Account, id string) error {
	if !isDraftID(id) {
		return nil
	}
	return p.write(ctx, "remove a draft of "+ledger.Clip(string(account)), func(t db.Tx) error {
		if err := p.books.Actor().CheckOwns(account); err != nil {
			return err
		}
		return removeDraft(t, account, id)
	})
}

// endSessions ends an account's sessions that match a condition, with their drafts, and
// returns how many. A session that expires keeps its drafts: a person who logs in again
// finds them.
func endSessions(t db.Tx, account ledger.Account, where string, args ...any) (int64, error) {
	// their locks, which AddDraft takes first
	if _, err := t.Exec("UPDATE sessions SET expires = expires WHERE "+where, args...); err != nil {
		return 0, err
	}
	n := len(args)
	of := fmt.Sprintf("DELETE FROM drafts WHERE bucket = $%d AND account = $%d AND session IN (SELECT id "+
		"FROM sessions WHERE %s)", n+1, n+2, where)
	if _, err := t.Exec(of, append(args[:n:n], int64(account.Bucket()), string(account))...); err != nil {
		return 0, err
	}
	return t.Exec("DELETE FROM sessions WHERE "+where, args...)
}
