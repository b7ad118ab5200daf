package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/store"
)

// reading are the commands that change nothing in the books. Whoever adds such a command
// adds it here; one that changes something is added to changing.
var reading = strings.Fields(`demo estimate simulate status account:list account:show address:list withdrawal-address:list withdrawal:list payouts:list payouts:status events:status reconciliation:list proposal:list proposal:show owner:list label:list
	days:closing rewards explain statement entry tax
	asset:list terms:list limit:list limit:list-account limit:history income:list fees:list campaign:list campaign:show price:list currency:list documents:list documents:show region:list exclude:list
	login:list key:list token:list staff:list rates disclosure:list disclosure:show
	audit anchor:key anchor:list proof verify log bench:settle bench:post bench:http bench:pages
	bench:join bench:payouts bench:records webhook:list webhook:show webhook:messages join:status join:late join:skips
	reconcile:list reconcile:show`)

// elsewhere are the commands whose lines other tests look for: those of "serve" are of its
// requests, and of the daily run, which "settle" shows; "upgrade", "restore" and "key protect" work on other books
// than these: TestOldBooksAreUpgraded, the script "restore" and TestKeyProtect. "privacy prune" does what "serve" does
// by itself each hour, and no line would say more than its retention. What delivers, and ends that, needs a target,
// which the scripts "payouts" and "events" have.
var elsewhere = []string{"serve", "upgrade", "restore", "privacy prune", "key protect", "payouts deliver",
	"payouts end-delivery", "events deliver", "events end-delivery"}

// changing are commands, each with what the log calls it, in an order in which all
// succeed: a minute after each other, from noon of the first day of the books on.
var changing = []struct{ path, args, stdin, action string }{
	{"init", "--four-eyes off", "", "init"},
	{"account open", "alice --region DE", "", "account open"},
	{"account open", "bob --region FR", "", "account open"},
	{"account set-region", "bob DE", "", "account set-region"},
	{"owner set", "bob customer-7", "", "owner set"},
	{"label add", "bob vip", "", "label add"},
	{"label remove", "bob vip", "", "label remove"},
	{"account close", "bob", "", "account close"},
	{"account erase", "bob", "", "account erase"},
	{"address set", "alice BNB 0x1", "", "address set"},
	{"address remove", "alice BNB", "", "address remove"},
	{"withdrawal-address load", "alice BNB 0x1", "", "withdrawal-address load"},
	{"withdrawal-address remove", "alice 0x1", "", "withdrawal-address remove"},
	{"accept", "alice", "", "accept"},
	{"enroll", "alice", "", "enroll"},
	{"leave", "alice", "", "leave"},
	{"exclude add", "alice BNB --product Launchpool", "", "exclude add"},
	{"exclude end", "alice BNB --product Launchpool", "", "exclude end"},
	{"exclude import", "-", "account,product,from\nalice,Locked,2026-11-25\n", "exclude add"},
	{"exclude import", "- --end", "account,product,until\nalice,Locked,2026-11-25\n", "exclude end"},
	{"load", "-", "account,region,asset,amount\ncarol,DE,BNB,5\n", "load"},
	{"load", "-", "account,region,asset,amount\ndave,DE,BNB,5\n", "account open"},
	{"accept", "carol", "", "accept"},
	{"enroll", "carol", "", "enroll"},
	{"post", "-", `{"id":"d-1","kind":"deposit","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"5"}]}`, "post"},
	{"import", "history.csv --account alice", "", "import"},
	{"import", "more.csv --account alice", "", "import read"},
	{"post", "- --authoritative", `{"id":"w-0","kind":"withdrawal","at":"2026-11-22T12:00:30Z","moves":[{"from":"alice","to":"@custody","asset":"BNB","amount":"4"}],"authoritative":true}`, "post"},
	{"reconciliation resolve", "w-0 --reason late", "", "reconciliation resolve"},
	{"account freeze", "alice --reason order", "", "account freeze"},
	{"account unfreeze", "alice --reason lifted", "", "account unfreeze"},
	{"join run", "file:events --name shop --until-end", "", "join add"},
	{"join resume", "shop/p1", "", "join resume"},
	{"join run", "file:events --name shop --until-end", "", "join"},
	{"join skip", "shop/p1 e-2 --reason typing", "", "join skip"},
	{"join retire", "shop/p1 --reason done", "", "join retire"},
	{"join close", "2026-11-21 --reason down", "", "join close"},
	{"adjust", "a-1 alice @custody BNB 1 --reason missed", "", "adjust"},
	{"fund", "BNB 10", "", "fund"},
	{"fund", "BNB 1 --withdraw", "", "fund withdraw"},
	{"post", "-", `{"id":"w-1","kind":"withdrawal-request","moves":[{"from":"alice","to":"alice/held","asset":"BNB","amount":"1"}]}`, "withdrawal request"},
	{"withdrawal complete", "w-1 --account alice", "", "withdrawal complete"},
	{"post", "-", `{"id":"w-2","kind":"withdrawal-request","moves":[{"from":"alice","to":"alice/held","asset":"BNB","amount":"1"}]}`, "withdrawal request"},
	{"withdrawal cancel", "w-2 --account alice", "", "withdrawal cancel"},
	{"campaign add", "spring BNB 5 --title Spring --first 2026-11-23 --last 2026-11-30 --token BNB", "", "campaign add"},
	{"campaign end", "spring --last 2026-11-25", "", "campaign end"},
	{"asset add", "DOT --max-supply 2100000000 --apr 0.1 --min 1 --cap 100", "", "asset add"},
	{"terms set", "BNB --min 0.6 --fee 0.3", "", "terms set"},
	{"limit set", "BNB --total 1000", "", "limit set"},
	{"price set", "BNB 2026-11-22 600", "", "price set"},
	{"price import", "-", "asset,day,price\nSOL,2026-11-22,150\n", "price set"},
	{"currency set", "EUR 2026-11-22 0.92", "", "currency set"},
	{"currency import", "-", "currency,day,rate\nGBP,2026-11-22,0.79\n", "currency set"},
	{"documents publish", "risk-warning warning.txt", "", "document publish"},
	{"disclosure set", "BNB -", "BNB is staked with two validators.\n", "disclosure set"},
	{"region add", "BR", "", "region add"},
	{"region remove", "BR", "", "region remove"},
	{"login add", "alice@example.com --account alice", "", "login add"},
	{"login invite", "alice@example.com", "", "login invite"},
	{"login reset-factors", "alice@example.com", "", "factor reset"},
	{"login remove", "alice@example.com", "", "login remove"},
	{"key create", "--account alice --type hmac", "", "key create"},
	{"key limit", "{key} --address 192.0.2.0/24", "", "key limit"},
	{"key-rotate", "", "", "key reseal"},
	{"key revoke", "{key}", "", "key revoke"},
	{"token create", "--role exchange", "", "token create"},
	{"token revoke", "{token}", "", "token revoke"},
	{"break-glass make", "", "", "token create"},
	{"staff add", "olga@example.com --role operator", "", "staff add"},
	{"staff set-role", "olga@example.com approver", "", "staff set-role"},
	{"staff disable", "olga@example.com", "", "staff disable"},
	{"staff invite", "olga@example.com", "", "staff invite"},
	{"days set-close-after", "10m", "", "days set-close-after"},
	{"limit set-account", "BNB 5", "", "limit set-account"},
	{"withdrawal-factor off", "", "", "withdrawal-factor off"},
	{"withdrawal-factor on", "", "", "withdrawal-factor on"},
	{"payouts on", "", "", "payouts on"},
	{"payouts off", "", "", "payouts off"},
	{"payouts on", "", "", "payouts on"},
	{"four-eyes on", "", "", "four-eyes on"},
	{"limit set", "ADA --total 7", "", "proposal make"},
	{"proposal approve", "{proposal}", "yes\n", "proposal approve"},
	{"limit set", "SOL --total 7", "", "proposal make"},
	{"proposal reject", "{proposal} --reason typing", "", "proposal reject"},
	{"four-eyes off", "", "", "proposal make"},
	{"proposal approve", "{proposal}", "yes\n", "four-eyes off"},
	{"limit set", "BNB --total 0.00000001", "", "limit set"},
	{"settle", "", "", "day close"},
	{"reconcile set-limit", "ADA --accounts 0", "", "reconcile set-limit"},
	{"reconcile run", "- --asset ADA", "account,asset,balance\nalice,ADA,1\n", "reconcile"},
	{"reconcile resolve", "1 ADA --reason known", "", "reconcile resolve"},
	{"reconcile set", "--endpoint https://ledger.example.com/balances --untested", "", "reconcile set"},
	{"reconcile set-limit", "BNB --off --without-comparison wait", "", "reconcile set-limit"},
	{"reconcile release", "BNB 2026-11-23 --reason known", "", "reconcile release"},
	{"compensate", "alice 2026-11-22 BNB 0.1 --name n-1 --reason late", "", "compensate"},
	{"payouts answer", "compensation/2026-11-22/BNB/alice/n-1 --transaction tx-1", "", "payouts answer"},
	{"webhook add", "shop https://shop.example.com/hooks --kinds payouts --payouts-after 1", "", "webhook add"},
	{"webhook change", "shop --kinds payouts,settled", "", "webhook change"},
	{"webhook rotate", "shop --signature ed25519", "", "webhook rotate"},
	{"webhook test", "shop", "", "webhook test"},
	{"webhook replay", "shop payouts_1", "", "webhook replay"},
	{"webhook skip", "shop payouts_1 --reason poison", "", "webhook skip"},
	{"webhook disable", "shop --reason holidays", "", "webhook disable"},
	{"webhook enable", "shop", "", "webhook enable"},
	{"webhook remove", "shop", "", "webhook remove"},
	{"income add", "e-1 BNB 2 --first 2026-11-22 --last 2026-11-23 --chain bsc --source v-1 --evidence 0x1", "", "income"},
	{"income import", "-",
		"reference,asset,chain,source,first,last,gross,evidence\ne-2,BNB,bsc,v-1,2026-11-23,2026-11-23,2,0x2\n", "income"},
	{"fees withdraw", "BNB 0.3", "", "fees withdraw"},
	{"fees return", "BNB 0.1", "", "fees return"},
	{"terms correct", "2026-11-24 SOL --apr 0.1 --reason typing", "", "terms correct"},
	{"settle", "--approve 2026-11-23 BNB", "", "settle approve"},
	{"anchor make", "--anchor-key anchor.key", "", "anchor"},
	{"backup", "backup.db", "", "backup"},
}

// laterDays are the moments that some of the commands play at, by action: days are over then.
var laterDays = map[string]time.Time{
	"day close": noon.AddDate(0, 0, 2), "terms correct": noon.AddDate(0, 0, 3), "settle approve": noon.AddDate(0, 0, 4),
}

// TestEveryCommandIsClassified: a command changes nothing, or says what the log calls it.
func TestEveryCommandIsClassified(t *testing.T) {
	var a app
	k, err := kong.New(&a, kong.Name("softstake"), groups)
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range k.Model.Leaves(true) {
		path := pathOfCommand(leaf)
		changes := slices.ContainsFunc(changing, func(c struct {
			path, args, stdin,
			action string
		}) bool {
			return c.path == path
		})
		if reads := slices.Contains(reading, strings.ReplaceAll(path, " ", ":")); reads == changes &&
			!slices.Contains(elsewhere, path) {
			t.Errorf("%q: does it change something, and what does the log call it?", path)
		}
	}
	for _, c := range changing {
		if _, known := control.RuleOf(control.Operation(c.action)); !known {
			t.Errorf("%s is %q in the log: say in the package control who may do it, and what needs approval", c.path, c.action)
		}
	}
}

// pathOfCommand is a command without its arguments: "account open".
func pathOfCommand(n *kong.Node) string {
	path := n.Name
	for p := n.Parent; p != nil && p.Parent != nil; p = p.Parent {
		path = p.Name + " " + path
	}
	return path
}

// TestEachCommandIsLogged: a command that changes something leaves the line of the log
// that is expected of it, by the operator who gave it.
func TestEachCommandIsLogged(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"history.csv": exportHeader + "1,2026-11-22 10:00:00,Spot,Deposit,BNB,1,\n",
		"more.csv": exportHeader + "1,2026-11-22 10:00:00,Spot,Deposit,BNB,1,\n" +
			"1,2026-11-22 10:30:00,Spot,Deposit,BNB,2,\n",
		"warning.txt": "Take care.\n",
		"events/p1.jsonl": `{"id":"e-1","at":"2026-11-22T12:00:00Z","account":"alice","token":"BNB","change":"1"}` + "\n" +
			`{"id":"e-2","at":"2026-11-22T12:00:00Z","account":"nobody","token":"BNB","change":"1"}` + "\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	must(t, "", "anchor", "key", "books.example.com")
	printed, now := "", noon
	for _, c := range changing {
		now = now.Add(time.Minute)
		if later := laterDays[c.action]; later.After(now) {
			now = later
		}
		args := append(strings.Fields(c.path), strings.Fields(strings.NewReplacer("{key}", found(printed, `[A-Za-z0-9]{64}`), "{token}", found(printed, `sst_([A-Za-z0-9]{12})_`),
			"{proposal}", found(printed, `proposal approve ([0-9a-f]{12})`)).Replace(c.args))...)
		if c.action == "factor reset" {
			addFactor(t, now)
		}
		actor := "token olga"
		if strings.HasPrefix(c.path, "proposal ") { // another than who proposed
			actor = "bob"
		}
		out, proposed, status := commandAt(t.Context(), now, strings.NewReader(c.stdin), append(args, "--actor", actor)...)
		// A partition that has stopped and a token whose day is over a limit are exit status 1.
		want := map[string]int{"proposal make": 3, "join": 1, "join add": 1, "day close": 1, "settle approve": 1,
			"reconcile": 1}[c.action]
		if status != want {
			t.Fatalf("%q: exit status %d: %s", args, status, proposed)
		}
		out += proposed
		if !strings.HasPrefix(c.path, "settle") {
			printed = out + printed
		}
		var lines []logJSON
		if err := json.Unmarshal([]byte(mustAt(t, now, "", "log", "--json", "--limit", "1000")), &lines); err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(lines, func(l logJSON) bool {
			return l.Action == c.action && l.Actor == "operator "+actor && l.Role == "operator" &&
				!time.Time(l.At).Before(now)
		}) {
			t.Errorf("%s %s has left no line %q", c.path, c.args, c.action)
		}
	}
}

// found is the first text, or its first part in brackets, that matches.
func found(text, pattern string) string {
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[len(m)-1]
}

// addFactor gives alice an authenticator app, in the books that commands open when nothing is said.
func addFactor(t *testing.T, now time.Time) {
	t.Helper()
	subject := access.LoginSubject("alice@example.com")
	as := func(proof string) *store.DB {
		db, err := store.Open(t.Context(), "sqlite:softstake.db", store.Options{Clock: func() time.Time { return now },
			Actor:  access.Actor{Role: access.Holder, Account: "alice", Credential: subject}.With(proof),
			Sealer: sealerOf("sqlite:softstake.db")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		return db
	}
	proof, err := as("").People().ConfirmPassword(t.Context(), subject, access.AddFactorStepUp("totp", ""))
	if err == nil {
		err = as(proof).People().SetTOTP(t.Context(), subject, []byte("sealed"), 1, nil, people.Visitor{})
	}
	if err != nil {
		t.Fatal(err)
	}
}
