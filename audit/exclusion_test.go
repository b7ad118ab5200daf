package audit

import (
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// excludedBooks are honest books with erin, who has 3 BNB and is enrolled, and whose BNB
// Launchpool has from day 2 on.
func excludedBooks(t *testing.T) *memoryBooks {
	b := honestBooks(t)
	b.post(ledger.Entry{ID: "d9", Kind: ledger.Deposit, At: at(day1, 12),
		Moves: one(ledger.Custody, "erin", "BNB", 3*coin)})
	home := b.of("erin")
	home.enrollments = append(home.enrollments,
		Enrollment{staking.Enrollment{Account: "erin", From: day2, Until: staking.Forever}, true})
	home.head.Accounts++
	b.exclude(staking.Exclusion{
		Account: "erin", Asset: "BNB", Product: "Launchpool", From: day2, Until: staking.Forever,
	})
	return b
}

func (b *memoryBooks) exclude(e staking.Exclusion) {
	home := b.of(e.Account)
	home.exclusions = append(home.exclusions, Exclusion{e, true})
}

// TestExclusions: what is excluded earns nothing, and each row that was changed by hand is found.
func TestExclusions(t *testing.T) {
	if got := run(t, excludedBooks(t), Options{Workers: 2}); len(got.Findings) > 0 {
		t.Fatalf("found in honest books: %v", got.Findings)
	}
	erins := func(b *memoryBooks) *Exclusion { return &b.of("erin").exclusions[0] }
	all := staking.Exclusion{Account: "alice", Product: "Locked", From: day3, Until: day4}
	for _, c := range []tampering{
		{"2026-03-02 erin BNB: has no record of its reward of 0.0001",
			func(b *memoryBooks) { b.of("erin").exclusions = nil }},
		{"2026-03-02 erin BNB: has no record of its reward of 0.0001", func(b *memoryBooks) { erins(b).From = day3 }},
		{"2026-03-04 erin BNB: has no record of its reward of 0.0001", func(b *memoryBooks) { erins(b).Until = day4 }},
		{"2026-03-02 erin BNB: has no record of its reward of 0.0001", func(b *memoryBooks) { erins(b).Asset = "SOL" }},
		{"2026-03-03 alice BNB: has a reward of 0.00008001, but it is excluded on the day: Locked has it",
			func(b *memoryBooks) { b.exclude(all) }},
		{"2026-03-03 alice SOL: has a reward of ", func(b *memoryBooks) { b.exclude(all) }},
		{"2026-03-03 erin SOL: is excluded by Locked until 2026-03-02, before it begins", func(b *memoryBooks) {
			b.exclude(staking.Exclusion{Account: "erin", Asset: "SOL", Product: "Locked", From: day3, Until: day2})
		}},
		{"2026-03-03 erin DOT: is excluded by Locked, and there is no such asset", func(b *memoryBooks) {
			b.exclude(staking.Exclusion{Account: "erin", Asset: "DOT", Product: "Locked", From: day3, Until: day4})
		}},
		{"2026-03-02 erin BNB: is excluded by Launchpool, but the account was never opened",
			func(b *memoryBooks) { erins(b).Opened = false }},
		{"2026-03-02 erin BNB: is excluded in bucket", func(b *memoryBooks) {
			other := &b.buckets[(ledger.Account("erin").Bucket()+1)%ledger.Buckets]
			other.exclusions = append(other.exclusions, *erins(b))
		}},
	} {
		b := excludedBooks(t)
		c.tamper(b)
		got := run(t, b, Options{Workers: 2})
		if !slices.ContainsFunc(got.Findings, func(f Finding) bool { return strings.Contains(f.String(), c.want) }) {
			t.Errorf("not found: %s; found: %v", c.want, got.Findings)
		}
	}
	b := excludedBooks(t)
	b.exclude(staking.Exclusion{Account: "alice", Product: "Locked", From: day3, Until: day3}) // ended before it began
	if got := run(t, b, Options{Workers: 2}); len(got.Findings) > 0 {
		t.Errorf("an exclusion that covers no day: %v", got.Findings)
	}
}
