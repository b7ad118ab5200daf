package payout_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/payout"
	"github.com/softstake/softstake/testkit"
)

// TestMessages: a batch comes after its last payout, also where it began on the page before; docs/join.md shows the
// messages as they are.
func TestMessages(t *testing.T) {
	paid := time.Date(2026, 11, 27, 0, 5, 1, 0, time.UTC)
	one := payout.Payout{Number: 4711, ID: "reward/2026-11-26/BNB/u-1001", Day: "2026-11-26", Asset: "BNB",
		Account: "u-1001", Amount: "0.00000879", Paid: paid}
	next := one
	next.Number, next.ID, next.Account = 4712, "reward/2026-11-26/BNB/u-1002", "u-1002"
	batch := payout.Batch{First: 4700, Last: 4711, Day: "2026-11-26", Asset: "BNB", Total: "0.0125"}
	page := payout.Page{Payouts: []payout.Payout{one, next}, Batches: []payout.Batch{batch}}
	messages := testkit.Must(page.Messages())(t)
	var ids, keys, texts []string
	for _, m := range messages {
		ids, keys, texts = append(ids, m.ID), append(keys, m.Key), append(texts, string(m.Text))
	}
	if diff := cmp.Diff([]string{one.ID, "batch/4700", next.ID}, ids); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"u-1001", "batch/4700", "u-1002"}, keys); diff != "" {
		t.Error(diff)
	}
	docs := testkit.Must(os.ReadFile("../docs/join.md"))(t)
	_, example, _ := strings.Cut(string(docs), "```json payout\n")
	example, _, _ = strings.Cut(example, "\n```")
	if diff := cmp.Diff(example, strings.Join(texts[:2], "\n")); diff != "" {
		t.Errorf("docs/join.md: %s", diff)
	}
}
