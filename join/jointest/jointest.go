// Package jointest is what the tests of sources share: what there is of a partition. It knows no source of its own.
package jointest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/join"
)

// atOnce is how many records are read at once: few, so that there is something between them.
const atOnce = 2

// Read reads what there is of a partition from a start on, confirms it, and closes the reader. What was read before an
// error is returned too. A reader that says where the partition ended must say the place of the last record.
func Read(t testing.TB, s join.Source, partition string, start join.Start) (all []join.Record, identity string,
	err error) {
	t.Helper()
	r, err := s.Open(t.Context(), partition, start)
	if err != nil {
		return nil, "", err
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	for {
		records, err := r.Next(t.Context(), atOnce)
		all = append(all, records...)
		if err != nil || len(records) == 0 {
			if e, is := r.(interface{ End() join.Place }); is && err == nil && len(all) > 0 && e.End() != all[len(all)-1].Place {
				t.Errorf("%s ended at %s when it was opened, and its last record is at %s", partition, e.End(),
					all[len(all)-1].Place)
			}
			return all, r.Identity(), err
		}
		r.Confirm(all[len(all)-1].Place)
	}
}

// Short are records as texts, which a test compares.
func Short(records []join.Record, short func(join.Record) string) (all []string) {
	for _, r := range records {
		all = append(all, short(r))
	}
	return all
}

// Is ends the test unless records are some texts.
func Is(t testing.TB, records []join.Record, short func(join.Record) string, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, Short(records, short)); diff != "" {
		t.Fatal(diff)
	}
}
