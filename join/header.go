package join

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Header is a header of a broker's message.
type Header struct{ Name, Value string }

// headersName is the member of a record that has the headers of its message, and what a path to one begins with.
const headersName = "headers"

// Headers reports whether the mapping reads headers of messages, as at the path "headers.ce_id".
func (m *Mapping) Headers() bool {
	reads := func(path string) bool { return strings.HasPrefix(path, headersName+".") }
	for _, r := range m.Records {
		for _, f := range r.Fields {
			if reads(f.Path) {
				return true
			}
		}
	}
	return m.anyCondition(func(c Condition) bool { return reads(c.Path) })
}

// anyCondition reports whether something holds for a condition of the mapping.
func (m *Mapping) anyCondition(holds func(Condition) bool) bool {
	all := m.Ignore
	for _, r := range m.Records {
		all = append(all[:len(all):len(all)], r.When)
	}
	for _, conditions := range all {
		for _, c := range conditions {
			if holds(c) {
				return true
			}
		}
	}
	return false
}

// AddHeaders adds the headers of a message to its text, which is a JSON object or null, as the member "headers". A name
// that is there twice has a list. Another text stays as it is: the mapping then finds no headers. An object that has
// such a member of its own has two, which is an error when it is read.
func AddHeaders(text []byte, headers []Header) []byte {
	object := bytes.TrimLeft(text, flatSpace)
	if string(object) == "null" {
		object = []byte("{}")
	}
	if len(object) == 0 || object[0] != '{' {
		return text
	}
	members := map[string]any{}
	for _, h := range headers {
		switch before := members[h.Name].(type) {
		case nil:
			members[h.Name] = h.Value
		case string:
			members[h.Name] = []string{before, h.Value}
		case []string:
			members[h.Name] = append(before, h.Value)
		}
	}
	added, err := json.Marshal(members)
	if err != nil { // texts always have a text
		panic(err)
	}
	rest := bytes.TrimLeft(object[1:], flatSpace)
	all := make([]byte, 0, len(added)+len(rest)+len(headersName)+8)
	all = append(append(append(append(all, `{"`...), headersName...), `":`...), added...)
	if len(rest) == 0 || rest[0] != '}' {
		all = append(all, ',')
	}
	return append(all, rest...)
}
