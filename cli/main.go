// Package cli is the command line: each command reads its arguments, calls one thing of the
// packages below, and prints. It knows no SQL, and decides nothing about money.
package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/softstake/softstake/access"
)

// app is every command, in the order in which help lists them.
type app struct {
	DB    string `name:"db" placeholder:"URL" default:"sqlite:softstake.db" help:"Where the books are: sqlite:PATH or postgres://… Without it: $$SOFTSTAKE_DB, else ${default}."`
	Actor string `placeholder:"NAME" help:"Your name, kept with each change as 'operator NAME'. Without it: the name you are logged in by."`

	Because string `placeholder:"TEXT" help:"Why, if the command needs approval: kept with the proposal that it becomes."`

	ClockOffset time.Duration `placeholder:"TIME" help:"Move the clock ahead by so much, such as 36h: on books for tests only, as \"init --test-clock\" makes them. Without it: $$SOFTSTAKE_CLOCK_OFFSET."`

	KeyFile string `placeholder:"FILE" help:"The key that the secrets of API keys are sealed with. Without it: $$SOFTSTAKE_KEY_FILE, else beside the books, or softstake.key."`

	Insecure bool `help:"Allow what others on the network can read: serve without TLS on other addresses than this machine's, PostgreSQL on another host without sslmode=verify-full. Without it: $$SOFTSTAKE_INSECURE, else refused."`

	Demo     demoCmd     `cmd:"" group:"start" help:"Make a town of made-up holders, settle its days, and look at it."`
	Estimate estimateCmd `cmd:"" group:"start" help:"Show what Soft Staking would have paid on a real history."`
	Init     initCmd     `cmd:"" group:"start" help:"Make books: ten tokens, their terms, regions and documents."`
	Status   statusCmd   `cmd:"" group:"start" help:"Show the state of the books."`

	Account           accountCmd           `cmd:"" group:"holders" help:"Open and show accounts."`
	Owner             ownerCmd             `cmd:"" group:"holders" help:"Set whose accounts are, and list it."`
	Label             labelCmd             `cmd:"" group:"holders" help:"Give accounts labels, and list them."`
	Address           addressCmd           `cmd:"" group:"holders" help:"Set and list where holders send their deposits."`
	WithdrawalAddress withdrawalAddressCmd `cmd:"" group:"holders" help:"List and remove where holders withdraw to."`
	Accept            acceptCmd            `cmd:"" group:"holders" help:"Accept the documents for a holder."`
	Enroll            enrollCmd            `cmd:"" group:"holders" help:"Switch Soft Staking on for a holder."`
	Leave             leaveCmd             `cmd:"" group:"holders" help:"Switch Soft Staking off for a holder."`
	Exclude           excludeCmd           `cmd:"" group:"holders" help:"Leave accounts out for days that another product has."`

	Post    postCmd    `cmd:"" group:"entries" help:"Post entries: deposits, withdrawals, transfers, trades, holds."`
	Load    loadCmd    `cmd:"" group:"entries" help:"Load the opening balances of many accounts."`
	Import  importCmd  `cmd:"" group:"entries" help:"Import an exchange's Transaction History into an account."`
	Join    joinCmd    `cmd:"" group:"entries" help:"Post the events of another ledger, and see that none is missing."`
	Payouts payoutsCmd `cmd:"" group:"entries" help:"List what another ledger is to credit, and whether it has."`

	Events  eventsCmd  `cmd:"" group:"entries" help:"Deliver events to a topic of Kafka or NATS, and show how far it is."`
	Webhook webhookCmd `cmd:"" group:"entries" help:"Add, list and change what gets messages by HTTP."`

	Adjust adjustCmd `cmd:"" group:"entries" help:"Post a correction dated today, with its reason."`

	Compensate compensateCmd `cmd:"" group:"entries" help:"Make the reward of a paid day good, out of the pool."`

	Income incomeCmd `cmd:"" group:"entries" help:"Enter and list staking income, which rewards come from."`
	Fees   feesCmd   `cmd:"" group:"entries" help:"Take out of the books what the operator keeps of income."`
	Fund   fundCmd   `cmd:"" group:"entries" help:"Put tokens into the pool that rewards are paid from."`

	Campaign campaignCmd `cmd:"" group:"entries" help:"Divide a pool among those who earn with some tokens."`

	Entry      entryCmd      `cmd:"" group:"entries" help:"Show an entry, and who posted it."`
	Withdrawal withdrawalCmd `cmd:"" group:"entries" help:"List, complete and cancel the withdrawals that wait."`

	Reconciliation reconciliationCmd `cmd:"" group:"entries" help:"List and resolve what authoritative entries left below zero."`

	Settle    settleCmd    `cmd:"" group:"rewards" help:"Close the days that are over, and pay their rewards."`
	Days      daysCmd      `cmd:"" group:"rewards" help:"Show and set for how long days take late entries."`
	Rewards   rewardsCmd   `cmd:"" group:"rewards" help:"List an account's rewards."`
	Explain   explainCmd   `cmd:"" group:"rewards" help:"Show how a reward came about, or why there was none."`
	Statement statementCmd `cmd:"" group:"rewards" help:"List every change of an account's balances."`
	Tax       taxCmd       `cmd:"" group:"rewards" help:"Sum what accounts received in a year, in a currency."`

	Asset     assetCmd     `cmd:"" group:"offer" help:"Add and list tokens."`
	Terms     termsCmd     `cmd:"" group:"offer" help:"Set, list and correct what tokens earn."`
	Simulate  simulateCmd  `cmd:"" group:"offer" help:"Show what other terms would have cost on days that are paid."`
	Limit     limitCmd     `cmd:"" group:"offer" help:"Limit what is paid without a person looking at it."`
	Price     priceCmd     `cmd:"" group:"offer" help:"Set and list prices in USDT."`
	Currency  currencyCmd  `cmd:"" group:"offer" help:"Set and list what USDT is worth in currencies."`
	Documents documentsCmd `cmd:"" group:"offer" help:"Publish and show the documents that holders accept."`
	Rates     ratesCmd     `cmd:"" group:"offer" help:"List what a token's holders earn a year, before and after the fee."`

	Disclosure disclosureCmd `cmd:"" group:"offer" help:"State and show where the rewards of a token come from."`

	Region regionCmd `cmd:"" group:"offer" help:"Set where Soft Staking is not offered."`

	Login      loginCmd      `cmd:"" group:"access" help:"Set who may log in to the pages."`
	Key        keyCmd        `cmd:"" group:"access" help:"Make, list and revoke API keys."`
	Token      tokenCmd      `cmd:"" group:"access" help:"Make, list and revoke bearer tokens."`
	BreakGlass breakGlassCmd `cmd:"" group:"access" help:"Make the credential that lies in a safe."`
	Staff      staffCmd      `cmd:"" group:"access" help:"Set who may log in to the console."`

	Proposal proposalCmd `cmd:"" group:"access" help:"Approve and reject what others propose, and list it."`
	FourEyes fourEyesCmd `cmd:"" group:"access" help:"Set whether operations need approval."`

	WithdrawalFactor withdrawalFactorCmd `cmd:"" group:"access" help:"Set whether holders need a second factor to withdraw."`

	Serve     serveCmd     `cmd:"" group:"run" help:"Answer requests, and settle each day by itself."`
	Audit     auditCmd     `cmd:"" group:"run" help:"Re-derive every figure, and say where the books differ."`
	Reconcile reconcileCmd `cmd:"" group:"run" help:"Compare the balances of a day with those of another ledger."`
	Anchor    anchorCmd    `cmd:"" group:"run" help:"Record the rows of closed days, and sign the records."`
	Proof     proofCmd     `cmd:"" group:"run" help:"Prove to a holder that the balance of a day is counted."`
	Verify    verifyCmd    `cmd:"" group:"run" help:"Check proofs, without books and without a network."`
	KeyRotate keyRotateCmd `cmd:"" group:"run" help:"Change the key that secrets are sealed with, while servers run."`
	Privacy   privacyCmd   `cmd:"" group:"run" help:"Remove what says who persons are and where they were."`
	Log       logCmd       `cmd:"" group:"run" help:"Show who changed what, and when."`
	Bench     benchCmd     `cmd:"" group:"run" help:"Measure how fast this machine settles, posts and answers."`
	Upgrade   upgradeCmd   `cmd:"" group:"run" help:"Bring books of an older softstake up to date."`
	Backup    backupCmd    `cmd:"" group:"run" help:"Write a snapshot of the books into a new file."`
	Restore   restoreCmd   `cmd:"" group:"run" help:"Make books from a snapshot, in SQLite or PostgreSQL."`
}

var groups = kong.ExplicitGroups([]kong.Group{
	{Key: "start", Title: "Begin here:"},
	{Key: "holders", Title: "Holders:"},
	{Key: "entries", Title: "Entries:"},
	{Key: "rewards", Title: "Rewards:"},
	{Key: "offer", Title: "What is offered, to whom:"},
	{Key: "access", Title: "Who may ask, and with what:"},
	{Key: "run", Title: "Running the books:"},
})

// Main runs the program with its arguments, and returns its exit status: 0 done,
// 1 refused or failed, 2 given wrongly, 3 proposed, since it needs approval.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	return run(&Env{Stdin: stdin, Stdout: stdout, Stderr: stderr, Now: time.Now, Random: rand.Reader, Getenv: os.Getenv,
		Context: ctx}, args)
}

// run runs a command, writes what went wrong to standard error, and returns the exit status.
func run(env *Env, args []string) int {
	err := parse(env, args)
	if err == nil {
		return 0
	}
	if lost := env.warnf("softstake: %s", sentence(env, err)); lost != nil {
		return 1
	}
	return statusOf(err)
}

// parse reads the arguments and runs the command that they name.
func parse(env *Env, args []string) error {
	var a app
	helped, out := false, env.Stdout
	if len(args) == 1 && args[0] == "--version" { // no flag: "accept" has a --version of its own
		return env.printf("%s", readBuild())
	}
	if len(args) == 0 {
		args, out = []string{"--help"}, env.Stderr
	} else if args[0] == "help" {
		args = append(slices.Clone(args[1:]), "--help")
	}
	k, err := kong.New(&a, kong.Name("softstake"), groups,
		kong.Description("Soft Staking for spot ledgers: double-entry books, and the daily reward on what holders "+
			"keep. softstake --version says how the program was built."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.Resolvers(environment(env)), kong.Writers(out, env.Stderr), kong.Exit(func(int) { helped = true }))
	if err != nil {
		return err
	}
	ctx, err := k.Parse(joinOffset(args))
	switch {
	case helped && out == env.Stdout:
		return nil
	case helped:
		return usage("name a command")
	case err != nil:
		return usage("%w%s", err, seeHelp(err))
	}
	if err := checkURL(a.DB); err != nil {
		return err
	}
	if err := env.moveClock(a.ClockOffset, ctx.Command()); err != nil {
		return err
	}
	if env.Actor, err = access.CommandLine(a.Actor); err != nil {
		return usage("--actor: %w", err)
	}
	env.DB, env.KeyFile, env.Insecure, env.Because = a.DB, a.KeyFile, a.Insecure, a.Because
	env.DBGiven = slices.ContainsFunc(ctx.Path, func(p *kong.Path) bool {
		return p.Flag != nil && p.Flag.Name == "db" && !p.Resolved
	})
	return ctx.Run(env)
}

// joinOffset writes "--utc-offset -06:00" as one argument, so that the offset is
// not taken for a flag.
func joinOffset(args []string) []string {
	i := slices.Index(args, "--utc-offset")
	if i < 0 || i+1 >= len(args) || !strings.HasPrefix(args[i+1], "-") {
		return args
	}
	return slices.Concat(args[:i], []string{args[i] + "=" + args[i+1]}, args[i+2:])
}

// seeHelp names the help of the command that was being read.
func seeHelp(err error) string {
	command := "softstake"
	var parsing *kong.ParseError
	if errors.As(err, &parsing) && parsing.Context != nil && parsing.Context.Selected() != nil {
		command = parsing.Context.Selected().FullPath()
	}
	loss := ""
	if _, amount, is := strings.Cut(err.Error(), "unknown flag -"); is && strings.HasSuffix(command, "income add") &&
		strings.IndexAny(amount, "0123456789") == 0 {
		loss = "; a loss is an amount above zero, with --loss"
	}
	return fmt.Sprintf("%s; see \"%s --help\"", loss, command)
}

// environment finds the flags that may come from outside the command line.
func environment(env *Env) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, path *kong.Path, flag *kong.Flag) (any, error) {
		value, serve := "", path != nil && path.Command != nil && path.Command.Name == "serve"
		switch {
		case flag.Name == "actor":
			value = actor(env.Getenv)
		case serve || slices.Contains([]string{"db", "key-file", "insecure", "clock-offset", "close-after",
			"breached-passwords"}, flag.Name):
			value = env.Getenv("SOFTSTAKE_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_")))
		}
		if value == "" {
			return nil, nil
		}
		return value, nil
	})
}

// actor is the name that the person is logged in by, on this machine.
func actor(env func(string) string) string {
	if name := env("USER"); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown" // neither the environment nor the system knows
}

// checkURL refuses what is no address of books, before anybody prints it: it may hold a password.
func checkURL(url string) error {
	path, sqlite := strings.CutPrefix(url, "sqlite:")
	postgres := strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
	if postgres || (sqlite && path != "") {
		return nil
	}
	return usage("the books are at sqlite:PATH or postgres://USER@HOST/NAME; correct --db or SOFTSTAKE_DB")
}
