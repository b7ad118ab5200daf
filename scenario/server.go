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
	p := Start(t, url, nil, nil, "serve", "--listen", "127.0.0.1:0")
	t.Cleanup(func() {
		if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := p.Wait(30 * time.Second); err != nil {
			t.Error(err)
		}
	})
	return p.log.WaitFor(t, serving)[1]
}
