package events

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/store"
)

// place is how far a subscriber has come: at a piece of news, or, with no nonce, at
// a moment. Since news may become visible late, it says as well how much there was
// from some moment before it on. Where there is as much when the subscriber comes
// again, nothing has been added, and it goes on from here; else it goes on from that
// moment. Written out it is an event's ID, or the front of one.
type place struct {
	store.NewsKey
	base time.Time // what is older is all told
	upTo int       // how much news there was from base on, up to here and with what is here
}

func (p place) String() string {
	return fmt.Sprintf("%d-%s-%d-%d", p.At.UnixMilli(), p.Nonce, p.At.Sub(p.base).Milliseconds(), p.upTo)
}

// firmAt is a place before which nothing is added any more.
func firmAt(k store.NewsKey) place { return place{NewsKey: k, base: k.At} }

// Since is the ID to go on after for one who has read the books at a moment. What
// was written shortly before it may be told once more.
func Since(moment time.Time) string {
	return place{NewsKey: store.NewsKey{At: moment}, base: moment.Add(-store.NewsLag)}.String()
}

// nth is the ID of an event that is the nth of its news.
func (p place) nth(n int) string { return fmt.Sprintf("%s-%d", p, n) }

// longestID is more than any event's ID has.
const longestID = 128

// parsePlace reads the place in an event's ID. Others' text is not one.
func parsePlace(id string) (p place, ok bool) {
	parts := strings.Split(id, "-")
	if len(id) > longestID || len(parts) < 4 || strings.Trim(parts[1], "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef") != "" {
		return place{}, false
	}
	var numbers [3]int64
	for i, text := range []string{parts[0], parts[2], parts[3]} {
		n, err := strconv.ParseUint(text, 10, 48)
		if err != nil {
			return place{}, false
		}
		numbers[i] = int64(n)
	}
	p = place{store.NewsKey{At: time.UnixMilli(numbers[0]).UTC(), Nonce: parts[1]}, time.UnixMilli(numbers[0] - numbers[1]).UTC(), int(numbers[2])}
	return p, numbers[1] <= numbers[0]
}
