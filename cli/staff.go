package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/store"
)

type staffCmd struct {
	Add     staffAddCmd     `cmd:"" help:"Let a person log in to the console."`
	List    staffListCmd    `cmd:"" help:"List who may log in to the console."`
	SetRole staffSetRoleCmd `cmd:"" help:"Give a person another role, and end the sessions."`
	Invite  staffInviteCmd  `cmd:"" help:"Let a person register a passkey again, and end the sessions."`
	Disable staffDisableCmd `cmd:"" help:"Refuse a person, and end the sessions."`
}

type staffAddCmd struct {
	Email string `arg:"" help:"Who: with four eyes, nobody approves what they propose under any credential."`
	Role  string `required:"" placeholder:"ROLE" help:"viewer, support, operator, approver, treasurer, auditor or admin."`
	JSON  bool   `help:"Print a JSON object."`
}

func (c *staffAddCmd) Help() string {
	return `The person opens /console/invitation within 24 hours, types the address and the code that is printed, and registers a passkey. The code is shown once, and only its hash is kept; hand it over in person, for whoever has it is that person. Adding the same person again has no effect, and makes no new code ("staff invite" does).

Those who log in at an OpenID provider ("serve --oidc-issuer") are not added: their groups give the role.

Example:

  softstake staff add olga@example.com --role operator`
}

func (c *staffAddCmd) Run(env *Env) error {
	email, err := access.ParseEmail(c.Email)
	if err != nil {
		return err
	}
	role, err := access.ParseRole(c.Role)
	if err != nil {
		return err
	}
	return env.inviteStaff(email, c.JSON, func(ctx context.Context, db *store.DB, e access.Invitation) error {
		return db.People().AddStaff(ctx, email, role, e)
	})
}

// invitationJSON is a code that was made, which is shown once.
type invitationJSON struct {
	Email string `json:"email"`
	Code  string `json:"code"`
}

// inviteStaff makes a code, calls what stores its hash, and prints it.
func (env *Env) inviteStaff(email string, asJSON bool,
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
			s, err := db.People().StaffMember(ctx, email)
			if err != nil {
				return err
			}
			if s.Invitation.Hash != e.Hash {
				return env.printf("%s is a member of staff already, and nothing has changed; \"softstake staff invite\" "+
					"makes another code.\n", email)
			}
		}
		return env.showCode(email, code, "registers a passkey with it at /console/invitation", asJSON, err)
	})
}

// showCode shows the code of an invitation, with which the person of an address does something, and returns err: nil or
// what says that the invitation is proposed.
func (env *Env) showCode(email, code, does string, asJSON bool, err error) error {
	if asJSON {
		return cmp.Or(writeJSON(env.Stdout, invitationJSON{email, code}), err)
	}
	when := "for 24 hours"
	if err != nil {
		when = "for 24 hours from the approval on"
	}
	return cmp.Or(facts(env.Stdout, [2]string{"code", code}),
		env.printf("\nKeep it now: it is not shown again. %s %s, %s.\n", email, does, when), err)
}

type staffInviteCmd struct {
	Email string `arg:"" help:"Who: a local person who has lost the passkeys, or was disabled."`
	JSON  bool   `help:"Print a JSON object."`
}

func (c *staffInviteCmd) Help() string {
	return `The person's passkeys and recovery codes are removed, the sessions end, and one who was disabled is no more. It prints a code, as "staff add" does.

Example:

  softstake staff invite olga@example.com`
}

func (c *staffInviteCmd) Run(env *Env) error {
	email, err := access.ParseEmail(c.Email)
	if err != nil {
		return err
	}
	return env.inviteStaff(email, c.JSON, func(ctx context.Context, db *store.DB, e access.Invitation) error {
		return db.People().InviteStaff(ctx, email, e)
	})
}

type staffSetRoleCmd struct {
	Email string `arg:"" help:"Who: a local person. The groups of an OpenID provider give the role of the others."`
	Role  string `arg:"" placeholder:"ROLE" help:"viewer, support, operator, approver, treasurer, auditor or admin."`
}

func (c *staffSetRoleCmd) Help() string {
	return `The sessions of the person end, and the next has the role.

Example:

  softstake staff set-role olga@example.com approver`
}

func (c *staffSetRoleCmd) Run(env *Env) error {
	email, err := access.ParseEmail(c.Email)
	if err != nil {
		return err
	}
	role, err := access.ParseRole(c.Role)
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		return env.done(db.People().SetStaffRole(ctx, email, role), "%s has the role %s.\n", email, role)
	})
}

type staffDisableCmd struct {
	Email string `arg:"" help:"Who."`
}

func (c *staffDisableCmd) Help() string {
	return `The next request of the person is refused, in every process, also where an OpenID provider would still let the person in. It needs no approval. "staff invite" takes it back for a local person. The person stays in the list.

Example:

  softstake staff disable olga@example.com`
}

func (c *staffDisableCmd) Run(env *Env) error {
	email, err := access.ParseEmail(c.Email)
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		return env.done(db.People().DisableStaff(ctx, email), "%s is disabled.\n", email)
	})
}

type staffListCmd struct {
	JSON bool `help:"Print a JSON array."`
}

func (c *staffListCmd) Help() string {
	return `Those who are disabled are listed too.

Example:

  softstake staff list`
}

type staffJSON struct {
	Email    string        `json:"email"`
	Role     access.Role   `json:"role"`
	Source   access.Source `json:"source"` // local, or provider
	Made     instant       `json:"made"`
	MadeBy   string        `json:"madeBy"`
	Disabled *instant      `json:"disabled"` // null: not
	Invited  *instant      `json:"invited"`  // until when the code can be used; null: there is none
	Sessions int           `json:"sessions"` // that are live
}

func (c *staffListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		people := db.People()
		staff, err := people.Staff(ctx)
		if err != nil {
			return err
		}
		rows := make([]staffJSON, len(staff))
		for i, s := range staff {
			sessions, err := people.StaffSessions(ctx, s.Email)
			if err != nil {
				return err
			}
			rows[i] = staffJSON{s.Email, s.Role, s.Source, instant(s.Made), s.MadeBy, instantOrNull(s.Disabled), nil,
				len(sessions)}
			if env.Now().Before(s.Invitation.Until) {
				rows[i].Invited = instantOrNull(s.Invitation.Until)
			}
		}
		return list[staffJSON]{
			json:    c.JSON,
			columns: []col{text("e-mail"), text("role"), text("log-in"), text("made"), text("by"), text("state")},
			item: func(s staffJSON) (any, []string) {
				return s, []string{s.Email, string(s.Role), string(s.Source), wallTime(time.Time(s.Made)), s.MadeBy, s.state()}
			},
			none: "Nobody may log in to the console.\n",
		}.print(env, rows, nil)
	})
}

// state is what a person can do now.
func (s staffJSON) state() string {
	switch {
	case s.Disabled != nil:
		return "disabled"
	case s.Invited != nil:
		return "has a code until " + wallTime(time.Time(*s.Invited))
	case s.Sessions > 0:
		return fmt.Sprintf("has logged in: %d", s.Sessions)
	}
	return none
}
