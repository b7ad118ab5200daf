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

// Compensated is what the ID of a compensation says. Day is 2006-01-02, UTC; neither it nor the rest is checked.
type Compensated struct {
	Day, Asset string
	Account    Account
	Name       string
}

// ParseCompensationID takes the ID of a compensation apart; ok is false if it has not that form.
func ParseCompensationID(id string) (c Compensated, ok bool) {
	rest, is := strings.CutPrefix(id, compensationPrefix)
	parts := strings.Split(rest, "/")
	if !is || len(parts) != 4 {
		return c, false
	}
	return Compensated{parts[0], parts[1], Account(parts[2]), parts[3]}, true
}

// Compensates is the day (00:00 UTC) and the token of the reward that the entry
// compensates. ok is false if the entry is not a compensation, or has no ID of one.
func (e Entry) Compensates() (day time.Time, asset string, ok bool) {
	c, is := ParseCompensationID(e.ID)
	if e.Kind != Compensation || !is || len(e.Moves) != 1 {
		return time.Time{}, "", false
	}
	day, err := time.Parse(time.DateOnly, c.Day)
	m := e.Moves[0]
	ok = err == nil && c.Name != "" && len(c.Name) <= maxCompensationName && c.Asset == m.Asset && c.Account == m.To
	return day, c.Asset, ok
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
