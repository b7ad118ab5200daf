package web

import (
	"net/http"
	"strconv"
	"time"
)

// comeAgain tells programs how long to wait: in whole seconds, rounded up.
func (v *visit) comeAgain(wait time.Duration) {
	v.w.Header().Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
}

// minutes is how long to wait as people are told it: in whole minutes, rounded up.
func minutes(wait time.Duration) int { return int((wait + time.Minute - 1) / time.Minute) }

// refuseBusy refuses a request because too many passwords are hashed at the same time.
func (v *visit) refuseBusy() {
	v.comeAgain(againIfBusy)
	v.refuse(http.StatusServiceUnavailable, "busy")
}
