package people

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// addStepUp writes a step-up of a subject, in the transaction in which it is proved. digest is access.StepUp of what
// it confirms.
func addStepUp(t db.Tx, now int64, subject, id, digest string, method access.Method) error {
	_, err := t.Exec(`INSERT INTO step_ups (bucket, subject, id, digest, method, made, expires, used)
	                  VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`,
		keyBucket(subject), subject, id, digest, string(method), now, now+access.StepUpLife.Milliseconds())
	return err
}

// ConfirmPassword makes a step-up of a subject whose password was verified, and returns its ID. It counts only while
// the subject has no factor.
func (p *People) ConfirmPassword(ctx context.Context, subject, digest string) (id string, err error) {
	if id, err = access.NewStepUpID(rand.Reader); err != nil {
		return "", err
	}
	return id, p.write(ctx, "confirm with the password", func(t db.Tx) error {
		return addStepUp(t, p.now(), subject, id, digest, access.ByPassword)
	})
}

// ConfirmProvided makes a step-up of a member of staff whom the provider has just named, after a log-in that was asked
// for with it, and returns its ID.
func (p *People) ConfirmProvided(ctx context.Context, email, digest string) (id string, err error) {
	if id, err = access.NewStepUpID(rand.Reader); err != nil {
		return "", err
	}
	return id, p.write(ctx, "confirm at the provider", func(t db.Tx) error {
		return addStepUp(t, p.now(), access.StaffSubject(email), id, digest, access.ByProvider)
	})
}

// UseStepUp uses the step-up that the actor's request carries, in the transaction of the operation that it confirms:
// before the operation is done, or last. digest is access.StepUp of the operation and its content. It is for actors
// who have logged in (access.Actor.Subject) and have a factor; for others it does nothing. access.ErrForbidden because
// of access.ReasonStepUp if there is none that is of this subject and digest, unused, and not older than
// access.StepUpLife. now is in milliseconds since 1970.
func UseStepUp(t db.Tx, now int64, by access.Actor, digest string) error {
	_, err := useStepUp(t, now, by.Subject(), by.Proof, digest)
	return err
}

// useStepUp says how the step-up was made as well, or "" where none is needed.
func useStepUp(t db.Tx, now int64, subject, proof, digest string) (access.Method, error) {
	if subject == "" {
		return "", nil
	}
	if has, err := hasFactor(t, subject); err != nil || !has {
		return "", err
	}
	method, used, err := takeStepUp(t, now, subject, proof, digest)
	if err == nil && (!used || method == access.ByPassword) {
		err = needsStepUp(subject)
	}
	return method, err
}

// UseApproval uses the step-up by which a member of staff confirms to approve a proposal whose effect has a digest: a
// fresh log-in at the provider, or an assertion of a passkey. Nobody is excused, whatever factors they have; for an
// actor who is not staff it does nothing. Its error is that of UseStepUp.
func UseApproval(t db.Tx, now int64, by access.Actor, proposal, effect string) error {
	if !by.IsStaff() {
		return nil
	}
	method, used, err := takeStepUp(t, now, by.Subject(), by.Proof, access.ApprovalStepUp(proposal, effect))
	if err == nil && (!used || method != access.ByPasskey && method != access.ByProvider) {
		err = needsStepUp(by.Subject())
	}
	return err
}

// takeStepUp uses a step-up, and reports whether there was one, and how it was made.
func takeStepUp(t db.Tx, now int64, subject, id, digest string) (method access.Method, used bool, err error) {
	n, err := t.Exec(`UPDATE step_ups SET used = $1 WHERE bucket = $2 AND subject = $3 AND id = $4 AND digest = $5
	                  AND used = 0 AND expires > $1`, now, keyBucket(subject), subject, id, digest)
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
// are none by themselves.
func hasFactor(t db.View, subject string) (bool, error) {
	n, err := db.Count(t, `SELECT (SELECT count(*) FROM passkeys WHERE bucket = $1 AND subject = $2) +
	                              (SELECT count(*) FROM totps WHERE bucket = $1 AND subject = $2)`, keyBucket(subject), subject)
	return n > 0, err
}

// Asker is who asks for something of an account, as its holder: the person who has logged in or, for a token or a key,
// which is no person, whoever logs in to the account.
type Asker struct {
	Subject string // "" for a token or a key
	Account ledger.Account
}

// HaveFactors reports which of the askers have a factor: the person or, for a token or a key, somebody who logs in to
// the account.
func HaveFactors(t db.View, askers []Asker) (map[Asker]bool, error) {
	by := map[string][]Asker{} // subject
	var accounts []ledger.Account
	for _, a := range askers {
		if a.Subject != "" {
			by[a.Subject] = append(by[a.Subject], a)
		} else {
			accounts = append(accounts, a.Account)
		}
	}
	slices.Sort(accounts)
	err := t.QuerySet(func(r db.Row) error {
		subject := access.LoginSubject(r.Text(1))
		by[subject] = append(by[subject], Asker{Account: ledger.Account(r.Text(0))})
		return nil
	}, "SELECT l.account, l.email FROM {rows} JOIN logins l ON l.account = r.account",
		db.SetOf(slices.Compact(accounts), db.Text("account", func(id ledger.Account) string { return string(id) })))
	if err != nil {
		return nil, fmt.Errorf("read who logs in: %w", err)
	}
	have := map[Asker]bool{}
	err = t.QuerySet(func(r db.Row) error {
		for _, a := range by[r.Text(0)] {
			have[a] = true
		}
		return nil
	}, `SELECT r.subject FROM {rows}
	     WHERE EXISTS (SELECT 1 FROM passkeys p WHERE p.bucket = r.bucket AND p.subject = r.subject)
	        OR EXISTS (SELECT 1 FROM totps a WHERE a.bucket = r.bucket AND a.subject = r.subject)`,
		db.SetOf(slices.Sorted(maps.Keys(by)), db.Int("bucket", keyBucket),
			db.Text("subject", func(subject string) string { return subject })))
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
	have, err := HaveFactors(t, []Asker{asker})
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
