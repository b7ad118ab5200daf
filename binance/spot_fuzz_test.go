package binance

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
)

// Whatever symbols are asked for, they are read in order and each once, or refused
// with a documented error.
func FuzzSymbols(f *testing.F) {
	for _, seed := range [][2]string{
		{"BNBUSDT", ""}, {"", `["BNBUSDT","ADAUSDT"]`}, {"", `["B","A","B"]`}, {"", "[]"}, {"", "null"}, {"", "{}"},
		{"", `["a",1]`}, {"x", "[]"}, {"", `["\ud800"]`}, {"", "[[[[[["},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, one, several string) {
		wanted, err := wantedSymbols(parameters{"symbol": one, "symbols": several})
		var no refusal
		switch {
		case err != nil && (!errors.As(err, &no) || !slices.Contains([]int{-1100, -1128, -1130}, no.Code) ||
			no.status != 400):
			t.Fatalf("%q, %q: %v", one, several, err)
		case err != nil:
			return
		case one == "" && several == "":
			if wanted != nil {
				t.Errorf("nothing is asked for, and read is %q", wanted)
			}
			return
		case one != "":
			if !slices.Equal(wanted, []string{one}) {
				t.Errorf("%q is read as %q", one, wanted)
			}
			return
		}
		var all []string
		if err := json.Unmarshal([]byte(several), &all); err != nil || len(wanted) == 0 {
			t.Fatalf("%q is read as %q: %v", several, wanted, err)
		}
		slices.Sort(all)
		if !slices.Equal(wanted, slices.Compact(all)) {
			t.Errorf("%q is read as %q", several, wanted)
		}
	})
}
