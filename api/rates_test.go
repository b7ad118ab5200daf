package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// sharing is a town whose BNB is in the mode share from Day 2 on, with a fee of 30 %. alice has
// 3 BNB and bob 1, and the income of Days 2 and 3 is entered on Day 4. It is the morning of Day 6.
func sharing(w *town) {
	w.ok(w.db.SetTerms(w.t.Context(), staking.Terms{
		Asset: "BNB", From: w.first + 1, Offered: true, Mode: staking.Share, Min: 50_000_000, Cap: 1000_00000000,
		Fee: 3 * staking.Whole / 10,
	}))
	w.earner("alice")
	w.earner("bob")
	w.deposit("a-1", "alice", "3", "BNB")
	w.deposit("b-1", "bob", "1", "BNB")
	for day := 3; day <= 6; day++ {
		w.clock.Set(day, "00:10")
		w.settle()
		if day == 4 {
			w.clock.Set(day, "12:00")
			w.call("treasurer", post, "/v1/incomes", fmt.Sprintf(`{"reference":"e1","asset":"BNB","chain":"bsc",`+
				`"source":"v-1","first":%q,"last":%q,"gross":"0.01","evidence":"0x1"}`, w.day(2), w.day(3))).is(201)
		}
	}
}

// TestSharesOfIncome: the explanation of a day that pays has the income, the fee, the weights and
// the share; that of a day that waits has an estimate, and that of a paid day the day that pays it.
func TestSharesOfIncome(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		sharing(w)
		const rewards = "/v1/accounts/alice/rewards/"
		// 0.007 × 3/4
		w.get("alice", rewards+w.day(4)+"/BNB").is(200).says("reward", "0.00525", "shares.#", "1",
			"shares.0.first", w.day(2), "shares.0.last", w.day(3), "shares.0.gross", "0.01", "shares.0.feeRate", "0.3",
			"shares.0.fee", "0.003", "shares.0.net", "0.007", "shares.0.before", "0",
			"shares.0.weight", "51840000000000000", "shares.0.total", "69120000000000000", "shares.0.amount", "0.00525",
			"shares.0.days.#", "2", "shares.0.days.1.day", w.day(3), "shares.0.days.1.eligible", "3",
			"shares.0.declared", "true", "working.shared", "1655640000000000000000000", "working.units", "525000",
			"weighing.waits", "true", "weighing.total", "34560000000000000",
			// 3 BNB at 31.9375 % a year
			"weighing.estimate", "0.002625", "weighing.estimateRate", "0.319375")
		w.get("alice", rewards+w.day(2)+"/BNB").is(200).says("reward", "0", "shares.#", "", "paid", "true", "reason", "",
			"weighing.waits", "false", "weighing.paidBy.0.day", w.day(4), "weighing.paidBy.0.first", w.day(2),
			"weighing.estimate", "")
		waits := w.get("alice", rewards+w.day(5)+"/BNB").is(200)
		if reason := waits.at("reason"); !strings.HasPrefix(reason, "Accrued, waiting for the chain") {
			t.Errorf("the reason is %q", reason)
		}
		w.get("alice", "/v1/accounts/alice/today").is(200).says("tokens.3.asset", "BNB", "tokens.3.reward", "0")
		w.get("alice", "/v1/accounts/alice/rewards").is(200).says("items.#", "1", "items.0.day", w.day(4),
			"items.0.sources.#", "1", "items.0.sources.0", "income", "items.0.apr", "0")
	})
}

// TestSharesOfCampaigns: the explanation of a day has the share of a campaign's budget for the day before with every
// figure, and the campaign has what it pays now.
func TestSharesOfCampaigns(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.earner("alice")
		w.earner("bob")
		w.deposit("a-1", "alice", "3", "BNB")
		w.deposit("b-1", "bob", "1", "BNB")
		w.fund("f-1", "BNB", "10")
		w.call("treasurer", post, "/v1/campaigns", fmt.Sprintf(`{"id":"spring","title":"Hold BNB, get SOL","asset":"SOL",`+
			`"pool":"3","first":%q,"last":%q,"tokens":[{"token":"BNB"}],"multipliers":[{"label":"vip","factor":"1.5"}]}`,
			w.day(2), w.day(4))).is(201)
		_, _, err := w.db.AddLabel(t.Context(), "alice", "vip", w.first+1)
		w.ok(err)
		w.get("alice", "/v1/campaigns/spring").is(200).says("newest.#", "0")
		for day := 3; day <= 4; day++ {
			w.clock.Set(day, "00:10")
			w.settle()
		}
		// alice's 3 BNB count 4.5 of 5.5.
		w.get("alice", "/v1/accounts/alice/rewards/"+w.day(3)+"/SOL").is(200).says("campaigns.#", "1", "shares.#", "",
			"campaigns.0.campaign", "spring", "campaigns.0.title", "Hold BNB, get SOL", "campaigns.0.token", "BNB",
			"campaigns.0.day", w.day(2), "campaigns.0.daysLeft", "3", "campaigns.0.budget", "1", "campaigns.0.eligible", "3",
			"campaigns.0.factor", "1.5", "campaigns.0.weight", "3888000000000000000", "campaigns.0.total",
			"4752000000000000000", "campaigns.0.amount", "0.81818181", "campaigns.0.declared", "true",
			"campaigns.0.left", "946080000000000000000000000", "reward", "0.81818181", "working.units", "81818181")
		w.get("alice", "/v1/campaigns/spring").is(200).says("newest.#", "1", "newest.0.day", w.day(2),
			"newest.0.token", "BNB", "newest.0.budget", "1", "left", "2.00000001", "daysLeft", "2")
	})
}

// TestAccountsOfAnOwner: an explanation has what all accounts of the owner held together, and that they share the cap.
func TestAccountsOfAnOwner(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.ok(w.db.SetTerms(t.Context(), staking.Terms{Asset: "BNB", From: w.first + 1, Offered: true, APR: 150_000,
			PerOwner: true, Min: 8_00000000, Cap: 10_00000000}))
		for account, amount := range map[ledger.Account]string{"alice": "6", "bob": "9"} {
			w.earner(account)
			w.deposit("d-"+string(account), account, amount, "BNB")
			_, _, err := w.db.SetOwner(t.Context(), account, "c-7", w.first+1)
			w.ok(err)
		}
		w.fund("f-1", "BNB", "10")
		w.clock.Set(2, "12:00")
		w.get("alice", "/v1/accounts/alice/today").is(200).says("tokens.3.asset", "BNB", "tokens.3.together", "15",
			"tokens.3.eligible", "4", "tokens.3.notice",
			"All accounts of the owner together have 15 BNB and share the cap of 10.")
		w.clock.Set(3, "00:10")
		w.settle()
		w.get("alice", "/v1/accounts/alice/rewards/"+w.day(2)+"/BNB").is(200).says("average", "6", "eligible", "4",
			"together.average", "15", "together.integral", "129600000000000000", "together.capShared", "true",
			"working.integral", "51840000000000000", "working.earning", "34560000000000000", "reward", "0.00001643")
	})
}

// TestRatesAndDisclosure: the rates of a token, day by day, and what is disclosed of its rewards.
func TestRatesAndDisclosure(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		sharing(w)
		const path = "/v1/tokens/BNB/"
		w.get("alice", path+"rates").is(200).says("items.#", "3",
			"items.0.known", "false", "items.0.net", "0", "items.0.gross", "", "items.0.first", w.day(4), "items.0.through",
			w.day(6),
			"items.1.known", "true", "items.1.mode", "share", "items.1.gross", "0.45625", "items.1.fee", "0.3",
			"items.1.net", "0.319375", "items.1.first", w.day(2), "items.1.through", w.day(3),
			"items.2.mode", "fixed", "items.2.net", "0.0015", "items.2.gross", "")
		days := w.walked("alice", path+"rates", 1, "first")
		if strings.Join(days, " ") != w.day(4)+" "+w.day(2)+" "+w.day(1) {
			t.Errorf("the pages have %v", days)
		}
		w.get("alice", "/v1/tokens").is(200).says("items.3.asset", "BNB", "items.3.rate.net", "0.319375",
			"items.3.rate.gross", "0.45625", "items.3.rate.through", w.day(3), "items.9.rate.mode", "fixed")
		w.get("auditor", "/v1/incomes").is(200).says("items.#", "1", "items.0.mode", "share", "items.0.distributed", "true",
			"items.0.day", w.day(4))
		w.get("auditor", "/v1/runs/status").is(200).says("tokens.3.asset", "BNB", "tokens.3.undivided.#", "1",
			"tokens.3.undivided.0.first", w.day(4), "tokens.3.undivided.0.last", w.day(5), "tokens.3.reserved", "0",
			"tokens.4.undivided.#", "0")
		w.get("alice", path+"disclosure").is(200).says("rate.net", "0.319375", "sources.#", "1", "sources.0.chain", "bsc",
			"sources.0.source", "v-1", "sources.0.gross", "0.01", "version", "", "text", "")
		for range 2 {
			w.call("operator", put, path+"disclosure", `{"text":"BNB is staked with v-1."}`).is(200).says("version", "1")
		}
		stated := w.get("alice", path+"disclosure").is(200).says("version", "1", "text", "BNB is staked with v-1.")
		if method := stated.at("method"); !strings.Contains(method, "the operator keeps a fee of 0.3 of it") {
			t.Errorf("the method is %q", method)
		}
		w.ok(w.db.SetTerms(t.Context(), staking.Terms{
			Asset: "SOL", From: w.first + 6, Offered: true, APR: 2_870_000, Fee: 30_000_000, GrossAPR: 4_100_000, Min: 1,
			Cap: 100,
		}))
		w.clock.Set(7, "00:10")
		sol := w.get("alice", "/v1/tokens/SOL/disclosure").is(200).says("rate.net", "0.0287", "rate.gross", "0.041")
		if method := sol.at("method"); !strings.Contains(method, "keeps a fee of 0.3 of it, which is 0.0123") {
			t.Errorf("the method is %q", method)
		}
		w.get("alice", "/v1/tokens/NOPE/disclosure").refused(404, "not-found", "")
		w.get("alice", "/v1/tokens/NOPE/rates").refused(404, "not-found", "")
		w.call("operator", put, path+"disclosure", `{"text":" "}`).refused(400, "invalid", "text")
	})
}
