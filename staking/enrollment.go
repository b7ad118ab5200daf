package staking

import "github.com/softstake/softstake/ledger"

// Enrollment is a time for which an account's switch was on, in whole days.
type Enrollment struct {
	Account ledger.Account
	From    Day // the first day that earns: the day after it was switched on
	Until   Day // the first day that does not: the day it was switched off, the coming day on which it ends, or Forever
}

// Covers says whether the account earns on the day.
func (e Enrollment) Covers(d Day) bool { return e.From <= d && d < e.Until }

// On reports whether the switch is on, on a day: the enrollment covers that day or a later
// one. It may have an end to come: the day from which a region is restricted.
func (e Enrollment) On(today Day) bool { return e.From < e.Until && today < e.Until }
