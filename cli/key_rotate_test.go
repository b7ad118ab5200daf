package cli

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/store"
)

// reseal runs the command, and returns what it says.
func (s *sealing) reseal(newKey string) error { return (&keyRotateCmd{NewKey: newKey}).Run(s.Env) }

// inBooks gives fn the books.
func (s *sealing) inBooks(t *testing.T, fn func(ctx context.Context, db *store.DB) error) {
	t.Helper()
	if err := s.books(fn); err != nil {
		t.Fatal(err)
	}
}

// opened says that a running process opens every secret, and that a new one with the file does.
func (s *sealing) opened(t *testing.T, running *access.Sealer, want int) {
	t.Helper()
	keys, fresh := s.keys(t)
	for _, k := range keys {
		if err := errors.Join(k.Opens(running), k.Opens(fresh)); err != nil {
			t.Error(err)
		}
	}
	if len(keys) != want {
		t.Errorf("there are %d keys, not %d", len(keys), want)
	}
}

// one seals a single secret with the first key of the file.
func (s *sealing) one(t *testing.T) {
	t.Helper()
	sealer, err := access.NewSealer(string(contents(t, s.keyFile())))
	succeeds(t, err)
	done := false
	s.inBooks(t, func(ctx context.Context, db *store.DB) error {
		_, err := db.People().Reseal(ctx, func(k *access.Key) (bool, error) {
			if done {
				return false, nil
			}
			done = true
			return k.Reseal(sealer)
		})
		return err
	})
}

// prepare puts a new key into the file, and returns all.
func (s *sealing) prepare(t *testing.T) []string {
	t.Helper()
	keys, err := s.sealKeys(s.keyFile())
	succeeds(t, err)
	keys, err = (&keyRotateCmd{}).prepare(s.Env, keys)
	succeeds(t, err)
	return keys
}

// all puts a new key into the file, and seals every secret with it.
func (s *sealing) all(t *testing.T) []string {
	t.Helper()
	keys := s.prepare(t)
	s.inBooks(t, func(ctx context.Context, db *store.DB) error {
		_, err := resealWith(ctx, s.Env, db, strings.Join(keys, "\n"))
		return err
	})
	return keys
}

// stops are where a run may have stopped.
var stops = map[string]func(*sealing, *testing.T){
	"nowhere": func(*sealing, *testing.T) {},
	"with a new key alone": func(s *sealing, t *testing.T) {
		succeeds(t, s.makeNext(s.keyFile()+".next", ""))
	},
	"with both keys":   func(s *sealing, t *testing.T) { s.prepare(t) },
	"with one secret":  func(s *sealing, t *testing.T) { s.prepare(t); s.one(t) },
	"with all secrets": func(s *sealing, t *testing.T) { s.all(t) },
	"with the old key in both": func(s *sealing, t *testing.T) {
		succeeds(t, writeKeyFile(s.keyFile()+".old", s.all(t)[1:]...))
	},
	"with the old key apart": func(s *sealing, t *testing.T) {
		keys := s.all(t)
		succeeds(t, errors.Join(writeKeyFile(s.keyFile()+".old", keys[1:]...), writeKeyFile(s.keyFile(), keys[0])))
	},
}

// TestRotation changes the key wherever a run before has stopped, while another process
// uses it. Only the new key opens anything afterwards, and the old one is kept apart.
func TestRotation(t *testing.T) {
	for what, stopped := range stops {
		t.Run(what, func(t *testing.T) {
			s := newSealing(t, true)
			succeeds(t, errors.Join(s.create(), s.create(), s.create()))
			keys, running := s.keys(t)
			s.inBooks(t, func(ctx context.Context, db *store.DB) error { return db.People().RevokeKey(ctx, keys[0].Key) })
			old := string(contents(t, s.keyFile()))
			stopped(s, t)
			s.opened(t, running, 3)
			succeeds(t, s.create())
			s.opened(t, running, 4)
			succeeds(t, s.reseal(""))
			s.opened(t, running, 4)
			s.changed(t, old)
			succeeds(t, s.reseal("")) // and again
			s.opened(t, running, 4)
			if n := len(strings.Fields(string(contents(t, s.keyFile()+".old")))); n != 2 {
				t.Errorf("%d old keys are kept", n)
			}
		})
	}
}

// changed says that the old key opens nothing any more, and is kept apart from the new one.
func (s *sealing) changed(t *testing.T, old string) {
	t.Helper()
	now := string(contents(t, s.keyFile()))
	if now == old || len(strings.Fields(now)) != 1 || string(contents(t, s.keyFile()+".old")) != old {
		t.Errorf("the file has %d keys, and the other the old one: %t", len(strings.Fields(now)),
			string(contents(t, s.keyFile()+".old")) == old)
	}
	former, err := access.NewSealer(old)
	succeeds(t, err)
	keys, _ := s.keys(t)
	for _, k := range keys {
		if k.Opens(former) == nil {
			t.Errorf("the old key opens %s", k)
		}
	}
	for _, name := range []string{s.keyFile(), s.keyFile() + ".old"} {
		if info, err := os.Stat(name); err != nil || info.Mode() != 0o600 && runtime.GOOS != "windows" {
			t.Errorf("%s is %v: %v", name, info.Mode(), err)
		}
	}
	if _, err := os.Stat(s.keyFile() + ".next"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the new key is left in a file of its own: %v", err)
	}
}

func succeeds(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestRotationRefuses changes nothing where the keys do not open what is in the books.
func TestRotationRefuses(t *testing.T) {
	s := newSealing(t, true)
	succeeds(t, s.reseal("")) // of nothing: it gives the books another key
	succeeds(t, s.create())
	right := contents(t, s.keyFile())
	other := s.keyFile() + ".other"
	succeeds(t, os.WriteFile(other, []byte(seal(t)+"\n"), 0o600))
	succeeds(t, os.WriteFile(s.keyFile(), contents(t, other), 0o600))
	if err := s.reseal(""); err == nil || !strings.Contains(err.Error(), "sealed with another key") {
		t.Errorf("with a wrong key: %v", err)
	}
	if string(contents(t, s.keyFile())) != string(contents(t, other)) {
		t.Error("the file is changed")
	}
	succeeds(t, os.WriteFile(s.keyFile(), []byte("nonsense\n"), 0o600))
	if err := s.reseal(""); err == nil {
		t.Error("a file that is none is taken")
	}
	succeeds(t, os.Remove(s.keyFile()))
	if err := s.reseal(""); !errors.Is(err, errNoSealKey) {
		t.Errorf("without the file: %v", err)
	}
	succeeds(t, os.WriteFile(s.keyFile(), right, 0o600))
	succeeds(t, s.reseal(other))
	if keys, sealer := s.keys(t); keys[0].Opens(sealer) != nil ||
		string(contents(t, s.keyFile())) != string(contents(t, other)) {
		t.Error("it is not sealed with the key that was given")
	}

	s.env[sealKeyName] = strings.TrimSpace(string(contents(t, other)))
	if err := s.reseal(""); statusOf(err) != 2 {
		t.Errorf("with one key in the environment: %v", err)
	}
	fresh := seal(t)
	s.env[sealKeyName] = fresh + " " + s.env[sealKeyName]
	succeeds(t, s.reseal(""))
	s.env[sealKeyName] = fresh
	if keys, sealer := s.keys(t); keys[0].Opens(sealer) != nil {
		t.Error("it is not sealed with the first key of the environment")
	}
}
