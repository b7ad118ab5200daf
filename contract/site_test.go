package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/softstake/softstake/scenario"
)

// site is books in which a holder has earned on one day, and the program that serves
// them.
type site struct {
	URL      string            `json:"url"`
	Tokens   map[string]string `json:"tokens"` // by role
	Places   map[string]string `json:"places"` // what stands for the placeholders of paths
	books    string
	document []byte
}

// holder is who has earned.
const holder = "alice"

// open makes the books with the program, as an operator would, and serves them.
func open(t *testing.T) *site {
	t.Helper()
	s := &site{books: scenario.NewURL(t, "sqlite", false), Tokens: map[string]string{}}
	day := func(before int) string { return time.Now().UTC().AddDate(0, 0, -before).Format(time.DateOnly) }
	s.softstake(t, "", "init", "--from", day(5), "--four-eyes", "off")
	s.softstake(t, "account,region,asset,amount\n"+holder+",DE,BNB,2\n", "load", "-")
	s.softstake(t, "", "accept", holder)
	s.softstake(t, "", "enroll", holder, "--at", day(4)+"T12:00:00Z")
	s.softstake(t, "", "fund", "BNB", "1")
	s.softstake(t, "", "price", "set", "BNB", day(3), "1000")
	s.softstake(t, "", "settle", "--through", day(2))
	key := filepath.Join(t.TempDir(), "anchor.key")
	s.softstake(t, "", "anchor", "key", "books.example.com", "--file", key)
	s.softstake(t, "", "anchor", "make", "--anchor-key", key) // balances can be proved from here on
	s.softstake(t, "", "campaign", "add", "spring", "BNB", "1", "--title", "Spring", "--token", "BNB", "--first", day(-2),
		"--last", day(-5))
	s.softstake(t, "account,asset,balance\n"+holder+",BNB,2\n", "reconcile", "-", "--day", day(3), "--asset", "BNB")
	// What {name} stands for is a document too.
	s.softstake(t, "", "webhook", "add", "risk-warning", "https://shop.example.com/hooks", "--kinds", "payouts")
	for _, role := range []string{"exchange", "operator", "auditor", "holder"} {
		args := []string{"token", "create", "--role", role, "--json"}
		if role == "holder" {
			args = append(args, "--account", holder)
		}
		var made struct{ Token string }
		if err := json.Unmarshal(s.softstake(t, "", args...), &made); err != nil {
			t.Fatal(err)
		}
		s.Tokens[role] = made.Token
	}
	s.Places = map[string]string{
		"account": holder, "asset": "BNB", "day": day(3), "name": "risk-warning", "version": "1", "code": "FR",
		"campaign": "spring", "year": day(0)[:4], "number": "1",
		"proposal": s.propose(t, "limit", "set", "ADA", "--total", "7"),
	}
	s.URL = "http://" + scenario.Serve(t, s.books)
	s.document = s.get(t, "/v1/openapi.json")
	return s
}

// propose turns four eyes on and runs a command that then needs approval, and returns the ID of its proposal.
func (s *site) propose(t *testing.T, args ...string) string {
	t.Helper()
	s.softstake(t, "", "four-eyes", "on")
	var out bytes.Buffer
	err := scenario.Start(t, s.books, nil, &out, args...).Wait(time.Minute)
	if e, is := errors.AsType[*exec.ExitError](err); !is || e.ExitCode() != 3 {
		t.Fatalf("%v was not proposed: %v", args, err)
	}
	var all []struct{ ID string }
	if err := json.Unmarshal(s.softstake(t, "", "proposal", "list", "--json"), &all); err != nil || len(all) != 1 {
		t.Fatalf("the proposals are %v: %v", all, err)
	}
	return all[0].ID
}

// softstake runs a command of the program, which must end well, and returns what it printed.
func (s *site) softstake(t *testing.T, stdin string, args ...string) []byte {
	t.Helper()
	return scenario.Output(t, s.books, stdin, args...)
}

// given is what a client needs to know: the server, its tokens, and which accounts it opens.
func (s *site) given(t *testing.T, client string) []string {
	t.Helper()
	s.Places["entry"] = client + "-d"
	text, err := json.Marshal(struct {
		*site
		Token   string `json:"token"`
		Account string `json:"account"`
		Other   string `json:"other"`
	}{s, s.Tokens["exchange"], client, client + "-other"})
	if err != nil {
		t.Fatal(err)
	}
	return []string{fmt.Sprintf("SOFTSTAKE_SERVER=%s", text)}
}
