package db

import (
	"net"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestDeadNetwork: the system ends a connection to PostgreSQL by itself when the network is dead, whether something was
// sent or not. That it does so is the system's, and takes a minute; that it is asked to is tried here.
func TestDeadNetwork(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var config pgconn.Config
	endDead(&config)
	c, err := config.DialFunc(t.Context(), "tcp", server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for option, want := range map[[2]int]int{
		{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE}:   1,
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE}:  15,
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL}: 15,
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT}:   3,
		{syscall.IPPROTO_TCP, tcpUserTimeout}:        60_000,
	} {
		got := 0
		failed := raw.Control(func(fd uintptr) { got, err = syscall.GetsockoptInt(int(fd), option[0], option[1]) })
		if failed != nil || err != nil || got != want {
			t.Errorf("option %v is %d, not %d: %v, %v", option, got, want, failed, err)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}
