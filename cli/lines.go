package cli

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// longestLine is the most bytes that a line of input may have.
const longestLine = 1 << 20

var errLongLine = fmt.Errorf("the line is longer than %d bytes", longestLine)

// lines reads a text line by line. A line that is too long costs no more than itself.
type lines struct {
	in *bufio.Reader
	n  int // lines read so far
}

func newLines(r io.Reader) *lines { return &lines{in: bufio.NewReaderSize(r, 64<<10)} }

// inputLine is a line of input without its end, or what is wrong with it.
type inputLine struct {
	n    int // from 1
	text []byte
	bad  error
}

// next returns the next line that is not blank. Its error is io.EOF after the last.
func (l *lines) next() (inputLine, error) {
	for {
		text, bad, err := l.read()
		if err != nil {
			return inputLine{}, err
		}
		l.n++
		if l.n == 1 {
			text = []byte(strings.TrimPrefix(string(text), "\ufeff"))
		}
		if bad != nil || strings.TrimSpace(string(text)) != "" {
			return inputLine{l.n, text, bad}, nil
		}
	}
}

// read reads the whole of a line, and keeps it if it is not too long.
func (l *lines) read() (text []byte, bad, err error) {
	for {
		part, err := l.in.ReadSlice('\n')
		if len(text)+len(part) > longestLine {
			bad, text = errLongLine, nil
		}
		if bad == nil {
			text = append(text, part...)
		}
		switch {
		case err == nil:
			return text, bad, nil
		case err == io.EOF && (len(text) > 0 || bad != nil):
			return text, bad, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, nil, err
		}
	}
}

// eachLine gives visit each line of a text that is not blank, until its first error.
func eachLine(in io.Reader, visit func(inputLine) error) error {
	for lines := newLines(in); ; {
		line, err := lines.next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = visit(line)
		}
		if err != nil {
			return err
		}
	}
}

// csvFields takes a line of a CSV file apart; a quoted field ends on its line.
func csvFields(line string) ([]string, error) {
	line = strings.TrimRight(line, "\r\n")
	if !strings.Contains(line, `"`) {
		return strings.Split(line, ","), nil
	}
	fields, err := csv.NewReader(strings.NewReader(line)).Read()
	if err != nil {
		return nil, errors.New("a quote is not closed, or closed before the field ends")
	}
	return fields, nil
}

// csvFile reads a CSV file whose header names its columns, line by line.
type csvFile struct {
	lines   *lines
	name    string
	columns []int // where each wanted column stands; -1: it is not there
}

// openCSV reads the header. wanted are the columns, in the order in which rows
// come; a name that ends with "?" may be missing.
func openCSV(in io.Reader, name string, wanted ...string) (*csvFile, error) {
	f := &csvFile{lines: newLines(in), name: name}
	head, err := f.lines.next()
	if err == io.EOF {
		return nil, fmt.Errorf("%s is empty; its first line names the columns %s", name, columnList(wanted))
	}
	if err == nil {
		err = head.bad
	}
	var names []string
	if err == nil {
		names, err = csvFields(string(head.text))
	}
	if err != nil {
		return nil, fmt.Errorf("%s, line %d: %w", name, f.lines.n, err)
	}
	at := map[string]int{}
	for i, n := range names {
		key := strings.ToLower(strings.TrimSpace(n))
		if _, twice := at[key]; twice {
			return nil, fmt.Errorf("%s: its header has the column %q twice", name, key)
		}
		at[key] = i
	}
	for _, column := range wanted {
		i, found := at[strings.TrimSuffix(column, "?")]
		if !found && !strings.HasSuffix(column, "?") {
			return nil, fmt.Errorf("%s has no column %q; its first line names the columns %s", name, column, columnList(wanted))
		}
		if !found {
			i = -1
		}
		f.columns = append(f.columns, i)
	}
	return f, nil
}

func columnList(wanted []string) string {
	return strings.ReplaceAll(strings.Join(wanted, ","), "?", "")
}

// next returns the wanted fields of the next row, or what is wrong with it. Its
// error is io.EOF after the last.
func (f *csvFile) next() (row []string, line inputLine, err error) {
	line, err = f.lines.next()
	if err != nil || line.bad != nil {
		return nil, line, err
	}
	fields, bad := csvFields(string(line.text))
	if bad != nil {
		line.bad = bad
		return nil, line, nil
	}
	row = make([]string, len(f.columns))
	for i, c := range f.columns {
		if c >= len(fields) {
			line.bad = fmt.Errorf("it has %d fields, fewer than the header", len(fields))
			return nil, line, nil
		}
		if c >= 0 {
			row[i] = strings.TrimSpace(fields[c])
		}
	}
	return row, line, nil
}

// stream reads in a goroutine of its own, so that an interrupt is heard while
// nothing comes, and gives each thing read to the channel, which is closed at the
// end. What reading failed with comes after it, or nil. An interrupted reader ends
// when something comes, or with the program.
func stream[T any](ctx context.Context, next func() (T, error)) (<-chan T, <-chan error) {
	things, failed := make(chan T, 1000), make(chan error, 1)
	go func() {
		defer close(things)
		for {
			thing, err := next()
			if err == io.EOF {
				failed <- nil
				return
			}
			if err != nil {
				failed <- err
				return
			}
			select {
			case things <- thing:
			case <-ctx.Done():
				failed <- ctx.Err()
				return
			}
		}
	}()
	return things, failed
}

// take waits for the next thing, then takes what is there already, up to a
// number: what comes slowly is not kept waiting, and what comes fast goes
// together. Nothing: it is at the end.
func take[T any](ctx context.Context, things <-chan T, most int) ([]T, error) {
	var taken []T
	for len(taken) < most {
		if len(taken) > 0 && len(things) == 0 {
			return taken, nil
		}
		select {
		case thing, more := <-things:
			if !more {
				return taken, nil
			}
			taken = append(taken, thing)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return taken, nil
}

// inBatches gives do all things, size at a time; the last batch may be smaller. It ends
// at the first error of do.
func inBatches[T any](ctx context.Context, things <-chan T, size int, do func(batch []T) error) error {
	for {
		var batch []T
		for len(batch) < size {
			part, err := take(ctx, things, size-len(batch))
			if err != nil {
				return err
			}
			if len(part) == 0 {
				break
			}
			batch = append(batch, part...)
		}
		if len(batch) == 0 {
			return nil
		}
		if err := do(batch); err != nil {
			return err
		}
	}
}
