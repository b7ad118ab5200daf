package join

import (
	"encoding/json"
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
	for _, text := range otherEvents {
		if compare(text) {
			t.Errorf("%q is read", text)
		}
	}
	compareAll(t, flatEvents, otherEvents, compare)
}

// flatRecords are read without the strict decoder.
var flatRecords = []string{
	`{"op":"insert","table":"public.postings","new":{"id":"8812","amount":-1250000,"rate":0.50,"held":true,"note":null,"x":{}}}`,
	` { "a" : { "b" : { "c" : -0 } } , "d" : "" }` + "\n", `"a"`, ` null `, `12`, `{}`,
}

// otherRecords are read by it, or refused.
var otherRecords = []string{
	`{"a":[1,2]}`, `{"a":1e2}`, `{"a":01}`, `{"a":1.}`, `{"a":.5}`, `{"a":-}`, `{"a":+1}`, `{"a":"\u0031"}`, `{"a":"ü"}`,
	`{"a":1,"a":1}`, `{"a":{"b":1,"b":2}}`, `{"a":1} 2`, `{"a":1,}`, `{"a":tru}`, `{"a"}`, `[]`, ``, ` `, `{"a":1}}`,
	strings.Repeat(`{"a":`, 9) + "1" + strings.Repeat("}", 9),
}

// TestTree is TestFlat of any JSON.
func TestTree(t *testing.T) {
	compare := func(text string) bool {
		t.Helper()
		tree, plain := readTree([]byte(text))
		if !plain {
			return false
		}
		if err := strictjson.CheckFor([]byte(text), nil); err != nil {
			t.Fatalf("%q is read, and the strict decoder says: %v", text, err)
		}
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var strict any
		if err := d.Decode(&strict); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strict, tree); diff != "" {
			t.Fatalf("%q: %s", text, diff)
		}
		return true
	}
	for _, text := range otherRecords {
		if compare(text) {
			t.Errorf("%q is read", text)
		}
	}
	compareAll(t, flatRecords, otherRecords, compare)
}

// compareAll compares texts that are read, and random changes of those and of others.
func compareAll(t *testing.T, plain, others []string, compare func(string) bool) {
	t.Helper()
	for _, text := range plain {
		if !compare(text) {
			t.Errorf("%s is not read", text)
		}
	}
	all := append(append([]string{}, plain...), others...)
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
