package web

import (
	"encoding/csv"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// earner is a website in which alice earns from Day 2 on.
func earner(t *testing.T, deposits ...string) *website {
	t.Helper()
	w := newWebsite(t)
	for _, d := range deposits {
		w.deposit("alice", d)
	}
	w.fund("100 BNB")
	w.enroll("alice")
	return w
}

// read is a page as alice sees it, who logs in first: days have gone by.
func (w *website) read(path string) answer {
	w.Helper()
	w.login("alice@example.com")
	return w.get(path)
}

// keys begin the names of texts, which no page shows.
var keys = []string{
	"reward.why", "chart.mark", "chart.text", "reward.sum", "reward.check", "export.format", "export.note",
	"activity.is",
}

// file is a CSV file's rows, each by its columns' names.
func (p answer) file() (rows []map[string]string) {
	p.b.w.Helper()
	p.is(http.StatusOK)
	all, err := csv.NewReader(strings.NewReader(p.body)).ReadAll()
	p.b.w.ok(err)
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = cells[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// exactly reads a decimal number without rounding.
func exactly(t *testing.T, text string) *big.Rat {
	t.Helper()
	n, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is not a number", text)
	}
	return n
}

func TestARewardIsExplained(t *testing.T) {
	w := earner(t, "2 BNB")
	w.cookie("zone", "Europe/Berlin")
	w.at(2, "12:00")
	w.deposit("alice", "0.5 BNB")
	w.at(2, "18:00")
	w.move(ledger.Hold, "alice", "alice/held", "1 BNB")
	w.settle(2)
	path := fmt.Sprintf("/earn/rewards/%s/BNB", w.day(2))
	// 2 × 86400 + 0.5 × 43200 − 1 × 21600 = 172800; ÷ 86400 = 2; × 0.0015 ÷ 365 = 0.0000082191…
	w.read(path).is(200).has(
		"Credited +0.00000821 BNB", "Worth 0.004926 USDT at the day's price of 600 USDT",
		"Balance at the start 2 × 86,400 s 172,800", "12:00:00 Deposit + 0.5 × 43,200 s + 21,600",
		"18:00:00 Held for an order − 1 × 21,600 s − 21,600",
		"Together 172,800", "Average of the day ÷ 86,400 s 2", "Minimum 0.5 ✓ reached",
		"Cap 1,000 all of the average earns",
		"At 0.15% a year 2 × 0.0015 ÷ 365 0.0000082191780821…",
		"Credited, rounded down 0.00000821 BNB", "Carried on to the next reward 0.0000000091780821…",
		"13:00:00 Deposit +0.5 2.5 06:00:00", "It changed 2 times.",
	).hasNot(append(keys, "NaN")...)
	w.cookie("lang", "de")
	w.read(path).is(200).has("0,00000821 BNB", "Gutgeschrieben, abgerundet", "Zu 0,15\u00a0% im Jahr").hasNot(keys...)

	w.settle(3)
	w.read(path).has(fmt.Sprintf(`href="/earn/rewards/%s/BNB"`, w.day(3)))
	for _, missing := range []string{
		"2026-13-01/BNB", "tomorrow/BNB", w.day(2).String() + "/DOGE", w.day(0).String() + "/BNB",
		w.day(5).String() + "/BNB", "1969-12-31/BNB",
	} {
		w.read("/earn/rewards/" + missing).is(http.StatusNotFound)
		w.read("/earn/rewards/" + missing + "/changes.csv").is(http.StatusNotFound)
	}
}

// TestAnyDaysFileComesToItsReward: who adds the file up comes to what was credited, exactly, whatever moved.
func TestAnyDaysFileComesToItsReward(t *testing.T) {
	w := earner(t, "900 BNB", "1 SOL")
	w.holder("bob", "DE")
	w.deposit("bob", "900 BNB")
	random := rand.New(rand.NewPCG(4, 2))
	for day := 2; day <= 5; day++ {
		for hour := range 6 {
			w.at(day, fmt.Sprintf("%02d:%02d", hour*3+random.IntN(3), random.IntN(60)))
			from, to := ledger.Account("alice"), ledger.Account("bob")
			if random.IntN(2) == 0 {
				from, to = to, from
			}
			w.move(ledger.Transfer, from, to, ledger.FormatDecimal(1+random.Int64N(150_00000000), 8)+" BNB")
		}
		w.settle(day)
		path := fmt.Sprintf("/earn/rewards/%s/BNB", w.day(day))
		e, err := reports.New(w.books.Reader()).Explain(t.Context(), "alice", w.day(day), "BNB")
		w.ok(err)
		if !e.Paid {
			t.Fatalf("Day %d was not paid: %s", day, e.Reason)
		}
		l := allLocales(t)[0]
		w.read(path).is(200).has("Credited, rounded down " + l.Number(e.Asset.Format(e.Measured.Reward)) + " BNB")
		left, stays, rows := new(big.Rat), new(big.Rat), w.read(path+"/changes.csv").file()
		for _, row := range rows {
			left.Add(left, exactly(t, row["change_x_left"]))
			stays.Add(stays, new(big.Rat).Mul(exactly(t, row["balance"]), exactly(t, row["milliseconds_until_next"])))
		}
		if left.Cmp(stays) != 0 || len(rows) != 7 {
			t.Errorf("Day %d: %d rows, whose changes come to %s and whose balances to %s", day, len(rows), left, stays)
		}
		facts := rows[0]
		earns := new(big.Rat).Quo(left, big.NewRat(staking.DayMillis, 1))
		if most := exactly(t, facts["cap"]); earns.Cmp(most) > 0 {
			earns = most
		}
		earns.Mul(earns, exactly(t, facts["apr"]))
		earns.Quo(earns, big.NewRat(365, 1))
		earns.Add(earns, exactly(t, facts["carried_before"]))
		rest := earns.Sub(earns, exactly(t, facts["reward"]))
		if rest.Sub(rest, exactly(t, facts["carried_after"])).Abs(rest).
			Cmp(exactly(t, "0.0000000000000000000000001")) > 0 || facts["reward"] != e.Asset.Format(e.Measured.Reward) {
			t.Errorf("Day %d: the file's figures are off by %s", day, rest.FloatString(30))
		}
	}
}

func TestADayWithoutAReward(t *testing.T) {
	w := earner(t, "2 BNB", "0.4 SOL", "500 ADA")
	page := func(day int, asset string) answer {
		return w.read(fmt.Sprintf("/earn/rewards/%s/%s", w.day(day), asset)).is(200).hasNot(keys...)
	}
	page(1, "BNB").has("No reward", "Soft Staking was not on for the whole of 2 Mar 2026")
	w.at(2, "12:00")
	page(2, "BNB").has("As it stands", "The day is not over", "3 Mar 2026")
	page(2, "SOL").has("its average will be 0.4 SOL: 0.6 SOL less than the minimum of 1 SOL", "✗ not reached")
	page(2, "USDT").has("USDT was not on offer").hasNot("Minimum")
	w.at(3, "00:01")
	page(2, "BNB").has("Will be credited", "credited by itself on 4 Mar 2026")
	w.settle(3)
	page(2, "SOL").has("Your average of 0.4 SOL was 0.6 SOL less than the minimum of 1 SOL")
	page(2, "ADA").has("later than usual", "+0.00684931 ADA")
	page(3, "ADA").has("waits behind the one of 3 Mar 2026")
	for _, l := range allLocales(t) {
		for _, why := range []reports.Why{
			reports.WhyNotOffered, reports.WhyNotOn, reports.WhyExcluded, reports.WhyBelowYet, reports.WhyBelow,
			reports.WhyNotOver, reports.WhyNotSettled, reports.WhyWaits,
		} {
			if key := "reward.why." + string(why); l.T(key) == key {
				t.Errorf("%s does not say why %s", l.Tag, why)
			}
		}
	}
}

// TestABusyDay: of a day with thousands of changes the ends are shown and all is counted.
func TestABusyDay(t *testing.T) {
	w := earner(t, "2 BNB")
	w.at(2, "20:00")
	var entries []ledger.Entry
	for n := range 3000 {
		entries = append(entries, ledger.Entry{
			ID: "busy-" + strconv.Itoa(n), Kind: ledger.Deposit,
			At:    w.day(2).Start().Add(time.Duration(n+1) * 20 * time.Second),
			Moves: []ledger.Move{{From: ledger.Custody, To: "alice", Asset: "BNB", Amount: 1}},
		})
	}
	_, err := w.books.PostAll(t.Context(), entries)
	w.ok(err)
	w.settle(2)
	path := fmt.Sprintf("/earn/rewards/%s/BNB", w.day(2))
	busy := w.read(path).is(200).has("2,801 more changes", "It changed 3,000 times.")
	if len(busy.body) > 200_000 {
		t.Errorf("the page has %d bytes", len(busy.body))
	}
	if rows := w.read(path + "/changes.csv").file(); len(rows) != 3001 {
		t.Errorf("the file has %d rows", len(rows))
	}
}

func TestExportOfRewards(t *testing.T) {
	w := earner(t, "2 BNB", "0.00000001 S", "500 ADA")
	w.fund("100 ADA")
	for day := 2; day <= 8; day++ {
		w.settle(day)
	}
	w.read("/earn/export").is(200).has("2026 so far", "All details", "Koinly").hasNot(keys...)
	query := fmt.Sprintf("?from=%s&to=%s", w.day(1), w.day(9))
	ours, koinly := w.read("/earn/rewards.csv"+query), w.read("/earn/rewards.csv"+query+"&format=koinly")
	if name := ours.header.Get("Content-Disposition"); name !=
		fmt.Sprintf(`attachment; filename="rewards_alice_%s_%s.csv"`, w.day(1), w.day(9)) {
		t.Errorf("the file is %s", name)
	}
	sums := map[string]*big.Rat{"BNB": {}, "ADA": {}}
	for _, row := range ours.file() {
		sums[row["asset"]].Add(sums[row["asset"]], exactly(t, row["reward"]))
		value := new(big.Rat).Mul(exactly(t, row["reward"]), exactly(t, row["price_usdt"]))
		if off := value.Sub(value, exactly(t, row["value_usdt"])); off.Sign() < 0 ||
			off.Cmp(exactly(t, "0.00000001")) >= 0 {
			t.Errorf("%s %s: the value is off by %s", row["day"], row["asset"], off.FloatString(12))
		}
	}
	for _, row := range koinly.file() {
		if _, err := time.Parse("2006-01-02 15:04 UTC", row["Koinly Date"]); err != nil || row["Label"] != "reward" ||
			row["Net Worth Currency"] != "USDT" {
			t.Errorf("Koinly gets %v", row)
		}
		sums[row["Currency"]].Sub(sums[row["Currency"]], exactly(t, row["Amount"]))
	}
	for asset, left := range sums {
		if left.Sign() != 0 {
			t.Errorf("the two formats differ by %s %s", left.FloatString(8), asset)
		}
	}
	if rows := ours.file(); len(rows) != 14 || rows[0]["day"] != w.day(2).String() ||
		rows[0]["credited_at_utc"][:10] != w.day(3).String() {
		t.Errorf("of seven days and two tokens there are %d rows, the first %v", len(rows), rows[0])
	}
	w.read("/earn/rewards.csv?from=2026-02-30&to="+w.day(2).String()).is(http.StatusUnprocessableEntity).
		has("This is not a day", `value="2026-02-30"`)
	w.read(fmt.Sprintf("/earn/rewards.csv?from=%s&to=%s", w.day(3), w.day(2))).is(http.StatusUnprocessableEntity).
		has("lies before the first")
	w.read("/earn/rewards.csv" + query + "&format=xml").is(http.StatusUnprocessableEntity).has("no such format")
}

// TestFilesAreNoFormulas: a spreadsheet takes nothing that somebody else has chosen for a formula.
func TestFilesAreNoFormulas(t *testing.T) {
	w := earner(t, "2 BNB")
	w.at(2, "12:00")
	_, err := w.books.PostAll(t.Context(),
		[]ledger.Entry{
			{ID: "-2-3", Kind: ledger.Deposit,
				Moves: []ledger.Move{{From: ledger.Custody, To: "alice", Asset: "BNB", Amount: 1}}},
		})
	w.ok(err)
	rows := w.read(fmt.Sprintf("/earn/rewards/%s/BNB/changes.csv", w.day(2))).file()
	if len(rows) != 2 || rows[1]["entry"] != "'-2-3" {
		t.Errorf("the entry is written as %v", rows)
	}
}
