package serve

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate is a server's, read again when its files change, so that a renewed one needs no restart.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	clients           *x509.CertPool // by which the certificates of clients are verified; nil: none is asked for

	mu   sync.Mutex
	pair *tls.Certificate
	seen [2]time.Time // when the files were changed that the pair is from
}

// readCertificate reads a certificate and its key, in PEM.
func readCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	if err := c.load(); err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	return c, nil
}

// readClientCA reads the certificates of those who sign the certificates of clients, in PEM.
func readClientCA(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the certificates that those of clients are verified by: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate in PEM", file)
	}
	return pool, nil
}

// config is that of the listeners. A client need not have a certificate: only some tokens want one. A certificate that
// does not verify ends the handshake.
func (c *certificate) config() *tls.Config {
	config := &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12}
	if c.clients != nil {
		config.ClientCAs, config.ClientAuth = c.clients, tls.VerifyClientCertIfGiven
	}
	return config
}

// clientSubject is that of the certificate which the client has proven to have, on the connection to this server; ""
// where there is none, or it has no name. What a proxy writes into a header is never believed.
func clientSubject(state *tls.ConnectionState) string {
	if state == nil || len(state.VerifiedChains) == 0 {
		return ""
	}
	return state.VerifiedChains[0][0].Subject.String()
}

// get is the certificate of a new connection. One that cannot be read leaves the former.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if seen, err := c.changed(); err == nil && seen == c.seen {
		return c.pair, nil
	}
	if err := c.load(); err != nil {
		c.log.Error("the certificate has changed and cannot be read; the former is used", "error", err)
	} else {
		c.log.Info("the certificate has changed and was read")
	}
	return c.pair, nil
}

// load reads the files. Where that fails they count as seen: a change is logged once.
func (c *certificate) load() error {
	seen, err := c.changed()
	if err != nil {
		return err
	}
	c.seen = seen
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.pair = &pair
	return nil
}

// changed is when the files were last changed.
func (c *certificate) changed() (times [2]time.Time, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		var info fs.FileInfo
		if info, err = os.Stat(name); err != nil {
			return times, err
		}
		times[i] = info.ModTime()
	}
	return times, nil
}
