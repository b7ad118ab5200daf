package join_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
)

var at = time.Date(2026, 11, 27, 12, 0, 0, 250_000_000, time.UTC)

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		text string
		want join.Event
	}{
		{`{"id":"e-1","at":"2026-11-27T12:00:00.250Z","account":"alice","token":"BNB","change":"-2.5"}`,
			join.Event{Place: join.Place{Position: 7}, Type: join.Change, ID: "e-1", At: at, Account: "alice", Token: "BNB",
				Change: "-2.5"}},
		{`{"position":7,"previous":3,"id":"e-1","at":"2026-11-27T13:00:00.250999+01:00","account":"alice","token":"BNB","kind":"held","change":"1","balanceAfter":"9","reverses":"e-0"}`,
			join.Event{Place: join.Place{Position: 7}, Previous: &join.Place{Position: 3}, Type: join.Change, ID: "e-1",
				At: at, Account: "alice", Token: "BNB", Held: true, Change: "1", After: "9", Reverses: "e-0"}},
		{`{"type":"open","id":"o-1","at":"2026-11-27T12:00:00.25Z","account":"alice","owner":"c-1","region":"DE","verified":false}`,
			join.Event{Place: join.Place{Position: 7}, Type: join.Open, ID: "o-1", At: at, Account: "alice", Owner: "c-1"}},
		{`{"type":"freeze","id":"f-1","at":"2026-11-27T12:00:00.25Z","account":"alice","reason":"order 7","earns":true}`,
			join.Event{Place: join.Place{Position: 7}, Type: join.Freeze, ID: "f-1", At: at, Account: "alice", Reason: "order 7",
				Earns: true}},
		{`{"type":"watermark","before":"2026-11-27T12:00:00.25Z"}`,
			join.Event{Place: join.Place{Position: 7}, Type: join.Watermark, At: at}},
	} {
		e, err := join.Decode([]byte(c.text), 7)
		if diff := cmp.Diff(c.want, e); err != nil || diff != "" {
			t.Errorf("%s: %v %s", c.text, err, diff)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	const of = `"id":"e-1","at":"2026-11-27T12:00:00Z","account":"alice","token":"BNB"`
	for text, field := range map[string]string{
		`{`:                                            "",
		`{"id":"e-1","id":"e-2"}`:                      "id",
		`{"fee":"1"}`:                                  "fee",
		`{"type":"transfer",` + of + `}`:               "type",
		`{` + of + `}`:                                 "change",
		`{` + of + `,"change":1}`:                      "change",
		`{` + of + `,"change":"1e3"}`:                  "change",
		`{` + of + `,"change":"1."}`:                   "change",
		`{` + of + `,"change":"+1"}`:                   "change",
		`{` + of + `,"change":"99999999999999999999"}`: "change",
		`{` + of + `,"change":"1","kind":"locked"}`:    "kind",
		`{` + of + `,"change":"1","owner":"c"}`:        "owner",
		`{` + of + `,"change":"1","position":8}`:       "position",
		`{` + of + `,"change":"1","previous":7}`:       "previous",
		`{"id":"a/b","at":"2026-11-27T12:00:00Z","account":"alice","token":"BNB","change":"1"}`: "id",
		`{"id":"e-1","at":"yesterday","account":"alice","token":"BNB","change":"1"}`:            "at",
		`{"id":"e-1","at":"2026-11-27T12:00:00Z","account":"@desk","token":"BNB","change":"1"}`: "account",
		`{"type":"open","id":"o","at":"2026-11-27T12:00:00Z","account":"alice","region":"DE"}`:  "verified",
		`{"type":"reward",` + of + `,"change":"-1","reward":"reward/2026-11-26/BNB/alice"}`:     "change",
		`{"type":"watermark","before":"2026-11-27T12:00:00Z","id":"w"}`:                         "id",
		`{` + of + `,"change":"1","reverses":"` + strings.Repeat("x", join.MaxEventID+1) + `"}`: "reverses",
		strings.Repeat(" ", join.MaxText+1):                                                     "",
	} {
		_, err := join.Decode([]byte(text), 7)
		e, is := errors.AsType[*ledger.Error](err)
		if !is || e.Kind != ledger.ErrInvalid || e.Field != field {
			t.Errorf("%.80s: %v", text, err)
		}
	}
}

// examples are the blocks of docs/join.md in a language.
func examples(t *testing.T, language string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/join.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, m[1])
	}
	if blocks == nil {
		t.Fatalf("docs/join.md has no %s", language)
	}
	return blocks
}

// TestDocumentedEvents: every event in docs/join.md is one, there is one of each type, and the schema there has the
// same fields as what is decoded.
func TestDocumentedEvents(t *testing.T) {
	types, names := map[join.Type]bool{}, map[string]bool{}
	for _, block := range examples(t, "jsonl") {
		for i, line := range strings.Split(strings.TrimSpace(block), "\n") {
			e, err := join.Decode([]byte(line), int64(i+1))
			if err != nil {
				t.Errorf("%s: %v", line, err)
			}
			types[e.Type] = true
			var fields map[string]any
			if err := json.Unmarshal([]byte(line), &fields); err != nil {
				t.Fatal(err)
			}
			for name := range fields {
				names[name] = true
			}
		}
	}
	if len(types) != 9 {
		t.Errorf("the examples have %d types of event: %v", len(types), types)
	}
	var schema struct {
		Properties           map[string]any `json:"properties"`
		AdditionalProperties *bool          `json:"additionalProperties"`
	}
	if err := json.Unmarshal([]byte(examples(t, "json schema")[0]), &schema); err != nil {
		t.Fatal(err)
	}
	if schema.AdditionalProperties == nil || *schema.AdditionalProperties {
		t.Error("the schema allows other fields")
	}
	for name := range schema.Properties {
		_, err := join.Decode([]byte(`{"`+name+`":null,"nothing":1}`), 1)
		if e, is := errors.AsType[*ledger.Error](err); !is || e.Field == name && strings.Contains(e.Detail, "unknown") {
			t.Errorf("the schema has %q, and no event does: %v", name, err)
		}
	}
	for name := range names {
		if schema.Properties[name] == nil {
			t.Errorf("an example has %q, and the schema does not", name)
		}
	}
}

// TestMapping: the mappings in docs/join.md read the envelopes there.
func TestMapping(t *testing.T) {
	mappings, envelopes := examples(t, "json mapping"), examples(t, "json envelope")
	want := []join.Event{
		{Place: join.Place{Position: 1}, Type: join.Change, ID: "8812", At: at, Account: "u-1001", Token: "SOL", Held: true,
			Change: "-0.0125", After: "1.5"},
		{Place: join.Place{Position: 1}, Type: join.Change, ID: "f3c1", At: at, Account: "u-1001", Token: "BNB",
			Change: "2.5"},
		{Place: join.Place{Position: 1}, Type: join.Change, ID: "f3c1", At: at, Account: "u-1001", Token: "BNB",
			Change: "2.5"},
		{Place: join.Place{Position: 1}, Type: join.Change, ID: "16B3748.1", At: at, Account: "u-1001", Token: "SOL",
			Held: true, Change: "-0.012500000000000000", After: "1.500000000000000000"},
	}
	for i, text := range mappings {
		m, err := join.ParseMapping([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		e, err := m.Decode([]byte(envelopes[i]), 1)
		if diff := cmp.Diff(want[i], e); err != nil || diff != "" {
			t.Errorf("%d: %v %s", i, err, diff)
		}
		if got := m.Headers(); got != (i == 2) {
			t.Errorf("%d: that it reads headers is %v", i, got)
		}
	}
	debezium, err := join.ParseMapping([]byte(mappings[0]))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"op": "c"`, `"op": "d"`, "ignored"},
		{`"op": "c"`, `"op": "u"`, `it has payload.op "u", payload.source.table "postings"; the mapping is for payload.op "c" ` +
			`or "r", payload.source.table "postings"`},
		{`"locked"`, `"margin"`, "margin"},
		{`-1250000`, `-12500.5`, "whole number"},
		{`-1250000`, `-99999999999999999999`, "whole number"},
		{`"id": 8812`, `"id": null`, "missing"},
	} {
		e, err := debezium.Decode([]byte(strings.Replace(envelopes[0], c.old, c.new, 1)), 1)
		if got := string(e.Type); err != nil && !strings.Contains(err.Error(), c.want) || err == nil && got != c.want {
			t.Errorf("%s: %v %s", c.new, err, got)
		}
	}
}

// TestMappingLeavesOut: tokens that the books do not keep are left out; and what is missing is said with where it would
// be.
func TestMappingLeavesOut(t *testing.T) {
	m, err := join.ParseMapping([]byte(`{"ignore":[[{"path":"table","is":["postings"]},{"path":"asset","not":["BNB","SOL"]}]],
		"records":[{"when":[{"path":"table","not":["users"]}],"fields":{"id":{"path":"id"},"at":{"value":"2026-11-27T12:00:00Z"},
		"account":{"path":"owner.id"},"token":{"path":"asset"},"change":{"value":"1"}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for record, want := range map[string]string{
		`{"table":"postings","asset":"XYZ"}`:                                 "ignored",
		`{"table":"postings"}`:                                               "ignored",
		`{"table":"postings","asset":"BNB","id":"1","owner":{"id":"alice"}}`: "change",
		`{"table":"others","asset":"XYZ","id":"1","owner":{"id":"alice"}}`:   "change",
		`{"table":"postings","asset":"SOL","id":"1"}`:                        `account: an event of the type "change" has it; it is missing (at owner.id)`,
		`{"table":"users","asset":"BNB"}`:                                    `the mapping is for table not "users"`,
	} {
		e, err := m.Decode([]byte(record), 1)
		if err == nil && string(e.Type) != want || err != nil && !strings.Contains(ledger.Named(err), want) {
			t.Errorf("%s: %s, %v", record, e.Type, err)
		}
	}
}

// TestMappingOfRows: a column that is not there is not an empty one, and one that PostgreSQL did not send is an error.
func TestMappingOfRows(t *testing.T) {
	const mapping = `{"ignore":[[{"path":"new.note","is":["x"]}]],"records":[{"when":[{"path":"table","is":["postings"]}],"fields":{
		"id":{"path":"new.id"},"at":{"path":"new.at","time":"utc"},"account":{"path":"new.account"},"token":{"value":"BNB"},
		"kind":{"path":"new.kind"},"change":{"path":"new.amount"},"balanceAfter":{"path":"new.extra.balance"}}}]}`
	m, err := join.ParseMapping([]byte(mapping))
	if err != nil {
		t.Fatal(err)
	}
	m.OfRows()
	const row = `{"table":"postings","new":{"id":"7","at":"2026-11-27 12:00:00.25","account":"alice","kind":null,"amount":"1.50","extra":{},"note":null}}`
	for _, c := range []struct{ old, new, want string }{
		{``, ``, ""},
		{`"kind":null,`, ``, "no new.kind"},
		{`"kind":null`, `"kind":{"unchanged":true}`, "new.kind is not a text"},
		{`"note":null`, `"note":{"unchanged":true}`, "new.note is not a text"},
		{`12:00:00.25`, `12:00:00.25+00`, "not a time"},
		{`"new"`, `"old"`, "the record has no new."},
		{`"table":"postings"`, `"table":"users","op":"insert"`, `it has table "users", op "insert"; the mapping is for ` +
			`table "postings"`},
		{`"table":"postings",`, ``, "it has none of table, op, new.note"},
	} {
		e, err := m.Decode([]byte(strings.Replace(row, c.old, c.new, 1)), 1)
		if c.want != "" {
			if !errors.Is(err, ledger.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", c.new, err)
			}
			continue
		}
		want := join.Event{Place: join.Place{Position: 1}, Type: join.Change, ID: "7", At: at, Account: "alice", Token: "BNB",
			Change: "1.50"}
		if diff := cmp.Diff(want, e); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	}
}

func TestPlaces(t *testing.T) {
	for text, before := range map[string]string{"1050": "1049", "800.3": "800.2", "800.1": "800"} {
		p, err := join.ParsePlace(text)
		if err != nil || p.String() != text || p.Before().String() != before || p.Before().Compare(p) >= 0 ||
			p.After().Compare(p) <= 0 {
			t.Errorf("%s is %s, behind %s: %v", text, p, p.Before(), err)
		}
	}
	for _, text := range []string{"", "0", "-1", "1.0", "1.-1", "01", "1.", "1.2.3", "99999999999999999999"} {
		if p, err := join.ParsePlace(text); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%q is %s: %v", text, p, err)
		}
	}
}

func TestParseMappingRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{"records":[]}`: "at least one",
		`{"records":[{"fields":{"fee":{"path":"a"}}}]}`:                      "no such field",
		`{"records":[{"fields":{"id":{}}}]}`:                                 "either a path or a value",
		`{"records":[{"fields":{"id":{"value":"a","scale":2}}}]}`:            "by itself",
		`{"records":[{"fields":{"change":{"path":"a","scale":19}}}]}`:        "from 0 to 18",
		`{"records":[{"fields":{"at":{"path":"a","time":"h"}}}]}`:            "s, ms, us, ns and utc",
		`{"records":[{"fields":{"at":{"path":"a","time":"s","scale":1}}}]}`:  "one of",
		`{"records":[{"fields":{"id":{"path":"a","unknown name":"x"}}}]}`:    "unknown name",
		`{"ignore":[[{"path":"a"}]],"records":[{"fields":{}}]}`:              `either "is" or "not"`,
		`{"records":[{"when":[{"path":"a","is":[],"not":[]}],"fields":{}}]}`: `either "is" or "not"`,
	} {
		_, err := join.ParseMapping([]byte(text))
		if !errors.Is(err, ledger.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// write appends to a file of the folder.
func write(t *testing.T, folder, name, text string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(folder, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// next are the records that there are, as "POSITION TEXT".
func next(t *testing.T, r join.Reader, most int) (found []string) {
	t.Helper()
	records, err := r.Next(t.Context(), most)
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range records {
		found = append(found, string(rune('0'+record.Position))+" "+string(record.Text))
	}
	return found
}

// TestFolder: lines are read in order over the files of a partition, from any position, once they have their end.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "p1.jsonl", "a\nb\nc")
	write(t, dir, "p2.jsonl", "z\n")
	write(t, dir, "notes.txt", "x\n")
	source := join.Folder(dir)
	names, err := source.Partitions(t.Context())
	if err != nil || !slices.Equal(names, []string{"p1", "p2"}) {
		t.Fatalf("%v %v", names, err)
	}
	open := func(from int64) join.Reader {
		t.Helper()
		r, err := source.Open(t.Context(), "p1", join.Start{After: join.Place{Position: from - 1}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
		return r
	}
	r := open(1)
	check := func(r join.Reader, want ...string) {
		t.Helper()
		if got := next(t, r, 10); !slices.Equal(got, want) {
			t.Fatalf("%v, not %v", got, want)
		}
	}
	if got := next(t, r, 1); !slices.Equal(got, []string{"1 a"}) {
		t.Fatal(got)
	}
	check(r, "2 b")
	check(r)
	write(t, dir, "p1.jsonl", "c\r\n")
	check(r, "3 cc")
	write(t, dir, "p1.4.jsonl", "d\ne\n")
	check(r, "4 d", "5 e")
	check(open(5), "5 e")
	if err := os.Remove(filepath.Join(dir, "p1.jsonl")); err != nil {
		t.Fatal(err)
	}
	check(open(4), "4 d", "5 e")
	check(open(6))
	for _, position := range []int64{1, 8} {
		start := join.Start{After: join.Place{Position: position - 1}}
		if _, err := source.Open(t.Context(), "p1", start); !errors.Is(err, join.ErrChanged) {
			t.Errorf("%d: %v", position, err)
		}
	}
}

// TestFolderChanges: a file that shrinks or is replaced is an error.
func TestFolderChanges(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"shrinks": func(path string) error { return os.Truncate(path, 2) },
		"replaced": func(path string) error {
			return errors.Join(os.WriteFile(path+".new", []byte("a\nb\nc\nd\n"), 0o600), os.Rename(path+".new", path))
		},
		"removed": os.Remove,
	} {
		dir := t.TempDir()
		write(t, dir, "p1.jsonl", "a\nb\n")
		r, err := join.Folder(dir).Open(t.Context(), "p1", join.Start{})
		if err != nil {
			t.Fatal(err)
		}
		if got := next(t, r, 10); len(got) != 2 {
			t.Fatal(got)
		}
		if err := change(filepath.Join(dir, "p1.jsonl")); err != nil {
			t.Fatal(err)
		}
		_, err = r.Next(t.Context(), 10)
		if !errors.Is(err, join.ErrChanged) && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}
