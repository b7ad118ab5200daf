package staking

import (
	"regexp"

	"github.com/softstake/softstake/ledger"
)

var labelForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,31}$`)

// CheckLabel is ledger.ErrInvalid unless a label of accounts has 1 to 32 characters of a-z 0-9 . _ and -,
// the first of them a letter or a digit.
func CheckLabel(label string) error {
	if !labelForm.MatchString(label) {
		return ledger.ErrInvalid.In("", "label %q: it has 1 to 32 characters of a-z 0-9 . _ and -, and begins with "+
			"a letter or a digit", ledger.Clip(label))
	}
	return nil
}
