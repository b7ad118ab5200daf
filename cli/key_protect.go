package cli

import (
	"cmp"
	"context"

	"github.com/softstake/softstake/store"
)

// keyProtectCmd protects the rows of books from before there were MACs.
type keyProtectCmd struct{}

func (keyProtectCmd) Help() string {
	return `Tokens, logins, sessions, API keys, staff, second factors, step-ups, saved addresses, pending withdrawals and proposals carry a MAC (HMAC-SHA256) with a key that is derived from --key-file: who can write to the database and has no key can neither add such a row nor change one. A row without its MAC is refused where it is used, and "audit" finds it.

"init" and "upgrade" do this by themselves where there is a key. This command does it where there was none, and makes the key then. It vouches for what the rows say now: look at "token list", "staff list" and "login list" before. It is done once, and the log keeps that.

Where "serve" runs without a key, stop it before, and start it again with the key.

Example:

  softstake key protect`
}

func (keyProtectCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		since, err := db.Protected(ctx)
		if err != nil {
			return err
		}
		if !since.IsZero() {
			return env.printf("Nothing to do: these rows carry MACs since %s UTC.\n", wallTime(since))
		}
		if _, err := env.makeKeyFile(); err != nil {
			return err
		}
		bar := newMeter(env, "rows looked at", 0)
		signed, err := db.Protect(ctx, func(rows int64) { bar.to(rows, bar.what) })
		return env.done(cmp.Or(err, bar.end()), "Gave %s a MAC with the key of %s; %s.\n",
			count(signed, "row that gives a right", "rows that give a right"), env.keyName(), sealAdvice)
	})
}
