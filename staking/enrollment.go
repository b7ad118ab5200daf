package staking

import "github.com/softstake/softstake/ledger"

// Enrollment is a period in which an account's switch was on, in whole UTC days.
type Enrollment struct {
	Account ledger.Account
	From    Day // the first day that earns: the day after it was switched on
	Until   Day // the first day that does not: when it was or will be switched off, or Forever
}

// Covers reports whether the account earns on the day.
func (e Enrollment) Covers(d Day) bool { return e.From <= d && d < e.Until }

// On reports whether the switch is on today: the enrollment covers this day or a later
// one. It may end on a later day: the day from which a region is restricted.
func (e Enrollment) On(today Day) bool { return e.From < e.Until && today < e.Until }

// CheckFree refuses, with ledger.ErrInvalid, an enrollment that would cover a day which another
// of its account covers. Of those that cover no day, and of the one that goes on as the new one,
// it takes no notice.
func (e Enrollment) CheckFree(others []Enrollment, goesOn Enrollment) error {
	for _, other := range others {
		if other.From < other.Until && other.Until > e.From && other != goesOn {
			return ledger.ErrInvalid.In("", "it was on until %s", other.Until)
		}
	}
	return nil
}
