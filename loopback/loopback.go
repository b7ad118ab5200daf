// Package loopback says which hosts are this machine: what goes there is read by nobody on the network, and so may go
// without TLS.
package loopback

import (
	"net/netip"
	"strings"
)

// Host reports whether a connection to a host stays on this machine: localhost in any case, also with the dot of the
// root behind it, an address of 127.0.0.0/8 (also as it is mapped into IPv6), and ::1. A name that the machine's own
// configuration resolves to such an address is none: it may be resolved otherwise tomorrow. The host has no port.
func Host(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}
