package people

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
)

// addStepUp writes a step-up of a subject, in the transaction in which it is proved. digest is access.StepUp of what
// it confirms.
func addStepUp(t db.Tx, g *integrity.Guard, now int64, subject, id, digest string, method access.Method) error {
	_, err := t.Exec(`INSERT INTO step_ups (bucket, subject, id, digest, method, made, expires, used)
	                  VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`,
		keyBucket(subject), subject, id, digest, string(method), now, now+access.StepUpLife.Milliseconds())
	if err == nil {
		err = g.Sign(t, integrity.StepUps, subjectIs+"AND id = $3", keyBucket(subject), subject, id)
	}
	return err
}

// ConfirmPassword makes a step-up of a subject whose password was verified, and returns its ID. It counts only while
// the subject has no factor.
func (p *People) ConfirmPassword(ctx context.Context, subject, digest string) (id string, err error) {
	if id, err = access.NewStepUpID(rand.Reader); err != nil {
		return "", err
	}
	return id, p.write(ctx, "confirm with the password", func(t db.Tx) error {
		return addStepUp(t, p.guard, p.now(), subject, id, digest, access.ByPassword)
	})
}

// ConfirmProvided makes a step-up of a member of staff whom the provider has just named, after a log-in that was asked
// for with it, and returns its ID.
func (p *People) ConfirmProvided(ctx context.Context, email, digest string) (id string, err error) {
	if id, err = access.NewStepUpID(rand.Reader); err != nil {
		return "", err
	}
	return id, p.write(ctx, "confirm at the provider", func(t db.Tx) error {
		return addStepUp(t, p.guard, p.now(), access.StaffSubject(email), id, digest, access.ByProvider)
	})
}

// UseStepUp uses the step-up that the actor's request carries, in the transaction of the operation that it confirms:
// before the operation is done, or last. digest is access.StepUp of the operation and its content. It is for actors
// who have logged in (access.Actor.Subject) and have a factor; for others it does nothing. access.ErrForbidden because
// of access.ReasonStepUp if there is none that is of this subject and digest, unused, and not older than
// access.StepUpLife. now is in milliseconds since 1970.
func UseStepUp(t db.Tx, g *integrity.Guard, now int64, by access.Actor, digest string) error {
	_, err := useStepUp(t, g, now, by.Subject(), by.Proof, digest)
	return err
}

// useStepUp says how the step-up was made as well, or "" where none is needed.
func useStepUp(t db.Tx, g *integrity.Guard, now int64, subject, proof, digest string) (access.Method, error) {
	if subject == "" {
		return "", nil
	}
	if has, err := hasFactor(t, g, subject); err != nil || !has {
		return "", err
	}
	method, used, err := takeStepUp(t, g, now, subject, proof, digest)
	if err == nil && (!used || method == access.ByPassword) {
		err = needsStepUp(subject)
	}
	return method, err
}

// UseApproval uses the step-up by which a member of staff confirms to approve a proposal whose effect has a digest: a
// fresh log-in at the provider, or an assertion of a passkey. Nobody is excused, whatever factors they have; for an
// actor who is not staff it does nothing. Its error is that of UseStepUp.
func UseApproval(t db.Tx, g *integrity.Guard, now int64, by access.Actor, proposal, effect string) error {
	if !by.IsStaff() {
		return nil
	}
	method, used, err := takeStepUp(t, g, now, by.Subject(), by.Proof, access.ApprovalStepUp(proposal, effect))
	if err == nil && (!used || method != access.ByPasskey && method != access.ByProvider) {
		err = needsStepUp(by.Subject())
	}
	return err
}

// takeStepUp uses a step-up, and reports whether there was one, and how it was made.
func takeStepUp(t db.Tx, g *integrity.Guard, now int64, subject, id, digest string) (method access.Method, used bool,
	err error) {
	n := int64(0)
	err = g.Change(t, integrity.StepUps, func() (err error) {
		n, err = t.Exec(`UPDATE step_ups SET used = $1 WHERE bucket = $2 AND subject = $3 AND id = $4 AND digest = $5
		                  AND used = 0 AND expires > $1`, now, keyBucket(subject), subject, id, digest)
		return err
	}, subjectIs+"AND id = $3", keyBucket(subject), subject, id)
	if errors.Is(err, integrity.ErrForged) {
		return "", false, nil // it is as if it were not there
	}
	if err != nil || n == 0 {
		return "", false, err
	}
	text, _, err := db.First(t, db.TextOf, "SELECT method FROM step_ups WHERE bucket = $1 AND subject = $2 AND id = $3",
		keyBucket(subject), subject, id)
	return access.Method(text), true, err
}

func needsStepUp(subject string) error {
	return access.ErrForbidden.In("", "%s has not confirmed this with a factor, or too long ago", subject).
		Because(access.ReasonStepUp)
}

// hasFactor reports whether a subject has a passkey or an authenticator app. Recovery codes stand in for either, and
// are none by themselves. access.ErrForbidden where others are there than were registered.
func hasFactor(t db.View, g *integrity.Guard, subject string) (bool, error) {
	n, err := db.Count(t, `SELECT (SELECT count(*) FROM passkeys WHERE bucket = $1 AND subject = $2) +
	                              (SELECT count(*) FROM totps WHERE bucket = $1 AND subject = $2)`, keyBucket(subject), subject)
	if err == nil {
		err = checkRegistered(t, g, subject, n)
	}
	return n > 0, err
}

// registered is how many factors a subject has by the row of the login or of the member of staff; 0 where there is no
// row.
func registered(t db.View, g *integrity.Guard, subject string) (n int64, err error) {
	kind, email, _ := strings.Cut(subject, " ")
	of := integrity.LoginRows
	if kind == "staff" {
		of = integrity.StaffRows
	}
	n, _, err = db.First(t, checked(g, of, func(r db.Row) (int64, error) { return r.Int(of.Column("factors")), nil }),
		of.Select()+"WHERE "+ofEmail, keyBucket(email), email)
	return n, err
}

// checkRegistered refuses a subject that has another number of factors than were registered: somebody has removed the
// rows of one, and the password alone would do.
func checkRegistered(t db.View, g *integrity.Guard, subject string, factors int64) error {
	if on, err := g.On(); err != nil || !on {
		return err
	}
	n, err := registered(t, g, subject)
	if err == nil && n != factors {
		err = g.Disagree(integrity.Passkeys, subject)
	}
	return refused(err)
}

// refused makes access.ErrForbidden of the error of a row that is forged: it is never as if there were no factor.
func refused(err error) error {
	if errors.Is(err, integrity.ErrForged) {
		return access.ErrForbidden.In("", "%w", err)
	}
	return err
}

// Asker is who asks for something of an account, as its holder: the person who has logged in or, for a token or a key,
// which is no person, whoever logs in to the account.
type Asker struct {
	Subject string // "" for a token or a key
	Account ledger.Account
}

// HaveFactors reports which of the askers have a factor: the person or, for a token or a key, somebody who logs in to
// the account. Whose row is forged has none.
func HaveFactors(t db.View, g *integrity.Guard, askers []Asker) (map[Asker]bool, error) {
	by := map[string]Asker{} // e-mail address
	var accounts []ledger.Account
	for _, a := range askers {
		if a.Subject != "" {
			_, email, _ := strings.Cut(a.Subject, " ")
			by[email] = a
		} else {
			accounts = append(accounts, a.Account)
		}
	}
	slices.Sort(accounts)
	have := map[Asker]bool{}
	read := func(asker func(email string, account ledger.Account) Asker) func(db.Row) error {
		return func(r db.Row) error {
			err := g.Check(integrity.LoginRows, r, 0)
			if errors.Is(err, integrity.ErrForged) {
				return nil
			}
			if err == nil && r.Int(integrity.LoginRows.Column("factors")) > 0 {
				have[asker(r.Text(0), ledger.Account(r.Text(1)))] = true
			}
			return err
		}
	}
	columns := "SELECT " + integrity.LoginRows.Columns("l.")
	err := t.QuerySet(read(func(_ string, account ledger.Account) Asker { return Asker{Account: account} }),
		columns+" FROM {rows} JOIN logins l ON l.account = r.account",
		db.SetOf(slices.Compact(accounts), db.Text("account", func(id ledger.Account) string { return string(id) })))
	if err == nil {
		err = t.QuerySet(read(func(email string, _ ledger.Account) Asker { return by[email] }),
			columns+" FROM {rows} JOIN logins l ON l.bucket = r.bucket AND l.email = r.email",
			db.SetOf(slices.Sorted(maps.Keys(by)), db.Int("bucket", keyBucket),
				db.Text("email", func(email string) string { return email })))
	}
	if err != nil {
		return nil, fmt.Errorf("read who has a factor: %w", err)
	}
	return have, nil
}

// NoFactor is the error of a holder who has no factor where one is needed: access.ErrForbidden because of
// access.ReasonFactor.
func NoFactor(account ledger.Account) error {
	return access.ErrForbidden.In("", "%s has no second factor; add a passkey or an authenticator app first", account).
		Because(access.ReasonFactor)
}

// NeedFactor is NoFactor where the books' holders withdraw with a factor only, and the holder who asks has none. For
// others than holders it does nothing.
func (p *People) NeedFactor(t db.View, account ledger.Account) error {
	by := p.books.Actor()
	if by.Role != access.Holder {
		return nil
	}
	needed, err := p.books.NeedsFactor(t)
	if err != nil || !needed {
		return err
	}
	asker := Asker{by.Subject(), account}
	have, err := HaveFactors(t, p.guard, []Asker{asker})
	if err == nil && !have[asker] {
		err = NoFactor(account)
	}
	return err
}

// removeFactors removes all factors of a subject, when the subject is removed.
func removeFactors(t db.Tx, subject string) error {
	for table := range strings.FieldsSeq("passkeys totps recovery_codes step_ups") {
		_, err := t.Exec("DELETE FROM "+table+" WHERE bucket = $1 AND subject = $2", keyBucket(subject), subject)
		if err != nil {
			return fmt.Errorf("remove the factors of %s: %w", subject, err)
		}
	}
	return nil
}
