package people

import (
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// loginPrefix begins the credential of a person who has logged in. In memory the e-mail address follows; the log and
// the entries have a reference instead, so that the address can be removed.
const loginPrefix = "login "

// addEmail writes the address of a login under its reference. ended is 0 while there is such a login.
func addEmail(t db.Tx, reference, email string, id ledger.Account, ended int64) error {
	_, err := t.Exec("INSERT INTO emails (bucket, reference, email, account, ended) VALUES ($1, $2, $3, $4, $5)",
		keyBucket(reference), reference, email, string(id), ended)
	return err
}

// endEmails marks the addresses of logins that have ended: they are kept for a time only.
func endEmails(t db.Tx, now int64, condition string, args ...any) error {
	_, err := t.Exec(fmt.Sprintf("UPDATE emails SET ended = $%d WHERE ended = 0 AND %s", len(args)+1, condition),
		append(args, now)...)
	return err
}

// referenceOf is the reference of the login of an address, or "" where there is none.
func referenceOf(t db.View, email string) (reference string, err error) {
	reference, _, err = db.First(t, db.TextOf, "SELECT reference FROM logins WHERE bucket = $1 AND email = $2",
		keyBucket(email), email)
	if err != nil {
		return "", fmt.Errorf("look the reference of a login up: %w", err)
	}
	return reference, nil
}

// Refer returns how credentials are written into the log and into entries, now: that of a login by its reference. One
// whose login was removed at the same time gets another reference.
func Refer(t db.Tx, now int64, credentials map[string]bool) (written map[string]string, err error) {
	written = make(map[string]string, len(credentials))
	for credential := range credentials {
		email, is := strings.CutPrefix(credential, loginPrefix)
		if !is || !strings.Contains(email, "@") {
			written[credential] = credential
			continue
		}
		reference, err := referenceOf(t, email)
		if err != nil {
			return nil, err
		}
		if reference == "" {
			reference = rand.Text()
			if err := addEmail(t, reference, email, "", now); err != nil {
				return nil, err
			}
		}
		written[credential] = loginPrefix + reference
	}
	return written, nil
}

// Resolve puts e-mail addresses in the place of the references to logins, where the addresses are still there.
func Resolve(t db.View, credentials ...*string) error {
	byReference := map[string][]*string{}
	for _, c := range credentials {
		if reference, is := strings.CutPrefix(*c, loginPrefix); is {
			byReference[reference] = append(byReference[reference], c)
		}
	}
	for reference, places := range byReference {
		email, found, err := db.First(t, db.TextOf, "SELECT email FROM emails WHERE bucket = $1 AND reference = $2",
			keyBucket(reference), reference)
		if err != nil {
			return fmt.Errorf("look the e-mail address of a login up: %w", err)
		}
		for _, p := range places {
			if found {
				*p = loginPrefix + email
			}
		}
	}
	return nil
}

// ResolveActor is Resolve for an actor.
func ResolveActor(t db.View, a *access.Actor) error { return Resolve(t, &a.Credential) }
