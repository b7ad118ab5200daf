package binance

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/idempotency"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// refusal is an error in the exchange's form [api].
type refusal struct {
	Code    int    `json:"code"`
	Message string `json:"msg"`
	status  int    // of HTTP
	after   int    // Retry-After in seconds; 0: retrying does not help
}

func (r refusal) Error() string { return fmt.Sprintf("%d %s", r.Code, r.Message) }

// The refusals that are always the same.
var (
	errUnknown = refused(http.StatusInternalServerError, -1000,
		"An unknown error occurred while processing the request.")
	errBusy = refusal{
		Code: -1000, Message: "The same request is being answered at this moment; send it again.",
		status: http.StatusServiceUnavailable, after: 1,
	}
	errUpgrade = refused(http.StatusServiceUnavailable, -1008,
		"The server is being upgraded. Nothing was done. Please try again in a few minutes.")
	errRegion  = refused(http.StatusUnavailableForLegalReasons, 0, "Soft Staking is not offered in your region.")
	errCountry = refused(http.StatusUnavailableForLegalReasons, 0,
		"The country that your request comes from is not known; "+
			"Soft Staking is switched on only from a known one.")
	errTooLate   = badRequest(-1021, "Timestamp for this request is outside of the recvWindow.")
	errTooEarly  = badRequest(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
	errSignature = badRequest(-1022, "Signature for this request is not valid.")
	errKeyFormat = refused(http.StatusUnauthorized, -2014, "API-key format invalid.")
	errFrozen    = badRequest(-3022, "You account's trading is banned.")
	errOldApp    = badRequest(-6022, "Update the app: Soft Staking needs a newer version.")
	errSymbol    = badRequest(-1121, "Invalid symbol.")
	errNoAsset   = badRequest(-4018, "We don't have this asset.")
	errRange     = badRequest(-6021, "Query time range too large")
	errOrderID   = badRequest(-1130,
		"Data sent for parameter 'withdrawOrderId' is not valid: another withdrawal has it.")
	errPrecision    = badRequest(-1111, "Precision is over the maximum defined for this asset.")
	errWindow       = badRequest(-1131, fmt.Sprintf("recvWindow must be less than %d.", maxWindow.Milliseconds()))
	errTimeUnit     = badRequest(-1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.")
	errInsufficient = badRequest(-4026, "You have insufficient balance.")
	errNoPath       = refused(http.StatusNotFound, -1020, "This operation is not supported: there is no such path.")
	errNoMethod     = refused(http.StatusMethodNotAllowed, -1020,
		"This operation is not supported: the path has another method.")
	errCut  = refused(http.StatusRequestTimeout, -1000, "The body did not come whole, or not in time.")
	errBody = refused(http.StatusRequestEntityTooLarge, -1101,
		fmt.Sprintf("Too many parameters; at most %d bytes are read.", maxBody))
)

// errAddress refuses a withdrawal to an address that is not saved, or waits. The code is ours.
var errAddress = badRequest(-6023, "The address is not one of your withdrawal addresses, or cannot be used yet.")

// errFactor refuses a withdrawal where nobody who logs in to the account has a second factor. The code is ours.
var errFactor = badRequest(-6024,
	"Withdrawals need a second factor: add a passkey or an authenticator app to the account.")

// errDailyLimit refuses a withdrawal above what may leave the account on this day. The code is ours.
var errDailyLimit = badRequest(-6025,
	"The daily limit of withdrawals and transfers is reached; a day ends at midnight UTC.")

// heavy is the refusal of too much request weight, for so many seconds.
func heavy(limit, after int) refusal {
	return refusal{
		Code:    -1003,
		Message: fmt.Sprintf("Too much request weight used; current limit is %d request weight per 1 MINUTE.", limit),
		status:  http.StatusTooManyRequests, after: after,
	}
}

// mandatory refuses a request without a parameter that it needs.
func mandatory(name string) refusal {
	return badRequest(-1102,
		fmt.Sprintf("Mandatory parameter '%s' was not sent, was empty/null, or malformed.", name))
}

// illegal refuses characters that a parameter cannot have. name may be what a client
// made up: it is not repeated.
func illegal(name string) refusal {
	if name == "" {
		return badRequest(-1100, "Illegal characters found in a parameter.")
	}
	return badRequest(-1100, fmt.Sprintf("Illegal characters found in parameter '%s'.", name))
}

// duplicate refuses a parameter that occurs twice in the query or in the body.
func duplicate(name string) refusal {
	return badRequest(-1101, fmt.Sprintf("Duplicate values for parameter '%s' detected.", ledger.Clip(name)))
}

// invalid refuses a value that a parameter cannot have; "" where it is not known which.
func invalid(name string) refusal {
	if name == "" {
		return badRequest(-1130, "Data sent for a parameter is not valid.")
	}
	return badRequest(-1130, fmt.Sprintf("Data sent for parameter '%s' is not valid.", name))
}

func refused(status, code int, message string) refusal {
	return refusal{Code: code, Message: message, status: status}
}

// badRequest is a refusal with the status 400.
func badRequest(code int, message string) refusal {
	return refused(http.StatusBadRequest, code, message)
}

// badKey refuses a key: it is not known, or not permitted from the address or for the
// action. The message has the client's address, which is what a key is limited to.
func badKey(from netip.Addr) refusal {
	r := refused(http.StatusUnauthorized, -2015, "Invalid API-key, IP, or permissions for action.")
	if from.IsValid() {
		r.Message = "Invalid API-key, IP, or permissions for action, request ip: " + from.Unmap().WithZone("").String()
	}
	return r
}

// cause is what a refusal is made from: the error, the client's address, and where a holder
// accepts the documents.
type cause struct {
	err    error
	from   netip.Addr
	accept string
}

// refusals is the one table from the kinds of error to what the exchange answers [api].
// What is not in it is a fault of ours. The codes -6022 and 0 are ours: the exchange's own
// apps are never too old for it, and it has no code for regions.
var refusals = []struct {
	kinds []error
	of    func(cause) refusal
}{
	{[]error{access.ErrSignature}, always(errSignature)},
	{[]error{access.ErrUnknown, access.ErrAddress, access.ErrForbidden},
		func(c cause) refusal { return badKey(c.from) }},
	{[]error{idempotency.ErrInFlight}, always(errBusy)},
	{[]error{store.ErrSchema}, always(errUpgrade)},
	{[]error{ledger.ErrFrozen}, always(errFrozen)},
	{[]error{ledger.ErrInsufficient}, always(errInsufficient)},
	{[]error{ledger.ErrConflict}, always(errOrderID)},
	{[]error{ledger.ErrInvalid}, ofInput},
	{[]error{staking.ErrRegion}, always(errRegion)},
	{[]error{staking.ErrUnknownCountry}, always(errCountry)},
	{[]error{staking.ErrDocuments}, func(c cause) refusal { return unconfirmed(c.accept) }},
	{[]error{staking.ErrUpdateApp}, always(errOldApp)},
	// No endpoint comes to these.
	{[]error{
		ledger.ErrNotFound, ledger.ErrEnded, ledger.ErrNotRequested, ledger.ErrDayClosed, ledger.ErrOverflow,
		staking.ErrFunds, staking.ErrLimit, staking.ErrUndivided, staking.ErrBreak, staking.ErrUncompared,
		control.ErrNeedsApproval, control.ErrEffect,
		control.ErrNotOpen, store.ErrNoBooks, store.ErrRealBooks, store.ErrUnfinished,
		store.ErrFindings, access.ErrCeiling,
	}, always(errUnknown)},
}

func always(r refusal) func(cause) refusal { return func(cause) refusal { return r } }

// refusalOf is what an error is answered. from is the client's address, and accept is where
// a holder accepts the documents.
func refusalOf(err error, from netip.Addr, accept string) refusal {
	if no, is := errors.AsType[refusal](err); is {
		return no
	}
	for _, r := range refusals {
		if slices.ContainsFunc(r.kinds, func(kind error) bool { return errors.Is(err, kind) }) {
			return r.of(cause{err, from, accept})
		}
	}
	return errUnknown
}

// parameterNames are the parameters that errors are about, by the field that they come to be.
var parameterNames = map[string]string{
	"moves[0].amount": "amount", "amount": "amount", "address": "address", "network": "network", "tag": "addressTag",
}

// ofInput refuses a parameter, or the key of an account that is closed.
func ofInput(c cause) refusal {
	e, is := errors.AsType[*ledger.Error](c.err)
	switch {
	case !is:
		return invalid("")
	case e.Reason == store.ReasonClosed:
		return badKey(c.from)
	}
	return invalid(parameterNames[e.Field])
}

// unconfirmed refuses to switch on before the documents are accepted, and says where they are.
func unconfirmed(accept string) refusal {
	message := "Need confirm: accept the current Terms of Use, Soft Staking Terms and Risk Warning "
	if accept == "" {
		message += "on the Soft Staking page first."
	} else {
		message += "first, at " + accept
	}
	return badRequest(-6019, message)
}

// errOverload refuses a request for load [api].
var errOverload = refused(http.StatusServiceUnavailable, -1008,
	"Server is currently overloaded with other requests. Please try again in a few minutes.")

// Refuse answers a request that its endpoint does not answer: with 503 where too many are
// in flight, and with 500 where the endpoint has failed.
func Refuse(w http.ResponseWriter, _ *http.Request, status int) {
	no := errUnknown
	if status == errOverload.status {
		no = errOverload
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(no); err != nil {
		return // the client has gone away, and its request is logged
	}
}
