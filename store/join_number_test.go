package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// numbered are events of a broker, each at the place behind the one before it, whose JSON has their own numbers.
func numbered(t *testing.T, after int64, lines string) store.JoinBatch {
	t.Helper()
	batch := store.JoinBatch{Source: "shop", Partition: "p1", Identity: "a topic"}
	for line := range strings.Lines(strings.TrimSpace(lines)) {
		e := testkit.Must(join.Decode([]byte(strings.TrimSpace(line)), join.Numbered))(t)
		e.Previous, e.Place = new(join.Place{Position: after}), join.Place{Position: after + 2} // as behind transactions
		e.Mark = fmt.Sprintf("m-%d", after+2)
		after = e.Position
		batch.Events = append(batch.Events, e)
	}
	return batch
}

// TestJoinNumbers: of a broker the numbers of the events themselves show what is missing and what comes again, also
// over batches, whatever the places are.
func TestJoinNumbers(t *testing.T) {
	const change = `{"position":%d,"id":"e-%d","at":"2026-03-02T10:00:00Z","account":"%s","token":"BNB","change":"1"%s}` + "\n"
	of := func(n int, more string) string { return fmt.Sprintf(change, n, n, "alice", more) }
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		bring := func(after int64, lines string) store.Partition { return joinAll(t, db, numbered(t, after, lines)) }
		is := func(p store.Partition, number, position int64, balance ledger.Amount) {
			t.Helper()
			same(t, "the partition", []any{p.Reason, p.Number, p.Position, p.Mark}, []any{"", number, position,
				fmt.Sprintf("m-%d", position)})
			partIs(t, db, "alice", balance*1_00000000)
		}
		stopped := func(p store.Partition, number int64, want string) {
			t.Helper()
			if p.State != store.Stopped || !strings.Contains(p.Reason, want) || p.Number != number {
				t.Errorf("it is %s at number %d: %q", p.State, p.Number, p.Reason)
			}
		}
		is(bring(0, of(7, "")+of(8, "")), 8, 4, 2)
		same(t, "start", partition(t, db).Start().Mark, "m-4")
		is(bring(4, of(9, `,"previous":8`)+of(12, `,"previous":9`)), 12, 8, 4)
		// The broker sends again what it has sent: changes are in the books, and the rest was true then.
		is(bring(8, of(9, `,"previous":8`)+
			`{"position":10,"type":"balance","id":"b-1","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","balanceAfter":"1"}
			{"position":11,"type":"freeze","id":"f-1","at":"2026-03-02T10:00:00Z","account":"alice","reason":"it was","earns":true}
			`+of(12, `,"previous":9`)+of(13, "")), 13, 18, 5)
		same(t, "frozen", testkit.Must(db.Account(t.Context(), "alice"))(t).Freeze.Since.IsZero(), true)
		stopped(bring(18, of(15, "")), 13, "missing before")
		goOn := func() { t.Helper(); ok(t, db.ResumePartition(t.Context(), "shop", "p1")) }
		goOn()
		stopped(bring(18, of(15, `,"previous":12`)), 13, "steps back")
		goOn()
		stopped(bring(18, of(14, "")+of(3, "")), 14, `do not have event "e-3"`)
		partIs(t, db, "alice", 6_00000000)
		goOn()
		stopped(bring(20, strings.Replace(of(8, ""), `"1"`, `"2"`, 1)), 14, "different content")
		goOn()
		stopped(bring(20, `{"position":9,"type":"reward","id":"p-1","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB",`+
			`"change":"1","reward":"reward/2026-03-01/BNB/alice"}`), 14, `do not have event "p-1"`)
		// What a person passes over has numbers that nobody knows.
		ok(t, db.SkipEvents(t.Context(), store.PartitionSkip{Source: "shop", Name: "p1", From: 31, Reason: "a test"}))
		same(t, "start", partition(t, db).Start(), joinStart(30))
		is(bring(30, of(40, "")), 40, 32, 7)
		clean(t, db, clock)
	})
}

// TestJoinSkipsNumbered: those that come after an event that is passed over are numbered after it, also where the
// broker sends it again.
func TestJoinSkipsNumbered(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		of := func(n int) string {
			return fmt.Sprintf(`{"position":%d,"id":"e-%[1]d","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","change":"1"}`,
				n) + "\n"
		}
		skips := func(after int64, lines, event string) {
			t.Helper()
			same(t, "stopped at", joinAll(t, db, numbered(t, after, lines)).StopEvent, event)
			ok(t, db.SkipEvents(t.Context(), store.PartitionSkip{Source: "shop", Name: "p1", Event: event, Reason: "a test"}))
		}
		goesOn := func(after int64, lines string, number int64) {
			t.Helper()
			p := joinAll(t, db, numbered(t, after, lines))
			same(t, "the partition", []any{p.Reason, p.Number}, []any{"", number})
		}
		goesOn(0, of(7)+of(8), 8)
		skips(4, of(10), "e-10")
		goesOn(4, of(10)+of(11), 11)
		goesOn(8, of(10)+of(11)+of(12), 12) // sent again
		skips(14, of(3), "e-3")
		goesOn(14, of(3)+of(13)+of(14), 14)
		partIs(t, db, "alice", 6_00000000)
		clean(t, db, clock)
	})
}

func joinStart(position int64) join.Start { return join.Start{After: join.Place{Position: position}} }
