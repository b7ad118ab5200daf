package integrity

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
)

// memory is a row in memory: its values, and then its MAC.
type memory []any

func (m memory) Int(i int) int64    { n, _ := m[i].(int64); return n }
func (m memory) Text(i int) string  { text, _ := m[i].(string); return text }
func (m memory) Bytes(i int) []byte { b, _ := m[i].([]byte); return b }

// of is a row of a kind with other values in each column.
func of(k Guarded) memory {
	var m memory
	for i, c := range k.columns {
		switch c.kind {
		case "int":
			m = append(m, int64(i+1))
		case "text":
			m = append(m, strings.Repeat("x", i+1))
		default:
			m = append(m, bytes.Repeat([]byte{1}, i+1))
		}
	}
	return m
}

func keysOf(names ...string) Keyring {
	return func(bool) (keys [][]byte, err error) {
		for _, name := range names {
			sum := sha256.Sum256([]byte(name))
			keys = append(keys, sum[:])
		}
		return keys, nil
	}
}

func signed(t *testing.T, g *Guard, k Guarded, m memory) memory {
	t.Helper()
	macs, err := g.MACs(k, 1, func(int) []any { return m })
	if err != nil {
		t.Fatal(err)
	}
	return append(slices.Clone(m), macs[0])
}

// TestEachColumnIsGuarded changes each column of each kind, by itself: to something else, and to nothing.
func TestEachColumnIsGuarded(t *testing.T) {
	refused := 0
	g := NewGuard(keysOf("a"), func(string, string) { refused++ })
	want := 0
	for _, k := range GuardedKinds {
		whole := signed(t, g, k, of(k))
		if err := g.Check(k, whole, 0); err != nil {
			t.Errorf("%s: %v", k.Table, err)
		}
		for i, c := range k.columns {
			for _, other := range map[string][]any{"int": {int64(99), int64(0)}, "text": {"other", ""},
				"blob": {[]byte("other"), []byte{}}}[c.kind] {
				changed := slices.Clone(whole)
				changed[i] = other
				if want++; !errors.Is(g.Check(k, changed, 0), ErrForged) {
					t.Errorf("%s.%s is %v, and nobody sees it", k.Table, c.name, other)
				}
			}
		}
	}
	if refused != want {
		t.Errorf("%d were reported, not %d", refused, want)
	}
}

// TestMACsAreOfOneRow: what moves from a column to the next, or to another table, has another MAC; and so has a row by
// another key, or without its MAC.
func TestMACsAreOfOneRow(t *testing.T) {
	g := NewGuard(keysOf("a"), nil)
	stepUp := func(subject, id string) memory {
		return memory{subject, id, "", "", int64(0), int64(0), int64(0)}
	}
	settings, app := memory{"ab", int64(1), int64(0)}, memory{"ab", []byte{}, int64(1), int64(0)}
	for name, forged := range map[string]struct {
		kind Guarded
		row  memory
	}{
		"moved":       {StepUps, append(stepUp("a", "bc"), signed(t, g, StepUps, stepUp("ab", "c"))[7])},
		"table":       {WithdrawalSettings, append(slices.Clone(settings), signed(t, g, TOTPs, app)[4])},
		"bare":        {WithdrawalSettings, memory{"ab", int64(1), int64(0), ""}},
		"no base64":   {WithdrawalSettings, memory{"ab", int64(1), int64(0), "%"}},
		"another key": {WithdrawalSettings, signed(t, NewGuard(keysOf("b"), nil), WithdrawalSettings, settings)},
	} {
		err := g.Check(forged.kind, forged.row, 0)
		if !errors.Is(err, ErrForged) || !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRotatedKeys: during a rotation both keys check, and the first makes MACs; a process that has the old key alone
// reads the keys again.
func TestRotatedKeys(t *testing.T) {
	row := memory{"alice", int64(1), int64(0)}
	before, after := NewGuard(keysOf("old"), nil), NewGuard(keysOf("new"), nil)
	both := NewGuard(keysOf("new", "old"), nil)
	was, is := signed(t, before, WithdrawalSettings, row), signed(t, both, WithdrawalSettings, row)
	for _, m := range []memory{was, is} {
		if err := both.Check(WithdrawalSettings, m, 0); err != nil {
			t.Error(err)
		}
	}
	if err := after.Check(WithdrawalSettings, is, 0); err != nil {
		t.Error(err)
	}
	if err := after.Check(WithdrawalSettings, was, 0); !errors.Is(err, ErrForged) {
		t.Errorf("the old key is gone: %v", err)
	}
	keys := keysOf("old")
	running := NewGuard(func(again bool) ([][]byte, error) { return keys(again) }, nil)
	if err := running.Check(WithdrawalSettings, was, 0); err != nil {
		t.Error(err)
	}
	keys = keysOf("new", "old")
	if err := running.Check(WithdrawalSettings, is, 0); err != nil {
		t.Error(err)
	}
}

// TestWithoutAKey: books that never had one are not checked, and those that had one are refused.
func TestWithoutAKey(t *testing.T) {
	g := NewGuard(nil, nil)
	bare := append(of(Tokens), "")
	if err := g.Check(Tokens, bare, 0); err != nil {
		t.Error(err)
	}
	g.Expect(true)
	if err := g.Check(Tokens, bare, 0); !errors.Is(err, ErrNoKey) {
		t.Errorf("the key is missing: %v", err)
	}
	if _, err := g.MACs(Tokens, 1, func(int) []any { return of(Tokens) }); !errors.Is(err, ErrNoKey) {
		t.Errorf("the key is missing: %v", err)
	}
}

// TestOldRowsKeepTheirMACs: a column that is added later, and is empty in the rows that are there, leaves their MACs.
func TestOldRowsKeepTheirMACs(t *testing.T) {
	g := NewGuard(keysOf("a"), nil)
	old := guarded("tokens", 1, "id text, role text")
	m := signed(t, g, old, memory{"t1", "viewer"})
	grown := guarded("tokens", 1, "id text, added int, role text")
	if err := g.Check(grown, memory{"t1", int64(0), "viewer", m[2]}, 0); err != nil {
		t.Error(err)
	}
	if err := g.Check(grown, memory{"t1", int64(1), "viewer", m[2]}, 0); !errors.Is(err, ErrForged) {
		t.Errorf("the new column has a value: %v", err)
	}
}

// BenchmarkCheck is what checking a token costs beside reading it.
func BenchmarkCheck(b *testing.B) {
	g := NewGuard(keysOf("a"), nil)
	macs, err := g.MACs(Tokens, 1, func(int) []any { return of(Tokens) })
	if err != nil {
		b.Fatal(err)
	}
	row := append(of(Tokens), macs[0])
	for b.Loop() {
		if err := g.Check(Tokens, row, 0); err != nil {
			b.Fatal(err)
		}
	}
}
