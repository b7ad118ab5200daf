package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// longestLine is of an event's data, in bytes.
const longestLine = 1 << 20

// silence is after how long without a line a stream counts as broken: the server sends one each
// fifteen seconds.
const silence = 45 * time.Second

// EventsQuery is which events are asked for.
type EventsQuery struct {
	// Account is whose events; "": everybody's. A holder's token gets its own.
	Account string
	// After is the ID after which the stream begins; "": from now on.
	After string
}

// Event is one of BalanceEvent, RewardEvent, SettledEvent, ReadyEvent and ResetEvent.
type Event struct {
	// ID is where to resume. Keep it in the transaction that keeps what the event has changed.
	ID string
	// Data is a pointer to one of the types above, or nil where only the ID has moved on or the event
	// is of a kind that this client does not know.
	Data any
}

// Events are what happens, as it happens, until the context ends or the caller stops. A stream that
// breaks is connected again after the last ID, so that nothing is missed: an event is delivered at
// least once. A *ResetEvent says that events after the ID are not available any more: read everything
// again, and go on. An error ends it, and is a refusal that another attempt would not change, or that
// of the context.
func (c *Client) Events(ctx context.Context, query EventsQuery, options ...Option) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		pause := firstPause
		for {
			stop, moved, err := c.stream(ctx, &query, options, yield)
			switch {
			case stop:
				return
			case ctx.Err() != nil:
				yield(Event{}, context.Cause(ctx))
				return
			case err != nil && !transient(err):
				yield(Event{}, err)
				return
			case moved:
				pause = firstPause
			}
			if err := c.Wait(ctx, pause); err != nil {
				yield(Event{}, err)
				return
			}
			pause = min(2*pause, longestPause)
		}
	}
}

// stream reads one connection to its end, and reports whether the caller has stopped, and whether
// something has come.
func (c *Client) stream(ctx context.Context, query *EventsQuery, options []Option,
	yield func(Event, error) bool,
) (stop, moved bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	values := url.Values{}
	for name, value := range map[string]string{"account": query.Account, "after": query.After} {
		if value != "" {
			values.Set(name, value)
		}
	}
	r := request{method: http.MethodGet, path: "/v1/events", query: values}
	header := http.Header{}
	for _, option := range options {
		option(header)
	}
	_, err = c.once(ctx, r, header, nil, func(response *http.Response) error {
		alive := time.AfterFunc(silence, func() { cancel(errors.New("the stream is silent")) })
		defer alive.Stop()
		for event, err := range events(response.Body, func() { alive.Reset(silence) }) {
			if err != nil {
				return err
			}
			query.After, moved = event.ID, true
			if stop = !yield(event, nil); stop {
				return nil
			}
		}
		return broken{io.ErrUnexpectedEOF}
	})
	return stop, moved, err
}

// events reads server-sent events (HTML Living Standard, section 9.2) that have an ID. heard is called
// at each line.
func events(from io.Reader, heard func()) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		lines := bufio.NewScanner(from)
		lines.Buffer(nil, longestLine)
		var id, name, data string
		for lines.Scan() {
			heard()
			field, value, _ := strings.Cut(lines.Text(), ":")
			value = strings.TrimPrefix(value, " ")
			switch field {
			case "id":
				id = value
			case "event":
				name = value
			case "data":
				if data != "" {
					data += "\n"
				}
				data += value
			}
			if lines.Text() != "" {
				continue
			}
			if id != "" {
				event, err := decode(id, name, data)
				if !yield(event, err) || err != nil {
					return
				}
			}
			id, name, data = "", "", ""
		}
		switch err := lines.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			yield(Event{}, fmt.Errorf("an event has more than %d bytes: %w", longestLine, err))
		case err != nil:
			yield(Event{}, broken{err})
		}
	}
}

func decode(id, name, data string) (Event, error) {
	kinds := map[string]any{"balance": &BalanceEvent{}, "reward": &RewardEvent{}, "settled": &SettledEvent{},
		"ready": &ReadyEvent{}, "reset": &ResetEvent{}}
	into, known := kinds[name]
	if !known {
		return Event{ID: id}, nil
	}
	if err := json.Unmarshal([]byte(data), into); err != nil {
		return Event{}, fmt.Errorf("event %s: %w", id, err)
	}
	return Event{id, into}, nil
}
