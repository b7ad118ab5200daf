package join

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// readFlat reads an event of the plainest JSON, as most sources write it: one object of texts without escapes, whole
// numbers and truth values. It reports false where there is anything else, also what is wrong: the strict decoder reads
// that, and says what it is. It takes less than a tenth of that one's time, which was a ninth of what an event costs.
func readFlat(text []byte, f *form) bool {
	var seen [maxFlat]string
	r := flatReader{text}
	if !r.take('{') {
		return false
	}
	for n := 0; n < maxFlat; n++ {
		name, is := r.text()
		for _, before := range seen[:n] {
			is = is && before != name
		}
		if seen[n] = name; !is || !r.take(':') || !r.value(name, f) {
			return false
		}
		if !r.take(',') {
			return r.take('}') && len(bytes.TrimLeft(r.left, flatSpace)) == 0
		}
	}
	return false
}

// maxFlat is more members than an event has.
const maxFlat = 20

const flatSpace = " \t\r\n"

// flatReader reads from what is left of a text.
type flatReader struct{ left []byte }

func (r *flatReader) take(c byte) bool {
	r.left = bytes.TrimLeft(r.left, flatSpace)
	if len(r.left) == 0 || r.left[0] != c {
		return false
	}
	r.left = r.left[1:]
	return true
}

// text reads a text of ASCII without escapes.
func (r *flatReader) text() (string, bool) {
	if !r.take('"') {
		return "", false
	}
	for i, c := range r.left {
		if c == '"' {
			text := string(r.left[:i])
			r.left = r.left[i+1:]
			return text, true
		}
		if c < ' ' || c > '~' || c == '\\' {
			return "", false
		}
	}
	return "", false
}

// value reads the value of a member of the form.
func (r *flatReader) value(name string, f *form) bool {
	if into := f.text(name); into != nil {
		text, is := r.text()
		*into = text
		return is
	}
	r.left = bytes.TrimLeft(r.left, flatSpace)
	end := bytes.IndexAny(r.left, ",}"+flatSpace)
	if end < 0 {
		return false
	}
	word := string(r.left[:end])
	r.left = r.left[end:]
	if into := f.truth(name); into != nil {
		*into = new(word == "true")
		return word == "true" || word == "false"
	}
	into := f.number(name)
	if into == nil {
		return false
	}
	n, err := strconv.ParseInt(word, 10, 64)
	*into = &n
	return err == nil && n >= 0 && word == strconv.FormatInt(n, 10)
}

// readTree reads any JSON of the plainest kind, as rows of a database and most records are: objects, ASCII without
// escapes, and numbers without an exponent. It reports false where there is anything else, also what is wrong or a name
// that is there twice: the strict decoder reads that. It takes a quarter of that one's time.
func readTree(text []byte) (any, bool) {
	r := flatReader{text}
	value, is := r.tree(deepestTree)
	return value, is && len(bytes.TrimLeft(r.left, flatSpace)) == 0
}

// deepestTree is how deep a tree is at most.
const deepestTree = 8

func (r *flatReader) tree(deep int) (value any, is bool) {
	r.left = bytes.TrimLeft(r.left, flatSpace)
	switch {
	case len(r.left) == 0 || deep == 0:
		return nil, false
	case r.left[0] == '"':
		return r.text()
	case r.left[0] == '{':
		return r.object(deep)
	case r.left[0] == '[':
		return nil, false
	}
	end := bytes.IndexAny(r.left, ",}"+flatSpace)
	if end < 0 {
		end = len(r.left)
	}
	word := string(r.left[:end])
	r.left = r.left[end:]
	switch {
	case word == "null":
		return nil, true
	case word == "true" || word == "false":
		return word == "true", true
	}
	return json.Number(word), isPlainNumber(word)
}

func (r *flatReader) object(deep int) (any, bool) {
	members := map[string]any{}
	if r.left = r.left[1:]; r.take('}') {
		return members, true
	}
	for {
		name, is := r.text()
		_, twice := members[name]
		if !is || name == "" || twice || !r.take(':') {
			return nil, false
		}
		if members[name], is = r.tree(deep - 1); !is {
			return nil, false
		}
		if !r.take(',') {
			return members, r.take('}')
		}
	}
}

// isPlainNumber reports whether a word is a number as 0, -12 or 3.50.
func isPlainNumber(word string) bool {
	whole, fraction, has := strings.Cut(strings.TrimPrefix(word, "-"), ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return digits(whole) && (whole == "0" || whole[0] != '0') && (!has || digits(fraction))
}

// text is the member of a name that is a text, or nil.
func (f *form) text(name string) *string {
	switch name {
	case "type":
		return &f.Type
	case "id":
		return &f.ID
	case "at":
		return &f.At
	case "account":
		return &f.Account
	case "token":
		return &f.Token
	case "kind":
		return &f.Kind
	case "change":
		return &f.Change
	case "balanceAfter":
		return &f.BalanceAfter
	case "reverses":
		return &f.Reverses
	case "reward":
		return &f.Reward
	case "owner":
		return &f.Owner
	case "region":
		return &f.Region
	case "reason":
		return &f.Reason
	case "before":
		return &f.Before
	}
	return nil
}

// number is the member of a name that is a whole number, or nil.
func (f *form) number(name string) **int64 {
	switch name {
	case "position":
		return &f.Position
	case "previous":
		return &f.Previous
	}
	return nil
}

// truth is the member of a name that is a truth value, or nil.
func (f *form) truth(name string) **bool {
	switch name {
	case "verified":
		return &f.Verified
	case "earns":
		return &f.Earns
	}
	return nil
}
