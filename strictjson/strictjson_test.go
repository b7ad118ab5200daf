package strictjson_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"softstake/strictjson"
)

type move struct {
	From   string `json:"from"`
	Amount string `json:"amount"`
}

type entry struct {
	ID     string         `json:"id"`
	At     *string        `json:"at,omitempty"`
	Moves  []move         `json:"moves"`
	Atomic bool           `json:"atomic"`
	Count  int            `json:"count"`
	Notes  map[string]int `json:"notes"`
	Any    any            `json:"any"`
	Hidden string         `json:"-"`
}

func TestDecode(t *testing.T) {
	var e entry
	text := ` {"id":"a","at":null,"moves":[{"from":"alice","amount":"2"},{"amount":"3"}],"atomic":true,"count":-7,"notes":{"x":1,"X":2},"any":{"From":[1,"1",null]}} `
	if err := strictjson.Decode([]byte(text), &e); err != nil {
		t.Fatal(err)
	}
	if e.ID != "a" || e.At != nil || len(e.Moves) != 2 || e.Moves[1].Amount != "3" || !e.Atomic || e.Count != -7 || e.Notes["X"] != 2 {
		t.Errorf("read as %+v", e)
	}
}

func TestDecodeRefuses(t *testing.T) {
	deep := strings.Repeat("[", 17) + strings.Repeat("]", 17)
	for _, c := range []struct{ text, field, says string }{
		{``, "", "ends in the middle"},
		{`{"id":"a"`, "", "ends in the middle"},
		{`{"id":"a"} {}`, "", "something follows"},
		{`{"id":"a"}]`, "", "something follows"},
		{`{"id":nul}`, "", "not JSON"},
		{`{"id" "a"}`, "", "not JSON"},
		{`{'id':"a"}`, "", "not JSON"},
		{`{"id":"a",}`, "", "not JSON"},
		{`{"count":01}`, "", "not JSON"},
		{"{\"id\":\"a\xff\"}", "", "not valid UTF-8"},
		{"\ufeff{}", "", "not JSON"},
		{`null`, "", "cannot be null"},
		{`[]`, "", "cannot be an array"},
		{`"x"`, "", "cannot be a string"},
		{`{"id":"a","id":"b"}`, "id", "stands twice"},
		{`{"id":"a","\u0069d":"b"}`, "id", "stands twice"},
		{`{"moves":[{},{"from":"a","from":"b"}]}`, "moves[1].from", "stands twice"},
		{`{"any":[{"x":{"y":1,"y":2}}]}`, "any[0].x.y", "stands twice"},
		{`{"ID":"a"}`, "ID", `is written "id"`},
		{`{"moves":[{"From":"a"}]}`, "moves[0].From", `is written "from"`},
		{`{"moveſ":[]}`, "moveſ", `is written "moves"`},
		{`{"fee":"1"}`, "fee", "is unknown here"},
		{`{"from":"a"}`, "from", "is unknown here"},
		{`{"Hidden":"a"}`, "Hidden", "is unknown here"},
		{`{"":"a"}`, "", "a member without a name"},
		{`{"moves":[{"amount":2}]}`, "moves[0].amount", "cannot be a number; write it in quotes"},
		{`{"moves":[{"amount":null}]}`, "moves[0].amount", "cannot be null"},
		{`{"moves":null}`, "moves", "cannot be null"},
		{`{"moves":{}}`, "moves", "cannot be an object"},
		{`{"moves":["a"]}`, "moves[0]", "cannot be a string"},
		{`{"atomic":"true"}`, "atomic", "cannot be a string"},
		{`{"atomic":1}`, "atomic", "cannot be a number"},
		{`{"count":1.5}`, "count", "cannot be a JSON number"},
		{`{"count":9223372036854775808}`, "count", "cannot be a JSON number"},
		{`{"count":true}`, "count", "cannot be true or false"},
		{`{"any":` + deep + `}`, "", "nested more than 16 deep"},
		{`{"` + strings.Repeat("é", 5000) + `":1}`, strings.Repeat("é", 32) + "…", "is unknown here"},
	} {
		var e entry
		err := strictjson.Decode([]byte(c.text), &e)
		var fault *strictjson.Fault
		if !errors.As(err, &fault) || fault.Field != c.field || !strings.Contains(fault.Error(), c.says) || len(fault.Error()) > 300 {
			t.Errorf("%.60s: %v; %q in %q is wanted", c.text, err, c.says, c.field)
		}
	}
}

func TestCheckLooksAtNoType(t *testing.T) {
	for _, text := range []string{`{"a":[1,"2",{"A":null}],"A":1e400}`, `7`, `null`, strings.Repeat("[", 16) + strings.Repeat("]", 16)} {
		if err := strictjson.Check([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzDecode: what is read is read in one way, and so is what it is written as.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"id":"a","moves":[{"from":"alice","amount":"2"}],"count":3}`, `{"id":"a","id":"b"}`, `{"any":{"x":[[[]]]}}`, `null`, `[1]`, "\xff", `{"moves":[{"From":""}]}`,
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
		if err := strictjson.Check(text); err != nil {
			t.Errorf("%q is read, and not right: %v", text, err)
		}
	})
}
