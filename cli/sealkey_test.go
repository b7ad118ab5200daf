package cli

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// sealing is a world with books in a folder of their own, and with an environment.
type sealing struct {
	*Env
	stderr bytes.Buffer
	env    map[string]string
}

// newSealing makes books by init, without the file of the key if kept is false.
func newSealing(t *testing.T, kept bool) *sealing {
	t.Helper()
	s := &sealing{env: map[string]string{}}
	s.Env = &Env{
		Stdin: strings.NewReader(""), Stdout: new(bytes.Buffer), Stderr: &s.stderr, Context: t.Context(), Random: rand.Reader,
		Now: func() time.Time { return noon }, Getenv: func(name string) string { return s.env[name] },
		DB: books(t), Actor: access.Actor{Role: access.Operator, Credential: "operator olga", Person: "olga"},
	}
	if !kept {
		if err := os.Remove(s.keyFile()); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// create makes an hmac key of alice.
func (s *sealing) create() error {
	return (&keyCreateCmd{Account: "alice", Type: "hmac", Permissions: "read"}).Run(s.Env)
}

// keys are alice's, and the books' sealer.
func (s *sealing) keys(t *testing.T) (keys []access.Key, sealer *access.Sealer) {
	t.Helper()
	if err := s.books(func(ctx context.Context, db *store.DB) (err error) {
		if keys, err = db.People().Keys(ctx, "alice"); err == nil {
			sealer, err = s.booksSealer(ctx, db)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return keys, sealer
}

func TestInitMakesTheKeyThatSecretsAreSealedWith(t *testing.T) {
	s := newSealing(t, true)
	info, err := os.Stat(s.keyFile())
	if err != nil || info.Mode() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("made is %v: %v", info.Mode(), err)
	}
	if err := s.create(); err != nil {
		t.Fatal(err)
	}
	keys, sealer := s.keys(t)
	if sealer == nil || len(keys) != 1 || keys[0].Opens(sealer) != nil || s.stderr.Len() > 0 {
		t.Errorf("alice has %v, and stderr is %q", keys, s.stderr.String())
	}
	text := string(contents(t, s.keyFile()))
	_, stderr, status := command(t, t.Context(), strings.NewReader(""), "init", "--db", s.DB)
	if status != 1 || string(contents(t, s.keyFile())) != text || strings.Contains(stderr, strings.TrimSpace(text)) {
		t.Errorf("a second init: %d: %s", status, stderr)
	}
}

func TestAKeyThatIsThereIsKept(t *testing.T) {
	folder := t.TempDir()
	url, file := "sqlite:"+filepath.Join(folder, "books.db"), filepath.Join(folder, "mine")
	for text, want := range map[string]int{"nonsense\n": 1, seal(t) + "\n": 0} {
		for _, name := range []string{file, filepath.Join(folder, "books.db")} {
			if err := os.RemoveAll(name); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, stderr, status := command(t, t.Context(), strings.NewReader(""), "init", "--db", url, "--key-file", file)
		if status != want || string(contents(t, file)) != text || strings.Contains(out+stderr, strings.TrimSpace(text)) {
			t.Errorf("exit status %d: %s%s", status, out, stderr)
		}
		if _, err := os.Stat(filepath.Join(folder, "books.db.key")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("another is made beside it: %v", err)
		}
	}
}

// signed is a payload's signature with a secret.
func signed(secret, payload string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(payload))
	return hex.EncodeToString(mac.Sum(nil))
}

func seal(t *testing.T) string {
	t.Helper()
	text, err := access.NewSealKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Old books have no key, and get one with the first secret; then never again.
func TestBooksWithoutAKeyGetOneOnce(t *testing.T) {
	s := newSealing(t, false)
	if _, sealer := s.keys(t); sealer != nil {
		t.Error("a sealer is made of nothing")
	}
	if _, err := s.sealer(); !errors.Is(err, errNoSealKey) || !strings.Contains(err.Error(), s.keyFile()) {
		t.Errorf("the missing key: %v", err)
	}
	if err := s.create(); err != nil || !strings.Contains(s.stderr.String(), "Made "+s.keyFile()) {
		t.Errorf("stderr is %q: %v", s.stderr.String(), err)
	}
	if err := os.Remove(s.keyFile()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.create(); !errors.Is(err, errNoSealKey) {
			t.Errorf("another key is made: %v", err)
		}
	}
	s.env["SOFTSTAKE_KEY"] = seal(t)
	if err := s.create(); err == nil || !strings.Contains(err.Error(), "sealed with another key") {
		t.Errorf("a wrong key is taken: %v", err)
	}
}

func TestTheKeyFromTheEnvironment(t *testing.T) {
	s := newSealing(t, false)
	s.env["SOFTSTAKE_KEY"] = seal(t)
	if err := s.create(); err != nil {
		t.Fatal(err)
	}
	if keys, sealer := s.keys(t); keys[0].Opens(sealer) != nil {
		t.Error("it is not sealed with it")
	}
	if _, err := os.Stat(s.keyFile()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file is made beside it: %v", err)
	}
	s.env["SOFTSTAKE_KEY"] = "c2VjcmV0"
	if _, err := s.sealer(); err == nil || !strings.Contains(err.Error(), "SOFTSTAKE_KEY") ||
		strings.Contains(err.Error(), "c2VjcmV0") {
		t.Errorf("a wrong one: %v", err)
	}
	if err := (&initCmd{}).Run(s.Env); err == nil || !strings.Contains(err.Error(), "SOFTSTAKE_KEY") {
		t.Errorf("init with a wrong one: %v", err)
	}
}

func TestWhereTheKeyIs(t *testing.T) {
	for _, c := range []struct{ db, named, want string }{
		{"sqlite:some/books.db", "", "some/books.db.key"},
		{"postgres://olga:s3cr3t@host/books", "", "softstake.key"},
		{"postgres://host/books", "/etc/seal", "/etc/seal"},
		{"sqlite:books.db", "seal", "seal"},
	} {
		if got := (&Env{DB: c.db, KeyFile: c.named}).keyFile(); got != c.want {
			t.Errorf("of %s, named %q, it is %s", c.db, c.named, got)
		}
	}
	folder := t.TempDir()
	named := filepath.Join(folder, "named.key")
	var out, stderr bytes.Buffer
	env := &Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &stderr, Context: t.Context(), Random: rand.Reader,
		Now: func() time.Time { return noon },
		Getenv: func(name string) string {
			return map[string]string{"SOFTSTAKE_KEY_FILE": named, "SOFTSTAKE_DB": "sqlite:" +
				filepath.Join(folder, "books.db")}[name]
		}}
	if status := run(env, []string{"init"}); status != 0 || !strings.Contains(out.String(), named) {
		t.Errorf("exit status %d: %s%s", status, out.String(), stderr.String())
	}
	if _, err := os.Stat(named); err != nil {
		t.Error(err)
	}
}

func TestAKeyThatOthersCanRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it has no such modes")
	}
	s := newSealing(t, true)
	for mode, warned := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true} {
		s.stderr.Reset()
		if err := os.Chmod(s.keyFile(), mode); err != nil {
			t.Fatal(err)
		}
		if _, err := s.sealer(); err != nil || strings.Contains(s.stderr.String(), "chmod 600") != warned {
			t.Errorf("mode %o: stderr is %q: %v", mode, s.stderr.String(), err)
		}
	}
}

func TestAKeyThatCannotBeMade(t *testing.T) {
	s := newSealing(t, false)
	s.KeyFile = filepath.Join(t.TempDir(), "nowhere", "seal")
	if err := s.create(); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("in a folder that is not there: %v", err)
	}
	s.KeyFile = t.TempDir()
	if _, err := s.sealer(); err == nil || errors.Is(err, errNoSealKey) {
		t.Errorf("a folder: %v", err)
	}
	s.KeyFile, s.Random = "", iotest.ErrReader(errors.New("no more"))
	if _, err := s.makeKeyFile(); err == nil {
		t.Error("it is made of nothing")
	}
	if _, err := os.Stat(s.keyFile()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("half a file stays: %v", err)
	}
}

// What key create prints signs what the books verify.
func TestTheSecretThatIsShownSigns(t *testing.T) {
	url := books(t)
	var made struct{ APIKey, SecretKey string }
	if err := json.Unmarshal([]byte(must(t, "", "key", "create", "--account", "alice", "--type", "hmac", "--json", "--db",
		url)), &made); err != nil {
		t.Fatal(err)
	}
	if !access.IsKey(made.APIKey) || !access.IsKey(made.SecretKey) {
		t.Fatalf("made is %+v", made)
	}
	env := &Env{DB: url, Context: t.Context(), Now: func() time.Time { return noon },
		Getenv: func(string) string { return "" }}
	if err := env.books(func(ctx context.Context, db *store.DB) error {
		k, err := db.People().Key(ctx, made.APIKey)
		if err != nil {
			return err
		}
		sealer, err := env.booksSealer(ctx, db)
		if err != nil {
			return err
		}
		return k.Verify(sealer, []byte("timestamp=1"), signed(made.SecretKey, "timestamp=1"))
	}); err != nil {
		t.Error(err)
	}
	var shown struct{ Token string }
	if err := json.Unmarshal([]byte(must(t, "", "token", "create", "--role", "auditor", "--json", "--db", url)),
		&shown); err != nil {
		t.Fatal(err)
	}
	id, _ := access.TokenID(shown.Token)
	if err := env.books(func(ctx context.Context, db *store.DB) error {
		token, err := db.People().Token(ctx, id)
		if err != nil {
			return err
		}
		return token.Check(shown.Token, noon)
	}); err != nil {
		t.Error(err)
	}
	for _, args := range [][]string{{"key", "list", "--account", "alice"}, {"key", "list", "--account", "alice", "--json"},
		{"token", "list"}, {"token", "list", "--json"}, {"log"}} {
		if out := must(t, "", append(args, "--db", url)...); strings.Contains(out, made.SecretKey) ||
			strings.Contains(out, shown.Token[17:]) {
			t.Errorf("%q shows a secret: %s", args, out)
		}
	}
}

func TestParseExpiry(t *testing.T) {
	for text, want := range map[string]time.Time{
		"": {}, "90d": noon.AddDate(0, 0, 90), "36500d": noon.AddDate(0, 0, 36500), "12h": noon.Add(12 * time.Hour),
		"1h30m":                     noon.Add(90 * time.Minute),
		"2026-12-01T01:00:00+01:00": time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got, err := parseExpiry(text, noon); err != nil || !got.Equal(want) {
			t.Errorf("%q is %s: %v", text, got, err)
		}
	}
	for _, text := range []string{"d", "0d", "-1d", "36501d", "1.5d", "9999999999999999999d", "soon", "2026-12-01", "90"} {
		if got, err := parseExpiry(text, noon); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%q is %s: %v", text, got, err)
		}
	}
}
