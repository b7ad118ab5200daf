package cli

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/comparison"
	"github.com/softstake/softstake/consent"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/history"
	"github.com/softstake/softstake/idempotency"
	"github.com/softstake/softstake/join/address"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/simulation"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// hints are what a person may do about an error, by its reason (ledger.Error). The packages
// that find an error know no command.
var hints = map[string]string{
	ledger.ReasonUnknownAsset:     `add it with "softstake asset add"`,
	staking.ReasonNoResidence:     `set it with "softstake account set-region"`,
	staking.ReasonFunds:           `fund it with "softstake fund %s %s"`,
	staking.ReasonBreak:           `see "softstake reconcile show %d", then correct either ledger and reconcile %s again, or say why with "softstake reconcile resolve"`,
	staking.ReasonUncompared:      `compare %s with "softstake reconcile", or say with "softstake reconcile release" why %s is paid without that`,
	comparison.ReasonNoSource:     `give a file, --ledger, --endpoint or --topic, or set it with "softstake reconcile set"`,
	staking.ReasonLimit:           `look at it with "softstake settle --preview", then approve it with "softstake settle --approve %s %s" or correct its terms`,
	history.ReasonTooLong:         `if not, give --from and --to`,
	history.ReasonZone:            `say which it is with --utc-offset, such as --utc-offset=+02:00`,
	store.ReasonUnknownAccount:    `open it with "softstake account open"`,
	consent.ReasonUnknownDocument: `see "softstake documents list"`,
	people.ReasonUnknownKey:       `see "softstake key list"`,
	people.ReasonUnknownLogin:     `see "softstake login list"`,
	store.ReasonUnknownRegion:     `see "softstake region list"`,
	people.ReasonUnknownToken:     `see "softstake token list"`,
	store.ReasonOtherResidence:    `change it with "softstake account set-region"`,
	store.ReasonOtherOwner:        `set it with "softstake owner set"`,
	store.ReasonTokenExists:       `terms are changed with "softstake terms set"`,
	store.ReasonDamaged:           `see "softstake audit"`,
	people.ReasonTooManyKeys:      `revoke one first, with "softstake key revoke"`,
	people.ReasonDeadKey:          `make another with "softstake key create"`,
	store.ReasonDayBegun:          `a day that is over is corrected with "softstake terms correct"`,
	store.ReasonDayNotOver:        `set terms from tomorrow on with "softstake terms set"`,
	store.ReasonNotAccrued:        `settle first with "softstake settle", and look at the total`,
	store.ReasonDeclared:          `correct single balances with "softstake adjust"`,
	simulation.ReasonUnpaid:       `see "softstake status"`,
	evidence.ReasonRecordsChanged: `compare them with "softstake audit --anchors"`,
	evidence.ReasonNoRecords:      `records are made with "softstake anchor make"`,
	evidence.ReasonNotSigned:      `sign it with "softstake anchor make --anchor-key FILE"`,
	store.ReasonNotCopied:         `run "softstake restore" again`,
	store.ReasonNotAudited:        `look with "softstake audit", or run "softstake restore" again`,
	store.ReasonFindings:          `the books stay closed to every command but "softstake audit"`,

	store.ReasonOtherTarget: `use another name, or say with --from from which number on it is delivered there`,

	people.ReasonAnothersToken: `let that person ask for it, or log in to the console: "softstake staff add"`,

	control.ReasonNoPerson:     `make a token that does with "softstake token create --person NAME"`,
	control.ReasonOwn:          `ask somebody else`,
	control.ReasonEffect:       `if that is right, approve it with "softstake proposal approve %s --effect %s"`,
	control.ReasonEnded:        `see "softstake token list"`,
	control.ReasonNotLooked:    `look at it with "softstake proposal show", and name its digest with --effect`,
	control.ReasonDecided:      `see "softstake proposal list --state all"`,
	control.ReasonExpired:      `see "softstake proposal list --state all"`,
	store.ReasonUnknownWebhook: `see "softstake webhook list"`,
	store.ReasonUnknownMessage: `see "softstake webhook messages"; those of events are kept for seven days`,
	control.ReasonUnknown:      `see "softstake proposal list --state all"`,
}

// kinds is the one table of the kinds of error: the problem type by which programs distinguish
// them, as /v1 calls it, and what a person may do about each, where no reason says it more exactly.
var kinds = []struct {
	kind error
	typ  string
	hint string
}{
	{ledger.ErrInvalid, "invalid", ""},
	{ledger.ErrInsufficient, "insufficient-balance", ""},
	{ledger.ErrConflict, "conflict", ""},
	{ledger.ErrEnded, "conflict", ""},
	{ledger.ErrNotRequested, "conflict", ""},
	{ledger.ErrDayClosed, "day-closed", ""},
	{ledger.ErrNotFound, "not-found", ""},
	{ledger.ErrFrozen, "account-frozen", ""},
	{ledger.ErrOverflow, failed, ""},
	{access.ErrUnknown, failed, ""},
	{access.ErrSignature, failed, ""},
	{access.ErrAddress, failed, ""},
	{access.ErrCeiling, failed, ""},
	{access.ErrForbidden, failed, ""},
	{staking.ErrRegion, failed, ""},
	{staking.ErrUnknownCountry, failed, ""},
	{staking.ErrUpdateApp, failed, ""},
	{staking.ErrDocuments, failed, ""},
	{staking.ErrFunds, failed, ""},
	{staking.ErrLimit, failed, ""},
	{staking.ErrUndivided, failed, ""},
	{staking.ErrBreak, failed, ""},
	{staking.ErrUncompared, failed, ""},
	{store.ErrNoBooks, failed, `make them with "softstake init"`},
	{store.ErrRealBooks, failed, `"softstake init --test-clock" marks new ones`},
	{store.ErrUnfinished, failed, ""},
	{store.ErrFindings, failed, ""},
	{idempotency.ErrInFlight, failed, ""},
	{db.ErrOlder, failed, `make a backup with the former softstake, stop it everywhere, and run "softstake upgrade"`},
	{control.ErrNeedsApproval, failed, ""},
	{control.ErrEffect, failed, ""},
	{control.ErrNotOpen, failed, ""},
	{db.ErrRights, failed, `"init", "upgrade" and "restore" need the owner of the tables, who gives a role what all else needs ` +
		`with "softstake upgrade --app-role NAME"`},
	{db.ErrInsecure, failed, "or allow it with --insecure"},
	{address.ErrInsecure, failed, "or allow it with --insecure"},
}

// failed is the problem type of what a caller cannot correct.
const failed = "failed"

// problemType is an error's problem type, for programs.
func problemType(err error) string {
	for _, k := range kinds {
		if errors.Is(err, k.kind) {
			return k.typ
		}
	}
	return failed
}

// hintOf is what a person may do about an error, or "".
func hintOf(err error) string {
	if e, is := errors.AsType[*ledger.Error](err); is && hints[e.Reason] != "" {
		return fmt.Sprintf(hints[e.Reason], e.Facts...)
	}
	if p, is := errors.AsType[*proposedError](err); is {
		return fmt.Sprintf("another person looks at it, and approves it with \"softstake proposal approve %s\"",
			p.proposal.ID)
	}
	if m, is := errors.AsType[*db.MissingError](err); is {
		return fmt.Sprintf("make books with \"softstake init --db sqlite:%s\"", m.Path)
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
	if _, is := errors.AsType[*proposedError](err); is {
		return 3
	}
	return 1
}

// sentence is an error as a person reads it who has given a command.
func sentence(env *Env, err error) string {
	if errors.Is(err, context.Canceled) && env.Context.Err() != nil {
		return "interrupted; run it again to go on"
	}
	return plain(err)
}

// plain is an error with its hint, and without any password.
func plain(err error) string {
	text := redact(err.Error())
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
