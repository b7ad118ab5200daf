package db

import (
	"maps"
	"net"
	"slices"
	"strconv"
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

// heard are the settings by which the server, too, ends a connection whose network is dead: until then it keeps the
// locks and slots of who is gone, by the system's own settings for two hours.
var heard = map[string]string{
	"tcp_keepalives_idle": seconds(NetworkDeadAfter / (probes + 1)), "tcp_keepalives_count": strconv.Itoa(probes),
	"tcp_keepalives_interval": seconds(NetworkDeadAfter / (probes + 1)),
	"tcp_user_timeout":        strconv.FormatInt(NetworkDeadAfter.Milliseconds(), 10),
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// EndLost has the server end a connection, too, when its network is dead, unless the address says how it does. A pooler
// between them may refuse the settings.
func EndLost(c *pgconn.Config) {
	for name, value := range heard {
		if _, given := c.RuntimeParams[name]; !given {
			c.RuntimeParams[name] = value
		}
	}
}

// setHeard sets them on a connection that there is, which a pooler passes on.
func setHeard() (sql string) {
	for _, name := range slices.Sorted(maps.Keys(heard)) {
		sql += "; SET " + name + " = " + heard[name]
	}
	return sql
}
