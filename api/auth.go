package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

// asked is what is known of a request when its handler is called.
type asked struct {
	token access.Token
	body  []byte
}

type askedKey struct{}

// request is what is known of a handler's request.
func request(ctx context.Context) asked {
	a, _ := ctx.Value(askedKey{}).(asked)
	return a
}

// token is the credential of the request, which has been checked.
func token(ctx context.Context) access.Token { return request(ctx).token }

// authenticate is the credential that a request bears: access.ErrUnknown where it
// bears none, or one that is unknown, revoked or expired.
func (s *server) authenticate(r *http.Request) (access.Token, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return access.Token{}, access.ErrUnknown.In("",
			"send one header Authorization: Bearer, with a token; \"token create\" makes one")
	}
	scheme, text, _ := strings.Cut(headers[0], " ")
	id, is := access.TokenID(text)
	if !strings.EqualFold(scheme, "Bearer") || !is {
		return access.Token{}, access.ErrUnknown.In("", "the header Authorization is not \"Bearer\" and a token")
	}
	t, err := s.reader.People().Token(r.Context(), id)
	if errors.Is(err, ledger.ErrNotFound) {
		err = access.ErrUnknown
	}
	if err == nil {
		err = t.Check(text, s.Now())
	}
	if errors.Is(err, access.ErrUnknown) {
		err = access.ErrUnknown.In("", "the token is not known, or it is revoked or expired; "+
			"ask the operator for another")
	}
	return t, err
}

// mayCall is who may call a route.
func mayCall(roles []access.Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return "it takes one of " + strings.Join(names, ", ")
}

// noAccount is the error of an account that does not exist, or that the caller must not know.
func noAccount(id ledger.Account) error {
	return ledger.ErrNotFound.In("", "there is no account %q", ledger.Clip(string(id)))
}
