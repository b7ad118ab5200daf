package holding

import (
	"fmt"
	"maps"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// OwnerSum is what the accounts of an owner held together of a token on a day: how many of
// them held something, and the sum of their integrals.
type OwnerSum struct {
	Owner    string
	Asset    string
	Accounts int64
	Integral staking.Integral
}

// OwnerSums are the sums of owners with several accounts, by owner and token. Memory grows
// with how many such owners there are. They are not safe for concurrent use.
type OwnerSums struct {
	owners map[string]bool // those with several accounts
	sums   map[[2]string]*OwnerSum
	others map[[2]string]*OwnerSum // by the measure that the terms do not have, where a campaign takes it
}

// SharedOwners are those who had more than one account, on that day or before it, without
// sums. An account that has left its owner since counts, so that whoever is among them stays.
func SharedOwners(t db.View, d staking.Day) (*OwnerSums, error) {
	s := &OwnerSums{owners: map[string]bool{}, sums: map[[2]string]*OwnerSum{}, others: map[[2]string]*OwnerSum{}}
	err := t.Query(func(r db.Row) error { s.owners[r.Text(0)] = true; return nil },
		"SELECT owner FROM owners WHERE owner <> '' AND from_day <= $1 GROUP BY owner HAVING min(account) <> max(account)",
		int64(d))
	if err != nil {
		return nil, fmt.Errorf("read who has several accounts: %w", err)
	}
	return s, nil
}

// Measure adds what the bucket's accounts of these owners held on the day.
func (s *OwnerSums) Measure(t db.View, bucket int, by *Measuring, wanted func(asset string) bool) error {
	if len(s.owners) == 0 {
		return nil
	}
	owners, err := OwnersOn(t, bucket, by.Day)
	if err != nil {
		return err
	}
	if s.Keep(owners); len(owners) == 0 {
		return nil
	}
	return Measure(t, bucket, by, wanted, nil, func(page []staking.Holding) error {
		for _, h := range page {
			if owner := owners[h.Account]; owner != "" {
				s.Add(owner, h)
			}
		}
		return nil
	})
}

// Empty reports whether no owner has several accounts.
func (s *OwnerSums) Empty() bool { return len(s.owners) == 0 }

// Keep leaves only the accounts whose owners have several.
func (s *OwnerSums) Keep(accounts map[ledger.Account]string) {
	maps.DeleteFunc(accounts, func(_ ledger.Account, owner string) bool { return !s.owners[owner] })
}

// Add adds what an account of an owner held. One that held nothing, or less, adds nothing.
func (s *OwnerSums) Add(owner string, h staking.Holding) {
	addTo(s.sums, owner, h.Asset, h.Integral)
	if h.Other != nil {
		addTo(s.others, owner, h.Asset, h.Other.Integral)
	}
}

func addTo(sums map[[2]string]*OwnerSum, owner, asset string, held staking.Integral) {
	if !(staking.Integral{}).Less(held) {
		return
	}
	k := [2]string{owner, asset}
	if sums[k] == nil {
		sums[k] = &OwnerSum{Owner: owner, Asset: asset}
	}
	sums[k].Accounts++
	sums[k].Integral = sums[k].Integral.Add(held)
}

// Of are the sums of a token, in no order; OthersOf those by the measure that its terms do not have, where a campaign
// takes it.
func (s *OwnerSums) Of(asset string) []OwnerSum { return sumsOf(s.sums, asset) }

func (s *OwnerSums) OthersOf(asset string) []OwnerSum { return sumsOf(s.others, asset) }

func sumsOf(sums map[[2]string]*OwnerSum, asset string) (all []OwnerSum) {
	for k, sum := range sums {
		if k[1] == asset {
			all = append(all, *sum)
		}
	}
	return all
}

// OwnersOn are the owners of a bucket's accounts on a day, by account. One without an owner
// is not among them.
func OwnersOn(t db.View, bucket int, d staking.Day) (map[ledger.Account]string, error) {
	owners := map[ledger.Account]string{}
	err := t.Query(func(r db.Row) error {
		if account, owner := ledger.Account(r.Text(0)), r.Text(1); owner != "" {
			owners[account] = owner
		} else {
			delete(owners, account)
		}
		return nil
	}, "SELECT account, owner FROM owners WHERE bucket = $1 AND from_day <= $2 ORDER BY account, from_day, revision",
		int64(bucket), int64(d))
	if err != nil {
		return nil, fmt.Errorf("read the owners of accounts: %w", err)
	}
	return owners, nil
}

// OwnerBucket is the bucket in which an owner's sums lie.
func OwnerBucket(owner string) int { return ledger.Account(owner).Bucket() }

// Together is what accounts of a bucket hold together with the others of their owners.
type Together struct{ own, other byAccount }

// byAccount is integrals by account and token.
type byAccount map[ledger.Account]map[string]staking.Integral

// TogetherOn reads what is written for a bucket's accounts and some tokens' day.
func TogetherOn(t db.View, bucket int, by *Measuring, tokens []string) (together Together, err error) {
	if len(tokens) == 0 {
		return together, nil
	}
	owners, err := OwnersOn(t, bucket, by.Day)
	if err != nil || len(owners) == 0 {
		return together, err
	}
	sums, err := readSums(t, "owner_sums", by.Day, owners, tokens)
	if err != nil {
		return together, err
	}
	together.own = togetherOf(owners, sums)
	tokens = slices.DeleteFunc(slices.Clone(tokens), func(token string) bool { return !by.other[token] })
	if len(tokens) == 0 {
		return together, nil
	}
	sums, err = readSums(t, "campaign_owner_sums", by.Day, owners, tokens)
	together.other = togetherOf(owners, sums)
	return together, err
}

// togetherOf are the sums of owners, by owner and token, as their accounts have them.
func togetherOf(owners map[ledger.Account]string, sums map[string]map[string]staking.Integral) byAccount {
	together := byAccount{}
	for account, owner := range owners {
		if sums[owner] != nil {
			together[account] = sums[owner]
		}
	}
	return together
}

// readSums are the sums of the owners of some accounts in a table, by owner and token.
func readSums(t db.View, table string, d staking.Day, accounts map[ledger.Account]string,
	tokens []string) (map[string]map[string]staking.Integral, error) {
	seen := map[string]bool{}
	var asked []OwnerSum
	for _, owner := range accounts {
		if seen[owner] {
			continue
		}
		seen[owner] = true
		for _, token := range tokens {
			asked = append(asked, OwnerSum{Owner: owner, Asset: token})
		}
	}
	sums := map[string]map[string]staking.Integral{}
	err := t.QuerySet(func(r db.Row) error {
		owner := r.Text(0)
		integral, err := staking.ParseIntegral(r.Text(2))
		if sums[owner] == nil {
			sums[owner] = map[string]staking.Integral{}
		}
		sums[owner][r.Text(1)] = integral
		return err
	}, `SELECT s.owner, s.asset, s.integral FROM {rows} JOIN `+table+` s
	        ON s.bucket = r.bucket AND s.day = r.day AND s.owner = r.owner AND s.asset = r.asset`, SumKeys(d, asked))
	if err != nil {
		return nil, fmt.Errorf("read what owners held: %w", err)
	}
	return sums, nil
}

// SumKeys are the keys of sums of a day, with other columns.
func SumKeys(d staking.Day, sums []OwnerSum, more ...db.Field[OwnerSum]) db.Set {
	return db.SetOf(sums, append([]db.Field[OwnerSum]{
		db.Int("bucket", func(s OwnerSum) int64 { return int64(OwnerBucket(s.Owner)) }),
		db.Int("day", func(OwnerSum) int64 { return int64(d) }),
		db.Text("owner", func(s OwnerSum) string { return s.Owner }),
		db.Text("asset", func(s OwnerSum) string { return s.Asset }),
	}, more...)...)
}

// Give sets what the holding's owner held.
func (a Together) Give(h *staking.Holding) {
	h.OwnerIntegral = a.own[h.Account][h.Asset]
	if h.Other != nil {
		h.Other.OwnerIntegral = a.other[h.Account][h.Asset]
	}
}

// Together are the sums as a bucket's accounts have them, by the measure of the terms.
func (s *OwnerSums) Together(t db.View, bucket int, d staking.Day) (Together, error) {
	if len(s.sums) == 0 {
		return Together{}, nil
	}
	owners, err := OwnersOn(t, bucket, d)
	byOwner := map[string]map[string]staking.Integral{}
	for k, sum := range s.sums {
		if byOwner[k[0]] == nil {
			byOwner[k[0]] = map[string]staking.Integral{}
		}
		byOwner[k[0]][k[1]] = sum.Integral
	}
	return Together{own: togetherOf(owners, byOwner)}, err
}

// OwnerIntegral is what an account holds of a token on a day together with the others of its
// owner: as it is written, or as it stands where the run has not come to the day. Zero: it
// has no others. It reads each account of the owner. terms are the token's of the day.
func OwnerIntegral(t db.View, id ledger.Account, d staking.Day, terms staking.Terms) (sum staking.Integral, err error) {
	token := terms.Asset
	owner, err := ownerOn(t, id, d)
	if err != nil || owner == "" {
		return sum, err
	}
	sums, err := readSums(t, "owner_sums", d, map[ledger.Account]string{id: owner}, []string{token})
	if err != nil {
		return sum, err
	}
	if written, is := sums[owner][token]; is {
		return written, nil
	}
	grouped, err := db.Count(t, "SELECT count(*) FROM groupings WHERE day = $1 AND asset = $2", int64(d), token)
	if err != nil || grouped > 0 {
		return sum, err
	}
	accounts, err := accountsOf(t, owner, d)
	if err != nil {
		return sum, err
	}
	for _, account := range accounts {
		page, err := measureAccount(t, account, d, terms)
		if err != nil {
			return sum, err
		}
		for _, h := range page {
			if (staking.Integral{}).Less(h.Integral) {
				sum = sum.Add(h.Integral)
			}
		}
	}
	return sum, nil
}

// ownerOn is the owner of an account on a day, or "".
func ownerOn(t db.View, id ledger.Account, d staking.Day) (string, error) {
	owner, _, err := db.First(t, db.TextOf, `SELECT owner FROM owners WHERE bucket = $1 AND account = $2 AND from_day <= $3
	     ORDER BY from_day DESC, revision DESC LIMIT 1`, int64(id.Bucket()), string(id), int64(d))
	return owner, err
}
