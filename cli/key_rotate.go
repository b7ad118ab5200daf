package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/store"
)

// keyRotateCmd changes the key that secrets are sealed with: those of HMAC keys, of authenticator apps and of webhooks.
type keyRotateCmd struct {
	NewKey string `placeholder:"FILE" help:"A file with the new key: 32 bytes in base64. Without it: one is made."`
}

func (c *keyRotateCmd) Help() string {
	return `The file of the key (--key-file) gets the new key before the old one: the first key of a file seals, and all of them open. Then every secret in the books is sealed with the new key, those of revoked keys, of authenticator apps and of webhooks too, every row that carries a MAC gets another, and the old key moves to FILE.old. Processes of "serve" read the file again by themselves; nothing needs to be started again. If the command is interrupted, run it again: it goes on.

Keep FILE.old as long as you keep backups of the books that were made before: their secrets are sealed with it.

Where "serve" runs on several machines, bring the file with both keys to each of them before: put the new key on a line above the old one. With SOFTSTAKE_KEY, set it to the new key, a space and the old key, start the processes again, run this command, and then take the old key out of it.

Example:

  softstake key-rotate`
}

// Run changes the key. Wherever it ends, the file has every key that something is sealed with.
func (c *keyRotateCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		if text := env.Getenv(sealKeyName); text != "" {
			return c.rotateEnv(ctx, env, db, text)
		}
		keys, err := env.sealKeys(env.keyFile())
		if errors.Is(err, os.ErrNotExist) {
			_, err = env.booksSealer(ctx, db) // says what is missing, if anything is sealed
			if err == nil {
				err = fmt.Errorf("there is no file %s, and nothing is sealed: \"softstake key create\" makes it when it is needed",
					env.keyFile())
			}
		}
		if err != nil {
			return err
		}
		if err := opensAll(ctx, db, strings.Join(keys, "\n")); err != nil {
			return err
		}
		if keys, err = c.prepare(env, keys); err != nil {
			return err
		}
		n, err := resealWith(ctx, env, db, strings.Join(keys, "\n"))
		if err == nil {
			err = env.finishRotation(keys)
		}
		if err != nil {
			return err
		}
		return env.printf("Sealed %s with the new key in %[2]s. The old key is in %[2]s.old: keep it as long as backups "+
			"from before.\n", count(n, "secret", "secrets"), env.keyFile())
	})
}

// rotateEnv seals with the first key of SOFTSTAKE_KEY, which only the operator can change.
func (c *keyRotateCmd) rotateEnv(ctx context.Context, env *Env, db *store.DB, text string) error {
	if c.NewKey != "" || len(strings.Fields(text)) < 2 {
		return usage("the key is in %s: set it to the new key, a space and the old key, in every process, and run "+
			"this command again without --new-key", sealKeyName)
	}
	n, err := resealWith(ctx, env, db, text)
	return env.done(err, "Sealed %s with the first key of %s. Take the others out of it now, and keep them as long as "+
		"backups from before.\n", count(n, "secret", "secrets"), sealKeyName)
}

// sealKeys are the keys in a file, the one that seals first.
func (env *Env) sealKeys(name string) ([]string, error) {
	text, err := env.readKeyFile(name)
	if err != nil {
		return nil, err
	}
	if _, err := access.NewSealer(text); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return strings.Fields(text), nil
}

// opensAll checks that the keys open every secret in the books. It changes nothing.
func opensAll(ctx context.Context, db *store.DB, text string) error {
	sealer, err := access.NewSealer(text)
	if err != nil {
		return err
	}
	_, err = db.People().Reseal(ctx, func(k *access.Key) (bool, error) { return false, k.Opens(sealer) })
	if err == nil {
		_, err = db.People().ResealApps(ctx, func(subject string, sealed []byte) ([]byte, bool, error) {
			_, err := sealer.Open(sealed, access.AppSecret(subject))
			return nil, false, err
		})
	}
	if err == nil {
		_, err = db.ResealWebhooks(ctx, func(sealed []byte, name string) ([]byte, bool, error) {
			_, err := sealer.Open(sealed, name)
			return nil, false, err
		})
	}
	return err
}

// resealWith seals every secret with the first of the keys, until none is left that
// another process has sealed with an old one in between.
func resealWith(ctx context.Context, env *Env, db *store.DB, text string) (n int, err error) {
	sealer, err := access.NewSealer(text)
	if err != nil {
		return 0, err
	}
	seen := newMeter(env, "secrets sealed or looked at", 0)
	seen.every = 10_000
	for {
		keys, err := db.People().Reseal(ctx, func(k *access.Key) (bool, error) {
			seen.add(1)
			return k.Reseal(sealer)
		})
		apps := 0
		if err == nil {
			apps, err = db.People().ResealApps(ctx, func(subject string, sealed []byte) ([]byte, bool, error) {
				seen.add(1)
				return sealer.Reseal(sealed, access.AppSecret(subject))
			})
		}
		webhooks := 0
		if err == nil {
			webhooks, err = db.ResealWebhooks(ctx, sealer.Reseal)
		}
		rows := int64(0)
		if err == nil {
			rows, err = db.RenewMACs(ctx, func(rows int64) { seen.add(rows) })
		}
		if n += keys + apps + webhooks; err != nil || keys+apps+webhooks == 0 && rows == 0 {
			return n, errors.Join(err, seen.end())
		}
	}
}

// prepare puts the new key before the old ones into the file. The new key is kept in a
// file of its own first: whoever runs the command again, or at the same time, takes it from there.
func (c *keyRotateCmd) prepare(env *Env, keys []string) ([]string, error) {
	wanted, err := c.newKey(env)
	if err != nil {
		return nil, err
	}
	next := env.keyFile() + ".next"
	fresh, err := env.sealKeys(next)
	if errors.Is(err, os.ErrNotExist) && len(keys) > 1 {
		fresh, err = keys, nil // the operator, or a run before, has put it there
	}
	if errors.Is(err, os.ErrNotExist) {
		if err := env.makeNext(next, wanted); err != nil {
			return nil, err
		}
		fresh, err = env.sealKeys(next)
	}
	if err == nil && wanted != "" && wanted != fresh[0] {
		err = usage("the key is being changed to another one than that of %s; run this command without --new-key first",
			c.NewKey)
	}
	if err != nil || keys[0] == fresh[0] {
		return keys, err
	}
	keys = append([]string{fresh[0]}, slices.DeleteFunc(keys, func(k string) bool { return k == fresh[0] })...)
	if len(keys) > access.MaxSealKeys {
		return nil, fmt.Errorf("%s has too many keys; take those out of it that nothing is sealed with", env.keyFile())
	}
	return keys, writeKeyFile(env.keyFile(), keys...)
}

// newKey is the key of --new-key, or "" where it was not given.
func (c *keyRotateCmd) newKey(env *Env) (string, error) {
	if c.NewKey == "" {
		return "", nil
	}
	keys, err := env.sealKeys(c.NewKey)
	if err != nil {
		return "", err
	}
	return keys[0], nil
}

// makeNext makes the file of the new key, a random one if it is "", unless somebody else just has.
func (env *Env) makeNext(next, fresh string) (err error) {
	if fresh == "" {
		fresh, err = access.NewSealKey(env.Random)
	}
	if err != nil {
		return err
	}
	mine := fmt.Sprintf("%s.%d", next, os.Getpid())
	if err := writeKeyFile(mine, fresh); err != nil {
		return fmt.Errorf("make the new key: %w", err)
	}
	err = os.Link(mine, next) // whole, and only where there is none
	if errors.Is(err, os.ErrExist) {
		err = nil
	}
	return errors.Join(err, os.Remove(mine))
}

// finishRotation moves the old keys out of the file.
func (env *Env) finishRotation(keys []string) error {
	name := env.keyFile()
	old, err := env.sealKeys(name + ".old")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	kept := slices.Clone(keys[1:])
	for _, k := range old {
		if !slices.Contains(kept, k) && k != keys[0] {
			kept = append(kept, k)
		}
	}
	if kept = kept[:min(len(kept), access.MaxSealKeys)]; len(keys) > 1 {
		if err := writeKeyFile(name+".old", kept...); err != nil {
			return fmt.Errorf("keep the old key: %w", err)
		}
		if err := writeKeyFile(name, keys[0]); err != nil {
			return fmt.Errorf("take the old key out of %s: %w", name, err)
		}
	}
	if err := os.Remove(name + ".next"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
