package topic_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/reconcile/topic"
)

// log is a source with partitions of messages, a line each. Real brokers are read in the package comparison.
type log map[string]string

func (l log) Partitions(context.Context) (names []string, err error) {
	for name := range l {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

func (l log) Open(_ context.Context, name string, _ join.Start) (join.Reader, error) {
	r := &reader{}
	for i, line := range strings.Split(strings.TrimSpace(l[name]), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			r.records = append(r.records, join.Record{Place: join.Place{Position: int64(i) + 1}, Text: []byte(line)})
		}
	}
	return r, nil
}

// reader gives one record at a time.
type reader struct{ records []join.Record }

func (*reader) Identity() string   { return "" }
func (*reader) Confirm(join.Place) {}
func (*reader) Close() error       { return nil }

func (r *reader) Next(context.Context, int) (some []join.Record, err error) {
	some, r.records = r.records[:min(1, len(r.records))], r.records[min(1, len(r.records)):]
	return some, nil
}

// busy is a source of one partition to which something is written whenever it is read.
type busy string

func (busy) Partitions(context.Context) ([]string, error) { return []string{"p"}, nil }

func (b busy) Open(ctx context.Context, name string, start join.Start) (join.Reader, error) {
	r, err := log{"p": string(b)}.Open(ctx, name, start)
	return &growing{r.(*reader), int64(len(r.(*reader).records)), 0}, err
}

// growing is its reader: after the records that there were it gives the begin of one more set, again and again.
type growing struct {
	*reader
	end, more int64
}

func (g *growing) End() join.Place { return join.Place{Position: g.end} }

func (g *growing) Next(ctx context.Context, most int) ([]join.Record, error) {
	some, err := g.reader.Next(ctx, most)
	if g.more += int64(1 - len(some)); len(some) == 0 {
		some = []join.Record{{Place: join.Place{Position: g.end + g.more},
			Text: fmt.Appendf(nil, `{"type":"begin","set":"more-%d","day":"2026-11-21"}`, g.more)}}
	}
	if g.more > 10 {
		err = errors.New("it was read beyond its end")
	}
	return some, err
}

// TestABusyTopicEnds where it did when the reading began, also where its end was removed.
func TestABusyTopicEnds(t *testing.T) {
	for text, kind := range map[string]error{set("x", "2026-11-21", "1"): nil, "": ledger.ErrNotFound} {
		f, err := topic.Read(t.Context(), busy(text), day, assets)
		if !errors.Is(err, kind) || kind == nil && len(f.Balances) != 1 {
			t.Errorf("%q: %+v, %v", text, f, err)
		}
	}
}

var (
	assets = map[string]ledger.Asset{"BNB": {Symbol: "BNB", Scale: 8, MaxSupply: ledger.MaxSupply},
		"SOL": {Symbol: "SOL", Scale: 9, MaxSupply: ledger.MaxSupply}}
	day = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
)

// The messages of a good set.
const (
	begins = `{"type":"begin","set":"a","day":"2026-11-21","position":"0/1A","at":"2026-11-22T00:00:00Z","payouts":"2026-11-20"}`
	alice  = `{"type":"amount","set":"a","account":"alice","asset":"BNB","balance":"1.5","payout":"0.25"}`
	bob    = `{"type":"amount","set":"a","account":"bob","asset":"BNB","balance":"2"}`
	zero   = `{"type":"amount","set":"a","account":"carol","asset":"BNB","balance":"0"}`
	doge   = `{"type":"amount","set":"a","account":"bob","asset":"DOGE","balance":"7"}`
	ends   = `{"type":"end","set":"a","tokens":[{"asset":"BNB","balances":2,"sum":"3.50","payouts":1,"payoutSum":"0.25"}]}`
)

// set is a set of a day in which alice has an amount.
func set(name, day, amount string) string {
	return fmt.Sprintf(`{"type":"begin","set":"%s","day":"%s"}
		{"type":"amount","set":"%[1]s","account":"alice","asset":"BNB","balance":"%[3]s"}
		{"type":"end","set":"%[1]s","tokens":[{"asset":"BNB","balances":1,"sum":"%[3]s"}]}`, name, day, amount) + "\n"
}

func lines(all ...string) string { return strings.Join(all, "\n") }

// TestTheLastWholeSetCounts, whatever comes again, is of other days or was written by mistake before it.
func TestTheLastWholeSetCounts(t *testing.T) {
	whole := []reconcile.Balance{{Account: "alice", Asset: "BNB", Amount: 1_50000000},
		{Account: "bob", Asset: "BNB", Amount: 2_00000000}}
	one := func(n ledger.Amount) []reconcile.Balance {
		return []reconcile.Balance{{Account: "alice", Asset: "BNB", Amount: n}}
	}
	for name, c := range map[string]struct {
		log      log
		balances []reconcile.Balance
		position string
	}{
		"one set": {log{"p": lines(begins, alice, bob, zero, doge, ends)}, whole, "0/1A, p from 1 to 6"},
		"messages that come again": {log{"p": lines(begins, alice, begins, alice, bob, ends, bob, ends)}, whole,
			"0/1A, p from 1 to 6"},
		"several attempts": {log{"p": set("x", "2026-11-21", "1") + set("y", "2026-11-21", "3") +
			set("z", "2026-11-22", "4"), "q": ""}, one(3_00000000), "p from 4 to 6"},
		"one that is not done yet": {log{"p": set("x", "2026-11-21", "1") + lines(begins, bob)}, one(1_00000000),
			"p from 1 to 3"},
		"two at the same time": {log{"p": lines(begins, alice, strings.TrimSpace(set("x", "2026-11-21", "1")), bob,
			ends)}, whole, "0/1A, p from 1 to 7"},
		"another day elsewhere": {log{"p": set("x", "2026-11-21", "1"), "q": set("y", "2026-11-20", "2")},
			one(1_00000000), "p from 1 to 3"},
		"a mistake before it": {log{"p": "{}\nnull\n" + set("x", "2026-11-21", "1")}, one(1_00000000), "p from 3 to 5"},
	} {
		f, err := topic.Read(t.Context(), c.log, day, assets)
		if err != nil || !slices.Equal(f.Balances, c.balances) || f.Position != c.position {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
		if strings.HasPrefix(f.Position, "0/1A") && (f.PayoutsDay != "2026-11-20" || f.At != day.AddDate(0, 0, 1) ||
			!slices.Equal(f.Payouts, []reconcile.Balance{{Account: "alice", Asset: "BNB", Amount: 25000000}})) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// TestTheSetOfTheDocumentation is whole.
func TestTheSetOfTheDocumentation(t *testing.T) {
	docs, err := os.ReadFile("../../docs/join.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(docs), "```json topic\n")
	example, _, _ = strings.Cut(example, "```")
	f, err := topic.Read(t.Context(), log{"p": example}, day.AddDate(0, 0, 5), assets)
	if err != nil || len(f.Balances) != 2 || len(f.Payouts) != 1 || f.Position != "0/1A2B, p from 1 to 4" {
		t.Errorf("%+v, %v", f, err)
	}
}

// TestSetsThatAreNotWhole are refused, with what is missing.
func TestSetsThatAreNotWhole(t *testing.T) {
	end := func(tokens string) string { return `{"type":"end","set":"a","tokens":[` + tokens + `]}` }
	good := `{"asset":"BNB","balances":2,"sum":"3.5","payouts":1,"payoutSum":"0.25"}`
	for name, c := range map[string]struct {
		log  log
		kind error
		want string
	}{
		"nothing":     {log{"p": ""}, ledger.ErrNotFound, "no set of 2026-11-21"},
		"another day": {log{"p": set("x", "2026-11-22", "1")}, ledger.ErrNotFound, "no set of 2026-11-21"},
		"no end": {log{"p": lines(begins, alice)}, ledger.ErrNotFound,
			`"a" of 2026-11-21 begins in p at 1, and has no end`},
		"no begin": {log{"p": lines(alice, bob, ends)}, ledger.ErrNotFound,
			"of 3 messages the begin of their set is gone"},
		"unreadable": {log{"p": "{\"type\":\"begin\""}, ledger.ErrNotFound, "message 1 of p"},
		"one is lost": {log{"p": lines(begins, alice, ends)}, ledger.ErrInvalid,
			"it has 1 balances of BNB, and its end says 2"},
		"a payout is lost": {log{"p": lines(begins, strings.Replace(alice, `,"payout":"0.25"`, "", 1), bob, ends)},
			ledger.ErrInvalid, "it has 0 payouts of BNB, and its end says 1"},
		"another amount": {log{"p": lines(begins, alice, strings.Replace(bob, `"2"`, `"3"`, 1), ends)}, ledger.ErrInvalid,
			"balances of BNB sum to 4.5, and its end says 3.50"},
		"two amounts": {log{"p": lines(begins, alice, bob, strings.Replace(bob, `"2"`, `"3"`, 1), ends)}, ledger.ErrInvalid,
			"two balances"},
		"a token without its sum": {log{"p": lines(begins, alice, bob, end(""))}, ledger.ErrInvalid, "its end says 0"},
		"a token twice": {log{"p": lines(begins, alice, bob, end(good+","+good))}, ledger.ErrInvalid,
			"BNB is there twice"},
		"a sum that is none": {log{"p": lines(begins, alice, bob, strings.Replace(ends, "3.50", "35e-1", 1))},
			ledger.ErrInvalid, "is no amount"},
		"a lost message of a newer one": {log{"p": set("x", "2026-11-21", "1") + lines(begins, bob, ends)},
			ledger.ErrInvalid, `the set "a" in p, from 4 to 6`},
		"a mistake in it": {log{"p": lines(begins, alice, `{"type":"amuont","set":"a"}`, bob, ends)}, ledger.ErrInvalid,
			"message 3 of p: "},
		"a mistake after it": {log{"p": set("x", "2026-11-21", "1") + `{"type":"begin"}`}, ledger.ErrInvalid, "message 4 of p"},
		"two partitions": {log{"p": set("x", "2026-11-21", "1"), "q": set("y", "2026-11-21", "1")}, ledger.ErrInvalid,
			"are in p and in q"},
		"an end elsewhere": {log{"p": set("x", "2026-11-21", "1") + lines(begins, alice, bob), "q": ends},
			ledger.ErrInvalid, `"a" of 2026-11-21 begins in p at 4, and ends in q at 1`},
		"a set of another day too": {log{"p": `{"type":"begin","set":"a","day":"2026-11-20"}` + "\n" +
			lines(begins, alice, bob, ends)}, ledger.ErrNotFound, "begins twice, of 2026-11-20 and of 2026-11-21"},
		"a day that is none": {log{"p": strings.Replace(begins, "2026-11-21", "21.11.", 1)}, ledger.ErrNotFound,
			"not all that it must have"},
		"another begin": {log{"p": lines(begins, strings.Replace(begins, "0/1A", "0/2B", 1), alice, bob, ends)},
			ledger.ErrInvalid, "message 2: it begins twice"},
		"another end": {log{"p": lines(begins, alice, bob, ends, end(""))}, ledger.ErrInvalid, "message 5: it ends twice"},
		"a bad account": {log{"p": lines(begins, strings.Replace(alice, "alice", "@pool", 1), ends)}, ledger.ErrInvalid,
			"message 2: "},
		"payouts of no day": {log{"p": lines(strings.Replace(begins, `,"payouts":"2026-11-20"`, "", 1), alice, bob, ends)},
			ledger.ErrInvalid, "payouts"},
		"a bad time": {log{"p": lines(strings.Replace(begins, "2026-11-22T", "x", 1), alice, bob, ends)}, ledger.ErrInvalid,
			"no time"},
		"what is another's": {log{"p": lines(begins, strings.Replace(alice, "{", `{"day":"2026-11-21",`, 1), bob, ends)},
			ledger.ErrInvalid, "another type"},
		"what is unknown": {log{"p": lines(begins, strings.Replace(alice, "{", `{"free":"1",`, 1), bob, ends)},
			ledger.ErrInvalid, "message 2 of p"},
	} {
		_, err := topic.Read(t.Context(), c.log, day, assets)
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// BenchmarkRead reads a set of a hundred thousand balances, after one of another day.
func BenchmarkRead(b *testing.B) {
	const accounts = 100_000
	var text strings.Builder
	for _, d := range []string{"2026-11-20", "2026-11-21"} {
		fmt.Fprintf(&text, `{"type":"begin","set":"%s","day":"%[1]s"}`+"\n", d)
		for i := range accounts {
			fmt.Fprintf(&text, `{"type":"amount","set":"%s","account":"u-%07d","asset":"BNB","balance":"1"}`+"\n", d, i)
		}
		fmt.Fprintf(&text, `{"type":"end","set":"%s","tokens":[{"asset":"BNB","balances":%d,"sum":"%[2]d"}]}`+"\n", d,
			accounts)
	}
	l := log{"p": text.String()}
	for b.Loop() {
		if f, err := topic.Read(b.Context(), l, day, assets); err != nil || len(f.Balances) != accounts {
			b.Fatal(len(f.Balances), err)
		}
	}
}
