package store

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// bodies writes news as it would be kept.
func bodies(n News) (b newsBodies) {
	for _, e := range n.Entries {
		b.entry(e)
	}
	for _, p := range n.Paid {
		b.paid(p)
	}
	for _, d := range n.Settled {
		b.settled(d)
	}
	return b
}

// someNews has everything that news can have.
func someNews() News {
	at := time.UnixMilli(1_772_452_800_123).UTC()
	return News{
		NewsKey: NewsKey{At: at, Nonce: "n"},
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

func TestNewsReadsWhatWasWritten(t *testing.T) {
	want := someNews()
	kept := bodies(want)
	if len(kept) != 1 {
		t.Fatalf("it takes %d rows", len(kept))
	}
	got, err := readNews(want.NewsKey, kept[0])
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v is read, of %+v: %v", got, want, err)
	}
	for n := range kept[0] { // cut off anywhere, it is an error or less of the whole, but never more
		if got, err := readNews(want.NewsKey, kept[0][:n]); err == nil && len(got.Entries)+len(got.Paid)+len(got.Settled) >= 5 {
			t.Errorf("the first %d bytes say as much as all of them", n)
		}
	}
	if _, err := readNews(want.NewsKey, []byte{newsForm + 1}); err == nil {
		t.Error("a newer form is read")
	}
}

func FuzzReadNews(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{newsForm, aboutEntry, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add(bodies(someNews())[0])
	f.Fuzz(func(t *testing.T, body []byte) {
		first, err := readNews(NewsKey{Nonce: "n"}, body)
		if err != nil {
			return
		}
		again := News{NewsKey: first.NewsKey}
		for _, kept := range bodies(first) {
			part, err := readNews(first.NewsKey, kept)
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

func TestMuchNewsLiesInSeveralRows(t *testing.T) {
	e := PostedEntry{ID: string(bytes.Repeat([]byte("x"), 100_000)), At: time.UnixMilli(0).UTC()}
	var b newsBodies
	for range 25 {
		b.entry(e)
	}
	n := 0
	for _, body := range b {
		if len(body) > newsSize+100_200 {
			t.Errorf("a row has %d bytes", len(body))
		}
		part, err := readNews(NewsKey{}, body)
		if n += len(part.Entries); err != nil {
			t.Error(err)
		}
	}
	if len(b) != 3 || n != 25 {
		t.Errorf("%d entries in %d rows", n, len(b))
	}
}

func TestStampsGrow(t *testing.T) {
	var s db.Stamps
	var last NewsKey
	for _, now := range []int64{1000, 1000, 1001, 999, 1001, 1002} { // the clock stands, and is put back
		at, nonce := s.Next(now)
		if k := (NewsKey{timeOf(at), nonce}); k.At.Before(last.At) || k.At.Equal(last.At) && k.Nonce <= last.Nonce || at < now {
			t.Errorf("%+v comes after %+v at %d", k, last, now)
		} else {
			last = k
		}
	}
	if at, _ := s.Next(1_000_000); at != 1_000_000 {
		t.Errorf("the stamp is %d", at)
	}
	if at, _ := s.Next(5000); at != 5000 {
		t.Errorf("a clock that was put back for good is at 5000, and the stamp is %d", at)
	}
}
