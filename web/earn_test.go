package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// longSessions lets a log-in last for as long as a test moves the clock.
func longSessions(o *Options) { o.SessionIdle, o.SessionLife = 1000*time.Hour, 1000*time.Hour }

// earnWebsite is a website whose pool has funds, and whose holder has logged in.
func earnWebsite(t *testing.T) *website {
	t.Helper()
	w := newWebsite(t, longSessions)
	for _, text := range []string{"1000 BNB", "1000 SOL"} {
		w.fund(text)
	}
	w.login("alice@example.com")
	return w
}

// TestEarnOff: nothing is earned and nothing is pressed: what is missing, and the way to start.
func TestEarnOff(t *testing.T) {
	w := earnWebsite(t)
	w.get("/earn").is(http.StatusOK).has("Not earning", "Start Earning", `href="/earn/start"`,
		"Nothing you hold now reaches its minimum.", "hold 0.5 BNB",
		"Your rewards will be here, day by day, "+
			"once you have started earning.").hasNot("Stop earning…", "What comes next", "0.0000000000", "NaN")
	w.deposit("alice", "0.38 BNB")
	w.get("/earn").has("The nearest is BNB: hold 0.12 BNB more.", "hold 0.12 BNB more")
	w.deposit("alice", "10200 SOL")
	w.get("/earn").has("At today's balances you would earn on SOL.", "Would earn", "10,000 SOL",
		"Above the cap: 200 SOL do not earn")
}

// TestTheFirstThreeDays are what a newcomer sees, from the switch to the first reward.
func TestTheFirstThreeDays(t *testing.T) {
	w := earnWebsite(t)
	w.cookie("zone", "Europe/Berlin")
	w.deposit("alice", "2 BNB")
	w.enroll("alice")
	w.get("/earn?started").has("Soft Staking is on. Your tokens stay where they are",
		"Switched on. The first day that counts is 3 Mar 2026", "What comes next",
		"Day 2: measured from 3 Mar 2026, 00:00 UTC (01:00 your time)",
		"4 Mar 2026, 00:00 to 08:00 UTC (01:00 to 09:00 your time)", "Stop earning…", "Will earn").
		hasNot("Total earned USDT", "Start Earning", `aria-current="step"`)

	w.at(2, "12:00")
	w.deposit("alice", "1 BNB")
	w.at(2, "18:00")
	w.get("/earn").has("Earning since 3 Mar 2026", "What comes next", `class="now" aria-current="step"`,
		"The first day that counts is 3 Mar 2026.",
		"in 6 h 0 min", "Measured so far", "2.33333333", "0.00001027",
		"Your next reward will be here 4 Mar 2026").hasNot("Soft Staking is on. Your tokens")

	w.at(3, "00:01")
	w.get("/earn").has("Being paid", "about 0.00001027 BNB", "Any moment",
		"An earlier day's reward, which is not credited yet", "What comes next")
	w.settle(2)
	w.get("/earn").has("+0.00001027", "0.006162 USDT", "How was this computed?", `href="/earn/rewards/2026-03-03/BNB"`,
		`data-reward="0.00001027"`, "in 23 h 50 min").
		hasNot("What comes next", "Being paid", "An earlier day's reward")
	w.get("/earn/history").has("+0.00001027", "2.5", "4 Mar 2026, 01:10", "Export for taxes").hasNot("Older rewards")
}

// TestEarnWaits: a day without funds waits, and the page shows it; the other token is paid.
func TestEarnWaits(t *testing.T) {
	w := newWebsite(t, longSessions)
	w.login("alice@example.com")
	w.deposit("alice", "2 BNB")
	w.deposit("alice", "100 SOL")
	w.enroll("alice")
	w.at(3, "00:01")
	w.fund("1 BNB")
	w.settle(2)
	w.get("/earn").has("+0.00000821 BNB", "0.00219178 SOL of 3 Mar 2026 waits for the operator.").
		hasNot("right behind", "What comes next")
	w.settle(3)
	w.get("/earn").has("The days after it come right behind.").hasNot("What comes next")
	w.fund("1 SOL")
	w.settle(4)
	w.get("/earn").has("+0.00219").hasNot("waits for the operator")
}

// TestEarnLate: yesterday is not paid, and the hours in which it should be are over.
func TestEarnLate(t *testing.T) {
	w := earnWebsite(t)
	w.deposit("alice", "2 BNB")
	w.enroll("alice")
	w.at(3, "08:00")
	w.get("/earn").has("Later than usual", "about 0.00000821 BNB").hasNot("Any moment", "waits for the operator")
}

// TestEarnStopped: the day of the switch pays nothing, the day before it does.
func TestEarnStopped(t *testing.T) {
	w := earnWebsite(t)
	w.deposit("alice", "2 BNB")
	w.enroll("alice")
	w.at(3, "00:01")
	w.ok(w.books.Leave(t.Context(), "alice", staking.Client{}, time.Time{}))
	w.get("/earn").has("Not earning", "Being paid", "about 0.00000821 BNB", "Start Earning").
		hasNot("Today so far", "Stop earning…")
	w.settle(2)
	w.get("/earn").has("Not earning", "+0.00000821 BNB", "Soft Staking is off.")
	w.settle(3)
	w.get("/earn").has("Soft Staking was not on for the whole day.", "0.004926 USDT")
}

// TestEarnIdle: the switch is on, and nothing reaches its minimum, or not any more.
func TestEarnIdle(t *testing.T) {
	w := earnWebsite(t)
	w.deposit("alice", "2 BNB")
	w.enroll("alice")
	w.at(2, "06:00")
	w.move(ledger.Withdrawal, "alice", ledger.Custody, "1.99 BNB")
	w.get("/earn").has("Switched on since 3 Mar 2026, but nothing earns now", "The nearest is BNB: hold 0.49 BNB more.",
		"0.00000208", "Stop earning…")
	w.settle(2)
	w.get("/earn").has("None due", "+0.00000208 BNB")
	w.settle(3)
	w.get("/earn").has("No token reached its minimum on average.", "0.48999792 too little on average")
}

// TestEarnRestricted: the true reason, and nothing to press.
func TestEarnRestricted(t *testing.T) {
	w := newWebsite(t)
	w.holder("ursula", "US")
	w.holder("nemo", "")
	for who, why := range map[string]string{
		"ursula": "Your verified residence is US", "nemo": "Your residence is not verified yet",
	} {
		b := w.another()
		b.login(who + "@example.com")
		b.get("/earn").is(http.StatusOK).has("Not earning: not offered to you", why, "Everything else works").
			hasNot("Start Earning", "Stop earning…")
		b.get("/help").has(why)
	}
	w.login("alice@example.com")
	w.get("/earn", "X-Test-Country", "US").has("You are in US now").hasNot("Start Earning")
	w.get("/earn").has("Start Earning")
}

// TestEarnHistory: page by page nothing is repeated or left out, of all tokens and of one.
func TestEarnHistory(t *testing.T) {
	w := earnWebsite(t)
	w.deposit("alice", "2 BNB")
	w.deposit("alice", "100 SOL")
	w.deposit("alice", "500 ADA")
	w.fund("1000 ADA")
	w.enroll("alice")
	for day := 2; day < 42; day++ {
		w.settle(day)
	}
	for _, asset := range []string{"", "BNB"} {
		want, seen := 0, map[string]int{}
		w.ok(reports.New(w.books.Reader()).Rewards(t.Context(), "alice", w.day(1), w.day(99),
			func(r reports.Reward) error {
				if asset == "" || r.Asset == asset {
					want++
				}
				return nil
			}))
		path, pages := historyPage{Asset: asset}.Newest(), 0
		for path != "" && pages < 9 {
			p := w.get(path).is(http.StatusOK)
			for _, part := range strings.Split(p.body, `<td role="cell" class="how"><a href="/earn/rewards/`)[1:] {
				reward, _, _ := strings.Cut(part, `"`)
				seen[reward]++
			}
			path, pages = "", pages+1
			if _, after, there := strings.Cut(p.body, `<a class="button" href="`); there {
				path, _, _ = strings.Cut(strings.ReplaceAll(after, "&amp;", "&"), `"`)
			}
		}
		for reward, n := range seen {
			if n != 1 {
				t.Errorf("%s is shown %d times", reward, n)
			}
		}
		if len(seen) != want || want == 0 {
			t.Errorf("of %q %d rewards are shown on %d pages, not %d", asset, len(seen), pages, want)
		}
	}
	w.get("/earn/history?after=nonsense").is(http.StatusNotFound)
	w.get("/earn/history?asset=NOPE").is(http.StatusNotFound)
	w.get("/earn/history?after=1999-01-01").is(http.StatusOK).has("Back to the newest")
	w.get("/earn?asset=%3Cscript%3E&days=1e9").is(http.StatusOK).hasNot("<script>alert", "1e9")
}

// TestHelp answers every question, and says what holds for the visitor.
func TestHelp(t *testing.T) {
	w := earnWebsite(t)
	p := w.get("/help").is(http.StatusOK).has("No. Soft Staking is off.", "Nothing you hold now reaches its minimum.",
		"Your verified residence is DE, where it is offered.")
	for _, name := range allQuestions {
		p.has(`id="q-` + name + `"`)
	}
	w.deposit("alice", "2 BNB")
	w.deposit("alice", "20000 SOL")
	w.get("/help").has("beside SOL in your Spot wallet, and it is grey", "would count: 2 BNB and 10,000 SOL",
		"10,000 SOL of yours lie above the cap of 10,000 SOL")
	w.enroll("alice")
	w.get("/help").has("beside SOL, and it is yellow", "The first day that counts is 3 Mar 2026.")
	w.settle(2)
	w.get("/help").has("Yes, since 3 Mar 2026. Earning now: BNB and SOL.",
		"Yesterday, 3 Mar 2026: 0.21917808 SOL, which is 10,000 SOL at 0.8% a year, for one day.")
	w.cookie("lang", "de")
	w.get("/help").has("Ja, seit dem 3. März 2026. Jetzt verdienen Sie an: BNB und SOL.", "0,21917808 SOL")
	w.get("/earn").has("Sie verdienen seit dem 3. März 2026", "Obergrenze")
}
