package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// eventBatch is a batch of the partition p1 of the shop with an event on each line, from a position on.
func eventBatch(t *testing.T, from int64, lines string) store.JoinBatch {
	t.Helper()
	batch := store.JoinBatch{Source: "shop", Partition: "p1"}
	for i, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		position := from + int64(i)
		if strings.Contains(line, `"position"`) { // it has its own
			position = 0
		}
		batch.Events = append(batch.Events, testkit.Must(join.Decode([]byte(strings.TrimSpace(line)), position))(t))
	}
	return batch
}

// joinAll hands a batch to the books until all of it is there or its partition stops.
func joinAll(t *testing.T, db *store.DB, batch store.JoinBatch) store.Partition {
	t.Helper()
	for {
		j := testkit.Must(db.Join(t.Context(), batch))(t)
		if batch.Events = batch.Events[j.Done:]; len(batch.Events) == 0 || j.State != store.Running {
			return j.Partition
		}
		if !j.Ahead.IsZero() {
			t.Fatalf("event %s is ahead of the clock", batch.Events[0].ID)
		}
	}
}

// partIs ends the test unless the account's free or held part of BNB is the amount.
func partIs(t *testing.T, db *store.DB, part ledger.Account, want ledger.Amount) {
	t.Helper()
	n := testkit.Must(db.Count(t.Context(), "SELECT coalesce(max(balance), 0) FROM balances WHERE asset = 'BNB' "+
		"AND account = '"+string(part)+"'"))(t)
	same(t, "the balance of "+string(part), ledger.Amount(n), want)
}

func partition(t *testing.T, db *store.DB) store.Partition {
	t.Helper()
	return testkit.Must(reports.New(db.Reader()).Partitions(t.Context()))(t)[0]
}

// TestJoin: events of every type take effect, each once, whatever is handed in again, by whomever and in what parts.
func TestJoin(t *testing.T) {
	eachTwo(t, func(t *testing.T, db, other *store.DB, clock *testkit.Clock) {
		batch := eventBatch(t, 1, `
			{"type":"open","id":"o-1","at":"2026-03-02T10:00:00Z","account":"alice","region":"DE","verified":true,"owner":"c-7"}
			{"type":"open","id":"o-2","at":"2026-03-02T10:00:00Z","account":"bob"}
			{"id":"e-1","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","change":"2.5","balanceAfter":"2.5"}
			{"id":"e-2","at":"2026-03-02T10:00:01Z","account":"alice","token":"BNB","change":"-1","balanceAfter":"1.5"}
			{"id":"e-3","at":"2026-03-02T10:00:01Z","account":"alice","token":"BNB","kind":"held","change":"1","balanceAfter":"1"}
			{"type":"freeze","id":"f-1","at":"2026-03-02T10:01:00Z","account":"alice","reason":"order","earns":false}
			{"id":"e-4","at":"2026-03-02T10:02:00Z","account":"alice","token":"BNB","change":"-0.5","reverses":"e-1"}
			{"type":"unfreeze","id":"f-2","at":"2026-03-02T10:03:00Z","account":"alice","reason":"lifted"}
			{"type":"residence","id":"r-1","at":"2026-03-02T10:03:00Z","account":"bob","region":"FR","verified":true}
			{"type":"balance","id":"s-1","at":"2026-03-02T10:04:00Z","account":"bob","token":"BNB","balanceAfter":"7"}
			{"type":"open","id":"o-3","at":"2026-03-02T10:04:00Z","account":"carol"}
			{"type":"close","id":"c-1","at":"2026-03-02T10:05:00Z","account":"carol"}
			{"type":"watermark","before":"2026-03-02T11:00:00Z"}`)
		var work sync.WaitGroup
		for _, books := range []*store.DB{db, other} {
			work.Go(func() {
				for _, size := range []int{0, 2, 12} { // one, some, all
					part := batch
					for part.Events = batch.Events; len(part.Events) > 0; {
						one := part
						one.Events = part.Events[:min(size+1, len(part.Events))]
						j, err := books.Join(t.Context(), one)
						if err != nil || j.State != store.Running {
							t.Errorf("join: %v %s", err, j.Reason)
							return
						}
						part.Events = part.Events[j.Done:]
					}
				}
			})
		}
		work.Wait()
		partIs(t, db, "alice", 1_00000000)
		partIs(t, db, "alice/held", 1_00000000)
		partIs(t, db, "bob", 7_00000000)
		a := testkit.Must(db.Account(t.Context(), "alice"))(t)
		same(t, "alice's residence", a.Region, "DE")
		same(t, "alice is frozen", !a.Freeze.Since.IsZero(), false)
		same(t, "bob's residence", testkit.Must(db.Account(t.Context(), "bob"))(t).Region, "FR")
		p := partition(t, db)
		same(t, "position", p.Position, 13)
		same(t, "watermark", p.Watermark, day1.Start().Add(11*time.Hour))
		e := testkit.Must(reports.New(db.Reader()).Posted(t.Context(), "join/shop/e-2"))(t)
		same(t, "time of e-2", e.Entry.At, day1.Start().Add(10*time.Hour+time.Second))
		same(t, "references", testkit.Must(db.Count(t.Context(),
			"SELECT count(*) FROM join_references WHERE entry = 'join/shop/e-4' AND refers = 'join/shop/e-1'"))(t), 1)
		same(t, "freezes in the log", len(logged(t, db, "account freeze", "account unfreeze")), 2)
	})
}

// TestJoinStops: what cannot be in the books stops the partition there; what is before it is posted, what is behind it
// is not, until a person decides.
func TestJoinStops(t *testing.T) {
	const good = `{"id":"e-%d","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","change":"1"}`
	const bad = `"id":"x","at":"2026-03-02T10:00:00Z","account":"alice"`
	cases := []struct {
		line string
		want string // of the reason
	}{
		{`{` + bad + `,"previous":9,"position":20,"token":"BNB","change":"1"}`, "missing before"},
		{`{` + bad + `,"previous":0,"position":20,"token":"BNB","change":"1"}`, "steps back"},
		{`{` + bad + `,"token":"NONE","change":"1"}`, "unknown"},
		{`{` + bad + `,"token":"BNB","change":"0.000000001"}`, "decimals"},
		{`{"id":"x","at":"2026-03-02T10:00:00Z","account":"nobody","token":"BNB","change":"1"}`, "nobody"},
		{`{` + bad + `,"token":"BNB","change":"-9"}`, "insufficient"},
		{`{` + bad + `,"token":"BNB","change":"1","balanceAfter":"5"}`, "another balance"},
		{`{` + bad + `,"type":"balance","token":"BNB","balanceAfter":"9"}`, "another balance"},
		{`{"id":"e-1","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","change":"3"}`, "different content"},
		{`{` + bad + `,"token":"BNB","change":"1","reverses":"gone"}`, "gone"},
		{`{"id":"x","at":"2026-03-02T12:30:00Z","account":"alice","token":"BNB","change":"1"}`, "future"},
		{`{` + bad + `,"token":"SOL","change":"1","reverses":"e-1"}`, "e-1"},
		{`{"type":"watermark","before":"2026-03-02T12:01:01Z"}`, "future"},
		{`{` + bad + `,"type":"residence","region":"ZZZ","verified":true}`, "ZZZ"},
		{`{` + bad + `,"type":"open","region":"FR","verified":true}`, "DE"},
		{`{` + bad + `,"type":"close"}`, "a"},
	}
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		for i, c := range cases {
			account := ledger.Account(fmt.Sprintf("a%d", i))
			open(t, db, account)
			of := func(from int64, lines string) store.JoinBatch {
				batch := eventBatch(t, from, strings.ReplaceAll(lines, `"alice"`, `"`+string(account)+`"`))
				batch.Source = "shop" + string(account)
				return batch
			}
			batch, after := of(1, fmt.Sprintf(good+"\n"+good+"\n"+good, 1, 2, 3)), of(5, fmt.Sprintf(good, 4))
			wrong := of(4, c.line).Events[0]
			batch.Events = append(append(batch.Events, wrong), after.Events...)
			p := joinAll(t, db, batch)
			if p.State != store.Stopped || !strings.Contains(p.Reason, c.want) || p.Position != 3 {
				t.Errorf("%s: it is %s at %d: %q", c.line, p.State, p.Position, p.Reason)
			}
			same(t, "where it stopped", []any{p.StopEvent, p.Stop}, []any{wrong.ID, wrong.Place})
			joinAll(t, db, after) // it is stopped
			partIs(t, db, account, 3_00000000)
			ok(t, db.RetirePartition(t.Context(), store.PartitionEnd{Source: batch.Source, Name: "p1", Reason: "done"}))
		}
		clean(t, db, clock)
	})
}

// TestJoinGoesOn: a person resumes a partition, or lets it go on without events.
func TestJoinGoesOn(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		batch := eventBatch(t, 1, `
			{"id":"e-1","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","change":"1"}
			{"id":"e-2","at":"2026-03-02T10:00:00Z","account":"bob","token":"BNB","change":"1"}
			{"id":"e-3","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","change":"1"}`)
		joinAll(t, db, batch)
		same(t, "stopped at", partition(t, db).StopEvent, "e-1")
		open(t, db, "alice")
		ok(t, db.ResumePartition(ctx, "shop", "p1"))
		same(t, "stopped at", joinAll(t, db, batch).StopEvent, "e-2")
		skip := store.PartitionSkip{Source: "shop", Name: "p1", Event: "e-3", Reason: "a test"}
		wants(t, db.SkipEvents(ctx, skip), ledger.ErrInvalid) // it has stopped at another
		skip.Event, skip.From = "", 2
		wants(t, db.SkipEvents(ctx, skip), ledger.ErrInvalid) // nothing would be passed over
		skip.Event, skip.From = "e-2", 0
		ok(t, db.SkipEvents(ctx, skip))
		same(t, "of one that runs", ledger.ReasonOf(db.SkipEvents(ctx, skip)), store.ReasonNotStopped)
		same(t, "position", joinAll(t, db, batch).Position, 3)
		partIs(t, db, "alice", 2_00000000)
		// Of two events with one position, the books have one only.
		changed := eventBatch(t, 3, `{"id":"other","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","change":"1"}`)
		same(t, "stopped at", joinAll(t, db, changed).StopEvent, "other")
		wants(t, db.ResumePartition(ctx, "shop", "none"), ledger.ErrNotFound)
		skip.Event, skip.From = "", 10
		ok(t, db.SkipEvents(ctx, skip))
		same(t, "position", joinAll(t, db, eventBatch(t, 10,
			`{"previous":7,"position":10,"id":"e-10","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","change":"1"}`),
		).Position, 10)
		partIs(t, db, "alice", 3_00000000)
	})
}

// TestJoinSkips: an event that is passed over is never posted, from wherever it comes again; the balance that its
// source has after it counts, so that later events are compared with that.
func TestJoinSkips(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		const lines = `
			{"id":"e-1","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","change":"5","balanceAfter":"5"}
			{"id":"e-2","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","change":"1","balanceAfter":"10"}
			{"id":"e-3","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","change":"-2","balanceAfter":"8"}
			{"id":"e-4","at":"2026-03-02T10:00:00Z","account":"alice","token":"XYZ","change":"1"}
			{"type":"close","id":"e-5","at":"2026-03-02T10:00:00Z","account":"alice"}
			{"previous":7,"position":9,"id":"e-9","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","change":"0.5"}
			{"position":10,"id":"e-10","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","change":"1","balanceAfter":"9.5"}
			{"position":11,"type":"balance","id":"e-11","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","balanceAfter":"20"}
			{"position":12,"id":"e-12","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","change":"0.5","balanceAfter":"20.5"}`
		of := func(name string) store.JoinBatch {
			batch := eventBatch(t, 1, lines)
			batch.Partition = name
			return batch
		}
		for _, stop := range []string{"e-2", "e-4", "e-5", "e-9", "e-11"} {
			same(t, "stopped at", joinAll(t, db, of("p1")).StopEvent, stop)
			ok(t, db.SkipEvents(t.Context(), store.PartitionSkip{Source: "shop", Name: "p1", Event: stop, Reason: "a test"}))
		}
		same(t, "position", joinAll(t, db, of("p1")).Position, 12)
		partIs(t, db, "alice", 4_50000000) // 5 - 2 + 1 + 0.5
		// Begun again, elsewhere: it does not stop at what was passed over before, but where something is missing.
		same(t, "what is missing", joinAll(t, db, of("p2")).StopEvent, "e-9")
		ok(t, db.SkipEvents(t.Context(), store.PartitionSkip{Source: "shop", Name: "p2", Event: "e-9", Reason: "a test"}))
		again := joinAll(t, db, of("p2"))
		same(t, "begun again", []any{again.State, again.Position}, []any{store.Running, int64(12)})
		partIs(t, db, "alice", 4_50000000)
		// What its source has after a skipped event counts once.
		next := eventBatch(t, 13, `{"id":"e-13","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","change":"1","balanceAfter":"21.5"}`)
		next.Partition = "p2"
		same(t, "the next one", joinAll(t, db, next).State, store.Running)
		partIs(t, db, "alice", 5_50000000)
		// In another source the same ID is another event.
		other := eventBatch(t, 1, strings.Split(lines, "\n")[4])
		other.Source = "other"
		same(t, "of another source", joinAll(t, db, other).StopEvent, "e-4")
		ok(t, db.RetirePartition(t.Context(), store.PartitionEnd{Source: "other", Name: "p1", Reason: "a test"}))
		clean(t, db, clock)
	})
}

// TestJoinReward: a reward that the source credits is in the books already, and its balance agrees then.
func TestJoinReward(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		on(t, db, "alice")
		testkit.Must(db.Fund(t.Context(), "pool", "BNB", 100_00000000, false))(t)
		joinAll(t, db, eventBatch(t, 1, `
			{"type":"balance","id":"s-1","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","balanceAfter":"100"}`))
		clock.Advance(37 * time.Hour) // to the day after the first that earns
		joinAll(t, db, eventBatch(t, 2, `{"type":"watermark","before":"2026-03-04T00:00:00Z"}`))
		settle(t, db, clock)
		reward := earned(t, db, "alice", "BNB")
		if reward <= 0 {
			t.Fatal("nothing was earned")
		}
		partIs(t, db, "alice", 100_00000000+reward)
		credit := ledger.FormatDecimal(int64(reward), 8)
		after := ledger.FormatDecimal(int64(reward)+101_00000000, 8)
		lines := fmt.Sprintf(`
			{"id":"e-1","at":"2026-03-04T00:10:00Z","account":"alice","token":"BNB","change":"1","balanceAfter":"101"}
			{"type":"reward","id":"p-1","at":"2026-03-04T00:10:00Z","account":"alice","token":"BNB","change":"%s","balanceAfter":"%s","reward":"reward/2026-03-03/BNB/alice"}
			{"type":"reward","id":"p-1","at":"2026-03-04T00:10:00Z","account":"alice","token":"BNB","change":"%[1]s","reward":"reward/2026-03-03/BNB/alice"}
			{"id":"e-1","at":"2026-03-04T00:10:00Z","account":"alice","token":"BNB","change":"1"}
			{"type":"balance","id":"s-2","at":"2026-03-04T00:10:00Z","account":"alice","token":"BNB","balanceAfter":"%s"}`,
			credit, after, after)
		p := joinAll(t, db, eventBatch(t, 3, lines))
		same(t, "the reason", p.Reason, "")
		partIs(t, db, "alice", 101_00000000+reward)
		part := reports.Part{Account: "alice", Asset: "BNB"}
		have := testkit.Must(reports.New(db.Reader()).SourceBalances(t.Context(), []reports.Part{part,
			{Account: "bob", Asset: "BNB"}}))(t)
		same(t, "of the source", have, map[reports.Part]ledger.Amount{part: 101_00000000 + reward})
		// Half of the day that is paid would have had three times as much: the whole of it twice.
		joinAll(t, db, eventBatch(t, 8, `
			{"id":"e-2","at":"2026-03-03T12:00:00Z","account":"alice","token":"BNB","change":"200"}`))
		late := func(limit int, want reports.LateEffect, beyond bool) {
			t.Helper()
			effects, more, err := reports.New(db.Reader()).LateEffects(t.Context(), day1, limit)
			ok(t, err)
			same(t, "late", effects, []reports.LateEffect{want})
			same(t, "there are more", more, beyond)
		}
		want := reports.LateEffect{Day: day1 + 1, Account: "alice", Asset: "BNB", Events: 1, Reward: reward,
			Due: 2*reward + 1, Known: true}
		late(10, want, false)
		late(1, want, false)
		// What is only with some of its events is not known.
		joinAll(t, db, eventBatch(t, 9, `
			{"id":"e-3","at":"2026-03-03T12:00:00Z","account":"alice","token":"BNB","change":"200"}`))
		want.Known = false
		late(1, want, true)
		want.Known, want.Events, want.Due = true, 2, 3*reward+2
		late(2, want, false)
	})
}

// TestLateEventsOfTheSmallestBalance: what a day would have earned whose smallest balance counts. A deposit in its
// midst changes nothing, and a withdrawal all of it.
func TestLateEventsOfTheSmallestBalance(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		measureLowest(t, db, bnb, day1+1)
		open(t, db, "alice")
		on(t, db, "alice")
		testkit.Must(db.Fund(t.Context(), "pool", "BNB", 100_00000000, false))(t)
		joinAll(t, db, eventBatch(t, 1, `
			{"type":"balance","id":"s-1","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","balanceAfter":"100"}`))
		clock.Advance(37 * time.Hour)
		joinAll(t, db, eventBatch(t, 2, `{"type":"watermark","before":"2026-03-04T00:00:00Z"}`))
		settle(t, db, clock)
		reward := earned(t, db, "alice", "BNB")
		late := func(position int64, change string, want []reports.LateEffect) {
			t.Helper()
			joinAll(t, db, eventBatch(t, position, fmt.Sprintf(`
				{"id":"e-%d","at":"2026-03-03T12:00:00Z","account":"alice","token":"BNB","change":"%s"}`, position, change)))
			effects, _, err := reports.New(db.Reader()).LateEffects(t.Context(), day1, 10)
			ok(t, err)
			same(t, "late", effects, want)
		}
		late(3, "200", nil) // it was 100 in the morning, and in the evening 300
		want := reports.LateEffect{Day: day1 + 1, Account: "alice", Asset: "BNB", Events: 2, Reward: reward,
			Due: reward / 2, Known: true}
		late(4, "-250", []reports.LateEffect{want}) // 50 at noon, if one after the other
	})
}

// TestDaysWaitForEvents: a day closes when every partition has delivered its events, or a person lets it; what comes
// later counts later, and is listed.
func TestDaysWaitForEvents(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		joinAll(t, db, eventBatch(t, 1, `{"type":"watermark","before":"2026-03-02T12:00:00Z"}`))
		testkit.Must(db.AddPartition(ctx, "shop", "p2"))(t)
		clock.Advance(36 * time.Hour)
		joinAll(t, db, eventBatch(t, 2, `{"type":"watermark","before":"2026-03-02T23:59:59.999Z"}`))
		wants(t, db.CloseDays(ctx, day1, clock.Now()), ledger.ErrInvalid)
		report := settle(t, db, clock)
		same(t, "the day waits", report.Awaited, true)
		same(t, "closed", report.Closed < day1, true)
		joinAll(t, db, eventBatch(t, 3, `{"type":"watermark","before":"2026-03-03T00:00:00Z"}`))
		wants(t, db.CloseDays(ctx, day1, clock.Now()), ledger.ErrInvalid) // p2
		wants(t, db.CloseWithout(ctx, store.DayWithout{Day: staking.DayOf(clock.Now()), Reason: "early"}), ledger.ErrInvalid)
		ok(t, db.CloseWithout(ctx, store.DayWithout{Day: day1, Reason: "p2 is down"}))
		same(t, "closed", settle(t, db, clock).Closed, day1)
		late := eventBatch(t, 4, `
			{"id":"e-1","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","change":"1"}
			{"id":"e-1","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","change":"1"}`)
		joinAll(t, db, late)
		partIs(t, db, "alice", 1_00000000)
		same(t, "late", testkit.Must(reports.New(db.Reader()).LateEvents(ctx, day1, 10))(t), []reports.LateEvent{{
			Day: day1, Entry: "join/shop/e-1", Account: "alice", Asset: "BNB", Amount: 1_00000000,
			At: day1.Start().Add(10 * time.Hour), Dated: (day1 + 1).Start()}})
		ok(t, db.RetirePartition(ctx, store.PartitionEnd{Source: "shop", Name: "p1", Reason: "done"}))
		ok(t, db.RetirePartition(ctx, store.PartitionEnd{Source: "shop", Name: "p2", Reason: "done"}))
		same(t, "delivered", testkit.Must(db.Delivered(ctx))(t), staking.Forever)
	})
}

// placed are events of the partition p1 at places, as "POSITION.PART", each behind the one before it; the first one is
// behind the place after.
func placed(t *testing.T, after string, lines ...string) store.JoinBatch {
	t.Helper()
	batch := store.JoinBatch{Source: "shop", Partition: "p1", Identity: "7001/1"}
	var previous join.Place
	if after != "" {
		previous = testkit.Must(join.ParsePlace(after))(t)
	}
	for _, line := range lines {
		place, text, _ := strings.Cut(line, " ")
		e := testkit.Must(join.Decode([]byte(text), 1))(t)
		e.Place, e.Previous = testkit.Must(join.ParsePlace(place))(t), new(previous)
		previous = e.Place
		batch.Events = append(batch.Events, e)
	}
	return batch
}

// TestJoinPlaces: events that share a position differ by their parts, a watermark needs no place of its own, a
// reader that another one has overtaken goes on, and places of another database stop the partition.
func TestJoinPlaces(t *testing.T) {
	const event = `{"id":"e-%d","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","change":"1"}`
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		open(t, db, "alice")
		of := func(place string, n int) string { return place + " " + fmt.Sprintf(event, n) }
		watermark := func(place, at string) string { return place + ` {"type":"watermark","before":"` + at + `"}` }
		is := func(p store.Partition, place, event string, balance ledger.Amount) {
			t.Helper()
			same(t, "place", []string{p.Reason, p.Place.String(), p.Event}, []string{"", place, event})
			partIs(t, db, "alice", balance*1_00000000)
		}
		is(joinAll(t, db, placed(t, "", of("800.1", 1), of("800.2", 2))), "800.2", "e-2", 2)
		is(joinAll(t, db, placed(t, "800.1", of("800.2", 2), of("800.3", 3), watermark("800.3", "2026-03-02T09:00:00Z"))),
			"800.3", "e-3", 3)
		same(t, "watermark", partition(t, db).Watermark, day1.Start().Add(9*time.Hour))
		same(t, "start", partition(t, db).Start(), join.Start{After: join.Place{Position: 800, Part: 3}, Again: true,
			Identity: "7001/1"})
		is(joinAll(t, db, placed(t, "800.3", watermark("900", "2026-03-02T09:30:00Z"))), "900", "", 3)
		is(joinAll(t, db, placed(t, "800.3", of("904.1", 4))), "904.1", "e-4", 4) // of a reader that has no watermark
		other := placed(t, "904.1", of("904.2", 5))
		other.Identity = "7001/2"
		p := joinAll(t, db, other)
		if !strings.Contains(p.Reason, `"7001/2"`) || p.StopEvent != "e-5" {
			t.Errorf("it stopped at %q for %q", p.StopEvent, p.Reason)
		}
		ok(t, db.SkipEvents(t.Context(), store.PartitionSkip{Source: "shop", Name: "p1", From: 904, Part: 2,
			Reason: "a test"}))
		same(t, "another database", joinAll(t, db, other).Event, "e-5")
		for _, c := range []struct{ after, line, want string }{
			{"904.3", of("904.4", 6), "missing before"},
			{"904.1", of("904.3", 6), "steps back"},
			{"904.1", of("904.2", 6), "was"},
		} {
			ok(t, db.ResumePartition(t.Context(), "shop", "p1"))
			bad := placed(t, c.after, c.line)
			bad.Identity = "7001/2"
			if p := joinAll(t, db, bad); !strings.Contains(p.Reason, c.want) {
				t.Errorf("%s: it stopped for %q, not %q", c.line, p.Reason, c.want)
			}
		}
		partIs(t, db, "alice", 5_00000000)
	})
}

// TestJoinSnapshot: a snapshot that begins again sets what an unfinished one has set, until the first watermark.
func TestJoinSnapshot(t *testing.T) {
	const row = `{"type":"balance","id":"%s","at":"2026-03-02T10:00:00Z","account":"alice","token":"BNB","balanceAfter":"%s"}`
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		open(t, db, "alice")
		last := ""
		snapshot := func(position, amount string) store.Partition {
			t.Helper()
			batch := placed(t, last, position+".1 "+fmt.Sprintf(row, "s"+position, amount))
			batch.Events[0].Initial = true
			last = position + ".1"
			return joinAll(t, db, batch)
		}
		snapshot("799", "10")
		partIs(t, db, "alice", 10_00000000)
		snapshot("807", "4")
		partIs(t, db, "alice", 4_00000000)
		joinAll(t, db, placed(t, "807.1", `808 {"type":"watermark","before":"2026-03-02T09:00:00Z"}`))
		last = "808"
		if p := snapshot("815", "5"); !strings.Contains(p.Reason, "is over") {
			t.Errorf("it stopped for %q", p.Reason)
		}
		partIs(t, db, "alice", 4_00000000)
	})
}

// TestASourceIsReadWhereItWasApproved: with four eyes another address or mapping of a source needs approval, as the
// source does.
func TestASourceIsReadWhereItWasApproved(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		ok(t, db.SetFourEyes(ctx, true))
		approve := func(s store.JoinSource) {
			t.Helper()
			needed, is := errors.AsType[*control.Needed](failure(db.As(proposer).AddSource(ctx, s)))
			if !is {
				t.Fatalf("%+v needs no approval", s)
			}
			p := testkit.Must(db.As(proposer).Propose(ctx, needed.Draft, "as agreed"))(t)
			if s.Address != "" && !strings.Contains(p.Effect, s.Address) {
				t.Errorf("the proposal says: %s", p.Effect)
			}
			wants(t, failure(db.As(proposer).AddSource(ctx, s)), control.ErrNeedsApproval)
			testkit.Must(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest()))(t)
			testkit.Must(db.As(proposer).AddSource(ctx, s))(t)
		}
		approve(store.JoinSource{Name: "shop"})
		for _, s := range []store.JoinSource{
			{Name: "shop", Address: "file:/outbox"},
			{Name: "shop", Address: "file:/another"},
			{Name: "shop", Address: "file:/another", Mapping: "ab12"},
			{Name: "shop", Address: "file:/outbox"}, // back again
			{Name: "shop", Address: "postgres://softstake@db.example.com/shop?snapshot=" + strings.Repeat("table,", 200)},
		} {
			approve(s)
		}
		testkit.Must(db.As(proposer).AddSource(ctx, store.JoinSource{Name: "shop"}))(t) // Join, which does not say where
		// Whoever reads it elsewhere, since it began before, posts nothing more.
		batch := eventBatch(t, 1, `{"type":"watermark","before":"2026-03-02T10:00:00Z"}`)
		for number, want := range map[int64]string{0: "", 1: store.ReasonOtherAddress, 5: ""} {
			batch.Address = number
			same(t, fmt.Sprint("by the address ", number), ledger.ReasonOf(failure(db.Join(ctx, batch))), want)
		}
		wants(t, failure(db.AddSource(ctx, store.JoinSource{Name: "shop", Address: "file:/a\nb"})), ledger.ErrInvalid)
	})
}
