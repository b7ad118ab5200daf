package cli

import (
	"context"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/store"
)

// privacyCmd is what is done about what is personal in the books.
type privacyCmd struct {
	Prune privacyPruneCmd `cmd:"" help:"Remove what is personal and older than its retention, now."`
}

// retentionFlags are for how long what is personal is kept.
type retentionFlags struct {
	KeepOrigins int `default:"90" placeholder:"DAYS" help:"For how many days the books keep where events and sessions came from: network addresses, clients, and the login or key that a security event is about; 0: until the person is erased. Without it: ${default}."`
	KeepEmails  int `default:"90" placeholder:"DAYS" help:"For how many days the books keep the e-mail address of a login that has ended; 0: until the person is erased. Without it: ${default}."`
}

// Validate refuses days that are none.
func (f *retentionFlags) Validate() error {
	for name, days := range map[string]int{"--keep-origins": f.KeepOrigins, "--keep-emails": f.KeepEmails} {
		if days < 0 || days > 36_500 {
			return usage("%s %d is not 0 to 36500 days", name, days)
		}
	}
	return nil
}

func (f *retentionFlags) retention() people.Retention {
	const day = 24 * time.Hour
	return people.Retention{Origins: time.Duration(f.KeepOrigins) * day, Emails: time.Duration(f.KeepEmails) * day}
}

// privacyPruneCmd removes what is personal and older than its retention.
type privacyPruneCmd struct {
	retentionFlags `embed:""`
}

func (c *privacyPruneCmd) Help() string {
	return `"serve" does it by itself, each hour, with the same flags. The events stay, and so does the log: they name a login by a reference, which then leads nowhere. Repeating has no further effect.

Example:

  softstake privacy prune --keep-origins 30`
}

func (c *privacyPruneCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		return env.done(db.People().PrunePersonal(ctx, c.retention()), "What is older than its retention is removed.\n")
	})
}

// accountEraseCmd removes the person of a closed account.
type accountEraseCmd struct {
	Account ledger.Account `arg:""`
}

func (c *accountEraseCmd) Help() string {
	return `Of a closed account whose last reward is paid: logins and their e-mail addresses, sessions, network addresses and clients, the secrets, networks and labels of keys, and the reason of a freeze. Keys and tokens are revoked. What stays is the ledger, the residence, and the log and the records of days, which name the person by a reference that leads nowhere; "audit" and "audit --anchors" find nothing. It cannot be undone. Repeating has no further effect.

Backups from before still have the person. After restoring one, run the command again for each account that this lists in the books from before, or in your own list of requests: softstake log --limit 0.

Example:

  softstake account erase alice`
}

func (c *accountEraseCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		e, err := db.EraseAccount(ctx, c.Account)
		if err == nil && e.Repeated {
			return env.printf("The person of %s is removed already.\n", c.Account)
		}
		return env.done(err, "Account %s: %s.\n", c.Account, e.Erased)
	})
}
