package reports

import (
	"context"
	"maps"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// countingOwners are the ownerships that count today or later, of owners o: today is $1.
const countingOwners = `o.revision = (SELECT max(r.revision) FROM owners r WHERE r.bucket = o.bucket AND r.account = o.account AND r.from_day = o.from_day)
	   AND NOT EXISTS (SELECT 1 FROM owners n WHERE n.bucket = o.bucket AND n.account = o.account AND n.from_day > o.from_day AND n.from_day <= $1)`

// Owners are the ownerships that hold today (UTC) or from a later day on, after one of them,
// at most limit: by bucket, account and day. owner is "" or the one that is wanted; an
// account that becomes its own owner is shown in the list of all.
func (rs *Reports) Owners(ctx context.Context, owner string, after store.Ownership,
	limit int) ([]store.Ownership, error) {
	which := "o.owner = $2"
	if owner == "" {
		which = "(o.owner <> $2 OR o.from_day > $1)"
	}
	return list(ctx, rs, "read the owners", store.ReadOwnership, `SELECT o.account, o.from_day, o.revision, o.owner FROM owners o
	     WHERE `+which+` AND (o.bucket, o.account, o.from_day) > ($3, $4, $5) AND `+countingOwners+`
	     ORDER BY o.bucket, o.account, o.from_day LIMIT $6`,
		int64(staking.DayOf(rs.Now())), owner, bucketAfter(after.Account), string(after.Account), int64(after.From),
		int64(max(limit, 0)))
}

// bucketAfter is the bucket of an account, of "" one before all.
func bucketAfter(account ledger.Account) int64 {
	if account == "" {
		return -1
	}
	return int64(account.Bucket())
}

// Labels are the labels that hold today (UTC) or later, after one of them, at most limit: by
// bucket, account, label and day. label is "" or the one that is wanted.
func (rs *Reports) Labels(ctx context.Context, label string, after store.Label, limit int) ([]store.Label, error) {
	return list(ctx, rs, "read the labels", store.ReadLabel, "SELECT "+store.LabelColumns+` FROM labels
	     WHERE until_day > $1 AND ($2 = '' OR label = $2) AND (bucket, account, label, from_day) > ($3, $4, $5, $6)
	     ORDER BY bucket, account, label, from_day LIMIT $7`,
		int64(staking.DayOf(rs.Now())), label, bucketAfter(after.Account), string(after.Account), after.Name,
		int64(after.From), int64(max(limit, 0)))
}

// Marks are whose an account is, and its labels: what holds today (UTC) or later, by day.
type Marks struct {
	Owners []store.Ownership // of an account that never had one there is none
	Labels []store.Label
}

// MarksOf are the marks of some accounts, by account.
func (rs *Reports) MarksOf(ctx context.Context, accounts ...ledger.Account) (map[ledger.Account]Marks, error) {
	if len(accounts) == 0 {
		return map[ledger.Account]Marks{}, nil
	}
	return read(ctx, rs, "read owners and labels", func(t db.View) (map[ledger.Account]Marks, error) {
		marks := map[ledger.Account]Marks{}
		keys := db.SetOf(accounts,
			db.Int("bucket", func(a ledger.Account) int64 { return int64(a.Bucket()) }),
			db.Text("account", func(a ledger.Account) string { return string(a) }))
		today := staking.DayOf(rs.Now())
		err := t.QuerySet(func(r db.Row) error {
			o, err := store.ReadOwnership(r)
			m := marks[o.Account]
			// A later row of the same day, or of a later one that has come, takes the place of the one before.
			m.Owners = slices.DeleteFunc(m.Owners, func(x store.Ownership) bool { return x.From == o.From || o.From <= today })
			m.Owners = append(m.Owners, o)
			marks[o.Account] = m
			return err
		}, `SELECT o.account, o.from_day, o.revision, o.owner FROM {rows} JOIN owners o ON o.bucket = r.bucket AND o.account = r.account
		     ORDER BY o.bucket, o.account, o.from_day, o.revision`, keys)
		if err != nil {
			return nil, err
		}
		err = t.QuerySet(func(r db.Row) error {
			l, err := store.ReadLabel(r)
			if m := marks[l.Account]; l.Until > today && l.Until > l.From {
				m.Labels = append(m.Labels, l)
				marks[l.Account] = m
			}
			return err
		}, `SELECT l.account, l.label, l.from_day, l.until_day FROM {rows} JOIN labels l ON l.bucket = r.bucket AND l.account = r.account
		     ORDER BY l.bucket, l.account, l.label, l.from_day`, keys)
		return marks, err
	})
}

// ownerFrom is whose an account is from a day on: "" nobody's but its own.
type ownerFrom struct {
	owner string
	from  staking.Day
}

// othersFree is what the owner's other accounts have free now, by token, where a minimum and a cap are an owner's.
func (r *reading) othersFree(terms map[string]staking.Terms) (map[string]ledger.Amount, error) {
	owner, free := "", map[string]ledger.Amount{}
	for _, o := range r.owners {
		if o.from <= r.Today {
			owner = o.owner
		}
	}
	shared := func(t staking.Terms) bool { return t.Offered && t.PerOwner }
	if owner == "" || !slices.ContainsFunc(slices.Collect(maps.Values(terms)), shared) {
		return free, nil
	}
	all, err := holding.OthersFree(r.t, owner, r.id, r.Today)
	for asset, amount := range all {
		if shared(terms[asset]) {
			free[asset] = amount
		}
	}
	return free, err
}
