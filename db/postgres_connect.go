package db

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgpassfile"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/softstake/softstake/loopback"
)

// ErrInsecure says that a connection to PostgreSQL could be read or led elsewhere.
var ErrInsecure = errors.New("the connection to PostgreSQL is not secure")

// postgresHosts are the servers that an address names, in the order in which they are tried,
// each as often as there are ways to connect to it.
func postgresHosts(c *pgconn.Config) []pgconn.FallbackConfig {
	hosts := []pgconn.FallbackConfig{{Host: c.Host, Port: c.Port, TLSConfig: c.TLSConfig}}
	for _, f := range c.Fallbacks {
		hosts = append(hosts, *f)
	}
	return hosts
}

// ParseAddress reads the address of a PostgreSQL database of others, such as postgres://user@host/database, as somebody
// gave it at a command line. A password in it is refused: other users of this machine can see arguments. The connection
// is refused where others could read it (ErrInsecure), unless insecure. No error repeats the address. To connect takes
// ConnectWithin at most, unless the address says connect_timeout, and a connection ends as NetworkDeadAfter says.
func ParseAddress(address string, insecure bool) (*pgx.ConnConfig, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errors.New("it is not like postgres://USER@HOST/DATABASE")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("what is behind its ? cannot be read; it is like NAME=VALUE&NAME=VALUE")
	}
	_, has := u.User.Password()
	for _, name := range []string{"password", "sslpassword"} {
		has = has || query.Has(name)
	}
	if has {
		return nil, errors.New("it has a password, which other users of this machine can see; put that into the file " +
			"~/.pgpass, or into PGPASSWORD")
	}
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, errors.New("it cannot be read; it is like postgres://USER@HOST/DATABASE")
	}
	if file := query.Get("passfile"); file != "" {
		if err := usePasswords(&config.Config, file); err != nil {
			return nil, err
		}
	}
	if !insecure {
		if err := CheckSecure(&config.Config); err != nil {
			return nil, err
		}
	}
	endDead(&config.Config)
	return config, nil
}

// usePasswords takes the password out of a file that an address names, whatever PGPASSWORD is: that may be another
// server's.
func usePasswords(c *pgconn.Config, file string) error {
	passwords, err := pgpassfile.ReadPassfile(file)
	if err != nil {
		return fmt.Errorf("its passfile cannot be read: %w", err)
	}
	if password := passwords.FindPassword(c.Host, strconv.Itoa(int(c.Port)), c.Database, c.User); password != "" {
		c.Password = password
	}
	return nil
}

// ParseTable reads the name of a table of PostgreSQL, of the schema public where it names none: A-Z a-z 0-9 and _, the
// first of each part no digit.
func ParseTable(name string) (_ pgx.Identifier, is bool) {
	table := pgx.Identifier(strings.Split(name, "."))
	if len(table) == 1 {
		table = pgx.Identifier{"public", name}
	}
	return table, len(table) == 2 && !slices.ContainsFunc(table, func(s string) bool { return !IsIdentifier(s) })
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// IsIdentifier reports whether a name of PostgreSQL has only A-Z a-z 0-9 and _, the first of them no digit.
func IsIdentifier(name string) bool { return identifier.MatchString(name) }

// CheckSecure refuses (ErrInsecure) an address by which a connection to another host might
// be made without TLS, or without knowing that it is that host. It looks at what the
// driver made of the address, of the environment and of the service file, and at every
// way to connect: sslmode=prefer, which is the default, also connects without TLS.
func CheckSecure(c *pgconn.Config) error {
	for _, h := range postgresHosts(c) {
		if !onThisHost(h) && !verifies(h.TLSConfig) {
			return fmt.Errorf("%w: the server at %s is on another host, and nothing shows that it is the right one; "+
				"add sslmode=verify-full to its address, and sslrootcert=FILE where its certificate is not "+
				"of a public authority", ErrInsecure, hostName(h))
		}
	}
	return nil
}

// verifies reports whether a connection compares the server's certificate with its name.
func verifies(c *tls.Config) bool { return c != nil && !c.InsecureSkipVerify && c.ServerName != "" }

// onThisHost reports whether a connection does not leave this machine.
func onThisHost(h pgconn.FallbackConfig) bool {
	if network, _ := pgconn.NetworkAddress(h.Host, h.Port); network == "unix" {
		return true
	}
	return loopback.Host(h.Host)
}

// hostName is a server as a person writes it: a host and port, or a folder with a socket.
func hostName(h pgconn.FallbackConfig) string {
	if network, _ := pgconn.NetworkAddress(h.Host, h.Port); network == "unix" {
		return h.Host
	}
	return net.JoinHostPort(h.Host, strconv.Itoa(int(h.Port)))
}

// UnreachableError says in one sentence that no connection could be made: the
// driver's own error names the same host and cause once for each of its addresses and ways
// to connect.
type UnreachableError struct {
	text string
	err  error
}

// Error names each host and each cause once.
func (u *UnreachableError) Error() string { return u.text }

// Unwrap is the driver's error.
func (u *UnreachableError) Unwrap() error { return u.err }

// ConnectError is an error of a connection that could not be made, which says which servers could not be reached, and
// why; of another error, that.
func ConnectError(err error) error {
	if connect, is := errors.AsType[*pgconn.ConnectError](err); is {
		return connectError(connect)
	}
	return err
}

// connectError says which servers could not be reached, and why.
func connectError(err *pgconn.ConnectError) error {
	var hosts, causes []string
	for _, h := range postgresHosts(err.Config) {
		hosts = appendNew(hosts, hostName(h))
	}
	for _, cause := range leaves(err.Unwrap()) {
		causes = appendNew(causes, causeText(cause))
	}
	return &UnreachableError{fmt.Sprintf("PostgreSQL at %s cannot be reached: %s", strings.Join(hosts, ", "),
		strings.Join(causes, ", ")), err}
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// leaves are the errors that others were made of, without those around them. What has
// words of its own about its cause is a leaf.
func leaves(err error) []error {
	switch e := err.(type) {
	case *net.DNSError, *pgconn.PgError, *tls.CertificateVerificationError, syscall.Errno:
		return []error{e}
	case interface{ Unwrap() []error }:
		var all []error
		for _, part := range e.Unwrap() {
			all = append(all, leaves(part)...)
		}
		return all
	}
	if inner := errors.Unwrap(err); inner != nil {
		return leaves(inner)
	}
	return []error{err}
}

// causeText is why a connection failed, in few words.
func causeText(err error) string {
	var name *net.DNSError
	switch {
	case errors.As(err, &name):
		return name.Err + ": " + name.Name
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	return err.Error()
}
