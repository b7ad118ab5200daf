package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	// Timeout is how long an attempt takes at most, to the end of its answer.
	Timeout = 15 * time.Second
	// InParallel is how many messages are sent to an endpoint at the same time at most.
	InParallel = 8
	// readAnswer is how many bytes of an answer are read, so that its connection can be used again; what is longer ends
	// the connection.
	readAnswer = 4 << 10
	// maxExtract is how many characters of an answer are kept.
	maxExtract = 200
	// answerHeaders is how many bytes of headers an answer may have.
	answerHeaders = 16 << 10
)

// Client sends messages. It is safe for concurrent use.
type Client struct {
	http  *http.Client
	agent string
}

// NewClient makes a Client that reaches a network. version is of this program, for the header User-Agent; timeout is
// Timeout outside of tests. It uses no proxy, whatever the environment says: a proxy would resolve names by itself.
func NewClient(n Network, version string, timeout time.Duration) *Client {
	dialer := &net.Dialer{Timeout: timeout, Control: n.control}
	return &Client{agent: "softstake/" + version, http: &http.Client{
		Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // it would lead to where nobody has looked
		},
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: timeout, ForceAttemptHTTP2: true,
			TLSClientConfig:    &tls.Config{MinVersion: tls.VersionTLS12},
			DisableCompression: true, MaxResponseHeaderBytes: answerHeaders,
			MaxIdleConnsPerHost: InParallel, MaxIdleConns: 100, IdleConnTimeout: time.Minute,
		},
	}}
}

// Close closes the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Message is what is sent.
type Message struct {
	ID   string // the same in every attempt: a receiver handles each ID once
	Body []byte // JSON
}

// Answer is what became of an attempt.
type Answer struct {
	Status     int           // of the answer; 0: there was none
	Extract    string        // what went wrong: the beginning of the answer, or why there was none; at most 200 characters
	RetryAfter time.Duration // what the receiver asks for, 0 to 24 hours
}

// Delivered reports whether the receiver has the message: the status is one of 2xx.
func (a Answer) Delivered() bool { return a.Status/100 == 2 }

// Gone reports whether the receiver wants no more messages: status 410.
func (a Answer) Gone() bool { return a.Status == http.StatusGone }

// Overloaded reports whether the receiver says when it can be reached again: status 429 or 503 with Retry-After.
func (a Answer) Overloaded() bool {
	return a.RetryAfter > 0 && (a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable)
}

// Send makes one attempt. now is the time that is signed. An attempt that fails is an Answer too; the error is that of
// ctx, which ended it.
func (c *Client) Send(ctx context.Context, url string, secrets []Secret, m Message, now time.Time) (Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(m.Body))
	if err != nil {
		return Answer{Extract: plain(err.Error())}, nil
	}
	request.Header = http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {c.agent}, "Webhook-Id": {m.ID},
		"Webhook-Timestamp": {strconv.FormatInt(now.Unix(), 10)},
		"Webhook-Signature": {Signatures(secrets, m.ID, now, m.Body)},
	}
	response, err := c.http.Do(request)
	if err != nil {
		return Answer{Extract: plain(reason(err))}, ctx.Err()
	}
	a := Answer{Status: response.StatusCode}
	text, err := io.ReadAll(io.LimitReader(response.Body, readAnswer))
	if closed := response.Body.Close(); err == nil {
		err = closed
	}
	switch {
	case a.Delivered(): // what it says beside that does not matter, nor whether it ends
	case err != nil:
		a.Extract = plain(reason(err))
	case a.Status/100 == 3:
		a.Extract = "a redirect is not followed"
	default:
		a.Extract = plain(string(text))
	}
	if a.Delivered() {
		return a, nil
	}
	a.RetryAfter = retryAfter(response.Header, now)
	return a, ctx.Err()
}

// reason is why there is no answer, without the URL, which may have a secret in it.
func reason(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, errAddress):
		return fmt.Sprint(errAddress)
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}

// plain is what another server has said, as a line of text of at most maxExtract characters.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(text, "?"))
	if runes := []rune(text); len(runes) > maxExtract {
		text = string(runes[:maxExtract])
	}
	return strings.TrimSpace(text)
}
