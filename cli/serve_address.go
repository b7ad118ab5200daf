package cli

import (
	"fmt"
	"net"
)

// listenAddress resolves an address to listen at, so that what is looked at is also what
// is listened at, and reports whether only this machine reaches it.
func listenAddress(flag, address string) (resolved string, local bool, err error) {
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return "", false, fmt.Errorf("%s %s: %w", flag, address, err)
	}
	return a.String(), a.IP.IsLoopback(), nil // no IP: all addresses
}

// checkListen resolves the addresses to listen at, and refuses one at which others could
// read what is sent. A trusted proxy speaks TLS to the clients.
func (c *serveCmd) checkListen(insecure bool) error {
	address, local, err := listenAddress("--listen", c.Listen)
	switch {
	case err != nil:
		return err
	case !local && c.TLSCert == "" && c.TrustedProxy == "" && !insecure:
		return usage("at --listen %s others can read what is sent; give --tls-cert and --tls-key, name the proxy that speaks TLS with --trusted-proxy, listen at 127.0.0.1, or allow it with --insecure", c.Listen)
	}
	c.Listen = address
	if c.MetricsListen == "" {
		return nil
	}
	address, local, err = listenAddress("--metrics-listen", c.MetricsListen)
	switch {
	case err != nil:
		return err
	case !local && c.TLSCert == "" && !insecure:
		return usage("at --metrics-listen %s others can read the metrics; give --tls-cert and --tls-key, listen at 127.0.0.1, or allow it with --insecure", c.MetricsListen)
	}
	c.MetricsListen, c.metricsTLS = address, !local && c.TLSCert != ""
	return nil
}

// checkListen is as serve's. The town is served without TLS.
func (c *demoCmd) checkListen(insecure bool) error {
	if c.Listen == "" {
		return nil
	}
	address, local, err := listenAddress("--listen", c.Listen)
	if err != nil {
		return err
	}
	if !local && !insecure {
		return usage("at --listen %s others can read what is sent; listen at 127.0.0.1, or allow it with --insecure", c.Listen)
	}
	c.Listen = address
	return nil
}
