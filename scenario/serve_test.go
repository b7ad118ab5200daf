package scenario

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// notePayers has PostgreSQL keep which connection has paid: a trigger, which the
// books themselves have none of.
const notePayers = `
	CREATE TABLE payers (day bigint, asset text, bucket bigint, payer text);
	CREATE FUNCTION note_payer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
	BEGIN
		INSERT INTO payers VALUES (NEW.day, NEW.asset, NEW.bucket, current_setting('application_name'));
		RETURN NULL;
	END $$;
	CREATE TRIGGER note_payer AFTER INSERT ON payments FOR EACH ROW EXECUTE FUNCTION note_payer()`

// TestTwoServers lets two "softstake serve" settle the same books: each day is
// settled once, to the figures of one alone, and both have paid a part of it.
func TestTwoServers(t *testing.T) {
	seed := Seed(t)
	town := Town{Holders: 1500, Days: 4, Last: yesterday(), Changes: 100}
	alone := NewURL(t, "sqlite", false)
	town.Build(t, alone, Chance(seed, 0))
	wanted := town.Undisturbed(t, alone)

	town.Unfunded = true // until both are there
	url := NewURL(t, "postgres", true)
	town.Build(t, url, Chance(seed, 0))
	if _, err := Rows(t.Context(), url, notePayers); err != nil {
		t.Fatal(err)
	}
	db := Open(t, url, time.Now)
	var servers []*Process
	for n := range 2 {
		servers = append(servers, Start(t, fmt.Sprintf("%s&application_name=server-%d", url, n), nil, nil,
			"serve", "--listen", "127.0.0.1:0", "--close-after", "0s", "--poll", "20ms"))
	}
	for _, s := range servers {
		awaitWaiting(t, s)
	}
	if err := Fund(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if !eventually(time.Minute, func() bool {
		due, err := db.Due(t.Context(), town.Last)
		return err == nil && len(due) == 0
	}) {
		t.Error("the days are not settled")
	}
	for _, s := range servers {
		if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range servers {
		if err := s.Wait(time.Minute); err != nil {
			t.Error(err)
		}
		if strings.Contains(s.log.String(), "failed") {
			t.Errorf("the servers met, and one has failed:\n%s", s.log)
		}
	}
	if diff := cmp.Diff(wanted, town.rewards(t, url)); diff != "" {
		t.Errorf("the rewards of one alone, and (+) of two:\n%s", diff)
	}
	comparePayers(t, url)
	Clean(t, db)
}

// awaitWaiting waits until a server reports that it waits for funds.
func awaitWaiting(t *testing.T, s *Process) {
	t.Helper()
	if !eventually(time.Minute, func() bool { return strings.Contains(s.log.String(), "not enough funds") }) {
		_, err := s.Kill()
		t.Fatalf("the server does not say that it waits: %v\n%s", err, s.log)
	}
}

// comparePayers shows that each payment was made once, and that both made some.
func comparePayers(t *testing.T, url string) {
	t.Helper()
	twice, err := Rows(t.Context(), url, "SELECT day, asset, bucket, count(*) "+
		"FROM payers GROUP BY day, asset, bucket HAVING count(*) > 1")
	if err != nil || len(twice) > 0 {
		t.Errorf("paid twice: %v, %v", twice, err)
	}
	shares, err := Rows(t.Context(), url, "SELECT payer, count(*) FROM payers GROUP BY payer")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("who has paid how many buckets' days of a token: %v", shares)
	if len(shares) != 2 {
		t.Error("only one of the two was working")
	}
}
