package binance_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// Three days of a holder, in the exchange's shapes to the letter.
func TestSoftStakingDayByDay(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		const others = `{"asset":"ALGO","minAmount":"1000","maxCap":"1000000","apr":"0.008","stakedAmount":"0","totalProfit":"0"}`
		f.wants(f.get(listPath, "asset=ALGO"),
			`200 {"status":false,"totalRewardsUsdt":"0","rows":[`+others+`],"total":1}`)
		f.deposit("d1", "alice", 2, "BNB")
		f.wants(f.get(listPath, "asset=BNB"),
			`200 {"status":false,"totalRewardsUsdt":"0","rows":[{"asset":"BNB","minAmount":"0.5","maxCap":"1000","apr":"0.0015","stakedAmount":"0","totalProfit":"0"}],"total":1}`)
		f.toggle(true, success)
		f.wants(f.get(listPath, "asset=BNB"), // from the moment of switching on
			`200 {"status":true,"totalRewardsUsdt":"0","rows":[{"asset":"BNB","minAmount":"0.5","maxCap":"1000","apr":"0.0015","stakedAmount":"2","totalProfit":"0"}],"total":1}`)
		f.wants(f.get(recordsPath, ""), `200 {"rows":[],"total":0}`)

		testkit.Must(f.db.Fund(t.Context(), "f1", "BNB", 1_00000000, false))(t)
		testkit.Must(f.db.Prices().Set(t.Context(),
			[]pricing.Price{{Asset: "BNB", Day: staking.DayOf(noon), Price: 600_00000000}}))(t)
		f.clock.Set(3, "00:06")
		f.settle()
		// 2 × 0.0015 / 365 = 0.00000821…, and the rest is carried; × 600 USDT
		f.wants(f.get(listPath, "asset=BNB"),
			`200 {"status":true,"totalRewardsUsdt":"0.004926","rows":[{"asset":"BNB","minAmount":"0.5","maxCap":"1000","apr":"0.0015","stakedAmount":"2.00000821","totalProfit":"0.00000821"}],"total":1}`)
		const second = `{"asset":"BNB","rewards":"0.00000821","rewardAsset":"BNB","avgAmount":"2","time":1772582760000}`
		f.wants(f.get(recordsPath, ""), `200 {"rows":[`+second+`],"total":1}`)
		if at := time.UnixMilli(1772582760000); !at.Equal(f.now()) {
			t.Errorf("it is credited at %s, not %s", at, f.now())
		}
		f.clock.Set(4, "00:06")
		f.settle()
		const third = `{"asset":"BNB","rewards":"0.00000822","rewardAsset":"BNB","avgAmount":"2.00000821","time":1772669160000}`
		f.wants(f.get(recordsPath, "asset=BNB&current=1&size=100"), `200 {"rows":[`+third+`,`+second+`],"total":2}`)
		f.wants(f.get(recordsPath, "current=2&size=1"), `200 {"rows":[`+second+`],"total":2}`)
		f.wants(f.get(recordsPath, "current=3&size=1"), `200 {"rows":[],"total":2}`)
		f.wants(f.get(recordsPath, "asset=SOL"), `200 {"rows":[],"total":0}`)
		f.wants(f.get(recordsPath, "startTime=1772582760000&endTime=1772582760000"),
			`200 {"rows":[`+second+`],"total":1}`)
		f.wants(f.get(recordsPath, "startTime=1772582760001"), `200 {"rows":[`+third+`],"total":1}`)
		f.wants(f.get(recordsPath, "endTime=1772582760000"), `200 {"rows":[`+second+`],"total":1}`)
		f.wants(f.get(recordsPath, "endTime=1772582759999"), `200 {"rows":[],"total":0}`)
		// microseconds
		f.wants(f.get(recordsPath, "startTime=1772582760000000"), `200 {"rows":[`+third+`,`+second+`],"total":2}`)
	})
}

// A token that is not offered any more has no row, and its rewards count all the same.
func TestListOfTokens(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.deposit("d1", "alice", 2, "BNB")
		f.toggle(true, success)
		testkit.Must(f.db.Fund(t.Context(), "f1", "BNB", 1_00000000, false))(t)
		f.clock.Set(3, "00:06")
		f.settle()
		unpriced := f.get(listPath, "").body
		if !strings.HasPrefix(unpriced, `{"status":true,"totalRewardsUsdt":"0","rows":[{"asset":"ADA",`) ||
			!strings.HasSuffix(unpriced, `],"total":10}`) {
			t.Errorf("without prices it is %s", unpriced)
		}
		ok(t,
			f.db.SetTerms(t.Context(), staking.Terms{
				Asset: "BNB", From: staking.DayOf(noon) + 3, APR: 150_000, Min: 50_000_000, Cap: 1000_00000000,
			}))
		// late
		testkit.Must(f.db.Prices().Set(t.Context(),
			[]pricing.Price{{Asset: "BNB", Day: staking.DayOf(noon) + 1, Price: 600_00000000}}))(t)
		f.clock.Set(4, "12:00")
		f.wants(f.get(listPath, "asset=BNB"), `200 {"status":true,"totalRewardsUsdt":"0.004926","rows":[],"total":0}`)
		for query, want := range map[string]string{
			"":                   "ADA ALGO AXS NEAR POL S SOL SUI TON of 9",
			"size=2":             "ADA ALGO of 9",
			"size=2&current=2":   "AXS NEAR of 9",
			"size=4&current=3":   "TON of 9",
			"size=4&current=4":   "of 9",
			"asset=SOL":          "SOL of 1",
			"asset=SOL&size=1":   "SOL of 1",
			"asset=undefined":    "of 0",
			"asset=":             "ADA ALGO AXS NEAR POL S SOL SUI TON of 9",
			"asset=sol":          "of 0",
			"size=&current=":     "ADA ALGO AXS NEAR POL S SOL SUI TON of 9",
			"current=2147483647": "of 9",
		} {
			body := f.get(listPath, query).body
			var shown []string
			for _, part := range strings.Split(body, `{"asset":"`)[1:] {
				shown = append(shown, part[:strings.Index(part, `"`)])
			}
			shown = append(shown, "of "+strings.TrimSuffix(body[strings.LastIndex(body, ":")+1:], "}"))
			if got := strings.Join(shown, " "); got != want {
				t.Errorf("list?%s is %s, not %s", query, got, want)
			}
		}
	})
}

// Which range of time is asked for, and where it is too long.
func TestRangeOfRecords(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		const (
			empty = `200 {"rows":[],"total":0}`
			large = `400 {"code":-6021,"msg":"Query time range too large"}`
		)
		longest := (93 * 24 * time.Hour).Milliseconds()
		now := f.now().UnixMilli()
		for query, want := range map[string]string{
			fmt.Sprintf("startTime=%d&endTime=%d", now-longest, now):   empty,
			fmt.Sprintf("startTime=%d&endTime=%d", now-longest-1, now): large,
			fmt.Sprintf("startTime=%d&endTime=%d", now, now):           empty,
			fmt.Sprintf("startTime=%d&endTime=%d", now+1, now):         notValid("startTime"),
			"startTime=0":                         empty,
			"endTime=0":                           empty,
			"startTime=0&endTime=253402300799999": large,
			"endTime=253402300800000":             notValid("endTime"),
			"startTime=-1":                        notValid("startTime"),
			"startTime=99999999999999999999999":   notValid("startTime"),
			"startTime=undefined":                 illegalIn("startTime"),
			"startTime=1.5":                       illegalIn("startTime"),
			"size=0":                              notValid("size"),
			"size=101":                            notValid("size"),
			"size=-1":                             notValid("size"),
			"size=99999999999999999999":           notValid("size"),
			"size=ten":                            illegalIn("size"),
			"size=--1":                            illegalIn("size"),
			"current=0":                           notValid("current"),
			"current=2147483648":                  notValid("current"),
			"asset=B%27NB":                        illegalIn("asset"),
		} {
			if got := f.get(recordsPath, query).String(); got != want {
				t.Errorf("rewardsRecord?%s: %s, not %s", query, got, want)
			}
		}
	})
}

func notValid(name string) string {
	return fmt.Sprintf(`400 {"code":-1130,"msg":"Data sent for parameter '%s' is not valid."}`, name)
}

func illegalIn(name string) string {
	return fmt.Sprintf(`400 {"code":-1100,"msg":"Illegal characters found in parameter '%s'."}`, name)
}

func missing(name string) string {
	return fmt.Sprintf(`400 {"code":-1102,"msg":"Mandatory parameter '%s' was not sent, was empty/null, or malformed."}`, name)
}

// Who may switch on, in the order of the checks; switching off always works.
func TestSet(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for query, want := range map[string]string{
			"":                  missing("softStaking"),
			"softStaking=":      missing("softStaking"),
			"softStaking=maybe": missing("softStaking"),
			"softStaking=1":     missing("softStaking"),
		} {
			f.wants(f.get(setPath, query), want)
		}
		const (
			region    = `451 {"code":0,"msg":"Soft Staking is not offered in your region."}`
			nowhere   = `451 {"code":0,"msg":"The country that your request comes from is not known; Soft Staking is switched on only from a known one."}`
			documents = `400 {"code":-6019,"msg":"Need confirm: accept the current Terms of Use, Soft Staking Terms and Risk Warning first, at https://example.com/accept"}`
			app       = `400 {"code":-6022,"msg":"Update the app: Soft Staking needs a newer version."}`
		)
		testkit.Must(f.db.Documents().Publish(t.Context(), staking.RiskWarning, "another"))(t)
		f.caller.Country, f.caller.Platform, f.caller.Version = "US", "iPadOS", "v3.0.9 (77)"
		f.toggle(true, region)
		f.caller.Country, f.caller.NeedCountry = "", true
		tick(f)
		f.toggle(true, nowhere)
		f.toggle(false, success)
		f.caller.Country = "DE"
		tick(f)
		f.toggle(true, app)
		f.caller.Version = "v3.1.0 (1234)"
		tick(f)
		f.toggle(true, documents)
		f.toggle(false, success)
		ok(t, f.db.Documents().Accept(t.Context(), "alice", staking.RiskWarning, 0, staking.Client{}))
		tick(f)
		for _, query := range []string{"softStaking=true", "softStaking=TRUE", "softStaking=True"} {
			f.wants(f.get(setPath, query), success)
		}
		if !f.isOn() {
			t.Error("it is not on")
		}
		f.caller.Country = "US"
		tick(f)
		f.toggle(true, success) // on already
		f.toggle(false, success)
		tick(f)
		f.toggle(false, success)
		if f.isOn() {
			t.Error("it is on")
		}
		events := testkit.Must(reports.New(f.db.Reader()).SwitchEvents(t.Context(), "alice"))(t)
		if p := events[0]; p.Action != "refused: region" || p.Client != "ios v3.0.9 (77)" || p.Address != "192.0.2.7 US" {
			t.Errorf("the first event is kept as %+v", p)
		}
		testkit.Must(f.db.OpenAccount(t.Context(), "nobody", ""))(t)
		f.key, f.secret = f.newKey("nobody", "read,trade", "")
		f.toggle(true, region) // no verified residence
	})
}

// tick lets a millisecond pass, so that the next request is another one.
func tick(f *fixture) { f.clock.Advance(time.Millisecond) }

// A closed account's keys still read, and switch nothing on.
func TestSetOnAClosedAccount(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ok(t, f.db.CloseAccount(t.Context(), "alice"))
		f.toggle(true, badKey)
		f.toggle(false, success)
		f.wants(f.get(recordsPath, ""), `200 {"rows":[],"total":0}`)
	})
}

// Another's account is never seen: what is shown is the key's.
func TestEachKeySeesItsOwn(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.deposit("d1", "alice", 2, "BNB")
		f.toggle(true, success)
		f.open("bob")
		f.key, f.secret = f.newKey("bob", "read", "")
		f.wants(f.get(listPath, "asset=BNB"),
			`200 {"status":false,"totalRewardsUsdt":"0","rows":[{"asset":"BNB","minAmount":"0.5","maxCap":"1000","apr":"0.0015","stakedAmount":"0","totalProfit":"0"}],"total":1}`)
	})
}

// The log has an actor, and not the key.
func TestTheKeyIsNotInTheLog(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.toggle(true, success)
		ok(t, f.db.Close()) // everything fails from here on
		got := f.get(listPath, "asset=BNB")
		f.wants(got, `500 {"code":-1000,"msg":"An unknown error occurred while processing the request."}`)
		log := f.log.String()
		if !strings.Contains(log, "request=r-1") || !strings.Contains(log, "path="+listPath) {
			t.Errorf("the log does not say what failed: %s", log)
		}
		for _, secret := range []string{f.key.Key, f.secret, "signature", "timestamp"} {
			if strings.Contains(log, secret) {
				t.Errorf("the log has %q: %s", secret, log)
			}
		}
		f.db = testkit.Must(store.Open(t.Context(), f.url, f.options()))(t) // for the end of the test
	})
}

// Reading needs no permission to trade; pressing does.
func TestPermissions(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.key, f.secret = f.newKey("alice", "read", "")
		f.toggle(true, badKey)
		if got := f.get(listPath, "").status; got != http.StatusOK || f.isOn() {
			t.Errorf("list is answered with %d, or it is on", got)
		}
	})
}
