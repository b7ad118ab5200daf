package people

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
)

// AddToken adds a bearer token; its Created is now. Repeating it has no further effect;
// different content is ErrConflict. With four eyes access.ErrForbidden for a token with which another person than who
// asks for it would propose or approve. ErrNotFound if a holder's account was never opened;
// ErrInvalid if it is closed, and for an invalid token.
func (p *People) AddToken(ctx context.Context, k access.Token) error {
	err := k.Valid()
	if err == nil {
		err = checkCredential(k.Label, k.Expires, db.TimeOf(p.now()))
	}
	if err == nil {
		err = p.checkCeilings(ctx, k)
	}
	if err != nil {
		return fmt.Errorf("add a token: %w", err)
	}
	return p.write(ctx, "add a token", func(t db.Tx) error {
		if k.Lasts > 0 {
			if err := p.checkOnlyBreakGlass(t, k); err != nil {
				return err
			}
		}
		if k.Role == access.Holder {
			if err := p.lockOpenAccount(t, k.Account); err != nil {
				return err
			}
		}
		n, err := t.Exec(`INSERT INTO tokens (bucket, id, hash, role, account, label, created, expires, revoked,
			  authoritative, person, addresses, subject, ceilings, lasts, opened)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11, $12, $13, $14, 0) ON CONFLICT DO NOTHING`,
			keyBucket(k.ID), k.ID, k.Hash[:], access.FormatRole(k.Role, k.Parts), string(k.Account), k.Label, p.now(),
			db.MillisOf(k.Expires), db.Flag(k.Authoritative), k.Person, access.FormatAddresses(k.Addresses), k.Subject,
			string(k.Ceilings), k.Lasts.Milliseconds())
		if err != nil {
			return err
		}
		if n > 0 {
			if err := p.guard.Sign(t, integrity.Tokens, ofID, keyBucket(k.ID), k.ID); err != nil {
				return err
			}
			err := p.books.Permit(t, true, control.CreateToken, k, k.ID, lifeOf(k))
			if errors.Is(err, control.ErrNeedsApproval) {
				err = cmp.Or(checkAskedByItsPerson(p.books.Actor(), k), err)
			}
			if err != nil {
				return err
			}
			return p.books.Log(t, "token create", k.ID, lifeOf(k))
		}
		there, err := findToken(t, p.guard, k.ID)
		if err == nil && (there.Hash != k.Hash || there.Role != k.Role || there.Parts != k.Parts ||
			there.Account != k.Account || there.Label != k.Label || there.Person != k.Person ||
			there.Authoritative != k.Authoritative ||
			!slices.Equal(there.Addresses, k.Addresses) || there.Subject != k.Subject ||
			there.Ceilings != k.Ceilings.Complete(k.Parts) || there.Lasts != k.Lasts ||
			db.MillisOf(there.Expires) != db.MillisOf(k.Expires)) {
			err = ledger.ErrConflict.In("", "token %s", k.ID)
		}
		return err
	})
}

// checkAskedByItsPerson refuses to propose a token with which another person would propose or approve: whoever asks for
// a token sees its secret, and so could do both. A break-glass credential is a person of its own: its use is an alarm.
func checkAskedByItsPerson(by access.Actor, k access.Token) error {
	if k.Person == "" || k.Person == by.Person || k.Lasts > 0 || !k.Role.Proposes() && k.Role != access.Approver {
		return nil
	}
	return access.ErrForbidden.In("person", "whoever asks for a token sees it: with four eyes one of the role %s is "+
		"asked for by the person whose it is, %s, and approved by another", k.Role, k.Person).Because(ReasonAnothersToken)
}

// checkCeilings refuses ceilings of assets that the books do not keep, and amounts with more decimals than they have.
func (p *People) checkCeilings(ctx context.Context, k access.Token) error {
	for _, symbol := range k.Ceilings.Assets() {
		asset, err := p.books.Asset(ctx, symbol)
		for _, m := range []access.Measure{access.OfDeposits, access.OfTrades, access.OfDesk, access.OfWithdrawals} {
			if err == nil {
				_, err = k.Ceilings.Of(m, asset)
			}
		}
		if err != nil {
			return ledger.At("ceilings", err)
		}
	}
	return nil
}

// lifeOf describes a token that is made.
func lifeOf(k access.Token) string {
	until := "without an end"
	if !k.Expires.IsZero() {
		until = "until " + ledger.FormatTime(k.Expires)
	}
	return labeled(k.Describe()+", "+until, k)
}

// labeled describes a token in the log: without the label of a holder's, which may name a person.
func labeled(what string, k access.Token) string {
	if k.Label == "" || k.Role == access.Holder {
		return what
	}
	return what + ": " + k.Label
}

var tokenColumns = integrity.Tokens.Select()

// ofID is the condition of the row of an ID, which lies in its bucket.
const ofID = "bucket = $1 AND id = $2"

func scanToken(r db.Row) (k access.Token, err error) {
	k = access.Token{
		ID: r.Text(0), Account: ledger.Account(r.Text(3)), Label: r.Text(4),
		Created: db.TimeOf(r.Int(5)), Expires: db.TimeOrZero(r.Int(6)), Revoked: db.TimeOrZero(r.Int(7)),
		Authoritative: r.Int(8) != 0, Person: r.Text(9), Subject: r.Text(11),
		Ceilings: access.Ceilings(r.Text(12)), Lasts: time.Duration(r.Int(13)) * time.Millisecond,
		Opened: db.TimeOrZero(r.Int(14)),
	}
	if k.Addresses, err = access.ParseAddresses(r.Text(10)); err != nil {
		return k, fmt.Errorf("the books' token %s: %w", k.ID, err)
	}
	// A token from before there were parts has the role exchange, and so all of them.
	if k.Role, k.Parts, err = access.ParseRoleAndParts(r.Text(2)); err != nil {
		return k, fmt.Errorf("the books' token %s: %w", k.ID, err)
	}
	k.Ceilings = k.Ceilings.Complete(k.Parts)
	if n := copy(k.Hash[:], r.Bytes(1)); n != len(k.Hash) {
		return k, fmt.Errorf("the books' token %s has a hash of %d bytes", k.ID, n)
	}
	return k, nil
}

// findToken reads the token of an ID; ErrNotFound if there is none.
func findToken(t db.View, g *integrity.Guard, id string) (access.Token, error) {
	k, found, err := db.First(t, checked(g, integrity.Tokens, scanToken), tokenColumns+"WHERE "+ofID, keyBucket(id), id)
	if err == nil && !found {
		err = noToken(id)
	}
	return k, err
}

func noToken(id string) error {
	// Never the secret that follows the ID in a whole token.
	return ledger.ErrNotFound.In("", "token %.16q", id).Because(ReasonUnknownToken)
}

// CheckLive is access.ErrUnknown where a credential, as access.Actor has it, is a token that is revoked or expired at
// now, or of one of staff who is disabled; and where there is none. Of other credentials it says nothing.
func CheckLive(t db.View, g *integrity.Guard, credential string, now time.Time) (err error) {
	kind, name, _ := strings.Cut(credential, " ")
	switch kind {
	case "token":
		var k access.Token
		if k, err = findToken(t, g, name); err == nil {
			err = k.Live(now)
		}
	case "staff":
		var s access.Staff
		if s, err = findStaff(t, g, name); err == nil && !s.Disabled.IsZero() {
			err = access.ErrUnknown
		}
	}
	if errors.Is(err, ledger.ErrNotFound) {
		err = access.ErrUnknown
	}
	return err
}

// Token is the bearer token of an ID, also a revoked one; ErrNotFound if there is none. It reads the
// token's row, each time: what another process has revoked holds at once.
func (r Reader) Token(ctx context.Context, id string) (access.Token, error) {
	if !access.IsTokenID(id) {
		return access.Token{}, noToken(id)
	}
	return look(ctx, r, "token", func(t db.View) (access.Token, error) { return findToken(t, r.guard, id) })
}

// Tokens are all bearer tokens, also the revoked ones, the oldest first.
func (r Reader) Tokens(ctx context.Context) ([]access.Token, error) {
	return list(ctx, r, "tokens", "", scanToken, tokenColumns+"ORDER BY created, id")
}

// mostListed is how many tokens ExpiringTokens and UnlimitedTokens have at most.
const mostListed = 100

// ExpiringTokens are the tokens of staff and of back ends that end soon (access.ExpiresSoon), the first to end first;
// at most 100.
func (r Reader) ExpiringTokens(ctx context.Context) ([]access.Token, error) {
	now := r.now()
	return list(ctx, r, "tokens that end soon", "", scanToken, tokenColumns+"WHERE expires > $1 AND expires <= $2 "+
		"AND revoked = 0 AND role <> $3 ORDER BY expires, id LIMIT $4",
		now, now+access.ExpiresSoon.Milliseconds(), string(access.Holder), int64(mostListed))
}

// UnlimitedTokens are the tokens of back ends that can be used and have no ceilings: those that were made without, and
// those of before there were any. The oldest first; at most 100.
func (r Reader) UnlimitedTokens(ctx context.Context) ([]access.Token, error) {
	args, others := []any{r.now(), int64(mostListed)}, []string(nil)
	for _, role := range access.Roles {
		if role != access.Exchange { // whose name in the books is that of its parts
			args = append(args, string(role))
			others = append(others, fmt.Sprintf("$%d", len(args)))
		}
	}
	return list(ctx, r, "tokens without ceilings", "", scanToken, tokenColumns+"WHERE ceilings = '' AND revoked = 0 "+
		"AND (expires = 0 OR expires > $1) AND role NOT IN ("+strings.Join(others, ", ")+") ORDER BY created, id LIMIT $2",
		args...)
}

// UsableTokens are the hashes of the tokens of staff and of back ends that are neither revoked nor expired; at most n,
// the newest first.
func (r Reader) UsableTokens(ctx context.Context, n int) ([][32]byte, error) {
	return list(ctx, r, "tokens that can be used", "", func(r db.Row) (hash [32]byte, err error) {
		if copy(hash[:], r.Bytes(0)) != len(hash) {
			err = errors.New("a token's hash has not 32 bytes")
		}
		return hash, err
	}, "SELECT hash FROM tokens WHERE revoked = 0 AND role <> $1 AND (expires = 0 OR expires > $2) "+
		"ORDER BY created DESC, id LIMIT $3", string(access.Holder), r.now(), int64(n))
}

// breakGlassMark names the row of meta that is locked where a break-glass credential is made.
const breakGlassMark = "break_glass"

// checkOnlyBreakGlass is ErrConflict where there is another break-glass credential that can be used. It locks, so that
// of two that are made at the same time one is refused.
func (p *People) checkOnlyBreakGlass(t db.Tx, k access.Token) error {
	if _, err := t.Exec(`INSERT INTO meta (name, value) VALUES ($1, $2)
	                     ON CONFLICT (name) DO UPDATE SET value = excluded.value`, breakGlassMark, k.ID); err != nil {
		return err
	}
	n, err := db.Count(t, `SELECT count(*) FROM tokens WHERE lasts > 0 AND id <> $1 AND revoked = 0 AND expires > $2
	                          AND (opened = 0 OR opened + lasts > $2)`, k.ID, p.now())
	if err == nil && n > 0 {
		err = ledger.ErrConflict.In("", "there is a break-glass credential that can be used; revoke it first")
	}
	return err
}

// OpenToken records the first use of a break-glass credential, from which on its time runs, and reports whether it was
// the first. Repeating it has no further effect; ErrNotFound if there is none of the ID.
func (p *People) OpenToken(ctx context.Context, id string) (first bool, err error) {
	err = p.write(ctx, "open a break-glass credential", func(t db.Tx) error {
		n := int64(0)
		err := p.guard.Change(t, integrity.Tokens, func() (err error) {
			n, err = t.Exec("UPDATE tokens SET opened = $1 WHERE bucket = $2 AND id = $3 AND opened = 0 AND lasts > 0",
				p.now(), keyBucket(id), id)
			return err
		}, ofID, keyBucket(id), id)
		if err != nil {
			return err
		}
		k, err := findToken(t, p.guard, id)
		first = err == nil && n > 0
		if !first {
			return err
		}
		if err := p.alarm(t, NoticeBreakGlass, id); err != nil {
			return err
		}
		return p.books.Log(t, "break-glass", id, "used for the first time; it ends on "+ledger.FormatTime(k.Ends()))
	})
	return first, err
}

// alarm sends mail to each admin of staff, in the transaction of what it is about.
func (p *People) alarm(t db.Tx, kind NoticeKind, facts ...string) error {
	admins, err := db.All(t, db.TextOf, "SELECT email FROM staff WHERE role = $1 AND disabled = 0 ORDER BY email",
		string(access.Admin))
	if err != nil {
		return fmt.Errorf("read the admins of staff: %w", err)
	}
	for _, email := range admins {
		if err := p.Notify(t, access.StaffSubject(email), kind, facts...); err != nil {
			return err
		}
	}
	return nil
}

// RevokeToken revokes a bearer token, immediately and in every process. Repeating it has no
// further effect; ErrNotFound if there is none.
func (p *People) RevokeToken(ctx context.Context, id string) error {
	if !access.IsTokenID(id) {
		return noToken(id)
	}
	return p.write(ctx, "revoke a token", func(t db.Tx) error {
		n, err := t.Exec("UPDATE tokens SET revoked = $1 WHERE bucket = $2 AND id = $3 AND revoked = 0",
			p.now(), keyBucket(id), id)
		if err == nil && n > 0 {
			err = p.guard.Sign(t, integrity.Tokens, ofID, keyBucket(id), id)
		}
		if err != nil {
			return err
		}
		k, err := findToken(t, unguarded, id)
		if err != nil || n == 0 {
			return err
		}
		return p.books.Log(t, "token revoke", k.ID, labeled(k.Duty(), k))
	})
}
