package cli

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"unicode"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/history"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// sentence is an error as a person reads it: without the sentinel's own word
// where the rest says it all, and without any password.
func sentence(w *World, err error) string {
	if errors.Is(err, context.Canceled) && w.Context.Err() != nil {
		return "interrupted; run it again to go on"
	}
	text := strings.TrimPrefix(plain(err), errUsage.Error()+": ")
	if errors.Is(err, db.ErrInsecure) {
		text += "; or allow it with --insecure"
	}
	return text
}

// plain is an error's text with what to do about it, without the words that only sort errors.
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

// hints say what to do at the command line, by an error's reason.
var hints = map[string]string{
	ledger.ReasonUnknownAsset: `add it with "softstake asset add"`,
	staking.ReasonNoResidence: `set it with "softstake account set-region"`,
	history.ReasonTooLong:     `if not, give --from and --to`,
	history.ReasonZone:        `say which it is with --utc-offset, such as --utc-offset=+02:00`,
}

// hintOf is what to do about an error at the command line, or "".
func hintOf(err error) string {
	if e, is := errors.AsType[*ledger.Error](err); is {
		return hints[e.Reason]
	}
	return ""
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

// reason is an error's sort, for programs.
func reason(err error) string {
	for _, r := range []struct {
		error
		name string
	}{
		{ledger.ErrInvalid, "invalid"},
		{ledger.ErrInsufficient, "insufficient"},
		{ledger.ErrConflict, "mismatch"},
		{ledger.ErrDayClosed, "day_closed"},
		{ledger.ErrNotFound, "not_found"},
	} {
		if errors.Is(err, r.error) {
			return r.name
		}
	}
	return "failed"
}
