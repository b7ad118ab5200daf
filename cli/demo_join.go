package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/client"
	"github.com/softstake/softstake/demo/exchange"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgserver"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/serve"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

const (
	joinAccounts = 200  // of the exchange
	joinHistory  = 5000 // changes of the days before, about
	joinLive     = 2000 // changes while softstake follows
	joinReader   = "reader"
)

// beside is softstake beside a made-up exchange: what the commands of an afternoon do, one after the other.
type beside struct {
	env      *Env
	exchange *exchange.Exchange
	dir      string // of what goes with the demo
	books    string // where the books are
	source   []string
	balances []string // what reconcile compares with
	first    staking.Day
	day      staking.Day                     // that earns first, and is compared
	clock    func() time.Time                // of the commands
	writes   func(ctx context.Context) error // writes what the source reads; nil: it reads the ledger itself
	end      func() error                    // ends the command that follows the exchange; nil: none does
	gone     chan struct{}                   // closed when that command has ended
}

// besideExchange makes the exchange and the books, and shows how one follows the other, pays and compares.
func (c *demoCmd) besideExchange(env *Env) (err error) {
	// A reader that goes away (| head) must not end the program at once: there are folders to be removed.
	signal.Ignore(syscall.SIGPIPE)
	defer signal.Reset(syscall.SIGPIPE)
	dir, err := os.MkdirTemp("", "softstake-demo-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	today := staking.DayOf(env.Now())
	b := &beside{env: env, dir: dir, books: "sqlite:" + filepath.Join(dir, "books.db"), first: today - 4, day: today - 2,
		clock: env.Now}
	if env.DBGiven {
		b.books = env.DB
	}
	stop, err := b.open(c.Ledger, rand.New(rand.NewPCG(c.Seed, 1)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	defer func() {
		if b.end != nil {
			err = errors.Join(err, b.end())
		}
	}()
	for _, chapter := range []func() error{b.begin, b.follow, b.settle, b.payOut, b.agree, b.differ} {
		if err := env.Context.Err(); err != nil {
			return err
		}
		if err := chapter(); err != nil {
			return err
		}
	}
	return b.say("That is all: docs/join.md is the same with your own ledger.")
}

// open starts the exchange: in PostgreSQL where it is installed, else in SQLite, which it follows by files.
func (b *beside) open(kind string, chance *rand.Rand) (stop func() error, err error) {
	ctx := b.env.Context
	if kind != "sqlite" {
		stop, err := b.openPostgres(chance)
		if err == nil || kind == "postgres" {
			return stop, err
		}
		if err := b.say("The exchange is kept in SQLite: " + plain(err) + "."); err != nil {
			return nil, err
		}
	}
	outbox := filepath.Join(b.dir, "outbox")
	if err := os.Mkdir(outbox, 0o700); err != nil {
		return nil, err
	}
	if b.exchange, err = exchange.Open(ctx, "sqlite:"+filepath.Join(b.dir, "exchange.db"), chance); err != nil {
		return nil, err
	}
	b.source = []string{"file:" + outbox}
	b.balances = []string{filepath.Join(b.dir, "balances.csv")}
	b.writes = func(ctx context.Context) error {
		return b.exchange.WriteOutbox(ctx, filepath.Join(outbox, "ledger.jsonl"), b.env.Now())
	}
	return b.exchange.Close, b.say("A made-up exchange, with a ledger of its own in SQLite. " +
		"It writes what changes to a file.")
}

// openPostgres starts a server of its own for the exchange.
func (b *beside) openPostgres(chance *rand.Rand) (stop func() error, err error) {
	ctx := b.env.Context
	dir, err := os.MkdirTemp("", "softstake-demo-*") // of its own: as root the server runs as another user
	if err != nil {
		return nil, err
	}
	server, err := pgserver.Start(ctx, dir, "wal_level=logical")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	stop = func() error { return server.Close(context.WithoutCancel(ctx)) }
	defer func() {
		if err != nil {
			err = errors.Join(err, stop())
		}
	}()
	address, err := server.NewDatabase(ctx, "exchange")
	if err != nil {
		return nil, err
	}
	if b.exchange, err = exchange.Open(ctx, address, chance); err != nil {
		return nil, err
	}
	closed := stop
	stop = func() error { return errors.Join(b.exchange.Close(), closed()) }
	password, err := access.NewPassword(b.env.Random)
	if err == nil {
		err = b.exchange.LetRead(ctx, joinReader, password)
	}
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	passwords, mapping := filepath.Join(b.dir, "pgpass"), filepath.Join(b.dir, "exchange.json")
	line := strings.Join([]string{at.Hostname(), at.Port(), "*", joinReader, password}, ":")
	if err := errors.Join(os.WriteFile(passwords, []byte(line+"\n"), 0o600),
		os.WriteFile(mapping, []byte(exchange.Mapping), 0o600)); err != nil {
		return nil, err
	}
	ledger := "postgres://" + joinReader + "@" + at.Host + "/exchange?sslmode=disable&passfile=" + passwords
	b.source = []string{ledger + "&slot=softstake&publication=softstake&snapshot=accounts,postings", "--mapping", mapping}
	b.balances = []string{"--ledger", ledger, "--balances-query", exchange.BalancesQuery}
	return stop, b.say("A made-up exchange, with a ledger of its own in a PostgreSQL that is started for it. " +
		"softstake may read two tables of it, and write nothing.")
}

// say prints a line of the story.
func (b *beside) say(text string, args ...any) error { return b.env.printf("\n"+text+"\n", args...) }

// child is the environment of a command of the story.
func (b *beside) child(ctx context.Context, stdout io.Writer) *Env {
	env := *b.env
	env.Context, env.Stdout, env.DB, env.Now = ctx, stdout, b.books, b.clock
	env.Getenv = func(name string) string {
		if name == "SOFTSTAKE_DB" {
			return b.books
		}
		return b.env.Getenv(name)
	}
	return &env
}

// do shows a command, and runs it. It must end well.
func (b *beside) do(args ...string) error {
	if status, err := b.try(args...); err != nil || status != 0 {
		return cmp.Or(err, fmt.Errorf("softstake %s ended with status %d", args[0], status))
	}
	return nil
}

// try shows a command, runs it, and returns its status.
func (b *beside) try(args ...string) (status int, err error) {
	if err := b.env.printf("\n$ softstake %s\n", shellWords(args)); err != nil {
		return 0, err
	}
	return run(b.child(b.env.Context, b.env.Stdout), args), nil
}

// shellWords writes arguments as they are typed.
func shellWords(args []string) string {
	var words []string
	for _, arg := range args {
		if strings.ContainsAny(arg, " &*$()<>;") {
			arg = "'" + arg + "'"
		}
		words = append(words, arg)
	}
	return strings.Join(words, " ")
}

// begin makes the books, and what the exchange has from the days before.
func (b *beside) begin() error {
	start := b.first.Start().Add(time.Second)
	ctx := b.env.Context
	if err := b.exchange.Admit(ctx, joinAccounts, start); err != nil {
		return err
	}
	if err := b.exchange.Trade(ctx, joinHistory, start.Add(time.Minute), b.env.Now().Add(-time.Minute)); err != nil {
		return err
	}
	if err := b.say("It has %d accounts, and %d postings since %s. On that day the books of softstake were made:",
		joinAccounts, b.exchange.Postings(), b.first); err != nil {
		return err
	}
	b.clock = func() time.Time { return start }
	defer func() { b.clock = b.env.Now }()
	for _, command := range [][]string{
		{"init", "--four-eyes", "off"}, {"payouts", "on"},
		{"fund", "BNB", "1000"}, {"fund", "SOL", "10000"},
	} {
		if err := b.do(command...); err != nil {
			return err
		}
	}
	return nil
}

// follow brings the ledger into the books, and then follows it while it changes.
func (b *beside) follow() error {
	if err := b.written(b.env.Context); err != nil {
		return err
	}
	if err := b.say("What the exchange has comes into the books:"); err != nil {
		return err
	}
	join := append([]string{"join"}, append(b.source, "--name", "exchange")...)
	if err := b.do(append(join, "--until-end")...); err != nil {
		return err
	}
	holders := filepath.Join(b.dir, "holders.csv")
	file, err := os.Create(holders)
	if err != nil {
		return err
	}
	err = b.exchange.WriteHolders(file, (b.day - 1).Start().Add(9*time.Hour))
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	err = b.say("Its holders have pressed the switch on %s; %s is the first day that earns:", b.day-1, b.day)
	if err == nil {
		err = b.do("enroll", "--file", holders)
	}
	if err == nil {
		err = b.say("From now on softstake follows the exchange:\n\n$ softstake %s &", shellWords(join))
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(b.env.Context)
	status := 0
	b.gone = make(chan struct{})
	go func() {
		defer close(b.gone)
		status = run(b.child(ctx, io.Discard), join)
	}()
	b.end = func() error {
		cancel()
		if <-b.gone; status > 1 {
			return fmt.Errorf("softstake join ended with status %d", status)
		}
		return nil
	}
	return b.live()
}

// written writes what a source that is read from files needs.
func (b *beside) written(ctx context.Context) error {
	if b.writes == nil {
		return nil
	}
	return b.writes(ctx)
}

// live lets the exchange trade while it is followed, until the books have all of it.
func (b *beside) live() error {
	const steps = 20
	ctx := b.env.Context
	for range steps {
		now := b.env.Now()
		if err := cmp.Or(b.exchange.Trade(ctx, joinLive/steps, now.Add(-time.Second), now), b.written(ctx)); err != nil {
			return err
		}
	}
	last, began := fmt.Sprintf("join/exchange/%d", b.exchange.Postings()), b.env.Now()
	if err := b.await(func(rs *reports.Reports) (bool, error) {
		_, _, err := rs.Entry(ctx, last)
		if errors.Is(err, ledger.ErrNotFound) {
			return false, b.follows(rs)
		}
		return err == nil, err
	}); err != nil {
		return err
	}
	return b.say("It has traded; its last posting, %d, is in the books %s after it was written.", b.exchange.Postings(),
		b.env.Now().Sub(began).Round(10*time.Millisecond))
}

// await waits until something is so in the books, while they are followed.
func (b *beside) await(holds func(rs *reports.Reports) (bool, error)) error {
	return b.child(b.env.Context, io.Discard).books(func(ctx context.Context, db *store.DB) error {
		for {
			if done, err := holds(reports.New(db.Reader())); done || err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-b.gone:
				return errors.New("softstake join has ended")
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
}

// follows is an error where the exchange is not followed any more.
func (b *beside) follows(rs *reports.Reports) error {
	partitions, err := rs.Partitions(b.env.Context)
	for _, p := range partitions {
		if p.State == store.Stopped {
			return fmt.Errorf("the partition %s has stopped: %s", p.Name, p.Reason)
		}
	}
	return err
}

// settle pays the first day that has earned.
func (b *beside) settle() error {
	if err := b.say("Everything of %s is delivered, and so the day is closed and paid:", b.day); err != nil {
		return err
	}
	return b.do("settle", "--through", b.day.String())
}

// payOut has the exchange read its payouts, and credit them in its own ledger.
func (b *beside) payOut() error {
	var token bytes.Buffer
	create := []string{"token", "create", "--role", "deposits", "--json"}
	if status := run(b.child(b.env.Context, &token), create); status != 0 {
		return fmt.Errorf("softstake token ended with status %d", status)
	}
	var made struct{ Token string }
	if err := json.Unmarshal(token.Bytes(), &made); err != nil {
		return err
	}
	credited, err := 0, error(nil)
	err = b.child(b.env.Context, io.Discard).books(func(ctx context.Context, db *store.DB) error {
		server, err := serve.New(serve.Config{Books: db, Now: b.env.Now, Rate: 600,
			Log: slog.New(slog.NewTextHandler(b.env.Stderr, logOptions(slog.LevelError)))})
		if err != nil {
			return err
		}
		address, err := server.Start(ctx, "127.0.0.1:0")
		if err == nil {
			credited, err = b.credit(ctx, address, made.Token)
		}
		return errors.Join(err, server.Stop())
	})
	if err != nil {
		return err
	}
	if err := b.written(b.env.Context); err != nil {
		return err
	}
	err = b.say("The exchange has read %s from GET /v1/payouts, and credited each once in its own ledger. "+
		"These postings\ncome back with the others, and acknowledge the payouts:", count(credited, "payout", "payouts"))
	if err != nil {
		return err
	}
	if err := b.await(func(rs *reports.Reports) (bool, error) {
		open, err := rs.OpenPayouts(b.env.Context, 0, 1, false)
		return len(open) == 0, cmp.Or(err, b.follows(rs))
	}); err != nil {
		return err
	}
	return b.do("payouts", "list")
}

// credit is what the exchange's own program does: it reads payouts page by page, and credits what it has not credited.
func (b *beside) credit(ctx context.Context, address, token string) (credited int, err error) {
	c, err := client.New("http://"+address, token, client.Config{})
	if err != nil {
		return 0, err
	}
	after, err := b.exchange.ReadPayouts(ctx)
	for more := true; err == nil && more; {
		page, failed := c.ListPayouts(ctx, client.ListPayoutsQuery{After: after})
		if failed != nil {
			return credited, failed
		}
		var payouts []exchange.Payout
		for _, p := range page.Payouts {
			payouts = append(payouts, exchange.Payout{ID: p.ID, Account: p.Account, Asset: p.Asset, Amount: p.Amount})
		}
		n := 0
		n, err = b.exchange.Credit(ctx, payouts, page.Next, b.env.Now())
		credited, after, more = credited+n, page.Next, page.More
	}
	return credited, err
}

// agree compares both sides.
func (b *beside) agree() error {
	if err := b.say("Do both sides say the same at the end of %s?", b.day); err != nil {
		return err
	}
	if err := b.writeBalances(); err != nil {
		return err
	}
	return b.do(b.reconcile()...)
}

func (b *beside) reconcile() []string {
	return append(append([]string{"reconcile"}, b.balances...), "--day", b.day.String())
}

// writeBalances writes the file that is compared, where there is one.
func (b *beside) writeBalances() (err error) {
	if b.writes == nil {
		return nil
	}
	file, err := os.Create(b.balances[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return b.exchange.WriteBalances(b.env.Context, file, (b.day + 1).Start())
}

// differ changes a posting behind the exchange's back, and finds it.
func (b *beside) differ() error {
	statement, err := b.exchange.Alter(b.env.Context)
	if err == nil {
		err = b.say("Somebody with access to the exchange's database changes a posting by hand:\n\n  %s", statement)
	}
	if err == nil {
		err = b.writeBalances()
	}
	if err != nil {
		return err
	}
	status, err := b.try(b.reconcile()...)
	if err == nil && status != 1 {
		err = fmt.Errorf("the difference was not found: status %d", status)
	}
	if err != nil || b.writes != nil {
		return err
	}
	if err := b.await(func(rs *reports.Reports) (bool, error) {
		partitions, err := rs.Partitions(b.env.Context)
		return len(partitions) == 1 && partitions[0].State == store.Stopped, err
	}); err != nil {
		return err
	}
	return cmp.Or(
		b.say("And since what was posted has changed, nothing more of it is read until somebody decides:"),
		b.do("join", "status"))
}
