package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/store"
)

type loginCmd struct {
	Add     loginAddCmd     `cmd:"" help:"Let a person log in to an account."`
	Invite  loginInviteCmd  `cmd:"" help:"Take a login's password away, and let its person choose another."`
	List    loginListCmd    `cmd:"" help:"List who may log in."`
	Remove  loginRemoveCmd  `cmd:"" help:"Take a login away, and end its sessions."`
	Factors loginFactorsCmd `cmd:"" name:"reset-factors" help:"Remove the passkeys, the authenticator app and the recovery codes of a login."`
}

type loginAddCmd struct {
	Email   string         `arg:"" help:"What the person logs in with."`
	Account ledger.Account `required:"" placeholder:"ACCOUNT" help:"The account that it opens."`
	JSON    bool           `help:"Print a JSON object."`
}

func (c *loginAddCmd) Help() string {
	return `It prints a code, once. The person opens /invitation within 24 hours, types the address and the code, and chooses a password, which nobody else knows. Only the code's hash is kept; hand it over yourself, for whoever has it chooses the password. An account may have several logins; adding the same login again has no effect, and makes no new code ("login invite" does).

Example:

  softstake login add alice@example.com --account alice`
}

func (c *loginAddCmd) Run(env *Env) error {
	email, err := access.ParseEmail(c.Email)
	if err != nil {
		return err
	}
	return env.inviteLogin(email, c.JSON, func(ctx context.Context, db *store.DB, e access.Invitation) error {
		return db.People().AddLogin(ctx, people.Login{Email: email, Account: c.Account, Invitation: e})
	})
}

// inviteLogin makes a code, calls what stores its hash, and prints it.
func (env *Env) inviteLogin(email string, asJSON bool,
	do func(ctx context.Context, db *store.DB, e access.Invitation) error) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		e, code, err := access.NewInvitation(env.Random)
		if err != nil {
			return err
		}
		// A code that is made is shown, also to one who interrupts.
		ctx = context.WithoutCancel(ctx)
		err = do(ctx, db, e)
		proposed := errors.Is(err, control.ErrNeedsApproval)
		if err != nil && !proposed {
			return err
		}
		if !proposed {
			l, err := db.People().Login(ctx, email)
			if err != nil {
				return err
			}
			if l.Invitation.Hash != e.Hash {
				return env.printf("%s opens %s already, and nothing has changed; \"softstake login invite\" makes a code.\n",
					email, l.Account)
			}
		}
		return env.showCode(email, code, "chooses a password with it at /invitation", asJSON, err)
	})
}

type loginInviteCmd struct {
	Email      string `arg:"" help:"Whose it is."`
	RevokeKeys bool   `help:"Revoke all API keys of the account."`
	JSON       bool   `help:"Print a JSON object."`
}

func (c *loginInviteCmd) Help() string {
	return `For a password that was forgotten, or that somebody else may know: it is taken away, all of the login's sessions end, its devices are strangers until they log in again, and nothing is withdrawn for 72 hours. It prints a code, as "login add" does. Passkeys, the authenticator app and recovery codes stay, and the person still confirms with them. API keys stay valid unless --revoke-keys is given.

Examples:

  softstake login invite alice@example.com
  softstake login invite alice@example.com --revoke-keys`
}

func (c *loginInviteCmd) Run(env *Env) error {
	email, err := access.ParseEmail(c.Email)
	if err != nil {
		return err
	}
	return env.inviteLogin(email, c.JSON, func(ctx context.Context, db *store.DB, e access.Invitation) error {
		revoked, err := db.People().InviteLogin(ctx, email, e, c.RevokeKeys)
		if err != nil || c.JSON {
			return err
		}
		keys := ""
		if c.RevokeKeys {
			keys = fmt.Sprintf("API keys that are revoked: %d.\n", revoked)
		}
		return env.printf("The password of %s is taken away, and its sessions have ended.\n%s\n", email, keys)
	})
}

// operatorClient is who did something in a holder's security events that an operator did.
const operatorClient = "operator"

// addOperatorEvent writes what the operator did, with a login or a key, into a holder's security events.
func addOperatorEvent(ctx context.Context, db *store.DB, holder ledger.Account, action, detail string) error {
	return db.People().AddSecurityEvent(ctx, holder,
		people.SecurityEvent{Action: action, Detail: detail, Client: operatorClient})
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
	PasswordSet *instant       `json:"passwordSet"` // null: none is chosen
	CodeExpires *instant       `json:"codeExpires"` // of the code to choose one with; null: none is open
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
				out, set := loginJSON{Email: l.Email, Account: l.Account, Created: instant(l.Created)}, "not chosen"
				if l.Password != "" {
					out.PasswordSet, set = (*instant)(&l.Changed), wallTime(l.Changed)
				} else if !l.Invitation.Until.IsZero() {
					out.CodeExpires, set = (*instant)(&l.Invitation.Until), "code until "+wallTime(l.Invitation.Until)
				}
				return out, []string{l.Email, string(l.Account), wallTime(l.Created), set}
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
