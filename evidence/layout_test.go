package evidence_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/testkit"
)

// TestFormerLayouts: records of a former layout are computed again as they were made. The first record of the next one
// has all earlier rows of the parts that are new in it, and so also what the former layout left out.
func TestFormerLayouts(t *testing.T) {
	before := evidence.SetBatch(2)
	t.Cleanup(func() { evidence.SetBatch(before) })
	evidence.SetLayout(t, 1)
	books, clock := books(t, "sqlite", town)
	signer, notes, days := newSigner(t), []string(nil), 0
	live(t, books, clock, 4, func() {
		if days++; days == 3 {
			evidence.SetLayout(t, 2)
		}
		makeAll(t, books)
		notes = append(notes, sign(t, books, signer).Note)
	})
	layouts := ""
	for _, text := range testkit.Must(books.Evidence().All(t.Context()))(t) {
		layouts += fmt.Sprint(testkit.Must(evidence.ParseRecord(text))(t).Layout)
	}
	if layouts != "1111122" {
		t.Errorf("the layouts are %s", layouts)
	}
	found := func() (all []string) {
		for _, f := range check(t, books, signer, notes...).Findings {
			all = append(all, fmt.Sprint(int(f.Day-town.Last), " ", f.Kind))
		}
		return all
	}
	for _, step := range []struct {
		sql  string
		want []string
	}{
		{"UPDATE log SET request = '' WHERE action = 'login add'", nil},
		{"UPDATE log SET detail = 'login FORGED' WHERE action = 'login add'", []string{"3 log/2"}},
		{"UPDATE entries SET role = 'auditor' WHERE entry = 'deposit-1'", []string{"2 entries", "3 entries/2", "3 log/2"}},
		{"UPDATE entries SET role = 'auditor' WHERE entry = 'deposit-3'", []string{"2 entries", "3 entries/2", "3 log/2",
			"4 entries/2"}},
	} {
		exec(t, books, step.sql)
		if got := found(); !slices.Equal(got, step.want) {
			t.Errorf("%s: found %q, not %q", step.sql, got, step.want)
		}
	}
}
