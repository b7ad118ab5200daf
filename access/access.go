// Package access is authentication and authorization: API keys and their signatures, bearer
// tokens and their roles, passwords and sessions. It knows nothing of staking, of SQL or of HTTP.
package access

import (
	"context"
	"net/netip"

	"github.com/softstake/softstake/ledger"
)

// Why a call is refused.
const (
	ErrUnknown   ledger.ErrorKind = "the key is unknown, revoked or expired"
	ErrSignature ledger.ErrorKind = "the signature is not valid"
	ErrAddress   ledger.ErrorKind = "the credential is not allowed from this address"
	ErrForbidden ledger.ErrorKind = "not permitted"
)

// Caller is where a request comes from, as the server sees it or as a trusted proxy
// reports it.
type Caller struct {
	Address  netip.Addr // of the client
	Country  string     // ISO 3166, where the operator supplies it; else ""
	Platform string     // "ios", "android", "web", or "" if the client does not report it
	Version  string     // of the client, as it reports it: 3.1.0, v3.1.0, 3.1.0 (1234)
	Secure   bool       // it came over TLS, to us or to a trusted proxy
	Subject  string     // of the client certificate that this server has verified, in the form of RFC 4514; "": none
	Request  string     // the request's ID, for logs and for messages of errors

	NeedCountry bool // switching on Soft Staking needs a known country
}

type callerKey struct{}

// WithCaller returns a context with its caller.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf is the context's caller, or the zero Caller.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
