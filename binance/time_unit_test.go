package binance_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Under /api a client may want times in microseconds; elsewhere they are in milliseconds.
func TestTimeUnit(t *testing.T) {
	f := newFixture(t, "sqlite", unchanged)
	f.deposit("d1", "alice", 2, "BNB")
	f.clock.Advance(1_234 * time.Microsecond)
	const badUnit = `400 {"code":-1194,"msg":"Invalid value for time unit; expected either MICROSECOND or MILLISECOND."}`
	for unit, micros := range map[string]bool{
		"": false, "MILLISECOND": false, "millisecond": false, "MICROSECOND": true, "microsecond": true,
		"MicroSecond": true,
	} {
		in := func(a ask) answered {
			t.Helper()
			if a.headers == nil {
				a.headers = map[string]string{}
			}
			a.headers["X-Mbx-Time-Unit"] = unit
			return f.send(a)
		}
		now := "1772452800001"
		if micros {
			now = "1772452800001234"
		}
		f.wants(in(ask{method: http.MethodGet, path: "/api/v3/time"}), `200 {"serverTime":`+now+`}`)
		for what, a := range map[string]ask{
			`"serverTime":`: {method: http.MethodGet, path: infoPath, query: "symbol=BNBUSDT"},
			`"updateTime":`: f.signed(accountPath, "omitZeroBalances=true"),
		} {
			if got := in(a); got.status != http.StatusOK || !strings.Contains(got.body, what+now+",") {
				t.Errorf("%s in %q: %s", what, unit, got)
			}
		}
		if got := in(f.signed(depositedPath, "")); !strings.Contains(got.body, `"insertTime":1772452800000,`) {
			t.Errorf("a deposit in %q: %s", unit, got)
		}
	}
	for _, unit := range []string{"SECOND", "MICROSECONDS", "µs", "1"} {
		headers := map[string]string{"X-Mbx-Time-Unit": unit}
		f.wants(f.send(ask{method: http.MethodGet, path: "/api/v3/time", headers: headers}), badUnit)
		f.wants(f.send(ask{method: http.MethodGet, path: "/sapi/v1/system/status", headers: headers}),
			`200 {"status":0,"msg":"normal"}`)
	}
}
