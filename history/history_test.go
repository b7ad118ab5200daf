package history

import (
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// oldHeader and newHeader are those of the export's two editions.
const (
	oldHeader = "User_ID,UTC_Time,Account,Operation,Coin,Change,Remark\n"
	newHeader = "User ID,Time,Account,Operation,Coin,Change,Remark\n"
)

func shipped(t testing.TB) Offer {
	t.Helper()
	o, err := ShippedOffer()
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func read(t testing.TB, text string) *File {
	t.Helper()
	return readNamed(t, "history.csv", text)
}

func readNamed(t testing.TB, name, text string) *File {
	t.Helper()
	f, err := Read(strings.NewReader(text), name, Options{Assets: shipped(t).Assets})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// merged is the history of files together.
func merged(t testing.TB, files ...*File) *History {
	t.Helper()
	h, err := Merge(files, shipped(t).Assets)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// readHistory reads an export as a whole history.
func readHistory(t testing.TB, text string) *History {
	t.Helper()
	return merged(t, read(t, text))
}

// estimate reads an export and estimates all of it under the shipped terms.
func estimate(t testing.TB, text string) []staking.Accrual {
	t.Helper()
	h := readHistory(t, text)
	return estimateHistory(t, h, h.Window())
}

func estimateHistory(t testing.TB, h *History, w Window) []staking.Accrual {
	t.Helper()
	accruals, _, err := Estimate(statements(t, h), shipped(t), w)
	if err != nil {
		t.Fatal(err)
	}
	return accruals
}

func statements(t testing.TB, h *History) []Statement {
	t.Helper()
	s, err := h.Statements()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func day(t testing.TB, s string) staking.Day {
	t.Helper()
	d, err := staking.ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// show writes accruals as short lines, of which tests say what they expect.
func show(t testing.TB, accruals []staking.Accrual) string {
	t.Helper()
	var b strings.Builder
	for _, a := range accruals {
		format := func(n ledger.Amount) string { return ledger.FormatDecimal(int64(n), 8) }
		b.WriteString(strings.Join([]string{
			a.Day.String(), a.Asset, format(a.Opening), format(a.Average), format(a.Eligible), a.APR.String(),
			format(a.Reward),
		}, " ") + "\n")
	}
	return b.String()
}
