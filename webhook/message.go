package webhook

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
)

// The kinds of message that an endpoint may want, as the type of a message names them.
const (
	Balance = "balance" // balances that entries changed
	Reward  = "reward"  // rewards that were credited
	Settled = "settled" // a day of a token whose rewards are all credited
	Payouts = "payouts" // what another ledger is to credit
	Test    = "test"    // sent when somebody asks for it, to every endpoint
)

// Kinds are those that an endpoint chooses from.
var Kinds = []string{Balance, Reward, Settled, Payouts}

// EventKinds are those of events.
var EventKinds = []string{Balance, Reward, Settled}

// ParseKinds reads kinds with commas between them, and writes them in the order of Kinds. Its error is
// ledger.ErrInvalid.
func ParseKinds(text string) (string, error) { return parseKinds(text, Kinds, "message", "") }

// ParseEventKinds is ParseKinds of EventKinds.
func ParseEventKinds(text string) (string, error) {
	return parseKinds(text, EventKinds, "event", `; payouts are delivered by "payouts deliver"`)
}

// parseKinds reads kinds of what a word names; note is what else is said of one that there is not.
func parseKinds(text string, kinds []string, what, note string) (string, error) {
	var wanted []string
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	for _, kind := range kinds {
		if slices.Contains(words, kind) {
			wanted = append(wanted, kind)
		}
	}
	for _, word := range words {
		if !slices.Contains(kinds, word) {
			return "", ledger.ErrInvalid.In("kinds", "%q is no kind of %s; it is one of %s%s", ledger.Clip(word), what,
				strings.Join(kinds, ", "), note)
		}
	}
	if len(wanted) == 0 {
		return "", ledger.ErrInvalid.In("kinds", "name at least one kind of %s: %s", what, strings.Join(kinds, ", "))
	}
	return strings.Join(wanted, ","), nil
}

// Stream is where messages come from, each with numbers of its own.
type Stream int

// The streams, as they are kept.
const (
	Events       Stream = iota // the outbox: its number, and which of its events is the first of the message
	PayoutStream               // payouts: the number of the last of the message
	TestStream                 // the time in milliseconds
)

// MostInMessage is how many events or payouts a message has at most. Another number would change the messages that
// wait: their IDs say where those of events begin and where those of payouts end, and not how many are in them.
const MostInMessage = 200

var streamNames = []string{"event", "payouts", "test"}

// Wants reports whether an endpoint that wants some kinds gets messages of the stream.
func (s Stream) Wants(kinds string) bool {
	words := strings.Split(kinds, ",")
	switch s {
	case Events:
		return slices.ContainsFunc(words, func(kind string) bool { return kind != Payouts })
	case PayoutStream:
		return slices.Contains(words, Payouts)
	}
	return true
}

// Whole is the Part of a Key behind every message of its number.
const Whole = 1<<31 - 1

// Key names a message, and the place of it in its stream.
type Key struct {
	Stream
	Number, Part int64
}

// ID is the ID of the message, which never changes: "event_7-1", "payouts_4711" or "test_1796000000000". No other
// message has it, also not in books that are restored.
func (k Key) ID() string {
	if k.Stream == Events {
		return fmt.Sprintf("%s_%d-%d", streamNames[k.Stream], k.Number, k.Part)
	}
	return fmt.Sprintf("%s_%d", streamNames[k.Stream], k.Number)
}

// Compare is the order of two keys of one stream.
func (k Key) Compare(other Key) int {
	return cmp.Or(cmp.Compare(k.Number, other.Number), cmp.Compare(k.Part, other.Part))
}

// ParseID reads an ID. Its error is ledger.ErrInvalid.
func ParseID(id string) (k Key, err error) {
	name, rest, _ := strings.Cut(id, "_")
	number, part, parted := strings.Cut(rest, "-")
	k.Stream = Stream(slices.Index(streamNames, name))
	n, err := strconv.ParseUint(number, 10, 63)
	k.Number = int64(n)
	if err == nil && parted {
		n, err = strconv.ParseUint(part, 10, 31)
		k.Part = int64(n)
	}
	if err != nil || k.Stream < 0 || k.ID() != id {
		return Key{}, ledger.ErrInvalid.In("message", "%q is no ID of a message, such as event_7-1 or payouts_4711",
			ledger.Clip(id))
	}
	return k, nil
}

// Body is the body of a message of a kind: the same for webhooks and for topics. data is written as JSON.
func Body(kind string, at time.Time, data any) ([]byte, error) {
	body, err := json.Marshal(struct {
		Type      string `json:"type"`
		Timestamp string `json:"timestamp"`
		Data      any    `json:"data"`
	}{kind, ledger.FormatTime(at), data})
	if err != nil {
		return nil, fmt.Errorf("write a message: %w", err)
	}
	return body, nil
}

// EventData is the data of messages of events.
type EventData struct {
	Events []any `json:"events"`
}
