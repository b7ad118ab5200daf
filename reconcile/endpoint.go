package reconcile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/loopback"
)

const (
	// mostBytes is how long the figures of an endpoint are at most: those of some 50 million balances.
	mostBytes = 4 << 30
	// headerWait is how long an endpoint takes at most to begin its answer, which it may have to make first; all of it
	// is read within the context.
	headerWait = 10 * time.Minute
	// mostRedirects is how often an endpoint sends on, within its own host.
	mostRedirects = 3
)

// Endpoint is where another ledger answers with its figures, in the forms that Read reads.
type Endpoint struct {
	url    url.URL
	token  string
	client *http.Client
}

// ParseEndpoint reads the address of an endpoint, https://…, and the bearer token that it is asked with, or "".
// Anything that others could read is refused (ledger.ErrInvalid), unless it is this machine's or insecure: http://, and
// a password in the address.
func ParseEndpoint(address, token string, insecure bool) (*Endpoint, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, ledger.ErrInvalid.In("", "it is not like https://ledger.example.com/balances")
	case u.User != nil:
		return nil, ledger.ErrInvalid.In("", "it has a user or a password, which others see; give a bearer token")
	case u.Scheme == "http" && !insecure && !loopback.Host(u.Hostname()):
		return nil, ledger.ErrInvalid.In("", "others can read and change what http:// sends; use https://")
	}
	u.Fragment = ""
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = headerWait
	transport.DisableKeepAlives = true // it is asked once a night
	client := &http.Client{Transport: transport, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if r.URL.Host != u.Host || r.URL.Scheme != u.Scheme || len(via) > mostRedirects {
			return errors.New("it sends on to another host, or too often")
		}
		return nil
	}}
	return &Endpoint{*u, token, client}, nil
}

// Read asks for the balances at the end of a day, and the payouts of the day before: with the parameters day, before
// (the first moment after the day) and payouts (the day before). An answer that breaks off, is longer than 4 GiB or has
// another status than 200 is an error. What of it cannot be figures is ledger.ErrInvalid.
func (e *Endpoint) Read(ctx context.Context, day time.Time, assets map[string]ledger.Asset) (f Figures, err error) {
	u := e.url
	query := u.Query()
	query.Set("day", day.Format(time.DateOnly))
	query.Set("before", day.AddDate(0, 0, 1).Format(time.RFC3339))
	query.Set("payouts", day.AddDate(0, 0, -1).Format(time.DateOnly))
	u.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return f, fmt.Errorf("ask the other ledger: %w", err)
	}
	r.Header.Set("Accept", "application/x-ndjson, text/csv")
	r.Header.Set("User-Agent", "softstake reconcile")
	if e.token != "" {
		r.Header.Set("Authorization", "Bearer "+e.token)
	}
	answer, err := e.client.Do(r)
	if err != nil {
		return f, fmt.Errorf("ask the other ledger: %w", err)
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	// An answer that only ends with the connection may have lost its end.
	endless := answer.ProtoMajor < 2 && answer.ContentLength < 0 && answer.TransferEncoding == nil && !answer.Uncompressed
	switch {
	case answer.StatusCode != http.StatusOK:
		return f, fmt.Errorf("the other ledger answers %s", answer.Status)
	case endless:
		return f, errors.New("the answer of the other ledger does not say where it ends")
	}
	return Read(&bounded{answer.Body, mostBytes}, assets)
}

// bounded is a reader with a limit of bytes: a read beyond it is an error, and no end.
type bounded struct {
	in   io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("the figures of the other ledger are longer than %d bytes", int64(mostBytes))
	}
	n, err := b.in.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
