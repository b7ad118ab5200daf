package store

import (
	"fmt"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// In the mode share an account earns on a day, and gets its share when the income of that day is
// distributed, days later. Until then it is not closed: nobody could reach what it still gets. Once
// it is closed, income that comes even later for a period in which it earned is distributed without
// it: what it would have got stays in the pool for the next distribution.

// outstanding is the first day of a token whose reward may still come to an account.
type outstanding struct {
	day    staking.Day // 0: there is none
	token  string
	reason string // a sentence: why it is not there yet
}

// outstandingOf is what may still come to an account: of a day that is not paid, or whose income is not
// distributed.
func outstandingOf(t db.View, id ledger.Account) (o outstanding, err error) {
	enrollments, err := EnrollmentsOf(t, id)
	if err != nil || len(enrollments) == 0 {
		return o, err
	}
	if o.day, o.token, err = unpaid(t, id, enrollments); err != nil || o.day != 0 {
		o.reason = fmt.Sprintf("it earned on %s, and %s of that day is not paid yet", o.day, o.token)
		return o, err
	}
	shared, err := sharedTokens(t, id)
	if err != nil {
		return o, err
	}
	for _, s := range shared {
		d, found, err := undistributed(t, id, s, enrollments)
		if err != nil {
			return o, fmt.Errorf("read which income of %s is not distributed: %w", s.Asset, err)
		}
		if found {
			o = outstanding{d, s.Asset, fmt.Sprintf("it earned on %s, and the income of %s of that day is not distributed yet",
				d, s.Asset)}
			return o, nil
		}
	}
	return undistributedPool(t, id)
}

// undistributedPool is the first day on which an account earned with a token of a campaign, whose pool of that day is
// not distributed and paid in the account's bucket.
func undistributedPool(t db.View, id ledger.Account) (o outstanding, err error) {
	campaigns, err := holding.AllCampaigns(t)
	for _, c := range campaigns {
		var paid int64
		if err == nil {
			_, err = db.One(t, []*int64{&paid}, "SELECT paid_through FROM progress WHERE bucket = $1 AND asset = $2",
				int64(id.Bucket()), c.Asset)
		}
		for _, p := range c.Parts {
			if err != nil || staking.Day(paid) > min(c.Last, c.End) {
				continue
			}
			var day staking.Day
			var found bool
			day, found, err = db.First(t, readDay, `SELECT a.day FROM days d CROSS JOIN accruals a
			     WHERE d.bucket = $1 AND d.day BETWEEN $2 AND $3 AND a.bucket = d.bucket AND a.day = d.day AND a.account = $4 AND a.asset = $5
			     ORDER BY d.day LIMIT 1`, int64(id.Bucket()), max(paid, int64(c.First)), int64(min(c.Last, c.End)), string(id), p.Token)
			if found && (o.day == 0 || day < o.day) {
				o = outstanding{day, c.Asset, fmt.Sprintf("it earned on %s, and the campaign %s of that day is not distributed yet",
					day, c.ID)}
			}
		}
	}
	if err != nil {
		return outstanding{}, fmt.Errorf("read what campaigns owe %s: %w", id, err)
	}
	return o, nil
}

// enterable is a day that is over and may have income that would be the account's: one of a token that the
// account has had, in the mode share, which is not paid. Until it is, the income may be in the books and
// not be seen here, as one that is being entered at the same time.
func enterable(t db.View, id ledger.Account, today staking.Day) (o outstanding, err error) {
	enrollments, err := EnrollmentsOf(t, id)
	if err != nil || len(enrollments) == 0 {
		return o, err
	}
	shared, err := sharedTokens(t, id)
	for _, s := range shared {
		if s.Day < today-1 {
			why := fmt.Sprintf("income of %s that was entered on %s may be its, and is not paid yet", s.Asset, s.Day+1)
			return outstanding{s.Day + 1, s.Asset, why}, nil
		}
	}
	return o, err
}

// sharedTokens are the tokens that an account has had and that have ever been in the mode share, each with the
// day through which it is paid in the account's bucket.
func sharedTokens(t db.View, id ledger.Account) ([]staking.Due, error) {
	tokens, err := db.All(t, readDue, `SELECT p.asset, p.paid_through FROM progress p
	     WHERE p.bucket = $1
	       AND EXISTS (SELECT 1 FROM terms t WHERE t.asset = p.asset AND t.mode = $3)
	       AND EXISTS (SELECT 1 FROM balances b WHERE b.bucket = p.bucket AND b.account = $2 AND b.asset = p.asset)
	     ORDER BY p.asset`, int64(id.Bucket()), string(id), int64(staking.Share))
	return tokens, annotate(err, "read what %s has had in the mode share", id)
}

// undistributed is the first day on which the account has a weight in a token and which is in no period that is
// distributed and paid in its bucket, or in one for which more income was entered since.
func undistributed(t db.View, id ledger.Account, paid staking.Due,
	enrollments []staking.Enrollment) (first staking.Day, found bool, err error) {
	begin := enrollments[0].From
	for _, e := range enrollments {
		begin = min(begin, e.From)
	}
	days, err := undistributedDays(t, paid.Asset, begin, paid.Day)
	if err != nil {
		return 0, false, err
	}
	err = t.QuerySet(func(r db.Row) error {
		if d := staking.Day(r.Int(0)); !found || d < first {
			first, found = d, true
		}
		return nil
	}, `SELECT a.day FROM {rows} JOIN accruals a ON a.bucket = r.bucket AND a.day = r.day AND a.account = r.account AND a.asset = r.asset
	       AND (a.eligible > 0 OR a.eligible_rest > 0)`, db.SetOf(days,
		db.Int("bucket", func(staking.Day) int64 { return int64(id.Bucket()) }),
		db.Int("day", dayNumber),
		db.Text("account", func(staking.Day) string { return string(id) }),
		db.Text("asset", func(staking.Day) string { return paid.Asset })))
	return first, found, err
}

// undistributedDays are the declared days of a token in the mode share, of some, on which anybody weighs
// anything and which are in no distribution of a day through the last of them, or in one for which more income
// was entered since: ascending.
func undistributedDays(t db.View, token string, from, through staking.Day) (days []staking.Day, err error) {
	waits := map[staking.Day]bool{}
	if err := t.Query(func(r db.Row) error { waits[staking.Day(r.Int(0))] = true; return nil },
		"SELECT day FROM declarations WHERE asset = $1 AND day BETWEEN $2 AND $3 AND (eligible > 0 OR eligible_rest > 0)",
		token, int64(from), int64(through)); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		waits bool
		sql   string
		from  int64
	}{
		{false, "SELECT first_day, last_day FROM distributions WHERE asset = $1 AND last_day >= $2 AND day <= $3",
			int64(through)},
		{true, "SELECT first_day, last_day FROM incomes WHERE asset = $1 AND last_day >= $2 AND at >= $3 AND mode = " +
			fmt.Sprint(int64(staking.Share)),
			(through + 1).Millis()},
	} {
		err := t.Query(func(r db.Row) error {
			for d := max(staking.Day(r.Int(0)), from); d <= min(staking.Day(r.Int(1)), through); d++ {
				if _, weighed := waits[d]; weighed {
					waits[d] = part.waits
				}
			}
			return nil
		}, part.sql, token, int64(from), part.from)
		if err != nil {
			return nil, err
		}
	}
	for d, waits := range waits {
		if waits {
			days = append(days, d)
		}
	}
	slices.Sort(days)
	return days, nil
}

// unpaid is the first day that the account was enrolled for and that is not paid, and of
// which token; 0 if there is none.
func unpaid(t db.View, id ledger.Account, enrollments []staking.Enrollment) (first staking.Day, token string,
	err error) {
	err = t.Query(func(r db.Row) error {
		next := staking.Day(r.Int(1)) + 1
		for _, e := range enrollments {
			if d := max(e.From, next); d < e.Until && first == 0 {
				first, token = d, r.Text(0)
			}
		}
		return nil
	}, "SELECT asset, paid_through FROM progress WHERE bucket = $1 ORDER BY paid_through, asset", int64(id.Bucket()))
	return first, token, err
}
