package binance

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/softstake/softstake/access"
)

// The exchange's limits of request weight, a minute and address [api].
const (
	sapiLimit   = 12_000 // of each endpoint under /sapi
	apiLimit    = 6_000  // of all under /api together
	futureLimit = 2_400  // of all under /fapi together, and of all under /dapi
)

// lighter are the endpoints whose requests may weigh less than the most [api], and what
// one weighs by its parameters.
var lighter = map[string]func(parameters) int{
	"/api/v3/ticker/price": func(p parameters) int { return oneOrAll(p, "symbol", 2, 4) },
	"/api/v3/openOrders":   func(p parameters) int { return oneOrAll(p, "symbol", 6, 80) },
	"/api/v3/myTrades":     func(p parameters) int { return oneOrAll(p, "orderId", 5, 20) },
	"/api/v3/ticker/24hr": func(p parameters) int {
		switch n := len(p.list("symbols")); {
		case n == 0:
			return oneOrAll(p, "symbol", 2, 80)
		case n <= 20:
			return 2
		case n <= 100:
			return 40
		}
		return 80
	},
}

// oneOrAll is the weight of a request for one of something, named by a parameter, or for all.
func oneOrAll(p parameters, name string, one, all int) int {
	if p[name] == "" {
		return all
	}
	return one
}

// weightOf is what a request weighs. One whose query cannot be read weighs the most.
func (e endpoint) weightOf(query string) int {
	by, varies := lighter[e.path]
	p := parameters{}
	if _, _, err := p.parse(query); err != nil || !varies {
		return e.weight
	}
	return by(p)
}

// maxAddresses bounds the memory that weighing takes. Addresses beyond it in a
// minute are not weighed: the limits are manners, and no defence.
const maxAddresses = 100_000

// weights counts what each address has used in this minute.
type weights struct {
	mu     sync.Mutex
	minute int64
	used   map[weighed]int
}

// weighed is what is counted together: a network's requests to an endpoint, or to all
// under a prefix.
type weighed struct {
	network netip.Prefix
	path    string
}

// weigh counts a request of a weight, and writes to the answer's headers how much is
// used. Above the limit it is refused until the minute is over.
func (s *weights) weigh(h http.Header, path string, weight int, from netip.Addr, now time.Time) error {
	prefix, _, _ := strings.Cut(path[1:], "/")
	w, limit, header := weighed{access.Network(from), prefix}, apiLimit, "X-MBX-USED-WEIGHT-1M"
	switch prefix {
	case "sapi":
		w.path, limit, header = path, sapiLimit, "X-SAPI-USED-IP-WEIGHT-1M"
	case "fapi", "dapi":
		limit = futureLimit
	}
	used := s.count(w, weight, now.Unix()/60)
	h.Set(header, strconv.Itoa(used))
	if used > limit {
		return heavy(limit, int(60-now.Unix()%60))
	}
	return nil
}

// count adds to what is used in a minute, and returns it.
func (s *weights) count(w weighed, weight int, minute int64) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if minute != s.minute || s.used == nil {
		s.minute, s.used = minute, map[weighed]int{}
	}
	used, known := s.used[w]
	if known || len(s.used) < maxAddresses {
		s.used[w] = used + weight
	}
	return used + weight
}
