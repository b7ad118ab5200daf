package binance_test

import (
	"net/http"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/softstake/softstake/binance"
)

// Each endpoint under /sapi has its own weight, all under /api have one together,
// and each address its own.
func TestWeights(t *testing.T) {
	f := newFixture(t, "sqlite:"+t.TempDir()+"/books.db", func(o *binance.Options) { o.Weights = true })
	const sapi, api = "X-Sapi-Used-Ip-Weight-1m", "X-Mbx-Used-Weight-1m"
	ask := func(path, header string, used int) answered {
		t.Helper()
		got := f.send(ask{method: http.MethodGet, path: path})
		if got.headers.Get(header) != strconv.Itoa(used) {
			t.Errorf("%s: used is %q, not %d", path, got.headers.Get(header), used)
		}
		return got
	}
	f.clock.Advance(-2_500_000 * time.Microsecond) // 11:59:57.5
	for n := range 240 {
		f.wants(ask(listPath, sapi, 50*(n+1)), badFormat) // what is refused weighs as much
	}
	const heavy = `429 {"code":-1003,"msg":"Too much request weight used; current limit is 12000 request weight per 1 MINUTE."}`
	for n := range 3 { // never 418
		got := ask(listPath, sapi, 12_050+50*n)
		f.wants(got, heavy)
		if got.headers.Get("Retry-After") != "3" {
			t.Errorf("it may come again after %q", got.headers.Get("Retry-After"))
		}
	}
	f.wants(ask(recordsPath, sapi, 50), badFormat)
	f.caller.Address = netip.MustParseAddr("192.0.2.8")
	f.wants(ask(listPath, sapi, 50), badFormat)
	f.caller.Address = netip.MustParseAddr("2001:db8::1")
	ask(listPath, sapi, 50)
	f.caller.Address = netip.MustParseAddr("2001:db8::ffff:0:0:2") // of the same network
	ask(listPath, sapi, 100)
	f.caller.Address = netip.MustParseAddr("2001:db8:0:1::1")
	ask(listPath, sapi, 50)
	f.caller.Address = netip.MustParseAddr("::ffff:192.0.2.7")
	f.wants(ask(listPath, sapi, 12_200), heavy)
	f.clock.Advance(2_499_999 * time.Microsecond)
	f.wants(ask(listPath, sapi, 12_250), heavy)
	f.clock.Advance(time.Microsecond) // the next minute
	f.wants(ask(listPath, sapi, 50), badFormat)

	for n := range 6000 {
		f.wants(ask("/api/v3/ping", api, n+1), "200 {}")
	}
	f.wants(ask("/api/v3/time", api, 6001),
		`429 {"code":-1003,"msg":"Too much request weight used; current limit is 6000 request weight per 1 MINUTE."}`)
}

// Futures have a limit of their own, each kind.
func TestWeightsOfFutures(t *testing.T) {
	f := newFixture(t, "sqlite:"+t.TempDir()+"/books.db", func(o *binance.Options) { o.Weights = true })
	ask := func(path string) answered { return f.send(ask{method: http.MethodGet, path: path}) }
	for range 2400 {
		if got := ask("/fapi/v1/exchangeInfo"); got.status != http.StatusOK {
			t.Fatalf("answered %s", got)
		}
	}
	f.wants(ask("/fapi/v1/exchangeInfo"),
		`429 {"code":-1003,"msg":"Too much request weight used; current limit is 2400 request weight per 1 MINUTE."}`)
	for path, used := range map[string]string{"/dapi/v1/exchangeInfo": "1", "/api/v3/ping": "1"} {
		if got := ask(path); got.status != http.StatusOK || got.headers.Get("X-Mbx-Used-Weight-1m") != used {
			t.Errorf("%s: %s, used %q", path, got, got.headers.Get("X-Mbx-Used-Weight-1m"))
		}
	}
}

// Without weights there is no limit, and nothing is said of it.
func TestWithoutWeights(t *testing.T) {
	f := newFixture(t, "sqlite:"+t.TempDir()+"/books.db", func(*binance.Options) {})
	for range 241 {
		if got := f.send(ask{method: http.MethodGet, path: listPath}); got.String() != badFormat ||
			got.headers.Get("X-Sapi-Used-Ip-Weight-1m") != "" {
			t.Fatalf("answered %s, used %q", got, got.headers.Get("X-Sapi-Used-Ip-Weight-1m"))
		}
	}
}
