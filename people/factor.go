package people

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/factor"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
)

// Factors are what a subject proves with who it is, beside a password: see access.Actor.Subject.
type Factors struct {
	Passkeys []factor.Passkey // in the order in which they were added
	TOTP     TOTP             // zero: there is no authenticator app
	Codes    int              // recovery codes that are not used yet
}

// TOTP is a subject's authenticator app.
type TOTP struct {
	Sealed []byte // the secret, sealed for the subject
	Step   int64  // of the last code that was used
	Added  time.Time
}

// Any reports whether there is a passkey or an authenticator app.
func (f Factors) Any() bool { return len(f.Passkeys) > 0 || f.HasTOTP() }

// HasTOTP reports whether there is an authenticator app.
func (f Factors) HasTOTP() bool { return !f.TOTP.Added.IsZero() }

// Visitor is who changes factors, for the security events.
type Visitor struct{ Client, Address string }

const (
	// MaxPasskeys is the largest number of passkeys of a subject.
	MaxPasskeys = 20
	// maxLabel is the length in characters of the longest label of a passkey.
	maxLabel = 60
)

// The reasons of a ledger.Error about factors.
const (
	ReasonTooManyPasskeys = "too-many-passkeys" // ledger.ErrInvalid
	ReasonUnknownFactor   = "unknown-factor"    // ledger.ErrNotFound
	ReasonPasskeyLabel    = "passkey-label"     // ledger.ErrInvalid
	ReasonLastPasskey     = "last-passkey"      // ledger.ErrConflict
)

// subjectIs is the condition of a subject's rows, which lie in its bucket.
const (
	subjectIs = "bucket = $1 AND subject = $2 "
	ofSubject = "WHERE " + subjectIs
)

// Factors are those of a subject; none for one that does not exist. access.ErrForbidden where they are not as they were
// registered.
func (r Reader) Factors(ctx context.Context, subject string) (Factors, error) {
	return look(ctx, r, "subject's factors", func(t db.View) (Factors, error) { return findFactors(t, r.guard, subject) })
}

func findFactors(t db.View, g *integrity.Guard, subject string) (f Factors, err error) {
	if f, err = readFactors(t, g, subject); err != nil {
		return f, refused(err)
	}
	return f, checkRegistered(t, g, subject, f.number())
}

func readFactors(t db.View, g *integrity.Guard, subject string) (f Factors, err error) {
	if f.Passkeys, err = db.All(t, checked(g, integrity.Passkeys, scanPasskey),
		integrity.Passkeys.Select()+ofSubject+"ORDER BY added, id", keyBucket(subject), subject); err != nil {
		return f, err
	}
	f.TOTP, _, err = db.First(t, checked(g, integrity.TOTPs, func(r db.Row) (TOTP, error) {
		return TOTP{Sealed: r.Bytes(1), Step: r.Int(2), Added: db.TimeOf(r.Int(3))}, nil
	}), integrity.TOTPs.Select()+ofSubject, keyBucket(subject), subject)
	if err != nil {
		return f, err
	}
	unused, err := db.All(t, checked(g, integrity.RecoveryCodes, db.TextOf),
		integrity.RecoveryCodes.Select()+ofSubject+"AND used = 0", keyBucket(subject), subject)
	f.Codes = len(unused)
	return f, err
}

// number is how many passkeys and authenticator apps there are.
func (f Factors) number() int64 {
	n := int64(len(f.Passkeys))
	if f.HasTOTP() {
		n++
	}
	return n
}

func scanPasskey(r db.Row) (factor.Passkey, error) {
	return factor.Passkey{
		ID: r.Text(1), Handle: r.Bytes(2), Label: r.Text(3), Credential: r.Text(4), Count: r.Int(5),
		Added: db.TimeOf(r.Int(6)), Used: db.TimeOrZero(r.Int(7)),
	}, nil
}

// PasskeyOwner is the subject that has the passkey with an ID and a handle; ErrNotFound if there is none. Both are what
// an authenticator says: a person who registers another's ID has another handle.
func (r Reader) PasskeyOwner(ctx context.Context, id string, handle []byte) (subject string, err error) {
	return look(ctx, r, "passkey", func(t db.View) (string, error) {
		subject, found, err := db.First(t, db.TextOf,
			"SELECT subject FROM passkeys WHERE id = $1 AND handle = $2 ORDER BY subject", id, handle)
		if err == nil && !found {
			err = ledger.ErrNotFound.In("", "a passkey").Because(ReasonUnknownFactor)
		}
		return subject, err
	})
}

// AddPasskey adds a passkey to the factors of the person who asks, whose step-up the actor carries: of AddFactorStepUp,
// with a factor or, where there is none yet, with the password. A first factor comes with recovery codes, by their
// hashes, which replace others. Repeating it is access.ErrForbidden: a step-up is used. ErrConflict for a passkey that
// is there already; ErrInvalid for a label that is no line of 1 to 60 characters, and above MaxPasskeys.
func (p *People) AddPasskey(ctx context.Context, subject string, k factor.Passkey, codes [][32]byte, v Visitor) error {
	if err := CheckPasskeyLabel(k.Label); err != nil {
		return err
	}
	if len(k.Handle) != factor.HandleLength || k.ID == "" {
		return ledger.ErrInvalid.In("", "a passkey has an ID, and a handle of %d bytes", factor.HandleLength)
	}
	return p.changeFactors(ctx, "add a passkey", subject, v, func(c *factorChange) error {
		if err := c.prove(access.AddFactorStepUp("passkey", k.Label)); err != nil {
			return err
		}
		if len(c.had.Passkeys) >= MaxPasskeys {
			return ledger.ErrInvalid.In("", "it has %d passkeys already", MaxPasskeys).Because(ReasonTooManyPasskeys)
		}
		n, err := c.t.Exec(`INSERT INTO passkeys (bucket, subject, id, handle, label, credential, count, added, used)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0) ON CONFLICT DO NOTHING`,
			keyBucket(subject), subject, k.ID, k.Handle, k.Label, k.Credential, k.Count, c.now)
		if err == nil && n == 0 {
			err = ledger.ErrConflict.In("", "the passkey is there already")
		}
		if err == nil {
			err = p.guard.Sign(c.t, integrity.Passkeys, subjectIs+"AND id = $3", keyBucket(subject), subject, k.ID)
		}
		if err == nil && !c.had.Any() {
			err = c.setCodes(codes)
		}
		if err != nil {
			return err
		}
		return c.record("factor add", "passkey "+k.Label)
	})
}

// CheckPasskeyLabel is ledger.ErrInvalid, because of ReasonPasskeyLabel, unless a label is one line of 1 to 60
// characters.
func CheckPasskeyLabel(label string) error {
	err := ledger.CheckLine("the label", label, maxLabel)
	if err == nil && label != "" {
		return nil
	}
	return ledger.ErrInvalid.In("label", "a label is one line of 1 to %d characters", maxLabel).Because(ReasonPasskeyLabel)
}

// RenamePasskey gives a passkey of the person who asks another label. ErrNotFound if there is no such passkey;
// access.ErrForbidden for another person.
func (p *People) RenamePasskey(ctx context.Context, subject, id, label string, v Visitor) error {
	if err := CheckPasskeyLabel(label); err != nil {
		return err
	}
	return p.changeFactors(ctx, "rename a passkey", subject, v, func(c *factorChange) error {
		former, err := c.passkey(id)
		if err == nil {
			err = c.own()
		}
		if err != nil || former.Label == label {
			return err
		}
		if err := p.guard.Change(c.t, integrity.Passkeys, func() error {
			_, err := c.t.Exec("UPDATE passkeys SET label = $3 "+ofSubject+"AND id = $4",
				keyBucket(subject), subject, label, id)
			return err
		}, subjectIs+"AND id = $3", keyBucket(subject), subject, id); err != nil {
			return err
		}
		return c.record("factor rename", "passkey "+former.Label+": "+label)
	})
}

// RemovePasskey removes a passkey of the person who asks, whose step-up of RemoveFactorStepUp the actor carries. With
// the last factor the recovery codes are removed; staff keep their last passkey, without which they are locked out:
// ErrConflict because of ReasonLastPasskey. ErrNotFound if there is no such passkey.
func (p *People) RemovePasskey(ctx context.Context, subject, id string, v Visitor) error {
	return p.changeFactors(ctx, "remove a passkey", subject, v, func(c *factorChange) error {
		k, err := c.passkey(id)
		if err == nil {
			err = c.prove(access.RemoveFactorStepUp("passkey", id))
		}
		if err == nil && c.account == "" && len(c.had.Passkeys) == 1 {
			err = ledger.ErrConflict.In("", "%s has no other passkey", subject).Because(ReasonLastPasskey)
		}
		if err == nil {
			_, err = c.t.Exec("DELETE FROM passkeys "+ofSubject+"AND id = $3", keyBucket(subject), subject, id)
		}
		if err != nil {
			return err
		}
		return c.removed("passkey " + k.Label)
	})
}

// SetTOTP sets the authenticator app of the person who asks, as AddPasskey adds a passkey; step is that of the code
// which has shown that the app is set up, and which is used with it. ErrConflict if there is one already.
func (p *People) SetTOTP(ctx context.Context, subject string, sealed []byte, step int64, codes [][32]byte,
	v Visitor) error {
	return p.changeFactors(ctx, "set up an authenticator app", subject, v, func(c *factorChange) error {
		if err := c.prove(access.AddFactorStepUp("totp", "")); err != nil {
			return err
		}
		n, err := c.t.Exec(`INSERT INTO totps (bucket, subject, secret, step, added) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT DO NOTHING`, keyBucket(subject), subject, sealed, step, c.now)
		if err == nil && n == 0 {
			err = ledger.ErrConflict.In("", "there is an authenticator app already")
		}
		if err == nil {
			err = p.guard.Sign(c.t, integrity.TOTPs, subjectIs, keyBucket(subject), subject)
		}
		if err == nil && !c.had.Any() {
			err = c.setCodes(codes)
		}
		if err != nil {
			return err
		}
		return c.record("factor add", "authenticator app")
	})
}

// RemoveTOTP removes the authenticator app, as RemovePasskey removes a passkey.
func (p *People) RemoveTOTP(ctx context.Context, subject string, v Visitor) error {
	return p.changeFactors(ctx, "remove an authenticator app", subject, v, func(c *factorChange) error {
		if !c.had.HasTOTP() {
			return ledger.ErrNotFound.In("", "an authenticator app").Because(ReasonUnknownFactor)
		}
		if err := c.prove(access.RemoveFactorStepUp("totp", "")); err != nil {
			return err
		}
		if _, err := c.t.Exec("DELETE FROM totps "+ofSubject, keyBucket(subject), subject); err != nil {
			return err
		}
		return c.removed("authenticator app")
	})
}

// SetRecoveryCodes replaces the recovery codes of the person who asks, whose step-up of access.CodesStepUp the actor
// carries. ErrInvalid for a person without a factor.
func (p *People) SetRecoveryCodes(ctx context.Context, subject string, codes [][32]byte, v Visitor) error {
	return p.changeFactors(ctx, "set recovery codes", subject, v, func(c *factorChange) error {
		if !c.had.Any() {
			return ledger.ErrInvalid.In("", "%s has no factor that a recovery code stands in for", subject)
		}
		if err := c.prove(access.CodesStepUp); err != nil {
			return err
		}
		if err := c.setCodes(codes); err != nil {
			return err
		}
		return c.record("factor codes", "")
	})
}

// ResetFactors removes all factors of a subject who has lost them, and ends its sessions: an operator's. It is
// control.ResetFactors, which needs approval. Repeating it has no further effect; ErrNotFound if there is no such
// subject.
func (p *People) ResetFactors(ctx context.Context, subject string) error {
	return p.changeFactors(ctx, "reset factors", subject, Visitor{Client: byOperator}, func(c *factorChange) error {
		if !c.had.Any() && c.registered == 0 {
			return nil
		}
		if err := removeFactors(c.t, subject); err != nil {
			return err
		}
		if c.account != "" {
			if _, err := endSessions(c.t, c.account, "account = $1 AND email = $2", string(c.account), c.email); err != nil {
				return err
			}
		}
		if err := c.p.books.Permit(c.t, true, control.ResetFactors, subject, c.subjectOfLog(), c.had.String()); err != nil {
			return err
		}
		if err := c.changed(); err != nil {
			return err
		}
		return c.record("factor reset", c.had.String())
	})
}

// String is the factors for the log: "passkey Laptop, authenticator app".
func (f Factors) String() string {
	var parts []string
	for _, k := range f.Passkeys {
		parts = append(parts, "passkey "+k.Label)
	}
	if f.HasTOTP() {
		parts = append(parts, "authenticator app")
	}
	return ledger.Clip(strings.Join(parts, ", "))
}

// factorChange is a transaction that changes the factors of a subject.
type factorChange struct {
	p       *People
	t       db.Tx
	subject string
	email   string
	account ledger.Account // of a login; "": it is staff's
	visitor Visitor
	had     Factors
	// registered is how many factors the row of the person says; they are the number of had, unless somebody has changed
	// the rows by SQL: then an operator resets them.
	registered int64
	now        int64
	at         int64 // of the security event
	nonce      string
}

// changeFactors changes the factors of a subject, with its account locked. ErrNotFound if there is no such login.
func (p *People) changeFactors(ctx context.Context, what, subject string, v Visitor,
	change func(*factorChange) error) error {
	c := &factorChange{p: p, subject: subject, visitor: v}
	if err := (PasswordChange{Client: v.Client, Address: v.Address}).event("factor", "").check(); err != nil {
		return err
	}
	_, c.email, _ = strings.Cut(subject, " ")
	c.at, c.nonce = p.stamps.Next(p.now())
	return p.write(ctx, what+" of "+ledger.Clip(subject), func(t db.Tx) (err error) {
		c.t, c.now = t, p.now()
		if subject == access.LoginSubject(c.email) {
			l, err := findLogin(t, p.guard, c.email)
			if err != nil {
				return err
			}
			c.account = l.Account
			if err := p.lockOpenAccount(t, l.Account); err != nil {
				return err
			}
		}
		if c.registered, err = registered(t, p.guard, subject); err != nil {
			return err
		}
		c.had, err = findFactors(t, p.guard, subject)
		if errors.Is(err, integrity.ErrForged) && p.books.Actor().Subject() != subject {
			c.had, err = readFactors(t, unguarded, subject) // an operator resets them
		}
		if err != nil {
			return err
		}
		if err := change(c); err != nil {
			return err
		}
		return c.register()
	})
}

// register keeps with the person how many factors there are now.
func (c *factorChange) register() error {
	now, err := readFactors(c.t, unguarded, c.subject)
	if n := now.number(); err != nil || n == c.registered {
		return err
	} else if c.account == "" {
		return c.p.updateStaff(c.t, c.email, "factors = $3", n)
	} else {
		return c.p.guard.Change(c.t, integrity.LoginRows, func() error {
			_, err := c.t.Exec("UPDATE logins SET factors = $3 WHERE "+ofEmail, keyBucket(c.email), c.email, n)
			return err
		}, ofEmail, keyBucket(c.email), c.email)
	}
}

// passkey is one that the subject had; ErrNotFound if there is none of the ID.
func (c *factorChange) passkey(id string) (factor.Passkey, error) {
	for _, k := range c.had.Passkeys {
		if k.ID == id {
			return k, nil
		}
	}
	return factor.Passkey{}, ledger.ErrNotFound.In("", "a passkey").Because(ReasonUnknownFactor)
}

// prove uses the step-up of the person whose factors change: with a factor, or else with the password. Nobody changes
// another's.
func (c *factorChange) prove(digest string) error {
	if err := c.own(); err != nil {
		return err
	}
	method, used, err := takeStepUp(c.t, c.p.guard, c.now, c.subject, c.p.books.Actor().Proof, digest)
	if err == nil && (!used || c.had.Any() && method == access.ByPassword) {
		err = needsStepUp(c.subject)
	}
	return err
}

// own is access.ErrForbidden unless the factors are those of the person who asks.
func (c *factorChange) own() error {
	if by := c.p.books.Actor(); by.Subject() != c.subject {
		return access.ErrForbidden.In("", "%s may not change the factors of %s", by, c.subject)
	}
	return nil
}

// setCodes replaces the recovery codes.
func (c *factorChange) setCodes(codes [][32]byte) error {
	if _, err := c.t.Exec("DELETE FROM recovery_codes "+ofSubject, keyBucket(c.subject), c.subject); err != nil {
		return err
	}
	for _, hash := range codes {
		if _, err := c.t.Exec(`INSERT INTO recovery_codes (bucket, subject, hash, made, used) VALUES ($1, $2, $3, $4, 0)`,
			keyBucket(c.subject), c.subject, hash[:], c.now); err != nil {
			return err
		}
		if err := c.p.guard.Sign(c.t, integrity.RecoveryCodes, subjectIs+"AND hash = $3", keyBucket(c.subject), c.subject,
			hash[:]); err != nil {
			return err
		}
	}
	return nil
}

// removed ends the removal of a factor: recovery codes stand in for none.
func (c *factorChange) removed(what string) error {
	left, err := readFactors(c.t, c.p.guard, c.subject)
	if err == nil && !left.Any() {
		err = c.setCodes(nil)
	}
	if err == nil {
		err = c.changed()
	}
	if err != nil {
		return err
	}
	return c.record("factor remove", what)
}

// changed delays what the account, which is locked, withdraws.
func (c *factorChange) changed() error {
	if c.account == "" {
		return nil
	}
	return c.p.delayWithdrawals(c.t, c.account)
}

// subjectOfLog is what the log says that the change is about.
func (c *factorChange) subjectOfLog() string {
	if c.account != "" {
		return string(c.account)
	}
	return c.subject
}

// signs begin the fact of a notice, in every language, by the action that it is about. A new name needs no notice.
var signs = map[string]string{
	"factor add": "+", "factor remove": "−", "factor reset": "−", "factor codes": "recovery codes",
}

// record writes the change into the log and, of a login, into the security events of its account.
func (c *factorChange) record(action, detail string) error {
	if c.account != "" {
		e := SecurityEvent{Action: action, Detail: detail, Client: c.visitor.Client, Address: c.visitor.Address}
		if err := insertSecurityEvent(c.t, c.account, e, c.at, c.nonce); err != nil {
			return err
		}
	}
	if sign := signs[action]; sign != "" {
		if err := c.p.Notify(c.t, c.subject, NoticeFactor, strings.TrimSpace(sign+" "+detail)); err != nil {
			return err
		}
	}
	return c.p.books.Log(c.t, action, c.subjectOfLog(), detail)
}

// Confirmation is what a factor has said to one step-up. It is of one kind.
type Confirmation struct {
	Passkey   string // its ID, with its new counter and the challenge that it has answered, until it is over
	Count     int64
	Challenge []byte
	Over      time.Time

	Step int64     // of a code of the authenticator app
	Code *[32]byte // the hash of a recovery code
}

// Confirm makes a step-up of what a factor has said, which the caller has verified, and returns its ID. digest is
// access.StepUp of what it confirms. Each answer, each code and each recovery code makes one: access.ErrUnknown because
// of factor.ReasonUsed, or of factor.ReasonCloned for a counter that has not grown.
func (p *People) Confirm(ctx context.Context, subject, digest string, c Confirmation) (id string, err error) {
	if id, err = access.NewStepUpID(rand.Reader); err != nil {
		return "", err
	}
	err = p.write(ctx, "confirm with a factor of "+ledger.Clip(subject), func(t db.Tx) error {
		now := p.now()
		method, err := c.use(t, p.guard, now, subject)
		if err != nil {
			return err
		}
		return addStepUp(t, p.guard, now, subject, id, digest, method)
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

// use marks what has confirmed as used.
func (c Confirmation) use(t db.Tx, g *integrity.Guard, now int64, subject string) (access.Method, error) {
	reason, n := factor.ReasonUsed, int64(0)
	var err error
	var method access.Method
	// set is an UPDATE of the row of a kind whose key has a part that is not the subject.
	set := func(k integrity.Guarded, key string, of any, sql string, args ...any) error {
		row := []any{keyBucket(subject), subject}
		if key != "" {
			row = append(row, of)
		}
		return g.Change(t, k, func() (err error) {
			n, err = t.Exec("UPDATE "+k.Table+" SET "+sql, append(row, args...)...)
			return err
		}, subjectIs+key, row...)
	}
	switch {
	case c.Passkey != "":
		method, reason = access.ByPasskey, factor.ReasonCloned
		if err := useChallenge(t, c.Challenge, c.Over); err != nil {
			return method, err
		}
		err = set(integrity.Passkeys, "AND id = $3", c.Passkey, "count = $4, used = $5 "+ofSubject+
			"AND id = $3 AND (count < $4 OR count = 0 AND $4 = 0)", c.Count, now)
	case c.Code != nil:
		method = access.ByRecovery
		err = set(integrity.RecoveryCodes, "AND hash = $3", c.Code[:], "used = $4 "+ofSubject+"AND hash = $3 AND used = 0",
			now)
	default:
		method = access.ByTOTP
		err = set(integrity.TOTPs, "", nil, "step = $3 "+ofSubject+"AND step < $3", c.Step)
	}
	if errors.Is(err, integrity.ErrForged) {
		err, n = nil, 0 // as if it were not there
	}
	if err == nil && n == 0 {
		err = access.ErrUnknown.In("", "the %s of %s is not one that can be used", method, subject).Because(reason)
	}
	return method, err
}

// useChallenge keeps a challenge that was answered, until it is over; access.ErrUnknown if it was answered before.
func useChallenge(t db.Tx, challenge []byte, over time.Time) error {
	text := base64.RawURLEncoding.EncodeToString(challenge)
	n, err := t.Exec("INSERT INTO challenges (bucket, challenge, expires) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
		keyBucket(text), text, over.UnixMilli())
	if err == nil && n == 0 {
		err = access.ErrUnknown.In("", "the challenge was answered before").Because(factor.ReasonUsed)
	}
	if err != nil {
		return fmt.Errorf("keep a challenge: %w", err)
	}
	return nil
}
