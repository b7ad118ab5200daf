package console

import (
	"net/http"
	"strings"
	"testing"

	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// join posts events of a partition of the shop, one on each line, from a position on.
func (o *office) join(partition string, from int64, lines string) {
	o.Helper()
	batch := store.JoinBatch{Source: "shop", Partition: partition}
	for i, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		e, err := join.Decode([]byte(strings.TrimSpace(line)), from+int64(i))
		o.ok(err)
		batch.Events = append(batch.Events, e)
	}
	for len(batch.Events) > 0 {
		j, err := o.books.Join(o.Context(), batch)
		o.ok(err)
		if batch.Events = batch.Events[j.Done:]; j.State != store.Running {
			return
		}
	}
}

// TestTheOverviewShowsStreams: how far each partition is, where it has stopped and why, and which holds a day back;
// nothing of it without a source.
func TestTheOverviewShowsStreams(t *testing.T) {
	o := newOffice(t)
	olga := o.as("olga")
	olga.get("/console").hasNot("Streams", "every 60s")
	olga.get("/console/streams").is(http.StatusOK).has("No source is joined").hasNot(`action="/console/streams"`)
	o.deposit("alice", "2 BNB")
	o.join("p1", 1, `{"type":"watermark","before":"2026-03-02T11:59:00Z"}
		{"id":"e-1","at":"2026-03-02T11:59:30Z","account":"nobody","token":"BNB","change":"1"}`)
	o.join("p2", 1, `{"id":"e-2","at":"2026-03-02T11:59:00Z","account":"alice","token":"BNB","change":"1"}
		{"type":"watermark","before":"2026-03-02T11:59:15Z"}`)
	olga.get("/console").has("Streams", "every 60s", "shop/p1", `<strong class="tag on">stopped</strong>`,
		"at position 2, event e-1: ", "60 s behind", "shop/p2", "running", "45 s behind", "1 thing needs somebody",
		"All 2 partitions").hasNot("holds the day back", "waits for events")
	o.as("vera").get("/console", "Accept-Language", "de").has("Ströme", "angehalten", "bei Position 2, Ereignis e-1",
		"60 s zurück", "Alle 2 Partitionen")

	o.clock.Set(2, "00:10")
	olga.get("/console").has("The day 2 Mar 2026 is over, and waits for events.", "holds the day back", "12 h behind",
		"2 things need somebody")
	o.join("p2", 3, `{"type":"watermark","before":"2026-03-03T00:09:00Z"}`)
	page := olga.get("/console").has("1 thing needs somebody")
	if n := strings.Count(page.body, "holds the day back"); n != 1 {
		t.Errorf("%d partitions hold the day back, and not one", n)
	}
	// A position is written as the form and the commands take it.
	o.join("p2", 23803720, `{"type":"watermark","before":"2026-03-03T00:09:30Z"}`)
	olga.get("/console/streams").has("at position 23803720, event", "as 23803720.2")
}

// TestAStoppedPartitionGoesOn from the page of streams: what is passed over, and a day that closes without waiting,
// another person approves. Events that come later are with their day.
func TestAStoppedPartitionGoesOn(t *testing.T) {
	o := newOffice(t)
	testkit.Must(o.books.AddSource(t.Context(), store.JoinSource{Name: "shop"}))(t)
	o.ok(o.books.SetFourEyes(t.Context(), true))
	o.deposit("alice", "2 BNB")
	bad := `{"id":"e-1","at":"2026-03-02T11:00:00Z","account":"nobody","token":"BNB","change":"1"}`
	o.join("p1", 1, bad)
	olga, anton := o.as("olga"), o.as("anton")
	const path = "/console/streams"
	post := func(pairs ...string) answer {
		t.Helper()
		return olga.post(path, append(pairs, "partition", "shop/p1")...)
	}
	o.as("vera").get(path).is(http.StatusOK).has("shop/p1", "stopped").hasNot(`<form method="post" action="` + path)

	post("do", "skip", "event", "e-1", "from", "1.5", "reason", "test").is(http.StatusUnprocessableEntity).
		has("skip-from-fault")
	post("do", "skip", "event", "e-1", "reason", "").is(http.StatusUnprocessableEntity).has("skip-reason-fault")
	post("do", "resume").is(http.StatusSeeOther)
	post("do", "skip", "event", "e-1", "reason", "too early").is(http.StatusUnprocessableEntity).has("in another state")
	o.join("p1", 1, bad) // it is as it was, and so it stops again
	anton.approve(post("do", "skip", "event", "e-1", "reason", "a test account").is(http.StatusSeeOther).location)
	olga.get(path).has("running", "Events that are never posted", "a test account").
		hasNot("stopped</strong>", "Let a day close", "Go on without")

	o.clock.Set(2, "00:10")
	olga.get(path).has("holds the day back", "Let a day close without waiting", `<option value="2026-03-02"`)
	anton.approve(post("do", "close", "day", "2026-03-02", "reason", "p1 is down").is(http.StatusSeeOther).location)
	olga.get(path).has("p1 is down").hasNot("holds the day back")
	o.settle(1)
	o.join("p1", 1, bad+`
		{"id":"e-2","at":"2026-03-02T13:00:00Z","account":"alice","token":"BNB","change":"1"}`)
	olga.get(path).has(`<a href="/console/days/2026-03-02">`)
	olga.get("/console/days/2026-03-02").has("1 event came when the day was closed", "/console/entries/join%2Fshop%2Fe-2",
		"/console/accounts/alice", "2 Mar 2026, 13:00 UTC", "3 Mar 2026, 00:00 UTC")
	o.as("vera").get("/console/days/2026-03-02").has("1 event came").hasNot("alice")
	olga.get("/console/days/2026-03-03").hasNot("Late events")

	anton.approve(post("do", "retire", "reason", "moved").is(http.StatusSeeOther).location)
	olga.get(path).has("retired").hasNot(`action="` + path)
	olga.get("/console").hasNot("Streams")
}
