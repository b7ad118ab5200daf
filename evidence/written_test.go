package evidence_test

import (
	"errors"
	"testing"
	"time"

	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestWhatIsWrittenLater: an acceptance that an exchange sends of a day that has its record is in the record of the day
// on which it is written. No record is made of a settled day that was not declared.
func TestWhatIsWrittenLater(t *testing.T) {
	books, clock := books(t, "sqlite", town)
	signer, notes := newSigner(t), []string(nil)
	evidence.SetLayout(t, 2)
	live(t, books, clock, 3, func() {
		if len(notes) == 1 {
			evidence.SetLayout(t, 3)
			for _, o := range testkit.Must(books.EnrollBatch(t.Context(), []store.EnrollRequest{{Account: town.Holder(9),
				Accepted: []store.DocumentVersion{{Name: "risk-warning"}}, AcceptedAt: clock.Now().Add(-26 * time.Hour)}}))(t) {
				ok(t, o.Err)
			}
		}
		makeAll(t, books)
		notes = append(notes, sign(t, books, signer).Note)
	})
	if found := check(t, books, signer, notes...).Findings; len(found) > 0 {
		t.Errorf("an acceptance of an earlier day is found: %v", found)
	}
	exec(t, books, "UPDATE acceptances SET accepted_at = accepted_at + 1 WHERE recorded_at > accepted_at")
	found := check(t, books, signer, notes...).Findings
	if want := town.Last + 3; len(found) != 1 || found[0].Day != want || found[0].Kind != "acceptances/3" {
		t.Errorf("found %v, want acceptances of %s", found, want)
	}

	exec(t, books, "INSERT INTO settled (asset, day, settled_at) VALUES ('BNB', 30000, 0)")
	clock.Forward(clock.Now().Add(24 * time.Hour))
	testkit.Must(staking.Run(t.Context(), books, clock.Now(), staking.Options{Workers: 1}))(t)
	if n, err := books.Evidence().Make(t.Context()); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("%d records are made: %v", n, err)
	}
}
