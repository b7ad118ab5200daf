package cli

import (
	"context"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/store"
)

type loginFactorsCmd struct {
	Email string `arg:"" help:"Whose they are."`
}

func (c *loginFactorsCmd) Help() string {
	return `For a person who has lost them all: the next log-in needs the password alone. First make sure who asks: whoever takes over an account asks for this. It needs approval where four eyes do; the person gets a notice, and the login's sessions end.

Example:

  softstake login reset-factors alice@example.com --because "identified by video, ticket 4711"`
}

func (c *loginFactorsCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		l, err := db.People().Login(ctx, c.Email)
		if err != nil {
			return err
		}
		return env.done(db.People().ResetFactors(ctx, access.LoginSubject(l.Email)),
			"%s has no factors any more, and its sessions have ended.\n", l.Email)
	})
}
