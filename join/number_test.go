package join

import (
	"errors"
	"testing"

	"github.com/softstake/softstake/ledger"
)

// TestNumbered: of a broker's record the position is a number of the event's own, which it may have.
func TestNumbered(t *testing.T) {
	const rest = `"id":"e","at":"2026-03-02T10:00:00Z","account":"a","token":"BNB","change":"1"}`
	for _, c := range []struct {
		text   string
		number int64
		last   int64
		want   Order
	}{
		{`{`, 0, 5, Next},
		{`{"position":6,`, 6, 0, Next},
		{`{"position":6,`, 6, 5, Next},
		{`{"position":6,`, 6, 6, Repeats},
		{`{"position":6,`, 6, 4, Gap},
		{`{"position":9,"previous":5,`, 9, 5, Next},
		{`{"position":9,"previous":6,`, 9, 5, Gap},
		{`{"position":9,"previous":4,`, 9, 5, Back},
		{`{"position":9,"previous":4,`, 9, 20, Repeats},
	} {
		e, err := Decode([]byte(c.text+rest), Numbered)
		if err != nil || e.Number != c.number || e.Position != 0 || e.Order(c.last) != c.want {
			t.Errorf("%s after %d: number %d, position %d, order %d, %v", c.text, c.last, e.Number, e.Position, e.Order(c.last),
				err)
		}
	}
	for _, text := range []string{`{"position":0,`, `{"previous":4,`, `{"position":4,"previous":4,`} {
		if _, err := Decode([]byte(text+rest), Numbered); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
