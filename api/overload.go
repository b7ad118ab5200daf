package api

import (
	"net/http"

	"github.com/softstake/softstake/access"
)

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
