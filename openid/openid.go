// Package openid is the log-in of staff at an OpenID provider: the address that a browser is sent to, and what is
// proved when it comes back [OpenID Connect Core 1.0, RFC 7636, RFC 9207]. It knows no pages, no sessions and no SQL.
package openid

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/loopback"
)

// ReasonNoGroup is why a person is refused whom the provider knows: access.ErrForbidden.
const ReasonNoGroup = "no-group"

// Mapping gives those who are in a group of the provider a role.
type Mapping struct {
	Group string
	Role  access.Role
}

// ParseMappings reads "GROUP=ROLE,GROUP=ROLE". Who is in several groups has the role of the first that is named. The
// error is ledger.ErrInvalid.
func ParseMappings(s string) (all []Mapping, err error) {
	for item := range strings.SplitSeq(s, ",") {
		group, name, is := strings.Cut(strings.TrimSpace(item), "=")
		role := access.Role(strings.ToLower(strings.TrimSpace(name)))
		if group = strings.TrimSpace(group); !is || group == "" || !role.IsStaff() {
			return nil, ledger.ErrInvalid.In("", "%q is no group with a role of staff, such as ops=operator",
				ledger.Clip(item))
		}
		all = append(all, Mapping{group, role})
	}
	return all, nil
}

// Config is what is agreed with the provider.
type Config struct {
	Issuer   string // its URL, exactly as it names itself
	ClientID string
	Secret   access.Hidden
	Redirect string    // the URL that it sends a browser back to, exactly as it is registered there
	LoggedIn string    // the URL that it sends a browser back to which has logged out; "": nowhere
	Scopes   []string  // beside openid
	Claim    string    // in which it names a person's groups
	Roles    []Mapping // in order
	Now      func() time.Time
}

const (
	// skew is by how much the provider's clock may differ from ours.
	skew = 30 * time.Second
	// patience is how long the provider may take to answer.
	patience = 10 * time.Second
	// longestAnswer is how many bytes are read of an answer.
	longestAnswer = 1 << 20
)

// algorithms are those that ID tokens may be signed with, all with the provider's private key: what it announces is
// not asked for, and neither "none" nor a shared secret is among them.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256,
	oidc.ES384, oidc.ES512, oidc.EdDSA}

// Provider is an OpenID provider. It is safe for concurrent use.
type Provider struct {
	config Config
	client *http.Client

	mu    sync.Mutex
	found *oidc.Provider // nil: it was not reached yet
}

// New is the provider of a Config, which is not asked before somebody logs in. ledger.ErrInvalid for a URL that others
// can read: without TLS, unless it is on this machine.
func New(c Config) (*Provider, error) {
	for name, text := range map[string]string{"issuer": c.Issuer, "redirect": c.Redirect} {
		if err := checkURL(text); err != nil {
			return nil, ledger.At(name, err)
		}
	}
	if c.ClientID == "" || c.Claim == "" || len(c.Roles) == 0 {
		return nil, ledger.ErrInvalid.In("", "a provider has a client ID, a claim with groups, and groups with roles")
	}
	client := &http.Client{Timeout: patience, Transport: shortAnswers{http.DefaultTransport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Provider{config: c, client: client}, nil
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return ledger.ErrInvalid.In("", "%q is no URL such as https://id.example.com", ledger.Clip(text))
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback.Host(u.Hostname())) {
		return ledger.ErrInvalid.In("", "%q begins with https, unless it is on this machine", ledger.Clip(text))
	}
	return nil
}

// shortAnswers cuts answers off that are longer than any of a provider.
type shortAnswers struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (s shortAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := s.next.RoundTrip(r)
	if err == nil {
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(answer.Body, longestAnswer), answer.Body}
	}
	return answer, err
}

// Name is the provider's host, for people.
func (p *Provider) Name() string {
	u, err := url.Parse(p.config.Issuer)
	if err != nil {
		return p.config.Issuer
	}
	if host, _, err := net.SplitHostPort(u.Host); err == nil {
		return host
	}
	return u.Host
}

// discover reads what the provider says of itself, until it succeeds. Its issuer must be the one of the Config.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("ask the OpenID provider %s what it is: %w", p.config.Issuer, err)
	}
	p.found = found
	return found, nil
}

func (p *Provider) oauth(found *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{ClientID: p.config.ClientID, ClientSecret: string(p.config.Secret), Endpoint: found.Endpoint(),
		RedirectURL: p.config.Redirect, Scopes: append([]string{oidc.ScopeOpenID}, p.config.Scopes...)}
}

// Request is one log-in: random texts that come back, or that only who has begun it knows.
type Request struct {
	State    string
	Nonce    string
	Verifier string // of PKCE; the provider gets its SHA-256
	Email    string // of who must log in afresh: it is a step-up; "": anybody, as the provider sees fit
}

// NewVerifier is a random verifier of PKCE. It is also long enough for a state and a nonce.
func NewVerifier() string { return oauth2.GenerateVerifier() }

// Address is where a browser is sent to log in.
func (p *Provider) Address(ctx context.Context, r Request) (string, error) {
	found, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(r.Nonce), oauth2.S256ChallengeOption(r.Verifier)}
	if r.Email != "" {
		options = append(options, oauth2.SetAuthURLParam("max_age", "0"), oauth2.SetAuthURLParam("prompt", "login"),
			oauth2.SetAuthURLParam("login_hint", r.Email))
	}
	return p.oauth(found).AuthCodeURL(r.State, options...), nil
}

// LogOut is where a browser is sent that has logged out here, so that it does there as well; "" where the provider has
// no such page. It carries no ID token: none is kept.
func (p *Provider) LogOut(ctx context.Context) string {
	var more struct {
		End string `json:"end_session_endpoint"`
	}
	found, err := p.discover(ctx)
	if err != nil || found.Claims(&more) != nil || checkURL(more.End) != nil {
		return "" // the session here has ended all the same
	}
	query := url.Values{"client_id": {p.config.ClientID}}
	if p.config.LoggedIn != "" {
		query.Set("post_logout_redirect_uri", p.config.LoggedIn)
	}
	return more.End + "?" + query.Encode()
}

// claims are those of an ID token, or of what the provider says of a person beside it.
type claims struct {
	Subject    string `json:"sub"`
	Email      string `json:"email"`
	Verified   bool   `json:"email_verified"`
	Authorized string `json:"azp"`
	AuthTime   int64  `json:"auth_time"`
	groups     []string
}

// Redeem exchanges the code with which a browser has come back, and returns who has logged in. issuer is the
// parameter "iss" that it came with, or ""; ago is how long ago the request was made. access.ErrUnknown for a code or a
// token that is not one for this request; access.ErrForbidden because of ReasonNoGroup for a person in no group that
// has a role.
func (p *Provider) Redeem(ctx context.Context, r Request, code, issuer string, ago time.Duration) (access.Staff,
	error) {
	found, err := p.discover(ctx)
	if err != nil {
		return access.Staff{}, err
	}
	if issuer != "" && issuer != p.config.Issuer {
		return access.Staff{}, unknown("it comes from the issuer %q", issuer)
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := p.oauth(found).Exchange(ctx, code, oauth2.VerifierOption(r.Verifier))
	if err != nil {
		return access.Staff{}, unknown("the provider does not take the code: %w", err)
	}
	c, err := p.verify(ctx, found, token, r, ago)
	if err != nil {
		return access.Staff{}, err
	}
	if c.Email == "" || c.groups == nil {
		if c, err = p.more(ctx, found, token, c); err != nil {
			return access.Staff{}, err
		}
	}
	return p.staff(c)
}

func unknown(format string, args ...any) error { return access.ErrUnknown.In("", format, args...) }

// verify checks an ID token: signature and algorithm, issuer, audience, times, nonce, and how fresh the log-in is.
func (p *Provider) verify(ctx context.Context, found *oidc.Provider, token *oauth2.Token, r Request,
	ago time.Duration) (c claims, err error) {
	raw, is := token.Extra("id_token").(string)
	if !is {
		return c, unknown("the provider gives no ID token")
	}
	now := p.config.Now()
	id, err := found.VerifierContext(ctx, &oidc.Config{ClientID: p.config.ClientID, SupportedSigningAlgs: algorithms,
		Now: func() time.Time { return now.Add(-skew) }}).Verify(ctx, raw)
	if err != nil {
		return c, unknown("the ID token is not valid: %w", err)
	}
	if c, err = read(id.Claims, p.config.Claim); err != nil {
		return c, err
	}
	at := time.Unix(c.AuthTime, 0)
	switch {
	case id.Nonce != r.Nonce:
		return c, unknown("the ID token is for another request")
	case id.IssuedAt.After(now.Add(skew)):
		return c, unknown("the ID token is of the future: %s", ledger.FormatTime(id.IssuedAt))
	case c.Authorized != "" && c.Authorized != p.config.ClientID || len(id.Audience) > 1 && c.Authorized == "":
		return c, unknown("the ID token is for the client %q", c.Authorized)
	case r.Email != "" && (c.AuthTime == 0 || at.Before(now.Add(-ago-skew)) || at.After(now.Add(skew))):
		return c, unknown("the log-in is not fresh")
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			return c, unknown("the access token is not that of the ID token: %w", err)
		}
	}
	return c, nil
}

// read reads claims; the groups are a list, or one text.
func read(decode func(any) error, claim string) (c claims, err error) {
	var all map[string]any
	if err := decode(&c); err != nil {
		return c, unknown("the claims of the provider cannot be read: %w", err)
	}
	if err := decode(&all); err != nil {
		return c, unknown("the claims of the provider cannot be read: %w", err)
	}
	switch named := all[claim].(type) {
	case string:
		c.groups = []string{named}
	case []any:
		c.groups = []string{}
		for _, one := range named {
			if name, is := one.(string); is {
				c.groups = append(c.groups, name)
			}
		}
	}
	return c, nil
}

// more reads what the ID token does not say: it must be of the same subject.
func (p *Provider) more(ctx context.Context, found *oidc.Provider, token *oauth2.Token, c claims) (claims, error) {
	if found.UserInfoEndpoint() == "" {
		return c, nil
	}
	info, err := found.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return c, fmt.Errorf("ask the OpenID provider %s who has logged in: %w", p.config.Issuer, err)
	}
	if info.Subject != c.Subject {
		return c, unknown("the provider speaks of another person")
	}
	there, err := read(info.Claims, p.config.Claim)
	if err != nil {
		return c, err
	}
	if c.Email == "" {
		c.Email, c.Verified = there.Email, there.Verified
	}
	if c.groups == nil {
		c.groups = there.groups
	}
	return c, nil
}

// staff is the person that claims speak of, with the role of the first mapping whose group they are in.
func (p *Provider) staff(c claims) (access.Staff, error) {
	email, err := access.ParseEmail(c.Email)
	if err != nil || !c.Verified || c.Subject == "" {
		return access.Staff{}, unknown("the provider names no person with an e-mail address that it has verified: %q",
			ledger.Clip(c.Email))
	}
	s := access.Staff{Email: email, Source: access.Provider, Subject: p.config.Issuer + " " + c.Subject}
	for _, m := range p.config.Roles {
		if slices.Contains(c.groups, m.Group) {
			s.Role = m.Role
			return s, nil
		}
	}
	return s, access.ErrForbidden.In("", "%s is in no group that has a role", email).Because(ReasonNoGroup)
}
