package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// What is kept of a press: "on", "off", "refused: …"; "off: …" and "on: …" where a region or a freeze did it.
const (
	pressOn  = "on"
	pressOff = "off"
	refused  = "refused: "
)

// Enroll switches an account's Soft Staking on at a moment: it earns from the day
// after it. The zero time is now; another must lie in an open day, not in the
// future, and not before a press that is recorded. Already on is a success and
// changes nothing, but that an end to come is lifted where the checks allow it; else
// the checks are, in this order, staking.ErrRegion, ErrUnknownCountry, ErrUpdateApp and
// ErrDocuments. Each change of the switch is recorded. What changes nothing, because it
// is on already or is refused, is recorded at most once in quietTime for each account
// and action; on a closed account, where it is ErrInvalid, and on a frozen one that does
// not earn, where it is ErrFrozen, never. Repeating a call with the same moment has no
// further effect.
func (db *DB) Enroll(ctx context.Context, id ledger.Account, c staking.Client, at time.Time) (staking.Enrollment, error) {
	if err := checkClient(&c); err != nil {
		return staking.Enrollment{}, err
	}
	var e staking.Enrollment
	var no error
	err := db.press(ctx, id, at, func(t tx, s *switching) (err error) {
		e, no = s.running, nil
		if s.repeats(pressOn) {
			e, err = s.enrolledBy()
			return err
		}
		if err := s.isLast(); err != nil {
			return err
		}
		if e.Until == staking.Forever {
			return s.keepQuiet(pressOn, c)
		}
		if closed := s.account.Closed; !closed.IsZero() {
			return isClosed(id, closed.UnixMilli())
		}
		if err := s.account.mayEarn(); err != nil {
			return err
		}
		if no, err = s.refusal(c); err != nil {
			return err
		}
		if no != nil && s.isOn() {
			no = nil // it is on already, until the day on which it ends
			return s.keepQuiet(pressOn, c)
		}
		if no != nil {
			return s.keepQuiet(refusedFor(no), c)
		}
		if e, err = s.on(); err == nil {
			err = db.logLine(t, "enroll", string(id), "from "+e.From.String())
		}
		if err != nil {
			return err
		}
		return s.keep(pressOn, c)
	})
	if err == nil {
		err = no
	}
	if err != nil {
		return staking.Enrollment{}, fmt.Errorf("switch %s on: %w", id, err)
	}
	return e, nil
}

// Leave switches an account's Soft Staking off at a moment, as Enroll means it:
// that day is not paid any more, the day before it is. Off already is a success, and
// recorded as Enroll records what changes nothing.
// It always works: what cannot be kept of the client is left out.
func (db *DB) Leave(ctx context.Context, id ledger.Account, c staking.Client, at time.Time) error {
	if checkClient(&c) != nil {
		c = staking.Client{}
	}
	err := db.press(ctx, id, at, func(t tx, s *switching) error {
		if s.repeats(pressOff) {
			return nil
		}
		if err := s.isLast(); err != nil {
			return err
		}
		on := s.isOn()
		if err := s.end(s.day); err != nil {
			return err
		}
		if err := s.staysOff(); err != nil {
			return err
		}
		if !on {
			return s.keepQuiet(pressOff, c)
		}
		if err := db.logLine(t, "leave", string(id), "from "+s.day.String()); err != nil {
			return err
		}
		return s.keep(pressOff, c)
	})
	if err != nil {
		return fmt.Errorf("switch %s off: %w", id, err)
	}
	return nil
}

func EnrollmentsOf(t view, id ledger.Account) (enrollments []staking.Enrollment, err error) {
	err = t.Query(func(r row) error {
		enrollments = append(enrollments, staking.Enrollment{Account: id, From: staking.Day(r.Int(0)), Until: staking.Day(r.Int(1))})
		return nil
	}, "SELECT from_day, until_day FROM enrollments WHERE bucket = $1 AND account = $2 ORDER BY from_day", int64(id.Bucket()), string(id))
	if err != nil {
		return nil, fmt.Errorf("read the enrollments of %s: %w", id, err)
	}
	return enrollments, nil
}

// switching is a press of the switch on its way, under its locks.
type switching struct {
	t        tx
	id       ledger.Account
	at       int64
	day      staking.Day // that the press lies in
	account  Account
	all      []staking.Enrollment
	running  staking.Enrollment // or the zero one
	recorded []string           // what was pressed at this moment
	earlier  []string           // what was pressed in quietTime before it, the oldest first
	later    int64              // when something else was pressed after it; 0: nothing was
}

// press takes the locks of a press and gives it what the books say. The locks are,
// in this order: the day, so that it is not closed meanwhile; the list of regions,
// so that none is added meanwhile; the account, so that its presses come one by one.
func (db *DB) press(ctx context.Context, id ledger.Account, at time.Time, do func(tx, *switching) error) error {
	if err := id.CheckHolder(); err != nil {
		return err
	}
	if err := db.ensureDays(ctx); err != nil {
		return err
	}
	return db.engine.Write(ctx, func(t tx) error {
		s := &switching{t: t, id: id, at: db.now()}
		if !at.IsZero() {
			if s.at = at.UnixMilli(); s.at > db.now()+1000 {
				return ledger.ErrInvalid.In("", "%s lies in the future; it is %s", stamp(s.at), stamp(db.now()))
			}
		}
		s.day = staking.DayOf(timeOf(s.at))
		if err := db.lockOpenDay(t, s.day, id.Bucket()); err != nil {
			return err
		}
		if err := lockLists(t); err != nil {
			return err
		}
		a, err := lockAccount(t, id)
		if err != nil {
			return err
		}
		s.account = a
		if at.IsZero() {
			s.at = max(s.at, min(db.now(), (s.day+1).Millis()-1)) // under the locks: presses come one by one
		}
		if err := s.read(); err != nil {
			return err
		}
		if at.IsZero() && staking.DayOf(timeOf(s.later)) == s.day {
			s.at, s.later = s.later, 0 // another process's clock is a little ahead
		}
		return do(t, s)
	})
}

// lockOpenDay shares the locks on buckets' day, so that it is not closed until
// the commit; ErrDayClosed if it has been.
func (db *DB) lockOpenDay(t tx, d staking.Day, buckets ...int) error {
	first, err := db.firstOpen(t)
	if err == nil && d >= first {
		wanted := map[[2]int64][]int{}
		for _, b := range buckets {
			wanted[[2]int64{int64(b), int64(d)}] = []int{b}
		}
		err = lockDays(t, wanted, func(int, staking.Day) { first = d + 1 })
	}
	if err == nil && d < first {
		err = ledger.ErrDayClosed.In("", "%s; the first open moment is %s", d, stamp(first.Millis()))
	}
	return err
}

// lockAccount takes an account's row whole and reads it; ErrNotFound if it was never opened.
func lockAccount(t tx, id ledger.Account) (Account, error) {
	n, err := t.Exec("UPDATE accounts SET region = region WHERE bucket = $1 AND account = $2", int64(id.Bucket()), string(id))
	if err != nil {
		return Account{}, fmt.Errorf("lock account %s: %w", id, err)
	}
	if n == 0 {
		return Account{}, noAccount(id)
	}
	return FindAccount(t, id)
}

// read finds out whether the switch is on, and what was pressed before, at and since the moment.
func (s *switching) read() (err error) {
	s.earlier, s.recorded, s.later = nil, nil, 0
	if s.all, err = EnrollmentsOf(s.t, s.id); err != nil {
		return err
	}
	for _, e := range s.all {
		if e.On(s.day) {
			s.running = e
		}
	}
	err = s.t.Query(func(r row) error {
		switch at, action := r.Int(0), r.Text(1); {
		case at < s.at:
			s.earlier = append(s.earlier, action)
		case at == s.at:
			s.recorded = append(s.recorded, action)
		case !strings.HasPrefix(action, refused):
			s.later = max(s.later, at)
		}
		return nil
	}, "SELECT at, action FROM switch_events WHERE bucket = $1 AND account = $2 AND at > $3 ORDER BY at",
		int64(s.id.Bucket()), string(s.id), s.at-quietTime.Milliseconds())
	if err != nil {
		return fmt.Errorf("read the presses of %s: %w", s.id, err)
	}
	return nil
}

// repeats reports whether this press was made before and others followed it: then
// it answers as the first time. One that changed nothing may have no row of its own,
// and is known by the row that stands for it. Without others it may be pressed again as it is.
func (s *switching) repeats(action string) bool {
	return s.later != 0 && (slices.Contains(s.recorded, action) || s.changesNothing(action))
}

// isLast refuses a press dated before another, whose effect it would change.
func (s *switching) isLast() error {
	if s.later == 0 {
		return nil
	}
	return pressedLater(s.later, s.at)
}

// enrolledBy is the enrollment that a press of this day has made, or has found running.
func (s *switching) enrolledBy() (staking.Enrollment, error) {
	for _, e := range slices.Backward(s.all) {
		if e.From <= s.day+1 {
			return e, nil
		}
	}
	return staking.Enrollment{}, fmt.Errorf("the press at %s is recorded and its enrollment is not there; an audit says more", stamp(s.at))
}

// refusal says why the switch may not be pressed on, or nothing.
func (s *switching) refusal(c staking.Client) (no, err error) {
	restricted, err := RegionsAt(s.t)
	if err != nil {
		return nil, err
	}
	if no := staking.CheckRegion(s.account.Region, c, restricted); no != nil {
		return no, nil
	}
	if no := c.CheckVersion(); no != nil {
		return no, nil
	}
	current, err := CurrentDocuments(s.t)
	if err != nil {
		return nil, err
	}
	accepted, err := AcceptedVersions(s.t, s.id)
	if err != nil {
		return nil, err
	}
	return staking.CheckDocuments(current, accepted), nil
}

// refusedFor is how a refused press is kept.
func refusedFor(no error) string {
	switch {
	case errors.Is(no, staking.ErrRegion):
		return refused + "region"
	case errors.Is(no, staking.ErrUnknownCountry):
		return refused + "unknown country"
	case errors.Is(no, staking.ErrUpdateApp):
		return refused + "app version"
	}
	return refused + "documents"
}

// isOn reports whether the switch is on at the moment of the press.
func (s *switching) isOn() bool { return s.running.On(s.day) }

// end ends the running enrollment on a day, if there is one. What a listing had ended
// is not restored any more when it is undone.
func (s *switching) end(d staking.Day) error {
	if err := forgetListedOut(s.t, s.id); err != nil || !s.isOn() {
		return err
	}
	return endEnrollments(s.t, s.id.Bucket(), []ledger.Account{s.id}, d)
}

// on makes the enrollment from the next day on. An empty one of the same day opens
// again, and so does one that has an end to come.
func (s *switching) on() (staking.Enrollment, error) {
	e := staking.Enrollment{Account: s.id, From: s.day + 1, Until: staking.Forever}
	if s.isOn() {
		e.From = s.running.From
	}
	if err := checkFree(s.all, e, s.running); err != nil {
		return e, err
	}
	if err := forgetListedOut(s.t, s.id); err != nil {
		return e, err
	}
	_, err := s.t.Exec(`INSERT INTO enrollments (bucket, account, from_day, until_day) VALUES ($1, $2, $3, $4)
	                    ON CONFLICT (bucket, account, from_day) DO UPDATE SET until_day = excluded.until_day`,
		int64(s.id.Bucket()), string(s.id), int64(e.From), int64(e.Until))
	return e, err
}

// endEnrollments ends the enrollments of some accounts of a bucket that would last
// longer: that day is not paid any more. One that has not begun becomes empty.
func endEnrollments(t tx, bucket int, accounts []ledger.Account, d staking.Day) error {
	ids := make([]string, len(accounts))
	for i, a := range accounts {
		ids[i] = string(a)
	}
	slices.Sort(ids)
	n := len(ids)
	_, err := t.Set(nil, `UPDATE enrollments SET until_day = CASE WHEN from_day > r.day THEN from_day ELSE r.day END FROM {rows}
	                       WHERE enrollments.bucket = r.bucket AND enrollments.account = r.account AND enrollments.until_day > r.day`,
		set{
			ints("bucket", slices.Repeat([]int64{int64(bucket)}, n)), texts("account", ids),
			ints("day", slices.Repeat([]int64{int64(d)}, n)),
		})
	if err != nil {
		return fmt.Errorf("end enrollments: %w", err)
	}
	return nil
}

// keep records the press.
func (s *switching) keep(action string, c staking.Client) error {
	return keepPresses(s.t, []ledger.Account{s.id}, s.at, action, c)
}

func keepPresses(t tx, accounts []ledger.Account, at int64, action string, c staking.Client) error {
	n := len(accounts)
	buckets, ids := make([]int64, n), make([]string, n)
	for i, a := range accounts {
		buckets[i], ids[i] = int64(a.Bucket()), string(a)
	}
	client, address := described(c)
	_, err := t.Set(nil, `INSERT INTO switch_events (bucket, account, at, action, client, address)
	                      SELECT r.bucket, r.account, r.at, r.action, r.client, r.address FROM {rows} WHERE true ON CONFLICT DO NOTHING`, set{
		ints("bucket", buckets), texts("account", ids), ints("at", slices.Repeat([]int64{at}, n)),
		texts("action", repeat(action, n)), texts("client", repeat(client, n)), texts("address", repeat(address, n)),
	})
	if err != nil {
		return fmt.Errorf("keep the press: %w", err)
	}
	return nil
}
