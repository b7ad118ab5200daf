package outbox

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// bodies encodes an event as it would be stored.
func bodies(e Event) (r Records) {
	for _, posted := range e.Entries {
		r.Entry(posted)
	}
	for _, p := range e.Paid {
		r.Paid(p)
	}
	for _, d := range e.Settled {
		r.Settled(d)
	}
	return r
}

// someEvent has everything that an event can have.
func someEvent() Event {
	at := time.UnixMilli(1_772_452_800_123).UTC()
	return Event{
		Number: 7, At: at,
		Entries: []PostedEntry{
			{ID: "a", Kind: ledger.Hold, At: at, Balances: []PostedBalance{
				{"alice", "BNB", -1, 0}, {"alice/held", "BNB", 1, ledger.MaxSupply}, {"bob", "SOL", -ledger.MaxSupply, -5},
			}},
			{ID: "", Kind: "", At: time.UnixMilli(0).UTC()},
		},
		Paid:    []PaidBatch{{Bucket: 255, Due: staking.Due{Asset: "BNB", Day: 20_514}, PaidAt: at}},
		Settled: []staking.Due{{Asset: "BNB", Day: 20_514}, {Asset: "S", Day: 0}},
	}
}

func TestDecodeReadsWhatWasEncoded(t *testing.T) {
	want := someEvent()
	kept := bodies(want)
	if len(kept) != 1 {
		t.Fatalf("it takes %d rows", len(kept))
	}
	got, err := decode(want.Number, want.At, kept[0])
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v is read, of %+v: %v", got, want, err)
	}
	for n := range kept[0] { // cut off anywhere, it is an error or less of the whole, but never more
		got, err := decode(want.Number, want.At, kept[0][:n])
		if err == nil && len(got.Entries)+len(got.Paid)+len(got.Settled) >= 5 {
			t.Errorf("the first %d bytes say as much as all of them", n)
		}
	}
	if _, err := decode(want.Number, want.At, []byte{format + 1}); err == nil {
		t.Error("a newer format is read")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{format, aboutEntry, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add(bodies(someEvent())[0])
	f.Fuzz(func(t *testing.T, body []byte) {
		first, err := decode(7, time.UnixMilli(0).UTC(), body)
		if err != nil {
			return
		}
		again := Event{Number: first.Number, At: first.At}
		for _, kept := range bodies(first) {
			part, err := decode(first.Number, first.At, kept)
			if err != nil {
				t.Fatal(err)
			}
			again.Entries = append(again.Entries, part.Entries...)
			again.Paid = append(again.Paid, part.Paid...)
			again.Settled = append(again.Settled, part.Settled...)
		}
		if !reflect.DeepEqual(first, again) {
			t.Errorf("%+v is read, and %+v after it was written again", first, again)
		}
	})
}

func TestMuchLiesInSeveralEvents(t *testing.T) {
	e := PostedEntry{ID: string(bytes.Repeat([]byte("x"), 100_000)), At: time.UnixMilli(0).UTC()}
	var b Records
	for range 25 {
		b.Entry(e)
	}
	n := 0
	for _, body := range b {
		if len(body) > maxBody+100_200 {
			t.Errorf("a row has %d bytes", len(body))
		}
		part, err := decode(1, time.Time{}, body)
		if n += len(part.Entries); err != nil {
			t.Error(err)
		}
	}
	if len(b) != 3 || n != 25 {
		t.Errorf("%d entries in %d rows", n, len(b))
	}
}
