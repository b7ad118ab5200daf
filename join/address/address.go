// Package address reads the addresses of brokers, such as kafka://host,host/topic: where they are, what is read there,
// and how the connections are secured. It knows no broker's protocol.
package address

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/loopback"
)

// ErrInsecure says that a connection could be read or led elsewhere.
var ErrInsecure = errors.New("the connection to the broker is not secure")

// Address is where brokers are, and what is read there.
type Address struct {
	Hosts    []string // with their ports
	Name     string   // what is behind the hosts
	TLS      *tls.Config
	Query    url.Values // what is not about the connection
	insecure bool
}

// Parse reads an address of a scheme, such as kafka://HOST,HOST/NAME?tls=on&ca=FILE. A host without a port has the one
// that is given. tls is on or off; without it on, unless every host is this machine. ca is a file with the certificates
// of the authorities to trust in the place of the system's; cert and key are those of this client. An address has no
// user and no password: other users of this machine can see arguments. The connection is refused where others could
// read it (ErrInsecure), unless insecure. Other errors are ledger.ErrInvalid, and do not repeat the address.
func Parse(text, scheme, port string, insecure bool) (a Address, err error) {
	rest, is := strings.CutPrefix(text, scheme+"://")
	rest, query, _ := strings.Cut(rest, "?")
	hosts, name, _ := strings.Cut(rest, "/")
	a = Address{Name: name, insecure: insecure}
	a.Query, err = url.ParseQuery(query)
	switch {
	case !is, err != nil, hosts == "", name == "":
		return a, ledger.ErrInvalid.In("", "it is not like %s://HOST,HOST/NAME", scheme)
	case strings.Contains(hosts, "@"):
		return a, ledger.ErrInvalid.In("", "it has a user or a password, which other users of this machine can see")
	}
	for host := range strings.SplitSeq(hosts, ",") {
		if _, _, err := net.SplitHostPort(host); err != nil {
			host = net.JoinHostPort(strings.Trim(host, "[]"), port)
		}
		if h, p, err := net.SplitHostPort(host); err != nil || h == "" || p == "" {
			return a, ledger.ErrInvalid.In("", "it has a host that cannot be read; it is like %s://HOST:%s,HOST:%[2]s/NAME",
				scheme, port)
		}
		a.Hosts = append(a.Hosts, host)
	}
	return a, a.secure()
}

// Take takes a parameter out of the query: "" if it is not there.
func (a Address) Take(name string) string {
	text := a.Query.Get(name)
	a.Query.Del(name)
	return text
}

// Unknown refuses parameters that nobody has taken.
func (a Address) Unknown() error {
	for name := range a.Query {
		return ledger.ErrInvalid.In("", "%q is no parameter of it", ledger.Clip(name))
	}
	return nil
}

// secure reads how the connections are secured.
func (a *Address) secure() error {
	ca, cert, key := a.Take("ca"), a.Take("cert"), a.Take("key")
	far := slices.ContainsFunc(a.Hosts, func(host string) bool { return !here(host) })
	switch on := a.Take("tls"); {
	case on != "" && on != "on" && on != "off":
		return ledger.ErrInvalid.In("tls", "%q is neither \"on\" nor \"off\"", ledger.Clip(on))
	case on == "off" && far && !a.insecure:
		return fmt.Errorf("%w: a broker is on another host, and what it sends is not encrypted; leave tls=off out of its "+
			"address", ErrInsecure)
	case on == "off" && ca+cert+key != "":
		return ledger.ErrInvalid.In("tls", "it is off, and a certificate is given")
	case on == "off", on == "" && !far && ca+cert+key == "":
		return nil
	}
	a.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		text, err := os.ReadFile(ca)
		if err != nil {
			return ledger.ErrInvalid.In("ca", "%w", err)
		}
		if a.TLS.RootCAs = x509.NewCertPool(); !a.TLS.RootCAs.AppendCertsFromPEM(text) {
			return ledger.ErrInvalid.In("ca", "the file has no certificate")
		}
	}
	if cert == "" && key == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return ledger.ErrInvalid.In("cert", "%w", err)
	}
	a.TLS.Certificates = []tls.Certificate{pair}
	return nil
}

// here reports whether a connection to a host does not leave this machine.
func here(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		return false
	}
	return loopback.Host(name)
}

// dialWithin is how long a connection may take to be made.
const dialWithin = 10 * time.Second

// Dial connects to a host of the address or to another one that a broker has named, with TLS if the address has it.
// ErrInsecure where others could read the connection. Safe for concurrent use.
func (a Address) Dial(ctx context.Context, network, host string) (net.Conn, error) {
	d := &net.Dialer{Timeout: dialWithin}
	if a.TLS == nil {
		if !here(host) && !a.insecure {
			return nil, fmt.Errorf("%w: the broker names itself %s, which is on another host, and TLS is off", ErrInsecure, host)
		}
		return d.DialContext(ctx, network, host)
	}
	return (&tls.Dialer{NetDialer: d, Config: a.TLS}).DialContext(ctx, network, host)
}
