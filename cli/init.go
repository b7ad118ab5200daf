package cli

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// initCmd makes books.
type initCmd struct {
	From       *staking.Day   `placeholder:"DAY" help:"First day of the books, such as 2026-11-22: nothing can be dated before it. Without it: today."`
	TestClock  bool           `help:"Mark the books for tests: their clock may be moved with --clock-offset, and they say on every page and in every answer that they are a test. It cannot be changed."`
	CloseAfter *time.Duration `placeholder:"TIME" help:"How long past midnight UTC days take late entries: less than a day. Without it: 5m."`
	AppRole    string         `placeholder:"NAME" help:"PostgreSQL only: a role that has no rights yet. It gets what serve and the daily commands need, table by table, and no right to change or remove entries, postings, payments or lines of the log."`
	FourEyes   string         `enum:"on,off" default:"on" help:"on: what moves money out, changes terms or gives access takes effect when a second person has approved it. off: single operator mode, for trying things out and for small installations: one person alone does everything."`

	WithdrawalFactor string `enum:"on,off" default:"on" help:"on: a holder withdraws with a passkey or an authenticator app only. off: for installations where no holder logs in here."`
}

func (c *initCmd) Help() string {
	return `The books begin with ten tokens and their terms, the regions where Soft Staking is not offered, and version 1 of the three documents. All of it can be changed afterwards. Books that exist already are left as they are.

The secrets of API keys are sealed with a key that is not in the database: a copy of the database alone does not give them away. It is made here, in --key-file, unless SOFTSTAKE_KEY holds one: 32 bytes in base64.

Examples:

  softstake init
  softstake init --close-after 2h
  softstake init --four-eyes off
  softstake init --test-clock --db sqlite:staging.db
  softstake init --from 2026-11-01 --db postgres://softstake@localhost/books
  softstake init --app-role books_server --db postgres://books_owner@localhost/books`
}

func (c *initCmd) Run(env *Env) (err error) {
	from, closeAfter := given(c.From, staking.DayOf(env.Now())), given(c.CloseAfter, staking.UsualCloseAfter)
	if err := checkCloseAfter(&closeAfter); err != nil {
		return err
	}
	tokens, err := staking.ShippedTokens(from)
	if err != nil {
		return err
	}
	if env.Getenv(sealKeyName) != "" { // a wrong one is found before there are books
		if _, err := env.sealer(); err != nil {
			return err
		}
	}
	regions := staking.ShippedRegions()
	db, err := store.Create(env.Context, env.DB, env.options(), store.Setup{
		From: from, Tokens: tokens, Regions: regions, Documents: staking.ShippedDocuments(), CloseAfter: closeAfter,
		TestClock: c.TestClock, FourEyes: c.FourEyes == "on", AppRole: c.AppRole,

		WithdrawalFactor: c.WithdrawalFactor == "on",
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	sealed, err := c.sealKey(env)
	if err == nil {
		_, err = db.Protect(env.Context, func(int64) {})
	}
	if err != nil {
		return err
	}
	symbols := make([]string, len(tokens))
	for i, t := range tokens {
		symbols[i] = t.Asset.Symbol
	}
	next := roleSentence(c.AppRole) + "\nNext: softstake account open alice --region DE\n"
	if c.CloseAfter != nil {
		next = fmt.Sprintf("\nEach day takes late entries until %s after midnight UTC.\n", short(closeAfter)) + next
	}
	if c.WithdrawalFactor == "off" {
		next = "\nFactors: " + withdrawalFactorSentence(false) + ".\n" + next
	}
	if c.TestClock {
		next = "\n" + testBooks(env) + "\n" + next
	}
	return cmp.Or(env.printf("Made books at %s\n\n", redact(env.DB)), facts(env.Stdout,
		[2]string{"first day", from.String()},
		[2]string{"tokens", strings.Join(symbols, " ")},
		[2]string{"not offered in", fmt.Sprintf("%d regions", len(regions))},
		[2]string{"documents", strings.Join(staking.DocumentNames, ", ") + ": version 1 of each"},
		[2]string{"secrets", sealed},
		[2]string{"four eyes", fourEyesSentence(c.FourEyes == "on")},
	), env.printf("%s", next))
}

// roleSentence says what an application role is for; "" without one.
func roleSentence(role string) string {
	if role == "" {
		return ""
	}
	return fmt.Sprintf("\nThe role %s may do what serve and the daily commands need, and no more: give them its "+
		"address.\n", role)
}

// sealKey sees to it that there is a key to seal secrets with, and says where.
func (c *initCmd) sealKey(env *Env) (string, error) {
	made, err := env.makeKeyFile()
	if err != nil {
		return "", fmt.Errorf("the books are made, but not the key that secrets are sealed with; name a file for it "+
			"with --key-file when you make the first API key: %w", err)
	}
	if env.Getenv(sealKeyName) != "" {
		return "sealed with " + sealKeyName + ", from the environment", nil
	}
	if !made {
		if _, err := env.sealer(); err != nil {
			return "", fmt.Errorf("the books are made, but secrets cannot be sealed: %w", err)
		}
		return "sealed with " + env.keyFile() + ", which was there before", nil
	}
	return "sealed with " + env.keyFile() + ": " + sealAdvice, nil
}
