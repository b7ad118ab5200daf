package store_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// staffKey is a key of dora's.
func staffKey(name string) access.Key {
	k := access.Key{Key: strings.Repeat(name, 64), Account: "dora", Type: access.HMAC,
		Permissions: []access.Permission{access.Read}}
	sealer, err := scenario.Sealer()
	if err == nil {
		err = k.Seal(sealer, "secret")
	}
	if err != nil {
		panic(err) // the key of the tests is none
	}
	kept, _ := sealed.LoadOrStore("key "+name, k.Secret)
	k.Secret = kept.(access.Hidden)
	return k
}

// newKey is a new API key of an account, with a secret sealed by nobody in particular.
func newKey(t *testing.T, id ledger.Account) access.Key {
	t.Helper()
	name, _, err := access.NewKey(rand.Reader)
	ok(t, err)
	return access.Key{Key: name, Account: id, Type: access.HMAC, Permissions: []access.Permission{access.Read},
		Secret: []byte("sealed\x00\xff")}
}

func newToken(t testing.TB, role access.Role, id ledger.Account) access.Token {
	t.Helper()
	token, _, err := access.NewToken(rand.Reader)
	ok(t, err)
	token.Role, token.Parts, err = access.ParseRoleAndParts(string(role))
	ok(t, err)
	token.Account = id
	return token
}

func TestKeysAreKeptAsTheyAre(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		plain := newKey(t, "alice")
		ok(t, db.People().AddKey(ctx, plain))
		clock.Advance(time.Second)
		full := newKey(t, "alice")
		full.Permissions = []access.Permission{access.Read, access.Trade}
		full.Addresses = testkit.Must(access.ParseAddresses("192.0.2.0/24,2001:db8::/32"))(t)
		full.Label, full.Expires = "the \"bot\", ünïcode", noon.Add(time.Hour).In(time.FixedZone("", 3600))
		ok(t, db.People().AddKey(ctx, full))
		ok(t, db.People().AddKey(ctx, full)) // the same call, whose answer was lost

		plain.Created, full.Created, full.Expires = noon, noon.Add(time.Second), noon.Add(time.Hour)
		for _, want := range []access.Key{plain, full} {
			if got := testkit.Must(db.People().Key(ctx, want.Key))(t); !reflect.DeepEqual(got, want) {
				t.Errorf("kept is %#v, want %#v", got, want)
			}
		}
		if got := testkit.Must(db.People().Keys(ctx, "alice"))(t); !reflect.DeepEqual(got, []access.Key{plain, full}) {
			t.Errorf("alice has %v", got)
		}
		if got := testkit.Must(db.People().Keys(ctx, "bob"))(t); len(got) != 0 {
			t.Errorf("bob has %v", got)
		}
		_, err := db.People().Keys(ctx, "carol")
		wants(t, err, ledger.ErrNotFound)
		_, err = db.People().Keys(ctx, "@rewards")
		wants(t, err, ledger.ErrInvalid)
		for _, name := range []string{newKey(t, "alice").Key, "", "short", strings.Repeat("\x00", 64),
			strings.Repeat("é", 32)} {
			_, err := db.People().Key(ctx, name)
			wants(t, err, ledger.ErrNotFound)
			wants(t, db.People().RevokeKey(ctx, name), ledger.ErrNotFound)
		}
	})
}

func TestKeysThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		there := newKey(t, "alice")
		ok(t, db.People().AddKey(ctx, there))
		testkit.Must(db.Exec(ctx, "UPDATE accounts SET closed = 1 WHERE account = 'bob'"))(t)
		for what, c := range map[string]struct {
			change func(*access.Key)
			want   error
		}{
			"of nobody":             {func(k *access.Key) { k.Account = "carol" }, ledger.ErrNotFound},
			"of a closed account":   {func(k *access.Key) { k.Account = "bob" }, ledger.ErrInvalid},
			"without permissions":   {func(k *access.Key) { k.Permissions = nil }, ledger.ErrInvalid},
			"that expires now":      {func(k *access.Key) { k.Expires = noon }, ledger.ErrInvalid},
			"that expires too late": {func(k *access.Key) { k.Expires = noon.AddDate(9000, 0, 0) }, ledger.ErrInvalid},
			"with a long label":     {func(k *access.Key) { k.Label = strings.Repeat("x", 201) }, ledger.ErrInvalid},
			"with a label in lines": {func(k *access.Key) { k.Label = "a\nb" }, ledger.ErrInvalid},
			"with another's name":   {func(k *access.Key) { k.Key = there.Key; k.Label = "mine" }, ledger.ErrConflict},
			"and other permissions": {func(k *access.Key) {
				*k = there
				k.Permissions = []access.Permission{access.Read,
					access.Trade}
			}, ledger.ErrConflict},
			"with another secret": {func(k *access.Key) { *k = there; k.Secret = []byte("other") }, ledger.ErrConflict},
		} {
			k := newKey(t, "alice")
			c.change(&k)
			err := db.People().AddKey(ctx, k)
			if wants(t, err, c.want); strings.Contains(err.Error(), k.Key) {
				t.Errorf("a key %s: the error has it whole: %v", what, err)
			}
		}
		if keys := testkit.Must(db.People().Keys(ctx, "alice"))(t); len(keys) != 1 {
			t.Errorf("alice has %v", keys)
		}
		if k := testkit.Must(db.People().Key(ctx, there.Key))(t); k.Label != "" || len(k.Permissions) != 1 {
			t.Errorf("the key is changed: %v", k)
		}
	})
}

// Keys added all at once are counted one by one.
func TestAnAccountHasSoManyKeys(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		expires := newKey(t, "alice")
		expires.Expires = noon.Add(time.Hour)
		ok(t, db.People().AddKey(ctx, expires))
		second := newKey(t, "alice")
		ok(t, db.People().AddKey(ctx, second))
		var all sync.WaitGroup
		refused := make([]error, people.MaxKeys)
		for i := range refused {
			k := newKey(t, "alice")
			all.Go(func() { refused[i] = db.People().AddKey(ctx, k) })
		}
		all.Wait()
		refused = slices.DeleteFunc(refused, func(err error) bool { return err == nil })
		if len(refused) != 2 {
			t.Errorf("%d are refused: %v", len(refused), refused)
		}
		for _, err := range refused {
			wants(t, err, ledger.ErrInvalid)
		}
		clock.Advance(time.Hour)
		ok(t, db.People().RevokeKey(ctx, second.Key))
		for range 2 { // one has expired, and one is revoked
			ok(t, db.People().AddKey(ctx, newKey(t, "alice")))
		}
		wants(t, db.People().AddKey(ctx, newKey(t, "alice")), ledger.ErrInvalid)
	})
}

func TestRevokedIsRevoked(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		key, token := newKey(t, "alice"), newToken(t, access.Holder, "alice")
		key.Label, token.Label = "bot", "page"
		ok(t, db.People().AddKey(ctx, key))
		ok(t, db.People().AddToken(ctx, token))
		clock.Advance(time.Minute)
		olga := db.As(olga)
		for range 2 {
			ok(t, olga.People().RevokeKey(ctx, key.Key))
			ok(t, olga.People().RevokeToken(ctx, token.ID))
			clock.Advance(time.Minute)
		}
		k, tk := testkit.Must(db.People().Key(ctx, key.Key))(t), testkit.Must(db.People().Token(ctx, token.ID))(t)
		if want := noon.Add(time.Minute); !k.Revoked.Equal(want) || !tk.Revoked.Equal(want) {
			t.Errorf("revoked are %v and %v", k.Revoked, tk.Revoked)
		}
		wants(t, k.Live(clock.Now()), access.ErrUnknown)
		ok(t, db.People().AddKey(ctx, key)) // once more, and it stays revoked
		wants(t, testkit.Must(db.People().Key(ctx, key.Key))(t).Live(clock.Now()), access.ErrUnknown)

		var lines []string
		for _, l := range testkit.Must(reports.New(db.Reader()).Log(ctx, noon, 20))(t) {
			if strings.HasPrefix(l.Action, "key") || strings.HasPrefix(l.Action, "token") {
				lines = append(lines, fmt.Sprintf("%s %s %s (%s)", l.Actor, l.Action, l.Subject, l.Detail))
			}
		}
		want := []string{
			"test key create alice (" + key.Short() + " hmac read)", "test token create " + token.ID +
				" (holder alice, without an end)",
			"operator olga key revoke alice (" + key.Short() + ")", "operator olga token revoke " + token.ID +
				" (holder alice)",
		}
		if !slices.Equal(lines, want) {
			t.Errorf("the log says\n%q, want\n%q", lines, want)
		}
	})
}

func TestTokensAreKeptAsTheyAre(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		holder, operator := newToken(t, access.Holder, "alice"), newToken(t, access.Operator, "")
		holder.Label, holder.Expires = "page", noon.Add(time.Hour)
		operator.Addresses = testkit.Must(access.ParseAddresses("192.0.2.0/24,2001:db8::/32"))(t)
		operator.Subject = "CN=back end,O=Example"
		ok(t, db.People().AddToken(ctx, holder))
		ok(t, db.People().AddToken(ctx, holder))
		clock.Advance(time.Second)
		ok(t, db.People().AddToken(ctx, operator))
		holder.Created, operator.Created = noon, noon.Add(time.Second)
		if got := testkit.Must(db.People().Tokens(ctx))(t); !reflect.DeepEqual(got, []access.Token{holder, operator}) {
			t.Errorf("kept are %v", got)
		}
		if got := testkit.Must(db.People().Token(ctx, operator.ID))(t); !reflect.DeepEqual(got, operator) {
			t.Errorf("kept is %v", got)
		}
		for _, change := range []func(*access.Token){
			func(k *access.Token) { k.Role, k.Parts = access.Exchange, access.AllParts },
			func(k *access.Token) { k.Subject = "CN=another" }, func(k *access.Token) { k.Addresses = k.Addresses[:1] },
			func(k *access.Token) { k.Expires = noon.AddDate(1, 0, 0) },
		} {
			changed := operator
			change(&changed)
			wants(t, db.People().AddToken(ctx, changed), ledger.ErrConflict)
		}
		testkit.Must(db.Exec(ctx, "UPDATE accounts SET closed = 1 WHERE account = 'alice'"))(t)
		wants(t, db.People().AddToken(ctx, newToken(t, access.Holder, "alice")), ledger.ErrInvalid)
		wants(t, db.People().AddToken(ctx, newToken(t, access.Holder, "carol")), ledger.ErrNotFound)
		wants(t, db.People().AddToken(ctx, newToken(t, access.Holder, "")), ledger.ErrInvalid)
		wants(t, db.People().AddToken(ctx, newToken(t, access.Auditor, "alice")), ledger.ErrInvalid)
		for _, id := range []string{newToken(t, access.Auditor, "").ID, "", "\x00", "x"} {
			_, err := db.People().Token(ctx, id)
			wants(t, err, ledger.ErrNotFound)
			wants(t, db.People().RevokeToken(ctx, id), ledger.ErrNotFound)
		}
	})
}

// TestTokensThatEndSoon: those of staff and of back ends, and not those that are over.
func TestTokensThatEndSoon(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		add := func(role access.Role, id ledger.Account, expires time.Time) string {
			token := newToken(t, role, id)
			token.Expires = expires
			ok(t, db.People().AddToken(ctx, token))
			return token.ID
		}
		add(access.Auditor, "", time.Time{})
		add(access.Holder, "alice", noon.Add(time.Hour))
		add(access.Auditor, "", noon.AddDate(0, 0, 90))
		later, first := add(access.Exchange, "", noon.AddDate(0, 0, 14)), add(access.Auditor, "", noon.Add(time.Hour))
		ok(t, db.People().RevokeToken(ctx, add(access.Operator, "", noon.Add(time.Hour))))
		expiring := func() (ids []string) {
			for _, k := range testkit.Must(db.People().ExpiringTokens(ctx))(t) {
				ids = append(ids, k.ID)
			}
			return ids
		}
		if got := expiring(); !slices.Equal(got, []string{first, later}) {
			t.Errorf("%v end soon, want %v", got, []string{first, later})
		}
		clock.Advance(time.Hour)
		if got := expiring(); !slices.Equal(got, []string{later}) {
			t.Errorf("%v end soon, want %v", got, later)
		}
	})
}

// TestWhatHasNoLimits: back ends' tokens without ceilings that can be used, and of tokens the limits that are not set.
func TestWhatHasNoLimits(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		add := func(role access.Role, ceilings access.Ceilings, expires time.Time) string {
			token := newToken(t, role, "")
			token.Ceilings, token.Expires = ceilings, expires
			if ceilings == "" && role == access.Exchange && expires.IsZero() {
				token.Parts = access.Deposits
			}
			ok(t, db.People().AddToken(ctx, token))
			return token.ID
		}
		first, second := add(access.Exchange, "", noon.Add(time.Hour)), add(access.Exchange, "", time.Time{})
		add(access.Auditor, "", noon.Add(time.Hour))
		add(access.Exchange, testkit.Must(access.ParseCeilings(access.AllParts))(t), noon.Add(time.Hour))
		ok(t, db.People().RevokeToken(ctx, add(access.Exchange, "", noon.Add(time.Hour))))
		unlimited := func(want ...string) {
			t.Helper()
			var ids []string
			for _, k := range testkit.Must(db.People().UnlimitedTokens(ctx))(t) {
				ids = append(ids, k.ID)
			}
			slices.Sort(ids)
			slices.Sort(want)
			same(t, "the tokens without ceilings", ids, want)
		}
		unlimited(first, second)
		clock.Advance(time.Hour)
		unlimited(second)

		of := func(asset string) string {
			for _, m := range testkit.Must(reports.New(db.Reader()).MissingLimits(ctx))(t) {
				if m.Asset == asset {
					return strings.Join(m.Limits, " ")
				}
			}
			return ""
		}
		same(t, "what is never limited", of("BNB"), "total change apr inflow")
		ok(t, db.SetLimit(ctx, staking.Limit{Asset: "BNB", MaxTotal: 1, MaxInflow: 1}))
		same(t, "what is limited in part", of("BNB"), "change apr")
		ok(t, db.SetFourEyes(ctx, true))
		same(t, "with four eyes", of("SOL")+"; "+of("BNB"), "total change withdrawal apr inflow; change withdrawal apr")
	})
}

// TestOnePersonHasNoTokenOfAnother: who asks for a token sees its secret. An admin gets none with which another would
// propose or approve, and with two of their own still is one person.
func TestOnePersonHasNoTokenOfAnother(t *testing.T) {
	eachToPropose(t, func(t *testing.T, _ string, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		admin := db.As(access.Actor{Role: access.Admin, Credential: "operator ada@example.com", Person: "ada@example.com"})
		made := func(role access.Role, person string) (access.Token, error) {
			k := newToken(t, role, "")
			k.Person = person
			needed, is := errors.AsType[*control.Needed](admin.People().AddToken(ctx, k))
			if !is {
				return k, admin.People().AddToken(ctx, k)
			}
			p := testkit.Must(admin.Propose(ctx, needed.Draft, ""))(t)
			testkit.Must(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest()))(t)
			return k, nil
		}
		for _, role := range []access.Role{access.Operator, access.Treasurer, access.Admin, access.Approver} {
			_, err := made(role, "carol@example.com")
			if ledger.ReasonOf(err) != people.ReasonAnothersToken {
				t.Errorf("a token of the role %s for another: %v", role, err)
			}
		}
		proposes, approves := testkit.Must(made(access.Treasurer, "ada@example.com"))(t),
			testkit.Must(made(access.Approver, "ada@example.com"))(t)
		p := propose(t, db, proposes.Actor(), control.WithdrawFunds)
		err := failure(db.As(approves.Actor()).ApproveProposal(ctx, p.ID, p.EffectDigest()))
		if ledger.ReasonOf(err) != control.ReasonOwn {
			t.Errorf("one person proposes and approves: %v", err)
		}
		nobodys := testkit.Must(made(access.Treasurer, ""))(t)
		wants(t, failure(db.As(nobodys.Actor()).Fund(ctx, "f-9", "BNB", unit, true)), access.ErrForbidden)
		testkit.Must(made(access.Auditor, "carol@example.com"))(t) // it neither proposes nor approves
	})
}

// TestATokenNeedsApproval: with four eyes also a holder's, whether it ends or not: it moves what is in the account.
func TestATokenNeedsApproval(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		olga := db.As(testkit.Must(access.CommandLine("olga"))(t))
		ok(t, olga.SetFourEyes(ctx, true))
		ends, endless := newToken(t, access.Holder, "alice"), newToken(t, access.Holder, "alice")
		ends.Expires = noon.AddDate(0, 0, 90)
		for _, k := range []access.Token{ends, endless} {
			wants(t, olga.People().AddToken(ctx, k), control.ErrNeedsApproval)
			_, err := db.People().Token(ctx, k.ID)
			wants(t, err, ledger.ErrNotFound)
		}
	})
}

// TestThereIsOneBreakGlassCredential at a time; making it needs approval, and its first use is a line of the log.
func TestThereIsOneBreakGlassCredential(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		sealed := func() access.Token {
			k := newToken(t, access.Admin, "")
			k.Person, k.Lasts, k.Expires = access.BreakGlassPerson, 4*time.Hour, clock.Now().AddDate(1, 0, 0)
			return k
		}
		first := sealed()
		ok(t, db.People().AddToken(ctx, first))
		ok(t, db.People().AddToken(ctx, first))
		wants(t, db.People().AddToken(ctx, sealed()), ledger.ErrConflict)
		for email, role := range map[string]access.Role{"ann@example.com": access.Admin, "bob@example.com": access.Operator} {
			ok(t, db.People().AddStaff(ctx, email, role, access.Invitation{Hash: [32]byte{1}}))
		}
		for _, want := range []bool{true, false} {
			if got := testkit.Must(db.People().OpenToken(ctx, first.ID))(t); got != want {
				t.Errorf("it is opened for the first time: %t", got)
			}
			clock.Advance(time.Hour)
		}
		same(t, "the alarm", mailed(t, db, "ann@example.com"), []string{"break-glass 0 waits"})
		same(t, "who is no admin", mailed(t, db, "bob@example.com"), nil)
		if got := testkit.Must(db.People().Token(ctx, first.ID))(t); !got.Ends().Equal(noon.Add(4 * time.Hour)) {
			t.Errorf("it ends at %s", got.Ends())
		}
		wants(t, db.People().AddToken(ctx, sealed()), ledger.ErrConflict)
		clock.Advance(2 * time.Hour) // it is over
		olga := db.As(testkit.Must(access.CommandLine("olga"))(t))
		ok(t, olga.SetFourEyes(ctx, true))
		wants(t, olga.People().AddToken(ctx, sealed()), control.ErrNeedsApproval)
	})
}

func TestSomeSealedKey(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		if k, found, err := db.People().SealedKey(ctx); err != nil || found {
			t.Errorf("in new books there is %v: %v", k, err)
		}
		revoked, key := newKey(t, "alice"), newKey(t, "alice")
		ok(t, db.People().AddKey(ctx, revoked))
		ok(t, db.People().RevokeKey(ctx, revoked.Key))
		if k, found, err := db.People().SealedKey(ctx); err != nil || !found || k.Key != revoked.Key {
			t.Errorf("found is %v, %t: %v", k, found, err)
		}
		ok(t, db.People().AddKey(ctx, key))
		k, found, err := db.People().SealedKey(ctx)
		if ok(t, err); !found || k.Key != key.Key || string(k.Secret) != string(key.Secret) {
			t.Errorf("found is %v, %t", k, found)
		}
	})
}

// What somebody else wrote into the books is an error, and not a key that does anything.
func TestDamagedCredentials(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		key, token := newKey(t, "alice"), newToken(t, access.Auditor, "")
		ok(t, db.People().AddKey(ctx, key))
		ok(t, db.People().AddToken(ctx, token))
		for _, damage := range []string{
			"UPDATE keys SET permissions = 'all'", "UPDATE keys SET permissions = 'read', addresses = '*'",
			"UPDATE tokens SET hash = $1",
		} {
			args := []any{}
			if strings.Contains(damage, "$1") {
				args = append(args, []byte("short"))
			}
			testkit.Must(db.Exec(ctx, damage, args...))(t)
			_, one := db.People().Key(ctx, key.Key)
			_, all := db.People().Keys(ctx, "alice")
			_, _, sealed := db.People().SealedKey(ctx)
			if one == nil || all == nil || sealed == nil {
				t.Errorf("%s: %v, %v, %v", damage, one, all, sealed)
			}
		}
		_, one := db.People().Token(ctx, token.ID)
		_, all := db.People().Tokens(ctx)
		if one == nil || all == nil {
			t.Errorf("a token with a short hash: %v, %v", one, all)
		}
	})
}
