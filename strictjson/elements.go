package strictjson

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Elements takes the elements of an array out of a text that is to be one JSON object:
// the array that is the object's member of a name. Each element is returned as it is
// written, so that Decode can refuse one of them and read the others; rest is the text with
// that array empty, for Decode to read all else. Only what ends the reading of the text
// itself is an error: it is not JSON, or the array has more elements than most. Where the
// text is no object, or the member no array, there are no elements and rest is the text.
// The elements share the memory of the text. The error is a *Fault.
func Elements(text []byte, name string, most int) (elements []json.RawMessage, rest []byte, err error) {
	var skipped json.RawMessage
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&skipped); err != nil {
		return nil, nil, faultOf(text, err)
	}
	if err := checkEnd(d); err != nil {
		return nil, nil, err
	}
	d = json.NewDecoder(bytes.NewReader(text))
	token, err := d.Token()
	if err != nil || token != json.Delim('{') {
		return nil, text, faultOf(text, err)
	}
	for d.More() {
		member, err := d.Token()
		if err != nil {
			return nil, nil, faultOf(text, err)
		}
		if member != name || !isArray(text[d.InputOffset():]) {
			if err := d.Decode(&skipped); err != nil {
				return nil, nil, faultOf(text, err)
			}
			continue
		}
		return array(d, text, name, most)
	}
	return nil, text, nil
}

// isArray reports whether the value that follows a member's name begins as an array does.
func isArray(after []byte) bool {
	value := bytes.TrimLeft(after, " \t\r\n:")
	return len(value) > 0 && value[0] == '['
}

// array takes the elements of the array that the decoder reads next.
func array(d *json.Decoder, text []byte, name string, most int) (elements []json.RawMessage, rest []byte, err error) {
	if _, err := d.Token(); err != nil {
		return nil, nil, faultOf(text, err)
	}
	first, n := d.InputOffset(), 0
	var element json.RawMessage
	for ; d.More(); n++ {
		if err := d.Decode(&element); err != nil {
			return nil, nil, faultOf(text, err)
		}
		if end := d.InputOffset(); n < most {
			elements = append(elements, text[end-int64(len(element)):end])
		}
	}
	if n > most {
		return nil, nil, &Fault{Field: name, Message: fmt.Sprintf("expected at most %d items, got %d", most, n)}
	}
	rest = append(rest, text[:first]...)
	return elements, append(rest, text[d.InputOffset():]...), nil
}
