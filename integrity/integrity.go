// Package integrity guards rows that the program replaces against changes by SQL: it keeps each version of them, so
// that a row that differs from its last one is found. It knows tables by their columns, not what they are for.
package integrity

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// column is a column whose content is guarded.
type column struct{ name, kind string }

// columnsOf reads "name kind, name kind"; the kinds are int, text and blob.
func columnsOf(list string) (columns []column) {
	for field := range strings.SplitSeq(list, ", ") {
		name, kind, _ := strings.Cut(field, " ")
		columns = append(columns, column{name, kind})
	}
	return columns
}

// selected are columns as SQL lists them.
func selected(columns []column, prefix string) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = prefix + c.name
	}
	return strings.Join(names, ", ")
}

// textOf is the columns of a row from one on: name=value, without those that are zero or empty. So a column that is
// added later, empty in the rows that are there, leaves their texts as they are. Different rows have different texts.
func textOf(r db.Row, from int, columns []column) string {
	var words []string
	for i, c := range columns {
		value := ""
		switch c.kind {
		case "int":
			if n := r.Int(from + i); n != 0 {
				value = strconv.FormatInt(n, 10)
			}
		case "text":
			if text := r.Text(from + i); text != "" {
				value = strconv.Quote(text)
			}
		default:
			value = hex.EncodeToString(r.Bytes(from + i))
		}
		if value != "" {
			words = append(words, c.name+"="+value)
		}
	}
	return strings.Join(words, " ")
}

// bucketOf is the bucket in which a name's versions lie.
func bucketOf(name string) int64 { return int64(ledger.Account(name).Bucket()) }

// and joins conditions.
func and(conditions []string) string { return strings.Join(conditions, " AND ") }
