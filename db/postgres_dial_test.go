package db

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// TestSilentServer: connecting to a server that says nothing ends in time, with a sentence, and is not retried at once.
func TestSilentServer(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}()
	address := "postgres://u@" + server.Addr().String() + "/b"
	for given, want := range map[string]time.Duration{
		address: ConnectWithin, address + "?connect_timeout=7": 7 * time.Second,
	} {
		if c, err := ParseAddress(given, false); err != nil || c.ConnectTimeout != want {
			t.Errorf("%s: %v, %v", given, c.ConnectTimeout, err)
		}
	}
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	config.ConnectTimeout = 50 * time.Millisecond
	endDead(&config.Config)
	_, err = pgconn.ConnectConfig(t.Context(), &config.Config)
	if err = postgresError(err); err == nil || errors.Is(err, ErrRetry) ||
		err.Error() != "PostgreSQL at "+server.Addr().String()+" cannot be reached: no answer in time" {
		t.Errorf("%v; it is retried: %v", err, errors.Is(err, ErrRetry))
	}
	for _, wrong := range []string{"?a=%zz", "?password=x;y"} {
		if _, err := ParseAddress(address+wrong, false); err == nil {
			t.Errorf("%s is read", wrong)
		}
	}
}
