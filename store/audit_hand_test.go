package store_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/pgtest"
)

// hand changes books by hand, past everything that guards them.
type hand func(t testing.TB, sql string)

func handOf(t *testing.T, url string) hand {
	t.Helper()
	if path, is := strings.CutPrefix(url, "sqlite:"); is {
		c, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
		ok(t, err)
		t.Cleanup(func() { ok(t, c.Close()) })
		c.SetBusyTimeout(10 * time.Second)
		return func(t testing.TB, sql string) {
			t.Helper()
			if err := sqlitex.ExecuteScript(c, sql, nil); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
	}
	c, err := pgx.Connect(t.Context(), pgtest.Owner(url))
	ok(t, err)
	t.Cleanup(func() { ok(t, c.Close(context.Background())) })
	return func(t testing.TB, sql string) {
		t.Helper()
		if _, err := c.PgConn().Exec(context.Background(), sql).ReadAll(); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// keep keeps the tables that tests change.
func (h hand) keep(t testing.TB) {
	for _, table := range []string{"postings", "entries", "balances", "enrollments", "exclusions", "accounts", "terms",
		"accruals", "batches", "withdrawals", "incomes", "distributions", "shares", "labels",
		"campaigns", "campaign_parts", "campaign_multipliers", "campaign_ends", "campaign_members", "campaign_weights",
		"campaign_totals", "campaign_shares", "campaign_distributions", "campaign_eligible", "campaign_owner_sums",
		"payments", "declarations",
		"progress", "assets", "days", "closings", "owners", "owner_sums", "groupings"} {
		h(t, fmt.Sprintf("CREATE TABLE kept_%s AS SELECT * FROM %[1]s", table))
	}
}

// changes finds the table that a statement changes.
var changes = regexp.MustCompile(`(?:UPDATE|DELETE FROM|INSERT INTO) (\w+)`)

// restore puts back the tables that a script has changed.
func (h hand) restore(t testing.TB, script string) {
	for _, table := range changes.FindAllStringSubmatch(script, -1) {
		h(t, fmt.Sprintf("DELETE FROM %s; INSERT INTO %[1]s SELECT * FROM kept_%[1]s", table[1]))
	}
}

// tamperings are what a hand does to the books, with {1} for Day 1, {2} for Day 2
// and so on, and what the audit must find first: on which day (0: none, or before
// the books), whose, of what, and what.
var tamperings = []struct {
	name, sql      string
	day            int
	account, asset string
	what           string
}{
	{"reward", "UPDATE accruals SET reward = reward + 1 WHERE day = {3} AND account = 'alice' AND asset = 'BNB'", 3,
		"alice", bnb, "reward is 0.00000769, derived 0.00000768"},
	{"reward and balance", `UPDATE balances SET balance = balance + 1, earned = earned + 1
		 WHERE account = 'alice' AND asset = 'BNB';
		UPDATE accruals SET reward = reward + 1 WHERE day = {3} AND account = 'alice' AND asset = 'BNB'`, 3, "alice", bnb, "reward is"},
	{"average", "UPDATE accruals SET average = average - 1 WHERE day = {2} AND account = 'bob' AND asset = 'BNB'", 2,
		"bob", bnb, "average is 3.29999999, derived 3.3"},
	{"rest", "UPDATE accruals SET rest = rest + 1 WHERE day = {2} AND account = 'alice' AND asset = 'BNB'", 2, "alice",
		bnb, "the average's rest is"},
	{"eligible", "UPDATE accruals SET eligible = eligible + 1 WHERE day = {2} AND account = 'alice' AND asset = 'BNB'", 2,
		"alice", bnb, "eligible is"},
	{"rate of a record", "UPDATE accruals SET apr = apr + 1 WHERE day = {2} AND account = 'alice' AND asset = 'BNB'", 2,
		"alice", bnb, "APR is 0.00150001, by the terms 0.0015"},
	{"opening", "UPDATE accruals SET opening = opening + 1 WHERE day = {6} AND account = 'alice' AND asset = 'SOL'", 6,
		"alice", sol, "opening is"},
	{"carry", "UPDATE accruals SET carry = carry + 1 WHERE day = {4} AND account = 'carol' AND asset = 'BNB'", 4, "carol",
		bnb, "carry is"},
	{"carry before", "UPDATE accruals SET before = before + 1 WHERE day = {5} AND account = 'bob' AND asset = 'BNB'", 5,
		"bob", bnb, "carry before is"},
	{"accrual deleted", "DELETE FROM accruals WHERE day = {5} AND account = 'alice' AND asset = 'SOL'", 5, "alice", sol,
		"has no record of its reward of"},
	{"accrual that waits deleted", "DELETE FROM accruals WHERE day = {2} AND asset = 'ADA'", 2, "carol", "ADA",
		"has no record of its reward of"},
	{"accrual of nobody enrolled", `INSERT INTO accruals
		SELECT bucket, {4}, account, asset, opening, average, rest, eligible, apr, reward, before, carry, eligible_rest
		FROM accruals WHERE day = {3} - 1 AND account = 'bob' AND asset = 'BNB'`, 4, "bob", bnb,
		"but no enrollment covers the day"},
	{"accrual below the minimum", `INSERT INTO accruals
		SELECT bucket, {2}, account, asset, opening, average, rest, eligible, apr, reward, before, carry, eligible_rest
		FROM accruals WHERE day = {3} AND account = 'carol' AND asset = 'BNB'`, 2, "carol", bnb,
		"the average is below the minimum of 0.5"},
	{"accrual of a day not accrued", `INSERT INTO accruals
		SELECT bucket, {3}, account, asset, opening, average, rest, eligible, apr, reward, before, carry, eligible_rest
		FROM accruals WHERE day = {2} AND asset = 'ADA'`, 3, "carol", "ADA", "accrued only through"},
	{"accrual of nobody", `INSERT INTO accruals
		SELECT bucket, day, 'nobody', asset, opening, average, rest, eligible, apr, reward, before, carry, eligible_rest
		FROM accruals WHERE day = {2} AND account = 'bob' AND asset = 'BNB'`, 2, "nobody", bnb, "but no balance"},
	{"accrual of a day before the books", `INSERT INTO accruals
		SELECT bucket, {1} - 1, account, asset, opening, average, rest, eligible, apr, reward, before, carry, eligible_rest
		FROM accruals WHERE day = {2} AND account = 'bob' AND asset = 'BNB'`, 0, "bob", bnb,
		"a day that the books do not have"},
	{"records of two accounts exchanged", `UPDATE accruals SET bucket = 0, account = 'x'
		 WHERE day = {6} AND account = 'alice' AND asset = 'BNB';
		UPDATE accruals SET bucket = (SELECT bucket FROM accounts WHERE account = 'alice'), account = 'alice'
		 WHERE day = {6} AND account = 'bob' AND asset = 'BNB';
		UPDATE accruals SET bucket = (SELECT bucket FROM accounts WHERE account = 'bob'), account = 'bob'
		 WHERE day = {6} AND account = 'x'`, 6, "alice", bnb, "opening is"},
	{"posting", "UPDATE postings SET amount = amount + 1 WHERE entry = 't1' AND account = 'carol'", 2, "carol", bnb,
		"its two sides differ: 1.10000001 BNB from dave to carol"},
	{"posting of a trade", "UPDATE postings SET amount = amount - 1 WHERE entry = 'x1' AND move = 1 AND account = 'bob'",
		3, "bob", bnb, ""},
	{"posting of nobody enrolled", "UPDATE postings SET amount = amount + 1 WHERE entry = 'd4' AND account = 'dave'", 1,
		"dave", bnb, "5.00000001"},
	{"time of a posting", "UPDATE postings SET at = at + 1 WHERE entry = 't1' AND account = 'carol'", 2, "carol", bnb,
		"two sides differ"},
	{"day of a posting", "UPDATE postings SET day = day + 1 WHERE entry = 't1' AND account = 'carol'", 3, "carol", bnb,
		"its time 2026-03-03T20:15:00.000Z is not of the day"},
	{"posting deleted", "DELETE FROM postings WHERE entry = 'h1' AND side = 1", 2, "alice/held", bnb, "has only one side"},
	{"both sides and both balances", `UPDATE postings SET amount = amount + 1 WHERE entry = 'd4' AND account = 'dave';
		UPDATE postings SET amount = amount - 1 WHERE entry = 'd4' AND side = 0;
		UPDATE balances SET balance = balance + 1 WHERE account = 'dave' AND asset = 'BNB';
		UPDATE balances SET balance = balance - 1 WHERE account = '@custody' AND asset = 'BNB'
		   AND bucket = (SELECT bucket FROM accounts WHERE account = 'dave')`, 1, "dave", bnb,
		"does not say what was posted"},
	{"overdraft", "UPDATE postings SET amount = amount - 600000000 WHERE entry = 't1' AND account = 'dave'", 2, "dave",
		bnb, ""},
	{"reward posted too", `INSERT INTO postings
		SELECT bucket, day, account, asset, at, 'reward/again', move, side, amount, other, kind
		  FROM postings WHERE entry = 'd2' AND side = 1`, 1, "bob", bnb, "entry reward/again"},
	{"balance", "UPDATE balances SET balance = balance + 1 WHERE account = 'dave' AND asset = 'BNB'", 0, "dave", bnb,
		"balance is 3.90000001, derived 3.9"},
	{"balance of what is held", "UPDATE balances SET balance = balance + 1 WHERE account = 'alice/held'", 0, "alice/held",
		bnb, "balance is 0.00000001, derived 0"},
	{"earned", "UPDATE balances SET earned = earned + 1 WHERE account = 'bob' AND asset = 'BNB'", 0, "bob", bnb,
		"earned is"},
	{"carry of a balance", "UPDATE balances SET carry = carry + 1 WHERE account = 'bob' AND asset = 'BNB'", 0, "bob", bnb,
		"carry is"},
	{"balance deleted", "DELETE FROM balances WHERE account = 'dave'", 1, "dave", bnb, "but no balance"},
	{"payable", "UPDATE balances SET balance = balance + 1 WHERE account = '@payable' AND asset = 'BNB' AND " +
		"bucket = (SELECT bucket FROM accounts WHERE account = 'bob')", 0, "@payable", bnb,
		"balance is 0.00000001, derived 0, in bucket 52"},
	{"custody", "UPDATE balances SET balance = balance - 1 WHERE account = '@custody' AND asset = 'ADA'", 0, "@custody",
		"ADA", "balance is"},
	{"pool", "UPDATE balances SET balance = balance - 1 WHERE account = '@rewards' AND asset = 'SOL'", 0, "@rewards", sol,
		"balance is"},
	{"digest of a batch", "UPDATE batches SET digest = (SELECT digest FROM batches b WHERE b.day = {5} AND " +
		"b.bucket = 52 AND b.asset = 'BNB') WHERE day = {2} AND bucket = 52 AND asset = 'BNB'", 2, "", bnb,
		"bucket 52: paid to 1 holders"},
	{"digests of batch and payment", `UPDATE batches
		   SET digest = (SELECT digest FROM batches b WHERE b.day = {3} - 1 AND b.bucket = 81 AND b.asset = 'SOL')
		 WHERE day = {3} AND bucket = 81 AND asset = 'BNB';
		UPDATE payments
		   SET digest = (SELECT digest FROM batches b WHERE b.day = {3} - 1 AND b.bucket = 81 AND b.asset = 'SOL')
		 WHERE day = {3} AND bucket = 81 AND asset = 'BNB'`, 3, "", bnb, "the digest of the rewards is"},
	{"total of a batch", "UPDATE batches SET total = total + 1 WHERE day = {2} AND bucket = 52 AND asset = 'BNB'", 2, "",
		bnb, "bucket 52"},
	{"holders of a batch", "UPDATE batches SET holders = holders + 1 WHERE day = {2} AND asset = 'ADA'", 2, "", "ADA",
		"control total is 2 rewards"},
	{"payment", "UPDATE payments SET total = total + 1 WHERE day = {5} AND bucket = 81 AND asset = 'SOL'", 5, "", sol,
		"bucket 81: paid to 1 holders"},
	{"payment deleted", "DELETE FROM payments WHERE day = {5} AND bucket = 81 AND asset = 'SOL'", 5, "", sol,
		"the day is paid, but not the control total"},
	{"payment twice", "INSERT INTO payments SELECT bucket, {2}, 'ADA', holders, total, digest, paid_at, " +
		"credential, role, request FROM payments WHERE day = {3} AND asset = 'BNB' AND bucket = 242", 2, "", "ADA",
		"the day is not declared"},
	{"declaration", "UPDATE declarations SET total = total + 1 WHERE day = {4} AND asset = 'SOL'", 4, "", sol,
		"declared are 1 rewards"},
	{"declaration deleted", "DELETE FROM declarations WHERE day = {4} AND asset = 'SOL'", 4, "", sol,
		"the day is not declared"},
	{"enrollment deleted", "DELETE FROM enrollments WHERE account = 'alice'", 1, "alice", "",
		"was switched on, and is not enrolled"},
	{"enrollment made longer", "UPDATE enrollments SET from_day = from_day - 1 WHERE account = 'alice'", 1, "alice", bnb,
		"has no record of its reward"},
	{"enrolled twice", "INSERT INTO enrollments SELECT bucket, account, {4}, until_day FROM enrollments WHERE " +
		"account = 'alice'", 4, "alice", "", "is enrolled twice"},
	{"enrolled without an account", "INSERT INTO enrollments VALUES (171, 'user-1', {4}, {6})", 4, "user-1", "",
		"never opened"},
	{"excluded after it was paid", "INSERT INTO exclusions SELECT bucket, account, 'BNB', 'Launchpool', {2}, {3}, 0, '' " +
		"FROM accounts WHERE account = 'alice'", 2, "alice", bnb, "excluded on the day: Launchpool has it"},
	{"excluded without an account", "INSERT INTO exclusions VALUES (171, 'user-1', '', 'Locked', {4}, {6}, 0, '')", 4,
		"user-1", "", "never opened"},
	{"account deleted", "DELETE FROM accounts WHERE account = 'dave'", 0, "dave", bnb, "never opened"},
	{"minimum", "UPDATE terms SET minimum = 500000000 WHERE asset = 'BNB'", 2, "alice", bnb,
		"the average is below the minimum of 5"},
	{"rate", "UPDATE terms SET apr = apr + 1 WHERE asset = 'SOL'", 2, "alice", sol,
		"APR is 0.008, by the terms 0.00800001"},
	{"measure", "UPDATE terms SET measure = 1 WHERE asset = 'BNB'", 2, "alice", bnb, "average is "},
	{"terms of a day", "INSERT INTO terms SELECT asset, {4}, 1, 0, apr, minimum, cap, set_at, set_by, reason, fee, " +
		"mode, measure, per_owner, gross_apr FROM terms WHERE asset = 'BNB'", 1, "", bnb,
		"no line of the log sets its terms"},
	{"terms deleted", "DELETE FROM terms WHERE asset = 'BNB'", 2, "alice", bnb, "no terms on the day"},
	{"progress", "UPDATE progress SET accrued_through = accrued_through + 1, paid_through = paid_through + 1 " +
		"WHERE asset = 'BNB' AND bucket = 81", 7, "alice", bnb, "has no record of its reward"},
	{"progress back", "UPDATE progress SET accrued_through = accrued_through - 1, paid_through = paid_through - " +
		"1 WHERE asset = 'BNB' AND bucket = 81", 6, "alice", bnb, "accrued only through"},
	{"progress deleted", "DELETE FROM progress WHERE asset = 'AXS' AND bucket = 17", 0, "", "AXS",
		"bucket 17 has no row of its progress"},
	{"entry", "DELETE FROM entries WHERE entry = 't1'", 2, "dave", bnb, "entry t1 has no row of its own"},
	{"entry of several moves", "DELETE FROM entries WHERE entry = 'x1'", 3, "alice", sol,
		"entry x1 has no row of its own"},
	{"time of an entry", "UPDATE entries SET at = at + 1 WHERE entry = 'w1'", 4, "carol", bnb, "entry w1 counts at"},
	{"entry with nothing", "INSERT INTO entries (bucket, entry, at, posted_at, digest) SELECT bucket, 'ghost', " +
		"at, posted_at, digest FROM entries WHERE entry = 'w1'", 4, "", "",
		"entry ghost has a row of its own, but no postings"},
	{"row of an entry elsewhere", "UPDATE entries SET bucket = 3 WHERE entry = 'w1'", 4, "", "",
		"the row of entry w1 lies in bucket 3"},
	{"decimals of an asset", "UPDATE assets SET scale = 19 WHERE symbol = 'BNB'", 0, "", bnb, "19 decimals"},
	{"digest of several moves", "UPDATE entries SET digest = (SELECT digest FROM entries e WHERE e.entry = 'd2') " +
		"WHERE entry = 'x1'", 3, "alice", sol, "does not say what was posted"},
	{"a day open again", "UPDATE days SET closed = 0 WHERE bucket = 81 AND day = {5}", 5, "", "",
		"is open in bucket 81, but a later day is closed"},
	{"the last days open again", "UPDATE days SET closed = 0 WHERE day >= {5}", 5, "", "",
		"is accrued in bucket 0, but not closed"},
	{"a day deleted", "DELETE FROM days WHERE bucket = 81 AND day = {4}", 0, "", "", "bucket 81 has rows of"},
	{"a closing deleted", "DELETE FROM closings WHERE day = {3}", 0, "", "", "is written down"},
	{"leaves of an entry", "UPDATE entries SET leaves = (SELECT leaves FROM entries e WHERE e.entry = 'x2') " +
		"WHERE entry = 'x1'", 3, "alice", sol, "a row that its digest was not made of"},
	{"leaves and digest of an entry", `UPDATE entries SET leaves = (SELECT leaves FROM entries e WHERE e.entry = 'x2')
		 WHERE entry = 'x1';
		UPDATE entries SET digest = (SELECT digest FROM entries e WHERE e.entry = 'x2') WHERE entry = 'x1'`, 3, "alice", sol,
		"does not say what was posted"},
	{"leaves deleted", "UPDATE entries SET leaves = NULL WHERE entry = 'x1'", 3, "alice", sol,
		"a row that its digest was not made of"},
	{"version of a digest", "UPDATE entries SET digest_version = 1 WHERE entry = 'd4'", 1, "dave", bnb,
		"has a digest of version 1"},
	{"version and digest", "UPDATE entries SET digest_version = 1, leaves = NULL, digest = (SELECT digest FROM " +
		"entries e WHERE e.entry = 'd2') WHERE entry = 'd4'", 1, "dave", bnb, "has a digest of version 1"},
	{"ID everywhere", "UPDATE entries SET entry = '" + sameBucket("d4") +
		"' WHERE entry = 'd4'; UPDATE postings SET entry = '" + sameBucket("d4") + "' WHERE entry = 'd4'", 1, "dave", bnb,
		"does not say what was posted"},
	{"time everywhere", "UPDATE entries SET at = at + 1 WHERE entry = 'd4'; UPDATE postings SET at = at + 1 " +
		"WHERE entry = 'd4'", 1, "dave", bnb, "does not say what was posted"},
	{"kind everywhere", "UPDATE postings SET kind = 'import' WHERE entry = 'd4'", 1, "dave", bnb,
		"does not say what was posted"},
	{"order of moves", "UPDATE postings SET move = 1 - move WHERE entry = 'x1'", 3, "bob", bnb,
		"does not say what was posted"},
	{"a move more", "INSERT INTO postings SELECT bucket, day, account, asset, at, entry, 1, side, amount, other, " +
		"kind FROM postings WHERE entry = 'd4'", 1, "dave", bnb, ""},
	{"a move less", "DELETE FROM postings WHERE entry = 'x2' AND move = 1", 4, "alice", bnb, ""},
	{"address", "UPDATE withdrawals SET address = 'UQ-2' WHERE id = 'w2'", 4, "erin", ton, "goes elsewhere by its row"},
	{"network", "UPDATE withdrawals SET network = 'BSC' WHERE id = 'w2'", 4, "erin", ton, "goes elsewhere by its row"},
	{"tag", "UPDATE withdrawals SET tag = '' WHERE id = 'w2'", 4, "erin", ton, "goes elsewhere by its row"},
	{"client's ID", "UPDATE withdrawals SET client_id = 'yours' WHERE id = 'w2'", 4, "erin", ton,
		"goes elsewhere by its row"},
	{"address and tag exchanged", "UPDATE withdrawals SET address = tag, tag = address WHERE id = 'w2'", 4, "erin", ton,
		"goes elsewhere by its row"},
	{"destination of an entry", "UPDATE entries SET destination = digest WHERE entry = 'w2'", 4, "erin", ton,
		"a row that its digest was not made of"},
	{"destination deleted", "UPDATE entries SET destination = NULL WHERE entry = 'w2'", 4, "erin", ton,
		"a row that its digest was not made of"},
	{"destination of a deposit", "UPDATE entries SET destination = digest WHERE entry = 'd4'", 1, "dave", bnb,
		"a row that its digest was not made of"},
	{"amount of a withdrawal", "UPDATE withdrawals SET amount = amount + 1 WHERE id = 'w2'", 4, "erin", ton,
		"requests another withdrawal"},
	{"token of a withdrawal", "UPDATE withdrawals SET asset = 'BNB' WHERE id = 'w2'", 4, "erin", ton,
		"requests another withdrawal"},
	{"account of a withdrawal", "UPDATE withdrawals SET account = 'dave' WHERE id = 'w2'", 4, "dave", ton,
		"the withdrawal w2 is not pending, and has not ended"},
	{"time of a withdrawal", "UPDATE withdrawals SET requested = requested + 900000000 WHERE id = 'w2'", 4, "erin", ton,
		"requests another withdrawal"},
	{"withdrawal deleted", "DELETE FROM withdrawals WHERE id = 'w2'", 4, "erin", ton, "there are 0 rows of it"},
	{"withdrawal of a deposit",
		"UPDATE withdrawals SET id = 'd4', requested = (SELECT at FROM entries WHERE entry = 'd4')", 1, "dave", bnb,
		"requests no withdrawal"},
	{"withdrawal of no entry", "INSERT INTO withdrawals SELECT bucket, account, 'ghost', requested, asset, " +
		"amount, address, network, tag, client_id, mac FROM withdrawals", 4, "erin", ton,
		"the withdrawal ghost is requested by no entry"},
	{"digest of an entry", "UPDATE entries SET digest = (SELECT digest FROM entries e WHERE e.entry = 'd2') " +
		"WHERE entry = 'd4'", 1, "dave", bnb, "does not say what was posted"},
}

// Each of these is found, and named first. What is found is the audit's own and
// the same on every database; so PostgreSQL sees some of them, or all if SOFTSTAKE_LONG is 1.
func findsWhatWasChangedByHand(t *testing.T, b auditBooks) {
	some := repetition(t)
	for i, c := range tamperings {
		if some && i%16 != 0 {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			sql := c.sql
			for d := 1; d <= 7; d++ {
				sql = strings.ReplaceAll(sql, fmt.Sprintf("{%d}", d), fmt.Sprint(int64(day1)+int64(d)-1))
			}
			b.hand(t, sql)
			r := auditOf(t, b.DB, audit.Options{})
			b.hand.restore(t, sql)
			if r.Total == 0 || int64(len(r.Findings)) != min(r.Total, 20) {
				t.Fatalf("%d findings, %d named", r.Total, len(r.Findings))
			}
			f, found := r.Findings[0], c
			found.day, found.account, found.asset = 0, string(f.Account), f.Asset
			if f.HasDay {
				found.day = int(f.Day-day1) + 1
			}
			if found != c || !strings.Contains(f.String(), c.what) {
				for _, f := range r.Findings {
					t.Log(f)
				}
				t.Errorf("found first: day %d, %q, %q: %s", found.day, f.Account, f.Asset, f.What)
			}
		})
	}
	wantClean(t, auditOf(t, b.DB, audit.Options{}))
}
