package join

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/strictjson"
)

// flatEvents are read without the strict decoder.
var flatEvents = []string{
	`{"position":7,"previous":5,"id":"e-1","at":"2026-11-27T12:00:00Z","account":"a","token":"BNB","change":"-2.5"}`,
	` { "type" : "open" , "id":"o-1","verified":true,"region":"DE" } ` + "\r",
	`{"type":"freeze","earns":false,"reason":"order 7"}`,
}

// others are read by it, or refused.
var otherEvents = []string{
	`{}`, `{"id":"e\u0031"}`, `{"id":"ü"}`, `{"id":1}`, `{"id":null}`, `{"id":"a","id":"a"}`, `{"ID":"a"}`, `{"x":"a"}`,
	`{"position":7.0}`, `{"position":-1}`, `{"position":"7"}`, `{"position":07}`, `{"position":99999999999999999999}`,
	`{"verified":1}`, `{"verified":"true"}`, `{"id":"a"} {}`, `{"id":"a",}`, `{"id":"a"`, `{"id" "a"}`, `{,}`, ``, `[]`,
	"{\"id\":\"a\tb\"}", "{\"id\":\"\xff\"}", `{"id":["a"]}`, `{"id":"a"}}`, `{"position":}`, `{"position":1e2}`,
}

// TestFlat: what is read without the strict decoder is what that one reads, also after random changes of a text.
func TestFlat(t *testing.T) {
	compare := func(text string) bool {
		t.Helper()
		var flat, strict form
		if !readFlat([]byte(text), &flat) {
			return false
		}
		if err := strictjson.Decode([]byte(text), &strict); err != nil {
			t.Fatalf("%q is read, and the strict decoder says: %v", text, err)
		}
		if diff := cmp.Diff(strict, flat); diff != "" {
			t.Fatalf("%q: %s", text, diff)
		}
		return true
	}
	for _, text := range flatEvents {
		if !compare(text) {
			t.Errorf("%s is not read", text)
		}
	}
	for _, text := range otherEvents {
		if compare(text) {
			t.Errorf("%q is read", text)
		}
	}
	all := append(append([]string{}, flatEvents...), otherEvents...)
	const bytes = "{}[]\",:\\ \t\n01e.-trufalsn\x00\x7f\xc3i"
	chance := rand.New(rand.NewPCG(1, 2))
	read := 0
	for range 100_000 {
		text := []byte(all[chance.IntN(len(all))])
		for range 1 + chance.IntN(3) {
			at := chance.IntN(len(text) + 1)
			switch chance.IntN(3) {
			case 0:
				text = append(text[:at], append([]byte{bytes[chance.IntN(len(bytes))]}, text[at:]...)...)
			case 1:
				text = append(text[:at], strings.Clone(string(text[min(at+1, len(text)):]))...)
			default:
				if at < len(text) {
					text[at] = bytes[chance.IntN(len(bytes))]
				}
			}
		}
		if compare(string(text)) {
			read++
		}
	}
	if read < 1000 {
		t.Errorf("%d of the changed texts are read", read)
	}
}
