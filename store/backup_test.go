package store_test

import (
	"testing"
	"time"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestTheLastBackupIsKept: none, one, and a later one instead of it.
func TestTheLastBackupIsKept(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		rs := reports.New(db.Reader())
		if last, err := rs.LastBackup(t.Context()); err != nil || !last.At.IsZero() {
			t.Errorf("before the first: %v %v", last, err)
		}
		for _, bytes := range []int64{4096, 8192} {
			clock.Advance(time.Hour)
			if err := db.RecordBackup(t.Context(), bytes); err != nil {
				t.Fatal(err)
			}
			last, err := rs.LastBackup(t.Context())
			if err != nil || last != (store.Backup{At: db.Now(), Bytes: bytes}) {
				t.Errorf("it is %v, and not of %s: %v", last, db.Now(), err)
			}
		}
	})
}
