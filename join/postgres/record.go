package postgres

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/softstake/softstake/join"
)

// relation is a table, as it was when its rows were written.
type relation struct {
	name    string // with its schema
	columns []column
}

type column struct {
	name string
	typ  uint32
	key  bool
}

// value is what a column has: its text, NULL or, where it was too long to be written again, nothing.
type value struct {
	kind uint8 // as pglogrepl has it
	text []byte
}

// tupleOf are the values of a row of a query; nil is NULL.
func tupleOf(values [][]byte) []value {
	tuple := make([]value, len(values))
	for i, text := range values {
		tuple[i] = value{pglogrepl.TupleDataTypeText, text}
		if text == nil {
			tuple[i].kind = pglogrepl.TupleDataTypeNull
		}
	}
	return tuple
}

// encoder writes rows as JSON.
type encoder struct {
	place  join.Place
	middle []byte // what all records of a transaction have
}

// begin is the begin of a transaction.
func (e *encoder) begin(lsn pglogrepl.LSN, committed time.Time) {
	e.middle = fmt.Appendf(nil, `,"lsn":"%s","commit_time":"%s"`, lsn, committed.UTC().Format(time.RFC3339Nano))
}

// id is a name made of the place. PostgreSQL never gives the same again.
func (e *encoder) id() string {
	return strings.ToUpper(strconv.FormatInt(e.place.Position, 16)) + "." + strconv.FormatInt(e.place.Part, 10)
}

// row is the change of a row as JSON. Numbers are texts, exactly as PostgreSQL writes them. A tuple that is nil is left
// out.
func (e *encoder) row(op string, of *relation, old, now []value) []byte {
	size := 160
	for _, v := range now {
		size += len(v.text) + 24
	}
	to := append(make([]byte, 0, size), `{"op":"`...)
	to = append(to, op...)
	to = append(to, `","table":`...)
	to = appendText(to, of.name)
	to = append(to, `,"id":"`...)
	to = append(append(to, e.id()...), '"')
	to = append(to, e.middle...)
	if old != nil {
		to = appendTuple(append(to, `,"old":`...), of, old)
	}
	if now != nil {
		to = appendTuple(append(to, `,"new":`...), of, now)
	}
	return append(to, '}')
}

func appendTuple(to []byte, of *relation, values []value) []byte {
	to = append(to, '{')
	for i, v := range values {
		if v.kind == 0 { // no part of the key, of which alone the values are
			continue
		}
		if to[len(to)-1] != '{' {
			to = append(to, ',')
		}
		to = append(appendText(to, of.columns[i].name), ':')
		to = appendValue(to, of.columns[i].typ, v)
	}
	return append(to, '}')
}

func appendValue(to []byte, typ uint32, v value) []byte {
	switch {
	case v.kind == pglogrepl.TupleDataTypeNull:
		return append(to, "null"...)
	case v.kind == pglogrepl.TupleDataTypeToast:
		return append(to, `{"unchanged":true}`...)
	case typ == pgtype.BoolOID:
		return strconv.AppendBool(to, string(v.text) == "t")
	case typ == pgtype.JSONBOID || typ == pgtype.JSONOID:
		if json.Valid(v.text) {
			return append(to, v.text...)
		}
	case typ == pgtype.TimestamptzOID:
		// "2026-11-27 12:00:00.25+00" is UTC, as the connection is set.
		if text, utc := strings.CutSuffix(string(v.text), "+00"); utc {
			return appendText(to, strings.Replace(text, " ", "T", 1)+"Z")
		}
	}
	return appendText(to, string(v.text))
}

// appendText writes a text as JSON.
func appendText(to []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return appendMarshaled(to, text)
		}
	}
	return append(append(append(to, '"'), text...), '"')
}

func appendMarshaled(to []byte, text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil { // a string always has a text
		panic(err)
	}
	return append(to, quoted...)
}
