package attack

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// attempt is one way to misuse a route: what it is in the table, the request, and how often it is made: what is split
// into many small ones is as much as what is large.
type attempt struct {
	what  string
	path  string
	body  string
	times int // 0: once
}

// never are the attempts that are refused whoever makes them: what they attempt is in no credential's power.
var never = []string{"below zero", "deposit below zero", "deposit as our own entry", "deposit from the pool",
	"a correction", "income", "funds", "transfer of what is held", "transfer out of the pool",
	"release of a withdrawal that waits", "the end of the small one, for more", "what it has proposed itself",
	"another's large withdrawal, unseen", "alice, who is there", "bob, who has something",
	"all to the thief", "1 BNB to the thief", "more than there is to where alice withdraws"}

// changesNothing are the attempts that are accepted and change nothing, since it is so already.
var changesNothing = []string{"saved addresses alone, of alice", "saved addresses alone, of bob",
	"for itself, again", "now"}

// greedy are the attempts at each route of /v1 that changes something. Whoever adds a route adds here what a thief
// would do with it: the largest amount, many small ones, another's account, the thief's own, and what opens more.
var greedy = map[string][]attempt{
	"POST /v1/accounts": {{what: "in a victim's name", body: `{"id":"new-{n}","region":"DE","owner":"alice"}`},
		{what: "twelve of its own", body: `{"id":"new-{n}","region":"DE"}`, times: 12}},
	"POST /v1/accounts/{account}/acceptances": {
		{what: "for dora", path: "dora", body: `{"document":"risk-warning","version":1}`},
		{what: "for itself, again", path: "bob", body: `{"document":"risk-warning","version":1}`}},
	"PUT /v1/accounts/{account}/activation": {{what: "ten times, of bob", path: "bob", times: 10, body: `{"on":{flip}}`},
		{what: "of alice", path: "alice", body: `{"on":false}`}},
	"POST /v1/accounts/{account}/close": {{what: "alice, and all to mallory", path: "alice/close?sweepTo=mallory"},
		{what: "erin, and 5000 BNB to mallory", path: "erin/close?sweepTo=mallory"},
		{what: "frank, and 700 BNB to mallory", path: "frank/close?sweepTo=mallory"},
		{what: "bob, who has something", path: "bob"}},
	"POST /v1/accounts/{account}/erase": {{what: "gone", path: "gone"},
		{what: "alice, who is there", path: "alice"}},
	"POST /v1/accounts/{account}/exclusions":       {{what: "bob", path: "bob", body: `{"product":"x","asset":"BNB"}`}},
	"POST /v1/accounts/{account}/freeze":           {{what: "bob", path: "bob", body: `{"earning":false,"reason":"x"}`}},
	"DELETE /v1/accounts/{account}/labels/{label}": {{what: "of alice", path: "alice/labels/vip?from={tomorrow}"}},
	"PUT /v1/accounts/{account}/labels/{label}":    {{what: "mallory a vip", path: "mallory/labels/vip?from={tomorrow}"}},
	"PUT /v1/accounts/{account}/owner": {{what: "alice mallory's", path: "alice",
		body: `{"owner":"mallory","from":"{tomorrow}"}`}},
	"PUT /v1/accounts/{account}/region": {
		{what: "alice to where it is not offered, ten accounts", path: "alice", body: `{"region":"US"}`, times: 10},
		{what: "dora to another", path: "dora", body: `{"region":"FR"}`}},
	"POST /v1/accounts/{account}/unfreeze": {{what: "dora", path: "dora", body: `{"reason":"x"}`}},
	"POST /v1/accounts/{account}/withdrawal-addresses": { // bob has no factor, and so saves none
		{what: "the thief's, of alice", path: "alice", body: `{"address":"0xmallory","network":"BSC","asset":"BNB"}`}},
	"PUT /v1/accounts/{account}/withdrawal-addresses/saved-only": {
		{what: "saved addresses alone, of alice", path: "alice"}, {what: "saved addresses alone, of bob", path: "bob"}},
	"DELETE /v1/accounts/{account}/withdrawal-addresses/{id}": {
		{what: "of alice", path: "alice/withdrawal-addresses/{saved}"}},
	"POST /v1/accounts/{account}/withdrawals": {
		{what: "all of alice's to the thief", path: "alice", body: withdraws("90000", "0xmallory")},
		{what: "600 BNB of alice's, three times", path: "alice", body: withdraws("600", "0xmallory"), times: 3},
		{what: "90 BNB of bob's, twelve times", path: "bob", body: withdraws("90", "0xmallory"), times: 12},
		{what: "to where alice withdraws", path: "alice", body: withdraws("2000", "0xalice")},
		{what: "to where bob withdraws", path: "bob", body: withdraws("2000", "0xbob")},
		{what: "below zero", path: "alice", body: withdraws("-5", "0xmallory")}},
	"POST /v1/adjustments": {{what: "10 BNB to mallory", body: `{"id":"{id}","reason":"x","moves":[` + mints + `]}`}},
	"POST /v1/adjustments/batches": {{what: "two to mallory", body: `{"adjustments":[{"id":"{id}a","reason":"x","moves":[` +
		mints + `]},{"id":"{id}b","reason":"x","moves":[` + mints + `]}]}`}},
	"POST /v1/payouts/acknowledgements": {{what: "alice's reward as credited", body: `{"acknowledgements":[` +
		`{"payout":"reward/{yesterday}/BNB/alice","transaction":"x"}]}`}},
	"POST /v1/webhooks/{name}/replays": {{what: "the payouts, which their receiver has", path: "shop",
		body: `{"from":"payouts_1","to":"payouts_900"}`}},
	"POST /v1/webhooks/{name}/tests": {{what: "three", path: "shop", times: 3}},
	"PUT /v1/webhooks/{name}/state":  {{what: "disabled", path: "shop", body: `{"state":"disabled","reason":"x"}`}},
	"POST /v1/batches": {{what: "deposits, three of 400 BNB",
		body: `{"entries":[` + entry("a", "deposit", "@custody", "mallory", "400") + `,` +
			entry("b", "deposit", "@custody", "mallory", "400") + `,` + entry("c", "deposit", "@custody", "mallory", "400") +
			`]}`},
		{what: "deposits, atomic, of 2000 BNB", body: `{"atomic":true,"entries":[` +
			entry("a", "deposit", "@custody", "mallory", "2000") + `]}`},
		{what: "a large withdrawal among others", body: `{"entries":[` +
			entry("a", "transfer", "alice", "mallory", "1") + `,` + completes + `]}`},
		{what: "transfers of 600 BNB, ten", body: `{"entries":[` + transfers(10) + `]}`}},
	"POST /v1/campaigns": {{what: "for itself", body: `{"id":"mine","title":"Mine","asset":"BNB","first":"{later}",` +
		`"last":"{last}","pool":"90000","tokens":[{"token":"ADA","amount":"90000"}]}`}},
	"POST /v1/campaigns/{campaign}/end": {{what: "at once", path: "spring", body: `{"last":"{later}"}`}},
	"POST /v1/compensations": {{what: "all of the pool to alice", body: `{"account":"alice","amount":"90000",` +
		`"asset":"BNB","day":"{yesterday}","name":"n-{n}","reason":"x"}`},
		{what: "1 BNB to alice", body: `{"account":"alice","amount":"1","asset":"BNB","day":"{yesterday}",` +
			`"name":"n-{n}","reason":"x"}`}},
	"PUT /v1/currency-rates": {{what: "a thousandfold", body: `{"rates":[{"currency":"EUR","day":"{today}",` +
		`"rate":"1000"}]}`},
		{what: "a tenth more", body: `{"rates":[{"currency":"EUR","day":"{today}","rate":"1.01"}]}`}},
	"POST /v1/documents": {{what: "of its own words", body: `{"name":"risk-warning","text":"Send all to mallory."}`}},
	"POST /v1/enrollments": {{what: "carol, erin, frank, mallory", body: `{"enrollments":[{"account":"carol"},` +
		`{"account":"erin"},{"account":"frank"},{"account":"mallory"}]}`},
		{what: "carol", body: `{"enrollments":[{"account":"carol"}]}`}},
	"POST /v1/entries": entries(),
	"POST /v1/exclusions": {{what: "alice and bob", body: `{"exclusions":[{"account":"alice","product":"x",` +
		`"asset":"BNB"},{"account":"bob","product":"x","asset":"BNB"}]}`}},
	"POST /v1/fees": {{what: "all out", body: `{"id":"{id}","asset":"BNB","amount":"1.5","direction":"out"}`},
		{what: "in", body: `{"id":"{id}","asset":"BNB","amount":"1","direction":"in"}`}},
	"POST /v1/funds": {{what: "all out", body: `{"id":"{id}","asset":"BNB","amount":"90000","direction":"out"}`},
		{what: "in", body: `{"id":"{id}","asset":"BNB","amount":"1000000","direction":"in"}`}},
	"POST /v1/incomes": {{what: "a million ADA", body: income("1000000")}, {what: "10 ADA", body: income("10")},
		{what: "a loss", body: income("-1")}},
	"PUT /v1/prices": {{what: "tenfold", body: `{"prices":[{"asset":"BNB","day":"{today}","price":"6000"}]}`},
		{what: "a tenth more", body: `{"prices":[{"asset":"BNB","day":"{today}","price":"660"}]}`},
		{what: "a tenth more again", body: `{"prices":[{"asset":"BNB","day":"{today}","price":"725"}]}`}},
	"POST /v1/proposals/{proposal}/approve": {
		{what: "what it has proposed itself", path: "{own}", body: `{"effectDigest":"{own digest}"}`},
		{what: "another's terms", path: "{terms}", body: `{"effectDigest":"{terms digest}"}`},
		{what: "another's large withdrawal, unseen", path: "{payout}", body: `{"effectDigest":"{terms digest}"}`},
		{what: "another's large withdrawal", path: "{payout}", body: `{"effectDigest":"{payout digest}"}`}},
	"POST /v1/proposals/{proposal}/reject": {{what: "another's", path: "{rejected}", body: `{"reason":"x"}`}},
	"POST /v1/reconciliation/resolutions":  {{what: "what is below zero", body: `{"entry":"early","reason":"x"}`}},
	"POST /v1/reconciliations":             {{what: "that nobody has anything", body: `{"balances":[]}`}},
	"POST /v1/reconciliations/{number}/resolutions": {{what: "what stops TON", path: "1",
		body: `{"asset":"TON","reason":"x"}`}},
	"PUT /v1/regions/{code}":    {{what: "DE listed", path: "DE"}},
	"DELETE /v1/regions/{code}": {{what: "US offered", path: "US"}},
	"POST /v1/runs":             {{what: "now"}},
	"POST /v1/runs/approvals":   {{what: "a day over its limit", body: `{"asset":"SOL","day":"{waiting}"}`}},
	"POST /v1/tokens": {{what: "its own", body: `{"asset":"EVIL","scale":8,"maxSupply":"1000000","offered":true,` +
		`"apr":"0.2","minimum":"1","cap":"1000000"}`}},
	"POST /v1/tokens/{asset}/corrections": {{what: "tenfold", path: "SOL", body: `{"day":"{yesterday}","offered":true,` +
		`"apr":"0.08","minimum":"1","cap":"1000000","reason":"x"}`}},
	"PUT /v1/tokens/{asset}/disclosure": {{what: "of its own words", path: "BNB", body: `{"text":"Send all to mallory."}`}},
	"PUT /v1/tokens/{asset}/limits":     {{what: "none", path: "BNB", body: `{"maxTotal":"0","maxChange":"0"}`}},
	"POST /v1/tokens/{asset}/terms": {{what: "an APR of 1000 %", path: "BNB", body: `{"from":"{tomorrow}",` +
		`"offered":true,"apr":"10","minimum":"0.00000001","cap":"1000000"}`}},
}

const (
	mints     = `{"from":"@custody","to":"mallory","asset":"BNB","amount":"10"}`
	completes = `{"id":"w-large/completed","kind":"withdrawal-completed","moves":[{"from":"carol/held","to":"@custody",` +
		`"asset":"BNB","amount":"5000"}]}`
)

// entry is an entry of one move of BNB; its ID ends with a letter.
func entry(letter, kind, from, to, amount string) string {
	return `{"id":"{id}` + letter + `","kind":"` + kind + `","moves":[{"from":"` + from + `","to":"` + to +
		`","asset":"BNB","amount":"` + amount + `"}]}`
}

func transfers(n int) string {
	var all []string
	for i := range n {
		all = append(all, entry(string(rune('a'+i)), "transfer", "alice", "mallory", "600"))
	}
	return strings.Join(all, ",")
}

func withdraws(amount, address string) string {
	return `{"id":"{id}","asset":"BNB","amount":"` + amount + `","network":"BSC","address":"` + address + `"}`
}

func income(gross string) string {
	return `{"asset":"ADA","chain":"cardano","evidence":"{n}","first":"{yesterday}","last":"{yesterday}","gross":"` + gross +
		`","reference":"r-{n}","source":"pool"}`
}

// entries are the attempts at posting one entry.
func entries() []attempt {
	all := []attempt{
		{what: "deposit of 1000000 BNB", body: entry("", "deposit", "@custody", "mallory", "1000000")},
		{what: "deposits of 90 BNB, twelve", body: entry("", "deposit", "@custody", "mallory", "90"), times: 12},
		{what: "deposits of 300 ADA, dated back", times: 2, body: `{"id":"{id}","kind":"deposit","at":"{today}T00:00:00Z",` +
			`"moves":[{"from":"@custody","to":"mallory","asset":"ADA","amount":"300"}]}`},
		{what: "deposit of two moves, 600 BNB each", body: `{"id":"{id}","kind":"deposit","moves":[` +
			strings.ReplaceAll(mints, `"10"`, `"600"`) + `,` + strings.ReplaceAll(mints, `"10"`, `"600"`) + `]}`},
		{what: "deposit below zero", body: entry("", "deposit", "@custody", "mallory", "-10")},
		{what: "authoritative deposit", body: `{"id":"{id}","kind":"deposit","authoritative":true,"moves":[` + mints + `]}`},
		{what: "deposit as our own entry", body: `{"id":"reward/{n}","kind":"deposit","moves":[` + mints + `]}`},
		{what: "deposit from the pool", body: entry("", "deposit", "@rewards", "mallory", "10")},
		{what: "trade with @desk, for nothing", body: entry("", "trade", "@desk", "mallory", "90"), times: 12},
		{what: "trade with @desk, of carol's to it", body: entry("", "trade", "carol", "@desk", "15"), times: 2},
		{what: "transfer of all of bob's", body: entry("", "transfer", "bob", "mallory", "40000")},
		{what: "transfers of 90 BNB of alice's, twelve", body: entry("", "transfer", "alice", "mallory", "90"), times: 12},
		{what: "transfers of 90 BNB of bob's, twelve", body: entry("", "transfer", "bob", "mallory", "90"), times: 12},
		{what: "transfer of what is held", body: entry("", "transfer", "carol/held", "mallory", "10")},
		{what: "transfer out of the pool", body: entry("", "transfer", "@rewards", "mallory", "10")},
		{what: "trade of carol's, for nothing", body: entry("", "trade", "carol", "mallory", "90"), times: 12},
		{what: "hold of carol's", body: entry("", "hold", "carol", "carol/held", "10")},
		{what: "release of a withdrawal that waits", body: entry("", "release", "carol/held", "carol", "5000")},
		{what: "withdrawal of all of bob's", body: entry("", "withdrawal", "bob", "@custody", "40000")},
		{what: "withdrawals of 90 BNB of bob's, twelve", body: entry("", "withdrawal", "bob", "@custody", "90"), times: 12},
		{what: "request of 90 BNB, without an address", body: entry("", "withdrawal-request", "bob", "bob/held", "90"),
			times: 12},
		{what: "the same of alice's", body: entry("", "withdrawal-request", "alice", "alice/held", "90"), times: 12},
		{what: "the end of the large withdrawal", body: completes},
		{what: "the end of the small one, for more", body: strings.ReplaceAll(strings.ReplaceAll(completes, "w-large",
			"w-small"), "carol", "bob")},
		{what: "the end of the small one", body: strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(completes,
			"w-large", "w-small"), "carol", "bob"), "5000", "5")},
		{what: "a correction", body: entry("", "adjustment", "@custody", "mallory", "10")},
		{what: "income", body: entry("", "staking-income", "@custody", "@rewards", "10")},
		{what: "funds", body: entry("", "fund", "@rewards", "@custody", "10")},
	}
	return all
}

// parameter finds the parameters of a path.
var parameter = regexp.MustCompile(`\{[a-z]+\}`)

// routes are those that the server describes, each with whether it only reads.
func (x *thief) routes() []string {
	x.Helper()
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	a := x.send(http.MethodGet, "/v1/openapi.json", "", "")
	x.keep(read)
	ok(x.T, json.Unmarshal([]byte(a.body), &document))
	var all []string
	for path, methods := range document.Paths {
		for method := range methods {
			all = append(all, strings.ToUpper(method)+" "+path)
		}
	}
	slices.SortFunc(all, func(a, b string) int { // what is posted comes first: it is what there is to be taken
		_, left, _ := strings.Cut(a, " ")
		_, right, _ := strings.Cut(b, " ")
		return strings.Compare(rank(left)+left+a, rank(right)+right+b)
	})
	return all
}

// rank lets entries be attempted first, and what ends accounts and proposals last.
func rank(path string) string {
	switch {
	case path == "/v1/entries":
		return "0"
	case strings.HasSuffix(path, "/close"), strings.HasSuffix(path, "/erase"), strings.HasSuffix(path, "/freeze"),
		strings.HasSuffix(path, "/region"), strings.HasPrefix(path, "/v1/proposals/"):
		return "2"
	}
	return "1"
}

// walk attempts everything at each route of /v1, and returns what became of it, by line of the table.
func (x *thief) walk(table map[string]string) {
	x.Helper()
	known := maps.Clone(greedy)
	for _, route := range x.routes() {
		method, path, _ := strings.Cut(route, " ")
		if method == http.MethodGet {
			table[route] = string(x.call(method, reading(path)+query[path], ""))
			continue
		}
		attempts, there := known[route]
		if !there {
			x.Errorf("%s: what would a thief do with it? Add it to greedy.", route)
		}
		delete(known, route)
		for _, a := range attempts {
			row, first := route+": "+a.what, x.n
			table[row] = x.attempt(method, path, a)
			x.rows = append(x.rows, made{a.what, first, x.n})
		}
	}
	for route := range known {
		x.Errorf("there is no route %s", route)
	}
}

// query is what some routes need to be asked for.
var query = map[string]string{"/v1/prices": "?asset=BNB", "/v1/currency-rates": "?currency=EUR"}

// attempt makes an attempt as often as it says: the letters of what became of it, each once.
func (x *thief) attempt(method, path string, a attempt) string {
	x.Helper()
	var letters string
	for i := range max(a.times, 1) {
		body := strings.ReplaceAll(a.body, "{flip}", map[bool]string{true: "true", false: "false"}[i%2 == 1])
		o := string(x.call(method, place(path, a.path), body))
		if !strings.Contains(letters, o) {
			letters += o
		}
	}
	return letters
}

// place puts what an attempt names into a route's path: a value of its parameter, or all that follows from there.
func place(path, value string) string {
	at := parameter.FindStringIndex(path)
	switch {
	case at == nil || value == "":
		return path
	case strings.Contains(value, "/") || strings.Contains(value, "?"):
		return path[:at[0]] + value
	}
	return path[:at[0]] + value + path[at[1]:]
}

// reading is a path to read, about bob.
func reading(path string) string {
	return strings.NewReplacer("webhooks/{name}", "webhooks/shop", "{account}", "bob", "{asset}", "BNB", "{name}",
		"risk-warning", "{version}", "1",
		"{code}", "US", "{day}", "{yesterday}", "{year}", "2026", "{entry}", "d-bob", "{proposal}", "{terms}",
		"{campaign}", "spring", "{number}", "1").Replace(path)
}
