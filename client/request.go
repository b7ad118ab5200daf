package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	firstPause   = 200 * time.Millisecond // before the second attempt; each one after it doubles it
	longestPause = 10 * time.Second       // unless the server says longer
	longestAsked = 5 * time.Minute        // of what a server may ask to wait
	largest      = 256 << 20              // bytes of an answer that is read as one
	largestError = 64 << 10               // bytes of an answer that refuses
)

// request is what an operation sends.
type request struct {
	method, path string
	query        url.Values
	body         any
}

// send makes a request until it is answered for good, and reads the answer.
func send[T any](ctx context.Context, c *Client, r request, options []Option) (T, error) {
	var answer T
	err := c.repeat(ctx, r, options, func(response *http.Response) error {
		text, err := io.ReadAll(io.LimitReader(response.Body, largest+1))
		if err != nil {
			return broken{err}
		}
		if len(text) > largest {
			return fmt.Errorf("%s %s: the answer is larger than %d bytes", r.method, r.path, largest)
		}
		if response.StatusCode == http.StatusAccepted {
			proposed := &NeedsApproval{}
			return errors.Join(json.Unmarshal(text, &proposed.Proposal), proposed)
		}
		if len(text) == 0 {
			return nil
		}
		if err := json.Unmarshal(text, &answer); err != nil {
			return fmt.Errorf("%s %s: the answer: %w", r.method, r.path, err)
		}
		return nil
	})
	return answer, err
}

// broken is an error of the connection: the same request may succeed.
type broken struct{ error }

func (b broken) Unwrap() error { return b.error }

// repeat makes a request, and gives an answer of success to read. It does so again while that may help.
// The body of a response is closed when read has returned.
func (c *Client) repeat(ctx context.Context, r request, options []Option, read func(*http.Response) error) error {
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return fmt.Errorf("%s %s: %w", r.method, r.path, err)
		}
	}
	header := http.Header{}
	if r.method == http.MethodPost {
		header.Set("Idempotency-Key", c.Key())
	}
	for _, option := range options {
		option(header)
	}
	pause := firstPause
	for attempt := 1; ; attempt++ {
		asked, err := c.once(ctx, r, header, body, read)
		if err == nil || !transient(err) || ctx.Err() != nil {
			return err
		}
		if attempt >= c.Attempts || asked > longestAsked {
			return err
		}
		// Full jitter: many clients that were refused together do not come again together.
		if stop := c.Wait(ctx, max(asked, rand.N(pause)+1)); stop != nil {
			return errors.Join(stop, err)
		}
		pause = min(2*pause, longestPause)
	}
}

// once makes a request one time, and returns how long the server asks to wait before another.
func (c *Client) once(ctx context.Context, r request, header http.Header, body []byte,
	read func(*http.Response) error,
) (asked time.Duration, err error) {
	made, err := c.request(ctx, r, header, body)
	if err != nil {
		return 0, err
	}
	response, err := c.HTTP.Do(made)
	if err != nil {
		return 0, broken{err}
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		return 0, read(response)
	}
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	return time.Duration(max(0, seconds)) * time.Second, refusal(response)
}

func (c *Client) request(ctx context.Context, r request, header http.Header, body []byte) (*http.Request, error) {
	address := *c.base
	path, err := url.PathUnescape(r.path)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	address.RawPath = c.base.EscapedPath() + r.path
	address.Path = c.base.Path + path
	address.RawQuery = r.query.Encode()
	made, err := http.NewRequestWithContext(ctx, r.method, address.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	made.Header = header.Clone()
	made.Header.Set("Authorization", "Bearer "+c.token)
	if c.UserAgent != "" {
		made.Header.Set("User-Agent", c.UserAgent)
	}
	if body != nil {
		made.Header.Set("Content-Type", "application/json")
	}
	return made, nil
}

// refusal is what an answer that is none of success says.
func refusal(response *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(response.Body, largestError))
	if err != nil {
		return broken{err}
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	var p problem
	if kind != "application/problem+json" || json.Unmarshal(text, &p) != nil {
		return &Error{Status: response.StatusCode, Detail: http.StatusText(response.StatusCode)}
	}
	return p.err(response.StatusCode)
}

// transient reports whether the same request may succeed later.
func transient(err error) bool {
	if errors.As(err, new(broken)) {
		return true
	}
	e := (*Error)(nil)
	if !errors.As(err, &e) {
		return false
	}
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return e.Type == "in-progress"
}

// page is a part of a list.
type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// pages reads a list page by page, as far as it is asked for. After an error it ends.
func pages[T any](ctx context.Context, c *Client, r request, options []Option) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			p, err := send[page[T]](ctx, c, r, options)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range p.Items {
				if !yield(item, nil) {
					return
				}
			}
			if p.Next == "" {
				return
			}
			r.query.Set("cursor", p.Next)
		}
	}
}

// Export is a file that comes from the server. Read it to its end and close it: a connection that
// breaks before is an error of Read, and what was read then is not all.
type Export struct {
	io.ReadCloser
	// Size is how many bytes it has, or -1 where the server does not say.
	Size int64
}

// export begins to read a file; once it has begun it is not begun again.
func (c *Client) export(ctx context.Context, r request, options []Option) (*Export, error) {
	var file *Export
	err := c.repeat(ctx, r, options, func(response *http.Response) error {
		file = &Export{response.Body, response.ContentLength}
		response.Body = http.NoBody // the caller closes the other
		return nil
	})
	return file, err
}
