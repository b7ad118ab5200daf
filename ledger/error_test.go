package ledger_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/softstake/softstake/ledger"
)

// The field of an error grows from the inside out, whatever is said around it.
func TestFieldsOfErrors(t *testing.T) {
	amount := ledger.ErrInvalid.In("amount", "it is not above zero").Because("zero")
	for _, c := range []struct {
		err               error
		field, text, hint string
	}{
		{amount, "amount", "it is not above zero", "zero"},
		{ledger.At("moves[2]", amount), "moves[2].amount", "it is not above zero", "zero"},
		{ledger.At("entries", ledger.At("[1]", fmt.Errorf("entry x: %w", amount))), "entries[1].amount",
			"entry x: it is not above zero", "zero"},
		{fmt.Errorf("post: %w", ledger.At("day", ledger.ErrNotFound.In("", "it is no day"))), "day",
			"post: not found: it is no day", ""},
		{ledger.At("total", fmt.Errorf("the sum: %w", ledger.ErrOverflow)), "total",
			"the sum: amount does not fit 63 bits", ""},
	} {
		e, is := errors.AsType[*ledger.Error](c.err)
		if !is || e.Field != c.field || c.err.Error() != c.text || e.Reason != c.hint {
			t.Errorf("%#v: %q; want the field %s, the text %q and the reason %q", e, c.err, c.field, c.text, c.hint)
		}
	}
	whole := ledger.At("moves[0]", amount)
	for path, want := range map[string]string{"moves[0]": "amount", "moves[1]": "moves[0].amount"} {
		if e, is := errors.AsType[*ledger.Error](ledger.Inside(path, whole)); !is || e.Field != want ||
			e.Error() != whole.Error() {
			t.Errorf("inside %s: %#v; want the field %s", path, e, want)
		}
	}
	if amount.Field != "amount" {
		t.Errorf("an error was changed by what was put around it: its field is %s", amount.Field)
	}
	for _, err := range []error{nil, io.EOF} {
		if got := ledger.At("day", err); got != err {
			t.Errorf("%v became %v, and is nobody's input", err, got)
		}
	}
}

// An error is of its kind, and is what it was made from.
func TestKindsOfErrors(t *testing.T) {
	err := ledger.At("size",
		fmt.Errorf("add: %w", ledger.ErrConflict.In("", "it has %d bytes: %w", 9, ledger.ErrOverflow)))
	for kind, want := range map[error]bool{
		ledger.ErrConflict: true, ledger.ErrOverflow: true, ledger.ErrInvalid: false,
		ledger.ErrNotFound: false, io.EOF: false,
	} {
		if errors.Is(err, kind) != want {
			t.Errorf("%q is %q: %v; want %v", err, kind, !want, want)
		}
	}
}
