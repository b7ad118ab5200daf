package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/consent"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// EnrollmentsOf are an account's, the oldest first, with those that cover no day.
func EnrollmentsOf(t db.View, id ledger.Account) ([]staking.Enrollment, error) {
	enrollments, err := db.All(t, readEnrollment,
		"SELECT account, from_day, until_day FROM enrollments WHERE bucket = $1 AND account = $2 ORDER BY from_day",
		int64(id.Bucket()), string(id))
	return enrollments, annotate(err, "read the enrollments of %s", id)
}

// readEnrollment scans account, from_day and until_day.
func readEnrollment(r db.Row) (staking.Enrollment, error) {
	return staking.Enrollment{Account: ledger.Account(r.Text(0)), From: staking.Day(r.Int(1)),
		Until: staking.Day(r.Int(2))}, nil
}

// writeEnrollments writes enrollments, or until when those last that are there: an empty
// one of the same day opens again.
func writeEnrollments(t db.Tx, enrollments ...staking.Enrollment) error {
	_, err := t.Set(nil, `INSERT INTO enrollments (bucket, account, from_day, until_day)
	                      SELECT r.bucket, r.account, r.from_day, r.until_day FROM {rows} WHERE true
	                      ON CONFLICT (bucket, account, from_day) DO UPDATE SET until_day = excluded.until_day`,
		db.SetOf(enrollments, accountFields(func(e staking.Enrollment) ledger.Account { return e.Account },
			db.Int("from_day", func(e staking.Enrollment) int64 { return int64(e.From) }),
			db.Int("until_day", func(e staking.Enrollment) int64 { return int64(e.Until) }))...))
	return annotate(err, "write enrollments")
}

// endEnrollments ends the enrollments of some accounts that would last longer: that day
// is not paid any more. One that has not begun becomes empty.
func endEnrollments(t db.Tx, d staking.Day, accounts ...ledger.Account) error {
	slices.Sort(accounts) // the order in which all lock them
	_, err := t.Set(nil, `UPDATE enrollments SET until_day = CASE WHEN from_day > r.day THEN from_day ELSE r.day END FROM {rows}
	                       WHERE enrollments.bucket = r.bucket AND enrollments.account = r.account AND enrollments.until_day > r.day`,
		accountSet(accounts, db.Int("day", func(ledger.Account) int64 { return int64(d) })))
	return annotate(err, "end enrollments")
}

// accountSet is the keys of some accounts, with other columns.
func accountSet(accounts []ledger.Account, more ...db.Field[ledger.Account]) db.Set {
	return db.SetOf(accounts, accountFields(itself[ledger.Account], more...)...)
}

// EnrollRequest asks to switch one account on, with the documents that its holder has
// accepted before.
type EnrollRequest struct {
	Account    ledger.Account
	At         time.Time         // when it is switched on, as Enroll means it; zero: now
	Accepted   []DocumentVersion // in addition to what the books know; may be none
	AcceptedAt time.Time         // of all of them; at the latest At
	Client     staking.Client    // that the holder accepted and switched on with
}

// DocumentVersion names a version of a document; version 0 is the current one.
type DocumentVersion struct {
	Name    string
	Version int
}

// EnrollOutcome is what became of an EnrollRequest.
type EnrollOutcome struct {
	Enrollment staking.Enrollment // the one that runs
	Repeated   bool               // it was on before, and nothing was to be written
	Err        error              // why it is refused: of the row itself, not of the database
}

// enrollPart is how many requests one transaction takes: the more, the fewer commits, and
// the longer others wait for the locks of their days and accounts.
const enrollPart = 5_000

// EnrollBatch switches many accounts on, each as Enroll does after Accept: all that a row
// asks for is written or, where it is refused, nothing of it. The checks are, in this order:
// the row itself, its account, its day, its documents (ledger.ErrInvalid, ErrNotFound,
// ErrDayClosed); then, unless the switch is on already, those of Enroll. A refused row leaves
// no switch event: nobody used the switch. Repeating has no further effect, so that a batch which
// was interrupted is completed by sending it again; parts of it are committed one by one.
// It is safe beside other batches and changes of the switch. The outcomes are in the order of the
// requests. at a database error nothing is known of the last part.
func (b *DB) EnrollBatch(ctx context.Context, requests []EnrollRequest) ([]EnrollOutcome, error) {
	outcomes := make([]EnrollOutcome, 0, len(requests))
	if err := b.ensureDays(ctx); err != nil {
		return nil, err
	}
	for part := range slices.Chunk(requests, enrollPart) {
		var e *enrollBatch
		err := b.engine.Write(ctx, func(t db.Tx) error {
			e = &enrollBatch{db: b, t: t, outcomes: make([]EnrollOutcome, len(part)),
				accounts: map[ledger.Account]*enrollAccount{}}
			e.check(part)
			return inOrder(e.lockDays, func() error { return lockLists(t) }, e.lockAccounts, e.read, e.decide, e.write)
		})
		if err != nil {
			return nil, fmt.Errorf("enroll %d accounts: %w", len(part), err)
		}
		outcomes = append(outcomes, e.outcomes...)
	}
	return outcomes, nil
}

// enrollBatch is a part of a batch, under its locks.
type enrollBatch struct {
	db       *DB
	t        db.Tx
	rows     []*enrollRow
	outcomes []EnrollOutcome // by the place of a row

	documents  map[DocumentVersion]time.Time // when each version was published
	current    map[string]int
	restricted []staking.Region
	accounts   map[ledger.Account]*enrollAccount

	acceptances []consent.Acceptance
	enrollments []staking.Enrollment
	events      []switchRow
}

// enrollRow is a request that may be taken.
type enrollRow struct {
	EnrollRequest
	now   bool // it asks for no other time
	place int
	day   staking.Day // that it is switched on
}

// enrollAccount is what the books say of an account, and what rows before have changed.
type enrollAccount struct {
	Account
	all      []staking.Enrollment
	accepted map[string]int
	known    map[DocumentVersion]bool // accepted versions
	last     int64                    // of the last switch event that was not refused; 0: none
}

func (e *enrollBatch) refuse(place int, err error) { e.outcomes[place].Err = err }

func (e *enrollBatch) check(requests []EnrollRequest) {
	now := e.db.now()
	for i, r := range requests {
		row := &enrollRow{EnrollRequest: r, place: i, now: r.At.IsZero()}
		if row.now {
			row.At = db.TimeOf(now)
		}
		row.At, row.AcceptedAt = row.At.UTC().Truncate(time.Millisecond), row.AcceptedAt.UTC().Truncate(time.Millisecond)
		row.day = staking.DayOf(row.At)
		err := cmp.Or(ledger.At("account", r.Account.CheckHolder()), e.db.actor.CheckOwns(r.Account))
		if err == nil {
			err = ledger.At("client", row.Client.Check())
		}
		switch {
		case err != nil:
		case row.At.UnixMilli() > now+1000:
			err = ledger.ErrInvalid.In("", "%s lies in the future; it is %s", ledger.FormatTime(row.At),
				ledger.FormatTime(db.TimeOf(now)))
		case len(r.Accepted) > 0 && r.AcceptedAt.IsZero():
			err = ledger.ErrInvalid.In("acceptedAt", "the documents have no time of acceptance")
		case len(r.Accepted) > 0 && row.AcceptedAt.After(row.At):
			// Without a field: where it is switched on now, the same request may succeed later.
			err = ledger.ErrInvalid.In("", "the documents were accepted at %s, after %s, when it is switched on",
				ledger.FormatTime(row.AcceptedAt), ledger.FormatTime(row.At))
		}
		if err != nil {
			e.refuse(i, err)
			continue
		}
		e.rows = append(e.rows, row)
	}
}

// lockDays shares the locks of the rows' days, so that none is closed until the commit,
// and refuses the rows of those that are.
func (e *enrollBatch) lockDays() error {
	err := lockOpenDays(e.db.books, e.t, e.rows,
		func(r *enrollRow) (staking.Day, []int) { return r.day, []int{r.Account.Bucket()} },
		func(r *enrollRow, d, firstOpen staking.Day) { e.refuse(r.place, dayClosed(d, firstOpen)) })
	e.rows = slices.DeleteFunc(e.rows, func(r *enrollRow) bool { return e.outcomes[r.place].Err != nil })
	return err
}

// ids are the buckets and IDs of the rows' accounts, in the order of their keys.
func (e *enrollBatch) ids() db.Set {
	accounts := make([]ledger.Account, 0, len(e.rows))
	for _, r := range e.rows {
		accounts = append(accounts, r.Account)
	}
	return orderedAccounts(accounts)
}

// orderedAccounts are the keys of some accounts in their order, each once.
func orderedAccounts(accounts []ledger.Account) db.Set {
	slices.SortFunc(accounts, func(a, b ledger.Account) int { return cmp.Or(a.Bucket()-b.Bucket(), cmp.Compare(a, b)) })
	return accountSet(slices.Compact(accounts))
}

// lockAccounts takes the rows of the accounts, in the order of their keys.
func (e *enrollBatch) lockAccounts() error {
	there, err := lockAccounts(e.t, e.ids())
	for _, a := range there {
		e.accounts[a.ID] = &enrollAccount{Account: a, accepted: map[string]int{}, known: map[DocumentVersion]bool{}}
	}
	return err
}

// lockAccounts takes the exclusive locks of the rows of those of some accounts that there are,
// and reads them. The set is in the order of their keys.
func lockAccounts(t db.Tx, ids db.Set) (there []Account, err error) {
	_, err = t.Set(func(r db.Row) error {
		a, err := ReadAccount(r)
		there = append(there, a)
		return err
	}, `UPDATE accounts SET region = region FROM {rows} WHERE accounts.bucket = r.bucket AND accounts.account = r.account
	    RETURNING accounts.account, accounts.region, accounts.opened, accounts.closed, accounts.frozen, accounts.frozen_mode, accounts.frozen_reason`, ids)
	return there, annotate(err, "lock the accounts")
}

// read reads what decides about the rows.
func (e *enrollBatch) read() (err error) {
	e.documents, e.current = map[DocumentVersion]time.Time{}, map[string]int{}
	err = e.t.Query(func(r db.Row) error {
		d := DocumentVersion{r.Text(0), int(r.Int(1))}
		e.documents[d], e.current[d.Name] = db.TimeOf(r.Int(2)), max(e.current[d.Name], d.Version)
		return nil
	}, "SELECT name, version, published FROM documents")
	if err == nil {
		e.restricted, err = RegionsAt(e.t)
	}
	ids := e.ids()
	for _, of := range []struct {
		sql  string
		each func(*enrollAccount, db.Row)
	}{
		{"SELECT x.account, x.from_day, x.until_day FROM {rows} JOIN enrollments x ON x.bucket = r.bucket AND " +
			"x.account = r.account", func(a *enrollAccount, r db.Row) {
			a.all = append(a.all, staking.Enrollment{Account: a.ID, From: staking.Day(r.Int(1)), Until: staking.Day(r.Int(2))})
		}},
		{"SELECT x.account, x.version, x.document FROM {rows} JOIN acceptances x ON x.bucket = r.bucket AND " +
			"x.account = r.account", func(a *enrollAccount, r db.Row) {
			a.accept(DocumentVersion{r.Text(2), int(r.Int(1))})
		}},
		{"SELECT x.account, x.at, x.action FROM {rows} JOIN switch_events x ON x.bucket = r.bucket AND x.account = r.account",
			func(a *enrollAccount, r db.Row) {
				if !isRefused(r.Text(2)) {
					a.last = max(a.last, r.Int(1))
				}
			}},
	} {
		if err == nil {
			err = e.t.QuerySet(func(r db.Row) error {
				of.each(e.accounts[ledger.Account(r.Text(0))], r)
				return nil
			}, of.sql, ids)
		}
	}
	return annotate(err, "read the accounts")
}

func (a *enrollAccount) accept(d DocumentVersion) {
	a.known[d], a.accepted[d.Name] = true, max(a.accepted[d.Name], d.Version)
}

// decide decides row by row, in memory, as if they came one by one.
func (e *enrollBatch) decide() error {
	for _, r := range e.rows {
		out, err := e.enroll(r, e.accounts[r.Account])
		out.Err = err
		e.outcomes[r.place] = out
	}
	return nil
}

// enroll switches the account of a row on, or says why not.
func (e *enrollBatch) enroll(r *enrollRow, a *enrollAccount) (out EnrollOutcome, err error) {
	if a == nil {
		return out, noAccount(r.Account)
	}
	if err := a.checkOpen(); err != nil {
		return out, err
	}
	fresh, err := e.fresh(r, a)
	if err != nil {
		return out, err
	}
	for _, x := range a.all {
		if x.On(r.day) {
			e.accept(r, fresh, a)
			return EnrollOutcome{Enrollment: x, Repeated: len(fresh) == 0}, nil
		}
	}
	if r.now && staking.DayOf(db.TimeOf(a.last)) == r.day {
		r.At = db.TimeOf(max(a.last, r.At.UnixMilli())) // another process's clock is a little ahead
	}
	if err := checkLast(a.last, r.At.UnixMilli()); err != nil {
		return out, err
	}
	if err := a.mayEarn(); err != nil {
		return out, err
	}
	accepted := maps.Clone(a.accepted)
	for _, d := range fresh {
		accepted[d.Name] = max(accepted[d.Name], d.Version)
	}
	if err := staking.CheckActivation(a.Region, r.Client, e.restricted, e.current, accepted); err != nil {
		return out, err
	}
	made := staking.Enrollment{Account: a.ID, From: r.day + 1, Until: staking.Forever}
	if err := made.CheckFree(a.all, staking.Enrollment{}); err != nil {
		return out, err
	}
	e.accept(r, fresh, a)
	e.enrollments = append(e.enrollments, made)
	e.events = append(e.events, switchRow{a.ID, r.At.UnixMilli(), enrolled, r.Client})
	a.all, a.last = append(a.all, made), r.At.UnixMilli()
	return EnrollOutcome{Enrollment: made}, nil
}

// fresh are the versions that a row accepts and the books do not know of, each once.
func (e *enrollBatch) fresh(r *enrollRow, a *enrollAccount) (fresh []DocumentVersion, err error) {
	for _, d := range r.Accepted {
		if d.Version == 0 {
			d.Version = e.current[d.Name]
		}
		published, there := e.documents[d]
		switch {
		case !there:
			return nil, ledger.ErrNotFound.In("", "document %q version %d", ledger.Clip(d.Name),
				d.Version).Because(consent.ReasonUnknownDocument)
		case r.AcceptedAt.Before(published):
			return nil, ledger.ErrInvalid.In("", "%s version %d was published at %s, after %s, when it was accepted",
				d.Name, d.Version, ledger.FormatTime(published), ledger.FormatTime(r.AcceptedAt))
		case !a.known[d] && !slices.Contains(fresh, d):
			fresh = append(fresh, d)
		}
	}
	return fresh, nil
}

func (e *enrollBatch) accept(r *enrollRow, fresh []DocumentVersion, a *enrollAccount) {
	for _, d := range fresh {
		a.accept(d)
		e.acceptances = append(e.acceptances, consent.Acceptance{Account: a.ID, Document: d.Name, Version: d.Version,
			At: r.AcceptedAt, Client: r.Client})
	}
}

// write writes what was decided, and a line of the log.
func (e *enrollBatch) write() error {
	n := len(e.enrollments)
	if len(e.acceptances) == 0 && n == 0 {
		return nil
	}
	if _, err := consent.WriteAcceptances(e.t, e.db.Now(), e.acceptances...); err != nil {
		return err
	}
	made := make([]ledger.Account, n)
	for i, x := range e.enrollments {
		made[i] = x.Account
	}
	detail := fmt.Sprintf("%d acceptances of documents", len(e.acceptances))
	if n > 0 {
		detail = fmt.Sprintf("%d accounts switched on, from %s to %s; %s", n, made[0], made[n-1], detail)
	}
	return inOrder(
		func() error { return forgetListedOut(e.t, made...) },
		func() error { return writeEnrollments(e.t, e.enrollments...) },
		func() error { return recordSwitches(e.t, e.events...) },
		func() error { return e.db.logLine(e.t, "enroll", "enrollments", detail) },
		func() error { return e.db.useCount(e.t, access.OfSwitches, n) })
}
