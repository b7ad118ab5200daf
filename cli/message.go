package cli

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"unicode"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/history"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// hints are what a person may do about an error, by its reason (ledger.Error). The packages
// that find an error know no command.
var hints = map[string]string{
	ledger.ReasonUnknownAsset: `add it with "softstake asset add"`,
	staking.ReasonNoResidence: `set it with "softstake account set-region"`,
	history.ReasonTooLong:     `if not, give --from and --to`,
	history.ReasonZone:        `say which it is with --utc-offset, such as --utc-offset=+02:00`,
}

// kinds is the one table of the kinds of error: the word by which programs tell them apart
// in JSON, and what a person may do about each, where no reason says it more exactly.
var kinds = []struct {
	kind error
	word string
	hint string
}{
	{ledger.ErrInvalid, "invalid", ""},
	{ledger.ErrInsufficient, "insufficient", ""},
	{ledger.ErrConflict, "mismatch", ""},
	{ledger.ErrEnded, "mismatch", ""},
	{ledger.ErrNotRequested, "mismatch", ""},
	{ledger.ErrDayClosed, "day_closed", ""},
	{ledger.ErrNotFound, "not_found", ""},
	{ledger.ErrFrozen, "frozen", ""},
	{ledger.ErrOverflow, failed, ""},
	{access.ErrUnknown, failed, ""},
	{access.ErrSignature, failed, ""},
	{access.ErrAddress, failed, ""},
	{access.ErrForbidden, failed, ""},
	{staking.ErrRegion, failed, ""},
	{staking.ErrUnknownCountry, failed, ""},
	{staking.ErrUpdateApp, failed, ""},
	{staking.ErrDocuments, failed, ""},
	{staking.ErrFunds, failed, ""},
	{staking.ErrLimit, failed, ""},
	{db.ErrInsecure, failed, "or allow it with --insecure"},
}

// failed is the word for what is no kind of error that a caller can correct.
const failed = "failed"

// wordOf is an error's word, for programs.
func wordOf(err error) string {
	for _, k := range kinds {
		if errors.Is(err, k.kind) {
			return k.word
		}
	}
	return failed
}

// hintOf is what a person may do about an error, or "".
func hintOf(err error) string {
	var e *ledger.Error
	if errors.As(err, &e) && hints[e.Reason] != "" {
		return hints[e.Reason]
	}
	for _, k := range kinds {
		if errors.Is(err, k.kind) {
			return k.hint
		}
	}
	return ""
}

// statusOf is the exit status of a command that ended with an error.
func statusOf(err error) int {
	if _, is := errors.AsType[*usageError](err); is {
		return 2
	}
	return 1
}

// sentence is an error as a person reads it who has given a command.
func sentence(w *World, err error) string {
	if errors.Is(err, context.Canceled) && w.Context.Err() != nil {
		return "interrupted; run it again to go on"
	}
	return plain(err)
}

// plain is an error with its hint, and without any password.
func plain(err error) string {
	text := redact(err.Error())
	if errors.Is(err, ledger.ErrInvalid) {
		text = strings.Replace(text, ledger.ErrInvalid.Error()+": ", "", 1)
	}
	if hint := hintOf(err); hint != "" {
		text += "; " + hint
	}
	return text
}

var (
	passwordInURL = regexp.MustCompile(`(://[^:/@\s]*:)\S*@`)
	passwordInKey = regexp.MustCompile(`(?i)(password=)[^&\s]*`)
)

// redact takes passwords out of a text that may have the address of books in it.
func redact(text string) string {
	return passwordInKey.ReplaceAllString(passwordInURL.ReplaceAllString(text, "${1}xxxxx@"), "${1}xxxxx")
}

// printable is a text with a mark in the place of what would steer a terminal:
// control characters but for tab and line end, and those that turn the direction
// of writing. Names and texts may come from a database that somebody else wrote.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case ledger.Steers(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// oneLine is a printable text that stays on its line.
func oneLine(text string) string {
	return strings.NewReplacer("\n", " ", "\t", " ").Replace(printable(text))
}
