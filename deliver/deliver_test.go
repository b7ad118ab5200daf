package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/deliver"
	fromkafka "github.com/softstake/softstake/join/kafka"
	fromnats "github.com/softstake/softstake/join/nats"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/payout"
	"github.com/softstake/softstake/payout/postgres"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
	"github.com/softstake/softstake/topic"
	"github.com/softstake/softstake/topic/kafka"
	"github.com/softstake/softstake/topic/nats"
)

// The variables by which the tests start themselves as a process that can be killed: one that delivers.
const (
	booksToRead = "SOFTSTAKE_TEST_BOOKS"
	targetOfIt  = "SOFTSTAKE_TEST_TARGET"
	streamOfIt  = "SOFTSTAKE_TEST_STREAM"
	clockOfIt   = "SOFTSTAKE_TEST_CLOCK" // what time it is when it begins
	killsInLong = 200
	kills       = 4
	smallPage   = 3 // so that much is between two kills
)

func TestMain(m *testing.M) {
	alone := deliverAlone
	switch {
	case os.Getenv(brokerToRun) != "":
		alone = runBroker
	case os.Getenv(booksToRead) == "":
		pgtest.Main(m)
		return
	}
	if err := alone(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// alone makes a process that delivers what there is to a target, of any kind, until it is killed.
func (b *books) alone(stream store.Stream, address string) *exec.Cmd {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), booksToRead+"="+b.url, targetOfIt+"="+address, streamOfIt+"="+string(stream),
		clockOfIt+"="+b.clock.Now().Format(time.RFC3339Nano))
	return c
}

// deliverAlone is such a process.
func deliverAlone() (err error) {
	ctx, began := context.Background(), time.Now()
	now, err := time.Parse(time.RFC3339Nano, os.Getenv(clockOfIt))
	if err != nil {
		return err
	}
	books, err := store.Open(ctx, os.Getenv(booksToRead), store.Options{
		Clock: func() time.Time { return now.Add(time.Since(began)) }, Actor: access.Process("test")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, books.Close()) }()
	c := configure(books, os.Stderr)
	c.UntilEnd, c.Holder = false, fmt.Sprint("process ", os.Getpid())
	if store.Stream(os.Getenv(streamOfIt)) == store.EventStream {
		to, err := parseTopic(os.Getenv(targetOfIt))
		if err == nil {
			_, err = deliver.Events(ctx, c, to, allKinds)
		}
		return err
	}
	target, err := parse(os.Getenv(targetOfIt))
	if err == nil {
		_, err = deliver.Payouts(ctx, c, target)
	}
	return err
}

// parse reads the address of a target, of any kind.
func parse(address string) (payout.Target, error) {
	if strings.HasPrefix(address, "postgres:") {
		return postgres.Parse(address, "exchange", false)
	}
	to, err := parseTopic(address)
	return payout.ToTopic(to), err
}

// parseTopic reads the address of a topic.
func parseTopic(address string) (topic.Topic, error) {
	if strings.HasPrefix(address, "kafka:") {
		return kafka.Parse(address, fromkafka.Credentials{}, false)
	}
	return nats.Parse(address, fromnats.Credentials{}, false)
}

// configure says how something of books is delivered.
func configure(books *store.DB, log io.Writer) deliver.Config {
	return deliver.Config{Books: books, Name: "exchange", Holder: "test", Log: slog.New(slog.NewTextHandler(log, nil)),
		Poll: 10 * time.Millisecond, Batch: smallPage, Random: rand.Int64N, UntilEnd: true}
}

// books are books in which some holders earn, and whose rewards are payouts.
type books struct {
	*testing.T
	*store.DB
	clock *testkit.Clock
	url   string
	day   int // the last one that is over
	log   *strings.Builder
}

const holders = 20

func newBooks(t *testing.T) *books {
	t.Helper()
	b := &books{T: t, clock: testkit.NewClock(testkit.Moment(1, "00:00")), log: &strings.Builder{}, day: 1,
		url: "sqlite:" + filepath.Join(t.TempDir(), "books.db")}
	today := staking.DayOf(b.clock.Now())
	b.DB = testkit.Must(store.Create(t.Context(), b.url, store.Options{Clock: b.clock.Now, Actor: access.Process("test")},
		store.Setup{From: today, Documents: staking.ShippedDocuments(), Limits: staking.NoLimit,
			Tokens: testkit.Must(staking.ShippedTokens(today))(t)}))(t)
	t.Cleanup(func() {
		if err := b.DB.Close(); err != nil {
			t.Error(err)
		}
	})
	testkit.Must(b.Fund(t.Context(), "f", "BNB", 1_000_000_00000000, false))(t)
	var ids []ledger.Account
	for i := range holders {
		id := ledger.Account(fmt.Sprintf("holder-%02d", i))
		b.ok(b.OpenAccounts(t.Context(), []store.Account{{ID: id, Region: "DE"}}))
		outcomes := testkit.Must(b.Post(t.Context(), []ledger.Entry{{ID: "d-" + string(id), Kind: ledger.Deposit,
			Moves: []ledger.Move{{From: ledger.Custody, To: id, Asset: "BNB", Amount: ledger.Amount(100_00000000 + i)}}}}))(t)
		b.ok(outcomes[0].Err)
		ids = append(ids, id)
	}
	b.ok(b.EnrollAll(t.Context(), ids, today))
	b.ok(b.SetPayouts(t.Context(), true))
	return b
}

func (b *books) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// settle lets a day end, and pays it.
func (b *books) settle() {
	b.Helper()
	b.day++
	b.clock.Set(b.day, "00:10")
	testkit.Must(staking.Run(b.Context(), b.DB, b.clock.Now(), staking.Options{Workers: 1}))(b.T)
}

// payouts are all that the books have.
func (b *books) payouts() []reports.Payout {
	b.Helper()
	return testkit.Must(reports.New(b.Reader()).Payouts(b.Context(), 0, 10_000))(b.T).Payouts
}

// open is how many payouts are not credited, and of those how many are refused.
func (b *books) open(want, refused int) {
	b.Helper()
	rs := reports.New(b.Reader())
	all := testkit.Must(rs.OpenPayouts(b.Context(), 0, 10_000, false))(b.T)
	if some := testkit.Must(rs.OpenPayouts(b.Context(), 0, 10_000, true))(b.T); len(all) != want || len(some) != refused {
		b.Fatalf("%d payouts are open, of which %d are refused; not %d and %d\n%s", len(all), len(some), want, refused, b.log)
	}
}

// deliver delivers what there is.
func (b *books) deliver(target payout.Target) deliver.Result {
	b.Helper()
	r, err := deliver.Payouts(b.Context(), configure(b.DB, b.log), target)
	if err != nil {
		b.Fatalf("%v\n%s", err, b.log)
	}
	return r
}

// state is how far the target is.
func (b *books) state() reports.Target {
	b.Helper()
	return testkit.Must(reports.New(b.Reader()).Targets(b.Context()))(b.T)[0]
}
