package binance

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"softstake/access"
	"softstake/ledger"
	"softstake/store"
)

// maxBody is the length in bytes of the longest body that is read.
const maxBody = 64 << 10

// request is what a handler reads: a request that may be answered.
type request struct {
	ctx        context.Context
	parameters parameters
	now        time.Time
	books      *store.DB // with the key at work, for the log

	// Of an endpoint that needs a key:
	key     access.Key
	account ledger.Account
	name    [32]byte  // what is asked, in one word: the same request again has the same
	until   time.Time // when the request is too old to be accepted again
}

// read reads a request's parameters, and lets it in or refuses it.
func (s *server) read(w http.ResponseWriter, r *http.Request, e endpoint, now time.Time) (*request, error) {
	body, err := form(w, r)
	if err != nil {
		return nil, err
	}
	sent, err := parse(r.URL.RawQuery, body)
	if err != nil {
		return nil, err
	}
	req := &request{ctx: r.Context(), parameters: sent.parameters, now: now, books: s.Books}
	if e.permission == "" {
		return req, nil
	}
	if err := s.admit(req, sent, r.Header.Get("X-MBX-APIKEY"), e.permission); err != nil {
		return nil, err
	}
	req.name = sha256.Sum256([]byte(e.method + " " + e.path + "\n" + sent.payload))
	return req, nil
}

// form is the raw body of a request that sends its parameters there. The body of a
// GET is not looked at, nor is one of JSON, which some clients send empty with
// everything: no parameter is in them, and nothing signs them.
func form(w http.ResponseWriter, r *http.Request) (string, error) {
	if r.Method == http.MethodGet {
		return "", nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var long *http.MaxBytesError
	switch kind, _, bad := mime.ParseMediaType(r.Header.Get("Content-Type")); {
	case errors.As(err, &long):
		return "", errBody
	case err != nil:
		return "", errCut
	case bad == nil && kind == "application/json":
		return "", nil
	}
	return string(body), nil
}

// admit lets a signed request in, or says why not, in the exchange's order: the
// key's form, what is missing, the key and the address, the time, the signature,
// the permission. What costs nothing comes first.
func (s *server) admit(req *request, sent sent, name string, p access.Permission) error {
	if !access.IsKey(name) {
		return errKeyFormat
	}
	at, window, err := validity(sent.parameters)
	if err != nil {
		return err
	}
	if sent.signature == "" {
		return mandatory("signature")
	}
	key, err := s.Books.Key(req.ctx, name)
	if errors.Is(err, ledger.ErrNotFound) {
		return errKey
	}
	if err != nil {
		return err
	}
	if err := key.Live(req.now); err != nil {
		return err
	}
	denied := key.Allows(p, access.CallerOf(req.ctx).Address)
	if errors.Is(denied, access.ErrAddress) {
		return denied
	}
	if !at.Before(req.now.Add(ahead)) {
		return errTooEarly
	}
	if req.now.Sub(at) > window {
		return errTooLate
	}
	if err := key.Verify(s.Sealer, []byte(sent.payload), sent.signature); err != nil {
		return err
	}
	req.key, req.account, req.until = key, key.Account, at.Add(window)
	req.books = s.Books.As("key " + key.Short())
	return denied
}
