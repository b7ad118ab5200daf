package ingest

import (
	"errors"
	"testing"
	"time"

	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// TestSourcesThatDoNotSayWhatWas: a snapshot of now, and a topic that begins after the day, do not say what accounts
// had at its end.
func TestSourcesThatDoNotSayWhatWas(t *testing.T) {
	day := staking.Day(20_000)
	at := func(position int64, after time.Duration) join.Event {
		return join.Event{Type: join.Change, At: (day + 1).Start().Add(after), Place: join.Place{Position: position}}
	}
	snapshot := func(after time.Duration) join.Event {
		e := at(1, after)
		e.Initial = true
		return e
	}
	for name, c := range map[string]struct {
		event        join.Event
		first, wrong bool
	}{
		"on the day":           {at(9, -1), true, false},
		"after it":             {at(9, 0), false, false},
		"begins after it":      {at(9, 0), true, true},
		"a new topic":          {at(1, 0), true, false},
		"a snapshot of then":   {snapshot(-1), true, false},
		"a snapshot of now":    {snapshot(0), true, true},
		"a word of the broker": {join.Event{Type: join.Ignored, Place: join.Place{Position: 9}}, true, false},
	} {
		r := &dayRun{day: day, last: map[string]time.Time{}}
		if err := r.reach("p1", c.event, c.first); errors.Is(err, ledger.ErrInvalid) != c.wrong {
			t.Errorf("%s: %v", name, err)
		}
	}
}
