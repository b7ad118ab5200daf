package events

import (
	"fmt"
	"strconv"
	"strings"
)

// The ID of an event is the number of the outbox event that it comes from and, after a "-", which of that
// one's events it is. The number alone says that everything up to it, and all of it, has been sent. A
// subscriber that resumes after the ID "7-2" gets all of outbox event 7 again.

// idOf is the ID after which everything through an outbox event is sent.
func idOf(number int64) string { return strconv.FormatInt(number, 10) }

// partID is the ID of the nth event of an outbox event.
func partID(number int64, n int) string { return fmt.Sprintf("%d-%d", number, n) }

// longestID is more than any event's ID has.
const longestID = 64

// parseID reads up to which outbox event everything was sent to one who has seen an event's ID.
func parseID(id string) (after int64, ok bool) {
	text, part, parted := strings.Cut(id, "-")
	number, err := strconv.ParseUint(text, 10, 63)
	if err != nil || len(id) > longestID {
		return 0, false
	}
	if !parted {
		return int64(number), true
	}
	if n, err := strconv.ParseUint(part, 10, 31); err != nil || n == 0 || number == 0 {
		return 0, false
	}
	return int64(number) - 1, true
}
