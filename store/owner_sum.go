package store

import (
	"cmp"
	"context"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Group writes what the accounts of each owner held together on a day, of those tokens whose
// terms compare minimum and cap with that. Before it no bucket of such a token is accrued.
// So none is paid either, and the balances that it counts back from show no reward of the
// day: it needs no lock while it reads. What it found is written in one transaction, under
// the token's lock, unless another has written it or the terms are others by then; after a
// correction the next run comes here again. Idempotent.
func (b *DB) Group(ctx context.Context, d staking.Day, tokens []string) error {
	terms := map[string]staking.Terms{} // of those to be grouped
	var sums *holding.OwnerSums
	err := b.engine.Read(ctx, func(t db.View) error {
		clear(terms)
		all, err := TermsAt(t, d)
		if err != nil {
			return err
		}
		for _, token := range tokens {
			if all[token].PerOwner && all[token].Offered {
				terms[token] = all[token]
			}
		}
		if err := dropGrouped(t, d, terms); err != nil || len(terms) == 0 {
			return err
		}
		by, err := holding.MeasuringOn(t, d, all)
		if err != nil {
			return err
		}
		if sums, err = holding.SharedOwners(t, d); err != nil {
			return err
		}
		for bucket := range ledger.Buckets {
			if err := sums.Measure(t, bucket, by, func(asset string) bool { return terms[asset].PerOwner }); err != nil {
				return err
			}
		}
		return nil
	})
	for token := range terms {
		if err == nil {
			err = b.engine.Write(ctx, func(t db.Tx) error { return writeGrouping(t, d, terms[token], sums) })
		}
	}
	return annotate(err, "sum what owners held on %s", d)
}

// dropGrouped removes the tokens whose sums of the day are written.
func dropGrouped(t db.View, d staking.Day, terms map[string]staking.Terms) error {
	if len(terms) == 0 {
		return nil
	}
	return t.Query(func(r db.Row) error { delete(terms, r.Text(0)); return nil },
		"SELECT asset FROM groupings WHERE day = $1", int64(d))
}

// writeGrouping writes the sums of a token's day, unless it is grouped or the terms are not
// those that it was measured by.
func writeGrouping(t db.Tx, d staking.Day, terms staking.Terms, all *holding.OwnerSums) error {
	if err := lockToken(t, terms.Asset); err != nil {
		return err
	}
	declared, err := Declared(t, d, terms.Asset)
	if err != nil || declared {
		return err
	}
	now, err := TermsAt(t, d)
	if err != nil || now[terms.Asset] != terms {
		return err
	}
	sums, others := all.Of(terms.Asset), all.OthersOf(terms.Asset)
	n, err := t.Exec("INSERT INTO groupings (day, asset, owners, others) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
		int64(d), terms.Asset, int64(len(sums)), int64(len(others)))
	if err != nil || n == 0 {
		return err
	}
	if err := writeSums(t, "owner_sums", d, sums); err != nil {
		return err
	}
	return writeSums(t, "campaign_owner_sums", d, others)
}

// writeSums writes sums of a day into a table.
func writeSums(t db.Tx, table string, d staking.Day, sums []holding.OwnerSum) error {
	if len(sums) == 0 {
		return nil
	}
	slices.SortFunc(sums, func(x, y holding.OwnerSum) int {
		return cmp.Or(holding.OwnerBucket(x.Owner)-holding.OwnerBucket(y.Owner), cmp.Compare(x.Owner, y.Owner))
	})
	return t.Insert(table, holding.SumKeys(d, sums,
		db.Int("accounts", func(s holding.OwnerSum) int64 { return s.Accounts }),
		db.Text("integral", func(s holding.OwnerSum) string { return s.Integral.String() })))
}

// grouped are those of some tokens that may be accrued: where minimum and cap are those of
// owners, the sums must be written. perOwner are these, if any owner has a sum.
func grouped(t db.View, d staking.Day, terms map[string]staking.Terms,
	tokens []string) (ready, perOwner []string, err error) {
	missing := map[string]staking.Terms{}
	for _, token := range tokens {
		if terms[token].PerOwner && terms[token].Offered {
			missing[token] = terms[token]
		}
	}
	if len(missing) == 0 {
		return tokens, nil, nil
	}
	err = t.Query(func(r db.Row) error {
		if token := r.Text(0); missing[token].PerOwner {
			delete(missing, token)
			if r.Int(1) > 0 {
				perOwner = append(perOwner, token)
			}
		}
		return nil
	}, "SELECT asset, owners + others FROM groupings WHERE day = $1", int64(d))
	ready = slices.DeleteFunc(slices.Clone(tokens), func(token string) bool { return missing[token].PerOwner })
	return ready, perOwner, annotate(err, "read what owners held on %s", d)
}

// ungroup removes the sums of a token's day, whose terms are corrected.
func ungroup(t db.Tx, d staking.Day, asset string) error {
	for _, table := range []string{"owner_sums", "campaign_owner_sums"} {
		if err := t.Each(nil, "DELETE FROM "+table+" WHERE bucket = $1 AND day = $2 AND asset = $3",
			everyBucket(sameInt("day", int64(d)), sameText("asset", asset))); err != nil {
			return err
		}
	}
	_, err := t.Exec("DELETE FROM groupings WHERE day = $1 AND asset = $2", int64(d), asset)
	return err
}
