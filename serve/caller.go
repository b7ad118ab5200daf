package serve

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/staking"
)

// longestClient is how long a platform or version may be.
const longestClient = 32

// caller is where a request comes from.
func (g *gateway) caller(r *http.Request) access.Caller {
	c := access.Caller{
		Address:  peer(r.RemoteAddr),
		Platform: platform(r.Header.Get("X-Client-Platform")),
		Version:  clientText(r.Header.Get("X-Client-Version")),
		Request:  requestID(r.Header),
		Subject:  clientSubject(r.TLS),
		Secure:   g.secure,

		// A request that did not come through a trusted proxy has no country: its own
		// header is not believed, and it is refused like any other without one.
		NeedCountry: g.country != "" && !g.allowUnknownCountry,
	}
	if !g.trusted(c.Address) {
		return c
	}
	c.Secure = c.Secure || secure(r.Header.Values("X-Forwarded-Proto"))
	c.Address = g.client(c.Address, r.Header.Values("X-Forwarded-For"))
	if g.country != "" {
		c.Country = country(r.Header.Values(g.country))
	}
	return c
}

// country is the one that the nearest proxy says, or "" where that is no code of ISO
// 3166, such as T1 (Tor) and XX (unknown). The nearest proxy's is the last: what
// stands before it, on its line or on an earlier one, the client may have written itself.
func country(lines []string) string {
	said := strings.Split(strings.Join(lines, ","), ",")
	region, err := staking.ParseRegion(strings.TrimSpace(said[len(said)-1]))
	if err != nil {
		return ""
	}
	return string(region)
}

// client is the address that the nearest of our proxies saw: the right-most one
// that is not a proxy of ours. What stands left of it the client may have written
// itself. Where all are ours it is the left-most.
func (g *gateway) client(proxy netip.Addr, forwarded []string) netip.Addr {
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for _, hop := range slices.Backward(hops) {
		address := peer(strings.TrimSpace(hop))
		if !address.IsValid() {
			return proxy // nothing left of it can be believed
		}
		if proxy = address; !g.trusted(address) {
			return address
		}
	}
	return proxy
}

// secure reports whether the nearest proxy was reached over TLS: the last word is its own.
func secure(forwarded []string) bool {
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	return strings.EqualFold(strings.TrimSpace(hops[len(hops)-1]), "https")
}

func (g *gateway) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(g.proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// peer is an address as a connection or a proxy writes it, with its port or without.
func peer(text string) netip.Addr {
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		port, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}
		}
		address = port.Addr()
	}
	return address.Unmap().WithZone("")
}

// platform is what a client says that it runs on. A mobile app is known before the text
// is cleaned: one that names itself in a way that is not fit to be kept is still an app.
func platform(said string) string {
	if name := staking.Platform(said); name == "ios" || name == "android" {
		return name
	}
	return staking.Platform(clientText(said))
}

// clientText is what a client says of itself, or "" where it is not fit to be kept. A
// version may name its build: "3.1.0 (1234)", "3.1.0+7".
func clientText(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > longestClient || !plainText(strings.NewReplacer(" ", "", "(", "", ")", "", "+", "").Replace(s)) {
		return ""
	}
	return s
}
