package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// TestTheModeShareIsExplained: a day that waits, a day that pays and the day that is paid by it, with the
// rates and the words of the operator.
func TestTheModeShareIsExplained(t *testing.T) {
	url := books(t)
	day1 := staking.DayOf(noon)
	db, err := store.Open(t.Context(), url, store.Options{Clock: func() time.Time { return noon },
		Actor: access.Process("test"), Sealer: sealerOf(url)})
	if err != nil {
		t.Fatal(err)
	}
	err = db.SetTerms(t.Context(), staking.Terms{Asset: "BNB", From: day1 + 1, Offered: true, Mode: staking.Share,
		Min: 50_000_000, Cap: 1000_00000000, Fee: 3 * staking.Whole / 10})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	at := func(day int, args ...string) string {
		t.Helper()
		return mustAt(t, noon.AddDate(0, 0, day-1), "", append(args, "--db", url)...)
	}
	must(t, "", "accept", "alice", "--db", url)
	must(t, "", "enroll", "alice", "--db", url)
	must(t, `{"id":"d-1","kind":"deposit","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"3"}]}`,
		"post", "-", "--db", url)
	at(3, "settle")
	first, paying := (day1 + 1).String(), (day1 + 2).String()
	has := func(out string, want ...string) {
		t.Helper()
		for _, text := range want {
			if !strings.Contains(out, text) {
				t.Errorf("%q is not in\n%s", text, out)
			}
		}
	}
	has(at(3, "explain", "alice", first, "BNB"), "3 BNB × day, of everybody's 3 BNB × day",
		"none before the first period is paid", "Accrued, waiting for the chain: what "+first+" pays is known when")
	at(3, "income", "add", "e1", "BNB", "0.0100001", "--first", first, "--last", first, "--chain", "bsc", "--source",
		"v-1", "--evidence", "0x1")
	entered := at(3, "explain", "alice", first, "BNB")
	has(entered, "of "+first+" to "+first+", entered on "+paying+": divided when "+paying+" is settled",
		"Accrued: the income of "+first+" to "+first+" was entered on "+paying+", and is divided when "+paying+" is settled.")
	if strings.Contains(entered, "waiting for the chain") {
		t.Errorf("its income is entered, and it waits for the chain:\n%s", entered)
	}
	has(at(3, "status"), "The income of BNB of "+first+" is not distributed.\n",
		"\n0.00700007 BNB of the pool is reserved")
	at(4, "settle")
	has(at(4, "status"), "The income of BNB of "+paying+" is not distributed.\n")
	has(at(4, "explain", "alice", first, "BNB"), "with the reward of "+paying+", which divides "+first+" to "+first)
	has(at(4, "explain", "alice", paying, "BNB"),
		"0.0100001 BNB of "+first+" to "+first+", less the fee of 30 %, 0.00300003: 0.00700007 BNB",
		"3 BNB × day, on "+first,
		"0.00700007 × 3 / 3 = 0.00700007 BNB",
		"about 0.00700006 BNB, at 85.167518 % a year, the current rate; it promises nothing")
	var e explanationJSON
	if err := json.Unmarshal([]byte(at(4, "explain", "alice", paying, "BNB", "--json")), &e); err != nil {
		t.Fatal(err)
	}
	if len(e.Shares) != 1 || e.Shares[0].Fee != "0.00300003" || e.Weighing == nil || !e.Weighing.Waits ||
		e.Reward != "0.00700007" {
		t.Errorf("in JSON it is %+v", e)
	}
	has(at(4, "rates", "BNB"), first, "share", "121.667883", "30", "85.167518", "fixed", "0.15")
	has(at(4, "disclosure", "list"), "Nothing is stated.")
	has(mustAt(t, noon, "BNB is staked with v-1.\n", "disclosure", "set", "BNB", "-", "--db", url), "BNB is at version 1")
	has(at(4, "disclosure", "show", "BNB"), "BNB is staked with v-1.")
	has(at(4, "disclosure", "list", "--json"), `"version":`, `"BNB"`)
}

// TestCampaignsAndOwnersAreExplained: a day's share of a campaign, with its weights in tokens × day, and a cap that two
// accounts of an owner share.
func TestCampaignsAndOwnersAreExplained(t *testing.T) {
	url := books(t)
	day2 := staking.DayOf(noon) + 1
	at := func(day int, args ...string) string {
		t.Helper()
		return mustAt(t, noon.AddDate(0, 0, day-1), "", append(args, "--db", url)...)
	}
	at(1, "account", "open", "bob", "--region", "DE")
	at(1, "terms", "set", "BNB", "--per-owner", "--min", "8", "--cap", "10")
	for account, amount := range map[string]string{"alice": "6", "bob": "9"} {
		at(1, "accept", account)
		at(1, "enroll", account)
		at(1, "owner", "set", account, "c-7")
		must(t, `{"id":"d-`+account+`","kind":"deposit","moves":[{"from":"@custody","to":"`+account+
			`","asset":"BNB","amount":"`+amount+`"}]}`, "post", "-", "--db", url)
	}
	at(1, "label", "add", "alice", "vip")
	at(1, "fund", "BNB", "1", "--id", "f-1")
	at(1, "campaign", "add", "spring", "SOL", "3", "--title", "Hold BNB", "--first", day2.String(), "--last",
		(day2 + 2).String(), "--token", "BNB", "--multiplier", "vip=1.5")
	at(4, "settle")
	has := func(out string, want ...string) {
		t.Helper()
		for _, text := range want {
			if !strings.Contains(out, text) {
				t.Errorf("%q is not in\n%s", text, out)
			}
		}
		if strings.Contains(out, "bob") {
			t.Errorf("bob is in\n%s", out)
		}
	}
	has(at(4, "explain", "alice", day2.String(), "BNB"), "15 BNB, the average of all accounts of the owner",
		"8 BNB, reached", "10 BNB, reached; the accounts of the owner share it", "10 × 6 / 15 = 4 BNB",
		"4 BNB × 0.0015 / 365")
	// 4 × 1.5 of 4 × 1.5 + 6
	has(at(4, "explain", "alice", (day2+1).String(), "SOL"), "3 SOL left / 3 days, rounded down = 1 SOL",
		"4 BNB × day × 1.5 = 6 BNB × day", "1 × 6 / 12 = 0.5 SOL")
	var e explanationJSON
	if err := json.Unmarshal([]byte(at(4, "explain", "alice", (day2+1).String(), "SOL", "--json")), &e); err != nil {
		t.Fatal(err)
	}
	if len(e.Campaigns) != 1 || e.Campaigns[0].Weight != "5184000000000000000" || e.Campaigns[0].Amount != "0.5" {
		t.Errorf("in JSON it is %+v", e)
	}
	if err := json.Unmarshal([]byte(at(4, "explain", "alice", day2.String(), "BNB", "--json")), &e); err != nil {
		t.Fatal(err)
	}
	if e.Together == nil || *e.Together != (togetherJSON{"15", "129600000000000000", true}) {
		t.Errorf("together in JSON is %+v", e.Together)
	}
	var all []campaignJSON
	if err := json.Unmarshal([]byte(at(4, "campaign", "list", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || len(all[0].Newest) != 1 || all[0].Newest[0].Budget != "1" || all[0].Newest[0].Token != "BNB" {
		t.Errorf("what campaigns pay now is %+v", all)
	}
}
