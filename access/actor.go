package access

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/softstake/softstake/ledger"
)

// System is the role of a process that works by itself: the daily run of "serve", and login
// attempts before the caller is known. No token has it.
const System Role = "system"

// Actor is who makes a change: every entry and every line of the log has it. The first word
// of Credential is how the actor was authenticated. Only the functions below write it, so a
// name at the command line cannot imitate a token, a key or a login.
type Actor struct {
	Role     Role
	Account  ledger.Account // of a holder: the only one that it may use; "" where the actor is read of the books
	Ceilings Ceilings       // of a back end's token; "" where the actor is read of the books
	Parts    Parts          // of the role exchange: what of it the token may do; 0 where the actor is read of the books
	// Authoritative is whether a back end's token may post authoritative entries; false where the actor is read of the
	// books.
	Authoritative bool
	// Credential is "token ID", "key SHORT", "login EMAIL", "operator NAME" (the command
	// line), or one word: a process, such as "serve".
	Credential string
	Request    string // the ID of the request, as in the log of requests; "" without one
	// Person is whose credential it is, in lower case, so that one with several is one; "": it is nobody's, or not known.
	Person string
	// Proof is the ID of the step-up that the request carries: its person has confirmed one operation. "": none.
	Proof string
}

// commandLine begins the credential of an actor at the command line.
const commandLine = "operator "

// maxName is the length in characters of the longest name at the command line.
const maxName = 100

// CommandLine is the actor of a command: whoever may open the books may choose the name. It
// is one line of plain text of 1 to 100 characters that CheckPerson accepts; the error is ledger.ErrInvalid.
func CommandLine(name string) (Actor, error) {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	plain := utf8.ValidString(name) && strings.TrimSpace(name) == name && !strings.ContainsFunc(name, unprintable)
	if n := utf8.RuneCountInString(name); !plain || n < 1 || n > maxName {
		return Actor{}, ledger.ErrInvalid.In("", "the name %q is not one line of plain text of 1 to %d characters",
			ledger.Clip(name), maxName)
	}
	if err := CheckPerson(name); err != nil {
		return Actor{}, err
	}
	return Actor{Role: Operator, Credential: commandLine + name, Person: PersonOf(name)}, nil
}

// Process is a process that works by itself. Its name is one word: "serve".
func Process(name string) Actor { return Actor{Role: System, Credential: name} }

// AtCommandLine reports whether the actor has given a command, and so may open the books.
func (a Actor) AtCommandLine() bool { return strings.HasPrefix(a.Credential, commandLine) }

// In is the actor in a request.
func (a Actor) In(request string) Actor {
	a.Request = request
	return a
}

// With is the actor with a step-up.
func (a Actor) With(proof string) Actor {
	a.Proof = proof
	return a
}

// What the credential of a person who has logged in begins with.
const (
	ofLogin = "login "
	ofStaff = "staff "
)

// LoginSubject is a holder's login as the owner of factors: the credential of its actor.
func LoginSubject(email string) string { return ofLogin + email }

// StaffSubject is a member of staff as the owner of factors: the credential of its actor.
func StaffSubject(email string) string { return ofStaff + email }

// Subject is whose factors the actor's step-up is made with, or "" for an actor who has not logged in as a person:
// a token, a key, a command or a process.
func (a Actor) Subject() string {
	if strings.HasPrefix(a.Credential, ofLogin) || strings.HasPrefix(a.Credential, ofStaff) {
		return a.Credential
	}
	return ""
}

const tokenCredential = "token "

// Actor is the caller with the token.
func (t Token) Actor() Actor {
	return Actor{Role: t.Role, Account: t.Account, Parts: t.Parts, Authoritative: t.Authoritative, Ceilings: t.Ceilings,
		Credential: tokenCredential + t.ID, Person: t.Person}
}

// Actor is the caller with the key: the holder of its account.
func (k Key) Actor() Actor {
	return Actor{Role: Holder, Account: k.Account, Credential: "key " + k.Short()}
}

// Actor is the person who has logged in.
func (s Session) Actor() Actor {
	return Actor{Role: Holder, Account: s.Account, Credential: LoginSubject(s.Email)}
}

// HasToken reports whether the actor is a caller with a bearer token.
func (a Actor) HasToken() bool { return strings.HasPrefix(a.Credential, tokenCredential) }

// CheckOwns is ErrForbidden where the actor is a holder and an account is not the holder's own. A holder that does not
// say which account is its own has none.
func (a Actor) CheckOwns(id ledger.Account) error {
	if a.Role != Holder || a.Account != "" && id == a.Account {
		return nil
	}
	return ErrForbidden.In("account", "%s may use its own account only", a)
}

// String is the credential.
func (a Actor) String() string { return a.Credential }
