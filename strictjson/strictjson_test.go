package strictjson_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/softstake/softstake/strictjson"
)

type move struct {
	From   string `json:"from"`
	Amount string `json:"amount" example:"2.5"`
}

// day reads text by itself, as a type of ours may.
type day struct{ text string }

func (d *day) UnmarshalText(text []byte) error { d.text = string(text); return nil }

type entry struct {
	ID     string         `json:"id"`
	At     *string        `json:"at,omitempty" example:"2026-11-22"`
	Moves  []move         `json:"moves"`
	Atomic bool           `json:"atomic"`
	Count  int            `json:"count"`
	Page   uint8          `json:"page" example:"3"`
	Share  float64        `json:"share"`
	Day    day            `json:"day"`
	Notes  map[string]int `json:"notes"`
	Any    any            `json:"any"`
	Hidden string         `json:"-"`
}

func TestDecode(t *testing.T) {
	var e entry
	text := ` {"id":"a","at":null,"moves":[{"from":"alice","amount":"2"},{"amount":"3"}],"atomic":true,"count":-7,"page":3,"share":0.5,"day":"2026-11-22","notes":{"x":1,"X":2},"any":{"From":[1,"1",null]}} `
	if err := strictjson.Decode([]byte(text), &e); err != nil {
		t.Fatal(err)
	}
	if e.ID != "a" || e.At != nil || len(e.Moves) != 2 || e.Moves[1].Amount != "3" || !e.Atomic || e.Count != -7 ||
		e.Notes["X"] != 2 {
		t.Errorf("read as %+v", e)
	}
}

// refusal is a text, the field in which it is refused, and what is said of it.
type refusal struct{ text, field, says string }

func (c refusal) check(t *testing.T) {
	t.Helper()
	var e entry
	err := strictjson.Decode([]byte(c.text), &e)
	var fault *strictjson.Fault
	if !errors.As(err, &fault) || fault.Field != c.field || !strings.Contains(fault.Error(), c.says) ||
		len(fault.Error()) > 300 || strings.Contains(fault.Error(), "Go ") {
		t.Errorf("%.60s: %v; %q in %q is wanted", c.text, err, c.says, c.field)
	}
}

func TestDecodeRefusesTexts(t *testing.T) {
	deep := strings.Repeat("[", 17) + strings.Repeat("]", 17)
	for _, c := range []refusal{
		{``, "", "ends in the middle"},
		{`{"id":"a"`, "", "ends in the middle"},
		{`{"id":"a"} {}`, "", "something follows"},
		{`{"id":"a"}]`, "", "something follows"},
		{`{"id":nul}`, "", `the text is not JSON: "}" is unexpected at line 1, column 10`},
		{"{\"id\":\n \"é\", 'x'}", "", `the text is not JSON: "'" is unexpected at line 2, column 7`},
		{`{"id" "a"}`, "", `not JSON: "\"" is unexpected at line 1, column 7`},
		{`{'id':"a"}`, "", "not JSON"},
		{`{"id":"a",}`, "", "not JSON"},
		{`{"id":é}`, "", `not JSON: "é" is unexpected at line 1, column 7`},
		{`{"count":01}`, "", "not JSON"},
		{"{\"id\":\"a\xff\"}", "", "not valid UTF-8"},
		{"\ufeff{}", "", "not JSON"},
		{`{"any":` + deep + `}`, "", "nested more than 16 deep"},
	} {
		c.check(t)
	}
}

func TestDecodeRefusesNames(t *testing.T) {
	for _, c := range []refusal{
		{`{"id":"a","id":"b"}`, "id", "id: the name stands twice in one object; give it once"},
		{`{"id":"a","\u0069d":"b"}`, "id", "stands twice"},
		{`{"moves":[{},{"from":"a","from":"b"}]}`, "moves[1].from", "moves[1].from: the name stands twice"},
		{`{"any":[{"x":{"y":1,"y":2}}]}`, "any[0].x.y", "stands twice"},
		{`{"ID":"a"}`, "ID", `the name is written "id"`},
		{`{"moves":[{"From":"a"}]}`, "moves[0].From", `the name is written "from"`},
		{`{"moveſ":[]}`, "moveſ", `the name is written "moves"`},
		{`{"fee":"1"}`, "fee", "fee: unknown name; the known names are id, at, moves, atomic, count,"},
		{`{"moves":[{"fee":"1"}]}`, "moves[0].fee", "unknown name; the known names are from, amount"},
		{`{"from":"a"}`, "from", "unknown name"},
		{`{"Hidden":"a"}`, "Hidden", "unknown name"},
		{`{"a\u001b[2J":1}`, "a\x1b[2J", `"a\x1b[2J": unknown name`},
		{`{"":"a"}`, "", "a member has no name"},
		{`{"any":[{"":1}]}`, "any[0]", "any[0]: a member has no name"},
		{`{"` + strings.Repeat("é", 5000) + `":1}`, strings.Repeat("é", 32) + "…", "unknown name"},
	} {
		c.check(t)
	}
}

// TestDecodeRefusesValues of another type than expected: the message names the expected one.
func TestDecodeRefusesValues(t *testing.T) {
	for _, c := range []refusal{
		{`null`, "", "expected an object, got null"},
		{`[]`, "", "expected an object, got an array"},
		{`"x"`, "", "expected an object, got a string"},
		{`7`, "", "expected an object, got a number"},
		{`true`, "", "expected an object, got true"},
		{`{"moves":[{"amount":2}]}`, "moves[0].amount",
			`moves[0].amount: expected a decimal string such as "2.5", got a number`},
		{`{"moves":[{},{"amount":2e400}]}`, "moves[1].amount", `expected a decimal string such as "2.5", got a number`},
		{`{"moves":[{"amount":true}]}`, "moves[0].amount", `expected a decimal string such as "2.5", got true`},
		{`{"moves":[{"amount":{}}]}`, "moves[0].amount", `expected a decimal string such as "2.5", got an object`},
		{`{"moves":[{"amount":["2"]}]}`, "moves[0].amount", `expected a decimal string such as "2.5", got an array`},
		{`{"moves":[{"amount":null}]}`, "moves[0].amount", `expected a decimal string such as "2.5", got null`},
		{`{"at":7}`, "at", `expected a string such as "2026-11-22", got a number`},
		{`{"id":7}`, "id", "id: expected a string, got a number; write it in quotes"},
		{`{"day":7}`, "day", "expected a string, got a number"},
		{`{"moves":null}`, "moves", "expected an array, got null"},
		{`{"moves":{}}`, "moves", "expected an array, got an object"},
		{`{"moves":["a"]}`, "moves[0]", "expected an object, got a string"},
		{`{"moves":[{},[]]}`, "moves[1]", "expected an object, got an array"},
		{`{"atomic":"true"}`, "atomic", "expected true or false, got a string"},
		{`{"atomic":1}`, "atomic", "expected true or false, got a number"},
		{`{"atomic":null}`, "atomic", "expected true or false, got null"},
		{`{"count":"7"}`, "count", "expected a whole number, got a string"},
		{`{"count":1.5}`, "count", "expected a whole number, got 1.5"},
		{`{"count":1.0}`, "count", "expected a whole number, got 1.0"},
		{`{"count":1e2}`, "count", "expected a whole number, got 1e2"},
		{`{"count":9223372036854775808}`, "count",
			"expected a whole number from -9223372036854775808 to 9223372036854775807, got 9223372036854775808"},
		{`{"count":` + strings.Repeat("9", 5000) + `}`, "count", "to 9223372036854775807, got 999"},
		{`{"count":true}`, "count", "expected a whole number, got true"},
		{`{"page":"3"}`, "page", "expected a whole number such as 3, got a string"},
		{`{"page":256}`, "page", "expected a whole number from 0 to 255, got 256"},
		{`{"page":-1}`, "page", "expected a whole number such as 3, got -1"},
		{`{"share":"1"}`, "share", "expected a number, got a string"},
		{`{"share":1e400}`, "share", "this number does not fit"},
		{`{"notes":[]}`, "notes", "expected an object, got an array"},
		{`{"notes":{"x":"1"}}`, "notes.x", "expected a whole number, got a string"},
	} {
		c.check(t)
	}
}

func TestCheckForNoType(t *testing.T) {
	for _, text := range []string{
		`{"a":[1,"2",{"A":null}],"A":1e400}`, `7`, `null`, strings.Repeat("[", 16) + strings.Repeat("]", 16),
	} {
		if err := strictjson.CheckFor([]byte(text), nil); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzDecode: what is read is read in one way, and so is what it is written as.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"id":"a","moves":[{"from":"alice","amount":"2"}],"count":3}`, `{"id":"a","id":"b"}`, `{"any":{"x":[[[]]]}}`,
		`null`, `[1]`, "\xff", `{"moves":[{"From":""}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var e entry
		if err := strictjson.Decode(text, &e); err != nil {
			var fault *strictjson.Fault
			if !errors.As(err, &fault) || fault.Message == "" {
				t.Errorf("%q: %#v", text, err)
			}
			return
		}
		var plain entry
		if err := json.Unmarshal(text, &plain); err != nil || !reflect.DeepEqual(e, plain) {
			t.Errorf("%q is %+v, and to others %+v: %v", text, e, plain, err)
		}
		if err := strictjson.CheckFor(text, nil); err != nil {
			t.Errorf("%q is read, and not right: %v", text, err)
		}
	})
}
