package attack

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
)

// changes are the exchange's endpoints that change the books.
var changes = map[string]bool{"/sapi/v1/soft-staking/set": true, "/sapi/v1/capital/withdraw/apply": true}

// The exchange's codes of what a key may not do: not with its permissions, and not to this address.
const (
	notPermitted = -2015
	notSaved     = -6023
)

// endpointRow finds a row of a table of endpoints.
var endpointRow = regexp.MustCompile(`(?m)^\t(?:get\(|\{http\.Method(\w+), )"(/[a-z]+/v\d+/[^"]+)", (access\.\w+|marketData|"")`)

// endpoints are the exchange's endpoints that need a key, as the tables of the package binance have them.
func (x *thief) endpoints() (all [][2]string) {
	x.Helper()
	files, err := filepath.Glob("../binance/*.go")
	ok(x.T, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		ok(x.T, err)
		for _, m := range endpointRow.FindAllStringSubmatch(string(text), -1) {
			method := http.MethodGet
			if m[1] == "Post" {
				method = http.MethodPost
			}
			if m[3] != `""` {
				all = append(all, [2]string{method, m[2]})
			}
		}
	}
	if len(all) < 20 {
		x.Errorf("%d endpoints are found: what do the tables look like?", len(all))
	}
	return all
}

// walkExchange attempts everything with a signed key.
func (x *thief) walkExchange(table map[string]string) {
	x.Helper()
	for _, e := range x.endpoints() {
		method, path := e[0], e[1]
		switch path {
		case "/sapi/v1/soft-staking/set":
			table[method+" "+path+": off, on"] = string(x.sign(method, path, "softStaking", "false")) +
				string(x.sign(method, path, "softStaking", "true"))
		case "/sapi/v1/capital/withdraw/apply":
			for _, a := range []struct{ what, amount, address string }{
				{"all to the thief", "90000", "0xmallory"}, {"1 BNB to the thief", "1", "0xmallory"},
				{"600 BNB to where alice withdraws", "600", "0xalice"},
				{"more than there is to where alice withdraws", "990000", "0xalice"},
			} {
				table[method+" "+path+": "+a.what] = string(x.sign(method, path, "coin", "BNB", "network", "BSC",
					"address", a.address, "amount", a.amount))
			}
		default:
			table[method+" "+path] = string(x.sign(method, path, "coin", "BNB", "asset", "BNB", "symbol", "BNBUSDT",
				"type", "SPOT"))
		}
	}
}
