package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/softstake/softstake/ledger"
)

// longestPasswordLine is how much of the standard input is read for a password.
const longestPasswordLine = 4 << 10

// readPassword reads a password from the standard input: at a terminal twice,
// without showing it, else its first line.
func (env *Env) readPassword() (string, error) {
	f, is := env.Stdin.(*os.File)
	if !is || !term.IsTerminal(int(f.Fd())) {
		return env.whileHeard(func() (string, error) { return firstLine(env.Stdin) })
	}
	before, err := term.GetState(int(f.Fd()))
	if err != nil {
		return "", err
	}
	password, err := env.whileHeard(func() (string, error) { return env.askTwice(int(f.Fd())) })
	if env.Context.Err() != nil { // it is still being read, and what is typed would stay unseen
		err = errors.Join(err, term.Restore(int(f.Fd()), before))
	}
	return password, err
}

// whileHeard reads in a goroutine of its own, so that an interrupt is heard while
// nothing comes. An interrupted reader ends with the program.
func (env *Env) whileHeard(read func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := read()
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		return r.text, r.err
	case <-env.Context.Done():
		return "", env.Context.Err()
	}
}

func (env *Env) askTwice(fd int) (string, error) {
	var typed [2]string
	for i, question := range []string{"Password: ", "The same again: "} {
		if _, err := io.WriteString(env.Stderr, question); err != nil {
			return "", err
		}
		text, err := term.ReadPassword(fd)
		if _, lost := io.WriteString(env.Stderr, "\n"); lost != nil {
			return "", lost
		}
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		typed[i] = string(text)
	}
	if typed[0] != typed[1] {
		return "", ledger.ErrInvalid.In("", "the two are not the same; nothing is changed")
	}
	return typed[0], nil
}

// firstLine is the first line of what comes, without its end. Its error is ledger.ErrInvalid where nothing comes.
func firstLine(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, longestPasswordLine)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	if line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"); line == "" {
		return "", ledger.ErrInvalid.In("", "a password is read from the standard input, and nothing came; "+
			"--generate makes one")
	}
	return line, nil
}
