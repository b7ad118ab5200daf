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

// Env is the environment of a command: nothing in cli reads the clock,
// the environment or the standard streams by itself.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Now            func() time.Time
	Random         io.Reader // of secrets: crypto/rand.Reader, outside of tests
	Getenv         func(string) string
	Context        context.Context // ends when the person interrupts

	DB         string       // where the books are: sqlite:PATH or postgres://…
	DBGiven    bool         // whether --db was given, and DB is not where books are without it
	Actor      access.Actor // who gives the command
	ClockMoved bool         // Now is not what time it is
	KeyFile    string       // of the key that secrets are sealed with; "": where it is without a name
	Insecure   bool         // connections may be read on their way: --insecure
	Because    string       // why, for the proposal that the command becomes where it needs approval
}

// usageError says that the command was given wrongly: exit status 2.
type usageError struct{ error }

func (u *usageError) Unwrap() error { return u.error }

func usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// moveClock moves the clock ahead for a command.
func (env *Env) moveClock(by time.Duration, command string) error {
	name, _, _ := strings.Cut(command, " ")
	switch {
	case by == 0:
		return nil
	case by < 0:
		return usage("--clock-offset %s is below zero; the clock is moved ahead only", by)
	case slices.Contains([]string{"demo", "bench", "estimate"}, name):
		return usage("--clock-offset is for books made with \"init --test-clock\"; %s has a clock of its own", name)
	}
	now := env.Now
	env.Now, env.ClockMoved = func() time.Time { return now().Add(by) }, true
	return nil
}

// testBooks is a line that the books are a test, and what time it is in them.
func testBooks(env *Env) string {
	return fmt.Sprintf("These books are a test. Their clock says %s UTC.", env.Now().UTC().Format(time.DateTime))
}

// options are those to open the books with.
func (env *Env) options() store.Options {
	return store.Options{Clock: env.Now, ClockMoved: env.ClockMoved, Actor: env.Actor, Insecure: env.Insecure,
		Sealer: env.optionalSealer}
}

// books opens the books, and closes them after fn, whatever comes of it.
func (env *Env) books(fn func(ctx context.Context, db *store.DB) error) error {
	return env.booksWith(env.options(), fn)
}

// booksWith is books with options of their own.
func (env *Env) booksWith(o store.Options, fn func(ctx context.Context, db *store.DB) error) (err error) {
	db, err := store.Open(env.Context, env.DB, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return env.proposed(env.Context, db, fn(env.Context, db))
}

// booksAndAssets opens the books as books does, and reads their assets.
func (env *Env) booksAndAssets(fn func(ctx context.Context, db *store.DB, a assets) error) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		a, err := readAssets(ctx, db)
		if err != nil {
			return err
		}
		return fn(ctx, db, a)
	})
}

// printf writes to the standard output what a terminal can print.
func (env *Env) printf(format string, args ...any) error {
	_, err := io.WriteString(env.Stdout, printable(fmt.Sprintf(format, args...)))
	return err
}

// done prints what a change did, unless it failed.
func (env *Env) done(err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	return env.printf(format, args...)
}

// warnf writes a message beside the result: a line on standard error.
func (env *Env) warnf(format string, args ...any) error {
	_, err := io.WriteString(env.Stderr, printable(fmt.Sprintf(format+"\n", args...)))
	return err
}

// file opens a file to read, or the standard input for "-". size is 0 where it is not known.
func (env *Env) file(name string) (in io.ReadCloser, size int64, err error) {
	if name == "-" {
		return io.NopCloser(env.Stdin), 0, nil
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

// readFile reads a file, or the standard input for "-".
func readFile[T any](env *Env, name string, read func(io.Reader) (T, error)) (found T, err error) {
	in, _, err := env.file(name)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	return read(in)
}

// given is the value of a flag, or the usual one where it was not given.
func given[T any](flag *T, usual T) T {
	if flag == nil {
		return usual
	}
	return *flag
}

// isTerminal reports whether a person is watching what is written there.
func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
