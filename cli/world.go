package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/store"
)

// World is what a command sees of the outside: nothing in cli reads the clock,
// the environment or the standard streams by itself.
type World struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Now            func() time.Time
	Random         io.Reader // of secrets: crypto/rand.Reader, outside of tests
	Env            func(string) string
	Context        context.Context // ends when the person interrupts

	DB         string       // where the books are: sqlite:PATH or postgres://…
	DBGiven    bool         // whether --db was given, and DB is not where books are without it
	Actor      access.Actor // who gives the command
	ClockMoved bool         // Now is not what time it is
	KeyFile    string       // of the key that secrets are sealed with; "": where it is without a name
	Insecure   bool         // connections may be read on their way: --insecure
}

// usageError says that the command was given wrongly: exit status 2.
type usageError struct{ error }

func (u *usageError) Unwrap() error { return u.error }

func usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// moveClock moves the clock ahead for a command.
func (w *World) moveClock(by time.Duration, command string) error {
	name, _, _ := strings.Cut(command, " ")
	switch {
	case by == 0:
		return nil
	case by < 0:
		return usage("--clock-offset %s is below zero; the clock is moved ahead only", by)
	case slices.Contains([]string{"demo", "bench", "estimate"}, name):
		return usage("--clock-offset is for books made with \"init --test-clock\"; %s has a clock of its own", name)
	}
	now := w.Now
	w.Now, w.ClockMoved = func() time.Time { return now().Add(by) }, true
	return nil
}

// testBooks says that the books are a test, and what time it is in them.
func testBooks(w *World) string {
	return fmt.Sprintf("These books are a test. Their clock says %s UTC.", w.Now().UTC().Format(time.DateTime))
}

// options say how this world's books are opened.
func (w *World) options() store.Options {
	return store.Options{Clock: w.Now, ClockMoved: w.ClockMoved, Actor: w.Actor, Insecure: w.Insecure}
}

// books opens the books, and closes them after fn, whatever comes of it.
func (w *World) books(fn func(ctx context.Context, db *store.DB) error) error {
	return w.booksWith(w.options(), fn)
}

// booksWith is books with options of their own.
func (w *World) booksWith(o store.Options, fn func(ctx context.Context, db *store.DB) error) (err error) {
	db, err := store.Open(w.Context, w.DB, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return fn(w.Context, db)
}

// printf writes to the standard output what a terminal can print.
func (w *World) printf(format string, args ...any) error {
	_, err := io.WriteString(w.Stdout, printable(fmt.Sprintf(format, args...)))
	return err
}

// tellf writes a message beside the result: a line on standard error.
func (w *World) tellf(format string, args ...any) error {
	_, err := io.WriteString(w.Stderr, printable(fmt.Sprintf(format+"\n", args...)))
	return err
}

// file opens a file to read, or the standard input for "-". size is 0 where it is not known.
func (w *World) file(name string) (in io.ReadCloser, size int64, err error) {
	if name == "-" {
		return io.NopCloser(w.Stdin), 0, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder; name a file in it", name)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	if info.Mode().IsRegular() {
		size = info.Size()
	}
	return f, size, nil
}

// isTerminal says whether a person is watching what is written there.
func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
