package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

// authenticate is the credential that a request bears: access.ErrUnknown where it bears none, or one that is unknown,
// revoked or expired; *tooMany where too many unknown ones came from its network.
func (s *server) authenticate(r *http.Request) (access.Token, error) {
	text, err := tokenText(r)
	if err != nil {
		return access.Token{}, err
	}
	t, err := s.find(r, text)
	s.wrong.record(access.Network(access.CallerOf(r.Context()).Address), text, s.Now(), err)
	return t, err
}

// tokenText is the text of the token that a request bears, or access.ErrUnknown.
func tokenText(r *http.Request) (string, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return "", access.ErrUnknown.In("",
			"send one header Authorization: Bearer, with a token; \"token create\" makes one")
	}
	scheme, text, _ := strings.Cut(headers[0], " ")
	if _, is := access.TokenID(text); !strings.EqualFold(scheme, "Bearer") || !is {
		return "", access.ErrUnknown.In("", "the header Authorization is not \"Bearer\" and a token as "+
			"\"token create\" has shown it, all of it")
	}
	return text, nil
}

// find is authenticate of a token's text, and counts nothing.
func (s *server) find(r *http.Request, text string) (access.Token, error) {
	from := access.Network(access.CallerOf(r.Context()).Address)
	if err := s.wrong.check(r.Context(), from, text, s.Now()); err != nil {
		return access.Token{}, err
	}
	// The token's row in the table of that name (people/token.go), or ErrNotFound. It is read for each
	// request, and so a revoked token is refused at once, in every process.
	id, _ := access.TokenID(text)
	t, err := s.reader.People().Token(r.Context(), id)
	if errors.Is(err, ledger.ErrNotFound) {
		err = access.ErrUnknown
	}
	if err == nil {
		err = t.Check(text, s.Now()) // compares the hash, in constant time; neither revoked nor expired
	}
	if errors.Is(err, access.ErrUnknown) {
		err = access.ErrUnknown.In("", "the token is not known, or it is revoked or expired; "+
			"ask the operator for another")
	}
	return t, err
}

// breakGlass opens a break-glass credential that is used for the first time, which is an alarm, and gives it that of
// its roles which the route takes. Other tokens stay as they are.
func (s *server) breakGlass(ctx context.Context, t access.Token, roles []access.Role) (access.Token, error) {
	if t.Lasts == 0 || !t.Opened.IsZero() {
		return t.As(roles), nil
	}
	actor := t.Actor().In(access.CallerOf(ctx).Request)
	first, err := s.Books.As(actor).People().OpenToken(ctx, t.ID)
	if first {
		s.Alarm.Raise(ctx, access.BreakGlass, actor.Credential)
	}
	return t.As(roles), err
}
