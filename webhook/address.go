package webhook

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/loopback"
)

// MaxURL is the length in bytes of the longest URL of an endpoint.
const MaxURL = 500

// ReasonURL is of ledger.ErrInvalid: a URL that no message is sent to.
const ReasonURL = "webhook-url"

// CheckURL refuses a URL that cannot be an endpoint: https, with a host, without a user and a fragment, at port 443 or
// above 1023. http is for receivers on this machine: 127.0.0.1, ::1 or localhost, which are reached only where Network
// allows them. Its errors are ledger.ErrInvalid because of ReasonURL. That an address is allowed is seen when it is
// dialed: a name may lead somewhere else by then.
func CheckURL(text string) error {
	invalid := func(format string, args ...any) error {
		return ledger.ErrInvalid.In("url", format, args...).Because(ReasonURL)
	}
	if len(text) > MaxURL {
		return invalid("a URL has at most %d bytes", MaxURL)
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Opaque != "" || strings.ContainsFunc(text, notPrintable) {
		return invalid("%q is no URL such as https://example.com/webhooks", ledger.Clip(text))
	}
	if u.User != nil || u.Fragment != "" {
		return invalid("a URL of a webhook has neither a user nor a fragment")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback.Host(u.Hostname())) {
		return invalid("a webhook is sent by https; by http only to this machine itself: 127.0.0.1, ::1 or localhost")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n <= 1023 && n != 443 {
			return invalid("a webhook is sent to port 443, or to one from 1024 to 65535")
		}
	} else if u.Scheme == "http" {
		return invalid("by http a webhook is sent to a port from 1024 to 65535")
	}
	return nil
}

func notPrintable(r rune) bool { return r <= ' ' || r > '~' }

// Network are the addresses that messages may be sent to: those of the internet, and those that are allowed beside
// them. The zero Network allows none beside them.
type Network struct{ Allowed []netip.Prefix }

// special are ranges of the internet's own space that lead elsewhere: the registries of IANA for special purposes, and
// the address at which a cloud answers its machines. What is not in 2000::/3 of IPv6 is refused without a list.
var special = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
	"192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
	"168.63.129.16/32", // of a cloud: its machines' metadata
	// 2001::/32 is Teredo, 2002::/16 6to4.
	"2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20")

var internet6 = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// errAddress is of an address to which nothing is sent.
var errAddress = fmt.Errorf("the address is not one of the internet, and is not allowed")

// Check is an error for an address to which nothing is sent. An IPv4 address within an IPv6 address is looked at as
// itself (::ffff:0:0/96); those of NAT64, 6to4 and Teredo are refused.
func (n Network) Check(ip netip.Addr) error {
	ip = ip.Unmap()
	if contains(n.Allowed, ip) {
		return nil
	}
	if !ip.IsValid() || ip.Zone() != "" || contains(special, ip) || ip.Is6() && !internet6.Contains(ip) {
		return fmt.Errorf("%w: %s", errAddress, ip)
	}
	return nil
}

func contains(all []netip.Prefix, ip netip.Addr) bool {
	return slices.ContainsFunc(all, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// control is a net.Dialer's: it is called with each address that a name has led to, when that is dialed and not
// before, so that a name that leads elsewhere the next time is of no use.
func (n Network) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", errAddress, address)
	}
	return n.Check(at.Addr())
}
