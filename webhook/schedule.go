package webhook

import (
	"net/http"
	"strconv"
	"time"
)

// delays are how long to wait before each attempt, after the one before: those that the specification recommends. From
// the first attempt to the last are 75 hours and 35 minutes.
var delays = []time.Duration{0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}

// Attempts is how often a message is sent before its endpoint is disabled.
var Attempts = len(delays)

// maxRetryAfter is how long a receiver may ask to be left alone: the longest delay of the schedule.
const maxRetryAfter = 24 * time.Hour

// Delay is how long to wait after a number of failed attempts, 1 or more; again is false after the last one. jitter is
// from 0 to 999, at random: it takes up to a tenth off, or adds up to a tenth, so that what has failed together is not
// retried together.
func Delay(failed, jitter int) (wait time.Duration, again bool) {
	if failed >= len(delays) {
		return 0, false
	}
	wait = delays[max(failed, 1)]
	return wait + wait/5000*time.Duration(jitter-500), true
}

// retryAfter reads the header Retry-After, in seconds or as a date: from 0 to 24 hours, 0 where there is none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return min(time.Duration(min(max(seconds, 0), int64(maxRetryAfter/time.Second)))*time.Second, maxRetryAfter)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
