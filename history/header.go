package history

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/softstake/softstake/ledger"
)

// column is where a column stands in a record, from 0; -1: the file does not have it.
type column int

// of is the column's field of a record, without surrounding space; empty where
// the record lacks trailing columns, or the file the column.
func (c column) of(rec record) string {
	if c < 0 || int(c) >= len(rec.fields) {
		return ""
	}
	return strings.TrimSpace(rec.fields[c])
}

// columns are those of an export that are read.
type columns struct {
	time, account, operation, coin, change column
	user                                   column // -1: there is none
	names                                  int    // how many columns the header has; 0: there is no header
	timeName                               string // the header of the times, which may name their zone
	head                                   []string
	found                                  Found
}

// Found is how the columns of a file were recognized.
type Found string

// The ways in which columns are found, the surest first.
const (
	ByNames      Found = ""
	ByOtherNames Found = "the header is not in English; its columns are known by their names"
	ByPosition   Found = "the header is not known; the columns are taken in the exchange's order: user ID, time, " +
		"account, operation, coin, change, remark"
	ByRows Found = "there is no header; the columns are taken in the exchange's order: user ID, time, account, " +
		"operation, coin, change, remark"
)

// The header is sought in the first lines: spreadsheets and reports put others above it.
const maxHead = 20

// separators are those that a file's columns may be separated by, the usual one first.
var separators = []byte{',', ';', '\t'}

// readHeader finds the header of an export and reads up to it; r is then at the first
// row. Its errors are why the file is not an export.
func readHeader(r *records) (columns, error) {
	lines, err := r.head(maxHead + 2)
	if err != nil {
		return columns{}, err
	}
	if len(lines) == 0 {
		return columns{}, errors.New("it is empty")
	}
	if strings.Contains(lines[0].text, "\r") {
		return columns{}, errors.New("its lines end with CR alone; save it with LF or CRLF")
	}
	names := lines[:min(len(lines), maxHead+1)]
	c, at, separator, err := findNames(names)
	if err == nil && slices.ContainsFunc(names[:at], line.holdsRow) {
		return columns{}, errors.New("a row stands above its header; " +
			"was it sorted by a spreadsheet? Download the CSV again, and give it as it came")
	}
	if err != nil {
		missing := err
		var ok bool
		if c, at, separator, ok = findPositions(lines); !ok {
			return columns{}, missing
		}
	}
	r.separator = separator
	for _, l := range names[:max(at, 0)] {
		if fields, end := splitLine(l.text, separator); end == whole {
			c.head = append(c.head, strings.Join(fields, " | "))
		}
	}
	r.take(at + 1)
	return c, nil
}

// findNames finds the line of the header by the names of its columns, and the
// separator. The error is about the line that comes closest.
func findNames(lines []line) (c columns, at int, separator byte, err error) {
	closest := -1
	for i, l := range lines {
		for _, separator := range separators {
			if l.bad != nil {
				continue
			}
			fields, end := splitLine(l.text, separator)
			if end != whole {
				continue
			}
			c, missing, broken := nameColumns(fields)
			if broken == nil && missing == nil {
				return c, i, separator, nil
			}
			known := len(roles) - len(missing)
			if known <= closest {
				continue
			}
			closest = known
			if err = broken; err == nil {
				err = fmt.Errorf("its header has no column %s", strings.Join(missing, ", "))
			}
		}
	}
	if err == nil { // no line could be taken apart
		if err = lines[0].bad; err == nil {
			err = errQuote
		}
	}
	return columns{}, 0, 0, err
}

// nameColumns finds the columns by their names in English, or else in another language.
func nameColumns(fields []string) (c columns, missing []string, broken error) {
	at := make([]column, len(roles))
	c.user = -1
	english := true
	for i, role := range roles {
		found := findColumns(fields, role.english)
		if len(found) == 0 {
			if found = findColumns(fields, role.others); len(found) > 0 {
				english = false
			}
		}
		if role.name == timeRole && len(found) == 2 { // UTC_Time beside Time
			found = slices.DeleteFunc(found, func(c column) bool { return columnKey(fields[c]) != "utctime" })
		}
		if len(found) > 1 {
			return columns{}, nil, fmt.Errorf("its header has the column %q twice",
				ledger.Clip(strings.TrimSpace(fields[found[1]])))
		}
		if len(found) == 0 {
			missing = append(missing, role.name)
			continue
		}
		at[i] = found[0]
	}
	if missing != nil {
		return columns{}, missing, nil
	}
	c.time, c.account, c.operation, c.coin, c.change = at[0], at[1], at[2], at[3], at[4]
	c.names, c.timeName = len(fields), strings.TrimSpace(fields[c.time])
	if user := findColumns(fields, userNames); len(user) > 0 {
		c.user = user[0]
	}
	if !english {
		c.found = ByOtherNames
	}
	return c, nil, nil
}

// findColumns returns where a header has one of the names.
func findColumns(fields []string, names []string) (found []column) {
	for i, name := range fields {
		if slices.Contains(names, columnKey(name)) {
			found = append(found, column(i))
		}
	}
	return found
}

// findPositions finds the columns by the first row: one that reads as the exchange
// writes them, [user ID,] time, account, operation, coin, change[, remark], below a
// header of as many names, or at the start of a file without a header. Empty columns
// do not count.
func findPositions(lines []line) (c columns, at int, separator byte, ok bool) {
	for _, separator := range separators {
		var above []string
		above, at = nil, -1
		for i, l := range lines {
			if l.bad != nil || strings.TrimSpace(l.text) == "" {
				continue
			}
			fields, end := splitLine(l.text, separator)
			if end != whole {
				continue
			}
			if c, ok := readsAsRow(fields, above); ok {
				if c.found == ByRows && at >= 0 {
					return columns{}, 0, 0, false // above it stands something that is no header
				}
				return c, at, separator, true
			}
			if l.holdsRow() {
				break // a damaged row must not pass for a header
			}
			above, at = fields, i
		}
	}
	return columns{}, 0, 0, false
}

// readsAsRow reports whether fields are a row in the exchange's order, and which
// columns those are; above are the fields of the line above it.
func readsAsRow(fields, above []string) (columns, bool) {
	named := func(i int) bool { return i < len(above) && strings.TrimSpace(above[i]) != "" }
	c := columns{user: -1, found: ByRows}
	var used []column
	for i, field := range fields {
		if strings.TrimSpace(field) != "" || named(i) {
			used = append(used, column(i))
		}
	}
	rec := record{fields: fields}
	if len(used) > 0 && allDigits(used[0].of(rec)) && used[0].of(rec) != "" {
		c.user, used = used[0], used[1:]
	}
	if len(used) < 5 || len(used) > 6 {
		return columns{}, false
	}
	c.time, c.account, c.operation, c.coin, c.change = used[0], used[1], used[2], used[3], used[4]
	coin := c.coin.of(rec)
	if !looseTime.MatchString(c.time.of(rec)) || !isAccount(c.account.of(rec)) || c.operation.of(rec) == "" ||
		coin == "" || allDigits(coin) || coin != strings.ToUpper(coin) || !looseAmount.MatchString(c.change.of(rec)) {
		return columns{}, false
	}
	for _, at := range used[:5] {
		if !named(int(at)) {
			return c, true
		}
	}
	c.found, c.names, c.timeName = ByPosition, len(above), strings.TrimSpace(above[c.time])
	return c, true
}

// holdsRow reports whether a line holds what only a row of a history has, whatever its
// separator: the name of an account, or a time.
func (l line) holdsRow() bool {
	separator := func(c rune) bool { return strings.ContainsRune(",;\t\"", c) }
	return slices.ContainsFunc(strings.FieldsFunc(l.text, separator), func(field string) bool {
		field = strings.TrimSpace(field)
		return isAccount(field) || looseTime.MatchString(field)
	})
}

// columnKey is a column's name without case, space, underscore, and a zone in brackets.
func columnKey(name string) string {
	name = plainText(name)
	if before, _, zoned := strings.Cut(name, "("); zoned && before != "" {
		name = before
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '_' || r == '\ufeff' {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}
