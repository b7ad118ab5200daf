package ledger

import (
	"errors"
	"fmt"
	"strings"
)

// ErrorKind is the kind of an error: an API maps it to a status and to words. A kind is an
// error itself, and errors.Is(err, kind) holds for every Error of the kind. Kinds are
// compared by their text, so no two packages may use the same.
type ErrorKind string

// The kinds of error of bookkeeping. Other packages add their own.
const (
	ErrInvalid      ErrorKind = "invalid"
	ErrInsufficient ErrorKind = "insufficient balance"
	ErrConflict     ErrorKind = "already exists with different content"
	ErrEnded        ErrorKind = "has ended already"
	ErrNotRequested ErrorKind = "not what was requested"
	ErrDayClosed    ErrorKind = "the day is closed"
	ErrNotFound     ErrorKind = "not found"
	ErrFrozen       ErrorKind = "the account is frozen"
	ErrOverflow     ErrorKind = "amount does not fit 63 bits"
)

// ReasonUnknownAsset is a reason of ErrInvalid: the books do not have the asset yet.
const ReasonUnknownAsset = "unknown-asset"

func (k ErrorKind) Error() string { return string(k) }

// Error is an error that the caller can correct. It names no command, no page and no route:
// each API adds its own hint, by Kind and Reason. It is not changed after it is returned.
type Error struct {
	Kind   ErrorKind
	Reason string // the exact cause, if an API has a hint for it: "unknown-asset"; else ""
	Field  string // of the input, as in JSON: "moves[2].amount"; "": the whole input, or none
	Detail string // a sentence for a person, without the kind
	Facts  []any  // what the hint of the reason names, in its order

	err  error // what the error was made from
	text bool  // the text is that of err, which has more than Detail
}

// Error is a sentence for a person: the kind and Detail. ErrInvalid is left out, since
// Detail alone is clear.
func (e *Error) Error() string {
	if e.text {
		return e.err.Error()
	}
	if e.Kind == ErrInvalid {
		return e.Detail
	}
	return string(e.Kind) + ": " + e.Detail
}

// Is reports whether target is the error's kind.
func (e *Error) Is(target error) bool { return target == error(e.Kind) }

// Unwrap is what the error was made from.
func (e *Error) Unwrap() error { return e.err }

// In is an Error of this kind about a field of the input; "" is the whole input, a single
// value, or the state of the books. The format is one of fmt.Errorf; %w wraps.
func (k ErrorKind) In(field, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: k, Field: field, Detail: err.Error(), err: err}
}

// Because sets the reason, by which an API finds its hint, and the facts that the hint names.
func (e *Error) Because(reason string, facts ...any) *Error {
	e.Reason, e.Facts = reason, facts
	return e
}

// At puts an error of a part of the input into the whole: in "moves[2]", the field "amount"
// becomes "moves[2].amount", and "" becomes "moves[2]". The text stays. nil, and what is
// neither an Error nor an ErrorKind, is returned as it is.
func At(path string, err error) error {
	var part *Error
	if kind := ErrorKind(""); !errors.As(err, &part) {
		if !errors.As(err, &kind) {
			return err
		}
		part = &Error{Kind: kind, Detail: err.Error()}
	}
	whole := *part
	whole.Field, whole.err, whole.text = join(path, part.Field), err, true
	return &whole
}

// Inside is the inverse of At: inside "moves[2]", the field "moves[2].amount" becomes
// "amount". Other errors are returned as they are.
func Inside(path string, err error) error {
	whole, is := errors.AsType[*Error](err)
	if !is || !strings.HasPrefix(whole.Field, path) {
		return err
	}
	part := *whole
	part.Field, part.err, part.text = strings.TrimPrefix(whole.Field[len(path):], "."), err, true
	return &part
}

// join is the path of a field of what lies at a path.
func join(path, field string) string {
	if path == "" || field == "" || strings.HasPrefix(field, "[") {
		return path + field
	}
	return path + "." + field
}

// Named is the text of an error with the field that it is about before it, as "amount: it is not above zero"; the text
// alone where it is about none.
func Named(err error) string {
	e, is := errors.AsType[*Error](err)
	if !is || e.Field == "" || strings.Contains(err.Error(), e.Field) {
		return err.Error()
	}
	return e.Field + ": " + err.Error()
}

// ReasonOf is the reason of the Error that an error is or wraps, or "".
func ReasonOf(err error) string {
	if e, is := errors.AsType[*Error](err); is {
		return e.Reason
	}
	return ""
}
