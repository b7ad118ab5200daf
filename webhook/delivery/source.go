package delivery

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/payout"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/webhook"
)

const (
	// eventsAtOnce and messagesAtOnce are how many outbox events and messages are read at once at most: an event may be
	// very many rewards.
	eventsAtOnce, messagesAtOnce = 50, 50
)

// message is a message that is to be sent.
type message struct {
	webhook.Key
	kind string
	body []byte
}

// source reads the books, and makes the same messages of them each time.
type source struct {
	books   *store.DB
	reports *reports.Reports
	most    int // messages of events that a page has
}

func newSource(books *store.DB) source {
	return source{books, reports.New(books.Reader()), messagesAtOnce}
}

// ofEvent gives emit the messages of an outbox event: events of one type that follow each other are in one. They do not
// depend on what an endpoint wants, so that each has its ID forever.
func (s source) ofEvent(ctx context.Context, from outbox.Event, emit func(message) error) error {
	var m message
	var data webhook.EventData
	count := int64(0)
	finish := func() (err error) {
		if len(data.Events) == 0 {
			return nil
		}
		if m.body, err = webhook.Body(m.kind, from.At, data); err == nil {
			data = webhook.EventData{}
			err = emit(m)
		}
		return err
	}
	err := events.Of(ctx, s.books, from, func(e events.Event) error {
		count++
		if m.kind != e.Type || len(data.Events) == 0 || len(data.Events) == webhook.MostInMessage {
			if err := finish(); err != nil {
				return err
			}
			m = message{Key: webhook.Key{Stream: webhook.Events, Number: from.Number, Part: count}, kind: e.Type}
		}
		data.Events = append(data.Events, e.Body)
		return nil
	})
	if err == nil {
		err = finish()
	}
	return err
}

// page is some messages of a stream, in order, and how far they are: everything through end.
type page struct {
	messages []message
	end      webhook.Key
}

// errFull says that a page has enough messages.
var errFull = errors.New("the page is full")

// events are the next messages after a place that are of some kinds, some of them where they are many. The page ends
// where it began when there are none. made is called with each message that is made, wanted or not: that takes long
// where an event has very many. outbox.ErrNotKept where events are missing.
func (s source) events(ctx context.Context, after webhook.Key, kinds string, made func() error) (page, error) {
	p, wanted := page{end: after}, strings.Split(kinds, ",")
	from := after.Number
	if after.Part != webhook.Whole {
		from--
	}
	all, err := s.books.Outbox().After(ctx, from, eventsAtOnce)
	for _, e := range all {
		if err != nil {
			break
		}
		err = s.ofEvent(ctx, e, func(m message) error {
			if m.Compare(after) > 0 && slices.Contains(wanted, m.kind) {
				if len(p.messages) == s.most {
					return errFull
				}
				p.messages = append(p.messages, m)
				p.end = m.Key
			}
			return made()
		})
		if errors.Is(err, errFull) {
			return p, nil
		}
		p.end = webhook.Key{Stream: webhook.Events, Number: e.Number, Part: webhook.Whole}
	}
	return p, err
}

// PayoutData is the data of a message of payouts.
type PayoutData struct {
	Payouts []payout.JSON `json:"payouts"`
	Batch   payout.Batch  `json:"batch"`
	Next    int64         `json:"next"`
}

// payouts are the next messages of payouts after one.
func (s source) payouts(ctx context.Context, after webhook.Key) (page, error) {
	p := page{end: after}
	chunks, err := s.reports.PayoutChunks(ctx, after.Number, webhook.MostInMessage, messagesAtOnce)
	for _, c := range chunks {
		if err != nil {
			break
		}
		var m message
		m, err = s.ofPayouts(ctx, c)
		p.messages, p.end = append(p.messages, m), m.Key
	}
	return p, err
}

func (s source) ofPayouts(ctx context.Context, c reports.PayoutChunk) (m message, err error) {
	asset, err := s.books.Asset(ctx, c.Batch.Due.Asset)
	if err != nil {
		return m, err
	}
	data := PayoutData{Next: c.Last(), Batch: payout.Batch{First: c.Batch.First, Last: c.Batch.Last,
		Day: c.Batch.Due.Day.String(), Asset: c.Batch.Due.Asset, Total: asset.Format(c.Batch.Total)}}
	for _, p := range c.Payouts {
		data.Payouts = append(data.Payouts, payout.Payout{Number: p.Number, ID: p.ID, Day: p.Due.Day.String(),
			Asset: p.Due.Asset, Account: p.Account, Amount: asset.Format(p.Amount), Paid: p.Paid}.JSON())
	}
	m = message{Key: webhook.Key{Stream: webhook.PayoutStream, Number: c.Last()}, kind: webhook.Payouts}
	m.body, err = webhook.Body(m.kind, c.Payouts[0].Paid, data)
	return m, err
}

// errLost says that a message cannot be made again: its event is not kept any more.
var errLost = errors.New("it is not kept any more")

// find makes a message again. errLost where it cannot be.
func (s source) find(ctx context.Context, k webhook.Key) (message, error) {
	var messages []message
	switch k.Stream {
	case webhook.TestStream:
		at := time.UnixMilli(k.Number).UTC()
		body, err := webhook.Body(webhook.Test, at, struct{}{})
		return message{k, webhook.Test, body}, err
	case webhook.PayoutStream:
		chunks, err := s.reports.PayoutChunks(ctx, k.Number-1, webhook.MostInMessage, 1)
		if err != nil || len(chunks) == 0 {
			return message{}, errors.Join(err, errLost)
		}
		m, err := s.ofPayouts(ctx, chunks[0])
		if err != nil {
			return message{}, err
		}
		messages = []message{m}
	default:
		all, err := s.books.Outbox().After(ctx, k.Number-1, 1)
		if errors.Is(err, outbox.ErrNotKept) || err == nil && len(all) == 0 {
			return message{}, errLost
		}
		if err == nil {
			err = s.ofEvent(ctx, all[0], func(m message) error {
				if m.Key == k {
					messages = []message{m}
				}
				return nil
			})
		}
		if err != nil {
			return message{}, err
		}
	}
	i := slices.IndexFunc(messages, func(m message) bool { return m.Key == k })
	if i < 0 {
		return message{}, errLost
	}
	return messages[i], nil
}
