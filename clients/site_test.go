package clients

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/scenario"
)

// site is books with some holders, and the program that serves them. Each holder
// has 2 BNB and 300 ADA and has earned on three days, the last of them the day
// before yesterday: what yesterday pays is not in the pool, so that nothing changes
// while the clients talk, whatever the hour.
type site struct {
	dir       string
	url       string // of the books
	address   string // of the server
	began     time.Time
	deposited time.Time
	log       *buffer
	serving   *exec.Cmd
	exited    chan error // how it ended
}

// buffer is a buffer that may be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// open makes the books with the program, as an operator would, and serves them.
func open(t *testing.T, kind string, holders []string) *site {
	t.Helper()
	began := time.Now()
	day := func(before int) string { return began.UTC().AddDate(0, 0, -before).Format(time.DateOnly) }
	at, err := time.Parse(time.RFC3339, day(5)+"T12:00:00Z")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{dir: t.TempDir(), url: scenario.NewURL(t, kind, false), began: began, deposited: at, log: &buffer{}}
	s.softstake(t, "", "init", "--from", day(6), "--withdrawal-factor", "off", "--four-eyes", "off")
	balances, deposits := "account,region,asset,amount\n", ""
	for _, h := range holders {
		balances += fmt.Sprintf("%s,DE,BNB,1.5\n%s,DE,ADA,300\n", h, h)
		deposits += fmt.Sprintf(`{"id":"deposit-%s","kind":"deposit","at":%q,"moves":[{"from":"@custody","to":%q,"asset":"BNB","amount":"0.5"}]}`+"\n",
			h, at.Format(time.RFC3339), h)
	}
	s.softstake(t, balances, "load", "-")
	s.softstake(t, deposits, "post", "-")
	for _, h := range holders {
		s.softstake(t, "", "accept", h)
		s.softstake(t, "", "enroll", h, "--at", at.Add(time.Hour).Format(time.RFC3339))
		s.softstake(t, "", "address", "set", h, "BNB", "0x94df8b352de7f46f64b01d3666bf6e936e44ce60", "--network", "BSC")
		s.softstake(t, "", "withdrawal-address", "load", h, "BNB", "0x94df8b352de7f46f64b01d3666bf6e936e44ce60",
			"--network", "BSC")
		s.softstake(t, "", "withdrawal-address", "load", h, "BNB", "bnb136ns6lfw4zs5hg4n85vdthaad7hq5m4gtkgf23",
			"--network", "BNB", "--tag", "101764890")
	}
	// Three and a half days: a day is 2 × 0.0015 / 365 BNB and 300 × 0.005 / 365 ADA a holder.
	s.softstake(t, "", "fund", "BNB", fmt.Sprintf("0.%08d", 2_877*len(holders)))
	s.softstake(t, "", "fund", "ADA", fmt.Sprintf("0.%08d", 1_438_356*len(holders)))
	s.softstake(t, "", "price", "set", "BNB", day(4), "1000")
	s.softstake(t, "", "price", "set", "ADA", day(4), "0.5")
	s.softstake(t, "", "settle", "--through", day(2))
	s.serve(t, "127.0.0.1:0")
	return s
}

// command is the program with the site's books.
func (s *site) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(scenario.Program(t), args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "SOFTSTAKE_DB="+s.url, "SOFTSTAKE_KEY_FILE="+filepath.Join(s.dir, "softstake.key"))
	return cmd
}

// softstake runs a command of the program, which must end well, and returns what it printed.
func (s *site) softstake(t *testing.T, stdin string, args ...string) []byte {
	t.Helper()
	cmd := s.command(t, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("softstake %s: %v\n%s%s", strings.Join(args, " "), err, out, problems.Bytes())
	}
	return out
}

// serve starts the server at an address, and ends it with the test unless it was stopped.
// All clients come from one address, and ask for more snapshots than the exchange's
// weights allow it a minute.
func (s *site) serve(t *testing.T, address string) {
	t.Helper()
	s.log, s.exited = &buffer{}, make(chan error, 1)
	s.serving = s.command(t, "serve", "--listen", address, "--exchange-weights", "off")
	s.serving.Stderr = s.log
	if err := s.serving.Start(); err != nil {
		t.Fatal(err)
	}
	go func(cmd *exec.Cmd, exited chan<- error) { exited <- cmd.Wait() }(s.serving, s.exited)
	t.Cleanup(func() { s.stop(t) })
	serving := regexp.MustCompile(`msg=serving address=(\S+)`)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if found := serving.FindStringSubmatch(s.log.String()); found != nil {
			s.address = found[1]
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server does not serve:\n%s", s.log)
		}
	}
}

// stop ends the server, if it serves.
func (s *site) stop(t *testing.T) {
	t.Helper()
	if s.serving == nil {
		return
	}
	if err := s.serving.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	if err := <-s.exited; err != nil {
		t.Errorf("serve: %v\n%s", err, s.log)
	}
	s.serving = nil
}

// logged is the server's log, for a message.
func (s *site) logged() string { return "the server has logged:\n" + s.log.String() }

// credentials are what a client is given.
type credentials struct {
	URL        string         `json:"url"`
	APIKey     string         `json:"apiKey"`
	Secret     string         `json:"secret,omitempty"`
	PrivateKey string         `json:"privateKey,omitempty"` // PEM
	Type       access.KeyType `json:"type"`
}

// key makes a holder's API key with the program.
func (s *site) key(t *testing.T, holder string, kind access.KeyType) credentials {
	t.Helper()
	given := credentials{URL: "http://" + s.address, Type: kind}
	args := []string{
		"key", "create", "--account", holder, "--type", string(kind), "--permissions", "read,trade,withdraw",
		"--address", "127.0.0.1,::1", "--json",
	}
	if kind != access.HMAC {
		private, public := pair(t, kind)
		file := filepath.Join(t.TempDir(), "public.pem")
		if err := os.WriteFile(file, []byte(public), 0o600); err != nil {
			t.Fatal(err)
		}
		args, given.PrivateKey = append(args, "--public-key", file), private
	}
	var made struct{ APIKey, SecretKey string }
	if err := json.Unmarshal(s.softstake(t, "", args...), &made); err != nil {
		t.Fatal(err)
	}
	given.APIKey, given.Secret = made.APIKey, made.SecretKey
	return given
}

// pair makes a private and a public key, in PEM.
func pair(t *testing.T, kind access.KeyType) (private, public string) {
	t.Helper()
	var secret, open any
	if kind == access.RSA {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		secret, open = key, &key.PublicKey
	} else {
		var err error
		if open, secret, err = ed25519.GenerateKey(rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	private8, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	publicX, err := x509.MarshalPKIXPublicKey(open)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private8})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: publicX}))
}
