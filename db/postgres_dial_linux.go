package db

import (
	"strings"
	"syscall"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of <linux/tcp.h> (RFC 5482): milliseconds in which what was sent is acknowledged.
const tcpUserTimeout = 18

// limitUnanswered ends a TCP connection when what it has sent is not acknowledged for NetworkDeadAfter: keep-alive
// packets are only sent while nothing waits for that.
func limitUnanswered(network, _ string, c syscall.RawConn) (err error) {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	failed := c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(NetworkDeadAfter.Milliseconds()))
	})
	if failed != nil {
		return failed
	}
	return err
}
