package reports

import (
	"fmt"
	"strings"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// rule finds rows that contradict each other. Its query returns an account and a token, each may be empty, a moment
// in milliseconds, what is wrong, and the day that stands there as {day}; moment and day may be 0. It is one
// statement about all rows, whose joins go by keys and indexes: the time grows with the rows, and not with their
// square. CROSS JOIN has SQLite read the left table first: it may not be the smaller one, but only the right one
// has the key.
type rule struct{ name, sql string }

// rules are about rows beside the figures of rewards. They hold in books of every version. Where processes of one
// installation write, their clocks may be a minute apart.
var rules = [...]rule{
	{"enrollment of a closed account", `SELECT a.account, '', a.closed, 'is closed, and its enrollment from {day} goes on', e.from_day
	   FROM accounts a JOIN enrollments e ON e.bucket = a.bucket AND e.account = a.account
	  WHERE a.closed > 0 AND e.until_day > e.from_day AND e.until_day > a.closed / 86400000`},
	{"login of a closed account", `SELECT a.account, '', a.closed, 'is closed, and has a login', 0
	   FROM accounts a JOIN logins l ON l.account = a.account WHERE a.closed > 0`},
	{"session of a closed account", `SELECT a.account, '', a.closed, 'is closed, and has the session ' || s.id, 0
	   FROM accounts a JOIN sessions s ON s.account = a.account WHERE a.closed > 0`},
	{"pending withdrawal of a closed account", `SELECT a.account, '', a.closed, 'is closed, and its withdrawal ' || p.id || ' is pending', 0
	   FROM accounts a JOIN pending p ON p.bucket = a.bucket AND p.account = a.account WHERE a.closed > 0`},
	{"balance of a closed account", `SELECT b.account, b.asset, a.closed, 'the account is closed, and this balance takes entries', 0
	   FROM accounts a CROSS JOIN (SELECT '' AS part UNION ALL SELECT '/held') h CROSS JOIN balances b
	  WHERE b.bucket = a.bucket AND b.account = a.account || h.part AND a.closed > 0 AND b.closed = 0`},
	{"balance of an ended account", `SELECT b.account, b.asset, a.ended, 'nothing is left of the account, and it has this balance', 0
	   FROM accounts a CROSS JOIN (SELECT '' AS part UNION ALL SELECT '/held') h CROSS JOIN balances b
	  WHERE b.bucket = a.bucket AND b.account = a.account || h.part AND a.ended > 0 AND b.balance <> 0`},
	{"end of an open account", `SELECT account, '', ended, 'has ended, and is open or was closed later', 0
	   FROM accounts WHERE ended > 0 AND (closed = 0 OR closed > ended)`},
	{"erasure of an open account", `SELECT account, '', erased, 'its person is erased, and it is open or has ended later', 0
	   FROM accounts WHERE erased > 0 AND (ended = 0 OR ended > erased)`},
	{"sweep of an open or ended account", `SELECT s.account, '', s.begun, 'leaves to ' || s.target || ' what it has, and is open or has ended', 0
	   FROM sweeps s LEFT JOIN accounts a ON a.bucket = s.bucket AND a.account = s.account
	  WHERE coalesce(a.closed, 0) = 0 OR a.ended > 0`},
	{"closed account without its sweep", `SELECT a.account, '', a.closed, 'is closed, has not ended, and no sweep moves on what it has', 0
	   FROM accounts a WHERE a.closed > 0 AND a.ended = 0
	    AND NOT EXISTS (SELECT 1 FROM sweeps s WHERE s.bucket = a.bucket AND s.account = a.account)`},
	{"key of an erased person", `SELECT a.account, '', a.erased, 'its person is erased, and the key ' || k.key || ' can be used', 0
	   FROM accounts a JOIN keys k ON k.account = a.account WHERE a.erased > 0 AND k.revoked = 0`},
	{"e-mail address of an erased person", `SELECT a.account, '', a.erased, 'its person is erased, and the books have an e-mail address of it', 0
	   FROM accounts a JOIN emails e ON e.account = a.account WHERE a.erased > 0`},

	{"pending withdrawal without its request", `SELECT p.account, '', p.requested, 'the withdrawal ' || p.id || ' is pending, and was not requested then', 0
	   FROM pending p WHERE NOT EXISTS (SELECT 1 FROM withdrawals w
	     WHERE w.bucket = p.bucket AND w.account = p.account AND w.id = p.id AND w.requested = p.requested)`},
	{"pending withdrawal that has ended", `SELECT p.account, '', e.at, 'the withdrawal ' || p.id || ' is pending, and has ended', 0
	   FROM pending p JOIN endings e ON e.bucket = p.bucket AND e.account = p.account AND e.id = p.id`},
	{"withdrawal that is neither pending nor ended", `SELECT w.account, w.asset, w.requested, 'the withdrawal ' || w.id || ' is not pending, and has not ended', 0
	   FROM withdrawals w
	  WHERE NOT EXISTS (SELECT 1 FROM endings e WHERE e.bucket = w.bucket AND e.account = w.account AND e.id = w.id)
	    AND NOT EXISTS (SELECT 1 FROM pending p WHERE p.bucket = w.bucket AND p.account = w.account AND p.id = w.id)`},
	// What was requested before the last upgrade may be held no more: the first versions did not reserve it. Nor may what
	// another ledger has decided to take: there is a reconciliation then.
	{"more pending than held", `SELECT w.account, w.asset, max(w.requested), 'its pending withdrawals are of more than it has held', 0
	   FROM pending p JOIN withdrawals w ON w.bucket = p.bucket AND w.account = p.account AND w.id = p.id
	  WHERE p.requested > (SELECT coalesce(max(l.at), 0) FROM log l WHERE l.action = 'upgrade' AND l.subject = 'books')
	    AND NOT EXISTS (SELECT 1 FROM reconciliations r
	     WHERE r.bucket = w.bucket AND r.account = w.account || '/held' AND r.asset = w.asset)
	  GROUP BY w.bucket, w.account, w.asset
	 HAVING sum(w.amount) > coalesce((SELECT b.balance FROM balances b
	     WHERE b.bucket = w.bucket AND b.account = w.account || '/held' AND b.asset = w.asset), 0)`},
	{"ending without its request", `SELECT e.account, '', e.at, 'the withdrawal ' || e.id || ' has ended, and was not requested before', 0
	   FROM endings e WHERE NOT EXISTS (SELECT 1 FROM withdrawals w
	     WHERE w.bucket = e.bucket AND w.account = e.account AND w.id = e.id AND w.requested <= e.at)`},
	{"ending without its entry", `SELECT e.account, w.asset, e.at, 'the withdrawal ' || e.id || ' has ended as ' || e.kind || ', and no entry then ends it so', 0
	   FROM endings e JOIN withdrawals w ON w.bucket = e.bucket AND w.account = e.account AND w.id = e.id
	  WHERE NOT EXISTS (SELECT 1 FROM postings p WHERE p.bucket = e.bucket AND p.day = e.at / 86400000 AND p.at = e.at
	     AND p.entry IN (e.id || '/completed', e.id || '/cancelled') AND p.kind = e.kind AND p.side = 0
	     AND p.account = e.account || '/held' AND p.asset = w.asset AND p.amount = -w.amount)`},

	{"settled day that was not declared", `SELECT '', s.asset, s.settled_at, 'its day {day} is settled, and nothing was declared for it', s.day
	   FROM settled s WHERE NOT EXISTS (SELECT 1 FROM declarations d WHERE d.asset = s.asset AND d.day = s.day)`},

	{"price that cannot be", `SELECT '', asset, set_at, 'its price of {day} is not above zero, or was set before that day', day
	   FROM prices WHERE price <= 0 OR day > set_at / 86400000`},
	{"rate that cannot be", `SELECT '', currency, set_at, 'its rate of {day} is not above zero, or was set before that day', day
	   FROM rates WHERE rate <= 0 OR day > set_at / 86400000`},
	{"price set after payment", `SELECT '', p.asset, p.set_at, 'its price of {day} was set after the day was paid, and the books count no late price', p.day
	   FROM settled s JOIN prices p ON p.asset = s.asset AND p.day = s.day
	  WHERE p.set_at > s.settled_at AND NOT EXISTS (SELECT 1 FROM meta WHERE name = 'late_prices')`},

	{"document without its earlier version", `SELECT '', '', d.published, 'version ' || d.version || ' of ' || d.name || ' is there, and the one before is missing or later', 0
	   FROM documents d WHERE d.version > 1 AND NOT EXISTS (SELECT 1 FROM documents b
	     WHERE b.name = d.name AND b.version = d.version - 1 AND b.published <= d.published + 60000)`},
	{"acceptance without its document", `SELECT x.account, '', x.accepted_at, 'has accepted version ' || x.version || ' of ' || x.document || ', which is missing or later', 0
	   FROM acceptances x WHERE NOT EXISTS (SELECT 1 FROM documents d
	     WHERE d.name = x.document AND d.version = x.version AND d.published <= x.accepted_at + 60000)`},
	{"acceptance without its account", `SELECT x.account, '', x.accepted_at, 'has accepted version ' || x.version || ' of ' || x.document || ', and was never opened', 0
	   FROM acceptances x WHERE NOT EXISTS (SELECT 1 FROM accounts a WHERE a.bucket = x.bucket AND a.account = x.account)`},

	{"end of an enrollment without its switch event", `SELECT e.account, '', 0, 'its enrollment from {day} has ended, and no switch event says so', e.from_day
	   FROM enrollments e WHERE e.until_day < {forever} AND e.until_day > e.from_day
	    AND NOT EXISTS (SELECT 1 FROM switch_events s WHERE s.bucket = e.bucket AND s.account = e.account
	     AND s.at >= (e.from_day - 1) * CAST(86400000 AS bigint) AND s.at < (e.until_day + 1) * CAST(86400000 AS bigint)
	     AND s.action LIKE 'off%')`},
	{"switch event without its enrollment", `SELECT s.account, '', s.at, 'was switched on, and is not enrolled', 0
	   FROM switch_events s WHERE s.action LIKE 'on%'
	    AND NOT EXISTS (SELECT 1 FROM switch_events n WHERE n.bucket = s.bucket AND n.account = s.account AND n.at >= s.at
	     AND n.action LIKE 'off%')
	    AND NOT EXISTS (SELECT 1 FROM enrollments e WHERE e.bucket = s.bucket AND e.account = s.account
	     AND e.until_day > s.at / 86400000 + 1)`},
	{"switch event without its account", `SELECT s.account, '', s.at, 'has a switch event, and was never opened', 0
	   FROM switch_events s WHERE NOT EXISTS (SELECT 1 FROM accounts a WHERE a.bucket = s.bucket AND a.account = s.account)`},

	{"payouts that are not the rewards", `SELECT '', b.asset, b.at, 'the payouts of {day} in bucket ' || b.bucket || ' are not its rewards', b.day
	   FROM payout_batches b WHERE b.entry = '' AND b.count || ' ' || b.total <>
	        (SELECT count(*) || ' ' || coalesce(sum(r.reward), 0) FROM rewards r
	          WHERE r.bucket = b.bucket AND r.day = b.day AND r.asset = b.asset AND r.reward > 0)`},
	{"payouts that nobody has answered", `SELECT '', '', 0, 'the payouts of bucket ' || b.bucket || ' are counted as answered, and there are fewer answers', 0
	   FROM (SELECT bucket, sum(credited) AS credited, sum(refused) AS refused FROM payout_batches GROUP BY bucket) b
	  WHERE b.credited > (SELECT count(*) FROM payout_answers a WHERE a.bucket = b.bucket AND a.credited = 1)
	     OR b.refused > (SELECT count(*) FROM payout_answers a WHERE a.bucket = b.bucket AND a.credited = 0)`},

	{"comparison that is not whole", `SELECT '', '', c.made_at, 'of reconciliation ' || c.number || ' the accounts that differ are not those that were found', 0
	   FROM comparisons c WHERE c.kept <> (SELECT count(*) FROM comparison_differences d WHERE d.number = c.number)
	     OR EXISTS (SELECT 1 FROM comparison_differences d WHERE d.number = c.number AND d.ours = d.theirs)
	     OR EXISTS (SELECT 1 FROM comparison_tokens t WHERE t.number = c.number
	                   AND (t.differences = 0 AND (t.off <> 0 OR t.sum <> t.their_sum OR t.root <> t.their_root)
	                     OR t.differences > 0 AND t.root = t.their_root
	                     OR t.differences < (SELECT count(*) FROM comparison_differences d
	                          WHERE d.number = t.number AND d.kind = t.kind AND d.asset = t.asset)))
	     OR c.number > 1 AND NOT EXISTS (SELECT 1 FROM comparisons b WHERE b.number = c.number - 1)`},
	{"comparison against its limit", `SELECT '', t.asset, c.made_at, 'reconciliation ' || c.number || ' stops it, or does not, against the limit of then', 0
	   FROM comparison_tokens t JOIN comparisons c ON c.number = t.number
	   LEFT JOIN comparison_limits l ON l.asset = t.limit_asset AND l.number = t.limit_number
	  WHERE t.stops <> CASE WHEN l.amount >= 0 AND t.off > l.amount OR l.accounts >= 0 AND t.differences > l.accounts
	                        THEN 1 ELSE 0 END
	     OR t.limit_number > 0 AND (l.number IS NULL OR l.set_at > c.made_at + 60000)`},

	{"token that was revoked", `SELECT '', '', t.created, 'the log revokes the token ' || t.id || ', and it can be used', 0
	   FROM tokens t WHERE t.revoked = 0 AND t.id IN (SELECT l.subject FROM log l WHERE l.action = 'token revoke')`},
	{"token without its line of the log", `SELECT '', '', t.created, 'no line of the log made the token ' || t.id, 0
	   FROM tokens t WHERE t.id IN (SELECT m.id FROM tokens m EXCEPT SELECT l.subject FROM log l WHERE l.action = 'token create')`},
	{"member of staff without a line of the log", `SELECT '', '', s.made, 'no line of the log made ' || s.email || ' one of staff', 0
	   FROM staff s WHERE s.email IN (SELECT m.email FROM staff m
	     EXCEPT SELECT l.subject FROM log l WHERE l.action IN ('staff add', 'staff log-in'))`},
}

// check visits what contradicts the rule.
func (r rule) check(t db.View, visit func(audit.Finding)) error {
	err := t.Query(func(row db.Row) error {
		what := strings.ReplaceAll(row.Text(3), "{day}", staking.Day(row.Int(4)).String())
		f := findingAt(row.Int(2), r.name, what)
		f.Account, f.Asset = ledger.Account(row.Text(0)), row.Text(1)
		visit(f)
		return nil
	}, strings.ReplaceAll(r.sql, "{forever}", fmt.Sprint(int64(staking.Forever))))
	if err != nil {
		err = fmt.Errorf("look for %s: %w", r.name, err)
	}
	return err
}

// AuditRules are the names of the rules of Contradictions.
func AuditRules() []string {
	names := []string{ruleRole, ruleDecision, rulePrice, ruleOutflow, ruleLimits, ruleTerms, ruleSupply, ruleLater,
		ruleCompareSet, ruleBreakPaid, ruleUncompared}
	for _, r := range rules {
		names = append(names, r.name)
	}
	return names
}
