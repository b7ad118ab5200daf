package ledger

import (
	"strings"
	"time"
)

// compensationPrefix begins the ID of a compensation, which says what it makes good:
// compensation/DAY/TOKEN/ACCOUNT/NAME. The name is what ties it to the reward, and so
// needs no field of its own, and the same compensation is posted once.
const compensationPrefix = "compensation/"

// maxCompensationName is the length in bytes of the longest NAME of a compensation.
const maxCompensationName = 64

// CompensationID is the ID of a compensation for an account's reward of a day in a token.
// day is 2006-01-02, UTC. name distinguishes the compensations of one reward.
func CompensationID(day, asset string, account Account, name string) string {
	return CompensationsOf(day, asset, account) + name
}

// CompensationsOf is what the IDs of all compensations of one reward begin with.
func CompensationsOf(day, asset string, account Account) string {
	return compensationPrefix + day + "/" + asset + "/" + string(account) + "/"
}

// Compensates is the day and the token that the entry makes good, if it is a
// compensation that is named as such an entry is.
func (e Entry) Compensates() (day time.Time, asset string, ok bool) {
	rest, is := strings.CutPrefix(e.ID, compensationPrefix)
	parts := strings.Split(rest, "/")
	if e.Kind != Compensation || !is || len(parts) != 4 || len(e.Moves) != 1 {
		return time.Time{}, "", false
	}
	day, err := time.Parse(time.DateOnly, parts[0])
	name, m := parts[3], e.Moves[0]
	ok = err == nil && name != "" && len(name) <= maxCompensationName && parts[1] == m.Asset && Account(parts[2]) == m.To
	return day, parts[1], ok
}

// checkCompensation says what is wrong with the name of a compensation, or nil: it names
// the asset and the account of its one move.
func (e Entry) checkCompensation() error {
	if e.Kind != Compensation {
		return nil
	}
	if _, _, ok := e.Compensates(); !ok {
		return ErrInvalid.In("id", "entry %s: a compensation has one move and the ID %sDAY/TOKEN/ACCOUNT/NAME, with the move's token and account and a name of 1 to %d characters without a slash",
			Clip(e.ID), compensationPrefix, maxCompensationName)
	}
	return nil
}
