package evidence_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// hugeBooks are books of a day with BNB, and with HUGE, of which three accounts have the largest supply each: their sum
// is more than 2^63 - 1. They come from @desk, so that no limit of what is brought in counts them.
func hugeBooks(t *testing.T, kind string) (*store.DB, *testkit.Clock) {
	t.Helper()
	first, clock := town.Last, testkit.NewClock(town.Last.Start())
	setup := store.Setup{From: first, Documents: staking.ShippedDocuments(), Limits: staking.NoLimit}
	for symbol, most := range map[string]ledger.Amount{"BNB": 200_000_000_00000000, "HUGE": ledger.MaxSupply} {
		asset := ledger.Asset{Symbol: symbol, Scale: 8, MaxSupply: most}
		setup.Tokens = append(setup.Tokens, staking.Token{Asset: asset,
			Terms: testkit.Must(staking.ParseTerms(asset, first, "0.05", "0", "100"))(t)})
	}
	books := testkit.Must(store.Create(t.Context(), pgtest.Owner(scenario.NewURL(t, kind, false)),
		store.Options{Clock: clock.Now, Actor: access.Process("test"), Volatile: true}, setup))(t)
	t.Cleanup(func() { ok(t, books.Close()) })
	return books, clock
}

// trade moves an amount of a token from @desk to a holder, or back.
func trade(id string, from, to ledger.Account, symbol string, n ledger.Amount) ledger.Entry {
	return ledger.Entry{ID: id, Kind: ledger.Trade, Moves: []ledger.Move{{From: from, To: to, Asset: symbol, Amount: n}}}
}

// rangeTest is a test of hugeBooks.
type rangeTest struct {
	*testing.T
	books  *store.DB
	clock  *testkit.Clock
	signer evidence.Signer
	notes  []string
	today  staking.Day
}

// post posts entries, of which none is refused.
func (x *rangeTest) post(entries ...ledger.Entry) {
	x.Helper()
	for _, o := range testkit.Must(x.books.Post(x.Context(), entries))(x.T) {
		ok(x.T, o.Err)
	}
}

// record settles and signs the day, and says of what its record has a root, and of what it has none.
func (x *rangeTest) record() (summary string) {
	x.Helper()
	x.today++
	x.clock.Forward(x.today.Start().Add(20 * time.Minute))
	testkit.Must(staking.Run(x.Context(), x.books, x.clock.Now(), staking.Options{Workers: 1}))(x.T)
	makeAll(x.T, x.books)
	x.notes = append(x.notes, sign(x.T, x.books, x.signer).Note)
	texts := x.texts()
	r := testkit.Must(evidence.ParseRecord(texts[len(texts)-1]))(x.T)
	summary = fmt.Sprint(r.OutOfRange)
	for _, l := range r.Liabilities {
		summary += fmt.Sprint(" ", l.Asset, " ", l.Root.Sum)
	}
	return summary
}

func (x *rangeTest) texts() []string { return testkit.Must(x.books.Evidence().All(x.Context()))(x.T) }

// found is what the audit finds, and then what the records do.
func (x *rangeTest) found() string {
	x.Helper()
	r := testkit.Must(audit.Run(x.Context(), reports.AuditOf(x.books.Reader()), audit.Options{Workers: 1}))(x.T)
	return fmt.Sprint(r.Findings, check(x.T, x.books, x.signer, x.notes...).Findings)
}

// write writes the record of a day.
func (x *rangeTest) write(d staking.Day, text string) {
	x.Helper()
	ok(x.T, x.books.Engine().Write(x.Context(), func(tx db.Tx) error {
		_, err := tx.Exec("UPDATE records SET body = $1 WHERE day = $2", text, int64(d))
		return err
	}))
}

// TestASumOutOfRange: a token of which holders have more together than a sum can be has no root in the record, which
// says so. All else is recorded, signed and proved, the audit finds it as long as it is so, and what the record says of
// that day stays true when it is over.
func TestASumOutOfRange(t *testing.T) {
	for _, kind := range scenario.Databases {
		t.Run(kind, func(t *testing.T) {
			books, clock := hugeBooks(t, kind)
			x := &rangeTest{T: t, books: books, clock: clock, signer: newSigner(t), today: town.Last}
			holders := []ledger.Account{"alice", "bob", "carol"}
			for _, id := range holders {
				testkit.Must(books.OpenAccount(t.Context(), id, "DE"))(t)
				x.post(trade("in-"+string(id), ledger.Desk, id, "HUGE", ledger.MaxSupply))
			}
			x.post(trade("bnb", ledger.Desk, "alice", "BNB", 5))
			if r := x.record(); r != "[HUGE] BNB 5" {
				t.Errorf("the record: %s", r)
			}
			if f := x.found(); f != "[HUGE: holders have 13835058055282163709 smallest units together; there can be "+
				"4611686018427387903 (holders have more than the largest supply)] []" {
				t.Errorf("found: %s", f)
			}
			if _, err := books.Evidence().Proof(t.Context(), "alice", town.Last, "HUGE"); ledger.ReasonOf(err) !=
				evidence.ReasonNoProof || !strings.Contains(err.Error(), "more of it together") {
				t.Errorf("the proof of HUGE: %v", err)
			}
			proofs := testkit.Must(books.Evidence().Proofs(t.Context(), "alice", town.Last))(t)
			if len(proofs) != 1 || proofs[0].Asset != "BNB" {
				t.Errorf("proofs: %+v", proofs)
			}
			for _, id := range holders {
				x.post(trade("out-"+string(id), id, ledger.Desk, "HUGE", ledger.MaxSupply))
			}
			if r := x.record(); r != "[] BNB 5" {
				t.Errorf("the record when it is over: %s", r)
			}
			if f := x.found(); f != "[] []" {
				t.Errorf("when it is over: %s", f)
			}
			texts := x.texts()
			for i, other := range []string{strings.Replace(texts[0], "out-of-range HUGE\n", "", 1),
				texts[1] + "out-of-range HUGE\n"} {
				x.write(town.Last+staking.Day(i), other)
				if c := check(t, books, x.signer); len(c.Findings) != 1 || c.Findings[0].Kind != "liabilities" {
					t.Errorf("the record is %s; found: %v", other, c.Findings)
				}
				x.write(town.Last+staking.Day(i), texts[i])
			}
		})
	}
}
