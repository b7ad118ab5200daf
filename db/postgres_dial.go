package db

import (
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// ConnectWithin is how long it takes at most to connect to a server of PostgreSQL, unless its address says
	// connect_timeout.
	ConnectWithin = 30 * time.Second
	// NetworkDeadAfter is how long a connection to PostgreSQL goes on when nothing comes through the network any more, not
	// even that packets have arrived. Without it the system would try for a quarter of an hour, or for two hours.
	NetworkDeadAfter = time.Minute
	// probes are how many keep-alive packets are sent in that time, the first after some of it.
	probes = 3
)

// endDead bounds how long connecting takes, and how long a connection goes on whose network is dead. A server that
// computes for long is not dead: its system answers the probes.
func endDead(c *pgconn.Config) {
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = ConnectWithin
	}
	dialer := &net.Dialer{Timeout: c.ConnectTimeout, Control: limitUnanswered,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: NetworkDeadAfter / (probes + 1),
			Interval: NetworkDeadAfter / (probes + 1), Count: probes}}
	c.DialFunc = dialer.DialContext
}
