package history

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The bounds of one record. They keep a file that is no CSV from filling memory.
const (
	maxLine   = 64 << 10 // bytes in a line
	maxJoined = 16       // lines that a record may run over
)

// What can be wrong with a record as such.
var (
	errLongLine = fmt.Errorf("the line is longer than %d bytes", maxLine)
	errLoneCR   = errors.New("a line ends with CR alone; save the file with LF or CRLF")
	errQuote    = errors.New("a quote is not closed, or closed before the field ends")
)

// record is one record of a CSV file: its fields, or what is wrong with it.
type record struct {
	line   int // the line it begins on, from 1
	fields []string
	open   bool // the file ends in it, without the end of a line
	bad    error
}

// records reads a CSV file record by record. It differs from encoding/csv in two
// things. A broken record costs the line it begins on and no more, so that one
// stray quote cannot swallow the rows after it. And a line that is one quoted field
// as a whole is read as the record inside the quotes.
type records struct {
	in        *bufio.Reader
	separator byte
	taken     int    // lines that are done with
	ahead     []line // lines read past them, in search of a closing quote
}

// line is a line without its end, or what is wrong with it.
type line struct {
	text string
	open bool // the file ends in it
	bad  error
}

// newRecords reads text from its start.
func newRecords(text *bufio.Reader) *records { return &records{in: text, separator: ','} }

// head returns the next n lines, or all that there are, which stay to be read.
func (r *records) head(n int) ([]line, error) {
	for i := range n {
		if _, err := r.peek(i); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
	}
	return r.ahead, nil
}

// next returns the next record that is not a blank line. Its error is io.EOF at
// the end, or what reading failed with.
func (r *records) next() (record, error) {
	if err := r.skipBlank(); err != nil {
		return record{}, err
	}
	rec := record{line: r.taken + 1}
	text := ""
	for n := range maxJoined {
		l, err := r.peek(n)
		if err == io.EOF {
			break
		}
		if err != nil {
			return record{}, err
		}
		if l.bad != nil {
			if n == 0 {
				rec.bad = l.bad
			}
			break
		}
		if n > 0 && l.holdsRow() {
			break // a quote that is never closed must not swallow rows
		}
		text += l.text
		fields, end := splitLine(text, r.separator)
		if end == whole {
			r.take(n + 1)
			rec.fields, rec.open = fields, l.open
			return rec, nil
		}
		if end == broken {
			break
		}
		text += "\n"
	}
	if rec.bad == nil {
		rec.bad = errQuote
	}
	r.take(1)
	return rec, nil
}

func (r *records) skipBlank() error {
	for {
		l, err := r.peek(0)
		if err != nil {
			return err
		}
		if l.bad != nil || strings.TrimSpace(l.text) != "" {
			return nil
		}
		r.take(1)
	}
}

// peek returns the n-th line from here, from 0, which stays to be taken.
func (r *records) peek(n int) (line, error) {
	for len(r.ahead) <= n {
		l, err := r.read()
		if err != nil {
			return line{}, err
		}
		r.ahead = append(r.ahead, l)
	}
	return r.ahead[n], nil
}

func (r *records) take(n int) {
	r.ahead = r.ahead[n:]
	r.taken += n
}

// read reads a line: the whole of it, kept or not. Its error is io.EOF after the last.
func (r *records) read() (line, error) {
	text, err := r.in.ReadSlice('\n')
	if err == nil || (err == io.EOF && len(text) > 0) {
		l := line{text: strings.TrimRight(string(text), "\r\n"), open: err == io.EOF}
		if strings.Contains(l.text, "\r") {
			l.bad = errLoneCR
		}
		return l, nil
	}
	if err == io.EOF {
		return line{}, err
	}
	if err != bufio.ErrBufferFull {
		return line{}, readError{err}
	}
	for err == bufio.ErrBufferFull {
		_, err = r.in.ReadSlice('\n')
	}
	if err != nil && err != io.EOF {
		return line{}, readError{err}
	}
	return line{bad: errLongLine}, nil
}

// ending is how a text ends, read as one record.
type ending int

const (
	whole  ending = iota
	open          // within a quoted field
	broken        // with something between a closing quote and the separator
)

// splitLine splits a record; one that is quoted as a whole line is split twice.
func splitLine(text string, separator byte) ([]string, ending) {
	fields, end := split(text, separator)
	if end == whole && len(fields) == 1 && strings.HasPrefix(text, `"`) &&
		strings.IndexByte(fields[0], separator) >= 0 {
		return split(fields[0], separator)
	}
	return fields, end
}

// split takes a record apart. A quote that does not begin a field is a
// character like any other: remarks have them.
func split(text string, separator byte) ([]string, ending) {
	fields := make([]string, 0, 8)
	for {
		if !strings.HasPrefix(text, `"`) {
			field, rest, more := strings.Cut(text, string(separator))
			fields = append(fields, field)
			if !more {
				return fields, whole
			}
			text = rest
			continue
		}
		field, rest, closed := unquote(text[1:])
		if !closed {
			return nil, open
		}
		fields = append(fields, field)
		if rest == "" {
			return fields, whole
		}
		if rest[0] != separator {
			return nil, broken
		}
		text = rest[1:]
	}
}

// unquote reads a quoted field, of which the first quote is gone, and returns
// what follows its last. Within it two quotes are one.
func unquote(text string) (field, rest string, closed bool) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, `"`)
		b.WriteString(before)
		if !found {
			return "", "", false
		}
		if !strings.HasPrefix(after, `"`) {
			return b.String(), after, true
		}
		b.WriteByte('"')
		text = after[1:]
	}
}
