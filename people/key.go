package people

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
)

// MaxKeys is the largest number of usable API keys of an account.
const MaxKeys = 30

// AddKey adds an API key to an open account; its Created is now, and its TradeUntil follows
// from that. Repeating it has no further effect; different content is ErrConflict. ErrNotFound
// if the account was never opened; ErrInvalid if it is closed or has MaxKeys already, and
// for an invalid key; access.ErrForbidden for a person with a factor who has not confirmed it (Key.StepUp) and,
// because of access.ReasonFactor, for one without where the key withdraws and the books ask for a factor.
func (p *People) AddKey(ctx context.Context, k access.Key) error {
	err := k.Valid()
	if err == nil {
		err = checkCredential(k.Label, k.Expires, db.TimeOf(p.now()))
	}
	if err != nil {
		return fmt.Errorf("add a key: %w", err)
	}
	return p.write(ctx, "add a key to "+string(k.Account), func(t db.Tx) error {
		if err := p.lockOpenAccount(t, k.Account); err != nil {
			return err
		}
		now := p.now()
		if repeated, err := insertKey(t, p.guard, k, now); err != nil || repeated {
			return err
		}
		if slices.Contains(k.Permissions, access.Withdraw) {
			if err := p.NeedFactor(t, k.Account); err != nil {
				return err
			}
		}
		if err := p.confirm(t, k.StepUp(db.TimeOf(now))); err != nil {
			return err
		}
		live, err := db.Count(t, `SELECT count(*) FROM keys WHERE account = $1 AND revoked = 0
			AND (expires = 0 OR expires > $2) AND (trade_until = 0 OR trade_until > $2)`, string(k.Account), now)
		if err != nil {
			return err
		}
		if live > MaxKeys { // with this one
			return ledger.ErrInvalid.In("", "it has %d keys already", MaxKeys).Because(ReasonTooManyKeys)
		}
		permissions := access.FormatPermissions(k.Permissions)
		if err := p.NotifyAll(t, []ledger.Account{k.Account}, NoticeKey, k.Short(), permissions); err != nil {
			return err
		}
		detail := k.Short() + " " + string(k.Type) + " " + permissions
		if err := p.permitStaff(t, control.CreateKey, NewKey{k.Key, k.Account, k.Type, k.Permissions, k.Addresses,
			k.Label, k.Secret, k.Expires}, k.Account, detail); err != nil {
			return err
		}
		return p.books.Log(t, "key create", string(k.Account), detail)
	})
}

// NewKey is what a proposal of a key was made with. Its secret, which no JSON of an access.Key shows, is sealed, or
// public.
type NewKey struct {
	Key         string
	Account     ledger.Account
	Type        access.KeyType
	Permissions []access.Permission
	Addresses   []netip.Prefix
	Label       string
	Secret      []byte
	Expires     time.Time
}

// Whole is the key.
func (k NewKey) Whole() access.Key {
	return access.Key{Key: k.Key, Account: k.Account, Type: k.Type, Permissions: k.Permissions, Addresses: k.Addresses,
		Label: k.Label, Secret: k.Secret, Expires: k.Expires}
}

// KeyLimit is what a proposal of a key's addresses was made with.
type KeyLimit struct {
	Key       string
	Addresses []netip.Prefix
}

// permitStaff asks for approval where one of staff does to an account what its holder does alone.
func (p *People) permitStaff(t db.Tx, op control.Operation, content any, id ledger.Account, effect string) error {
	return p.books.Permit(t, p.books.Actor().Role.IsStaff(), op, content, string(id), effect)
}

// confirm uses the step-up that a holder's request carries. Staff confirm what they approve.
func (p *People) confirm(t db.Tx, digest string) error {
	if p.books.Actor().Role.IsStaff() {
		return nil
	}
	return UseStepUp(t, p.guard, p.now(), p.books.Actor(), digest)
}

// insertKey writes a key, or reports that the same key exists already.
func insertKey(t db.Tx, g *integrity.Guard, k access.Key, now int64) (repeated bool, err error) {
	k.TradeUntil = time.Time{}
	k.LimitTrade(db.TimeOf(now))
	n, err := t.Exec(`INSERT INTO keys (bucket, key, account, type, permissions, addresses, label, secret, created,
		  expires, revoked, trade_until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11) ON CONFLICT DO NOTHING`,
		keyBucket(k.Key), k.Key, string(k.Account), string(k.Type), access.FormatPermissions(k.Permissions),
		access.FormatAddresses(k.Addresses),
		k.Label, []byte(k.Secret), now, db.MillisOf(k.Expires), db.MillisOf(k.TradeUntil))
	if err == nil && n > 0 {
		err = g.Sign(t, integrity.Keys, ofKey, keyBucket(k.Key), k.Key)
	}
	if err != nil || n > 0 {
		return false, err
	}
	there, err := findKey(t, g, k.Key)
	if err != nil {
		return false, err
	}
	if there.Account != k.Account || there.Type != k.Type || there.Label != k.Label ||
		!bytes.Equal(there.Secret, k.Secret) ||
		access.FormatPermissions(there.Permissions) != access.FormatPermissions(k.Permissions) ||
		access.FormatAddresses(there.Addresses) != access.FormatAddresses(k.Addresses) ||
		db.MillisOf(there.Expires) != db.MillisOf(k.Expires) {
		return false, ledger.ErrConflict.In("", "key %s", k.Short())
	}
	return true, nil
}

// lockOpenAccount locks an account, so that its keys are added one by one; ErrNotFound if
// it was never opened, ErrInvalid if it is closed.
func (p *People) lockOpenAccount(t db.Tx, id ledger.Account) error {
	closed, err := p.books.LockAccount(t, id)
	if err == nil && !closed.IsZero() {
		err = ledger.ErrInvalid.In("", "account %s was closed on %s", id, ledger.FormatTime(closed))
	}
	return err
}

// checkCredential refuses a label that is not plain text, and an expiry in the past.
func checkCredential(label string, expires, now time.Time) error {
	if !expires.IsZero() && (!expires.After(now) || expires.Year() > 9999) {
		return ledger.ErrInvalid.In("", "it expires at %s, which does not lie ahead; it is %s",
			ledger.FormatTime(expires), ledger.FormatTime(now))
	}
	return ledger.At("label", ledger.CheckText("the label", label))
}

// keyBucket is the bucket of a credential. It depends on its name alone, which is all that
// a request has.
func keyBucket(name string) int64 { return int64(ledger.Account(name).Bucket()) }

var keyColumns = integrity.Keys.Select()

const ofKey = "bucket = $1 AND key = $2"

func scanKey(r db.Row) (access.Key, error) {
	k := access.Key{
		Key: r.Text(0), Account: ledger.Account(r.Text(1)), Type: access.KeyType(r.Text(2)), Label: r.Text(5),
		Secret:  r.Bytes(6),
		Created: db.TimeOf(r.Int(7)), Expires: db.TimeOrZero(r.Int(8)), Revoked: db.TimeOrZero(r.Int(9)),
		TradeUntil: db.TimeOrZero(r.Int(10)),
	}
	var err error
	if k.Permissions, err = access.ParsePermissions(r.Text(3)); err == nil {
		k.Addresses, err = access.ParseAddresses(r.Text(4))
	}
	if err != nil {
		return k, fmt.Errorf("the books' %s cannot be read: %w", k, err)
	}
	return k, nil
}

// findKey reads a key by its name; ErrNotFound if there is none.
func findKey(t db.View, g *integrity.Guard, name string) (access.Key, error) {
	k, found, err := db.First(t, checked(g, integrity.Keys, scanKey), keyColumns+"WHERE "+ofKey, keyBucket(name), name)
	if err == nil && !found {
		err = noKey(name)
	}
	return k, err
}

func noKey(name string) error {
	return ledger.ErrNotFound.In("", "key %q",
		access.Key{Key: strings.ToValidUTF8(name, "?")}.Short()).Because(ReasonUnknownKey)
}

// Key is the API key of a name, also a revoked one; ErrNotFound if there is none.
func (r Reader) Key(ctx context.Context, name string) (access.Key, error) {
	if !access.IsKey(name) {
		return access.Key{}, noKey(name)
	}
	return look(ctx, r, "key", func(t db.View) (access.Key, error) { return findKey(t, r.guard, name) })
}

// Keys are an account's API keys, also the revoked ones, the oldest first;
// ErrNotFound if the account was never opened.
func (r Reader) Keys(ctx context.Context, id ledger.Account) ([]access.Key, error) {
	return ofAccount(ctx, r, "keys of "+string(id), id, scanKey,
		keyColumns+"WHERE account = $1 ORDER BY created, key", string(id))
}

// SealedKey is some API key whose secret is sealed: a Sealer that opens it is the one of
// these books. found is false if there is none.
func (r Reader) SealedKey(ctx context.Context) (k access.Key, found bool, err error) {
	err = r.reads.Read(ctx, func(t db.View) (err error) {
		k, found, err = db.First(t, scanKey, keyColumns+"WHERE type = $1 ORDER BY revoked LIMIT 1", string(access.HMAC))
		return err
	})
	if err != nil {
		return access.Key{}, false, fmt.Errorf("look for a sealed key: %w", err)
	}
	return k, found, nil
}

// RevokeKey revokes an API key, immediately and in every process. Repeating it has no
// further effect; ErrNotFound if there is none.
func (p *People) RevokeKey(ctx context.Context, name string) error {
	if !access.IsKey(name) {
		return noKey(name)
	}
	return p.write(ctx, "revoke a key", func(t db.Tx) error {
		n, err := t.Exec("UPDATE keys SET revoked = $1 WHERE bucket = $2 AND key = $3 AND revoked = 0",
			p.now(), keyBucket(name), name)
		if err == nil && n > 0 {
			err = p.guard.Sign(t, integrity.Keys, ofKey, keyBucket(name), name)
		}
		if err != nil {
			return err
		}
		k, err := findKey(t, unguarded, name)
		if err != nil || n == 0 {
			return err
		}
		return p.books.Log(t, "key revoke", string(k.Account), k.Short())
	})
}

// LimitKey replaces the addresses that an API key may be used from; none: from anywhere. A
// key that may trade expires access.UnlimitedTrade after its limit was removed. Repeating it
// has no further effect. ErrNotFound if there is no such key; ErrInvalid if it is revoked or
// expired, or may withdraw and would not be limited.
func (p *People) LimitKey(ctx context.Context, name string, addresses []netip.Prefix) (k access.Key, err error) {
	if !access.IsKey(name) {
		return k, noKey(name)
	}
	err = p.db.Write(ctx, func(t db.Tx) error {
		if k, err = findKey(t, p.guard, name); err != nil {
			return err
		}
		// The account's keys are changed one by one: what is read now stays.
		if _, err := p.books.LockAccount(t, k.Account); err != nil {
			return err
		}
		if k, err = findKey(t, p.guard, name); err != nil {
			return err
		}
		now := db.TimeOf(p.now())
		if k.Live(now) != nil {
			return ledger.ErrInvalid.In("", "%s is revoked or expired", k).Because(ReasonDeadKey)
		}
		before := access.FormatAddresses(k.Addresses)
		k.Addresses = addresses
		if err := k.Valid(); err != nil {
			return err
		}
		after := access.FormatAddresses(addresses)
		if before == after {
			return nil
		}
		k.LimitTrade(now)
		if err := p.guard.Change(t, integrity.Keys, func() error {
			_, err := t.Exec("UPDATE keys SET addresses = $1, trade_until = $2 WHERE bucket = $3 AND key = $4",
				after, db.MillisOf(k.TradeUntil), keyBucket(name), name)
			return err
		}, ofKey, keyBucket(name), name); err != nil {
			return err
		}
		detail := k.Short() + " to " + placesOf(addresses)
		if err := p.permitStaff(t, control.LimitKey, KeyLimit{name, addresses}, k.Account, detail); err != nil {
			return err
		}
		return p.books.Log(t, "key limit", string(k.Account), detail)
	})
	if err != nil {
		return access.Key{}, fmt.Errorf("limit a key: %w", err)
	}
	return k, nil
}

// placesOf describes from where a key may be used. The networks themselves may say where a person is, and no line of
// the log can be erased: the key has them.
func placesOf(addresses []netip.Prefix) string {
	switch len(addresses) {
	case 0:
		return "anywhere"
	case 1:
		return "1 network"
	}
	return fmt.Sprintf("%d networks", len(addresses))
}

// resealPart is how many keys one transaction seals again.
const resealPart = 500

// Reseal calls reseal for every API key, revoked ones too, and writes the secrets of those
// that it changed; n counts them. It commits in parts: if it was interrupted, call it again.
// reseal may be called several times for a key. An error of reseal ends it.
func (p *People) Reseal(ctx context.Context, reseal func(*access.Key) (changed bool, err error)) (n int, err error) {
	bucket, after, more := int64(-1), "", true
	for err == nil && more {
		part, last := 0, ""
		err = p.db.Write(ctx, func(t db.Tx) error {
			keys, err := db.All(t, scanKey,
				keyColumns+"WHERE (bucket, key) > ($1, $2) ORDER BY bucket, key LIMIT $3", bucket, after,
				int64(resealPart))
			if more = len(keys) == resealPart; err != nil || len(keys) == 0 {
				return err
			}
			part, err = p.reseal(t, keys, reseal)
			last = keys[len(keys)-1].Key
			return err
		})
		n, bucket, after = n+part, keyBucket(last), last
	}
	if err != nil {
		return n, fmt.Errorf("seal the secrets of keys again: %w", err)
	}
	return n, nil
}

// reseal writes the secrets that change, and a line of the log.
func (p *People) reseal(t db.Tx, keys []access.Key, reseal func(*access.Key) (bool, error)) (n int, err error) {
	type resealed struct {
		access.Key
		before []byte
	}
	var rows []resealed
	for _, k := range keys {
		was := bytes.Clone(k.Secret)
		changed, err := reseal(&k)
		if err != nil {
			return 0, err
		}
		if changed {
			rows = append(rows, resealed{k, was})
		}
	}
	if len(rows) == 0 {
		return 0, nil
	}
	// A secret that another process has resealed in between stays.
	first, last := rows[0].Key.Key, rows[len(rows)-1].Key.Key
	if err := p.guard.ChangeAll(t, integrity.Keys, func() error {
		_, err := t.Set(nil, "UPDATE keys SET secret = r.after FROM {rows} "+
			"WHERE keys.bucket = r.bucket AND keys.key = r.key AND keys.secret = r.before",
			db.SetOf(rows,
				db.Int("bucket", func(r resealed) int64 { return keyBucket(r.Key.Key) }),
				db.Text("key", func(r resealed) string { return r.Key.Key }),
				db.Blob("before", func(r resealed) []byte { return r.before }),
				db.Blob("after", func(r resealed) []byte { return r.Secret })))
		return err
	}, "(bucket, key) >= ($1, $2) AND (bucket, key) <= ($3, $4)", keyBucket(first), first, keyBucket(last),
		last); err != nil {
		return 0, err
	}
	return len(rows), p.books.Log(t, "key reseal", "keys",
		fmt.Sprintf("%d secrets, from %s to %s", len(rows), rows[0].Short(), rows[len(rows)-1].Short()))
}

// sealedApp is the sealed secret of a subject's authenticator app.
type sealedApp struct {
	bucket        int64
	subject       string
	before, after []byte
}

// ResealApps is Reseal for the secrets of authenticator apps, each of which it gives to reseal with its subject.
func (p *People) ResealApps(ctx context.Context,
	reseal func(subject string, sealed []byte) (again []byte, changed bool, err error)) (n int, err error) {
	last, more := sealedApp{bucket: -1}, true
	for more {
		part := 0
		err := p.write(ctx, "seal the secrets of authenticator apps again", func(t db.Tx) error {
			apps, err := db.All(t, func(r db.Row) (sealedApp, error) {
				return sealedApp{bucket: r.Int(0), subject: r.Text(1), before: bytes.Clone(r.Bytes(2))}, nil
			}, "SELECT bucket, subject, secret FROM totps WHERE (bucket, subject) > ($1, $2) ORDER BY bucket, subject LIMIT $3",
				last.bucket, last.subject, int64(resealPart))
			if more = len(apps) == resealPart; err != nil || len(apps) == 0 {
				return err
			}
			part, err = p.resealApps(t, apps, reseal)
			if err == nil {
				last = apps[len(apps)-1]
			}
			return err
		})
		if n += part; err != nil {
			return n, err
		}
	}
	return n, nil
}

func (p *People) resealApps(t db.Tx, apps []sealedApp,
	reseal func(subject string, sealed []byte) ([]byte, bool, error)) (n int, err error) {
	var rows []sealedApp
	for _, a := range apps {
		again, changed, err := reseal(a.subject, a.before)
		if err != nil {
			return 0, fmt.Errorf("the secret of the authenticator app of %s: %w", a.subject, err)
		}
		if a.after = again; changed {
			rows = append(rows, a)
		}
	}
	if len(rows) == 0 {
		return 0, nil
	}
	// A secret that another process has sealed in between stays.
	first, last := rows[0], rows[len(rows)-1]
	if err := p.guard.ChangeAll(t, integrity.TOTPs, func() error {
		_, err := t.Set(nil, "UPDATE totps SET secret = r.after FROM {rows} "+
			"WHERE totps.bucket = r.bucket AND totps.subject = r.subject AND totps.secret = r.before", db.SetOf(rows,
			db.Int("bucket", func(a sealedApp) int64 { return a.bucket }),
			db.Text("subject", func(a sealedApp) string { return a.subject }),
			db.Blob("before", func(a sealedApp) []byte { return a.before }),
			db.Blob("after", func(a sealedApp) []byte { return a.after })))
		return err
	}, "(bucket, subject) >= ($1, $2) AND (bucket, subject) <= ($3, $4)", first.bucket, first.subject, last.bucket,
		last.subject); err != nil {
		return 0, err
	}
	return len(rows), p.books.Log(t, "key reseal", "authenticator apps", fmt.Sprintf("%d secrets", len(rows)))
}
