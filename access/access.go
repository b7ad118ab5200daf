// Package access says who may do what: API keys and their signatures, bearer tokens and their roles, and who is calling. It knows nothing of staking, of SQL or of HTTP.
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
	ErrAddress   ledger.ErrorKind = "the key is not allowed from this address"
	ErrForbidden ledger.ErrorKind = "not permitted"
)

// Caller says where a request comes from, as the server saw it or as a proxy that
// the operator trusts has told.
type Caller struct {
	Address  netip.Addr // of the client
	Country  string     // ISO 3166, where the operator supplies it; else ""
	Platform string     // "ios", "android", "web", or "" where the client does not say
	Version  string     // of the client, as it says it: 3.1.0, v3.1.0, 3.1.0 (1234)
	Secure   bool       // it came over TLS, to us or to a trusted proxy
	Request  string     // the request's ID, for logs and for messages of errors

	NeedCountry bool // the operator wants the country known: without one Soft Staking is not switched on
}

type callerKey struct{}

// WithCaller gives a context its caller.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf is the context's caller, or the zero Caller.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
