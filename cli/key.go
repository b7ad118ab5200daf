package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

type keyCmd struct {
	Create keyCreateCmd `cmd:"" help:"Make an API key for an account."`
	List   keyListCmd   `cmd:"" help:"List an account's API keys."`
	Limit  keyLimitCmd  `cmd:"" help:"Set the addresses that an API key may be used from."`
	Revoke keyRevokeCmd `cmd:"" help:"End an API key, at once."`

	Protect keyProtectCmd `cmd:"" help:"Give the credentials of older books their MACs, with the key outside the database."`
}

type keyCreateCmd struct {
	Account     ledger.Account `required:"" placeholder:"ACCOUNT" help:"Whose it is."`
	Type        string         `required:"" placeholder:"TYPE" help:"hmac: with a secret; ed25519 or rsa: with a private key that its holder keeps."`
	Permissions string         `default:"read" placeholder:"LIST" help:"read, and any of trade and withdraw: trade switches Soft Staking, withdraw needs --address. Without it: ${default}."`
	PublicKey   string         `placeholder:"FILE" help:"The public key in PEM, for ed25519 and rsa; - is the standard input."`
	Address     string         `aliases:"addresses" placeholder:"LIST" help:"From where it may be used: addresses and ranges, separated by commas. Without it: from anywhere."`
	Expires     string         `placeholder:"WHEN" help:"A time such as 2026-11-22T10:00:00Z, or how long from now: 90d, 12h. Without it: never."`
	Label       string         `placeholder:"TEXT" help:"What its holder calls it."`
	JSON        bool           `help:"Print a JSON object."`
}

func (c *keyCreateCmd) Help() string {
	return `A program written for the exchange's API signs its requests with it. The secret of an hmac key is shown once, and kept sealed with a key that is not in the database: SOFTSTAKE_KEY, or the file that "init" made. Of ed25519 and rsa only the public key is kept.

A key with withdraw is limited to addresses, or to ranges of at least /8 (IPv4) or /32 (IPv6). A key with trade that is not limited like this expires after 90 days.

Examples:

  softstake key create --account alice --type hmac --permissions read,trade
  softstake key create --account alice --type hmac --permissions read,withdraw --address 192.0.2.7
  softstake key create --account alice --type ed25519 --public-key alice.pem --address 192.0.2.0/24 --expires 90d`
}

func (c *keyCreateCmd) Run(env *Env) error {
	k, err := c.key(env)
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		name, secret, err := access.NewKey(env.Random)
		if err != nil {
			return err
		}
		k.Key = name
		if k.Type == access.HMAC {
			sealer, err := env.makeSealer(ctx, db)
			if err == nil {
				err = k.Seal(sealer, secret)
			}
			if err != nil {
				return err
			}
		} else {
			secret = ""
		}
		// A key that is made is shown, also to one who interrupts.
		ctx = context.WithoutCancel(ctx)
		if err := db.People().AddKey(ctx, k); err != nil {
			return err
		}
		return errors.Join(c.print(env, name, secret), addOperatorEvent(ctx, db, k.Account, "key create", k.Named()))
	})
}

// key is what was asked for, without its name.
func (c *keyCreateCmd) key(env *Env) (k access.Key, err error) {
	k = access.Key{Account: c.Account, Label: c.Label}
	for _, read := range []func() error{
		func() error { k.Type, err = access.ParseKeyType(c.Type); return err },
		func() error { k.Permissions, err = access.ParsePermissions(c.Permissions); return err },
		func() error { k.Addresses, err = access.ParseAddresses(c.Address); return err },
		func() error { k.Expires, err = parseExpiry(c.Expires, env.Now()); return err },
	} {
		if err := read(); err != nil {
			return k, err
		}
	}
	switch {
	case k.Type == access.HMAC && c.PublicKey != "":
		return k, usage("an hmac key has a secret, which is made here; --public-key goes with ed25519 and rsa")
	case k.Type != access.HMAC && c.PublicKey == "":
		return k, usage("--public-key names the file with the %s key's public half", k.Type)
	case k.Type != access.HMAC:
		k.Secret, err = readFile(env, c.PublicKey, func(in io.Reader) ([]byte, error) {
			text, err := io.ReadAll(io.LimitReader(in, longestPublicKey))
			if err != nil {
				return nil, err
			}
			return access.ParsePublicKey(k.Type, text)
		})
	}
	return k, err
}

// longestPublicKey is how much of a public key's file is read.
const longestPublicKey = 16 << 10

// makeSealer seals the secrets of these books. Books that have sealed nothing yet
// may be without a key to do it with; then it is made.
func (env *Env) makeSealer(ctx context.Context, db *store.DB) (*access.Sealer, error) {
	s, err := env.booksSealer(ctx, db)
	if err != nil || s != nil {
		return s, err
	}
	if _, err := env.makeKeyFile(); err != nil {
		return nil, err
	}
	if err := env.warnf("Made %s, which secrets are sealed with; %s. Where \"softstake serve\" runs, start it again.",
		env.keyFile(), sealAdvice); err != nil {
		return nil, err
	}
	// From now on rows that give a right need a MAC with this key.
	if _, err := db.Protect(ctx, func(int64) {}); err != nil {
		return nil, err
	}
	return env.sealer()
}

func (c *keyCreateCmd) print(env *Env, key, secret string) error {
	if c.JSON {
		return writeJSON(env.Stdout, newKeyJSON{key, secret})
	}
	pairs := [][2]string{{"API key", key}}
	if secret != "" {
		pairs = append(pairs, [2]string{"secret", secret})
	}
	if err := facts(env.Stdout, pairs...); err != nil || secret == "" {
		return err
	}
	return env.printf("\nKeep the secret now: it is not shown again.\n")
}

// maxDays is how many days ahead something may expire.
const maxDays = 36500

// parseExpiry reads when something expires: a time, how long from now, or "" for
// never. Its errors are ledger.ErrInvalid.
func parseExpiry(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if days, is := strings.CutSuffix(s, "d"); is {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= maxDays {
			return now.AddDate(0, 0, n), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil {
		return now.Add(d), nil
	}
	t, err := parseTime(s)
	if err != nil {
		return t, ledger.ErrInvalid.In("", "%q is not a time such as 2026-11-22T10:00:00Z, nor a while such as 90d or 12h",
			ledger.Clip(s))
	}
	return t, nil
}

type keyListCmd struct {
	Account ledger.Account `required:"" placeholder:"ACCOUNT" help:"Whose they are."`
	JSON    bool           `help:"Print a JSON array."`
}

func (c *keyListCmd) Help() string {
	return `Revoked and expired keys are listed too. Secrets are not.

Example:

  softstake key list --account alice`
}

// newKeyJSON is a key that was made. Its secret, of an hmac key, is shown once.
type newKeyJSON struct {
	Key    string `json:"apiKey"`
	Secret string `json:"secretKey,omitempty"`
}

type keyJSON struct {
	Key         string              `json:"apiKey"`
	Type        access.KeyType      `json:"type"`
	Permissions []access.Permission `json:"permissions"`
	Addresses   []netip.Prefix      `json:"addresses"` // none: anywhere
	Label       string              `json:"label"`
	Created     instant             `json:"created"`
	Expires     *instant            `json:"expires"` // null: never
	Revoked     *instant            `json:"revoked"` // null: it is not
}

func (c *keyListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		keys, err := db.People().Keys(ctx, c.Account)
		return list[access.Key]{
			json: c.JSON,
			columns: []col{text("API key"), text("type"), text("may"), text("from"), text("label"), text("made"),
				text("until")},
			item: func(k access.Key) (any, []string) {
				return keyJSON{
						k.Key, k.Type, k.Permissions, append([]netip.Prefix{}, k.Addresses...), k.Label,
						instant(k.Created), instantOrNull(k.Ends()), instantOrNull(k.Revoked),
					}, []string{
						k.Key, string(k.Type), access.FormatPermissions(k.Permissions), addressesOf(k), cmp.Or(k.Label, none),
						wallTime(k.Created), ends(k.Ends(), k.Revoked, env.Now()),
					}
			},
			none: fmt.Sprintf("%s has no API keys.\n", c.Account),
		}.print(env, keys, err)
	})
}

// addressesOf is from where a key may be used.
func addressesOf(k access.Key) string { return cmp.Or(access.FormatAddresses(k.Addresses), "anywhere") }

// instantOrNull is a time for a program: null where there is none.
func instantOrNull(t time.Time) *instant {
	if t.IsZero() {
		return nil
	}
	return (*instant)(&t)
}

// ends is until when a key or token can be used.
func ends(expires, revoked, now time.Time) string {
	switch {
	case !revoked.IsZero():
		return "revoked " + wallTime(revoked)
	case expires.IsZero():
		return "no end"
	case !now.Before(expires):
		return "expired " + wallTime(expires)
	}
	return wallTime(expires)
}

type keyRevokeCmd struct {
	Key string `arg:"" help:"The API key, whole."`
}

func (c *keyRevokeCmd) Help() string {
	return `The next request that is signed with it is refused, in every process. It stays in the list.

Example:

  softstake key revoke vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A`
}

func (c *keyRevokeCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		was, err := db.People().Key(ctx, c.Key)
		if err != nil && !errors.Is(err, ledger.ErrNotFound) {
			return err
		}
		if err := db.People().RevokeKey(ctx, c.Key); err != nil {
			return err
		}
		if was.Revoked.IsZero() {
			if err := addOperatorEvent(ctx, db, was.Account, "key revoke", was.Named()); err != nil {
				return err
			}
		}
		return env.printf("%s is revoked.\n", access.Key{Key: c.Key}.Short())
	})
}

// keyLimitCmd sets the addresses that an API key may be used from.
type keyLimitCmd struct {
	Key     string `arg:"" help:"The API key, whole."`
	Address string `aliases:"addresses" placeholder:"LIST" help:"Addresses and ranges, separated by commas. Without it: from anywhere."`
}

func (c *keyLimitCmd) Help() string {
	return `They take the place of those it has. A key with trade that is limited to addresses, or to ranges of at least /8 (IPv4) or /32 (IPv6), no longer expires after 90 days; one that loses them expires 90 days from now. A key with withdraw cannot be without.

Example:

  softstake key limit vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A --address 192.0.2.0/24`
}

func (c *keyLimitCmd) Run(env *Env) error {
	addresses, err := access.ParseAddresses(c.Address)
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		k, err := db.People().LimitKey(ctx, c.Key, addresses)
		if err != nil {
			return err
		}
		return errors.Join(addOperatorEvent(ctx, db, k.Account, "key limit", k.Named()),
			env.printf("%s may be used from %s; it expires: %s.\n", k.Short(),
				addressesOf(k), ends(k.Ends(), k.Revoked, env.Now())))
	})
}
