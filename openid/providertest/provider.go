// Package providertest is an OpenID provider in a process of its own, for tests: the example of zitadel/oidc, with
// groups. Its people can be changed while it runs, and so can the key that it signs with.
package providertest

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// What the provider knows of its one client.
const (
	ClientID = "console"
	Secret   = "of the console"
	Password = "correct horse battery" // everybody's
)

// Person is somebody whom the provider knows. The e-mail address is also the name to log in with.
type Person struct {
	ID, Email  string
	Unverified bool
	Groups     []string
}

// asProcess is the variable by which a test's program becomes the provider: the URL it sends browsers back to.
const asProcess = "SOFTSTAKE_TEST_PROVIDER"

// Main runs the provider in a program that Start has started, and does not return there; in others it does nothing.
// TestMain calls it.
func Main() {
	if redirect := os.Getenv(asProcess); redirect != "" {
		if err := run(redirect); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// directory is the people, and the keys.
type directory struct {
	*storage.Storage
	mu     sync.Mutex
	people map[string]Person
	keys   []signingKey // the last signs
}

type signingKey struct {
	id  string
	key *rsa.PrivateKey
}

func (k signingKey) ID() string                                  { return k.id }
func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k signingKey) Algorithm() jose.SignatureAlgorithm          { return jose.RS256 }
func (k signingKey) Use() string                                 { return "sig" }
func (k signingKey) Key() any                                    { return k.key }

type publicKey struct{ signingKey }

func (k publicKey) Key() any { return &k.key.PublicKey }

func (d *directory) rotate() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keys = []signingKey{{fmt.Sprintf("key-%d", time.Now().UnixNano()), key}}
	return err
}

func (d *directory) SigningKey(context.Context) (op.SigningKey, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.keys[len(d.keys)-1], nil
}

func (d *directory) KeySet(context.Context) ([]op.Key, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return []op.Key{publicKey{d.keys[len(d.keys)-1]}}, nil
}

func (d *directory) user(matches func(Person) bool) *storage.User {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.people {
		if matches(p) {
			return &storage.User{ID: p.ID, Username: p.Email, Password: Password, Email: p.Email, EmailVerified: !p.Unverified}
		}
	}
	return nil
}

func (d *directory) GetUserByID(id string) *storage.User {
	return d.user(func(p Person) bool { return p.ID == id })
}

func (d *directory) GetUserByUsername(name string) *storage.User {
	return d.user(func(p Person) bool { return p.Email == name })
}

func (d *directory) ExampleClientID() string { return storage.ServiceUserID }

func (d *directory) groups(info *oidc.UserInfo) {
	d.mu.Lock()
	defer d.mu.Unlock()
	info.AppendClaims("groups", d.people[info.Subject].Groups)
}

func (d *directory) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, token, subject,
	origin string) error {
	err := d.Storage.SetUserinfoFromToken(ctx, info, token, subject, origin)
	d.groups(info)
	return err
}

func run(redirect string) error {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	issuer := "http://" + listener.Addr().String()
	storage.RegisterClients(storage.WebClient(ClientID, Secret, redirect))
	d := &directory{people: map[string]Person{}}
	if err := d.rotate(); err != nil {
		return err
	}
	d.Storage = storage.NewStorage(d)
	mux := http.NewServeMux()
	mux.Handle("/", exampleop.SetupServer(issuer, d, slog.New(slog.DiscardHandler), false))
	mux.HandleFunc("POST /test/person", func(w http.ResponseWriter, r *http.Request) {
		var p Person
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.people[p.ID] = p
	})
	mux.HandleFunc("POST /test/rotate", func(w http.ResponseWriter, _ *http.Request) {
		if err := d.rotate(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	fmt.Println(issuer)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { // until the test that has started it ends
		if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		if err := server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Process is a provider that runs until the test ends.
type Process struct{ Issuer string }

// Start starts a provider whose client is sent back to one URL.
func Start(t *testing.T, redirect string) *Process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(self)
	command.Env = append(os.Environ(), asProcess+"="+redirect)
	command.Stderr = t.Output()
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(in.Close(), command.Wait()); err != nil {
			t.Error(err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return &Process{strings.TrimSpace(line)}
}

// Knows lets the provider know a person, or changes one.
func (p *Process) Knows(t *testing.T, person Person) {
	t.Helper()
	text, err := json.Marshal(person)
	if err != nil {
		t.Fatal(err)
	}
	p.post(t, "/test/person", "application/json", string(text))
}

// Rotate lets the provider sign with another key from now on, and forget the former.
func (p *Process) Rotate(t *testing.T) {
	t.Helper()
	p.post(t, "/test/rotate", "", "")
}

func (p *Process) post(t *testing.T, path, kind, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.Issuer+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	if answer := do(t, http.DefaultClient, r); answer.status != http.StatusOK {
		t.Fatalf("%s is answered with %d", path, answer.status)
	}
}

type answer struct {
	status         int
	location, body string
}

func do(t *testing.T, client *http.Client, r *http.Request) answer {
	t.Helper()
	reply, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(reply.Body)
	if err = errors.Join(err, reply.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return answer{reply.StatusCode, reply.Header.Get("Location"), string(body)}
}

var requestID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// LogIn is what a person does in a browser that was sent to an address of the provider, and returns the address that it
// is sent back to.
func (p *Process) LogIn(t *testing.T, address, email string) (back *url.URL) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	get := func(address string) answer {
		t.Helper()
		if strings.HasPrefix(address, "/") {
			address = p.Issuer + address
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		return do(t, client, r)
	}
	page := get(get(address).location)
	id := requestID.FindStringSubmatch(page.body)
	if id == nil {
		t.Fatalf("the provider shows no form: %d %s", page.status, page.body)
	}
	form := url.Values{"id": {id[1]}, "username": {email}, "password": {Password}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.Issuer+"/login/username",
		strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	in := do(t, client, r)
	if in.location == "" {
		t.Fatalf("the provider does not let %s in: %d %s", email, in.status, in.body)
	}
	back, err = url.Parse(get(in.location).location)
	if err != nil {
		t.Fatal(err)
	}
	return back
}
