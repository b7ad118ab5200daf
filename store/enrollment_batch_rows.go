package store

import (
	"fmt"
	"slices"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// decide decides row by row, in memory, as if they came one by one.
func (e *enrolling) decide() error {
	for _, r := range e.rows {
		a := e.accounts[r.Account]
		if out, err := e.enroll(r, a); err != nil {
			e.refuse(r.place, err)
		} else {
			e.outcomes[r.place] = out
		}
	}
	return nil
}

// enroll switches the account of a row on, or says why not.
func (e *enrolling) enroll(r enrollRow, a *enrollAccount) (out EnrollOutcome, err error) {
	if !a.Closed.IsZero() {
		return out, isClosed(a.ID, a.Closed.UnixMilli())
	}
	fresh, err := e.fresh(r, a)
	if err != nil {
		return out, err
	}
	for _, x := range a.all {
		if x.On(r.day) {
			e.writes.accept(r, fresh, a)
			return EnrollOutcome{Enrollment: x, Repeated: len(fresh) == 0}, nil
		}
	}
	if r.now && staking.DayOf(timeOf(a.last)) == r.day {
		r.At = timeOf(max(a.last, r.At.UnixMilli())) // another process's clock is a little ahead
	}
	if a.last > r.At.UnixMilli() {
		return out, pressedLater(a.last, r.At.UnixMilli())
	}
	if err := a.mayEarn(); err != nil {
		return out, err
	}
	if err := e.refusal(r, a, fresh); err != nil {
		return out, err
	}
	made := staking.Enrollment{Account: a.ID, From: r.day + 1, Until: staking.Forever}
	if err := checkFree(a.all, made, staking.Enrollment{}); err != nil {
		return out, err
	}
	e.writes.accept(r, fresh, a)
	e.writes.enroll(r, made)
	a.all, a.last = append(a.all, made), r.At.UnixMilli()
	return EnrollOutcome{Enrollment: made}, nil
}

// fresh are the versions that a row accepts and the books do not know of, each once.
func (e *enrolling) fresh(r enrollRow, a *enrollAccount) (fresh []DocumentVersion, err error) {
	for _, d := range r.Accepted {
		if d.Version == 0 {
			d.Version = e.current[d.Name]
		}
		published, there := e.documents[d]
		switch {
		case !there:
			return nil, ledger.ErrNotFound.In("", "document %q version %d", ledger.Clip(d.Name), d.Version).Because(ReasonUnknownDocument)
		case r.AcceptedAt.Before(published):
			return nil, ledger.ErrInvalid.In("", "%s version %d was published at %s, after %s, when it was accepted",
				d.Name, d.Version, stamp(published.UnixMilli()), stamp(r.AcceptedAt.UnixMilli()))
		case !a.known[d] && !slices.Contains(fresh, d):
			fresh = append(fresh, d)
		}
	}
	return fresh, nil
}

// refusal says why the switch may not be pressed on, in the order of Enroll, or nothing.
func (e *enrolling) refusal(r enrollRow, a *enrollAccount, fresh []DocumentVersion) error {
	if err := staking.CheckRegion(a.Region, r.Client, e.restricted); err != nil {
		return err
	}
	if err := r.Client.CheckVersion(); err != nil {
		return err
	}
	accepted := map[string]int{}
	for name, version := range a.accepted {
		accepted[name] = version
	}
	for _, d := range fresh {
		accepted[d.Name] = max(accepted[d.Name], d.Version)
	}
	return staking.CheckDocuments(e.current, accepted)
}

// enrollWrites are the rows that a part of a batch adds, column by column.
type enrollWrites struct {
	acceptances struct {
		buckets, versions, at                []int64
		accounts, documents, clients, places []string
	}
	enrollments struct {
		buckets, from, until, at  []int64
		accounts, clients, places []string
	}
}

// accept adds what a row accepts.
func (w *enrollWrites) accept(r enrollRow, fresh []DocumentVersion, a *enrollAccount) {
	client, place := described(r.Client)
	x := &w.acceptances
	for _, d := range fresh {
		a.accept(d)
		x.buckets, x.accounts = append(x.buckets, int64(a.ID.Bucket())), append(x.accounts, string(a.ID))
		x.documents, x.versions = append(x.documents, d.Name), append(x.versions, int64(d.Version))
		x.at, x.clients, x.places = append(x.at, r.AcceptedAt.UnixMilli()), append(x.clients, client), append(x.places, place)
	}
}

// enroll adds an enrollment and its press.
func (w *enrollWrites) enroll(r enrollRow, made staking.Enrollment) {
	client, place := described(r.Client)
	x := &w.enrollments
	x.buckets, x.accounts = append(x.buckets, int64(made.Account.Bucket())), append(x.accounts, string(made.Account))
	x.from, x.until = append(x.from, int64(made.From)), append(x.until, int64(made.Until))
	x.at, x.clients, x.places = append(x.at, r.At.UnixMilli()), append(x.clients, client), append(x.places, place)
}

// write writes what was decided, and a line of the log.
func (e *enrolling) write() error {
	a, n := &e.writes.acceptances, &e.writes.enrollments
	if len(a.accounts) == 0 && len(n.accounts) == 0 {
		return nil
	}
	if _, err := e.t.Set(nil, `INSERT INTO acceptances (bucket, account, document, version, accepted_at, client, address)
	                           SELECT r.bucket, r.account, r.document, r.version, r.at, r.client, r.address FROM {rows} WHERE true ON CONFLICT DO NOTHING`, set{
		ints("bucket", a.buckets), texts("account", a.accounts), texts("document", a.documents), ints("version", a.versions),
		ints("at", a.at), texts("client", a.clients), texts("address", a.places),
	}); err != nil {
		return fmt.Errorf("keep what is accepted: %w", err)
	}
	if err := e.t.Each(nil, "DELETE FROM listed_out WHERE bucket = $1 AND account = $2", set{ints("bucket", n.buckets), texts("account", n.accounts)}); err != nil {
		return fmt.Errorf("forget what listings ended: %w", err)
	}
	// An empty enrollment of the same day opens again.
	if _, err := e.t.Set(nil, `INSERT INTO enrollments (bucket, account, from_day, until_day)
	                           SELECT r.bucket, r.account, r.from_day, r.until_day FROM {rows} WHERE true
	                           ON CONFLICT (bucket, account, from_day) DO UPDATE SET until_day = excluded.until_day`, set{
		ints("bucket", n.buckets), texts("account", n.accounts), ints("from_day", n.from), ints("until_day", n.until),
	}); err != nil {
		return fmt.Errorf("keep the enrollments: %w", err)
	}
	if _, err := e.t.Set(nil, `INSERT INTO switch_events (bucket, account, at, action, client, address)
	                           SELECT r.bucket, r.account, r.at, r.action, r.client, r.address FROM {rows} WHERE true ON CONFLICT DO NOTHING`, set{
		ints("bucket", n.buckets), texts("account", n.accounts), ints("at", n.at), texts("action", repeat(pressOn, len(n.accounts))),
		texts("client", n.clients), texts("address", n.places),
	}); err != nil {
		return fmt.Errorf("keep the presses: %w", err)
	}
	detail := fmt.Sprintf("%d acceptances of documents", len(a.accounts))
	if last := len(n.accounts) - 1; last >= 0 {
		detail = fmt.Sprintf("%d accounts switched on, from %s to %s; %s", last+1, n.accounts[0], n.accounts[last], detail)
	}
	return e.db.logLine(e.t, "enroll", "enrollments", detail)
}
