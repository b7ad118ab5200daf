package reports

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// ruleOutflow is the rule of what has left accounts, which daily limits are compared with.
const ruleOutflow = "sum of what has left an account"

// leaving names what has left an account on a day.
type leaving struct {
	account, asset string
	day            staking.Day
}

// outflow is what has left by the postings of the day, and by the row that counts it.
type outflow struct{ posted, counted ledger.Amount }

// checkOutflows finds days that are open on which other amounts are counted as left than the postings say. It has the
// sums of one bucket in memory.
func checkOutflows(t db.View, visit func(audit.Finding)) error {
	bucket, sums := int64(0), map[leaving]outflow{}
	end := func() {
		for _, k := range slices.SortedFunc(maps.Keys(sums), func(a, b leaving) int {
			return strings.Compare(a.account+" "+a.asset+a.day.String(), b.account+" "+b.asset+b.day.String())
		}) {
			if s := sums[k]; s.posted != s.counted {
				f := audit.Finding{Day: k.day, HasDay: true, Account: ledger.Account(k.account), Asset: k.asset, Rule: ruleOutflow,
					What: fmt.Sprintf("%d units have left it by its postings, and %d are counted", s.posted, s.counted)}
				visit(f)
			}
		}
		clear(sums)
	}
	err := t.QueryEach(func(r db.Row) error {
		if r.Int(0) != bucket {
			end()
			bucket = r.Int(0)
		}
		k := leaving{r.Text(1), r.Text(2), staking.Day(r.Int(3))}
		s := sums[k]
		s.posted, s.counted = min(s.posted+ledger.Amount(r.Int(4)), ledger.MaxSupply), s.counted+ledger.Amount(r.Int(5))
		sums[k] = s
		return nil
	}, `SELECT p.bucket, p.account, p.asset, p.day, -p.amount, 0
	      FROM days d JOIN postings p ON p.bucket = d.bucket AND p.day = d.day
	     WHERE d.bucket = $1 AND d.closed = 0 AND p.amount < 0 AND p.kind IN ('withdrawal-request', 'withdrawal', 'transfer')
	       AND substr(p.account, 1, 1) <> '@' AND p.account NOT LIKE '%/held'
	       AND NOT EXISTS (SELECT 1 FROM endings e WHERE e.bucket = p.bucket AND e.account = p.account AND e.id = p.entry
	                          AND e.kind = 'withdrawal-cancelled')
	    UNION ALL
	    SELECT u.bucket, u.credential, u.asset, u.day, 0, u.used FROM days d JOIN ceilings_used u ON u.bucket = d.bucket AND u.day = d.day
	     WHERE d.bucket = $1 AND d.closed = 0 AND u.measure = '`+store.LeftAccount+`'`, inEachBucket())
	end()
	if err != nil {
		return fmt.Errorf("look for a %s: %w", ruleOutflow, err)
	}
	return nil
}
