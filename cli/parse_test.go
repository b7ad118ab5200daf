package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/history"
	"github.com/softstake/softstake/ledger"
)

var bnb = ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: 200_000_000_00000000}

// onlyBNB are assets without a database.
func onlyBNB(_ context.Context, symbol string) (ledger.Asset, error) {
	if symbol != "BNB" {
		return ledger.Asset{}, fmt.Errorf("%w: asset %q", ledger.ErrNotFound, symbol)
	}
	return bnb, nil
}

func TestEntryLine(t *testing.T) {
	p := entryParser{asset: onlyBNB}
	e, err := p.line(t.Context(), inputLine{1, []byte(`{"id":"t-1","kind":"trade","at":"2026-11-22T11:00:00.123456+01:00","moves":[` +
		`{"from":"alice","to":"@desk","asset":"BNB","amount":"0.00000001"},{"from":"@desk","to":"alice","asset":"BNB","amount":"200000000"}]}`), nil})
	if err != nil {
		t.Fatal(err)
	}
	want := ledger.Entry{ID: "t-1", Kind: ledger.Trade, At: time.Date(2026, 11, 22, 10, 0, 0, 123_000_000, time.UTC),
		Moves: []ledger.Move{
			{From: "alice", To: ledger.Desk, Asset: "BNB", Amount: 1},
			{From: ledger.Desk, To: "alice", Asset: "BNB", Amount: 200_000_000_00000000},
		}}
	if fmt.Sprint(e) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", e, want)
	}
}

func TestLinesThatAreTooLongCostNoMoreThanThemselves(t *testing.T) {
	long := strings.Repeat("x", longestLine+1)
	l := newLines(strings.NewReader("\ufeffone\r\n\n" + long + "\nthree\n" + long))
	for _, want := range []struct {
		n    int
		text string
		bad  error
	}{{1, "one\r\n", nil}, {3, "", errLongLine}, {4, "three\n", nil}, {5, "", errLongLine}} {
		got, err := l.next()
		if err != nil || got.n != want.n || string(got.text) != want.text || got.bad != want.bad {
			t.Fatalf("got %d %.20q %v %v, want %v", got.n, got.text, got.bad, err, want)
		}
	}
	if _, err := l.next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"at postgres://olga:pa:ss@word@host/books now": "at postgres://olga:xxxxx@host/books now",
		"postgres://olga@host/books":                   "postgres://olga@host/books",
		"postgres://host/b?password=x&sslmode=off":     "postgres://host/b?password=xxxxx&sslmode=off",
		"sqlite:books.db":                              "sqlite:books.db",
	} {
		if got := redact(in); got != want {
			t.Errorf("redact(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"größer 数 \t😀\n": "größer 数 \t😀\n", "\x1b[2Jx": "�[2Jx", "a\rb\x00\x7f": "a�b��",
		"\u009b1m": "�1m", "a\u202eb": "a�b", "\xff": "�", "a\u2028b": "a�b",
	} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
	if got := oneLine("a\nb\tc"); got != "a b c" {
		t.Errorf("oneLine says %q", got)
	}
}

// FuzzEntryLine: what is read as an entry, written as a line and read again, is the same entry.
func FuzzEntryLine(f *testing.F) {
	f.Add([]byte(`{"id":"d-1","kind":"deposit","at":"2026-11-22T10:00:00Z","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"2"}]}`))
	f.Add([]byte(`{"id":"d-1","ID":"d-2","moves":[{"amount":1e3}]} x`))
	f.Add([]byte(`[[[[[[[[[[[[`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, line []byte) {
		p := entryParser{asset: onlyBNB}
		e, err := p.line(t.Context(), inputLine{1, line, nil})
		if err != nil {
			if !errors.Is(err, ledger.ErrInvalid) && !errors.Is(err, ledger.ErrNotFound) {
				t.Fatalf("%q: %v is of no sort", line, err)
			}
			return
		}
		again := entryJSON{ID: e.ID, Kind: e.Kind}
		if !e.At.IsZero() {
			at := e.At.Format(time.RFC3339Nano)
			again.At = &at
		}
		for _, m := range e.Moves {
			again.Moves = append(again.Moves, moveJSON{m.From, m.To, m.Asset, bnb.Format(m.Amount)})
		}
		text, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		same, err := p.line(t.Context(), inputLine{1, text, nil})
		if err != nil || fmt.Sprint(same) != fmt.Sprint(e) {
			t.Fatalf("%q: %v, and again %q: %v (%v)", line, e, text, same, err)
		}
	})
}

// FuzzLoadLine: what is loaded is an amount above zero of an account that can be opened, or an account alone.
func FuzzLoadLine(f *testing.F) {
	f.Add("account,region,asset,amount\nalice,DE,BNB,1.5\n")
	f.Add("\ufeffAMOUNT,account,asset\n\"1\",alice,BNB\n,bob,\n")
	f.Add("account\n\"a\"b\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := openCSV(strings.NewReader(text), "fuzz.csv", "account", "region?", "asset?", "amount?")
		if err != nil {
			return
		}
		p := loadParser{entryParser{asset: onlyBNB}}
		for n := 0; ; n++ {
			row, line, err := file.next()
			if err == io.EOF {
				return
			}
			if err != nil || line.n <= n {
				t.Fatalf("line %d after %d: %v", line.n, n, err)
			}
			n = line.n - 1
			l := p.line(t.Context(), &Env{Now: time.Now}, row, line.bad)
			if l.bad != nil {
				continue
			}
			if err := l.account.ID.CheckHolder(); err != nil {
				t.Fatal(err)
			}
			if l.opening.Asset != "" && (l.opening.Amount <= 0 || l.opening.Account != l.account.ID) {
				t.Fatalf("%q: %v", line.text, l.opening)
			}
		}
	})
}

// FuzzPrices: what is read as prices is all of the file, and each above zero.
func FuzzPrices(f *testing.F) {
	f.Add("day,asset,price\n2026-11-22,BNB,912.35\n")
	f.Add("price,asset,day\n0.00000001,BNB,9999-12-31\n")
	f.Fuzz(func(t *testing.T, text string) {
		prices, err := readFigures(strings.NewReader(text), "fuzz.csv", [3]string{"day", "asset", "price"}, parsePrice)
		if err != nil {
			return
		}
		for _, p := range prices {
			again, err := parsePrice(p.Day.String(), p.Asset, ledger.FormatDecimal(p.Price, conversion.PriceScale))
			if err != nil || again != p || p.Price <= 0 {
				t.Fatalf("%v, and again %v: %v", p, again, err)
			}
		}
	})
}

// FuzzTerms: what is read as terms has passed their check.
func FuzzTerms(f *testing.F) {
	f.Add("from,asset,apr,min,cap\n2025-08-01,BNB,0.0015,0.5,1000\n")
	f.Fuzz(func(t *testing.T, text string) {
		offer, err := history.ReadOffer(strings.NewReader(text), "fuzz.csv")
		if err != nil {
			return
		}
		for symbol, asset := range offer.Assets {
			if err := offer.On(symbol, 1<<20).Check(asset); err != nil {
				t.Fatal(err)
			}
		}
	})
}
