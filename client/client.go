// Package client is the client of softstake's API /v1 for programs in Go.
//
//	c, err := client.New("https://stake.example.com", os.Getenv("TOKEN"), client.Config{})
//	posted, err := c.PostEntry(ctx, client.Entry{ID: "d-1", Kind: client.EntryKindDeposit, Moves: []client.Move{
//		{From: "@custody", To: "alice", Asset: "BNB", Amount: "2.5"},
//	}})
//
// Each operation of the API is a method. Amounts are texts, decimal numbers of whole tokens, and no
// floats. A time is a moment, to the millisecond; a Day is one of UTC.
//
// What may succeed when it is repeated is repeated, at most Config.Attempts times, until the context
// ends: a connection that breaks, an answer 408, 429, 500, 502, 503 or 504, and a request whose
// Idempotency-Key is in use. Each POST has such a key, so that what was done is not done twice. An
// answer that says so is an *Error.
//
// The types and methods are made of /v1/openapi.json, see the folder generate.
package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

//go:generate go run ./generate .

// Day is a day of UTC, as 2026-11-27.
type Day string

// DayOf is the day of UTC in which a moment is.
func DayOf(t time.Time) Day { return Day(t.UTC().Format(time.DateOnly)) }

// Config is how a Client works. Its zero value is for production.
type Config struct {
	// HTTP makes the requests. Without it: a client of its own, whose answers must begin within five
	// minutes, and that follows no redirect.
	HTTP *http.Client
	// Attempts is how often a request is made at most; 0: 5. A stream of events is connected again
	// without a limit.
	Attempts int
	// UserAgent is sent with each request.
	UserAgent string
	// Wait waits before the next attempt, or until the context ends. Without it: by a timer.
	Wait func(ctx context.Context, d time.Duration) error
	// Key makes an Idempotency-Key, never the same twice. Without it: of 128 random bits.
	Key func() string
}

// Client calls one server with one token. Several goroutines may use it.
type Client struct {
	base  *url.URL
	token string
	Config
}

// New makes a client of the server at an address, such as https://stake.example.com, with a bearer
// token. The address may have a path that a proxy puts before /v1. It is refused where it is no address
// of http or https, or has a user, a query or a fragment. Nothing is asked of the server yet.
func New(address, token string, config Config) (*Client, error) {
	base, err := url.Parse(strings.TrimSuffix(address, "/"))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the server's address: %w", err)
	case base.Scheme != "https" && base.Scheme != "http" || base.Host == "":
		return nil, errors.New("the server's address begins with https:// or http:// and names a host")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("the server's address has no user, query or fragment")
	case token == "":
		return nil, errors.New("the token is missing")
	}
	if config.HTTP == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.ResponseHeaderTimeout = 5 * time.Minute
		config.HTTP = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}
	}
	if config.Attempts == 0 {
		config.Attempts = 5
	}
	if config.Wait == nil {
		config.Wait = wait
	}
	if config.Key == nil {
		config.Key = rand.Text
	}
	return &Client{base, token, config}, nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// Option changes one call.
type Option func(http.Header)

// IdempotencyKey is the key of a POST, 1 to 128 printable characters without spaces: for 24 hours
// another call with the same key and content has no further effect, and gets the first answer. Keep it
// with what you are doing, and a restart of your program does nothing twice.
func IdempotencyKey(key string) Option {
	return func(h http.Header) { h.Set("Idempotency-Key", key) }
}

// Reason says why, where an operation needs approval: it is kept with the proposal.
func Reason(text string) Option {
	return func(h http.Header) { h.Set("X-Reason", text) }
}
