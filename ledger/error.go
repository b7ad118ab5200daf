package ledger

import "fmt"

// ErrorKind is what kind of thing is wrong: a front end chooses a status and its words by
// it. A kind is an error itself, and errors.Is(err, kind) holds for every Error of the kind.
type ErrorKind string

// The kinds of error of bookkeeping. Other packages add their own.
const (
	ErrInvalid      ErrorKind = "invalid"
	ErrInsufficient ErrorKind = "insufficient balance"
	ErrMismatch     ErrorKind = "the same ID was used before with other content"
	ErrDayClosed    ErrorKind = "the day is closed"
	ErrNotFound     ErrorKind = "not found"
	ErrFrozen       ErrorKind = "the account is frozen"
)

func (k ErrorKind) Error() string { return string(k) }

// Error is something wrong that the caller can correct. It names no command, no page and no
// route: each front end adds its own hint, by Kind and Reason.
type Error struct {
	Kind   ErrorKind
	Reason string // what exactly, where a front end has a hint for it: "unknown-asset"; else ""
	Field  string // of the input, as it is spelled in JSON: "moves[2].amount"; "": the whole input
	Detail string // a sentence for a person, without the kind
}

func (e *Error) Error() string { return string(e.Kind) + ": " + e.Detail }

// Is is true for the error's kind.
func (e *Error) Is(target error) bool { return target == error(e.Kind) }

// In is an Error of this kind about a field of the input; "" is the whole input.
func (k ErrorKind) In(field, format string, args ...any) *Error {
	return &Error{Kind: k, Field: field, Detail: fmt.Sprintf(format, args...)}
}

// Because adds the reason, by which a front end finds its hint.
func (e *Error) Because(reason string) *Error {
	e.Reason = reason
	return e
}
