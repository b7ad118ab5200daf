package scenario

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// programFile, in the environment, is the program where it is built already: "make test"
// builds it once for all packages.
const programFile = "SOFTSTAKE_PROGRAM"

// keyFile, in the environment, is the file of the key that secrets are sealed with. That of books of SQLite is beside
// them.
const keyFile = "SOFTSTAKE_KEY_FILE"

// program is the built softstake, made at its first use and gone at the end.
var program struct {
	sync.Mutex
	dir string
	err error
}

// Program is the path of the program itself, built from this tree.
func Program(t testing.TB) string {
	t.Helper()
	if path := os.Getenv(programFile); path != "" {
		return path
	}
	program.Lock()
	defer program.Unlock()
	if program.dir == "" && program.err == nil {
		program.dir, program.err = build()
	}
	if program.err != nil {
		t.Fatal(program.err)
	}
	return filepath.Join(program.dir, "softstake")
}

func build() (string, error) {
	dir, err := os.MkdirTemp("", "softstake-scenario-*")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "softstake"), "github.com/softstake/softstake").
		CombinedOutput()
	if err != nil {
		return "", errors.Join(fmt.Errorf("build softstake: %w\n%s", err, out), os.RemoveAll(dir))
	}
	return dir, nil
}

// Main runs the tests of a package that starts the program and no PostgreSQL of its own, removes what Program built,
// and ends the process: its TestMain.
func Main(m *testing.M) {
	status := m.Run()
	if err := RemoveProgram(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// RemoveProgram removes what Program built.
func RemoveProgram() error {
	program.Lock()
	defer program.Unlock()
	if program.dir == "" {
		return nil
	}
	return os.RemoveAll(program.dir)
}

// Process is a run of the program.
type Process struct {
	cmd    *exec.Cmd
	log    *Buffer
	exited chan struct{}
	err    error // how it ended; to be read after exited is closed
}

// Start starts the program with books and arguments. It does not outlive the test.
func Start(t testing.TB, url string, stdin io.Reader, stdout io.Writer, args ...string) *Process {
	t.Helper()
	p := &Process{cmd: exec.Command(Program(t), args...), log: &Buffer{}, exited: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "SOFTSTAKE_DB="+url)
	if _, given := os.LookupEnv(keyFile); !given && !strings.HasPrefix(url, "sqlite:") {
		// Else it is in the package's folder, and there for the next test, which has other books.
		p.cmd.Env = append(p.cmd.Env, keyFile+"="+filepath.Join(filepath.Dir(t.TempDir()), "softstake.key"))
	}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = stdin, stdout, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		if _, err := p.Kill(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// Output runs the program with books and arguments, which must end well within a minute, and returns what it printed.
func Output(t testing.TB, url, stdin string, args ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Start(t, url, strings.NewReader(stdin), &out, args...).Wait(time.Minute); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return out.Bytes()
}

// Kill ends the process as kill -9 does, and reports whether it was still there.
func (p *Process) Kill() (running bool, err error) {
	select {
	case <-p.exited:
		return false, nil
	default:
	}
	err = p.cmd.Process.Kill()
	<-p.exited
	if errors.Is(err, os.ErrProcessDone) || p.cmd.ProcessState.Exited() {
		return false, nil
	}
	return true, err
}

// Wait waits for the end of the process, at most so long, and says how it ended.
func (p *Process) Wait(within time.Duration) error {
	select {
	case <-p.exited:
	case <-time.After(within):
		_, err := p.Kill()
		return errors.Join(fmt.Errorf("%v has not ended within %s", p.cmd.Args, within), err)
	}
	if p.err != nil {
		return fmt.Errorf("%v: %w\n%s", p.cmd.Args, p.err, p.log)
	}
	return nil
}

// Client posts transfers through the program, as long as it lives, and after it
// has died again those that were not acknowledged.
type Client struct {
	Town  Town
	next  int // the first that is not acknowledged
	Acked map[string]string
	Again int // those that were answered as repeated
}

// post starts "softstake post -" and feeds it. What it returns waits, after the
// process has ended, for what it had acknowledged.
func (c *Client) post(t testing.TB, url string, chance *rand.Rand) (p *Process, wait func() error) {
	t.Helper()
	in, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p = Start(t, url, in, out, "post", "-", "--json")
	// The program has these ends now: when it dies, ours hear of it.
	if err := errors.Join(in.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		err := c.talk(feed, bufio.NewScanner(answers), chance)
		done <- errors.Join(err, feed.Close(), answers.Close())
	}()
	return p, func() error { return <-done }
}

// talk sends some transfers, waits for their answers, and sends the next, until
// the program is gone. Sometimes it begins with some that were acknowledged before.
func (c *Client) talk(feed io.Writer, answers *bufio.Scanner, chance *rand.Rand) error {
	c.next -= min(c.next, chance.IntN(20))
	for {
		n := 1 + chance.IntN(200)
		var lines bytes.Buffer
		for i := range n {
			fmt.Fprintln(&lines, c.line(c.next+i))
		}
		if _, err := feed.Write(lines.Bytes()); err != nil && !errors.Is(err, syscall.EPIPE) {
			return err
		}
		for range n {
			if !answers.Scan() {
				return answers.Err()
			}
			if err := c.answer(answers.Bytes()); err != nil {
				return err
			}
		}
	}
}

// line is transfer number n, the same whenever it is sent: a unit from one holder to another.
func (c *Client) line(n int) string {
	return fmt.Sprintf(`{"id":"client-%d","kind":"transfer","moves":[{"from":%q,"to":%q,"asset":"SOL","amount":"0.00000001"}]}`,
		n, c.Town.Holder(n), c.Town.Holder(n*7+1+c.Town.Holders/2))
}

// answer takes what became of the next transfer.
func (c *Client) answer(line []byte) error {
	var a struct {
		ID     string
		At     time.Time
		Status string
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return fmt.Errorf("%q: %w", line, err)
	}
	if want := "client-" + strconv.Itoa(c.next); a.ID != want || a.Status == "refused" {
		return fmt.Errorf("the answer to %s is %s", want, line)
	}
	at := strconv.FormatInt(a.At.UnixMilli(), 10)
	if before := c.Acked[a.ID]; before != "" && (before != at || a.Status != "repeated") {
		return fmt.Errorf("%s was acknowledged for %s, and now %s", a.ID, before, line)
	}
	if a.Status == "repeated" {
		c.Again++
	}
	c.Acked[a.ID] = at
	c.next++
	return nil
}
