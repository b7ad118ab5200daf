package history

import (
	"bufio"
	"bytes"
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
	errQuote    = errors.New("a quote is not closed, or closed before the field ends")
)

// record is one record of a CSV file: its fields, or what is wrong with it.
type record struct {
	line   int // the line it begins on, from 1
	fields []string
	bad    error
}

// records reads a CSV file record by record. It differs from encoding/csv in one
// thing: a broken record costs the line it begins on and no more, so that one
// stray quote cannot swallow the rows after it.
type records struct {
	in    *bufio.Reader
	taken int    // lines that are done with
	ahead []line // lines read past them, in search of a closing quote
}

// line is a line without its end, or what is wrong with it.
type line struct {
	text string
	bad  error
}

// newRecords reads r from its start, past a byte-order mark if there is one.
func newRecords(r io.Reader) (*records, error) {
	const byteOrderMark = "\ufeff"
	in := bufio.NewReaderSize(r, maxLine)
	start, err := in.Peek(len(byteOrderMark))
	if err != nil && err != io.EOF {
		return nil, err
	}
	if string(start) == byteOrderMark {
		if _, err := in.Discard(len(start)); err != nil {
			return nil, err
		}
	}
	return &records{in: in}, nil
}

// looksLikeText says what a file is that begins with no text, or nil.
func (r *records) looksLikeText() error {
	start, err := r.in.Peek(512)
	if err != nil && err != io.EOF {
		return err
	}
	switch {
	case bytes.HasPrefix(start, []byte("PK\x03\x04")) || bytes.HasPrefix(start, []byte("\x1f\x8b")):
		return errors.New("it is an archive; unpack it and give the CSV file in it")
	case bytes.ContainsFunc(start, func(c rune) bool { return c < ' ' && !strings.ContainsRune("\t\n\v\f\r", c) }):
		return errors.New("it is not text; give the CSV file, saved in UTF-8")
	}
	return nil
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
		text += l.text
		fields, end := split(text)
		if end == whole {
			r.take(n + 1)
			rec.fields = fields
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
		return line{text: strings.TrimRight(string(text), "\r\n")}, nil
	}
	if err != bufio.ErrBufferFull {
		return line{}, err
	}
	for err == bufio.ErrBufferFull {
		_, err = r.in.ReadSlice('\n')
	}
	if err != nil && err != io.EOF {
		return line{}, err
	}
	return line{bad: errLongLine}, nil
}

// ending says how a text ends, read as one record.
type ending int

const (
	whole  ending = iota
	open          // within a quoted field
	broken        // with something between a closing quote and the comma
)

// split takes a record apart. A quote that does not begin a field is a
// character like any other: remarks have them.
func split(text string) ([]string, ending) {
	fields := make([]string, 0, 8)
	for {
		if !strings.HasPrefix(text, `"`) {
			field, rest, more := strings.Cut(text, ",")
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
		if rest[0] != ',' {
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
