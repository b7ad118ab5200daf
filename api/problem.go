package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/idempotency"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/strictjson"
)

// Problem is why a request was refused, or what failed (RFC 9457).
type Problem struct {
	Type    string `json:"type" format:"uri-reference" example:"/v1/docs#insufficient-balance" doc:"The problem type. It never changes, and leads to its description."`
	Title   string `json:"title" example:"Insufficient balance" doc:"The problem type in words; the same for all of its type."`
	Status  int    `json:"status" example:"409" doc:"The HTTP status."`
	Detail  string `json:"detail" example:"entry w-1: alice has not enough BNB." doc:"What happened, and what to do about it, for people. Its words may change."`
	Field   string `json:"field,omitempty" example:"entries[3].moves[0].amount" doc:"What is at fault, where one thing is: the path in the body, or the name of a parameter or header."`
	Request string `json:"request" example:"YJ5GQZ3NCMFWBJ7LVQZ2HDLU5Y" doc:"The request's ID. It is in the log, and in the header X-Request-Id."`

	headers   http.Header
	permanent bool // neither time nor another request can cure it: the request itself is wrong
}

const problemContent = "application/problem+json"

// Why a request is refused that has nothing to do with the books.
const (
	errMethod    ledger.ErrorKind = "the method is not known here"
	errTimeout   ledger.ErrorKind = "the body has not come"
	errTooLarge  ledger.ErrorKind = "the body is too large"
	errMediaType ledger.ErrorKind = "the body is of another type"
	errKeyUsed   ledger.ErrorKind = "the Idempotency-Key was used before with another request"
	errInUse     ledger.ErrorKind = "it is still in use"
	errStreams   ledger.ErrorKind = "there are as many streams of events as this server, or your token, has at once; " +
		"come again later"
)

var errNowhere = ledger.ErrNotFound.In("", "there is no such path; /v1/docs lists those that there are")

// hints are what to do through this API, by an error's reason.
var hints = map[string]string{
	ledger.ReasonUnknownAsset: "GET /v1/tokens lists them",
	store.ReasonNotAccrued:    "POST /v1/runs works it out",
	access.ReasonFactor:       "whoever logs in to the account adds a passkey or an authenticator app on the pages",
}

// problemType is a line of the one table from error to status. Its name never changes.
type problemType struct {
	name   string
	err    error // the kind of error
	status int
	title  string
	about  string // what it means and what to do, for the documentation
	retry  int    // Retry-After in seconds; 0: none
}

// internal is the type of an internal error.
var internal = problemType{"internal", nil, http.StatusInternalServerError, "Internal error",
	"Something failed here. It is logged under the request's ID. Nothing is known of what became of the request; " +
		"the same request may be made again: repeating an entry of the same ID has no further effect, " +
		"and so is a POST under the same Idempotency-Key.", 0}

// problemTypes are searched in order: a more special kind comes before one that
// may wrap it.
var problemTypes = []problemType{
	{"unauthorized", access.ErrUnknown, http.StatusUnauthorized, "Unauthorized",
		"The header `Authorization: Bearer` is missing, or its token is unknown, revoked or expired, " +
			"or needs a client certificate that did not come with it.", 0},
	{"forbidden", access.ErrForbidden, http.StatusForbidden, "Forbidden",
		"The token is valid, and its role may not do this, or the token is not allowed from this address. " +
			"Each operation says who may call it.", 0},
	{"ceiling", access.ErrCeiling, http.StatusForbidden, "Ceiling reached",
		"The token has done what it may on this day (UTC), or the account's daily limit is reached; `detail` says what is " +
			"left, and when it begins again. " +
			"Nothing of the entry was posted, and nothing was compared.", 0},
	{"forbidden", access.ErrAddress, http.StatusForbidden, "Forbidden", "", 0},
	{"update-app", staking.ErrUpdateApp, http.StatusForbidden, "Update the app",
		"The client that was used is too old to switch Soft Staking on. Its holder updates it first.", 0},
	{"region", staking.ErrRegion, http.StatusUnavailableForLegalReasons, "Not offered in this region",
		"Soft Staking is not offered where the holder resides, or where the request comes from, " +
			"or no residence is verified.", 0},
	{"unknown-country", staking.ErrUnknownCountry, http.StatusUnavailableForLegalReasons, "Country not known",
		"The operator wants to know the country that a holder switches on from, " +
			"and no trusted proxy has named one that exists: the header was missing, unreadable, T1 (Tor) or XX, " +
			"or the client did not come through the proxy. An exchange names its holder's in `client.country`. " +
			"Switching off always works.", 0},
	{"documents", staking.ErrDocuments, http.StatusConflict, "Documents not accepted",
		"The holder accepts the current version of each document first, and then switches on.", 0},
	{"method", errMethod, http.StatusMethodNotAllowed, "Method not allowed",
		"The path is known, and the method is not. The header `Allow` names those that are.", 0},
	{"timeout", errTimeout, http.StatusRequestTimeout, "Body not received in time",
		"The body did not come within its time. Nothing was done; make the same request again.", 0},
	{"too-large", errTooLarge, http.StatusRequestEntityTooLarge, "Body too large",
		"Send less at once. Each operation with a larger limit than the usual one says so.", 0},
	{"media-type", errMediaType, http.StatusUnsupportedMediaType, "Unsupported media type",
		"Bodies are `application/json`, in UTF-8, and not compressed.", 0},
	{"idempotency-key", errKeyUsed, http.StatusUnprocessableEntity, "Idempotency-Key used before",
		"The same key came before with another method, path, query or body. Nothing was done. " +
			"Use a new key for a new request.", 0},
	{"in-progress", idempotency.ErrInFlight, http.StatusConflict, "The same request is being answered",
		"A request under the same Idempotency-Key is being answered at this moment. " +
			"Make it again after the seconds of `Retry-After`.", 1},
	{"insufficient-balance", ledger.ErrInsufficient, http.StatusConflict, "Insufficient balance",
		"The account has not enough. Nothing of the entry was posted; the same entry may be posted again when it has.",
		0},
	{"account-frozen", ledger.ErrFrozen, http.StatusConflict, "Account frozen",
		"An operator has frozen the account: nothing leaves it, and where its earning is stopped Soft Staking cannot " +
			"be switched on. The same request may be made again when it is unfrozen.", 0},
	{"conflict", ledger.ErrConflict, http.StatusConflict, "Used before with different content",
		"The ID was used before, for something else. What was posted first is unchanged. " +
			"Use a new ID for what is new.", 0},
	{"conflict", ledger.ErrEnded, http.StatusConflict, "Used before with different content", "", 0},
	{"conflict", ledger.ErrNotRequested, http.StatusConflict, "Used before with different content", "", 0},
	{"day-closed", ledger.ErrDayClosed, http.StatusConflict, "The day is closed",
		"The entry is dated on a day that takes no entries any more. `detail` names the first moment that is open.", 0},
	{"needs-approval", control.ErrNeedsApproval, http.StatusConflict, "Needs approval",
		"Another person must approve it, and it stands with others in one request. Make it a request of its own, " +
			"which becomes a proposal.", 0},
	{"effect", control.ErrEffect, http.StatusConflict, "The effect has changed",
		"The proposal would not do any more what was looked at; nothing was done. `detail` says what it would do now. " +
			"Read the proposal, and approve it with the new digest, which `detail` ends with.", 0},
	{"not-open", control.ErrNotOpen, http.StatusConflict, "The proposal is not open",
		"It was executed or rejected before, or is expired. What is still wanted is proposed again.", 0},
	{"in-use", errInUse, http.StatusConflict, "Still in use",
		"The account cannot be closed yet; `detail` says what keeps it open.", 0},
	{"not-found", ledger.ErrNotFound, http.StatusNotFound, "Not found",
		"There is no such thing, or it is another holder's: which of both is not shown.", 0},
	{"invalid", ledger.ErrInvalid, http.StatusBadRequest, "Invalid request",
		"The request is not valid. `field` names the part at fault, if it is one.", 0},
	{"invalid", ledger.ErrOverflow, http.StatusBadRequest, "Invalid request", "", 0},
	{"upgrading", store.ErrSchema, http.StatusServiceUnavailable, "The books are being upgraded",
		"The server is older than the books, and is about to be replaced. Nothing was done; " +
			"make the same request again after the seconds of `Retry-After`.", 5},
	internal,
	// No operation has these.
	internal.of(access.ErrSignature), internal.of(staking.ErrFunds),
	internal.of(staking.ErrLimit), internal.of(staking.ErrUndivided), internal.of(staking.ErrBreak),
	internal.of(staking.ErrUncompared),
	internal.of(store.ErrNoBooks), internal.of(store.ErrRealBooks), internal.of(store.ErrUnfinished),
	internal.of(store.ErrFindings),
	{"busy", errStreams, http.StatusServiceUnavailable, "Too busy", "Too many requests are in flight. " +
		"Nothing was done; make the same request again after the seconds of `Retry-After`.", 10},
	{"too-many-requests", nil, http.StatusTooManyRequests, "Too many requests",
		"The credential has made more requests than it may, or a holder has named more recipients of transfers. " +
			"Nothing was done; make the same request again after the seconds of `Retry-After`.", 0},
}

// onlyIn are the operations that answer with a type of problem, for the description;
// one that is not here is possible for every operation that has its status.
var onlyIn = map[string][]string{
	"update-app":      {"set-activation"},
	"region":          {"set-activation"},
	"unknown-country": {"set-activation"},
	"documents":       {"set-activation"},
	"in-use":          {"close-account"},
	"needs-approval":  {"post-batch"},
	"effect":          {"approve-proposal"},
	"not-open":        {"approve-proposal", "reject-proposal"},
	"ceiling": {"post-entry", "post-batch", "request-withdrawal", "set-activation", "enroll-batch", "open-account",
		"set-region", "close-account"},
	"insufficient-balance": {"post-entry", "post-batch", "post-adjustment", "post-adjustments", "compensate",
		"request-withdrawal", "fund", "enter-income", "move-fees"},
	"account-frozen": {"post-entry", "post-batch", "request-withdrawal", "set-activation"},
	"day-closed":     {"post-entry", "post-batch"},
	"conflict": {"open-account", "add-token", "post-entry", "post-batch", "post-adjustment", "post-adjustments",
		"compensate", "request-withdrawal", "fund", "enter-income", "move-fees", "add-campaign",
		"end-campaign", "set-prices"},
}

// of is the type for another kind of error; it is described once.
func (p problemType) of(kind error) problemType {
	p.err, p.about = kind, ""
	return p
}

// in reports whether an operation that has the type's status may answer with it.
func (p problemType) in(operation string) bool {
	only, special := onlyIn[p.name]
	return !special || slices.Contains(only, operation)
}

// typeOf is an error's type of problem.
func typeOf(err error) problemType {
	if asks := (*tooMany)(nil); errors.As(err, &asks) {
		return problemTypes[len(problemTypes)-1]
	}
	for _, p := range problemTypes {
		if p.err != nil && errors.Is(err, p.err) {
			return p
		}
	}
	return internal
}

// valueOf is an error as a value, with its field, reason and detail. What is of a kind
// alone, or of none, says what its text says.
func valueOf(err error) *ledger.Error {
	if e, is := errors.AsType[*ledger.Error](err); is {
		return e
	}
	return &ledger.Error{Detail: err.Error()}
}

// detailOf is an error as sentences for a person, with what to do about it through this API.
func detailOf(err error) string {
	e := valueOf(err)
	if hint := hints[e.Reason]; hint != "" {
		return e.Detail + "; " + hint + "."
	}
	return e.Detail + "."
}

// transient is a refusal of a request that is well formed: of what is in the books, or of
// the time.
type transient struct{ error }

func (f transient) Unwrap() error { return f.error }

// permanent reports whether an error lies in the request itself, so that the same
// request is refused whenever it is made. What does not show where it lies does not count,
// nor what has a reason: that lies in the books.
func permanent(err error) bool {
	e := valueOf(err)
	if typeOf(err).name != "invalid" || e.Reason != "" || errors.As(err, &transient{}) {
		return false
	}
	return e.Field != "" || errors.As(err, new(*strictjson.Fault))
}

// problem is the problem document of an error. An internal error is logged, and the client
// gets no detail.
func (rd reader) problem(ctx context.Context, err error) *Problem {
	of, id := typeOf(err), access.CallerOf(ctx).Request
	p := &Problem{
		Type: "/v1/docs#" + of.name, Title: of.title, Status: of.status, Field: valueOf(err).Field, Request: id,
		headers: http.Header{}, permanent: permanent(err),
	}
	p.Detail = detailOf(err)
	if of.retry > 0 {
		p.headers.Set("Retry-After", strconv.Itoa(of.retry))
	}
	switch asks := (*tooMany)(nil); {
	case of.name == internal.name:
		p.Detail = internalDetail
		if ctx.Err() == nil { // else the client has gone away, and its request is logged
			rd.log.Error("a request failed", "request", id, "error", err)
		}
	case errors.As(err, &asks):
		p.headers.Set("Retry-After", strconv.Itoa(whole(asks.wait)))
	case of.err == store.ErrSchema:
		p.Detail = "The books are being upgraded; nothing was done; make the same request again."
	case of.err == access.ErrUnknown:
		p.headers.Set("WWW-Authenticate", `Bearer realm="softstake"`)
	}
	return p
}

// refuse answers with a problem.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := s.reader.problem(r.Context(), err)
	for name, values := range p.headers {
		w.Header()[name] = values
	}
	text, err := marshal(p)
	if err != nil {
		panic(err) // it is made of texts alone
	}
	write(w, problemContent, p.Status, text)
}

// internalDetail is the whole detail of an internal error.
const internalDetail = "Something failed here, and is logged under this request's ID; " +
	"the same request may be made again."

// Refuse answers a request that its route does not answer: with 503 where too many are in
// flight, and with 500 where the route has failed. The context has the caller.
func Refuse(w http.ResponseWriter, r *http.Request, status int) {
	of, detail := internal, internalDetail
	if status == http.StatusServiceUnavailable {
		of, detail = typeOf(errStreams), "Too many requests are in flight; nothing was done; "+
			"make the same request again in a second."
	}
	text, err := marshal(&Problem{
		Type: "/v1/docs#" + of.name, Title: of.title, Status: status, Detail: detail,
		Request: access.CallerOf(r.Context()).Request,
	})
	if err != nil {
		panic(err) // it is made of texts alone
	}
	write(w, problemContent, status, text)
}
