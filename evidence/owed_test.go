package evidence_test

import (
	"slices"
	"testing"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// checkOwed checks that the audit derives what the records say is owed from the other side of the books, and finds a
// record by which a holder has one unit less, or is left out.
func checkOwed(t *testing.T, books *store.DB) {
	t.Helper()
	audited := func() []audit.Finding {
		t.Helper()
		return testkit.Must(audit.Run(t.Context(), reports.AuditOf(books.Reader()), audit.Options{Workers: 2}))(t).Findings
	}
	if found := audited(); len(found) > 0 {
		t.Fatalf("in good books the audit finds %v", found)
	}
	texts := testkit.Must(books.Evidence().All(t.Context()))(t)
	record := testkit.Must(evidence.ParseRecord(texts[len(texts)-1]))(t)
	write := func(text string) {
		t.Helper()
		ok(t, books.Engine().Write(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec("UPDATE records SET body = $1 WHERE day = $2", text, int64(record.Day))
			return err
		}))
	}
	l := record.Liabilities[0] // of one token: an audit takes seconds on PostgreSQL
	for _, less := range []uint64{1, l.Root.Sum} {
		changed := record
		changed.Liabilities = slices.Clone(record.Liabilities)
		changed.Liabilities[0].Root.Sum -= less
		write(changed.String())
		found := audited()
		if len(found) != 1 || found[0].Rule != audit.RuleOwed || found[0].Day != record.Day || found[0].Asset != l.Asset {
			t.Errorf("the record of %s says %d less of %s; found is %v", record.Day, less, l.Asset, found)
		}
	}
	write(record.String())
}
