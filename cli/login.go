package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/store"
)

type loginCmd struct {
	Add      loginAddCmd      `cmd:"" help:"Let a person log in to an account."`
	Password loginPasswordCmd `cmd:"" help:"Set a login's password, and end its sessions."`
	List     loginListCmd     `cmd:"" help:"List who may log in."`
	Remove   loginRemoveCmd   `cmd:"" help:"Take a login away, and end its sessions."`
	Factors  loginFactorsCmd  `cmd:"" name:"reset-factors" help:"Remove the passkeys, the authenticator app and the recovery codes of a login."`
}

type loginAddCmd struct {
	Email         string         `arg:"" help:"What the person logs in with."`
	Account       ledger.Account `required:"" placeholder:"ACCOUNT" help:"The account that it opens."`
	Generate      bool           `help:"Make the password, and print it once."`
	breachedFlags `embed:""`
}

func (c *loginAddCmd) Help() string {
	return `The password has 10 to 200 characters, is none of the most common ones, nor of --breached-passwords, and has neither the name in the e-mail address nor the product's in it. At a terminal it is asked for twice and not shown; else it is the first line of the standard input. Only its hash is kept. An account may have several logins; adding the same login again has no effect, and keeps the password it has.

Examples:

  softstake login add alice@example.com --account alice
  softstake login add alice@example.com --account alice --generate`
}

func (c *loginAddCmd) Run(env *Env) error {
	email, err := access.ParseEmail(c.Email)
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		// Nobody types a password for an account that there is not.
		if _, err := db.Account(ctx, c.Account); err != nil {
			return err
		}
		password, hash, err := env.password(email, c.Generate, c.breachedFlags)
		if err != nil {
			return err
		}
		// A password that is made is shown, also to one who interrupts.
		ctx = context.WithoutCancel(ctx)
		if err := db.People().AddLogin(ctx, people.Login{Email: email, Account: c.Account, Password: hash}); err != nil {
			return err
		}
		l, err := db.People().Login(ctx, email)
		if err != nil {
			return err
		}
		if l.Password != hash {
			return env.printf("%s opens %s already, and its password is as it was; \"softstake login password\" sets another.\n",
				email, c.Account)
		}
		return cmp.Or(env.printf("%s opens %s.\n", email, c.Account), env.showPassword(c.Generate, password),
			addOperatorEvent(ctx, db, l.Account, "login add", l.Email))
	})
}

type loginPasswordCmd struct {
	Email         string `arg:"" help:"Whose it is."`
	Generate      bool   `help:"Make the password, and print it once."`
	RevokeKeys    bool   `help:"Revoke all API keys of the account."`
	breachedFlags `embed:""`
}

func (c *loginPasswordCmd) Help() string {
	return `The password is asked for, or read, as "login add" does. All of the login's sessions end, and its devices are strangers until they log in again. API keys stay valid unless --revoke-keys is given: use it where somebody else may have known the password.

Examples:

  softstake login password alice@example.com --generate
  softstake login password alice@example.com --generate --revoke-keys`
}

func (c *loginPasswordCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		l, err := db.People().Login(ctx, c.Email)
		if err != nil {
			return err
		}
		password, hash, err := env.password(l.Email, c.Generate, c.breachedFlags)
		if err != nil {
			return err
		}
		ctx = context.WithoutCancel(ctx)
		revoked, err := db.People().SetPassword(ctx, l.Email,
			people.PasswordChange{Hash: hash, RevokeKeys: c.RevokeKeys, Client: operatorClient})
		if err != nil {
			return err
		}
		keys := ""
		if c.RevokeKeys {
			keys = fmt.Sprintf("API keys of %s that are revoked: %d.\n", l.Account, revoked)
		}
		return cmp.Or(env.printf("The password of %s is set, and its sessions have ended.\n%s", l.Email, keys),
			env.showPassword(c.Generate, password))
	})
}

// operatorClient is who did something in a holder's security events that an operator did.
const operatorClient = "operator"

// addOperatorEvent writes what the operator did, with a login or a key, into a holder's security events.
func addOperatorEvent(ctx context.Context, db *store.DB, holder ledger.Account, action, detail string) error {
	return db.People().AddSecurityEvent(ctx, holder,
		people.SecurityEvent{Action: action, Detail: detail, Client: operatorClient})
}

// password makes a password for the login of an address or reads one, and its hash.
func (env *Env) password(email string, generate bool, breached breachedFlags) (password, hash string, err error) {
	if generate {
		password, err = access.NewPassword(env.Random)
	} else if password, err = env.readPassword(); err == nil {
		err = cmp.Or(access.CheckNewPassword(email, password), breached.check(password))
	}
	if err != nil {
		return "", "", err
	}
	hash, err = access.HashPassword(env.Random, password)
	return password, hash, err
}

// breachedFlags name the passwords that have become public.
type breachedFlags struct {
	BreachedPasswords string `placeholder:"FILE" help:"Passwords that have become public, which nobody may set: lines of a SHA-1 in hex and, behind a colon, a number, sorted. Without it: $$SOFTSTAKE_BREACHED_PASSWORDS, else the most common ones only."`
}

// open opens the list; nil where there is none.
func (f breachedFlags) open() (*access.Breached, error) {
	if f.BreachedPasswords == "" {
		return nil, nil
	}
	b, err := access.OpenBreached(f.BreachedPasswords)
	if err != nil {
		return nil, fmt.Errorf("--breached-passwords: %w", err)
	}
	return b, nil
}

// check looks a password up in the list, where there is one.
func (f breachedFlags) check(password string) (err error) {
	b, err := f.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return b.Check(password)
}

// showPassword shows a password that was made.
func (env *Env) showPassword(made bool, password string) error {
	if !made {
		return nil
	}
	return cmp.Or(env.printf("\n"), facts(env.Stdout, [2]string{"password", password}),
		env.printf("\nKeep it now: it is not shown again.\n"))
}

type loginListCmd struct {
	Account ledger.Account `placeholder:"ACCOUNT" help:"Only who opens this one."`
	JSON    bool           `help:"Print a JSON array."`
}

func (c *loginListCmd) Help() string {
	return `Logins come by their address. A closed account has none.

Example:

  softstake login list --account alice`
}

type loginJSON struct {
	Email       string         `json:"email"`
	Account     ledger.Account `json:"account"`
	Created     instant        `json:"created"`
	PasswordSet instant        `json:"passwordSet"`
}

func (c *loginListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		logins, err := db.People().Logins(ctx, c.Account)
		nobody := "There are no logins.\n"
		if c.Account != "" {
			nobody = fmt.Sprintf("Nobody may log in to %s.\n", c.Account)
		}
		return list[people.Login]{
			json:    c.JSON,
			columns: []col{text("e-mail"), text("account"), text("made"), text("password set")},
			item: func(l people.Login) (any, []string) {
				return loginJSON{l.Email, l.Account, instant(l.Created), instant(l.Changed)},
					[]string{l.Email, string(l.Account), wallTime(l.Created), wallTime(l.Changed)}
			},
			none: nobody,
		}.print(env, logins, err)
	})
}

type loginRemoveCmd struct {
	Email string `arg:"" help:"Whose it is."`
}

func (c *loginRemoveCmd) Help() string {
	return `The account and what it has stay as they are.

Example:

  softstake login remove alice@example.com`
}

func (c *loginRemoveCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		// One that is mistyped is an error: whoever removes a login means it to be gone.
		l, err := db.People().Login(ctx, c.Email)
		if err != nil {
			return err
		}
		if err := db.People().RemoveLogin(ctx, l.Email); err != nil {
			return err
		}
		return cmp.Or(env.printf("%s opens %s no more, and its sessions have ended.\n", l.Email, l.Account),
			addOperatorEvent(ctx, db, l.Account, "login remove", l.Email))
	})
}

// longestPasswordLine is how much of the standard input is read for a password.
const longestPasswordLine = 4 << 10

// readPassword reads a password from the standard input: at a terminal twice,
// without showing it, else its first line.
func (env *Env) readPassword() (string, error) {
	f, is := env.Stdin.(*os.File)
	if !is || !term.IsTerminal(int(f.Fd())) {
		return env.whileHeard(func() (string, error) { return firstLine(env.Stdin) })
	}
	before, err := term.GetState(int(f.Fd()))
	if err != nil {
		return "", err
	}
	password, err := env.whileHeard(func() (string, error) { return env.askTwice(int(f.Fd())) })
	if env.Context.Err() != nil { // it is still being read, and what is typed would stay unseen
		err = errors.Join(err, term.Restore(int(f.Fd()), before))
	}
	return password, err
}

// whileHeard reads in a goroutine of its own, so that an interrupt is heard while
// nothing comes. An interrupted reader ends with the program.
func (env *Env) whileHeard(read func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := read()
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		return r.text, r.err
	case <-env.Context.Done():
		return "", env.Context.Err()
	}
}

func (env *Env) askTwice(fd int) (string, error) {
	var typed [2]string
	for i, question := range []string{"Password: ", "The same again: "} {
		if _, err := io.WriteString(env.Stderr, question); err != nil {
			return "", err
		}
		text, err := term.ReadPassword(fd)
		if _, lost := io.WriteString(env.Stderr, "\n"); lost != nil {
			return "", lost
		}
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		typed[i] = string(text)
	}
	if typed[0] != typed[1] {
		return "", ledger.ErrInvalid.In("", "the two are not the same; nothing is changed")
	}
	return typed[0], nil
}

// firstLine is the first line of what comes, without its end. Its error is ledger.ErrInvalid where nothing comes.
func firstLine(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, longestPasswordLine)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	if line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"); line == "" {
		return "", ledger.ErrInvalid.In("", "a password is read from the standard input, and nothing came; "+
			"--generate makes one")
	}
	return line, nil
}
