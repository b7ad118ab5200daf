package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
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
	"github.com/softstake/softstake/payout/kafka"
	"github.com/softstake/softstake/payout/nats"
	"github.com/softstake/softstake/payout/postgres"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// The variables by which the tests start themselves as a process that can be killed: one that delivers payouts.
const (
	booksToRead = "SOFTSTAKE_TEST_BOOKS"
	targetOfIt  = "SOFTSTAKE_TEST_TARGET"
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

// deliverAlone delivers until it is killed.
func deliverAlone() (err error) {
	ctx := context.Background()
	books, err := store.Open(ctx, os.Getenv(booksToRead), store.Options{Clock: time.Now, Actor: access.Process("test")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, books.Close()) }()
	target, err := parse(os.Getenv(targetOfIt))
	if err == nil {
		c := configure(books, target, os.Stderr)
		c.UntilEnd = false
		_, err = deliver.Run(ctx, c)
	}
	return err
}

// parse reads the address of a target, of any kind.
func parse(address string) (payout.Target, error) {
	switch scheme, _, _ := strings.Cut(address, ":"); scheme {
	case "kafka":
		return kafka.Parse(address, fromkafka.Credentials{}, false)
	case "nats":
		return nats.Parse(address, fromnats.Credentials{}, false)
	}
	return postgres.Parse(address, "exchange", false)
}

// configure says how the payouts of books are delivered.
func configure(books *store.DB, target payout.Target, log io.Writer) deliver.Config {
	return deliver.Config{Books: books, Target: target, Name: "exchange", Log: slog.New(slog.NewTextHandler(log, nil)),
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
	r, err := deliver.Run(b.Context(), configure(b.DB, target, b.log))
	if err != nil {
		b.Fatalf("%v\n%s", err, b.log)
	}
	return r
}

// state is how far the target is.
func (b *books) state() reports.PayoutTarget {
	b.Helper()
	return testkit.Must(reports.New(b.Reader()).PayoutTargets(b.Context()))(b.T)[0]
}
