package join

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/strictjson"
)

// Mapping reads events from the JSON of others, such as Debezium's envelope or CloudEvents: for each kind of record,
// where the fields of an event are. It has paths, constants and tables, and nothing that computes.
type Mapping struct {
	Records []RecordMapping `json:"records"`
	Ignore  []Conditions    `json:"ignore,omitempty"` // records of which only the position counts
	rows    bool            // the records are rows of a database
}

// OfRows has the mapping read rows of a database, such as {"table": …, "new": {…}}: a field whose column is not in the
// record is an error, since a column that was renamed is not one that is empty.
func (m *Mapping) OfRows() { m.rows = true }

// Paths are where the mapping finds a field of an event, sorted.
func (m *Mapping) Paths(field string) (paths []string) {
	for _, r := range m.Records {
		if f, is := r.Fields[field]; is && !slices.Contains(paths, f.Path) {
			paths = append(paths, f.Path)
		}
	}
	slices.Sort(paths)
	return paths
}

// RecordMapping is what one kind of record becomes.
type RecordMapping struct {
	When   Conditions       `json:"when,omitempty"` // all must hold
	Fields map[string]Field `json:"fields"`         // by the name of a field of an event
}

// Conditions hold if each of them does.
type Conditions []Condition

// Condition holds if the value at a path is one of some texts, or none of them; "": there is none, or it is null.
type Condition struct {
	Path string   `json:"path"`
	Is   []string `json:"is,omitempty"`
	Not  []string `json:"not,omitempty"` // in the place of Is
}

// Field is where a field of an event comes from: from a path or, with a value, from nowhere.
type Field struct {
	Path  string            `json:"path,omitempty"`
	Value string            `json:"value,omitempty"`
	Scale *int              `json:"scale,omitempty"` // the number at the path is of units of 10^-scale
	Time  string            `json:"time,omitempty"`  // the number at the path counts units since 1970: s, ms, us or ns; utc
	Map   map[string]string `json:"map,omitempty"`   // what texts at the path stand for; others are refused
}

// utcTime is the Time of a text such as "2026-11-27 12:00:00.25", which has no time zone and is in UTC.
const utcTime = "utc"

// maxMapping is the size of a mapping file in bytes.
const maxMapping = 64 << 10

// timeUnits are what numbers of a time count.
var timeUnits = map[string]time.Duration{"s": time.Second, "ms": time.Millisecond, "us": time.Microsecond,
	"ns": time.Nanosecond}

// ParseMapping reads a mapping file, strictly. The errors are ledger.ErrInvalid.
func ParseMapping(text []byte) (*Mapping, error) {
	if len(text) > maxMapping {
		return nil, ledger.ErrInvalid.In("", "a mapping has at most %d bytes", maxMapping)
	}
	var m Mapping
	if err := strictjson.Decode(text, &m); err != nil {
		if fault, is := errors.AsType[*strictjson.Fault](err); is {
			return nil, ledger.ErrInvalid.In(fault.Field, "%s", fault.Message)
		}
		return nil, ledger.ErrInvalid.In("", "%v", err)
	}
	if len(m.Records) == 0 {
		return nil, ledger.ErrInvalid.In("records", "a mapping has at least one kind of record")
	}
	for i, conditions := range m.Ignore {
		if err := conditions.check("ignore[" + strconv.Itoa(i) + "]"); err != nil {
			return nil, err
		}
	}
	for i, r := range m.Records {
		if err := r.When.check("records[" + strconv.Itoa(i) + "].when"); err != nil {
			return nil, err
		}
		for name, field := range r.Fields {
			at := "records[" + strconv.Itoa(i) + "].fields." + name
			if err := ledger.At(at, field.check(name)); err != nil {
				return nil, err
			}
		}
	}
	return &m, nil
}

// check refuses conditions that say nothing. at is where they are.
func (c Conditions) check(at string) error {
	for i, one := range c {
		if (one.Is == nil) == (one.Not == nil) || one.Path == "" {
			return ledger.ErrInvalid.In(at+"["+strconv.Itoa(i)+"]", "a condition has a path, and either \"is\" or \"not\"")
		}
	}
	return nil
}

func (f Field) check(name string) error {
	var into form
	switch _, isTime := timeUnits[f.Time]; {
	case !into.set(name, "1") && !into.set(name, "true"):
		return ledger.ErrInvalid.In("", "an event has no such field")
	case (f.Path == "") == (f.Value == ""):
		return ledger.ErrInvalid.In("", "it has either a path or a value")
	case f.Value != "" && (f.Scale != nil || f.Time != "" || f.Map != nil):
		return ledger.ErrInvalid.In("", "a value stands by itself")
	case f.Scale != nil && (*f.Scale < 0 || *f.Scale > amountScale):
		return ledger.ErrInvalid.In("scale", "it is from 0 to %d", amountScale)
	case f.Time != "" && !isTime && f.Time != utcTime:
		return ledger.ErrInvalid.In("time", "%q is none of s, ms, us, ns and utc", ledger.Clip(f.Time))
	case f.Scale != nil && (f.Time != "" || f.Map != nil) || f.Time != "" && f.Map != nil:
		return ledger.ErrInvalid.In("", "it has one of scale, time and map")
	}
	return nil
}

// set gives the form's field of a name a text, and reports whether there is such a field and the text fits.
func (f *form) set(name, text string) bool {
	if into := f.text(name); into != nil {
		*into = text
		return true
	}
	if into := f.number(name); into != nil {
		n, err := strconv.ParseInt(text, 10, 64)
		*into = &n
		return err == nil
	}
	if into := f.truth(name); into != nil {
		yes := text == "true"
		*into = &yes
		return yes || text == "false"
	}
	return false
}

// readRecord reads any JSON, strictly: a name that is there twice is an error.
func readRecord(text []byte) (record any, err error) {
	if record, plain := readTree(text); plain {
		return record, nil
	}
	if err := strictjson.CheckFor(text, nil); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // numbers stay as they are written
	err = d.Decode(&record)
	return record, err
}

// Decode reads a record as Decode does, by the mapping. A record that is to be ignored has the type Ignored; one that
// no part of the mapping is for is an error.
func (m *Mapping) Decode(text []byte, position int64) (Event, error) {
	if len(text) > MaxText {
		return Event{}, ledger.ErrInvalid.In("", "the record has %d bytes; at most %d are allowed", len(text), MaxText)
	}
	record, err := readRecord(text)
	if err != nil {
		return Event{}, ledger.ErrInvalid.In("", "%v", err)
	}
	for _, c := range m.Ignore {
		holds, err := c.hold(record)
		if err != nil {
			return Event{}, err
		}
		if holds {
			return Event{Place: Place{Position: position}, Type: Ignored}, nil
		}
	}
	for _, r := range m.Records {
		holds, err := r.When.hold(record)
		if err != nil {
			return Event{}, err
		}
		if holds {
			return r.event(record, position, m.rows)
		}
	}
	return Event{}, m.unmatched(record)
}

// hold reports whether each condition holds, in their order: those after the first that does not are not looked at.
func (c Conditions) hold(record any) (bool, error) {
	for _, one := range c {
		text, _, err := find(record, one.Path)
		holds := slices.Contains(one.Is, text) || one.Is == nil && !slices.Contains(one.Not, text)
		if err != nil || !holds {
			return false, err
		}
	}
	return true, nil
}

// event is what a record becomes.
func (r RecordMapping) event(record any, position int64, row bool) (Event, error) {
	var f form
	for name, field := range r.Fields {
		text, err := field.text(record, row)
		if err != nil {
			return Event{}, ledger.At(name, err)
		}
		if text != "" && !f.set(name, text) {
			return Event{}, ledger.ErrInvalid.In(name, "%q does not fit", ledger.Clip(text))
		}
	}
	e, err := f.event(position)
	return e, r.locate(err)
}

// locate adds to what is wrong with a field where the mapping finds it.
func (r RecordMapping) locate(err error) error {
	wrong, is := errors.AsType[*ledger.Error](err)
	if !is || r.Fields[wrong.Field].Path == "" {
		return err
	}
	return ledger.ErrInvalid.In(wrong.Field, "%w (at %s)", err, r.Fields[wrong.Field].Path)
}

// text is the field's text in a record; "": it has none.
func (f Field) text(record any, row bool) (string, error) {
	if f.Value != "" {
		return f.Value, nil
	}
	text, depth, err := find(record, f.Path)
	if err != nil {
		return "", err
	}
	if row && depth < min(2, 1+strings.Count(f.Path, ".")) {
		return "", ledger.ErrInvalid.In("", "the record has no %s", f.Path)
	}
	if text == "" {
		return "", nil
	}
	switch {
	case f.Scale != nil:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return "", ledger.ErrInvalid.In("", "%q at %s is not a whole number of 63 bits", ledger.Clip(text), f.Path)
		}
		return ledger.FormatDecimal(n, *f.Scale), nil
	case f.Time != "":
		return f.time(text)
	case f.Map != nil:
		to, known := f.Map[text]
		if !known {
			return "", ledger.ErrInvalid.In("", "the mapping does not say what %q at %s stands for", ledger.Clip(text), f.Path)
		}
		return to, nil
	}
	return text, nil
}

// time is the time that a text is, as an event has it.
func (f Field) time(text string) (string, error) {
	if f.Time == utcTime {
		at, err := time.Parse("2006-01-02T15:04:05", strings.Replace(text, " ", "T", 1))
		if err != nil {
			return "", ledger.ErrInvalid.In("", "%q at %s is not a time such as 2026-11-27 12:00:00.25", ledger.Clip(text),
				f.Path)
		}
		return at.Format(time.RFC3339Nano), nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return "", ledger.ErrInvalid.In("", "%q at %s is not a time as a whole number", ledger.Clip(text), f.Path)
	}
	per := int64(time.Second / timeUnits[f.Time])
	return time.Unix(n/per, n%per*int64(timeUnits[f.Time])).UTC().Format(time.RFC3339Nano), nil
}

// find is the text, number or truth value at a path of names and indices, such as "payload.after.amount"; "" where
// there is none, or null. depth is how many names of the path are there. What has parts of its own is an error.
func find(value any, path string) (text string, depth int, err error) {
	for name := range strings.SplitSeq(path, ".") {
		is := false
		switch v := value.(type) {
		case map[string]any:
			value, is = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if is = err == nil && i >= 0 && i < len(v); is {
				value = v[i]
			}
		}
		if !is {
			return "", depth, nil
		}
		depth++
	}
	switch v := value.(type) {
	case nil:
	case string:
		text = v
	case json.Number:
		text = v.String()
	case bool:
		text = strconv.FormatBool(v)
	default:
		err = ledger.ErrInvalid.In("", "%s is not a text, a number or a truth value", path)
	}
	return text, depth, err
}
