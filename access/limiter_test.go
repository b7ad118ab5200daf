package access

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/softstake/softstake/ledger"
)

func TestALimiterCounts(t *testing.T) {
	const all, each = 1000, 10
	l := NewLimiter[ledger.Account](all, each)
	for n := range all {
		if !l.Acquire(ledger.Account(fmt.Sprint("a", n/each))) {
			t.Fatalf("slot %d is refused", n)
		}
	}
	if l.Acquire("another") {
		t.Error("there is one too many")
	}
	for n := range all {
		l.Release(ledger.Account(fmt.Sprint("a", n/each)))
	}
	if l.Acquired() != 0 || len(l.of) != 0 {
		t.Errorf("%d slots of %d holders are left", l.Acquired(), len(l.of))
	}
}

func TestALimiterLeavesSlotsToOthers(t *testing.T) {
	l := NewLimiter[string](5, 3)
	for i, want := range []struct {
		holder string
		in     bool
	}{{"a", true}, {"a", true}, {"a", true}, {"a", false}, {"b", true}, {"b", true}, {"b", false}} {
		if in := l.Acquire(want.holder); in != want.in {
			t.Errorf("%d: %s is let in: %t", i, want.holder, in)
		}
	}
	l.Release("a")
	if !l.Acquire("b") || l.Acquired() != 5 {
		t.Errorf("%d are acquired", l.Acquired())
	}
}

func TestAddressesOfOneNetworkAreOneClient(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", "::ffff:192.0.2.7": "192.0.2.7/32",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::": "2001:db8:1:2::/64",
		"2001:db8:1:3::": "2001:db8:1:3::/64",
		"fe80::1%eth0":   "fe80::/64", "::1": "::/64", "127.0.0.1": "127.0.0.1/32",
	} {
		if got := Network(netip.MustParseAddr(address)); got.String() != want {
			t.Errorf("%s is of %s, want %s", address, got, want)
		}
	}
	if got := Network(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("no address is of %s", got)
	}
}
