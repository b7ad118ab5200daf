package events

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/outbox"
)

// cursor is how far a subscriber has read: an outbox event or, with no nonce, a moment.
// Since outbox events may become visible late, it says as well how many there were from
// some moment before it on. Where there are as many when the subscriber comes again, none
// was added, and it continues from here; else it continues from that moment. As text it is
// the ID of an event, or its first part.
type cursor struct {
	outbox.Key
	base time.Time // what is older is all sent
	upTo int       // how many outbox events there were from base on, up to this one and with it
}

func (p cursor) String() string {
	return fmt.Sprintf("%d-%s-%d-%d", p.At.UnixMilli(), p.Nonce, p.At.Sub(p.base).Milliseconds(), p.upTo)
}

// firmAt is a cursor before which nothing is added any more.
func firmAt(k outbox.Key) cursor { return cursor{Key: k, base: k.At} }

// Since is the ID to continue after for one who has read the books at a moment. What was
// written shortly before it may be sent again.
func Since(moment time.Time) string {
	return cursor{Key: outbox.Key{At: moment}, base: moment.Add(-outbox.Lag)}.String()
}

// nth is the ID of the nth event of the outbox event at the cursor.
func (p cursor) nth(n int) string { return fmt.Sprintf("%s-%d", p, n) }

// longestID is more than any event's ID has.
const longestID = 128

// parseCursor reads the cursor in an event's ID. Others' text is not one.
func parseCursor(id string) (p cursor, ok bool) {
	parts := strings.Split(id, "-")
	if len(id) > longestID || len(parts) < 4 || strings.Trim(parts[1],
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef") != "" {
		return cursor{}, false
	}
	var numbers [3]int64
	for i, text := range []string{parts[0], parts[2], parts[3]} {
		n, err := strconv.ParseUint(text, 10, 48)
		if err != nil {
			return cursor{}, false
		}
		numbers[i] = int64(n)
	}
	p = cursor{outbox.Key{At: time.UnixMilli(numbers[0]).UTC(), Nonce: parts[1]},
		time.UnixMilli(numbers[0] - numbers[1]).UTC(), int(numbers[2])}
	return p, numbers[1] <= numbers[0]
}
