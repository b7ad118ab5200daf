package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/sse"
)

// EventsPath is where events are streamed: a stream has no end, and does no work while nothing happens.
const EventsPath = "/v1/events"

const (
	// usualStreams is the limit of concurrent streams of events, unless Options set it.
	usualStreams = 1000
	// holderStreams is the limit of one holder's token: it cannot take all streams. That of another token is a tenth of
	// all.
	holderStreams = 10
)

type eventsIn struct {
	Account   string `query:"account" doc:"Only this account's. A holder's token gets only its own, with or without it."`
	After     string `query:"after" doc:"Resume after the event with this ID; the header Last-Event-ID takes precedence. Without both: from now on."`
	LastEvent string `header:"Last-Event-ID" doc:"The ID of the last event that was received. A browser sends it by itself when it reconnects."`
}

// eventRoutes puts the stream of events into the table.
func (s *server) eventRoutes() {
	get(s, EventsPath, subscribers, reader.streamEvents, about("events", "Events", "Stream events",
		"Server-sent events: `balance`, an entry changed a balance; `reward`, a reward was credited; "+
			"`settled`, all rewards of a token's day are credited; `reset`, "+
			"the events after the ID are not available any more; `ready`, the stream is up to date. "+
			"Each has an ID, and is delivered at least once: reconnect with the last ID within seven days, "+
			"and nothing is missed. An event that is delivered again has the same `entry`; its ID may differ. "+
			"An ID begins with a number, which grows by the order in which events are published: "+
			"the changes of a balance come in the order in which they were made. "+
			"An entry changes a balance (`account`, `part`, `asset`) once. "+
			"After `reset`, read everything again and continue from its ID. "+
			"Each connection sends one `ready` when it is up to date: after the missed events, before new ones. "+
			"A new stream begins with it, so a client has an ID to resume from before anything has happened. "+
			"Every fifteen seconds a line that begins with a colon shows that the stream is alive. "+
			"If it carries an `id`, you may resume from that ID too. "+
			"A stream ends when its client does not keep up, when its token is revoked or expires, "+
			"and when the server stops; the client reconnects after `retry`, two seconds.", 404), eventStream)
}

// eventStream is the answer of the stream of events.
func eventStream(s *server, op *huma.Operation) {
	streamed(op, "The stream, without an end. The `$defs` of its schema are what `data` holds, "+
		"by the name of the `event`.",
		map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{
			Type: huma.TypeString, Extensions: map[string]any{eventDefs: map[string]*huma.Schema{
				"ready": schemaOf[events.Ready](s), "balance": schemaOf[events.Balance](s),
				"reward": schemaOf[events.Reward](s), "settled": schemaOf[events.Settled](s),
				"reset": schemaOf[events.Reset](s),
			}},
		}}})
}

// eventDefs is where the stream's schema has those of the events.
const eventDefs = "$defs"

// eventSchemas are the schemas of the events that a stream's schema has in it.
func eventSchemas(stream *huma.Schema) map[string]*huma.Schema {
	schemas, _ := stream.Extensions[eventDefs].(map[string]*huma.Schema)
	return schemas
}

// streamEvents begins a stream: everybody's events, or an account's.
func (rd reader) streamEvents(ctx context.Context, in *eventsIn) (*stream, error) {
	t, account := token(ctx), ledger.Account(in.Account)
	if t.Role == access.Holder && account == "" {
		account = t.Account
	}
	if account != "" {
		err := noAccount(account) // whether there is one or not
		if t.Owns(account) {
			_, err = rd.Account(ctx, account)
		}
		if err != nil {
			return nil, ledger.At("account", err)
		}
	}
	if !rd.streams.begin(t) {
		return nil, errStreams
	}
	return &stream{func(w http.ResponseWriter, r *http.Request) {
		defer rd.streams.end(t)
		err := rd.stream(w, r, t.ID, account, cmp.Or(in.LastEvent, in.After))
		if r.Context().Err() == nil && !errors.Is(err, sse.ErrGone) {
			rd.log.Info("a stream of events ended", "request", access.CallerOf(ctx).Request, "reason", err)
		}
	}}, nil
}

// streams counts the streams that there are.
type streams struct {
	most int
	mu   sync.Mutex
	all  int
	of   map[string]int // tokens
}

// limit is how many streams a token may have.
func (s *streams) limit(t access.Token) int {
	if t.Role == access.Holder {
		return holderStreams
	}
	return max(s.most/10, 1)
}

// begin counts a stream in, unless there are as many as there may be.
func (s *streams) begin(t access.Token) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= s.most || s.of[t.ID] >= s.limit(t) {
		return false
	}
	s.all++
	s.of[t.ID]++
	return true
}

// end counts it out.
func (s *streams) end(t access.Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.of[t.ID]--; s.of[t.ID] == 0 {
		delete(s.of, t.ID)
	}
}

// stream writes events until the client disconnects, its token ends, or the context
// does. At each sign of life the token is looked at again.
func (rd reader) stream(
	w http.ResponseWriter, r *http.Request, token string, account ledger.Account, after string,
) error {
	out, err := sse.Begin(w)
	if err != nil {
		return err
	}
	return rd.hub.Subscribe(r.Context(), account, after, func(e events.Event) error {
		if e.Type == "" {
			if err := rd.stillGood(r.Context(), token); err != nil {
				return err
			}
		}
		return out.Send(e.ID, e.Type, e.Body)
	})
}

// stillGood reports whether a token may still be used.
func (rd reader) stillGood(ctx context.Context, id string) error {
	t, err := rd.People().Token(ctx, id)
	if err != nil {
		return err
	}
	return t.Live(rd.now())
}
