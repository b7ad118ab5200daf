package client

import (
	"errors"
	"fmt"
	"strings"
)

// Error is an answer that refuses a request, or says that it failed. Where the answer is not the
// server's (a proxy's), it has a Status and a Detail alone.
type Error struct {
	// Status is the HTTP status.
	Status int
	// Type is the problem's type, such as "insufficient-balance"; /v1/docs lists them. It never changes.
	Type string
	// Title is the type in words.
	Title string
	// Detail is what happened, for people. Its words may change.
	Detail string
	// Field is what is at fault, where one thing is: a path in the body, or the name of a parameter.
	Field string
	// Request is the request's ID, which is in the server's log.
	Request string
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%d", e.Status)
	for _, part := range []string{e.Type, e.Field, e.Detail} {
		if part != "" {
			text += ": " + part
		}
	}
	return text
}

// Is reports whether an error is an *Error of a type, such as "insufficient-balance".
func Is(err error, problem string) bool {
	e := (*Error)(nil)
	return errors.As(err, &e) && e.Type == problem
}

// NeedsApproval says that nothing was done yet: another person must approve what was asked, which is
// kept as a proposal.
type NeedsApproval struct{ Proposal Proposal }

func (e *NeedsApproval) Error() string {
	return "it needs approval: proposal " + e.Proposal.ID
}

// problem is the body of an answer that refuses (RFC 9457).
type problem struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Detail  string `json:"detail"`
	Field   string `json:"field"`
	Request string `json:"request"`
}

func (p problem) err(status int) *Error {
	_, name, _ := strings.Cut(p.Type, "#")
	return &Error{status, name, p.Title, p.Detail, p.Field, p.Request}
}
