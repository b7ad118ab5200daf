package cli

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make a bearer token."`
	List   tokenListCmd   `cmd:"" help:"List bearer tokens."`
	Revoke tokenRevokeCmd `cmd:"" help:"End a bearer token, at once."`
}

type tokenCreateCmd struct {
	Role    string         `required:"" placeholder:"ROLE" help:"exchange or some of its parts (deposits,trades,withdrawals,enrollment), viewer, support, operator, approver, treasurer, auditor, admin or holder."`
	Account ledger.Account `placeholder:"ACCOUNT" help:"The holder's; only with that role."`
	Expires string         `default:"90d" placeholder:"WHEN" help:"A time such as 2026-11-22T10:00:00Z, how long from now (30d, 12h), or never, which needs approval with four eyes. Without it: ${default}."`
	Label   string         `placeholder:"TEXT" help:"What it is for."`
	Person  string         `placeholder:"NAME" help:"Whose it is: with four eyes nobody approves what they propose, under any of their tokens. Needed for the role approver."`
	From    []string       `placeholder:"RANGE" help:"An address or range from where alone it may be used, such as 192.0.2.0/24; may be repeated. Without it: anywhere."`
	Limit   []string       `placeholder:"LIMIT" help:"How much it may do on a UTC day: deposits:BNB=10000/day, trades:*=0.5%/day of each other token's largest supply, desk:BNB=100/day of the trades against @desk, enrollment=500/day switches, accounts=1000/day that are opened; may be repeated. Only with the role exchange, where each part has 1% of the largest supply, 0.1% against @desk, 10000 switches and 10000 accounts, where none is given."`
	NoLimit bool           `help:"Let it do any amount on a day."`
	Subject string         `name:"client-subject" placeholder:"NAME" help:"The subject of the client certificate with which alone it may be used, such as CN=back-end,O=Example: see \"serve --tls-client-ca\"."`
	JSON    bool           `help:"Print a JSON object."`

	Authoritative bool `help:"Let it post entries marked authoritative, which another ledger has decided; only with the role exchange."`
}

func (c *tokenCreateCmd) Help() string {
	return `A program shows it to our own API, under /v1. The token is shown once, and only its hash is kept.

An exchange's back end opens accounts and posts entries (exchange), or does some of that: it brings in deposits, books trades, ends withdrawals (withdrawals), opens accounts and switches Soft Staking (enrollment). Of staff each does one thing: a viewer reads the state of the books and nothing of holders; support reads what one holder has, and each read is logged; an operator sets terms and prices, corrects and runs; a treasurer moves funds, fees, income and campaigns; an admin sets tokens, limits and four eyes; an approver approves what they propose; an auditor reads everything and changes nothing. A holder sees and moves its own account.

What one has done on a UTC day counts in the transaction that does it: what deposits bring in, what trades and transfers move and, of that, what trades move from or to @desk; what withdrawals are requested and, apart from that, completed; how often switches are changed, and how many accounts are opened. What repeats an entry counts nothing. Above its limit it is refused until the day is over.

Let it end: a token that was stolen and that nobody misses is useless then. Where it is used from is the address that "serve" sees, behind a proxy the one that --trusted-proxy reports. A client certificate is looked at only where "serve" speaks TLS itself.

Examples:

  softstake token create --role exchange --label "back end" --from 192.0.2.0/24
  softstake token create --role deposits,trades --label "matching engine" --limit deposits:BNB=10000/day --limit "trades:*=0.5%/day"
  softstake token create --role exchange --client-subject CN=back-end,O=Example --expires 365d
  softstake token create --role holder --account alice --expires 12h`
}

func (c *tokenCreateCmd) Run(env *Env) error {
	role, parts, err := access.ParseRoleAndParts(c.Role)
	if err != nil {
		return err
	}
	if (role == access.Holder) != (c.Account != "") {
		return usage("--account names the holder, and goes with the role holder only")
	}
	var expires time.Time
	if c.Expires != "never" {
		if expires, err = parseExpiry(c.Expires, env.Now()); err != nil {
			return err
		}
	}
	ceilings, err := c.ceilings(role, parts)
	if err != nil {
		return err
	}
	from, err := access.ParseAddresses(strings.Join(c.From, ","))
	if err != nil {
		return err
	}
	return env.makeToken(c.JSON, "Keep it now: it is not shown again.", func(t *access.Token) {
		t.Role, t.Parts, t.Account, t.Label = role, parts, c.Account, c.Label
		t.Expires, t.Authoritative = expires, c.Authoritative
		t.Person, t.Addresses, t.Subject = access.PersonOf(c.Person), from, c.Subject
		t.Ceilings = ceilings
	})
}

// makeToken makes a token that fill describes, adds it or, where that needs approval, proposes it, and prints it with
// what to do with it.
func (env *Env) makeToken(asJSON bool, keep string, fill func(*access.Token)) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		token, secret, err := access.NewToken(env.Random)
		if err != nil {
			return err
		}
		fill(&token)
		// A token that is made is shown, also to one who interrupts.
		err = db.People().AddToken(context.WithoutCancel(ctx), token)
		if err != nil && !errors.Is(err, control.ErrNeedsApproval) { // one that is proposed is usable when it is approved
			return err
		}
		if asJSON {
			return cmp.Or(writeJSON(env.Stdout, newTokenJSON{secret}), err)
		}
		return cmp.Or(facts(env.Stdout, [2]string{"token", secret}), env.printf("\n%s\n", keep), err)
	})
}

// ceilings are what the flags say, with what is usual where they say nothing.
func (c *tokenCreateCmd) ceilings(role access.Role, parts access.Parts) (access.Ceilings, error) {
	switch {
	case role != access.Exchange && (c.NoLimit || len(c.Limit) > 0):
		return "", usage("--limit and --no-limit go with the role exchange, or with parts of it")
	case c.NoLimit && len(c.Limit) > 0:
		return "", usage("--limit and --no-limit exclude each other")
	case role != access.Exchange || c.NoLimit:
		return "", nil
	}
	return access.ParseCeilings(parts, c.Limit...)
}

type tokenListCmd struct {
	JSON bool `help:"Print a JSON array."`
}

func (c *tokenListCmd) Help() string {
	return `Revoked and expired tokens are listed too; one that ends within 14 days says so. A token begins with "sst_" and its ID.

Example:

  softstake token list`
}

// newTokenJSON is a token that was made, which is shown once.
type newTokenJSON struct {
	Token string `json:"token"`
}

type tokenJSON struct {
	ID      string         `json:"id"`
	Role    string         `json:"role"`    // or some of the parts of a back end, with commas between them
	Account ledger.Account `json:"account"` // "": not a holder's
	Label   string         `json:"label"`
	Person  string         `json:"person,omitempty"`
	Created instant        `json:"created"`
	Expires *instant       `json:"expires"` // null: never
	Revoked *instant       `json:"revoked"` // null: it is not

	Authoritative bool           `json:"authoritative,omitempty"`
	Addresses     []netip.Prefix `json:"addresses,omitempty"`     // absent: from anywhere
	Subject       string         `json:"clientSubject,omitempty"` // absent: with any certificate, or none
	Ceilings      []string       `json:"ceilings,omitempty"`      // absent: without a ceiling
}

func (c *tokenListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		tokens, err := db.People().Tokens(ctx)
		return list[access.Token]{
			json: c.JSON,
			columns: []col{text("ID"), text("what it may do"), text("from"), text("a day"),
				text("label"), text("made"), text("until")},
			item: func(t access.Token) (any, []string) {
				until := ends(t.Ends(), t.Revoked, env.Now())
				if t.Soon(env.Now()) {
					until += ", soon"
				}
				return tokenJSON{t.ID, access.FormatRole(t.Role, t.Parts), t.Account, t.Label, t.Person, instant(t.Created),
						instantOrNull(t.Expires), instantOrNull(t.Revoked), t.Authoritative, t.Addresses, t.Subject,
						t.Ceilings.Lines()},
					[]string{t.ID, t.Duty(), usableFrom(t), mostOf(t), cmp.Or(t.Label, none), wallTime(t.Created), until}
			},
			none: "There are no tokens.\n",
		}.print(env, tokens, err)
	})
}

// usableFrom is from where a token may be used, and with what.
func usableFrom(t access.Token) string {
	from := cmp.Or(access.FormatAddresses(t.Addresses), "anywhere")
	if t.Subject != "" {
		from += " with " + t.Subject
	}
	return from
}

// mostOf is how much a token may do on a day.
func mostOf(t access.Token) string {
	switch {
	case t.Role != access.Exchange:
		return none
	case t.Ceilings == "":
		return "any amount"
	case t.Ceilings.AreUsual(t.Parts):
		return "1% of each token"
	}
	return string(t.Ceilings)
}

type tokenRevokeCmd struct {
	ID string `arg:"" name:"id" help:"The token's ID, which follows \"sst_\" in it."`
}

func (c *tokenRevokeCmd) Help() string {
	return `The next request that shows it is refused, in every process. It stays in the list.

Example:

  softstake token revoke 4Fq0aT7bW2xK`
}

func (c *tokenRevokeCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		return env.done(db.People().RevokeToken(ctx, c.ID), "%s is revoked.\n", c.ID)
	})
}
