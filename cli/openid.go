package cli

import (
	"bytes"
	"errors"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/console"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/openid"
)

// oidcFlags say at which OpenID provider staff log in.
type oidcFlags struct {
	Issuer     string `name:"oidc-issuer" placeholder:"URL" help:"The OpenID provider at which staff log in to the console, as it names itself. Without it: staff log in with passkeys only (\"staff add\")."`
	ClientID   string `name:"oidc-client-id" placeholder:"ID" help:"What this console is called at the provider."`
	SecretFile string `name:"oidc-client-secret-file" placeholder:"FILE" help:"The file with the secret that the provider has given for it, on one line. Without it: none."`
	Roles      string `name:"oidc-roles" placeholder:"GROUPS" help:"Which groups of the provider have which role: ops=operator,checkers=approver. Who is in several has the role that is named first, and who is in none is refused."`
	Claim      string `name:"oidc-claim" default:"groups" placeholder:"NAME" help:"The claim in which the provider names a person's groups. Without it: ${default}."`
	Scopes     string `name:"oidc-scopes" default:"email,profile,groups" placeholder:"SCOPES" help:"What is asked of the provider beside openid. Without it: ${default}."`
	URL        string `name:"console-url" placeholder:"URL" help:"Where browsers reach the console: https://stake.example.com. With --oidc-issuer: the provider sends them back to /console/login/back there."`
}

// given reports whether staff log in at a provider.
func (f oidcFlags) given() bool { return f.Issuer != "" }

// provider is the one that the flags name.
func (f oidcFlags) provider(env *Env) (*openid.Provider, error) {
	roles, err := openid.ParseMappings(f.Roles)
	if err != nil {
		return nil, usage("--oidc-roles: %s", plain(err))
	}
	secret := []byte(nil)
	if f.SecretFile != "" {
		if secret, err = readSecret("--oidc-client-secret-file", f.SecretFile); err != nil {
			return nil, err
		}
	}
	at := strings.TrimSuffix(f.URL, "/") + console.Path + "/login"
	p, err := openid.New(openid.Config{Issuer: f.Issuer, ClientID: f.ClientID, Secret: access.Hidden(secret),
		Redirect: at + "/back", LoggedIn: at, Claim: f.Claim, Scopes: strings.Split(f.Scopes, ","), Roles: roles,
		Now: env.Now})
	if errors.Is(err, ledger.ErrInvalid) {
		return nil, usage("--oidc-issuer, --oidc-client-id, --console-url: %s", plain(err))
	}
	return p, err
}

// readSecret reads a secret on one line, from a file that its owner alone can read.
func readSecret(flag, name string) ([]byte, error) {
	text, err := readPrivateKey(name)
	secret := bytes.TrimSpace(text)
	if err == nil && (len(secret) == 0 || bytes.ContainsAny(secret, "\r\n")) {
		err = usage("%s %s has no secret on one line", flag, name)
	}
	return secret, err
}
