package cli

import (
	"cmp"
	"fmt"

	"github.com/softstake/softstake/store"
)

// upgradeCmd brings the schema of the books up to this program's.
type upgradeCmd struct {
	AppRole string `placeholder:"NAME" help:"PostgreSQL only: a role that gets what serve and the daily commands need, as with init --app-role. A role that has it already gets what the new schema needs by itself."`
}

func (*upgradeCmd) Help() string {
	return `Every other command, and a server that runs, refuses books whose schema is older or newer than its own. This command is the only one that changes the schema. It cannot be undone: make a backup first, with the softstake that the books were last used with.

Stop "softstake serve" and other commands before. A server of this version or later that still runs sees the upgrade within seconds, answers 503 and ends with an error. Where the command is interrupted, run it again: what is done stays done, and the step in hand begins again.

What it changed for holders and their programs, such as keys that may no longer withdraw, is printed and kept in the log.

Examples:

  softstake upgrade
  softstake upgrade --app-role books_server --db postgres://books_owner@localhost/books`
}

func (c *upgradeCmd) Run(env *Env) error {
	if c.AppRole != "" {
		if err := store.CheckRole(env.Context, env.DB, env.options(), c.AppRole); err != nil {
			return err
		}
	}
	bar := newMeter(env, "upgrading", 0)
	u, err := store.Upgrade(env.Context, env.DB, env.options(), func(migration, rows int64) {
		bar.to(rows, fmt.Sprintf("upgrading to schema %d", migration))
	})
	switch err = cmp.Or(err, bar.end()); {
	case err != nil:
		return err
	case u.From == u.To:
		err = env.printf("Nothing to do: the books have schema %d.\n", u.To)
	default:
		err = cmp.Or(printChanges(env, u.Changes),
			env.printf("Upgraded from schema %d to %d. Check it: softstake audit\n", u.From, u.To))
	}
	if err != nil || c.AppRole == "" {
		return err
	}
	err = store.GrantRole(env.Context, env.DB, env.options(), c.AppRole)
	return env.done(err, "%s", roleSentence(c.AppRole))
}

// printChanges writes what an upgrade changed for holders and operators.
func printChanges(env *Env, changes []store.LogLine) error {
	for _, l := range changes {
		if err := env.printf("%s: %s\n", l.Subject, l.Detail); err != nil {
			return err
		}
	}
	return nil
}
