package reconcile_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
)

// The tokens of the tests.
var (
	bnb    = ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: ledger.MaxSupply}
	points = ledger.Asset{Symbol: "POINTS", Scale: 0, MaxSupply: ledger.MaxSupply}
	known  = map[string]ledger.Asset{"BNB": bnb, "POINTS": points}
)

func compare(t testing.TB, ours []reconcile.Balance, theirs string, most int) reconcile.Result {
	t.Helper()
	figures, err := reconcile.Read(strings.NewReader(theirs), known)
	if err != nil {
		t.Fatal(err)
	}
	c := reconcile.New(known, figures.Balances, most)
	for range 2 { // as after a retry of the database
		c.Begin()
		for _, b := range ours {
			c.Add(b)
		}
	}
	return c.End()
}

func TestWhatDiffersIsFound(t *testing.T) {
	ours := []reconcile.Balance{{"alice", "BNB", 1_250000000}, {"alice", "POINTS", 7}, {"bob", "BNB", 5},
		{"carol", "BNB", 1}, {"erin", "BNB", -3}, {"frank", "DUST", 1}}
	r := compare(t, ours, `account,asset,balance
erin,BNB,-0.00000003
dave,BNB,2
alice,BNB,12.500000000000
bob,BNB,0.00000006
zoe,BNB,0
alice,POINTS,7
mallory,DOGE,1000
`, 10)
	var got []string
	for _, d := range r.Differences {
		got = append(got, fmt.Sprint(d.Account, " ", d.Asset.Symbol, " ", d.Ours, " ", d.Theirs, " ", d.Missing()))
	}
	if want := []string{"bob BNB 5 6 -1", "carol BNB 1 0 1", "dave BNB 0 200000000 -200000000"}; !slices.Equal(got, want) {
		t.Errorf("differences are %q, want %q", got, want)
	}
	if len(r.Tokens) != 2 || r.Tokens[0].Differences != 3 || r.Tokens[1].Differences != 0 || r.Differing() != 3 {
		t.Fatalf("the tokens are %+v", r.Tokens)
	}
	b, p := r.Tokens[0], r.Tokens[1]
	if b.Off != 2_00000002 || p.Off != 0 {
		t.Errorf("BNB differs by %d, POINTS by %d", b.Off, p.Off)
	}
	if b.Ours.Accounts != 4 || b.Theirs.Accounts != 4 || b.Ours.Sum.Int64() != 1_250000003 ||
		b.Theirs.Sum.Int64() != 1_450000003 {
		t.Errorf("BNB: %d and %d accounts, sums %s and %s", b.Ours.Accounts, b.Theirs.Accounts, &b.Ours.Sum, &b.Theirs.Sum)
	}
	if b.Ours.Root == b.Theirs.Root || p.Ours.Root != p.Theirs.Root || p.Ours.Root != tlog.RecordHash([]byte("alice 7")) {
		t.Errorf("the roots are %s and %s, %s and %s", b.Ours.Root, b.Theirs.Root, p.Ours.Root, p.Theirs.Root)
	}
}

// TestARootIsMadeByHand: that of three accounts, as docs/join.md says.
func TestARootIsMadeByHand(t *testing.T) {
	r := compare(t, []reconcile.Balance{{"alice", "BNB", 1_250000000}, {"bob", "BNB", 5}, {"carol", "BNB", 100000000}},
		"account,asset,balance\n", 0)
	leaf := func(text string) tlog.Hash { return tlog.RecordHash([]byte(text)) }
	want := tlog.NodeHash(tlog.NodeHash(leaf("alice 12.5"), leaf("bob 0.00000005")), leaf("carol 1"))
	if got := r.Tokens[0]; got.Ours.Root != want || got.Differences != 3 || len(r.Differences) != 0 {
		t.Errorf("the root is %s, want %s; %d differences", got.Ours.Root, want, got.Differences)
	}
}

// TestComparisonAgreesWithMaps: whatever the balances are, those that differ are the ones whose entries of two maps do.
func TestComparisonAgreesWithMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type key struct{ account, asset string }
		balances := rapid.MapOf(rapid.Custom(func(t *rapid.T) key {
			return key{rapid.StringMatching(`[A-Za-z0-9._:-]{0,3}x`).Draw(t, "account"),
				rapid.SampledFrom([]string{"BNB", "POINTS"}).Draw(t, "asset")}
		}), rapid.Int64Range(-2, 2))
		ours, theirs := balances.Draw(t, "ours"), balances.Draw(t, "theirs")
		var mine []reconcile.Balance
		for k, n := range ours {
			mine = append(mine, reconcile.Balance{Account: ledger.Account(k.account), Asset: k.asset,
				Amount: ledger.Amount(n)})
		}
		slices.SortFunc(mine, func(a, b reconcile.Balance) int {
			return strings.Compare(string(a.Account)+"\x00"+a.Asset, string(b.Account)+"\x00"+b.Asset)
		})
		text, lines := "account,asset,balance\n", []string(nil)
		sum, want := map[string]int64{}, 0
		for k, n := range theirs {
			lines = append(lines, fmt.Sprintf("%s,%s,%s\n", k.account, k.asset, known[k.asset].Format(ledger.Amount(n))))
			sum[k.asset] += n
			if ours[k] != n {
				want++
			}
		}
		for k, n := range ours {
			if _, both := theirs[k]; !both && n != 0 {
				want++
			}
		}
		rand.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		figures, err := reconcile.Read(strings.NewReader(text+strings.Join(lines, "")), known)
		if err != nil {
			t.Fatal(err)
		}
		c := reconcile.New(known, figures.Balances, 1000)
		for _, b := range mine {
			c.Add(b)
		}
		r := c.End()
		if len(r.Differences) != want {
			t.Fatalf("%d differences, want %d: %v", len(r.Differences), want, r.Differences)
		}
		for _, token := range r.Tokens {
			if token.Theirs.Sum.Cmp(big.NewInt(sum[token.Asset.Symbol])) != 0 {
				t.Fatalf("the sum of %s is %s, want %d", token.Asset.Symbol, &token.Theirs.Sum, sum[token.Asset.Symbol])
			}
			if (token.Differences == 0) != (token.Ours.Root == token.Theirs.Root) {
				t.Fatalf("%s: %d differences, and the roots %s and %s", token.Asset.Symbol, token.Differences,
					token.Ours.Root, token.Theirs.Root)
			}
		}
	})
}

func TestFiguresOfJSON(t *testing.T) {
	f, err := reconcile.Read(strings.NewReader("\ufeff\n"+`{"account":"bob","asset":"BNB","balance":"1.0"}
{"position":"0/1A2B","at":"2026-11-22T01:00:00+01:00"}

{"account":"alice","asset":"DOGE","balance":"5"}
{"account":"alice","asset":"BNB","balance":"0.5"}`), known)
	want := []reconcile.Balance{{"alice", "BNB", 50000000}, {"bob", "BNB", 100000000}}
	if err != nil || !slices.Equal(f.Balances, want) || f.Ignored != 1 || f.Position != "0/1A2B" ||
		!f.At.Equal(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v, %v", f, err)
	}
}

// TestAmountsThatDifferAreSummed without signs, and as far as an amount goes.
func TestAmountsThatDifferAreSummed(t *testing.T) {
	const most = ledger.Amount(math.MaxInt64)
	c := reconcile.New(known, []reconcile.Balance{{"alice", "POINTS", -most}}, 0)
	c.Add(reconcile.Balance{Account: "alice", Asset: "POINTS", Amount: most})
	c.Add(reconcile.Balance{Account: "bob", Asset: "POINTS", Amount: 1})
	if token := c.End().Tokens[1]; token.Off != most || token.Differences != 2 {
		t.Errorf("%d accounts differ by %d", token.Differences, token.Off)
	}
}

// TestPayoutsAreFigures: beside balances, or by themselves, in both forms.
func TestPayoutsAreFigures(t *testing.T) {
	want := []reconcile.Balance{{"alice", "BNB", 5}, {"bob", "BNB", 1}}
	for _, c := range []struct {
		text string
		with bool
		want []reconcile.Balance
	}{
		{"account,asset,balance,payout\nbob,BNB,3,0.00000001\nalice,BNB,,0.00000005\ncarol,BNB,2,\nerin,BNB,1,0\n", true,
			want},
		{"account,asset,balance,payout\n", true, nil},
		{"account,asset,balance\n", false, nil},
		{`{"account":"bob","asset":"BNB","balance":"3","payout":"0.00000001"}
{"payouts":"2026-11-21"}
{"account":"alice","asset":"BNB","payout":"0.00000005"}`, true, want},
		{`{"payouts":"2026-11-21"}`, true, nil},
		{`{"account":"bob","asset":"BNB","balance":"3"}`, false, nil},
	} {
		f, err := reconcile.Read(strings.NewReader(c.text), known)
		if err != nil || f.WithPayouts != c.with || !slices.Equal(f.Payouts, c.want) {
			t.Errorf("%q: %+v, %v", c.text, f, err)
		}
		if day := strings.Contains(c.text, "2026-11-21"); day != (f.PayoutsDay == "2026-11-21") {
			t.Errorf("%q: the day is %q", c.text, f.PayoutsDay)
		}
	}
}

func TestFiguresThatAreRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "there is nothing to read"},
		{"account,asset\nalice,BNB\n", `no column "balance"`},
		{"account,asset,balance\nalice,BNB,1\nalice,BNB,2\n", "two balances of BNB"},
		{"account,asset,balance\nalice,BNB,1.000000001\n", "line 2: "},
		{"account,asset,balance\nalice,BNB,1e3\n", "line 2: "},
		{"account,asset,balance\nalice,BNB,\n", "line 2: "},
		{"account,asset,balance\n@custody,BNB,1\n", "line 2: "},
		{"account,asset,balance\n,BNB,1\n", "line 2: "},
		{"account,asset,balance\n\"" + strings.Repeat("x\n", 1<<20), "longer than"},
		{"account,asset,balance\nalice,BNB\n", "line 2: "},
		{"account,asset,balance\n\"alice,BNB,1\n", "line 2: "},
		{`{"account":"alice","asset":"BNB","balance":1}`, "line 1: "},
		{`{"account":"alice","asset":"BNB"}`, "line 1: "},
		{`{"account":"alice","asset":"BNB","balance":"1","free":"1"}`, "line 1: "},
		{`{"account":"alice","asset":"BNB","balance":"1","position":"5"}`, "line 1: "},
		{"{\"position\":\"5\"}\n{\"at\":\"2026-11-22T00:00:00Z\"}", "line 2: "},
		{`{"at":"yesterday"}`, "no time like"},
		{`{"payouts":"yesterday"}`, "no day like"},
		{"account,asset,balance,payout\nalice,BNB,,\n", "line 2: "},
		{"account,asset,balance,payout\nalice,BNB,1,-1\n", "below zero"},
		{"account,asset,balance,payout\nalice,BNB,1,1\nalice,BNB,,1\n", "two payouts of BNB"},
		{`{"account":"alice","asset":"BNB","payout":"x"}`, "line 1: "},
		{`{"account":"alice","asset":"BNB","payout":"1","payouts":"2026-11-21"}`, "line 1: "},
		{`{"account":"alice","asset":"BNB","balance":"1"` + strings.Repeat(" ", 70<<10) + "}", "longer than"},
	} {
		_, err := reconcile.Read(strings.NewReader(c.text), known)
		if !errors.Is(err, ledger.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: %v, want %q", c.text, err, c.want)
		}
	}
}

func TestAddressesThatAreRefused(t *testing.T) {
	for address, want := range map[string]string{
		"mysql://ledger/exchange":                          "it is not like",
		"postgres://softstake:secret@localhost/exchange":   "has a password",
		"postgres://localhost/exchange?password=secret":    "has a password",
		"postgres://localhost/exchange?sslpassword=secret": "has a password",
		"postgres://softstake@ledger.example.com/exchange": "not secure",
		"postgres://localhost/exchange?sslmode=sometimes":  "cannot be read",
	} {
		_, err := reconcile.ParseQuery(address, "SELECT 1", "", false)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
}
