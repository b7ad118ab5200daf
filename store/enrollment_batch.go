package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

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
// no press: nobody has pressed. Repeating has no further effect, so that a batch which
// was interrupted is completed by sending it again; parts of it are committed one by one.
// It is safe beside other batches and presses. The outcomes are in the order of the
// requests. At a database's error nothing is known of the last part; done has counted
// those before it.
func (db *DB) EnrollBatch(ctx context.Context, requests []EnrollRequest) ([]EnrollOutcome, error) {
	outcomes := make([]EnrollOutcome, 0, len(requests))
	if err := db.ensureDays(ctx); err != nil {
		return nil, err
	}
	for part := range slices.Chunk(requests, enrollPart) {
		done, err := db.enrollTogether(ctx, part)
		if err != nil {
			return nil, fmt.Errorf("enroll %d accounts: %w", len(part), err)
		}
		outcomes = append(outcomes, done...)
	}
	return outcomes, nil
}

// enrolling is a part of a batch on its way, under its locks.
type enrolling struct {
	db       *DB
	t        tx
	rows     []enrollRow
	outcomes []EnrollOutcome // by the place of a row

	documents  map[DocumentVersion]time.Time // when each version was published
	current    map[string]int
	restricted []staking.Region
	accounts   map[ledger.Account]*enrollAccount
	writes     enrollWrites
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
	last     int64                    // the last press that was not refused; 0: none
}

func (db *DB) enrollTogether(ctx context.Context, requests []EnrollRequest) (outcomes []EnrollOutcome, err error) {
	err = db.engine.Write(ctx, func(t tx) error {
		e := &enrolling{db: db, t: t, outcomes: make([]EnrollOutcome, len(requests)), accounts: map[ledger.Account]*enrollAccount{}}
		e.check(requests)
		for _, step := range []func() error{e.lockDays, func() error { return lockLists(t) }, e.lockAccounts, e.read, e.decide, e.write} {
			if err := step(); err != nil {
				return err
			}
		}
		outcomes = e.outcomes
		return nil
	})
	return outcomes, err
}

// refuse refuses a row.
func (e *enrolling) refuse(place int, err error) { e.outcomes[place].Err = err }

// check takes the requests that can be taken at all.
func (e *enrolling) check(requests []EnrollRequest) {
	now := e.db.now()
	for i, r := range requests {
		row := enrollRow{EnrollRequest: r, place: i, now: r.At.IsZero()}
		if row.now {
			row.At = timeOf(now)
		}
		row.At, row.AcceptedAt = row.At.UTC().Truncate(time.Millisecond), row.AcceptedAt.UTC().Truncate(time.Millisecond)
		row.day = staking.DayOf(row.At)
		err := ledger.At("account", r.Account.CheckHolder())
		if err == nil {
			err = ledger.At("client", checkClient(&row.Client))
		}
		switch {
		case err != nil:
		case row.At.UnixMilli() > now+1000:
			err = ledger.ErrInvalid.In("", "%s lies in the future; it is %s", stamp(row.At.UnixMilli()), stamp(now))
		case len(r.Accepted) > 0 && r.AcceptedAt.IsZero():
			err = ledger.ErrInvalid.In("acceptedAt", "the documents have no time of acceptance")
		case len(r.Accepted) > 0 && row.AcceptedAt.After(row.At):
			err = ledger.ErrInvalid.In("acceptedAt", "the documents were accepted at %s, after %s, when it is switched on",
				stamp(row.AcceptedAt.UnixMilli()), stamp(row.At.UnixMilli()))
		}
		if err != nil {
			e.refuse(i, err)
			continue
		}
		e.rows = append(e.rows, row)
	}
}

// keep leaves out the rows that have been refused.
func (e *enrolling) keep() {
	e.rows = slices.DeleteFunc(e.rows, func(r enrollRow) bool { return e.outcomes[r.place].Err != nil })
}

// lockDays shares the locks of the rows' days, so that none is closed until the commit,
// and refuses the rows of those that are.
func (e *enrolling) lockDays() error {
	first, err := e.db.firstOpen(e.t)
	if err != nil {
		return err
	}
	closed := func(place int, d staking.Day, open staking.Day) {
		e.refuse(place, ledger.ErrDayClosed.In("", "%s; the first open moment is %s", d, stamp(open.Millis())))
	}
	wanted := map[[2]int64][]int{}
	for _, r := range e.rows {
		if r.day < first {
			closed(r.place, r.day, first)
			continue
		}
		key := [2]int64{int64(r.Account.Bucket()), int64(r.day)}
		wanted[key] = append(wanted[key], r.place)
	}
	err = lockDays(e.t, wanted, func(place int, d staking.Day) { closed(place, d, d+1) })
	e.keep()
	return err
}

// ids are the buckets and IDs of the rows' accounts, in the order of their keys.
func (e *enrolling) ids() set {
	accounts := make([]ledger.Account, 0, len(e.rows))
	for _, r := range e.rows {
		accounts = append(accounts, r.Account)
	}
	slices.SortFunc(accounts, func(a, b ledger.Account) int { return cmp.Or(a.Bucket()-b.Bucket(), cmp.Compare(a, b)) })
	accounts = slices.Compact(accounts)
	buckets, ids := make([]int64, len(accounts)), make([]string, len(accounts))
	for i, a := range accounts {
		buckets[i], ids[i] = int64(a.Bucket()), string(a)
	}
	return set{ints("bucket", buckets), texts("account", ids)}
}

// lockAccounts takes the rows of the accounts, in the order of their keys, and refuses
// those that there are not.
func (e *enrolling) lockAccounts() error {
	if len(e.rows) == 0 {
		return nil
	}
	_, err := e.t.Set(func(r row) error {
		a := &enrollAccount{accepted: map[string]int{}, known: map[DocumentVersion]bool{}}
		a.ID, a.Region, a.Closed = ledger.Account(r.Text(0)), staking.Region(r.Text(1)), timeOrNever(r.Int(2))
		a.Freeze = readFreeze(r.Int(3), r.Int(4), "")
		e.accounts[a.ID] = a
		return nil
	}, `UPDATE accounts SET region = region FROM {rows} WHERE accounts.bucket = r.bucket AND accounts.account = r.account
	    RETURNING accounts.account, accounts.region, accounts.closed, accounts.frozen, accounts.frozen_mode`, e.ids())
	if err != nil {
		return fmt.Errorf("lock the accounts: %w", err)
	}
	for _, r := range e.rows {
		if e.accounts[r.Account] == nil {
			e.refuse(r.place, noAccount(r.Account))
		}
	}
	e.keep()
	return nil
}

// read reads what decides about the rows.
func (e *enrolling) read() (err error) {
	if len(e.rows) == 0 {
		return nil
	}
	e.documents, e.current = map[DocumentVersion]time.Time{}, map[string]int{}
	err = e.t.Query(func(r row) error {
		d := DocumentVersion{r.Text(0), int(r.Int(1))}
		e.documents[d], e.current[d.Name] = timeOf(r.Int(2)), max(e.current[d.Name], d.Version)
		return nil
	}, "SELECT name, version, published FROM documents")
	if err == nil {
		e.restricted, err = RegionsAt(e.t)
	}
	ids := e.ids()
	for _, of := range []struct {
		sql  string
		each func(*enrollAccount, row)
	}{
		{"SELECT x.account, x.from_day, x.until_day FROM {rows} JOIN enrollments x ON x.bucket = r.bucket AND x.account = r.account", func(a *enrollAccount, r row) {
			a.all = append(a.all, staking.Enrollment{Account: a.ID, From: staking.Day(r.Int(1)), Until: staking.Day(r.Int(2))})
		}},
		{"SELECT x.account, x.version, x.document FROM {rows} JOIN acceptances x ON x.bucket = r.bucket AND x.account = r.account", func(a *enrollAccount, r row) {
			a.accept(DocumentVersion{r.Text(2), int(r.Int(1))})
		}},
		{"SELECT x.account, x.at, x.action FROM {rows} JOIN switch_events x ON x.bucket = r.bucket AND x.account = r.account", func(a *enrollAccount, r row) {
			if !strings.HasPrefix(r.Text(2), refused) {
				a.last = max(a.last, r.Int(1))
			}
		}},
	} {
		if err == nil {
			err = e.t.QuerySet(func(r row) error { of.each(e.accounts[ledger.Account(r.Text(0))], r); return nil }, of.sql, ids)
		}
	}
	if err != nil {
		return fmt.Errorf("read the accounts: %w", err)
	}
	return nil
}

func (a *enrollAccount) accept(d DocumentVersion) {
	a.known[d], a.accepted[d.Name] = true, max(a.accepted[d.Name], d.Version)
}
