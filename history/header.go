package history

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// column is where a column stands in a record, from 0.
type column int

// of is the column's field of a record, without surrounding space; empty where
// the record lacks trailing columns.
func (c column) of(rec record) string {
	if int(c) >= len(rec.fields) {
		return ""
	}
	return strings.TrimSpace(rec.fields[c])
}

// columns are those of an export that are read. Its user ID and remarks are not.
type columns struct {
	time, account, operation, coin, change column
	utc                                    bool // the time is told to be in UTC
}

// readHeader reads the header of an export. Its errors say why the file is none.
func readHeader(r *records) (columns, error) {
	positions, err := readNames(r)
	if err != nil {
		return columns{}, err
	}
	at, missing := positions.find("Account", "Operation", "Coin", "Change")
	time, utc := positions["utctime"]
	if !utc {
		var found bool
		if time, found = positions["time"]; !found {
			missing = append([]string{"UTC_Time or Time"}, missing...)
		}
	}
	if missing != nil {
		return columns{}, fmt.Errorf("its header has no column %s", strings.Join(missing, ", "))
	}
	return columns{time: time, account: at[0], operation: at[1], coin: at[2], change: at[3], utc: utc}, nil
}

// positions are the columns of a file, by name without case, space and underscore.
type positions map[string]column

// readNames reads the first record of a file as the names of its columns.
func readNames(r *records) (positions, error) {
	if err := r.looksLikeText(); err != nil {
		return nil, err
	}
	rec, err := r.next()
	if err == io.EOF {
		return nil, errors.New("it is empty")
	}
	if err != nil {
		return nil, err
	}
	if rec.bad != nil {
		return nil, rec.bad
	}
	found := positions{}
	for i, name := range rec.fields {
		if strings.Contains(name, "\r") {
			return nil, errors.New("its lines end with CR alone; save it with LF or CRLF")
		}
		key := columnKey(name)
		if _, twice := found[key]; twice && key != "" {
			return nil, fmt.Errorf("its header has the column %q twice", strings.TrimSpace(name))
		}
		found[key] = column(i)
	}
	return found, nil
}

// find returns where the named columns stand, and the names that are missing.
func (p positions) find(names ...string) (at []column, missing []string) {
	for _, name := range names {
		c, found := p[columnKey(name)]
		if !found {
			missing = append(missing, name)
		}
		at = append(at, c)
	}
	return at, missing
}

func columnKey(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '_' {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}
