package history

import (
	"fmt"
	"math/big"
	"sort"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/softstake/softstake/staking"
)

// made is a row as it was drawn, before it became text.
type made struct {
	second int // since the first day began
	coin   string
	change string
	reward bool
}

const (
	madeDays = 4
	firstDay = "2025-07-24"
)

// TestEstimateAgainstSeconds estimates drawn histories, and holds every figure
// against arithmetic of another kind: the balance of each second, one after the
// other, and fractions of math/big.
func TestEstimateAgainstSeconds(t *testing.T) {
	start, err := time.Parse(time.DateOnly, firstDay)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRows(t)
		text := oldHeader
		for _, r := range rapid.Permutation(rows).Draw(t, "lines") {
			operation := "Deposit"
			if r.reward {
				operation = "Soft Staking Rewards"
			}
			at := start.Add(time.Duration(r.second) * time.Second).Format(time.DateTime)
			text += fmt.Sprintf("1,%s,Spot,%s,%s,%s,\n", at, operation, r.coin, r.change)
		}
		o, err := ShippedOffer()
		if err != nil {
			t.Fatal(err)
		}
		f, err := Read(strings.NewReader(text), "h.csv", Options{Assets: o.Assets, Strict: true})
		if err != nil {
			t.Fatal(err)
		}
		h, err := Merge([]*File{f}, o.Assets)
		if err != nil {
			t.Fatal(err)
		}
		statements, err := h.Statements()
		if err != nil {
			t.Fatal(err)
		}
		lowest := map[string]bool{}
		for _, coin := range []string{"BNB", "SOL"} {
			if lowest[coin] = rapid.Bool().Draw(t, coin+" by its smallest balance"); lowest[coin] {
				o.terms[coin][0].Measure = staking.Lowest
			}
		}
		accruals, _, err := Estimate(statements, o, h.Window())
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, a := range accruals {
			got = append(got, fmt.Sprintln(a.Day, a.Asset, a.Opening, a.Average, a.Eligible, a.Reward))
		}
		want := append(bySeconds(start, rows, "BNB", "0.0015", "0.5", "1000", lowest["BNB"]),
			bySeconds(start, rows, "SOL", "0.008", "1", "10000", lowest["SOL"])...)
		sort.Strings(want)
		if g, w := strings.Join(got, ""), strings.Join(want, ""); g != w {
			t.Fatalf("%sgot:\n%swant:\n%s", text, g, w)
		}
	})
}

func drawRows(t *rapid.T) []made {
	row := rapid.Custom(func(t *rapid.T) made {
		sign := rapid.SampledFrom([]string{"", "-", "+"}).Draw(t, "sign")
		digits := rapid.SampledFrom([]string{
			"0.4", "0.5", "1", "0.99999999", "3.14159265358979", "700", "1500", "5e-9", "0.000000015", "12345678e-7",
			"1.5E1", "9000",
		}).Draw(t, "digits")
		day := rapid.IntRange(0, madeDays-1).Draw(t, "day")
		second := rapid.OneOf(rapid.SampledFrom([]int{0, 1, 43200, 86399}), rapid.IntRange(0, 86399)).Draw(t, "second")
		return made{
			second: day*86400 + second,
			coin:   rapid.SampledFrom([]string{"BNB", "SOL", "USDT"}).Draw(t, "coin"),
			change: sign + digits,
			reward: rapid.IntRange(0, 4).Draw(t, "reward") == 0,
		}
	})
	return rapid.SliceOfN(row, 1, 15).Draw(t, "rows")
}

// bySeconds says what a token would have earned, as text: by its average, or by the smallest balance of a second.
func bySeconds(start time.Time, rows []made, coin, apr, minimum, cap string, smallest bool) []string {
	changes := make([]*big.Int, madeDays*86400) // without the rewards really paid
	paid := make([]*big.Int, madeDays*86400)
	begin, end, known := len(changes), 0, false
	for _, r := range rows {
		begin, end = min(begin, r.second/86400+1), max(end, r.second/86400)
		if r.coin != coin {
			continue
		}
		known = true
		list := changes
		if r.reward {
			list = paid
		}
		if list[r.second] == nil {
			list[r.second] = new(big.Int)
		}
		list[r.second].Add(list[r.second], units(r.change))
	}
	if !known {
		return nil
	}
	balance := before(changes, paid)
	carry := new(big.Rat)
	var lines []string
	for day := range madeDays {
		opening, sum, least := "", new(big.Int), new(big.Int).Set(units("1e9"))
		for second := range 86400 {
			if c := changes[day*86400+second]; c != nil {
				balance.Add(balance, c)
			}
			if balance.Sign() < 0 { // more was spent than the estimate has
				balance.SetInt64(0)
			}
			if second == 0 {
				opening = balance.String()
			}
			if sum.Add(sum, balance); balance.Cmp(least) < 0 {
				least.Set(balance)
			}
		}
		average := new(big.Rat).SetFrac(sum, big.NewInt(86400))
		if smallest {
			average.SetInt(least)
		}
		if day < begin || day > end || average.Cmp(new(big.Rat).SetInt(units(minimum))) < 0 {
			continue
		}
		eligible := average
		if limit := new(big.Rat).SetInt(units(cap)); limit.Cmp(eligible) < 0 {
			eligible = limit
		}
		exact := new(big.Rat).Mul(eligible, new(big.Rat).SetFrac(units(apr), units("365")))
		exact.Add(exact, carry)
		reward := down(exact)
		carry.Sub(exact, new(big.Rat).SetInt(reward))
		balance.Add(balance, reward)
		date := start.AddDate(0, 0, day).Format(time.DateOnly)
		lines = append(lines, fmt.Sprintln(date, coin, opening, down(average), down(eligible), reward))
	}
	return lines
}

// before is the least that there must have been before the first second, so that no balance is below zero.
func before(changes, paid []*big.Int) *big.Int {
	balance, lowest := new(big.Int), new(big.Int)
	for second := range changes {
		for _, c := range []*big.Int{changes[second], paid[second]} {
			if c != nil {
				balance.Add(balance, c)
			}
		}
		if balance.Cmp(lowest) < 0 {
			lowest.Set(balance)
		}
	}
	return balance.Neg(lowest)
}

func units(text string) *big.Int {
	x, ok := new(big.Rat).SetString(strings.TrimPrefix(text, "+"))
	if !ok {
		panic("not a number: " + text)
	}
	return roundHalfAway(x.Mul(x, big.NewRat(100_000_000, 1)))
}

func down(x *big.Rat) *big.Int { return new(big.Int).Quo(x.Num(), x.Denom()) }
