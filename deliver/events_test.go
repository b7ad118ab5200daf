package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/deliver"
	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/payout"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
	"github.com/softstake/softstake/topic"
	"github.com/softstake/softstake/webhook"
)

const allKinds = "balance,reward,settled"

// published are the messages that the books have for a topic that gets all events, in order.
func (b *books) published() (all []topic.Message) {
	b.Helper()
	for {
		n := testkit.Must(b.Outbox().Number(b.Context()))(b.T)
		if n == 0 {
			break
		}
	}
	for after := int64(0); ; after++ {
		found := testkit.Must(b.Outbox().After(b.Context(), after, 1))(b.T)
		if len(found) == 0 {
			return all
		}
		b.ok(events.Of(b.Context(), b.DB, found[0], func(e events.Event) error {
			key := ""
			switch body := e.Body.(type) {
			case events.Balance:
				key = string(body.Account)
			case events.Reward:
				key = string(body.Account)
			case events.Settled:
				key = body.Asset
			}
			text := testkit.Must(webhook.Body(e.Type, found[0].At, webhook.EventData{Events: []any{e.Body}}))(b.T)
			all = append(all, topic.Message{ID: "event_" + e.ID, Key: key, Text: text})
			return nil
		}))
	}
}

// has ends the test unless the topic has each event of the books at least once and with its content, and those of one
// key in their order.
func (x *broker) has() (messages int) {
	x.Helper()
	all, place := x.published(), map[string]int{}
	for i, m := range all {
		place[m.ID] = i
	}
	seen := map[string]bool{}
	for n, partition := range x.read() {
		newest := map[string]int{}
		for _, r := range partition {
			messages++
			i, known := place[r.id]
			if !known || string(all[i].Text) != string(r.text) || x.kind == "kafka" && r.key != all[i].Key {
				x.Fatalf("%s came as %s, by the key %q", r.id, r.text, r.key)
			}
			key := all[i].Key
			if !seen[r.id] && i < newest[key] {
				x.Errorf("in partition %d, %s comes after %s", n, r.id, all[newest[key]].ID)
			}
			seen[r.id], newest[key] = true, max(newest[key], i)
		}
	}
	for _, m := range all {
		if !seen[m.ID] {
			x.Fatalf("%s is missing, of %d\n%s", m.ID, len(all), x.log)
		}
	}
	return messages
}

// TestEvents: what happens is in the topic, in the order of each account; what the topic has lost is sent again, and
// whoever delivers, or the broker, may be killed (kill -9) at any moment.
func TestEvents(t *testing.T) {
	for _, kind := range []string{"kafka", "nats"} {
		t.Run(kind, func(t *testing.T) {
			b := newBooks(t)
			x := newBroker(b, kind, servers(kind), store.EventStream).run()
			to := testkit.Must(parseTopic(x.address))(t)
			all := len(b.published())
			c := configure(b.DB, b.log)
			c.From = 1
			if r := testkit.Must(deliver.Events(t.Context(), c, to, allKinds))(t); r.Sent != all || x.has() != all {
				t.Fatalf("%+v, of %d", r, all)
			}
			c.From = 0
			b.settle()
			more := len(b.published()) - all
			if r := testkit.Must(deliver.Events(t.Context(), c, to, allKinds))(t); r.Sent != more || more <= holders {
				t.Errorf("%+v, of %d more", r, more)
			}
			x.has()
			x.killed()
			x.finally(func(c deliver.Config) error {
				_, err := deliver.Events(t.Context(), c, to, allKinds)
				return err
			})
			t.Logf("%d events in %d messages", len(b.published()), x.has())
		})
	}
}

// memory is a topic that is in memory. What it does when something is sent to it is during; nil: it takes it.
type memory struct {
	address string
	got     []topic.Message
	during  func(sent []topic.Message) error
}

func (m *memory) Address() string                             { return m.address }
func (m *memory) Open(context.Context) (topic.Session, error) { return m, nil }
func (m *memory) Close() error                                { return nil }
func (m *memory) Send(_ context.Context, sent []topic.Message) error {
	if during := m.during; during != nil {
		m.during = nil
		if err := during(sent); err != nil {
			return err
		}
	}
	m.got = append(m.got, sent...)
	return nil
}

// ids are the IDs of what came since they were asked for last.
func (m *memory) ids() string {
	var ids []string
	for _, g := range m.got {
		ids = append(ids, g.ID)
	}
	m.got = nil
	return strings.Join(ids, " ")
}

// follower are books whose events are delivered to a topic in memory.
type follower struct {
	*books
	deliver.Config
	to       *memory
	deposits int
	before   int // events of the outbox before the first of these deposits
}

func newFollower(t *testing.T) *follower {
	t.Helper()
	b := newBooks(t)
	return &follower{books: b, Config: configure(b.DB, b.log), to: &memory{address: "kafka://127.0.0.1/a"},
		before: len(b.published())} // each is one deposit, with one event
}

// deposit posts one, which is one event of the outbox with one event.
func (f *follower) deposit() {
	f.Helper()
	f.deposits++
	testkit.Must(f.PostAll(f.Context(), []ledger.Entry{{ID: fmt.Sprint("e", f.deposits), Kind: ledger.Deposit,
		Moves: []ledger.Move{{From: ledger.Custody, To: "holder-01", Asset: "BNB", Amount: 1}}}}))(f.T)
}

// run delivers events of some kinds from a deposit on; 0: goes on.
func (f *follower) run(kinds string, from int) error {
	c := f.Config
	if from > 0 {
		c.From = int64(f.before + from)
	}
	_, err := deliver.Events(f.Context(), c, f.to, kinds)
	return err
}

// wants compares what came with some deposits.
func (f *follower) wants(what string, deposits ...int) {
	f.Helper()
	var ids []string
	for _, n := range deposits {
		ids = append(ids, fmt.Sprintf("event_%d-1", f.before+n))
	}
	if got := f.to.ids(); got != strings.Join(ids, " ") {
		f.Errorf("%s: %q, not %q\n%s", what, got, ids, f.log)
	}
}

// TestWhereEventsBegin: from now on, or from a number on, without leaving one out that is kept; which kinds a topic
// gets, and its address, change only so.
func TestWhereEventsBegin(t *testing.T) {
	f := newFollower(t)
	f.ok(f.run("balance", 0))
	f.wants("from now on")
	f.deposit()
	f.ok(f.run("balance", 0))
	f.wants("what is next", 1)
	f.ok(f.run("balance", 2))
	f.wants("where it is")
	if err := f.run("reward", 0); ledger.ReasonOf(err) != store.ReasonOtherTarget {
		t.Errorf("other kinds: %v", err)
	}
	if err := f.run("balance", 3); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("an event is left out: %v", err)
	}
	f.ok(f.run("balance", 1))
	f.wants("again", 1)
	f.ok(f.run("reward,settled", 2))
	f.deposit()
	f.ok(f.run("reward,settled", 0))
	f.wants("no balances")
	if s := f.state(); s.Backlog != 0 || s.Number != int64(f.before+2) || s.Kinds != "reward,settled" {
		t.Errorf("%+v", s)
	}
	f.to.address = "kafka://127.0.0.1/b"
	if err := f.run("reward,settled", 0); ledger.ReasonOf(err) != store.ReasonOtherTarget {
		t.Errorf("another address: %v", err)
	}
	f.ok(f.run("balance", 2))
	f.wants("at another address", 2)

	// What is not kept any more.
	f.deposit()
	testkit.Must(f.Outbox().Number(t.Context()))(t)
	f.clock.Advance(9 * 24 * time.Hour)
	f.deposit()
	testkit.Must(f.Outbox().Number(t.Context()))(t)
	f.ok(f.Prune(t.Context(), people.Retention{}))
	if err := f.run("balance", 0); err == nil || !strings.Contains(err.Error(), "are not kept any more") {
		t.Errorf("%v", err)
	}
	if s := f.state(); !s.Lost || s.Backlog != 2 {
		t.Errorf("%+v", s)
	}
	if err := f.run("balance", 2); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("from one that is not kept: %v", err)
	}
	f.ok(f.run("balance", 4))
	f.wants("what is kept", 4)
}

// TestOneProcessDelivers: another waits while one hands something over. Where that takes too long another begins, and
// what the first has sent is not kept.
func TestOneProcessDelivers(t *testing.T) {
	f := newFollower(t)
	f.ok(f.run("balance", 0))
	other := f.Config
	other.Holder = "another"
	f.deposit()
	f.to.during = func([]topic.Message) error {
		if _, err := deliver.Events(t.Context(), other, &memory{address: f.to.address}, "balance"); err == nil ||
			!strings.Contains(err.Error(), "another process delivers to it") {
			t.Errorf("two at the same time: %v", err)
		}
		return nil
	}
	f.ok(f.run("balance", 0))
	f.wants("by one", 1)

	f.deposit()
	slow := &memory{address: f.to.address, during: func([]topic.Message) error { return errors.New("no broker") }}
	f.to.during = func([]topic.Message) error {
		f.clock.Advance(store.TargetLease)
		if _, err := deliver.Events(t.Context(), other, slow, "balance"); err == nil {
			t.Error("what failed has ended well")
		}
		if s := f.state(); s.Error != "no broker" || s.Backlog != 1 {
			t.Errorf("%+v", s)
		}
		return nil
	}
	f.ok(f.run("balance", 0))
	f.wants("twice", 2, 2)
	if s := f.state(); s.Backlog != 0 || s.Error != "" || s.Holder != "" {
		t.Errorf("%+v", s)
	}
}

// TestAReplacedTarget: a process whose target gets another address, or is ended, sends nothing more to the one before.
func TestAReplacedTarget(t *testing.T) {
	f := newFollower(t)
	f.ok(f.run("balance", 0))
	for what, change := range map[string]func(){
		"another address": func() {
			f.ok(f.ResendTarget(t.Context(), store.NewTarget{Stream: store.EventStream, Name: f.Config.Name,
				Address: "kafka://127.0.0.1/b", Kinds: "balance", From: f.state().Number + 1}))
		},
		"ended": func() { f.ok(f.EndTarget(t.Context(), store.EventStream, f.Config.Name)) },
	} {
		c := f.Config
		c.UntilEnd = false
		f.deposit()
		var once sync.Once
		to := &memory{address: f.state().Address, during: func([]topic.Message) error { once.Do(change); return nil }}
		if _, err := deliver.Events(t.Context(), c, to, "balance"); err == nil ||
			!strings.Contains(err.Error(), "start again") {
			t.Errorf("%s: %v", what, err)
		}
		if what == "ended" {
			f.ok(f.run("balance", 0))
		}
	}
}

// TestATargetAheadOfTheBooks, which were recovered to a moment, gets nothing, and is seen: what is next has numbers
// that the target has. A target that is new says how much it gets, and from where on.
func TestATargetAheadOfTheBooks(t *testing.T) {
	f := newFollower(t)
	f.settle()
	f.ok(f.run("balance", 1))
	lines := testkit.Must(reports.New(f.Reader()).Log(t.Context(), time.Time{}, 1))(t)
	begins := fmt.Sprintf("events (balance) are delivered to %s from number %d on", f.to.address, f.before+1)
	if len(lines) != 1 || lines[0].Detail != begins {
		t.Errorf("%+v; want %s", lines, begins)
	}
	payouts := func() error {
		_, err := deliver.Payouts(t.Context(), f.Config, payout.ToTopic(f.to))
		return err
	}
	f.ok(payouts())
	if all := fmt.Sprintf("payouts=%d credited=0", holders); !strings.Contains(f.log.String(), all) {
		t.Errorf("no %s:\n%s", all, f.log)
	}
	for stream, run := range map[store.Stream]func() error{
		store.PayoutStream: payouts,
		store.EventStream:  func() error { return f.run("balance", 0) },
	} {
		target := testkit.Must(f.Target(t.Context(), stream, f.Config.Name))(t)
		f.ok(f.MoveTarget(t.Context(), stream, f.Config.Name, "", target.Number, target.Number+1))
		if err := run(); err == nil || !strings.Contains(err.Error(), "restored") &&
			!strings.Contains(err.Error(), "recovered to a moment") {
			t.Errorf("%s: %v", stream, err)
		}
		of := testkit.Must(reports.New(f.Reader()).TargetsOf(t.Context(), stream))(t)[0]
		if !of.Lost || of.Backlog != 0 || of.Error == "" {
			t.Errorf("%s: %+v", stream, of)
		}
		f.ok(f.MoveTarget(t.Context(), stream, f.Config.Name, "", target.Number+1, target.Number))
		f.ok(run())
		if of = testkit.Must(reports.New(f.Reader()).TargetsOf(t.Context(), stream))(t)[0]; of.Lost || of.Error != "" {
			t.Errorf("%s: %+v", stream, of)
		}
	}
}

// TestMessagesOfOneKey are sent in parts, so that a broker that has to acknowledge each before the next has the time.
func TestMessagesOfOneKey(t *testing.T) {
	f := newFollower(t)
	f.Config.Batch = 1000
	f.ok(f.run("balance", 0))
	const n = 250
	for range n {
		f.deposit()
	}
	most, all := 0, 0
	to := &memory{address: f.to.address}
	var count func([]topic.Message) error
	count = func(sent []topic.Message) error {
		most, all, to.during = max(most, len(sent)), all+len(sent), count
		return nil
	}
	to.during = count
	if _, err := deliver.Events(t.Context(), f.Config, to, "balance"); err != nil || all != n || most > 100 {
		t.Errorf("%d messages, at most %d at once: %v", all, most, err)
	}
}
