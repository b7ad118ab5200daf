package db

import (
	"context"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Pool says how a pool of connections to the database is used.
type Pool struct {
	Name  string // "postgres"; or "writer" and "readers", of SQLite
	Max   int    // connections, at most
	InUse int
	Idle  int           // open, and not in use
	Waits int64         // for a connection, so far
	Wait  time.Duration // of all of them, in total
}

func (db *postgresDB) Pools() []Pool {
	s := db.pool.Stat()
	return []Pool{{
		Name: "postgres", Max: int(s.MaxConns()), InUse: int(s.AcquiredConns()), Idle: int(s.IdleConns()),
		Waits: s.EmptyAcquireCount(), Wait: s.EmptyAcquireWaitTime(),
	}}
}

// connections is a pool of connections to SQLite that counts how it is used.
type connections struct {
	*sqlitex.Pool
	name  string
	size  int
	inUse atomic.Int64
	asked atomic.Int64 // that have a connection, or wait for one
	waits atomic.Int64
	wait  atomic.Int64 // nanoseconds
}

// newConnections opens a pool.
func newConnections(name, uri string, o sqlitex.PoolOptions) (*connections, error) {
	pool, err := sqlitex.NewPool(uri, o)
	if err != nil {
		return nil, err
	}
	return &connections{Pool: pool, name: name, size: o.PoolSize}, nil
}

// Take takes a connection, which Put gives back.
func (p *connections) Take(ctx context.Context) (*sqlite.Conn, error) {
	began := time.Now()
	waits := p.asked.Add(1) > int64(p.size)
	c, err := p.Pool.Take(ctx)
	if waits {
		p.waits.Add(1)
		p.wait.Add(int64(time.Since(began)))
	}
	if err != nil {
		p.asked.Add(-1)
		return nil, err
	}
	p.inUse.Add(1)
	return c, nil
}

// Put gives a connection back.
func (p *connections) Put(c *sqlite.Conn) {
	p.Pool.Put(c)
	p.inUse.Add(-1)
	p.asked.Add(-1)
}

func (db *sqliteDB) Pools() []Pool {
	var all []Pool
	for _, p := range []*connections{db.writer, db.readers} {
		used := int(p.inUse.Load())
		all = append(all, Pool{Name: p.name, Max: p.size, InUse: used, Idle: p.size - used, Waits: p.waits.Load(),
			Wait: time.Duration(p.wait.Load())})
	}
	return all
}
