package join

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/softstake/softstake/ledger"
)

// Folder is a source of files with a record on each line: NAME.jsonl is the partition NAME, and its lines are the
// positions from 1. Later lines may be in NAME.NUMBER.jsonl, where NUMBER is the position of its first line; the files
// before the one that is read may be removed. A last line without its end is not read until it has one. A file that
// shrinks, is replaced or has another record where the books have one is an error.
type Folder string

const fileEnd = ".jsonl"

// ErrChanged says that a source is not what it was: what was read of it, or follows, may not be there any more.
var ErrChanged = errors.New("the source has changed")

// part is a file of a partition, and the position of its first line.
type part struct {
	path  string
	first int64
}

// parts are the files of all partitions, by position.
func (f Folder) parts() (map[string][]part, error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, err
	}
	found := map[string][]part{}
	for _, e := range entries {
		name, is := strings.CutSuffix(e.Name(), fileEnd)
		if !is || e.IsDir() {
			continue
		}
		p := part{filepath.Join(string(f), e.Name()), 1}
		if i := strings.LastIndexByte(name, '.'); i > 0 {
			n, err := strconv.ParseInt(name[i+1:], 10, 64)
			if err != nil || n < 1 {
				return nil, ledger.ErrInvalid.In("", "%s: the name is not NAME.jsonl or NAME.POSITION.jsonl", p.path)
			}
			name, p.first = name[:i], n
		}
		if err := CheckName("partition", name, MaxPartition); err != nil {
			return nil, fmt.Errorf("%s: %w", p.path, err)
		}
		found[name] = append(found[name], p)
	}
	for _, parts := range found {
		slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.first, b.first) })
	}
	return found, nil
}

// Partitions are the names of the files.
func (f Folder) Partitions(context.Context) (names []string, err error) {
	found, err := f.parts()
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, err
}

// Open finds the line of a position. ErrChanged if the file ends before it.
func (f Folder) Open(_ context.Context, partition string, from Start) (Reader, error) {
	position := from.After.Position
	if !from.Again {
		position++
	}
	r := &fileReader{folder: f, partition: partition, next: position}
	start, err := r.partAt(position)
	if err == nil {
		err = r.open(start)
	}
	if err == nil {
		if err = r.skip(position - start.first); err != nil {
			err = errors.Join(err, r.Close())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the partition %s: %w", partition, err)
	}
	return r, nil
}

// fileReader reads the files of a partition.
type fileReader struct {
	folder    Folder
	partition string
	next      int64 // the position of the next line
	path      string
	file      *os.File
	lines     *bufio.Reader
	offset    int64  // of what was read as whole lines
	rest      []byte // of a last line that has no end yet
}

// partAt is the file in which the line of a position is, or would be.
func (r *fileReader) partAt(position int64) (part, error) {
	found, err := r.folder.parts()
	if err != nil {
		return part{}, err
	}
	parts := found[r.partition]
	i := slices.IndexFunc(parts, func(p part) bool { return p.first > position })
	if i < 0 {
		i = len(parts)
	}
	if i == 0 {
		return part{}, fmt.Errorf("%w: there is no file with the record %d", ErrChanged, position)
	}
	return parts[i-1], nil
}

func (r *fileReader) open(p part) (err error) {
	if r.file, err = os.Open(p.path); err != nil {
		return err
	}
	r.path, r.lines, r.offset, r.rest = p.path, bufio.NewReaderSize(r.file, 256<<10), 0, nil
	return nil
}

// skip reads lines, and returns none of them.
func (r *fileReader) skip(lines int64) error {
	for range lines {
		line, err := r.line()
		if err == nil && line == nil {
			err = fmt.Errorf("%w: %s ends before the record %d", ErrChanged, r.path, r.next)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// line is the next whole line without its end, or nil if there is none now.
func (r *fileReader) line() ([]byte, error) {
	for {
		text, err := r.lines.ReadSlice('\n')
		r.rest = append(r.rest, text...)
		if len(r.rest) > MaxText+1 {
			return nil, ledger.ErrInvalid.In("", "%s: a line has more than %d bytes", r.path, MaxText)
		}
		switch {
		case err == nil:
			line := r.rest
			r.offset, r.rest = r.offset+int64(len(line)), nil
			return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
		case errors.Is(err, io.EOF):
			return nil, r.unchanged()
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// unchanged refuses a file that has shrunk or was replaced since it was opened.
func (r *fileReader) unchanged() error {
	is, err := os.Stat(r.path)
	if err != nil {
		return err
	}
	was, err := r.file.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(is, was) || is.Size() < r.offset+int64(len(r.rest)) {
		return fmt.Errorf("%w: %s was replaced or has shrunk", ErrChanged, r.path)
	}
	return nil
}

// Next reads lines, and goes on with the next file where one begins at the next position.
func (r *fileReader) Next(ctx context.Context, most int) (records []Record, err error) {
	for len(records) < most && ctx.Err() == nil {
		line, err := r.line()
		if err != nil {
			return records, err
		}
		if line == nil {
			more, err := r.turn()
			if err != nil || !more {
				return records, err
			}
			continue
		}
		records = append(records, Record{Place: Place{Position: r.next}, Text: line})
		r.next++
	}
	return records, ctx.Err()
}

// turn opens the file after this one, if there is one.
func (r *fileReader) turn() (bool, error) {
	p, err := r.partAt(r.next)
	if err != nil || p.path == r.path || p.first != r.next {
		return false, err
	}
	if len(r.rest) > 0 {
		return false, fmt.Errorf("%w: the last line of %s has no end, and %s begins", ErrChanged, r.path, p.path)
	}
	// What was written to the file before the next one was made is read first.
	if line, err := r.lines.Peek(1); err == nil || len(line) > 0 {
		return true, nil
	}
	if err := r.file.Close(); err != nil {
		return false, err
	}
	return true, r.open(p)
}

// Identity is always the same.
func (*fileReader) Identity() string { return "" }

// Confirm does nothing: who writes the files removes them.
func (*fileReader) Confirm(Place) {}

func (r *fileReader) Close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}
