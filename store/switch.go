package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/consent"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/origin"
	"github.com/softstake/softstake/staking"
)

// Enroll switches an account's Soft Staking on at a moment: it earns from the day
// after it. The zero time is now; another must lie in an open day, not in the
// future, and not before a switch event that is recorded. Already on is a success and
// changes nothing, but that an end to come is lifted where the checks allow it; else
// the checks are, in this order, staking.ErrRegion, ErrUnknownCountry, ErrUpdateApp and
// ErrDocuments. Each change of the switch is recorded. What changes nothing, because it
// is on already or is refused, is recorded at most once in quietTime for each account
// and action; on a closed account, where it is ErrInvalid, and on a frozen one that does
// not earn, where it is ErrFrozen, never. Repeating a call with the same moment has no
// further effect.
func (b *DB) Enroll(ctx context.Context, id ledger.Account, c staking.Client, at time.Time) (e staking.Enrollment,
	err error) {
	if err := c.Check(); err != nil {
		return e, err
	}
	var refusal error
	err = b.changeSwitch(ctx, id, at, noLock, func(s *switchChange) (err error) {
		e, refusal, err = b.enroll(s, c)
		return err
	})
	return e, annotate(cmp.Or(err, refusal), "switch %s on", id)
}

// enroll switches on, or returns the refusal that it has recorded.
func (b *DB) enroll(s *switchChange, c staking.Client) (e staking.Enrollment, refusal, err error) {
	e = s.running
	if s.repeats(enrolled) {
		e, err = s.enrolledBy()
		return e, nil, err
	}
	if err := checkLast(s.later, s.at); err != nil {
		return e, nil, err
	}
	if e.Until == staking.Forever {
		return e, nil, s.recordQuietly(enrolled, c)
	}
	if err := inOrder(s.account.checkOpen, s.account.mayEarn); err != nil {
		return e, nil, err
	}
	refusal, err = s.refusal(c)
	switch {
	case err != nil:
		return e, nil, err
	case refusal != nil && s.isOn(): // until the day on which it ends
		return e, nil, s.recordQuietly(enrolled, c)
	case refusal != nil:
		return e, refusal, s.recordQuietly(refusedFor(refusal), c)
	}
	if e, err = s.on(); err == nil {
		err = b.logLine(s.t, "enroll", string(s.account.ID), "from "+e.From.String())
	}
	if err == nil {
		err = s.record(enrolled, c)
	}
	if err == nil {
		err = b.useCount(s.t, access.OfSwitches, 1)
	}
	return e, nil, err
}

// Leave switches an account's Soft Staking off at a moment, as Enroll means it:
// that day is not paid any more, the day before it is. Off already is a success, and
// recorded as Enroll records what changes nothing.
// It always works: what cannot be recorded of the client is left out.
func (b *DB) Leave(ctx context.Context, id ledger.Account, c staking.Client, at time.Time) error {
	if c.Check() != nil {
		c = staking.Client{}
	}
	err := b.changeSwitch(ctx, id, at, noLock, func(s *switchChange) error {
		if s.repeats(left) {
			return nil
		}
		if err := inOrder(func() error { return checkLast(s.later, s.at) }, func() error { return s.end(s.day) },
			func() error { return b.staysOff(s) }); err != nil {
			return err
		}
		if !s.isOn() {
			return s.recordQuietly(left, c)
		}
		if err := b.logLine(s.t, "leave", string(id), "from "+s.day.String()); err != nil {
			return err
		}
		return cmp.Or(s.record(left, c), b.useCount(s.t, access.OfSwitches, 1))
	})
	return annotate(err, "switch %s off", id)
}

// switchChange is a change of an account's switch, under its locks.
type switchChange struct {
	t        db.Tx
	at       int64
	day      staking.Day // of the moment
	account  Account
	all      []staking.Enrollment
	running  staking.Enrollment // or the zero one
	recorded []string           // actions at the moment
	earlier  []string           // actions in quietTime before it, the oldest first
	later    int64              // of the last event after it that was not refused; 0: there is none
}

func noLock(db.Tx) error { return nil }

// changeSwitch takes the locks of a change of the switch and gives it what the books say.
// The locks are, in this order: the day, so that it is not closed at the same time; the
// list of regions, so that none is added; what lock takes, if it is not noLock; the account,
// so that the changes of its switch come one by one. A zero moment is now.
func (b *DB) changeSwitch(ctx context.Context, id ledger.Account, at time.Time, lock func(db.Tx) error,
	change func(*switchChange) error) error {
	if err := cmp.Or(id.CheckHolder(), b.actor.CheckOwns(id)); err != nil {
		return err
	}
	return b.write(ctx, func(t db.Tx) (err error) {
		s := &switchChange{t: t, at: b.now()}
		if !at.IsZero() {
			if s.at = at.UnixMilli(); s.at > b.now()+1000 {
				return ledger.ErrInvalid.In("", "%s lies in the future; it is %s", ledger.FormatTime(at),
					ledger.FormatTime(b.Now()))
			}
		}
		s.day = staking.DayOf(db.TimeOf(s.at))
		if err := inOrder(
			func() error { return b.lockOpenDay(t, s.day, id.Bucket()) },
			func() error { return lockLists(t) },
			func() error { return lock(t) },
			func() (err error) { s.account, err = lockAccount(t, id); return err },
		); err != nil {
			return err
		}
		if at.IsZero() {
			s.at = max(s.at, min(b.now(), (s.day+1).Millis()-1)) // under the locks: changes come one by one
		}
		if err := s.read(); err != nil {
			return err
		}
		if at.IsZero() && staking.DayOf(db.TimeOf(s.later)) == s.day {
			s.at, s.later = s.later, 0 // another process's clock is a little ahead
		}
		return change(s)
	})
}

// lockAccount takes the exclusive lock of an account's row and reads it; ErrNotFound if it
// was never opened.
func lockAccount(t db.Tx, id ledger.Account) (Account, error) {
	n, err := t.Exec("UPDATE accounts SET region = region WHERE bucket = $1 AND account = $2", int64(id.Bucket()),
		string(id))
	if err != nil {
		return Account{}, fmt.Errorf("lock account %s: %w", id, err)
	}
	if n == 0 {
		return Account{}, noAccount(id)
	}
	return FindAccount(t, id)
}

// read reads whether the switch is on, and its events before, at and since the moment.
func (s *switchChange) read() (err error) {
	if s.all, err = EnrollmentsOf(s.t, s.account.ID); err != nil {
		return err
	}
	for _, e := range s.all {
		if e.On(s.day) {
			s.running = e
		}
	}
	err = s.t.Query(func(r db.Row) error {
		switch at, action := r.Int(0), r.Text(1); {
		case at < s.at:
			s.earlier = append(s.earlier, action)
		case at == s.at:
			s.recorded = append(s.recorded, action)
		case !isRefused(action):
			s.later = max(s.later, at)
		}
		return nil
	}, "SELECT at, action FROM switch_events WHERE bucket = $1 AND account = $2 AND at > $3 ORDER BY at",
		int64(s.account.ID.Bucket()), string(s.account.ID), s.at-quietTime.Milliseconds())
	return annotate(err, "read the switch events of %s", s.account.ID)
}

// repeats reports whether the same was asked for at this moment before, and other events
// followed: then it answers as the first time. What changed nothing may have no event of
// its own, and is known by the one that stands for it. Without others it may be asked
// for again as it is.
func (s *switchChange) repeats(action string) bool {
	return s.later != 0 && (slices.Contains(s.recorded, action) || s.changesNothing(action))
}

// checkLast refuses a change of the switch at a moment before the last one, whose effect it
// would change. Both are in milliseconds.
func checkLast(last, at int64) error {
	if last <= at {
		return nil
	}
	return ledger.ErrInvalid.In("", "the switch was changed at %s, after %s; a change may be dated back only to "+
		"after the last one",
		ledger.FormatTime(db.TimeOf(last)), ledger.FormatTime(db.TimeOf(at)))
}

// enrolledBy is the enrollment that an event of this day has made, or has found running.
func (s *switchChange) enrolledBy() (staking.Enrollment, error) {
	for _, e := range slices.Backward(s.all) {
		if e.From <= s.day+1 {
			return e, nil
		}
	}
	return staking.Enrollment{}, fmt.Errorf("the switch event at %s is recorded and its enrollment is not there; "+
		"an audit says more", ledger.FormatTime(db.TimeOf(s.at)))
}

// refusal says why the switch may not be set on, or nothing.
func (s *switchChange) refusal(c staking.Client) (refusal, err error) {
	restricted, err := RegionsAt(s.t)
	if err != nil {
		return nil, err
	}
	current, err := consent.Current(s.t)
	if err != nil {
		return nil, err
	}
	accepted, err := consent.Accepted(s.t, s.account.ID)
	if err != nil {
		return nil, err
	}
	return staking.CheckActivation(s.account.Region, c, restricted, current, accepted), nil
}

func (s *switchChange) isOn() bool { return s.running.On(s.day) }

// end ends the running enrollment on a day, if there is one. What a listing had ended
// is not restored any more when it is undone.
func (s *switchChange) end(d staking.Day) error {
	if err := forgetListedOut(s.t, s.account.ID); err != nil || !s.isOn() {
		return err
	}
	return endEnrollments(s.t, d, s.account.ID)
}

// endAs ends the running enrollment on a day, if there is one, and records by what.
func (s *switchChange) endAs(d staking.Day, action string) error {
	if err := s.end(d); err != nil || !s.isOn() {
		return err
	}
	return s.record(action, staking.Client{})
}

// on makes the enrollment from the next day on. An empty one of the same day opens
// again, and so does one that has an end to come.
func (s *switchChange) on() (staking.Enrollment, error) {
	e := staking.Enrollment{Account: s.account.ID, From: s.day + 1, Until: staking.Forever}
	if s.isOn() {
		e.From = s.running.From
	}
	if err := e.CheckFree(s.all, s.running); err != nil {
		return e, err
	}
	if err := forgetListedOut(s.t, s.account.ID); err != nil {
		return e, err
	}
	return e, writeEnrollments(s.t, e)
}

// How a switch event is kept: "on", "off", "refused: …"; "off: …" and "on: …" where a region or
// a freeze did it.
const (
	enrolled      = "on"
	left          = "off"
	refusedPrefix = "refused: "
)

func isRefused(action string) bool { return strings.HasPrefix(action, refusedPrefix) }

// refusedFor is how the refusal of a change is kept.
func refusedFor(refusal error) string {
	switch {
	case errors.Is(refusal, staking.ErrRegion):
		return refusedPrefix + "region"
	case errors.Is(refusal, staking.ErrUnknownCountry):
		return refusedPrefix + "unknown country"
	case errors.Is(refusal, staking.ErrUpdateApp):
		return refusedPrefix + "app version"
	}
	return refusedPrefix + "documents"
}

// quietTime is how long a switch event that changes nothing stands for its repetitions:
// without it, whoever may use the switch could fill the books.
const quietTime = time.Hour

// changesNothing reports whether the last change of the switch in quietTime before the
// moment was this one, and nothing else is recorded at the moment itself.
func (s *switchChange) changesNothing(action string) bool {
	changes := slices.DeleteFunc(slices.Concat(s.earlier, s.recorded), isRefused)
	return len(changes) > 0 && changes[len(changes)-1] == action
}

// recordQuietly records a switch event that changes nothing, unless the same is recorded in
// quietTime before it. The account is locked, so that of many at the same time one is.
func (s *switchChange) recordQuietly(action string, c staking.Client) error {
	if slices.Contains(s.earlier, action) {
		return nil
	}
	return s.record(action, c)
}

func (s *switchChange) record(action string, c staking.Client) error {
	return recordSwitches(s.t, switchRow{s.account.ID, s.at, action, c})
}

// switchRow is a switch event of an account, in milliseconds.
type switchRow struct {
	account ledger.Account
	at      int64
	action  string
	client  staking.Client
}

func recordSwitches(t db.Tx, events ...switchRow) error {
	account := func(e switchRow) ledger.Account { return e.account }
	_, err := insert(t, "switch_events", db.SetOf(events, accountFields(account,
		db.Int("at", func(e switchRow) int64 { return e.at }),
		db.Text("action", func(e switchRow) string { return e.action }))...))
	if err == nil {
		origins := make([]origin.Origin, len(events))
		for i, e := range events {
			origins[i] = origin.Origin{Account: e.account, Event: origin.Switch(e.at, e.action), At: e.at,
				Client: e.client.App(), Address: e.client.Origin()}
		}
		err = origin.Write(t, origins...)
	}
	return annotate(err, "record switch events")
}
