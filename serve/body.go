package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/softstake/softstake/api"
)

// A request's body is read before the request gets a slot: a client that sends slowly
// holds none. Handlers read the body from memory, or find there why it could not be
// read, and answer that in their API's own words. The body of every method is read:
// what a handler leaves, the server would read before it answers, in the handler's slot.

const (
	// bodyWait is how long api.SmallBody may take.
	bodyWait = 5 * time.Second
	// bodyRate is how many bytes of a larger body give it another second.
	bodyRate = 512 << 10
	// bodyPart is how many bytes are read before the deadline is set again.
	bodyPart = 64 << 10

	// mostBodies is how many bodies are read at the same time, each for its first bodyPart bytes. They
	// take up to 64 MiB.
	mostBodies = 1024
	// mostLargeBytes is how many bytes larger bodies take, from when they are read until
	// their requests are answered.
	mostLargeBytes = 256 << 20
)

// Why the gateway refuses a request or its body, for the metrics.
const (
	refusedBusy    = "busy"            // no slot was free, or no memory for a large body
	refusedSlow    = "slow_body"       // the body did not come in time
	refusedEvicted = "evicted_body"    // it gave way to other bodies
	refusedLarge   = "large_body"      // it is longer than it may be
	refusedCut     = "unfinished_body" // it ended too early, or is no HTTP
)

// errNoSlot says that there is no slot or no memory for a request.
var errNoSlot = errors.New("too many requests are in flight")

// bodies are the bodies that are being read, and how long they may take.
type bodies struct {
	small *budget // by their number; where it is used up, the one that has been read for longest gives way
	large *budget // by their bytes, of those that are longer than api.SmallBody
	wait  time.Duration
}

func newBodies() bodies {
	return bodies{small: newBudget(mostBodies, mostBodies/2), large: newBudget(mostLargeBytes, mostLargeBytes/2),
		wait: bodyWait}
}

// incoming is a body that is being read.
type incoming struct {
	*inFlight
	gateway *gateway
	control *http.ResponseController
	text    bytes.Buffer
	whole   bool
}

// failedBody is a body that could not be read.
type failedBody struct{ error }

// Read says why.
func (f failedBody) Read([]byte) (int, error) { return 0, f.error }

// Close does nothing.
func (f failedBody) Close() error { return nil }

// receive reads a request's body, and leaves it, or why it could not be read, in the
// request. It reports false if there is no room for it. release gives back the memory
// when the request has been answered.
func (g *gateway) receive(x *inFlight) (release func(), ok bool) {
	release = func() {}
	if x.r.Body == nil || x.r.Body == http.NoBody {
		return release, true
	}
	in := &incoming{inFlight: x, gateway: g, control: http.NewResponseController(x)}
	err := in.readSmall()
	if err == nil && !in.whole {
		release, err = in.readLarge()
	}
	if err == nil {
		// A deadline that stays set would end the request's context while it is answered.
		err = in.deadline(time.Time{})
	}
	if err != nil {
		done, free := in.fail(err), release
		return func() { done(); free() }, !errors.Is(err, errNoSlot)
	}
	x.r.Body = io.NopCloser(&in.text)
	return release, true
}

// readSmall reads as much as any request may send. Its share of the budget (budget.go) is nil where
// no other body can give way to it; it may have to give way itself, by expire, until keep.
func (in *incoming) readSmall() error {
	b := in.gateway.bodies.small
	s := b.acquire(in.network, 1, in.expire)
	if s == nil {
		return errNoSlot
	}
	defer b.release(s)
	return errors.Join(in.read(b, s, api.SmallBody), b.keep(s))
}

// readLarge reads the rest of a body that is longer. Its memory is held until release.
func (in *incoming) readLarge() (release func(), err error) {
	limit, err := in.limit()
	if err != nil {
		return func() {}, err
	}
	size := in.r.ContentLength
	if size < 0 {
		size = limit
	}
	if size > limit || limit <= api.SmallBody {
		return func() {}, &http.MaxBytesError{Limit: limit}
	}
	b := in.gateway.bodies.large
	s := b.acquire(in.network, size, in.expire)
	if s == nil {
		return func() {}, errNoSlot
	}
	release = func() { b.release(s) }
	in.text.Grow(max(0, int(in.r.ContentLength)-in.text.Len()) + bytes.MinRead)
	err = errors.Join(in.read(b, s, limit), b.keep(s))
	if err == nil && !in.whole {
		err = &http.MaxBytesError{Limit: limit}
	}
	return release, err
}

// limit is how many bytes the API reads of this request's body. The API may look at the
// books to know: that takes a slot.
func (in *incoming) limit() (int64, error) {
	if in.of.maxBody == nil {
		return api.SmallBody, nil
	}
	slots := in.gateway.requests[in.of.name]
	if !slots.Acquire(in.network) {
		return 0, errNoSlot
	}
	defer slots.Release(in.network)
	return in.of.maxBody(in.r), nil
}

// read reads on until the body has ended, or is longer than limit. Each part must come in
// time: by the deadline of api.SmallBody and what bodyRate adds to it.
func (in *incoming) read(b *budget, s *share, limit int64) error {
	for n := int64(in.text.Len()); n <= limit; n = int64(in.text.Len()) {
		until := in.began.Add(in.gateway.bodies.wait + time.Duration(n/bodyRate)*time.Second)
		if err := b.extend(s, func() error { return in.deadline(until) }); err != nil {
			return err
		}
		switch _, err := io.CopyN(&in.text, in.r.Body, min(bodyPart, limit+1-n)); {
		case errors.Is(err, io.EOF):
			in.whole = true
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

// deadline sets until when the client may send; the zero time is no limit. What has no
// deadlines, such as a test's recorder, is left as it is.
func (in *incoming) deadline(until time.Time) error {
	if err := in.control.SetReadDeadline(until); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("set how long the body may take: %w", err)
	}
	return nil
}

// expire ends the reading.
func (in *incoming) expire() {
	if err := in.deadline(time.Now()); err != nil {
		in.gateway.log.Debug("the reading of a body cannot be ended", "request", in.caller.Request, "error", err)
	}
}

// fail leaves in the request why its body could not be read. The rest of it is not read,
// by the server neither, and the connection ends with the answer. The failure has ended
// the request's context: so that it can be answered it gets another, until done.
func (in *incoming) fail(err error) (done func()) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(in.r.Context()), bodyWait)
	in.r = in.r.WithContext(ctx)
	in.r.Body = failedBody{err}
	in.refused = refusal(err)
	in.expire()
	if in.r.ProtoMajor == 1 {
		in.Header().Set("Connection", "close")
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		in.Header().Set("Retry-After", retryAfter)
	}
	return cancel
}

// refusal is why a body was refused, for the metrics.
func refusal(err error) string {
	switch tooLarge := (*http.MaxBytesError)(nil); {
	case errors.Is(err, errNoSlot):
		return refusedBusy
	case errors.Is(err, errEvicted):
		return refusedEvicted
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refusedSlow
	case errors.As(err, &tooLarge):
		return refusedLarge
	}
	return refusedCut
}
