// Package nats reads the messages of streams of NATS JetStream, each of which is a partition of the source. It knows no
// books, and relies on no consumer's state: the place from which a stream is read is the books'.
package nats

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/join/address"
	"github.com/softstake/softstake/ledger"
)

// The limits of what is read.
const (
	fetchMessages = 2000    // that are asked for at once at most
	fetchBytes    = 8 << 20 // that are sent at once, so that the largest message must be smaller
	connectWithin = 10 * time.Second
	answerWithin  = 10 * time.Second
	forgetAfter   = time.Minute // after which the server forgets a reader that is gone
	lookEvery     = 5 * time.Second
	silence       = 30 * time.Second      // after which a server that has more and sends nothing is an error
	again         = 20 * time.Millisecond // until a server is asked again for what it has not sent yet
	closeWithin   = time.Second
)

// Credentials are who reads the streams. Where all are empty, nobody is named.
type Credentials struct {
	User, Password string
	File           []byte // a credentials file of NATS, with a token and its key
}

// Source is some streams of a NATS server or cluster. Safe for concurrent use.
type Source struct {
	servers string
	streams []string
	options []nats.Option
	headers bool
	dryRun  bool
}

// Parse reads the address of streams, such as nats://host,host/stream,stream. The errors are those of address.Parse.
func Parse(text string, c Credentials, insecure bool) (*Source, error) {
	a, err := address.Parse(text, "nats", "4222", insecure)
	if err != nil {
		return nil, err
	}
	s := &Source{streams: strings.Split(a.Name, ","), options: []nats.Option{nats.Name("softstake join"),
		// What two requests ask for, and words of the server; what is lost shows in the numbers.
		nats.SyncQueueLen(2*fetchMessages + 16)}}
	slices.Sort(s.streams)
	for i, name := range s.streams {
		if join.CheckName("", name, join.MaxPartition) != nil || strings.ContainsAny(name, ".:") {
			return nil, ledger.ErrInvalid.In("", "a stream is not 1 to %d characters of A-Z a-z 0-9 _ and -", join.MaxPartition)
		}
		if i > 0 && name == s.streams[i-1] {
			return nil, ledger.ErrInvalid.In("", "the stream %s is there twice", name)
		}
	}
	servers, options := Connection(a, c)
	s.servers, s.options = servers, append(options, s.options...)
	return s, a.Unknown()
}

// Connection is how to connect to the servers of an address: once, so that it is seen when a connection is lost.
func Connection(a address.Address, c Credentials) (servers string, options []nats.Option) {
	for _, host := range a.Hosts {
		servers += "," + "nats://" + host
	}
	options = []nats.Option{nats.NoReconnect(), // another connection begins with what was lost between
		nats.Timeout(connectWithin), nats.PingInterval(lookEvery), nats.MaxPingsOutstanding(2),
		// Else the library writes to the standard error. Whoever uses the connection gets the error.
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})}
	if a.TLS != nil {
		options = append(options, nats.Secure(a.TLS))
	}
	switch {
	case c.File != nil:
		options = append(options, nats.UserCredentialBytes(c.File))
	case c.User != "":
		options = append(options, nats.UserInfo(c.User, c.Password))
	}
	return servers[1:], options
}

// WithHeaders has readers add the headers of a message to its text, see join.AddHeaders. Call it before Open.
func (s *Source) WithHeaders() { s.headers = true }

// DryRun has readers begin with what the stream still has. Call it before Open.
func (s *Source) DryRun() { s.dryRun = true }

// Partitions are the streams.
func (s *Source) Partitions(context.Context) ([]string, error) { return s.streams, nil }

func failed(err error) error {
	if err == nil || errors.Is(err, join.ErrChanged) {
		return err
	}
	return fmt.Errorf("NATS: %w", err)
}

// Open looks whether the stream still has what follows the place of the books. join.ErrChanged where messages are lost
// or may be: the stream was made again, it begins after that place, it ends before it, or the message there is not the
// one that the books have.
func (s *Source) Open(ctx context.Context, partition string, start join.Start) (_ join.Reader, err error) {
	if !slices.Contains(s.streams, partition) {
		return nil, fmt.Errorf("the source has no partition %q", partition)
	}
	r := &reader{source: s, stream: partition, start: start, last: uint64(start.After.Position), mark: start.Mark}
	defer func() {
		if err != nil {
			err = errors.Join(failed(err), r.Close())
		}
	}()
	if r.conn, err = nats.Connect(s.servers, s.options...); err != nil {
		return nil, err
	}
	if r.js, err = jetstream.New(r.conn); err != nil {
		return nil, err
	}
	return r, r.locate(ctx)
}

// state is what a stream is known by, and what it has.
type state struct {
	identity    string // when it was made
	first, last uint64 // without messages first is the number after the last
}

// look reads what the stream is, as its leader knows it.
func (r *reader) look(ctx context.Context) (state, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	stream, err := r.js.Stream(ctx, r.stream)
	if err != nil {
		return state{}, err
	}
	r.looked = time.Now()
	is := stream.CachedInfo()
	return state{is.Created.UTC().Format(time.RFC3339Nano), max(is.State.FirstSeq, 1), is.State.LastSeq}, nil
}

// locate looks where the stream begins and ends, and begins to read it.
func (r *reader) locate(ctx context.Context) error {
	is, err := r.look(ctx)
	if err != nil {
		return err
	}
	r.identity, r.end = is.identity, is.last
	if before := r.start.Identity; before != "" && before != is.identity {
		return fmt.Errorf("%w: the stream was made again: it is of %s, and was of %s", join.ErrChanged, is.identity, before)
	}
	nothing := r.last == 0
	switch {
	case nothing && r.source.dryRun:
		r.last = is.first - 1
	case nothing && is.first > 1:
		return fmt.Errorf("%w: the stream begins at %d: what was before it is removed, and the books have nothing of it",
			join.ErrChanged, is.first)
	default:
		if err := r.has(is); err != nil {
			return err
		}
	}
	from := r.last + 1
	if !nothing && r.last >= is.first && (r.start.Again || r.mark != "") {
		r.check = true
		from--
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	consumer, err := r.js.CreateConsumer(ctx, r.stream, jetstream.ConsumerConfig{AckPolicy: jetstream.AckNonePolicy,
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from, InactiveThreshold: forgetAfter,
		MemoryStorage: true, Replicas: 1})
	if err != nil {
		return err
	}
	r.consumer = consumer.CachedInfo().Name
	r.pull, err = newPull(r.conn, r.stream, r.consumer)
	return err
}

// has refuses a stream that does not have what follows the last message, or has lost that.
func (r *reader) has(is state) error {
	switch {
	case is.identity != r.identity:
		return fmt.Errorf("%w: the stream was made again: it is of %s, and was of %s", join.ErrChanged, is.identity,
			r.identity)
	case is.last < r.last:
		return fmt.Errorf("%w: the stream ends at %d, and %d was read: messages that were acknowledged are lost",
			join.ErrChanged, is.last, r.last)
	case is.first > r.last+1:
		return fmt.Errorf("%w: the stream begins at %d: what was from %d on was removed before it was read", join.ErrChanged,
			is.first, r.last+1)
	}
	return nil
}

// answer is what the leader of a stream says of a message.
type answer struct {
	Error *struct {
		Code int    `json:"code"`
		Text string `json:"description"`
	} `json:"error"`
	Message *struct {
		Data []byte    `json:"data"`
		Time time.Time `json:"time"`
	} `json:"message"`
}

// verify looks whether the stream still has a message, as its leader knows it: else messages were lost, and others have
// their numbers. It is asked when those that follow have come.
func (r *reader) verify(ctx context.Context, number uint64, known string) error {
	if number == 0 || known == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	reply, err := r.conn.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+r.stream, fmt.Appendf(nil, `{"seq":%d}`, number))
	if err != nil {
		return err
	}
	var is answer
	if err := json.Unmarshal(reply.Data, &is); err != nil {
		return err
	}
	switch {
	case is.Message != nil && mark(is.Message.Time, is.Message.Data) == known:
		return nil
	case is.Message != nil:
		return fmt.Errorf("%w: message %d is not the one that was read: messages that were acknowledged are lost",
			join.ErrChanged, number)
	case is.Error == nil || is.Error.Code != 404:
		return fmt.Errorf("message %d cannot be read: %s", number, cmp.Or(string(reply.Data), "no answer"))
	}
	now, err := r.look(ctx)
	if err == nil && now.last >= number && now.first <= number {
		err = fmt.Errorf("%w: message %d, which was read, is gone", join.ErrChanged, number)
	}
	if err == nil && now.last < number {
		err = r.has(now)
	}
	return err // what retention has removed was read
}
