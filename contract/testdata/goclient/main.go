// Goclient is a client whose types and calls are made of /v1/openapi.json by
// oapi-codegen, beside this file. It prints what it was answered, and fails where an
// answer is not as the document says.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
)

//go:generate go tool oapi-codegen -generate types,client -package main -o api.gen.go openapi.json

// server is where softstake is, and what the client is given.
type server struct {
	URL     string
	Token   string            // of the role exchange
	Tokens  map[string]string // by role
	Account string
	Other   string
	Places  map[string]string // what stands for the placeholders of paths
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	var s server
	if err := json.Unmarshal([]byte(os.Getenv("SOFTSTAKE_SERVER")), &s); err != nil {
		return fmt.Errorf("SOFTSTAKE_SERVER: %w", err)
	}
	d, err := readDocument("openapi.json")
	if err != nil {
		return err
	}
	c, err := s.client(d, s.Token)
	if err != nil {
		return err
	}
	said, err := s.converse(ctx, c, d)
	err = errors.Join(err, d.walk(ctx, s))
	if err := errors.Join(err, errors.Join(d.faults...)); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(said)
}

// client is a client with a token, whose answers are compared with the document.
func (s server) client(d *document, token string) (*ClientWithResponses, error) {
	bearer := func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
	return NewClientWithResponses(s.URL, WithHTTPClient(&http.Client{Transport: d}), WithRequestEditorFn(bearer))
}

// refusal is what a problem says that does not differ from one client to another.
type refusal struct {
	Status int    `json:"status"`
	Type   string `json:"type"`
	Field  string `json:"field"`
}

func refused(p *Problem, status int) (refusal, error) {
	if p == nil {
		return refusal{}, fmt.Errorf("the problem of %d was not read", status)
	}
	r := refusal{Status: int(p.Status), Type: p.Type}
	if p.Field != nil {
		r.Field = *p.Field
	}
	return r, nil
}

// opened is what opening an account was answered with.
type opened struct {
	Status   int    `json:"status"`
	Region   string `json:"region"`
	Replayed string `json:"replayed"`
}

func open(ctx context.Context, c *ClientWithResponses, id, key string) (opened, error) {
	region := "DE"
	r, err := c.OpenAccountWithResponse(ctx, &OpenAccountParams{IdempotencyKey: &key}, OpenInBody{Id: id, Region: &region})
	if err != nil {
		return opened{}, err
	}
	if r.JSON201 == nil {
		return opened{}, fmt.Errorf("open %s: %s %s", id, r.Status(), r.Body)
	}
	return opened{r.StatusCode(), r.JSON201.Region, r.HTTPResponse.Header.Get("Idempotency-Replayed")}, nil
}

// posted is what posting an entry was answered with.
type posted struct {
	Status   int  `json:"status"`
	Repeated bool `json:"repeated"`
}

func post(ctx context.Context, c *ClientWithResponses, e EntryIn) (any, error) {
	r, err := c.PostEntryWithResponse(ctx, &PostEntryParams{}, e)
	switch {
	case err != nil:
		return nil, err
	case r.JSON201 != nil:
		return posted{r.StatusCode(), r.JSON201.Repeated}, nil
	case r.JSON200 != nil:
		return posted{r.StatusCode(), r.JSON200.Repeated}, nil
	}
	return refused(r.ApplicationproblemJSON409, r.StatusCode())
}

// pages are an account's changes, read two at a time.
func pages(ctx context.Context, c *ClientWithResponses, account string) ([][]string, error) {
	var all [][]string
	limit := int64(2)
	for cursor := (*string)(nil); ; {
		r, err := c.GetAccountJournalWithResponse(ctx, account, &GetAccountJournalParams{Limit: &limit, Cursor: cursor})
		if err != nil {
			return nil, err
		}
		if r.JSON200 == nil {
			return nil, fmt.Errorf("the journal: %s %s", r.Status(), r.Body)
		}
		page := []string{}
		for _, line := range r.JSON200.Items {
			page = append(page, line.Kind+" "+line.Amount+" "+line.Asset)
		}
		all = append(all, page)
		if cursor = r.JSON200.Next; cursor == nil {
			return all, nil
		}
	}
}

// conversation is what both clients ask and print.
type conversation struct {
	Opened   []opened   `json:"opened"`
	Posted   []any      `json:"posted"`
	Balances []string   `json:"balances"`
	Limited  bool       `json:"limited"`
	Pages    [][]string `json:"pages"`
	Wrong    refusal    `json:"wrong"`
	Unknown  refusal    `json:"unknown"`
	Used     refusal    `json:"used"`
	Stranger refusal    `json:"stranger"`
}

// converse moves tokens, and looks at what came of it.
func (s server) converse(ctx context.Context, c *ClientWithResponses, d *document) (said conversation, err error) {
	for _, o := range [][2]string{{s.Account, s.Account + "-1"}, {s.Account, s.Account + "-1"}, {s.Other, s.Account + "-2"}} {
		one, err := open(ctx, c, o[0], o[1])
		if err != nil {
			return said, err
		}
		said.Opened = append(said.Opened, one)
	}
	deposit := EntryIn{Id: s.Account + "-d", Kind: Deposit, Moves: []MoveIn{{From: "@custody", To: s.Account, Asset: "BNB", Amount: "2.5"}}}
	entries := []EntryIn{deposit, deposit}
	for i, amount := range []string{"0.5", "0.25", "100"} {
		// The newest comes first, and of one millisecond the first by ID: so the IDs count down.
		entries = append(entries, EntryIn{Id: s.Account + "-t-" + strconv.Itoa(3-i), Kind: Transfer,
			Moves: []MoveIn{{From: s.Account, To: s.Other, Asset: "BNB", Amount: amount}}})
	}
	for _, e := range entries {
		one, err := post(ctx, c, e)
		if err != nil {
			return said, err
		}
		said.Posted = append(said.Posted, one)
	}
	balances, err := c.GetBalancesWithResponse(ctx, s.Account)
	if err != nil {
		return said, err
	}
	for _, b := range balances.JSON200.Items {
		said.Balances = append(said.Balances, b.Free+" "+b.Asset)
	}
	h := balances.HTTPResponse.Header
	remaining, err := strconv.Atoi(h.Get("RateLimit-Remaining"))
	limit, bad := strconv.Atoi(h.Get("RateLimit-Limit"))
	if said.Limited = remaining < limit; err != nil || bad != nil {
		return said, errors.Join(err, bad)
	}
	if said.Pages, err = pages(ctx, c, s.Account); err != nil {
		return said, err
	}
	return said, s.beRefused(ctx, c, d, &said)
}

// beRefused asks for what is refused. What the types do not let a client say is sent
// as text.
func (s server) beRefused(ctx context.Context, c *ClientWithResponses, d *document, said *conversation) error {
	send := func(text string) io.Reader { return strings.NewReader(text) }
	wrong := send(`{"id":"x","kind":"deposit","moves":[{"from":"@custody","to":"x","asset":"BNB","amount":2.5}]}`)
	w, err := c.PostEntryWithBodyWithResponse(ctx, &PostEntryParams{}, "application/json", wrong)
	if err != nil {
		return err
	}
	u, err := c.OpenAccountWithBodyWithResponse(ctx, &OpenAccountParams{}, "application/json", send(`{"id":"x","zone":"DE"}`))
	if err != nil {
		return err
	}
	key := s.Account + "-1"
	used, err := c.OpenAccountWithResponse(ctx, &OpenAccountParams{IdempotencyKey: &key}, OpenInBody{Id: "x"})
	if err != nil {
		return err
	}
	stranger, err := s.client(d, "nobody")
	if err != nil {
		return err
	}
	tokens, err := stranger.ListTokensWithResponse(ctx)
	if err != nil {
		return err
	}
	var errs [4]error
	said.Wrong, errs[0] = refused(w.ApplicationproblemJSON400, w.StatusCode())
	said.Unknown, errs[1] = refused(u.ApplicationproblemJSON400, u.StatusCode())
	said.Used, errs[2] = refused(used.ApplicationproblemJSON422, used.StatusCode())
	said.Stranger, errs[3] = refused(tokens.ApplicationproblemJSON401, tokens.StatusCode())
	return errors.Join(errs[:]...)
}
