package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// tally counts what becomes of the lines of a file, and reports it.
type tally struct {
	env   *Env
	doing string // "posting"
	verb  string // what is done with a line: "posted"
	again string // what the person does with a file that is corrected
	size  int64  // of the file, in bytes
	meter *meter

	lines                   int
	bytes                   int64
	done, repeated, refused int
}

// reportedLines is each how many lines progress is reported where nobody watches a bar.
const reportedLines = 100_000

// read opens a file for fn, and begins to show how far it is.
func (t *tally) read(name string, fn func(io.Reader) error) (err error) {
	in, size, err := t.env.file(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	t.size = size
	return fn(in)
}

// readLines gives do what next reads of a file in a goroutine of its own, and then reports what
// became of its lines. Its error says, too, that some were refused.
func readLines[T any](ctx context.Context, t *tally, next func(context.Context) (T, error),
	do func(context.Context, <-chan T) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	t.meter = newMeter(t.env, t.doing, t.size)
	things, failed := stream(ctx, func() (T, error) { return next(ctx) })
	err := do(ctx, things)
	if err == nil {
		err = <-failed
	}
	if err != nil {
		return errors.Join(err, t.meter.end())
	}
	return t.sum()
}

// refuse counts a line that is refused, and says why.
func (t *tally) refuse(line int, why error) error {
	t.refused++
	return t.meter.warnf("line %d: %s", line, plain(why))
}

// became counts a line: refused for a reason, repeated, or done.
func (t *tally) became(line int, why error, repeated bool) error {
	switch {
	case why != nil:
		return t.refuse(line, why)
	case repeated:
		t.repeated++
	default:
		t.done++
	}
	return nil
}

// progress shows how far the file is; are is what the lines are now: "loaded".
func (t *tally) progress(lines int, bytes int64, are string) error {
	before := t.lines
	t.lines, t.bytes = t.lines+lines, t.bytes+bytes
	t.meter.to(t.bytes, fmt.Sprintf("%s, %d lines", t.doing, t.lines))
	if !isTerminal(t.env.Stderr) && t.lines/reportedLines > before/reportedLines {
		return t.env.warnf("%d lines are %s", t.lines, are)
	}
	return nil
}

// sum reports what became of the whole file. Its error says that something was refused.
func (t *tally) sum() error {
	if err := t.meter.end(); err != nil {
		return err
	}
	if err := t.env.warnf("%s %d, repeated %d, refused %d", t.verb, t.done, t.repeated, t.refused); err != nil {
		return err
	}
	if t.refused == 0 {
		return nil
	}
	them := "it"
	if t.refused > 1 {
		them = "them"
	}
	return fmt.Errorf("%s refused; correct %s and %s", count(t.refused, "line was", "lines were"), them, t.again)
}
