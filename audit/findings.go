package audit

import (
	"cmp"
	"slices"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Finding is a place where the books differ from what follows from their journal.
type Finding struct {
	Day     staking.Day
	HasDay  bool           // false: it is of no one day, such as a balance
	Account ledger.Account // "": of no one account, such as a total
	Asset   string         // "": of no one token, such as an enrollment
	Rule    string         // that rows contradict (Books.Contradictions); "": figures differ from derived ones
	What    string         // the stored and the derived figure, in the token's decimals; or a row and what it contradicts
}

// on is a finding of a day, of an account and a token, or of no one ("").
func on(d staking.Day, account ledger.Account, asset, what string) Finding {
	return Finding{Day: d, HasDay: true, Account: account, Asset: asset, What: what}
}

// String is the finding as one line: day, account, token, what differs, and the rule.
func (f Finding) String() string {
	var parts []string
	if f.HasDay {
		parts = append(parts, f.Day.String())
	}
	if f.Account != "" {
		parts = append(parts, string(f.Account))
	}
	if f.Asset != "" {
		parts = append(parts, f.Asset)
	}
	line := f.What
	if len(parts) > 0 {
		line = strings.Join(parts, " ") + ": " + line
	}
	if f.Rule != "" {
		line += " (" + f.Rule + ")"
	}
	return line
}

// compareFindings orders by day, account and token. Findings without a day, holder or token
// come last, so that the first finding is nearest to the cause. Rules come after figures of the same.
func compareFindings(a, b Finding) int {
	return cmp.Or(
		general(!a.HasDay, !b.HasDay), cmp.Compare(a.Day, b.Day),
		general(a.Account == "", b.Account == ""), general(a.Account.IsHouse(), b.Account.IsHouse()),
		cmp.Compare(a.Account, b.Account),
		general(a.Asset == "", b.Asset == ""), cmp.Compare(a.Asset, b.Asset),
		cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.What, b.What))
}

// general orders zero values last.
func general(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// named is how many findings are reported; the others are only counted.
const named = 20

// findings keeps the first ones, in whatever order they come.
type findings struct {
	total int64
	first []Finding
}

func (f *findings) add(x Finding) {
	f.total++
	f.keep(x)
}

func (f *findings) keep(x Finding) {
	i, _ := slices.BinarySearchFunc(f.first, x, compareFindings)
	if i == named {
		return
	}
	if len(f.first) == named {
		f.first = f.first[:named-1]
	}
	f.first = slices.Insert(f.first, i, x)
}

// merge adds those of another.
func (f *findings) merge(g *findings) {
	for _, x := range g.first {
		f.keep(x)
	}
	f.total += g.total
}
