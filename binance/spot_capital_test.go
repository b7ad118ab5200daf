package binance_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/testkit"
)

// apply asks for a withdrawal that has to be taken, and returns its ID.
func (f *fixture) apply(query string) string {
	f.t.Helper()
	made := read[struct{ ID string }](f.t, f.post(applyPath, query))
	if len(made.ID) != 32 || strings.Trim(made.ID, "0123456789abcdef") != "" {
		f.t.Errorf("the withdrawal %s has the ID %q", query, made.ID)
	}
	return made.ID
}

// has checks alice's BNB.
func (f *fixture) has(free, held ledger.Amount) {
	f.t.Helper()
	balances := testkit.Must(reports.New(f.db.Reader()).Balances(f.t.Context(), "alice"))(f.t)
	if len(balances) != 1 || balances[0].Free != free || balances[0].Held != held {
		f.t.Errorf("alice has %+v, and not %d free and %d held", balances, free, held)
	}
}

// A withdrawal is held when it is asked for, shown as it stands, and asked for once.
func TestSpotWithdrawals(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.deposit("d1", "alice", 3, "BNB")
		rent := f.apply("coin=BNB&address=bnb1x&addressTag=7&network=BSC&name=my+wallet&amount=0.50" +
			"&withdrawOrderId=rent%201&transactionFeeFlag=true&walletType=0")
		f.has(2_50000000, 50000000)
		f.clock.Set(1, "13:00")
		again := f.apply("withdrawOrderId=rent+1&network=BSC&addressTag=7&amount=0.5&address=bnb1x&coin=BNB")
		if again != rent {
			t.Errorf("the same is answered %s, and first %s", again, rent)
		}
		const other = `400 {"code":-1130,"msg":"Data sent for parameter 'withdrawOrderId' is not valid: another withdrawal has it."}`
		f.wants(f.post(applyPath,
			"coin=BNB&address=bnb1x&addressTag=7&network=BSC&amount=0.6&withdrawOrderId=rent%201"), other)
		f.wants(f.post(applyPath,
			"coin=BNB&address=bnb1y&addressTag=7&network=BSC&amount=0.5&withdrawOrderId=rent%201"), other)

		plain := f.signed(applyPath, "coin=BNB&address=bnb1x&amount=1")
		plain.method = http.MethodPost
		first := f.send(plain)
		f.wants(f.send(plain), first.String())
		f.clock.Advance(time.Millisecond)
		second := f.apply("coin=BNB&address=bnb1x&amount=1") // a millisecond later it is another
		if strings.Contains(first.body, second) {
			t.Errorf("two withdrawals are one: %s", second)
		}
		f.has(50000000, 2_50000000)
		f.wants(f.post(applyPath, "coin=BNB&address=bnb1x&amount=0.50000001"),
			`400 {"code":-4026,"msg":"You have insufficient balance."}`)
		f.wants(f.post(applyPath, "coin=SOL&address=sol1x&amount=1"),
			`400 {"code":-4026,"msg":"You have insufficient balance."}`)

		waiting := fmt.Sprintf(`{"id":"%s","amount":"0.5","transactionFee":"0","coin":"BNB","status":2,"address":"bnb1x","addressTag":"7","txId":"","applyTime":"2026-03-02 12:00:00",`+
			`"network":"BSC","transferType":0,"withdrawOrderId":"rent 1","info":"","confirmNo":0,"walletType":0,"txKey":""}`, rent)
		f.wants(f.get(withdrawnPath, "withdrawOrderId=rent%201"), `200 [`+waiting+`]`)
		f.wants(f.get(withdrawnPath, "endTime=1772452800000"), `200 [`+waiting+`]`)
		f.enter(rent+"/completed", ledger.WithdrawalCompleted, "alice/held", ledger.Custody, "BNB", 50000000)
		f.enter(second+"/cancelled", ledger.WithdrawalCancelled, "alice/held", "alice", "BNB", 1_00000000)
		f.has(1_50000000, 1_00000000)
		completed := strings.Replace(strings.Replace(strings.Replace(waiting, `"status":2`, `"status":6`, 1),
			`"txId":""`, `"txId":"`+rent+`/completed"`, 1),
			`"txKey":""`, `"txKey":"","completeTime":"2026-03-02 13:00:00"`, 1)
		f.wants(f.get(withdrawnPath, "status=6&coin=BNB"), `200 [`+completed+`]`)
		f.wants(f.get(withdrawnPath, "idList=nothing%2C"+rent), `200 [`+completed+`]`)
		for query, want := range map[string]string{ // the newest first
			"": "1 2 6", "limit=1": "1", "offset=1&limit=1": "2", "offset=3": "", "status=1": "1", "status=0": "",
			"coin=undefined": "", "coin=SOL": "", "idList=nothing": "",
		} {
			var got []string
			for _, w := range read[[]struct{ Status int }](t, f.get(withdrawnPath, query)) {
				got = append(got, fmt.Sprint(w.Status))
			}
			if strings.Join(got, " ") != want {
				t.Errorf("history?%s has the statuses %v, and not %s", query, got, want)
			}
		}
	})
}

// What a withdrawal cannot be, and what that changes: nothing.
func TestSpotWithdrawalsRefused(t *testing.T) {
	f := newFixture(t, "sqlite", unchanged)
	f.deposit("d1", "alice", 3, "BNB")
	for query, want := range map[string]string{
		"address=x&amount=1":                                                      `400 {"code":-1102,"msg":"Mandatory parameter 'coin' was not sent, was empty/null, or malformed."}`,
		"coin=BNB&amount=1":                                                       `400 {"code":-1102,"msg":"Mandatory parameter 'address' was not sent, was empty/null, or malformed."}`,
		"coin=BNB&address=&amount=1":                                              `400 {"code":-1102,"msg":"Mandatory parameter 'address' was not sent, was empty/null, or malformed."}`,
		"coin=BNB&address=x":                                                      `400 {"code":-1102,"msg":"Mandatory parameter 'amount' was not sent, was empty/null, or malformed."}`,
		"coin=undefined&address=x&amount=1":                                       `400 {"code":-4018,"msg":"We don't have this asset."}`,
		"coin=B/B&address=x&amount=1":                                             `400 {"code":-4018,"msg":"We don't have this asset."}`,
		"coin=BNB&address=x&amount=0.000000001":                                   `400 {"code":-1111,"msg":"Precision is over the maximum defined for this asset."}`,
		"coin=BNB&address=x&amount=0":                                             `400 {"code":-1130,"msg":"Data sent for parameter 'amount' is not valid."}`,
		"coin=BNB&address=x&amount=-1":                                            `400 {"code":-1130,"msg":"Data sent for parameter 'amount' is not valid."}`,
		"coin=BNB&address=x&amount=99999999999999999999":                          `400 {"code":-1130,"msg":"Data sent for parameter 'amount' is not valid."}`,
		"coin=BNB&address=x&amount=1e3":                                           `400 {"code":-1100,"msg":"Illegal characters found in parameter 'amount'."}`,
		"coin=BNB&address=x&amount=1&walletType=1":                                `400 {"code":-1130,"msg":"Data sent for parameter 'walletType' is not valid."}`,
		"coin=BNB&amount=1&address=" + strings.Repeat("x", 201):                   `400 {"code":-1130,"msg":"Data sent for parameter 'address' is not valid."}`,
		"coin=BNB&address=x&amount=1&addressTag=" + strings.Repeat("%C3%A9", 201): `400 {"code":-1130,"msg":"Data sent for parameter 'addressTag' is not valid."}`,
		"coin=BNB&address=a%00b&amount=1":                                         `400 {"code":-1100,"msg":"Illegal characters found in a parameter."}`,
	} {
		f.wants(f.post(applyPath, query), want)
	}
	f.has(3_00000000, 0)
	ok(t, f.db.People().RevokeKey(t.Context(), f.key.Key))
	f.wants(f.post(applyPath, "coin=BNB&address=x&amount=1"), badKey)
	f.has(3_00000000, 0)
}

// A closed account's key withdraws nothing, and reads.
func TestSpotOfAClosedAccount(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.deposit("d1", "alice", 1, "BNB")
		f.enter("w1", ledger.Withdrawal, "alice", ledger.Custody, "BNB", 1_00000000)
		ok(t, f.db.CloseAccount(t.Context(), "alice"))
		f.wants(f.post(applyPath, "coin=BNB&address=x&amount=1"), badKey)
		f.wants(f.post(assetsPath, ""), `200 []`)
		f.wants(f.get(withdrawnPath, ""), `200 []`)
	})
}

func TestSpotDeposits(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.wants(f.get(depositedPath, ""), `200 []`)
		f.deposit("d/1", "alice", 3, "BNB")
		f.clock.Set(2, "12:00")
		f.deposit("d/2", "alice", 100, "ADA")
		f.open("bob")
		f.deposit("d/3", "bob", 1, "BNB")
		row := func(id int64, amount, coin, entry string, at time.Time) string {
			return fmt.Sprintf(`{"id":"%d","amount":"%s","coin":"%s","network":"","status":1,"address":"","addressTag":"","txId":"%s","insertTime":%d,"completeTime":%d,`+
				`"transferType":0,"confirmTimes":"1/1","unlockConfirm":0,"walletType":0}`, id, amount, coin, entry,
				at.UnixMilli(), at.UnixMilli())
		}
		first, second := row(429272252216473, "3", "BNB", "d/1", noon),
			row(279020932114063, "100", "ADA", "d/2", noon.AddDate(0, 0, 1))
		for query, want := range map[string]string{
			"": second + "," + first, "coin=BNB": first, "limit=1": second, "offset=1": first, "offset=2": "",
			"status=1": second + "," + first, "status=0": "",
			"txId=d/1": first, "txId=d%2F3": "", "coin=undefined": "", "includeSource=true&coin=ADA": second,
			fmt.Sprintf("endTime=%d", noon.UnixMilli()): first, fmt.Sprintf("startTime=%d", noon.UnixMilli()+1): second,
		} {
			f.wants(f.get(depositedPath, query), `200 [`+want+`]`)
		}
	})
}

// The ranges and pages of the histories.
func TestSpotHistoriesRefused(t *testing.T) {
	f := newFixture(t, "sqlite", unchanged)
	for query, want := range map[string]string{
		"startTime=1764676800000&endTime=1772452800000": `200 []`, // 90 days
		"startTime=1764676799999&endTime=1772452800000": `400 {"code":-6021,"msg":"Query time range too large"}`,
		"startTime=9999999999999999999":                 `400 {"code":-1130,"msg":"Data sent for parameter 'startTime' is not valid."}`,
		"startTime=today":                               `400 {"code":-1100,"msg":"Illegal characters found in parameter 'startTime'."}`,
		"limit=1001":                                    `400 {"code":-1130,"msg":"Data sent for parameter 'limit' is not valid."}`,
		"limit=0":                                       `400 {"code":-1130,"msg":"Data sent for parameter 'limit' is not valid."}`,
		"offset=-1":                                     `400 {"code":-1130,"msg":"Data sent for parameter 'offset' is not valid."}`,
		"status=done":                                   `400 {"code":-1100,"msg":"Illegal characters found in parameter 'status'."}`,
		"coin=B%2FB":                                    `400 {"code":-1100,"msg":"Illegal characters found in parameter 'coin'."}`,
	} {
		f.wants(f.get(withdrawnPath, query), want)
		f.wants(f.get(depositedPath, query), want)
	}
	f.wants(f.get(depositedPath, "includeSource=maybe"),
		`400 {"code":-1102,"msg":"Mandatory parameter 'includeSource' was not sent, was empty/null, or malformed."}`)
}

// What a holder calls a withdrawal is any text, and never stands in a URL: its ID is made of it.
func TestAWithdrawalWhoseNameVanishesFromAURL(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.deposit("d1", "alice", 3, "BNB")
		for _, name := range []string{".", "..", "a%2F..%2Fb"} {
			id := f.apply("coin=BNB&address=bnb1x&amount=0.01&withdrawOrderId=" + name)
			if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
				t.Errorf("a withdrawal called %q has the ID %q", name, id)
			}
		}
	})
}

// Where a withdrawal goes is any text: an account's ID is answered as one that there is
// not, and no endpoint names another account.
func TestAKeyDoesNotListAccounts(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.open("bob")
		f.deposit("d1", "alice", 3, "BNB")
		for _, query := range []string{
			"coin=BNB&amount=9&address=%s", "coin=BNB&amount=0&address=%s",
			"coin=BNB&amount=1&walletType=1&address=%s",
		} {
			there, not := f.post(applyPath, fmt.Sprintf(query, "bob")), f.post(applyPath, fmt.Sprintf(query, "nobody"))
			if there.String() != not.String() {
				t.Errorf("to bob it is answered %s, to nobody %s", there, not)
			}
		}
		if there, not := f.apply("coin=BNB&amount=1&address=bob"),
			f.apply("coin=BNB&amount=1&address=nobody"); there == not {
			t.Error("two withdrawals are one")
		}
	})
}
