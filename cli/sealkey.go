package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/store"
)

// The secrets of HMAC keys are sealed with a key that is not in the database:
// SOFTSTAKE_KEY, or else what is in a file.

// sealKeyName is that of the variable which holds the key itself.
const sealKeyName = "SOFTSTAKE_KEY"

// maxSealKey is how much of a key's file is read.
const maxSealKey = 1 << 10

// errNoSealKey says that there is no key to seal with.
var errNoSealKey = errors.New("the key that secrets are sealed with is missing")

// keyFile is the file of the key that secrets are sealed with: the one that was
// named, else one beside the books in a file, else softstake.key.
func (env *Env) keyFile() string {
	if env.KeyFile != "" {
		return env.KeyFile
	}
	if path, is := strings.CutPrefix(env.DB, "sqlite:"); is {
		return path + ".key"
	}
	return "softstake.key"
}

// keyName names where the key is.
func (env *Env) keyName() string {
	if env.Getenv(sealKeyName) != "" {
		return sealKeyName
	}
	return env.keyFile()
}

// sealer opens the secrets of API keys. errNoSealKey if there is no key to do it with.
func (env *Env) sealer() (*access.Sealer, error) {
	if text := env.Getenv(sealKeyName); text != "" {
		s, err := access.NewSealer(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", sealKeyName, err)
		}
		return s, nil
	}
	name := env.keyFile()
	text, err := env.readKeyFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no file %s; bring the one that these books were made with, and name it "+
			"with --key-file, or set %s", errNoSealKey, name, sealKeyName)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key that secrets are sealed with: %w", err)
	}
	s, err := access.NewSealer(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	// "key-rotate" changes the file while other processes run.
	s.Watch(func() (string, error) {
		again, err := readKey(name)
		if errors.Is(err, os.ErrNotExist) {
			return text, nil // it was taken away after the start: nothing has changed
		}
		return again, err
	})
	return s, nil
}

// optionalSealer is sealer, or nil where there is no key.
func (env *Env) optionalSealer() (*access.Sealer, error) {
	s, err := env.sealer()
	if errors.Is(err, errNoSealKey) {
		return nil, nil
	}
	return s, err
}

// readKeyFile reads a key's file, and says if others can read it too.
func (env *Env) readKeyFile(name string) (text string, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" { // which has no such modes
		if err := env.warnf("softstake: others can read %s, which the secrets of keys are sealed with; keep it to "+
			"yourself: chmod 600 %s", name, name); err != nil {
			return "", err
		}
	}
	return readKey(name)
}

// readKey reads a key's file.
func readKey(name string) (text string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b, err := io.ReadAll(io.LimitReader(f, maxSealKey))
	return string(b), err
}

// booksSealer opens the secrets of these books. Where there is no key, and nothing
// that was sealed with one, it is nil: keys of the types ed25519 and rsa need none.
func (env *Env) booksSealer(ctx context.Context, db *store.DB) (*access.Sealer, error) {
	k, sealed, err := db.People().SealedKey(ctx)
	if err != nil {
		return nil, err
	}
	s, err := env.sealer()
	switch {
	case errors.Is(err, errNoSealKey) && !sealed:
		return nil, nil
	case err != nil:
		return nil, err
	case sealed:
		err = k.Opens(s)
	}
	return s, err
}

// writeKeyFile puts keys into a file, whole or not at all, in place of what it has.
func writeKeyFile(name string, keys ...string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*") // for its owner alone
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.WriteString(strings.Join(keys, "\n") + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), name); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(name))
}

// makeKeyFile makes the file of the key that secrets are sealed with. One that is
// there stays as it is, and so does the environment's.
func (env *Env) makeKeyFile() (made bool, err error) {
	if env.Getenv(sealKeyName) != "" {
		return false, nil
	}
	text, err := access.NewSealKey(env.Random)
	if err != nil {
		return false, err
	}
	name := env.keyFile()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return false, nil
	}
	if err == nil {
		_, err = f.WriteString(text + "\n")
		if err = errors.Join(err, f.Sync(), f.Close(), syncFolder(filepath.Dir(name))); err != nil {
			err = errors.Join(err, os.Remove(name))
		}
	}
	if err != nil {
		return false, fmt.Errorf("make the key that secrets are sealed with: %w", err)
	}
	return true, nil
}

// syncFolder sees to it that a new file is still in its folder after a power cut.
func syncFolder(name string) error {
	if runtime.GOOS == "windows" { // where a folder cannot be opened
		return nil
	}
	folder, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// sealAdvice is what to do with a key's file.
const sealAdvice = "keep a copy of it apart from backups of the books"
