package strictjson_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/strictjson"
)

func TestElements(t *testing.T) {
	for _, c := range []struct {
		text, rest string
		elements   []string
	}{
		{`{"moves":[{"a":1,"a":2}, "x",7 ,null,[[]],{}],"atomic":true}`, `{"moves":[],"atomic":true}`,
			[]string{`{"a":1,"a":2}`, `"x"`, `7`, `null`, `[[]]`, `{}`}},
		{` {"atomic":true, "moves" : [ 1 ] } `, ` {"atomic":true, "moves" : [ ] } `, []string{"1"}},
		{"{\"moves\":[\"\xff\"]}", `{"moves":[]}`, []string{"\"\xff\""}},
		{`{"moves":[]}`, `{"moves":[]}`, nil},
		{`{"moves":[1],"moves":[2]}`, `{"moves":[],"moves":[2]}`, []string{"1"}},
		{`{"x":{"moves":[1]},"Moves":[2]}`, `{"x":{"moves":[1]},"Moves":[2]}`, nil},
		{`{"moves":{"0":1}}`, `{"moves":{"0":1}}`, nil},
		{`{"moves":null}`, `{"moves":null}`, nil},
		{`[1]`, `[1]`, nil},
		{`7`, `7`, nil},
	} {
		elements, rest, err := strictjson.Elements([]byte(c.text), "moves", 6)
		var got []string
		for _, e := range elements {
			got = append(got, string(e))
		}
		if err != nil || strings.TrimSpace(string(rest)) != strings.TrimSpace(strings.ReplaceAll(c.rest, "[ ]",
			"[]")) && string(rest) != c.rest || !slices.Equal(got, c.elements) {
			t.Errorf("%s: %q, %s, %v", c.text, got, rest, err)
		}
		if !json.Valid(rest) {
			t.Errorf("%s: what is left is not JSON: %s", c.text, rest)
		}
	}
}

// A text that is not JSON has no elements, wherever it stops being JSON.
func TestElementsOfWhatIsNotJSON(t *testing.T) {
	for text, says := range map[string]string{
		``:                          "the text ends in the middle of a value",
		`{"moves":[1`:               "the text ends in the middle of a value",
		`{"moves":[1,]}`:            `the text is not JSON: "]" is unexpected at line 1, column 13`,
		`{"moves":[nul]}`:           `the text is not JSON: "]" is unexpected`,
		`{"moves":[1]} {}`:          "something follows the value; one is expected",
		`{"moves":[1,2,3,4,5,6,7]}`: "moves: expected at most 6 items, got 7",
	} {
		_, _, err := strictjson.Elements([]byte(text), "moves", 6)
		var fault *strictjson.Fault
		if !errors.As(err, &fault) || !strings.Contains(fault.Error(), says) {
			t.Errorf("%s: %v; want %q", text, err, says)
		}
	}
}

// FuzzElements: the elements and what is left are JSON, and put together again they
// are the text.
func FuzzElements(f *testing.F) {
	for _, seed := range []string{
		`{"moves":[{"a":1},2 , 3]}`, `{"moves":[],"moves":[1]}`, `{"x":[1],"moves" : ["]"]} `, `[]`, "\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		elements, rest, err := strictjson.Elements(text, "moves", 1000)
		if err != nil {
			return
		}
		var whole, left struct {
			Moves json.RawMessage `json:"moves"`
		}
		if !json.Valid(rest) || json.Valid(text) != true {
			t.Fatalf("%q leaves %q", text, rest)
		}
		for _, e := range elements {
			if !json.Valid(e) {
				t.Fatalf("%q has the element %q", text, e)
			}
		}
		if json.Unmarshal(text, &whole) != nil || json.Unmarshal(rest, &left) != nil {
			return // it is no object
		}
		var all []json.RawMessage
		if len(elements) > 0 && strings.Count(string(text), "oves") == 1 {
			if err := json.Unmarshal(whole.Moves, &all); err != nil || len(all) != len(elements) ||
				string(left.Moves) == string(whole.Moves) {
				t.Fatalf("%q has %d elements, and not %d; %s is left; %v",
					text, len(all), len(elements), left.Moves, err)
			}
		}
	})
}
