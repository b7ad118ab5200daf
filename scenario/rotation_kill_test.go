package scenario

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// rotation is books with sealed secrets, and the file of the key.
type rotation struct {
	url, file string
	books     *store.DB
	key       access.Key // one of them, and its secret
	secret    string
}

// seal adds keys to all holders of the town, and an authenticator app.
func (r *rotation) seal(t *testing.T, town Town) {
	t.Helper()
	sealer := r.sealer(t)
	for i := range town.Holders {
		for range people.MaxKeys {
			name, secret, err := access.NewKey(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			r.key = access.Key{Key: name, Account: town.Holder(i), Type: access.HMAC,
				Permissions: []access.Permission{access.Read}}
			r.secret = secret
			if err := r.key.Seal(sealer, secret); err != nil {
				t.Fatal(err)
			}
			if err := r.books.People().AddKey(t.Context(), r.key); err != nil {
				t.Fatal(err)
			}
		}
	}
	app := testkit.Must(sealer.Seal([]byte("otp"), access.AppSecret("login a@example.com")))(t)
	if err := r.books.Engine().Write(t.Context(), func(tx db.Tx) error {
		_, err := tx.Exec("INSERT INTO totps (bucket, subject, secret, step, added) "+
			"VALUES (1, 'login a@example.com', $1, 0, 0)", app)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.books.Protect(t.Context(), func(int64) {}); err != nil {
		t.Fatal(err)
	}
}

// keys are those that the file has now.
func (r *rotation) keys() (*access.Sealer, error) {
	text, err := os.ReadFile(r.file)
	if err != nil {
		return nil, err
	}
	s, err := access.NewSealer(string(text))
	if err == nil {
		s.Watch(func() (string, error) {
			text, err := os.ReadFile(r.file)
			return string(text), err
		})
	}
	return s, err
}

// sealer is keys, which must be there.
func (r *rotation) sealer(t *testing.T) *access.Sealer {
	t.Helper()
	return testkit.Must(r.keys())(t)
}

// opened checks that the keys of the file open every secret, and returns how many the first of them has sealed.
func (r *rotation) opened(t *testing.T) (first int) {
	t.Helper()
	text := string(testkit.Must(os.ReadFile(r.file))(t))
	all := testkit.Must(access.NewSealer(text))(t)
	newest := testkit.Must(access.NewSealer(strings.Fields(text)[0]))(t)
	if _, err := r.books.People().Reseal(t.Context(), func(k *access.Key) (bool, error) {
		if k.Opens(newest) == nil {
			first++
		}
		return false, k.Opens(all)
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.books.People().ResealApps(t.Context(), func(subject string, sealed []byte) ([]byte, bool, error) {
		if _, err := newest.Open(sealed, access.AppSecret(subject)); err == nil {
			first++
		}
		_, err := all.Open(sealed, access.AppSecret(subject))
		return nil, false, err
	}); err != nil {
		t.Fatal(err)
	}
	return first
}

// signed makes a signed request to a running server, which reads the key's secret for it.
func (r *rotation) signed(t *testing.T, address string) int {
	t.Helper()
	query := fmt.Sprintf("timestamp=%d", time.Now().UnixMilli())
	sum := hmac.New(sha256.New, []byte(r.secret))
	sum.Write([]byte(query))
	request := testkit.Must(http.NewRequestWithContext(t.Context(), http.MethodGet,
		"http://"+address+"/api/v3/account?"+query+"&signature="+hex.EncodeToString(sum.Sum(nil)), nil))(t)
	request.Header.Set("X-MBX-APIKEY", r.key.Key)
	answer := testkit.Must(http.DefaultClient.Do(request))(t)
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode
}

// TestKilledWhileRotating kills the program while it changes the key that secrets are sealed with, at moments from its
// start to its end, while a server runs: whenever it is killed, the keys of the file open every secret, the server
// checks signatures, and who runs it again has everything sealed with the new key alone.
func TestKilledWhileRotating(t *testing.T) {
	town := Town{Holders: 20, Days: 1, Last: yesterday()}
	for _, kind := range Databases {
		t.Run(kind, func(t *testing.T) {
			r := rotation{url: NewURL(t, kind, true), file: filepath.Join(t.TempDir(), "seal.key")}
			t.Setenv("SOFTSTAKE_KEY_FILE", r.file)
			town.Build(t, r.url, Chance(Seed(t), 0))
			key := testkit.Must(access.NewSealKey(rand.Reader))(t)
			if err := os.WriteFile(r.file, []byte(key+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			r.books = testkit.Must(store.Open(t.Context(), r.url, store.Options{Clock: time.Now,
				Actor: access.Process("test"), Sealer: r.keys}))(t)
			t.Cleanup(func() {
				if err := r.books.Close(); err != nil {
					t.Error(err)
				}
			})
			r.seal(t, town)
			address := Serve(t, r.url)
			rotate := func() *Process { return Start(t, r.url, nil, nil, "key-rotate", "--actor", "olga") }
			all, killed, halfway := town.Holders*people.MaxKeys+1, 0, 0
			began := time.Now()
			if err := rotate().Wait(time.Minute); err != nil {
				t.Fatal(err)
			}
			span, rounds := time.Since(began), 5
			if Long() {
				rounds = 60
			}
			for i := range rounds {
				before := string(testkit.Must(os.ReadFile(r.file))(t))
				p := rotate()
				moment := time.NewTimer(span * time.Duration(i) / time.Duration(rounds))
				select {
				case <-moment.C:
				case <-p.exited:
				}
				moment.Stop()
				was := testkit.Must(p.Kill())(t)
				if was {
					killed++
				}
				if n := r.opened(t); n < all && string(testkit.Must(os.ReadFile(r.file))(t)) != before {
					halfway++
				}
				if status := r.signed(t, address); status != http.StatusOK {
					t.Fatalf("killed: the server answers a signed request with %d", status)
				}
				if err := rotate().Wait(time.Minute); err != nil {
					t.Fatal(err)
				}
				keys := strings.Fields(string(testkit.Must(os.ReadFile(r.file))(t)))
				if n := r.opened(t); n != all || len(keys) != 1 || keys[0] == strings.Fields(before)[0] {
					t.Fatalf("run again: %d of %d secrets are sealed with the first of %d keys", n, all, len(keys))
				}
			}
			if status := r.signed(t, address); status != http.StatusOK {
				t.Errorf("the server answers a signed request with %d", status)
			}
			t.Logf("%d of %d were killed, %d of them halfway", killed, rounds, halfway)
			if killed == 0 {
				t.Error("none was killed")
			}
		})
	}
}
