package ledger

import (
	"strings"
	"time"
)

// compensationPrefix begins the ID of a compensation: compensation/DAY/TOKEN/ACCOUNT/NAME.
// The ID refers to the reward, so no field does, and makes the compensation idempotent.
const compensationPrefix = "compensation/"

// maxCompensationName is the length in bytes of the longest NAME of a compensation.
const maxCompensationName = 64

// CompensationID is the ID of a compensation for an account's reward of a day in a token.
// day is 2006-01-02, UTC. name, of 1 to 64 characters without a slash, distinguishes the
// compensations of one reward.
func CompensationID(day, asset string, account Account, name string) string {
	return CompensationsOf(day, asset, account) + name
}

// CompensationsOf is what the IDs of all compensations of one reward begin with.
func CompensationsOf(day, asset string, account Account) string {
	return compensationPrefix + day + "/" + asset + "/" + string(account) + "/"
}

// Compensates is the day (00:00 UTC) and the token of the reward that the entry
// compensates. ok is false if the entry is not a compensation, or has no ID of one.
func (e Entry) Compensates() (day time.Time, asset string, ok bool) {
	rest, is := strings.CutPrefix(e.ID, compensationPrefix)
	parts := strings.Split(rest, "/")
	if e.Kind != Compensation || !is || len(parts) != 4 || len(e.Moves) != 1 {
		return time.Time{}, "", false
	}
	day, err := time.Parse(time.DateOnly, parts[0])
	name, m := parts[3], e.Moves[0]
	ok = err == nil && name != "" && len(name) <= maxCompensationName && parts[1] == m.Asset &&
		Account(parts[2]) == m.To
	return day, parts[1], ok
}

// checkCompensation returns ErrInvalid if the ID of a compensation does not name the asset
// and the account of its one move.
func (e Entry) checkCompensation() error {
	if e.Kind != Compensation {
		return nil
	}
	if _, _, ok := e.Compensates(); !ok {
		return ErrInvalid.In("id", "entry %s: a compensation has one move and the ID %sDAY/TOKEN/ACCOUNT/NAME, "+
			"with the move's token and account and a name of 1 to %d characters without a slash",
			Clip(e.ID), compensationPrefix, maxCompensationName)
	}
	return nil
}

// CompensatedAccount is the account that a compensation of an ID is for; ok is false if it is the ID of none.
func CompensatedAccount(id string) (account Account, ok bool) {
	parts := strings.Split(id, "/")
	if len(parts) != 5 || parts[0]+"/" != compensationPrefix {
		return "", false
	}
	return Account(parts[3]), true
}
