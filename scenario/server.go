package scenario

import (
	"os"
	"testing"
	"time"
)

// serving is the line with which the program says at which address it answers.
const serving = `msg=serving address=(\S+)`

// Serve starts the server on a free port of loopback, and returns its address. It ends
// in order with the test.
func Serve(t testing.TB, url string) (address string) {
	t.Helper()
	p, address := StartServer(t, url)
	t.Cleanup(func() { p.Stop(t) })
	return address
}

// StartServer starts the server as Serve does, with more arguments. Stop ends it.
func StartServer(t testing.TB, url string, args ...string) (p *Process, address string) {
	t.Helper()
	p = Start(t, url, nil, nil, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	return p, p.log.WaitFor(t, serving)[1]
}

// Stop ends the process in order, and returns what it has logged.
func (p *Process) Stop(t testing.TB) (log string) {
	t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	if err := p.Wait(30 * time.Second); err != nil {
		t.Error(err)
	}
	return p.log.String()
}
