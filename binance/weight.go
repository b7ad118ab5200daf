package binance

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The exchange's limits of request weight, a minute and address [api].
const (
	sapiLimit = 12_000 // of each endpoint under /sapi
	apiLimit  = 6_000  // of all under /api together
)

// maxAddresses bounds the memory that weighing takes. Addresses beyond it in a
// minute are not weighed: the limits are manners, and no defence.
const maxAddresses = 100_000

// weights counts what each address has used in this minute.
type weights struct {
	mu     sync.Mutex
	minute int64
	used   map[weighed]int
}

// weighed is what is counted together: an address's requests to an endpoint, or,
// with the path "", to all under /api.
type weighed struct {
	address netip.Addr
	path    string
}

// weigh counts a request, and says in the answer's headers how much is used. Above
// the limit it is refused until the minute is over.
func (s *weights) weigh(h http.Header, e endpoint, from netip.Addr, now time.Time) error {
	w, limit, header := weighed{address: household(from)}, apiLimit, "X-MBX-USED-WEIGHT-1M"
	if strings.HasPrefix(e.path, "/sapi/") {
		w.path, limit, header = e.path, sapiLimit, "X-SAPI-USED-IP-WEIGHT-1M"
	}
	used := s.count(w, e.weight, now.Unix()/60)
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

// household is the address that is counted: of IPv6 the network, of which one
// customer has all addresses.
func household(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return a
	}
	network, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return network.Addr()
}
