// Package examples has programs for those who build on softstake. Its tests run them, as they are, beside the real
// server.
package examples

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/scenario"
)

func TestMain(m *testing.M) { scenario.Main(m) }

// site is books whose holder has earned, as payouts, and the program that serves them.
type site struct{ url, token, books string }

const holder = "u-1001"

func open(t *testing.T) *site {
	t.Helper()
	s := &site{books: scenario.NewURL(t, "sqlite", false)}
	day := func(before int) string { return time.Now().UTC().AddDate(0, 0, -before).Format(time.DateOnly) }
	s.softstake(t, "", "init", "--from", day(6), "--four-eyes", "off")
	s.softstake(t, "account,region,asset,amount\n"+holder+",DE,BNB,20\n", "load", "-")
	s.softstake(t, "", "accept", holder)
	s.softstake(t, "", "enroll", holder, "--at", day(5)+"T12:00:00Z")
	s.softstake(t, "", "fund", "BNB", "1")
	s.softstake(t, "", "payouts", "on")
	s.softstake(t, "", "settle")
	var made struct{ Token string }
	if err := json.Unmarshal(s.softstake(t, "", "token", "create", "--role", "exchange", "--json"), &made); err != nil {
		t.Fatal(err)
	}
	s.token = made.Token
	s.url = "http://" + scenario.Serve(t, s.books)
	return s
}

// softstake runs a command of the program, which must end well, and returns what it printed.
func (s *site) softstake(t *testing.T, stdin string, args ...string) []byte {
	t.Helper()
	return scenario.Output(t, s.books, stdin, args...)
}

// run runs a program, which must end well, and returns what it printed.
func run(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, out, problems.Bytes())
	}
	return string(out)
}

// none fails where a payout is open.
func (s *site) none(t *testing.T) {
	t.Helper()
	if got := string(s.softstake(t, "", "payouts", "list")); got != "Every payout is credited.\n" {
		t.Errorf("payouts are open: %s", got)
	}
}

// TestPython: each payout is credited once and acknowledged, whatever is run again.
func TestPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if errors.Is(err, exec.ErrNotFound) && os.Getenv("SOFTSTAKE_REQUIRE_CLIENTS") != "1" {
		t.Skip(err)
	}
	s := open(t)
	path := filepath.Join(t.TempDir(), "ledger.db")
	env := []string{"SOFTSTAKE_TOKEN=" + s.token, "NO_PROXY=127.0.0.1"}
	first := run(t, env, python, "python/payouts.py", s.url, path)
	second := run(t, env, python, "python/payouts.py", s.url, path)
	if !regexp.MustCompile(`^read [34] payouts\n$`).MatchString(first) || second != "read 0 payouts\n" {
		t.Errorf("it says %q, and then %q", first, second)
	}
	s.none(t)
}

// TestLedger: softstake follows the example's outbox, and the example credits each payout once; its events acknowledge
// them, and both sides have the same.
func TestLedger(t *testing.T) {
	server := pgtest.New(t, "wal_level=logical")
	address, err := server.NewDatabase(t.Context(), "ledger")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ledger := filepath.Join(dir, "ledger")
	run(t, nil, "go", "build", "-ldflags=-w", "-o", ledger, "./ledger")
	s := open(t)
	env := []string{"DATABASE_URL=" + address, "SOFTSTAKE_TOKEN=" + s.token, "NO_PROXY=127.0.0.1"}
	run(t, env, ledger, "init")
	database, err := pgx.Connect(t.Context(), address)
	if err == nil { // from before there was an outbox, as in the books
		_, err = database.Exec(t.Context(), "INSERT INTO balances VALUES ('u-1001', 'BNB', 'free', 20)")
	}
	if err := errors.Join(err, database.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"open u-1001 DE", "post u-1001 BNB free 0.5", "open u-1002 FR",
		"post u-1002 BNB free 7.5", "post u-1002 BNB free -2.5", "post u-1002 BNB held 2.5"} {
		run(t, env, ledger, strings.Fields(command)...)
	}
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := at.User.Password()
	t.Setenv("PGPASSWORD", password) // for softstake: an address has none
	at.User = url.User(at.User.Username())
	source := at.String() + "&slot=softstake&publication=softstake&snapshot=outbox"
	join := func() {
		s.softstake(t, "", "join", source, "--name", "example", "--mapping", "ledger/mapping.json", "--until-end")
	}
	join()
	if out := run(t, env, ledger, "credit", s.url); !regexp.MustCompile("^credited [34] ").MatchString(out) {
		t.Errorf("it says %q", out)
	}
	if out := run(t, env, ledger, "credit", s.url); !strings.HasPrefix(out, "credited 0 ") {
		t.Errorf("credited again, it says %q", out)
	}
	join()
	s.none(t)
	theirs := regexp.MustCompile(`(?m)^u-1001,BNB,(20\.5\d+)\nu-1002,BNB,7\.5$`).FindStringSubmatch(
		run(t, env, ledger, "balances"))
	if theirs == nil {
		t.Fatal("the example's balances are others")
	}
	for account, pattern := range map[string]string{"u-1001": theirs[1] + ` +0`, "u-1002": `5 +2\.5`} {
		if ours := s.softstake(t, "", "account", "show", account); !regexp.MustCompile(`BNB +` + pattern).Match(ours) {
			t.Errorf("%s has not %s:\n%s", account, pattern, ours)
		}
	}
}

// TestKafka: payouts that softstake delivers to a topic are credited once and acknowledged, also where all are sent
// again and the consumer was killed.
func TestKafka(t *testing.T) {
	address, err := pgtest.New(t).NewDatabase(t.Context(), "ledger")
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "payouts"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	broker := cluster.ListenAddrs()[0]
	consumer := filepath.Join(t.TempDir(), "consumer")
	run(t, nil, "go", "build", "-ldflags=-w", "-o", consumer, "./kafka")
	s := open(t)
	deliver := []string{"payouts", "deliver", "kafka://" + broker + "/payouts", "--name", "topic", "--until-end"}
	s.softstake(t, "", deliver...)
	consume := func(until func() bool) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), consumer, broker, "payouts", s.url)
		cmd.Env = append(os.Environ(), "DATABASE_URL="+address, "SOFTSTAKE_TOKEN="+s.token, "NO_PROXY=127.0.0.1")
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); !until(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Error("it is not credited within a minute")
				break
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // it was killed
	}
	consume(func() bool { return string(s.softstake(t, "", "payouts", "list")) == "Every payout is credited.\n" })
	before := row(t, address, "SELECT count(*) || ' ' || sum(amount) FROM credits, balances")
	s.softstake(t, "", append(deliver, "--from", "1")...)
	consume(func() bool {
		return row(t, address, "SELECT (sum(next) > "+before[:1]+")::text FROM topic_read") == "true"
	})
	if after := row(t, address, "SELECT count(*) || ' ' || sum(amount) FROM credits, balances"); after != before {
		t.Errorf("%s, and sent again %s", before, after)
	}
}

// row is the single text that a query returns.
func row(t *testing.T, address, query string) (text string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), address)
	if err == nil {
		err = errors.Join(c.QueryRow(t.Context(), query).Scan(&text), c.Close(t.Context()))
	}
	if err != nil {
		t.Fatal(err)
	}
	return text
}
