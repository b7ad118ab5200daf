package store_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// ranges are addresses that a key is limited to.
func ranges(t *testing.T, text string) []netip.Prefix {
	t.Helper()
	return testkit.Must(access.ParseAddresses(text))(t)
}

// A key may withdraw only from ranges that limit it, whoever adds or changes it.
func TestWithdrawingNeedsAddresses(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		for text, limited := range map[string]bool{
			"": false, "0.0.0.0/0": false, "::/0": false, "0.0.0.0/1,128.0.0.0/1": false, "192.0.2.7,::/0": false,
			"10.0.0.0/7": false, "2001::/31": false,
			"::ffff:0.0.0.0/96": false, "10.0.0.0/8": true, "2001:db8::/32": true, "192.0.2.7": true, "::ffff:192.0.2.7": true,
			"192.0.2.7,2001:db8::1": true,
		} {
			for _, may := range []string{"read,withdraw", "read,trade,withdraw"} {
				k := newKey(t, "alice")
				k.Permissions, k.Addresses = testkit.Must(access.ParsePermissions(may))(t), ranges(t, text)
				err := db.People().AddKey(ctx, k)
				if limited {
					ok(t, err)
					_, err = db.People().LimitKey(ctx, k.Key, nil)
					wants(t, err, ledger.ErrInvalid)
					_, err = db.People().LimitKey(ctx, k.Key, ranges(t, "0.0.0.0/4"))
				}
				wants(t, err, ledger.ErrInvalid)
			}
		}
	})
}

// A key that may trade from anywhere has 90 days, from when it was made or lost its
// addresses; with addresses it has no such end.
func TestTradingFromAnywhereHasAnEnd(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		k := newKey(t, "alice")
		k.Permissions = []access.Permission{access.Read, access.Trade}
		k.TradeUntil = noon.AddDate(50, 0, 0) // what a caller says of it does not count
		ok(t, db.People().AddKey(ctx, k))
		ends := func(want time.Time) {
			t.Helper()
			if got := testkit.Must(db.People().Key(ctx, k.Key))(t); !got.Ends().Equal(want) {
				t.Errorf("it ends at %s, not %s", got.Ends(), want)
			}
		}
		limit := func(text string) {
			t.Helper()
			testkit.Must(db.People().LimitKey(ctx, k.Key, ranges(t, text)))(t)
		}
		ends(noon.Add(access.UnlimitedTrade))
		clock.Advance(time.Hour)
		limit("0.0.0.0/0") // which limits nothing, and wins no time
		ends(noon.Add(access.UnlimitedTrade))
		clock.Advance(time.Millisecond) // lines of the log that say the same of one moment are one
		limit("192.0.2.0/24")
		ends(time.Time{})
		limit("192.0.2.0/24")
		clock.Advance(time.Hour)
		limit("")
		ends(noon.Add(2*time.Hour + time.Millisecond + access.UnlimitedTrade))

		sooner := newKey(t, "alice")
		sooner.Permissions, sooner.Expires = k.Permissions, noon.AddDate(0, 0, 10)
		ok(t, db.People().AddKey(ctx, sooner))
		k = sooner
		ends(noon.AddDate(0, 0, 10))
		clock.Forward(noon.AddDate(0, 0, 10))
		_, err := db.People().LimitKey(ctx, sooner.Key, ranges(t, "192.0.2.7"))
		wants(t, err, ledger.ErrInvalid) // what has expired stays so
		_, err = db.People().LimitKey(ctx, strings.Repeat("x", 64), nil)
		wants(t, err, ledger.ErrNotFound)
		_, err = db.People().LimitKey(ctx, "nothing", nil)
		wants(t, err, ledger.ErrNotFound)
		if lines := loggedDetails(t, db, "key limit"); len(lines) != 3 {
			t.Errorf("logged is %q", lines)
		}
	})
}

// loggedDetails are the details of the log's lines of an action.
func loggedDetails(t *testing.T, db *store.DB, action string) (details []string) {
	t.Helper()
	for _, line := range testkit.Must(reports.New(db.Reader()).Log(t.Context(), time.Time{}, 1000))(t) {
		if line.Action == action {
			details = append(details, line.Detail)
		}
	}
	return details
}

// Keys of books from before there was a permission to withdraw may not withdraw any more,
// and those that trade from anywhere have 90 days from then. The upgrade has given them their MACs, which Key checks.
func TestOldKeysLoseWithdrawing(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		ctx, clock := t.Context(), testkit.NewClock(noon)
		ok(t, store.CreateOld(ctx, url, options(clock), shipped(t, day1), 5, "alice"))
		keys := map[string]struct {
			permissions, addresses string
			expires, revoked       time.Time
			until                  time.Time // as it is kept after
		}{}
		add := func(c, permissions, addresses string, expires, revoked, until time.Time) {
			keys[strings.Repeat(c, 64)] = struct {
				permissions, addresses  string
				expires, revoked, until time.Time
			}{permissions, addresses, expires, revoked, until}
		}
		upgraded := noon.AddDate(1, 0, 0)
		lapse := upgraded.Add(access.UnlimitedTrade)
		add("a", "read,trade", "", time.Time{}, time.Time{}, lapse)
		add("b", "read,trade", "192.0.2.0/24", time.Time{}, time.Time{}, time.Time{})
		add("c", "read,trade", "0.0.0.0/0,::/0", upgraded.Add(time.Hour), time.Time{}, lapse)
		add("d", "read", "", time.Time{}, time.Time{}, time.Time{})
		add("e", "read,trade", "", time.Time{}, noon, time.Time{})
		for name, k := range keys {
			millis := func(at time.Time) int64 { return max(at.UnixMilli(), 0) }
			ok(t, store.RunOld(ctx, url, options(clock), `INSERT INTO keys
				(bucket, key, account, type, permissions, addresses, label, secret, created, expires, revoked)
				VALUES ($1, $2, 'alice', 'hmac', $3, $4, '', $5, $6, $7, $8)`,
				int64(ledger.Account(name).Bucket()), name, k.permissions, k.addresses, []byte("sealed"), noon.UnixMilli(),
				millis(k.expires), millis(k.revoked)))
		}
		clock.Forward(upgraded)
		u := testkit.Must(store.Upgrade(ctx, url, options(clock), nil))(t)
		db := testkit.Must(store.Open(ctx, url, options(clock)))(t)
		closeAfter(t, db)
		for name, want := range keys {
			k := testkit.Must(db.People().Key(ctx, name))(t)
			if k.May(access.Withdraw) || access.FormatPermissions(k.Permissions) != want.permissions ||
				!k.TradeUntil.Equal(want.until) {
				t.Errorf("%s is %#v; want until %s", k, k, want.until)
			}
		}
		want := "3 keys with trade may no longer withdraw; withdrawing needs a key with the permission withdraw, which is " +
			"limited to addresses; 2 of them are not limited to addresses and expire at 2027-05-31T12:00:00.000Z, unless " +
			"they are limited before"
		if len(u.Changes) != 1 || u.Changes[0].Detail != want || !slices.Contains(loggedDetails(t, db, "upgrade"), want) {
			t.Errorf("changed are %+v and logged is %q, want %q", u.Changes, loggedDetails(t, db, "upgrade"), want)
		}
		since := testkit.Must(db.Protected(ctx))(t)
		signed := []string{fmt.Sprintf("%d rows that give a right", len(keys))}
		if got := loggedDetails(t, db, "key protect"); !since.Equal(upgraded) || !slices.Equal(got, signed) {
			t.Errorf("protected since %s, and logged is %q, want %q", since, got, signed)
		}
	})
}
