package cli

import (
	"errors"
	"fmt"
	"testing"

	"github.com/softstake/softstake/ledger"
)

// An error's problem type, and what a person should do, come from its kind
// and reason alone: other words change neither.
func TestAnErrorsWordsChooseNothing(t *testing.T) {
	for _, c := range []struct {
		err  error
		word string
		hint string
	}{
		{ledger.ErrInvalid.In("moves[0].asset", "asset %q is unknown", "NONE").Because(ledger.ReasonUnknownAsset), "invalid", `add it with "softstake asset add"`},
		{ledger.ErrInvalid.In("", "the same ID was used before with different content"), "invalid", ""},
		{ledger.ErrConflict.In("id", "invalid: the day is closed"), "conflict", ""},
		{ledger.ErrDayClosed, "day-closed", ""},
		{errors.New("not found"), failed, ""},
	} {
		for _, err := range []error{c.err, fmt.Errorf("post 2 entries: %w", c.err),
			errors.Join(errors.New("insufficient balance"), c.err)} {
			if word, hint, status := problemType(err), hintOf(err), statusOf(err); word != c.word || hint != c.hint ||
				status != 1 {
				t.Errorf("%v: word %q, hint %q, exit status %d", err, word, hint, status)
			}
		}
		if status := statusOf(fmt.Errorf("read: %w", usage("--limit: %w", c.err))); status != 2 {
			t.Errorf("%v in a flag: exit status %d", c.err, status)
		}
	}
}

// A sentence has no word that only sorts errors, and ends with what to do.
func TestAnErrorAsAPersonReadsIt(t *testing.T) {
	unknown := ledger.ErrInvalid.In("moves[0].asset", "asset %q is unknown", "NONE").Because(ledger.ReasonUnknownAsset)
	for err, want := range map[error]string{
		fmt.Errorf("line 2: %w", unknown):                         `line 2: asset "NONE" is unknown; add it with "softstake asset add"`,
		usage("--asset: %w", unknown):                             `--asset: asset "NONE" is unknown; add it with "softstake asset add"`,
		ledger.ErrNotFound.In("account", "account %q", "bob"):     `not found: account "bob"`,
		errors.New("open postgres://olga:s3cr3t@host/books: EOF"): "open postgres://olga:xxxxx@host/books: EOF",
	} {
		if got := plain(err); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
