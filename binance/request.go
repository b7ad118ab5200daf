package binance

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
)

// maxBody is the length in bytes of the longest body that is read.
const maxBody = 64 << 10

// request is what a handler reads: a request that may be answered. It cannot write the books.
type request struct {
	*reports.Reports
	ctx        context.Context
	parameters parameters
	now        time.Time
	micros     bool // times are answered in microseconds

	// Of an endpoint that needs a key:
	key     access.Key
	account ledger.Account
	name    [32]byte  // of the request: the same request again, however it is spelled, has the same
	until   time.Time // when the request is too old to be accepted again
}

// read reads a request's parameters, and lets it in or refuses it.
func (s *server) read(w http.ResponseWriter, r *http.Request, e endpoint, now time.Time) (*request, error) {
	micros, err := inMicros(r.Header, e.path)
	if err != nil {
		return nil, err
	}
	name := r.Header.Get("X-MBX-APIKEY")
	if r.Method != http.MethodGet && e.permission != "" {
		// Nothing else is read of an unauthenticated request.
		if _, err := s.find(r.Context(), name, now); err != nil {
			return nil, err
		}
	}
	body, err := form(w, r)
	if err != nil {
		return nil, err
	}
	sent, err := parse(r.URL.RawQuery, body)
	if err != nil {
		return nil, err
	}
	req := &request{Reports: s.reports, ctx: r.Context(), parameters: sent.parameters, now: now, micros: micros}
	switch e.permission {
	case "":
		return req, nil
	case marketData:
		key, err := s.find(r.Context(), name, now)
		if err == nil {
			err = key.Allows(access.Read, access.CallerOf(r.Context()).Address)
		}
		return req, err
	}
	signed, err := s.admit(req, sent, name, e.permission)
	if err != nil {
		return nil, err
	}
	req.name = nameOf(e, signed)
	return req, nil
}

// inMicros reports whether the client wants times in microseconds, which it may under
// /api only [api]: elsewhere the header is not looked at. -1194: another unit.
func inMicros(h http.Header, path string) (bool, error) {
	switch unit := h.Get("X-MBX-TIME-UNIT"); {
	case !strings.HasPrefix(path, "/api/"), unit == "", strings.EqualFold(unit, "MILLISECOND"):
		return false, nil
	case strings.EqualFold(unit, "MICROSECOND"):
		return true, nil
	}
	return false, errTimeUnit
}

// stamp is a time in an answer: in milliseconds since 1970 or, where the client wants
// it so, in microseconds.
func (r *request) stamp(t time.Time) int64 {
	if r.micros {
		return t.UnixMicro()
	}
	return t.UnixMilli()
}

// nameOf names a request by its endpoint and by the canonical form of what was signed:
// the same request in another spelling has the same name. The bytes that the signature
// is over are one text, wherever a client or somebody else cuts it into query and body.
func nameOf(e endpoint, signed string) [32]byte {
	return sha256.Sum256([]byte(e.method + " " + e.path + "\n" + canonical(signed)))
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

// find finds the key of a name that can be used.
func (s *server) find(ctx context.Context, name string, now time.Time) (access.Key, error) {
	if !access.IsKey(name) {
		return access.Key{}, errKeyFormat
	}
	key, err := s.reports.People().Key(ctx, name)
	if errors.Is(err, ledger.ErrNotFound) {
		return key, access.ErrUnknown
	}
	if err == nil {
		err = key.Live(now)
	}
	return key, err
}

// admit lets a signed request in, and gives the bytes that its signature is over, or
// says why not, in the exchange's order: the key's form, what is missing, the key and
// the address, the time, the signature, the permission. What costs nothing comes first.
func (s *server) admit(req *request, sent sent, name string, p access.Permission) (signed string, err error) {
	if !access.IsKey(name) {
		return "", errKeyFormat
	}
	at, window, err := validity(sent.parameters)
	if err != nil {
		return "", err
	}
	if sent.signature == "" {
		return "", mandatory("signature")
	}
	key, err := s.find(req.ctx, name, req.now)
	if err != nil {
		return "", err
	}
	denied := key.Allows(p, access.CallerOf(req.ctx).Address)
	if errors.Is(denied, access.ErrAddress) {
		s.Alarm.Raise(req.ctx, access.WrongAddress, key.Actor().Credential)
		return "", denied
	}
	if !at.Before(req.now.Add(ahead)) {
		return "", errTooEarly
	}
	if req.now.Sub(at) > window {
		return "", errTooLate
	}
	if signed, err = sent.verify(key, s.Sealer); err != nil {
		return "", err
	}
	req.key, req.account, req.until = key, key.Account, at.Add(window)
	return signed, denied
}
