package bench

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	random "math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Serve begins to serve books on this machine, and returns at which URL, and what ends it.
type Serve func(books *store.DB, sealer *access.Sealer, now func() time.Time) (url string, stop func() error, err error)

// HTTPOptions are how much to ask.
type HTTPOptions struct {
	Holders int // of two tokens each
	Days    int // of rewards
	Transfers
	Readers int // callers with signed reads
	Reads   int // of each of the two
}

// Answered is what was measured of requests through sockets, from a client in the same process.
type Answered struct {
	Holders, Days, Readers, Reads int

	Engine    string
	Positions int64
	Transferred

	ListTime, ListP99       time.Duration
	RewardsTime, RewardsP99 time.Duration

	PeakRSS int64 // of this process, client and server, bytes
}

// keyed is how many holders have an API key, each its own: reads are spread over them.
const keyed = 1000

// HTTP fills books with holders and some days of rewards, serves them, and measures
// entries in batches, entries one at a time, and signed reads of what was earned.
func HTTP(ctx context.Context, o Options, p HTTPOptions, serve Serve) (r Answered, err error) {
	first := o.Day - staking.Day(p.Days)
	err = on(ctx, o, p.Holders, first, func(b *books) error {
		if err := b.settleHistory(ctx, first, p.Days); err != nil {
			return err
		}
		b.set(o.Day.Start().Add(12 * time.Hour))
		about, err := b.Engine().Compact(ctx)
		if err != nil {
			return err
		}
		r = Answered{Holders: p.Holders, Days: p.Days, Readers: p.Readers, Reads: p.Reads, Engine: about.Engine,
			Positions: int64(p.Holders * len(tokens))}
		c, err := b.client(ctx, p, serve)
		if err != nil {
			return err
		}
		return errors.Join(c.measure(ctx, p.Transfers, &r), c.close())
	})
	return r, err
}

// measure makes all the requests.
func (c *client) measure(ctx context.Context, n Transfers, r *Answered) (err error) {
	if r.Transferred, err = c.measureTransfers(ctx, n, c.postBatch, c.postOne); err != nil {
		return err
	}
	d, err := c.read(ctx, r, "list")
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	r.ListTime, r.ListP99 = d.time, d.p99
	if d, err = c.read(ctx, r, "history/rewardsRecord"); err != nil {
		return fmt.Errorf("rewardsRecord: %w", err)
	}
	r.RewardsTime, r.RewardsP99 = d.time, d.p99
	r.PeakRSS, err = peakRSS()
	return err
}

// read asks what holders earn, each time another of those that have a key.
func (c *client) read(ctx context.Context, r *Answered, what string) (driven, error) {
	return c.drive(ctx, r.Readers, r.Reads, 1, what, func(ctx context.Context, i, _ int) error {
		return c.signed(ctx, "/sapi/v1/soft-staking/"+what, c.keys[i%len(c.keys)])
	})
}

// client gives an exchange and some holders their credentials, and begins to serve.
func (b *books) client(ctx context.Context, p HTTPOptions, serve Serve) (*client, error) {
	text, err := access.NewSealKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	sealer, err := access.NewSealer(text)
	if err != nil {
		return nil, err
	}
	c := &client{books: b}
	token, bearer, err := access.NewToken(rand.Reader)
	if err != nil {
		return nil, err
	}
	token.Role, token.Parts, c.bearer = access.Exchange, access.AllParts, bearer
	if err := b.People().AddToken(ctx, token); err != nil {
		return nil, err
	}
	few := min(keyed, p.Holders)
	for i, holder := range random.New(random.NewPCG(b.Seed, 0)).Perm(p.Holders)[:few] {
		k, err := b.key(ctx, sealer, id(holder))
		if err != nil {
			return nil, err
		}
		c.keys = append(c.keys, k)
		b.progress("keys", i+1, few)
	}
	most := max(p.Callers, p.Singles, p.Readers)
	c.http = &http.Client{Transport: &http.Transport{MaxIdleConns: most, MaxIdleConnsPerHost: most,
		DisableCompression: true}}
	c.url, c.stop, err = serve(b.DB, sealer, b.now)
	return c, err
}

// key makes a holder's API key.
func (b *books) key(ctx context.Context, sealer *access.Sealer, holder ledger.Account) (key, error) {
	name, secret, err := access.NewKey(rand.Reader)
	if err != nil {
		return key{}, err
	}
	k := access.Key{Key: name, Account: holder, Type: access.HMAC, Permissions: []access.Permission{access.Read}}
	if err := k.Seal(sealer, secret); err != nil {
		return key{}, err
	}
	return key{name: name, secret: []byte(secret)}, b.People().AddKey(ctx, k)
}

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
