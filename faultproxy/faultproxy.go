// Package faultproxy is a TCP proxy for tests whose network fails as real ones do: connections are reset, end in one
// direction, fall silent or break in the middle of a message. It knows no protocol.
package faultproxy

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// Fault is a way in which a network fails.
type Fault int

// The faults. What they do to connections that there are they do at once; Restore ends what they do to later ones.
const (
	Reset     Fault = iota // each connection is reset (RST)
	HalfClose              // each connection ends (FIN) in one direction, by chance; the other one goes on
	Silence                // nothing passes, and nothing is closed, until Restore
	Delay                  // what passes takes longer, up to longestDelay
	Cut                    // each connection ends (FIN) after some more bytes, up to mostBeforeCut
	Refuse                 // each connection is reset, and so are new ones until Restore
	Lose                   // nothing passes on the connections that there are, for good; neither side hears of it
)

// passing are those that Passing takes.
var passing = []Fault{Reset, HalfClose, Silence, Delay, Cut, Refuse}

// String is the fault as the log of a test has it.
func (f Fault) String() string {
	return []string{"reset", "half-close", "silence", "delay", "cut", "refuse", "lose"}[f]
}

const (
	longestDelay  = 200 * time.Millisecond
	mostBeforeCut = 4 << 10
)

// Proxy passes what clients send on to a server, and back. Safe for concurrent use.
type Proxy struct {
	to     string
	accept net.Listener
	work   sync.WaitGroup

	mu       sync.Mutex
	restored *sync.Cond // silent is false again, or a link has ended
	links    map[*link]bool
	made     int // links so far
	held     int // ends of which something waits to pass
	silent   bool
	refuse   bool
	delay    time.Duration
	closed   bool
}

// link is a connection of a client, and that to the server.
type link struct {
	*Proxy
	ends [2]*net.TCPConn // the client's, the server's
	// Of the proxy's lock:
	lost   bool
	ended  bool
	half   [2]bool // what comes from this end is thrown away
	before int     // bytes until it is cut; below zero: it is not
}

// New is a proxy to the address of a server. It ends with the test.
func New(t testing.TB, to string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{to: to, accept: l, links: map[*link]bool{}}
	p.restored = sync.NewCond(&p.mu)
	p.work.Go(p.run)
	t.Cleanup(func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// Addr is HOST:PORT of the proxy.
func (p *Proxy) Addr() string { return p.accept.Addr().String() }

// Made is how many connections have been made through the proxy so far.
func (p *Proxy) Made() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.made
}

// Holds reports whether something that was sent waits until the network works again, or is lost.
func (p *Proxy) Holds() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held > 0
}

// listener is the listener of a server that says of itself that it is where its proxy is.
type listener struct {
	net.Listener
	address net.Addr
}

func (l listener) Addr() net.Addr { return l.address }

// Listen makes a proxy, and the listener of its server, whose address is the proxy's: so a server that names itself to
// its clients, as a broker of Kafka does, names the proxy.
func Listen(t testing.TB) (*Proxy, net.Listener) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := New(t, l.Addr().String())
	return p, listener{l, p.accept.Addr()}
}

// Break has the network fail. What a fault leaves open is by chance.
func (p *Proxy) Break(f Fault, chance *rand.Rand) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch f {
	case Silence:
		p.silent = true
	case Delay:
		p.delay = 1 + time.Duration(chance.Int64N(int64(longestDelay)))
	case Refuse:
		p.refuse = true
	}
	for l := range p.links {
		switch f {
		case Reset, Refuse:
			l.end(true)
		case HalfClose:
			l.halfClose(chance.IntN(2))
		case Cut:
			l.before = chance.IntN(mostBeforeCut)
		case Lose:
			l.lost = true
		}
	}
}

// Restore has the network work again. Connections that were silent or slow go on.
func (p *Proxy) Restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent, p.refuse, p.delay = false, false, 0
	for l := range p.links {
		l.before = -1
	}
	p.restored.Broadcast()
}

func (p *Proxy) close() error {
	p.mu.Lock()
	p.closed = true
	err := p.accept.Close()
	for l := range p.links {
		l.end(true)
	}
	p.mu.Unlock()
	p.work.Wait()
	return err
}

// run accepts connections until the proxy ends.
func (p *Proxy) run() {
	for {
		c, err := p.accept.Accept()
		if err != nil {
			return // it has ended
		}
		p.work.Go(func() { p.pass(c.(*net.TCPConn)) })
	}
}

// pass makes a link of a client's connection.
func (p *Proxy) pass(client *net.TCPConn) {
	server, err := net.Dial("tcp", p.to)
	p.mu.Lock()
	defer p.mu.Unlock()
	l := &link{Proxy: p, before: -1, ends: [2]*net.TCPConn{client, nil}}
	if err == nil {
		l.ends[1] = server.(*net.TCPConn)
	}
	if p.made++; err != nil || p.refuse || p.closed {
		l.end(true)
		return
	}
	p.links[l] = true
	for from := range l.ends {
		p.work.Go(func() { l.copy(from) })
	}
}

// end closes both connections, and is called with the lock. Closing again has no further effect.
func (l *link) end(reset bool) {
	for _, c := range l.ends {
		if c == nil {
			continue
		}
		if reset {
			_ = c.SetLinger(0) // it may be closed
		}
		_ = c.Close() // it may be closed
	}
	l.ended = true
	delete(l.links, l)
	l.restored.Broadcast()
}

// halfClose ends the direction from one end, and is called with the lock.
func (l *link) halfClose(from int) {
	l.half[from] = true
	_ = l.ends[1-from].CloseWrite() // it may be closed
	if l.half[1-from] {
		l.end(false)
	}
}

// copy passes what one end sends to the other one.
func (l *link) copy(from int) {
	buffer := make([]byte, 32<<10)
	for {
		n, read := l.ends[from].Read(buffer)
		if done := l.write(from, buffer[:n], read); done {
			return
		}
	}
}

// write passes on what was read, or the end of it, when the network lets it, and reports whether there is nothing more
// to copy.
func (l *link) write(from int, data []byte, read error) (done bool) {
	l.mu.Lock()
	l.held++
	for (l.silent || l.lost) && !l.ended {
		l.restored.Wait()
	}
	l.held--
	delay := l.delay
	l.mu.Unlock()
	time.Sleep(delay) // the fault itself
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.ended:
		return true
	case l.half[from] && read != nil:
		l.end(false)
		return true
	case l.half[from]:
		return false
	}
	cut := l.before >= 0 && l.before <= len(data)
	if cut {
		data = data[:l.before]
	} else if l.before >= 0 {
		l.before -= len(data)
	}
	l.mu.Unlock() // a write may wait for the other end
	_, failed := l.ends[1-from].Write(data)
	l.mu.Lock()
	switch {
	case cut:
		l.end(false)
	case failed != nil:
		l.end(true)
	case read != nil && errors.Is(read, io.EOF):
		l.halfClose(from)
	case read != nil:
		l.end(true)
	}
	return cut || failed != nil || read != nil
}
