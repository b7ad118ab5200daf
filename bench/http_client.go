package bench

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/softstake/softstake/ledger"
)

// client asks a server over sockets of this machine, which it keeps open.
type client struct {
	*books
	http   *http.Client
	url    string
	stop   func() error
	bearer string
	keys   []key
}

// key is an API key and its secret.
type key struct {
	name   string
	secret []byte
}

func (c *client) close() error {
	c.http.CloseIdleConnections()
	return c.stop()
}

// entryJSON is an entry as the API reads it.
type entryJSON struct {
	ID    string      `json:"id"`
	Kind  ledger.Kind `json:"kind"`
	Moves []moveJSON  `json:"moves"`
}

type moveJSON struct {
	From   ledger.Account `json:"from"`
	To     ledger.Account `json:"to"`
	Asset  string         `json:"asset"`
	Amount string         `json:"amount"`
}

// written are entries as the API reads them. Both tokens have eight decimals.
func written(entries []ledger.Entry) []entryJSON {
	all := make([]entryJSON, len(entries))
	for i, e := range entries {
		all[i] = entryJSON{ID: e.ID, Kind: e.Kind, Moves: make([]moveJSON, len(e.Moves))}
		for n, m := range e.Moves {
			all[i].Moves[n] = moveJSON{m.From, m.To, m.Asset, ledger.FormatDecimal(int64(m.Amount), 8)}
		}
	}
	return all
}

// postBatch posts entries in one request.
func (c *client) postBatch(ctx context.Context, entries []ledger.Entry) error {
	answer, err := c.post(ctx, "/v1/batches", struct {
		Entries []entryJSON `json:"entries"`
	}{written(entries)})
	if err != nil {
		return err
	}
	if n := bytes.Count(answer, []byte(`"status":"posted"`)); n != len(entries) {
		return fmt.Errorf("%d of %d entries were posted: %s", n, len(entries), ledger.Clip(string(answer)))
	}
	return nil
}

// postOne posts the only entry.
func (c *client) postOne(ctx context.Context, entries []ledger.Entry) error {
	_, err := c.post(ctx, "/v1/entries", written(entries)[0])
	return err
}

func (c *client) post(ctx context.Context, path string, body any) ([]byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+c.bearer)
	return c.ask(r)
}

// signed asks for rows of a holder, of which there are some.
func (c *client) signed(ctx context.Context, path string, k key) error {
	query := "recvWindow=60000&timestamp=" + strconv.FormatInt(c.now().UnixMilli(), 10)
	mac := hmac.New(sha256.New, k.secret)
	mac.Write([]byte(query))
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+path+"?"+query+"&signature="+
		hex.EncodeToString(mac.Sum(nil)), nil)
	if err != nil {
		return err
	}
	r.Header.Set("X-MBX-APIKEY", k.name)
	answer, err := c.ask(r)
	if err == nil && !bytes.Contains(answer, []byte(`"rows":[{`)) {
		err = fmt.Errorf("there are no rows: %s", ledger.Clip(string(answer)))
	}
	return err
}

// ask reads an answer to its end, so that the connection is kept. What is not done is an error.
func (c *client) ask(r *http.Request) ([]byte, error) {
	response, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(response.Body)
	err = errors.Join(err, response.Body.Close())
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s", response.Status, ledger.Clip(string(answer)))
	}
	return answer, err
}
