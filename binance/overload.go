package binance

import (
	"encoding/json"
	"net/http"
)

// errOverload refuses a request for load [api].
var errOverload = refusal{
	Code: -1008, Message: "Server is currently overloaded with other requests. Please try again in a few minutes.",
	status: http.StatusServiceUnavailable,
}

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
