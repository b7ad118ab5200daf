package faultproxy

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/softstake/softstake/testkit"
)

// echo is a server that sends back what it gets, behind a proxy.
func echo(t *testing.T) *Proxy {
	t.Helper()
	p, l := Listen(t)
	if l.Addr().String() != p.Addr() {
		t.Errorf("the server says that it is at %s, not at %s", l.Addr(), p.Addr())
	}
	t.Cleanup(func() { ok(t, l.Close()) })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // the test has ended
			}
			go func() {
				_, _ = io.Copy(c, c) // the network fails
				_ = c.Close()
			}()
		}
	}()
	return p
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// client is a connection through a proxy.
type client struct {
	*testing.T
	net.Conn
}

func connect(t *testing.T, p *Proxy) client {
	t.Helper()
	c := client{t, testkit.Must(net.Dial("tcp", p.Addr()))(t)}
	t.Cleanup(func() { _ = c.Close() }) // the test may have closed it
	return c
}

// says sends a text, and reads what comes back within a time.
func (c client) says(text string, within time.Duration) (string, error) {
	c.Helper()
	ok(c.T, c.SetDeadline(time.Now().Add(within)))
	if _, err := c.Write([]byte(text)); err != nil {
		return "", err
	}
	back := make([]byte, len(text))
	n, err := io.ReadFull(c.Conn, back)
	return string(back[:n]), err
}

func (c client) works() {
	c.Helper()
	if back, err := c.says("hello", 10*time.Second); err != nil || back != "hello" {
		c.Fatalf("it does not work: %q, %v", back, err)
	}
}

// TestFaults: each fault does to a connection what it says, and no more: the next connection works.
func TestFaults(t *testing.T) {
	const short = 50 * time.Millisecond
	chance := rand.New(rand.NewPCG(1, 2))
	for f, test := range map[Fault]func(p *Proxy, c client){
		Reset: func(_ *Proxy, c client) {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				c.Error(err)
			}
		},
		Refuse: func(p *Proxy, c client) {
			n, err := net.Dial("tcp", p.Addr())
			if err == nil {
				_, err = client{c.T, n}.says("hello", time.Minute)
				_ = n.Close() // it was reset
			}
			if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
				c.Error(err)
			}
		},
		HalfClose: func(_ *Proxy, c client) { // of whichever direction: the server then ends too
			ok(c.T, c.SetDeadline(time.Now().Add(time.Minute)))
			if _, err := io.ReadAll(c); err != nil {
				c.Error(err)
			}
		},
		Silence: func(p *Proxy, c client) {
			if _, err := c.says("a", short); !errors.Is(err, os.ErrDeadlineExceeded) || !p.Holds() {
				c.Error(err, p.Holds())
			}
			if _, err := connect(c.T, p).says("b", short); !errors.Is(err, os.ErrDeadlineExceeded) {
				c.Error(err)
			}
			p.Restore()
			if back, err := c.says("", time.Minute); err != nil || back != "" {
				c.Error(back, err)
			}
			back := make([]byte, 1)
			if _, err := io.ReadFull(c, back); err != nil || back[0] != 'a' { // what was sent goes on
				c.Error(back, err)
			}
			if c.works(); p.Holds() {
				c.Error("it holds what has passed")
			}
		},
		Lose: func(p *Proxy, c client) {
			p.Restore()
			if _, err := c.says("a", short); !errors.Is(err, os.ErrDeadlineExceeded) {
				c.Error(err)
			}
		},
		Delay: func(_ *Proxy, c client) { c.works() },
		Cut: func(_ *Proxy, c client) {
			sent := bytes.Repeat([]byte("x"), 2*mostBeforeCut)
			back, err := c.says(string(sent), time.Minute)
			if len(back) >= mostBeforeCut || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				c.Error(len(back), err)
			}
		},
	} {
		t.Run(f.String(), func(t *testing.T) {
			p := echo(t)
			c := connect(t, p)
			c.works()
			p.Break(f, chance)
			test(p, c)
			p.Restore()
			connect(t, p).works()
		})
	}
}

// TestDelay: what passes takes as long as the delay, in both directions.
func TestDelay(t *testing.T) {
	p := echo(t)
	c := connect(t, p)
	p.Break(Delay, rand.New(rand.NewPCG(1, 2)))
	p.mu.Lock()
	delay := p.delay
	p.mu.Unlock()
	began := time.Now()
	c.works()
	if took := time.Since(began); delay <= 0 || took < 2*delay {
		t.Errorf("it took %s, with a delay of %s", took, delay)
	}
}

// TestDisturb: every connection that a fault has ended is followed by one that works.
func TestDisturb(t *testing.T) {
	p := echo(t)
	c := connect(t, p)
	Disturb(t, []*Proxy{p}, 10, rand.New(rand.NewPCG(3, 4)), func(f Fault) {
		for end := time.Now().Add(time.Minute); ; c = connect(t, p) {
			_, err := c.says("hello", 50*time.Millisecond)
			if err == nil {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("after %s no connection works: %v", f, err)
			}
		}
	})
	if p.Made() < 3 {
		t.Errorf("%d connections were made", p.Made())
	}
}
