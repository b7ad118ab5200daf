package web

import (
	"errors"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/people"
)

// attemptsWindow is how long attempts to log in are counted.
const attemptsWindow = 15 * time.Minute

// How many attempts are allowed in a window. Those of a device that has logged in
// before are counted by the device alone, so that no stranger can keep its owner out.
const (
	attemptsOfDevice = 10
	attemptsFrom     = 100 // from one network, of all addresses of mail
	attemptsOfMail   = 10  // of one address of mail, from one network
)

// Beyond how many attempts of strangers answers slow down. Nobody is refused by these.
const (
	slowedOfMail = 30     // of one address of mail, from all networks
	slowedInAll  = 10_000 // of all
)

// slowing is what happens beyond the thresholds.
type slowing struct {
	inAll   int
	by      time.Duration
	waiting *access.Limiter[string] // by address of mail
}

const (
	// slowedBy is how long an attempt waits that is slowed down, and slowedAgain when
	// one may come again for whom there was no place to wait.
	slowedBy    = 2 * time.Second
	slowedAgain = 5 * time.Second
	// How many wait at the same time, in all and of one address of mail: each holds a connection.
	mostSlowed   = 64
	mostSlowedOf = 8
)

// loginAttempt is one attempt to log in.
type loginAttempt struct {
	*visit
	email   string
	login   people.Login  // zero: there is none
	device  access.Device // zero: it has not logged in before
	trusted bool          // it comes from a device that has logged in before, and has not guessed too often
	slowed  bool
	counted []string // the counters that it was counted by
}

// loginAttempt reads what is known of an attempt.
func (v *visit) loginAttempt(email string) (a *loginAttempt, err error) {
	a = &loginAttempt{visit: v, email: email}
	if a.login, err = v.findLogin(email); err != nil {
		return nil, err
	}
	a.device, a.trusted, err = v.findDevice(email, a.login)
	return a, err
}

// begin counts the attempt before anything else is done for it, and lets it wait where
// answers are slow. wait is how long until the next is allowed, where this one is not.
func (a *loginAttempt) begin() (wait time.Duration, err error) {
	if a.trusted {
		wait, err = a.count("device "+a.device.ID, attemptsOfDevice)
		if err != nil || wait == 0 {
			return 0, err
		}
		a.trusted = false // whoever has its cookie has guessed often enough: the rest as a stranger
	}
	from, all, mail := "log in from "+access.Network(a.caller.Address).String(), "log in", "log in "+a.email
	if wait, err = a.count(from, attemptsFrom); err != nil || wait > 0 {
		return wait, err
	}
	if err = a.slowBeyond(all, a.slow.inAll); err != nil {
		return 0, err
	}
	if wait, err = a.count(a.ofMail(), attemptsOfMail); err != nil || wait > 0 {
		return wait, err
	}
	if err = a.slowBeyond(mail, slowedOfMail); err != nil || !a.slowed {
		return 0, err
	}
	return a.waitSlowed()
}

// ofMail is the counter of an address of mail from one network.
func (a *loginAttempt) ofMail() string {
	return "log in " + a.email + " from " + access.Network(a.caller.Address).String()
}

// count adds the attempt to a counter, where it is allowed.
func (a *loginAttempt) count(counter string, most int) (wait time.Duration, err error) {
	wait, err = a.Books.People().CountAttempt(a.context(), counter, most, attemptsWindow)
	if err == nil && wait == 0 {
		a.counted = append(a.counted, counter)
	}
	return wait, err
}

// slowBeyond slows the attempt down where there were as many already.
func (a *loginAttempt) slowBeyond(counter string, most int) error {
	wait, err := a.count(counter, most)
	a.slowed = a.slowed || wait > 0
	return err
}

// waitSlowed waits, before the password is looked at: whoever does not wait for the
// answer gets none. Where too many wait already the attempt is not made.
func (a *loginAttempt) waitSlowed() (wait time.Duration, err error) {
	if !a.slow.waiting.Acquire(a.email) {
		return slowedAgain, a.takeBack()
	}
	defer a.slow.waiting.Release(a.email)
	delay := time.NewTimer(a.slow.by)
	defer delay.Stop()
	select {
	case <-delay.C:
		return 0, nil
	case <-a.context().Done():
		return 0, a.context().Err()
	}
}

// takeBack uncounts an attempt that was not made.
func (a *loginAttempt) takeBack() error {
	return a.Books.People().UncountAttempts(a.context(), a.counted...)
}

// succeed uncounts an attempt that succeeded: its network and its address of mail have
// not guessed. A device is counted all the same, or one that logs in in a loop would
// take the processor from other people's devices.
func (a *loginAttempt) succeed() error {
	if a.trusted {
		return nil
	}
	return errors.Join(a.takeBack(), a.Books.People().ResetAttempts(a.context(), a.ofMail()))
}

// hashing limits the checks of passwords, and hasher identifies the caller:
// strangers and devices that have logged in before do not wait for each other.
func (a *loginAttempt) hashing() *turns {
	if a.trusted {
		return a.trustedHashing
	}
	return a.strangersHashing
}

func (a *loginAttempt) hasher() string {
	if a.trusted {
		return a.email
	}
	return access.Network(a.caller.Address).String()
}
