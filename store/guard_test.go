package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// tampered are books with a row of each kind that carries a MAC.
type tampered struct {
	*testing.T
	db       *store.DB
	token    access.Token
	key      access.Key
	session  access.Session
	office   access.StaffSession
	proposal control.Proposal
	tries    int
}

func newTampered(t *testing.T, db *store.DB, clock *testkit.Clock) *tampered {
	ctx, p := t.Context(), db.People()
	w := &tampered{T: t, db: db, token: newToken(t, access.Auditor, ""), key: newKey(t, "alice")}
	open(t, db, "alice")
	deposit(t, db, "d", "alice", 100, bnb, time.Time{})
	ok(t, p.AddToken(ctx, w.token))
	ok(t, p.AddKey(ctx, w.key))
	addLogin(t, db, "alice@example.com", "alice")
	w.session = addSession(t, db, clock, "alice@example.com", "alice")
	addPasskey(t, db, aliceLogin, "Laptop")
	proof := confirm(t, db, "Laptop", "c1", access.AddFactorStepUp("totp", ""))
	ok(t, db.As(holderActor(aliceLogin, proof)).People().SetTOTP(ctx, aliceLogin, []byte("sealed"), 7, nil,
		people.Visitor{}))
	ok(t, p.AddStaff(ctx, "carol@example.com", access.Operator, invitation))
	w.office = logInStaff(t, db, "carol@example.com")
	testkit.Must(p.LoadWithdrawalAddress(ctx, people.WithdrawalAddress{Account: "alice", Asset: bnb, Network: "BSC",
		Address: "0x1"}))(t)
	testkit.Must(db.Withdraw(ctx, store.Withdrawal{ID: "w", Account: "alice", Asset: bnb, Amount: coins(1), Network: "BSC",
		Address: "0x2"}))(t)
	testkit.Must(p.SetDepositAddress(ctx, people.DepositAddress{Account: "alice", Asset: bnb, Network: "BSC",
		Address: "0x3"}))(t)
	ok(t, db.AddWebhook(ctx, store.NewWebhook{Name: "shop", URL: "https://example.com", Kinds: "payouts",
		Secret: []byte("sealed")}))
	draft := testkit.Must(control.NewDraft(control.AddLogin, people.LoginChange{Email: "x@example.com"}, "alice",
		"a login"))(t)
	w.proposal = testkit.Must(db.As(access.Actor{Role: access.Operator, Credential: "token a", Person: "ann"}).
		Propose(ctx, draft, "why"))(t)
	return w
}

// exec changes the database as somebody does who can write to it and has no key.
func (w *tampered) exec(sql string, args ...any) {
	w.Helper()
	testkit.Must(w.db.Exec(w.Context(), sql, args...))(w.T)
}

// signed gives rows that a test has changed by SQL their MACs, as softstake does with what it writes.
func signed(t *testing.T, books *store.DB, k integrity.Guarded, where string, args ...any) error {
	t.Helper()
	return books.Engine().Write(t.Context(), func(t db.Tx) error { return books.Guard().Sign(t, k, where, args...) })
}

// found are the rows that the audit finds.
func (w *tampered) found() (rows []string) {
	w.Helper()
	testkit.Must(w.db.Guard().Examine(w.Context(), w.db.Engine().Read, func(f integrity.Forged) {
		rows = append(rows, f.Table)
	}))(w.T)
	return rows
}

// withdraw requests a withdrawal to the saved address as alice's token does.
func (w *tampered) withdraw(ctx context.Context) error {
	w.tries++
	_, err := w.db.As(aliceAs["token"]).Withdraw(ctx, store.Withdrawal{ID: fmt.Sprint("alice/try-", w.tries),
		Account: "alice", Asset: bnb, Amount: coins(1), Network: "BSC", Address: "0x1"})
	return err
}

// uses are uses of a row of each kind, by table.
func (w *tampered) uses() map[string]func(context.Context) error {
	p, r := w.db.People(), reports.New(w.db.Reader())
	return map[string]func(context.Context) error{
		"tokens":   func(ctx context.Context) error { return failure(p.Token(ctx, w.token.ID)) },
		"keys":     func(ctx context.Context) error { return failure(p.Key(ctx, w.key.Key)) },
		"logins":   func(ctx context.Context) error { return failure(p.Login(ctx, "alice@example.com")) },
		"sessions": func(ctx context.Context) error { return failure(p.Session(ctx, w.session.ID)) },
		"staff":    func(ctx context.Context) error { return failure(p.StaffMember(ctx, "carol@example.com")) },
		"staff_sessions": func(ctx context.Context) error {
			_, _, err := p.StaffSession(ctx, w.office.ID)
			return err
		},
		"passkeys":             func(ctx context.Context) error { return failure(p.Factors(ctx, aliceLogin)) },
		"totps":                func(ctx context.Context) error { return failure(p.Factors(ctx, aliceLogin)) },
		"recovery_codes":       func(ctx context.Context) error { return failure(p.Factors(ctx, aliceLogin)) },
		"withdrawal_addresses": w.withdraw,
		"withdrawal_settings":  w.withdraw,
		"deposit_addresses": func(ctx context.Context) error {
			all, err := r.DepositAddresses(ctx, "alice")
			if len(all) == 0 {
				err = integrity.ErrForged
			}
			return err
		},
		"webhooks": func(ctx context.Context) error {
			_, _, err := w.db.ClaimWebhook(ctx, "shop", "test")
			return err
		},
		"withdrawals": func(ctx context.Context) error {
			x, err := r.Withdrawal(ctx, "alice", "w")
			if x.State == store.Forged {
				err = integrity.ErrForged
			}
			return err
		},
	}
}

// change is what somebody writes into a column who has no key, and what it was.
type change struct{ table, is, forged string }

// changes are some of each kind.
func (w *tampered) changes() []change {
	return []change{
		{"tokens", "role = 'auditor'", "role = 'admin'"},
		{"tokens", "account = ''", "account = 'alice'"},
		{"tokens", "person = ''", "person = 'mallory'"},
		{"tokens", "addresses = ''", "addresses = '192.0.2.0/24'"},
		{"tokens", "ceilings = ''", "ceilings = 'deposits:BNB=9'"},
		{"tokens", "authoritative = 0", "authoritative = 1"},
		{"keys", "permissions = '" + access.FormatPermissions(w.key.Permissions) + "'",
			"permissions = 'read,trade,withdraw'"},
		{"keys", "account = 'alice'", "account = 'bob'"},
		{"logins", "account = 'alice'", "account = 'bob'"},
		{"sessions", "account = 'alice'", "account = 'bob'"},
		{"staff", "role = 'operator'", "role = 'admin'"},
		{"staff", "disabled = 0", "disabled = 1"},
		{"staff_sessions", "client = '" + w.office.Client + "'", "client = 'Lynx'"},
		{"passkeys", "credential = '{}'", `credential = '{"key":1}'`},
		{"totps", "step = 7", "step = 6"},
		{"recovery_codes", "used = 0", "used = 1"},
		{"withdrawal_addresses", "address = '0x1'", "address = '0x666'"},
		{"withdrawal_settings", "any_from = 0", "any_from = 1"},
		{"deposit_addresses", "address = '0x3'", "address = '0x666'"},
		{"webhooks", "url = 'https://example.com'", "url = 'https://thief.example'"},
		{"webhooks", "kinds = 'payouts'", "kinds = 'payouts,balance'"},
		{"withdrawals", "address = '0x2'", "address = '0x666'"},
		{"withdrawals", fmt.Sprint("amount = ", int64(coins(1))), "amount = 200000000"},
	}
}

// TestRowsChangedBySQL: each row that gives a right is refused where it is used, once somebody has changed it in the
// database, and the audit finds it; changed back, it is what it was.
func TestRowsChangedBySQL(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		w := newTampered(t, db, clock)
		uses := w.uses()
		examined := map[string]bool{}
		for _, c := range w.changes() {
			use, only := uses[c.table], ""
			if c.table == "withdrawals" {
				only = " WHERE id = 'w'"
			}
			n := testkit.Must(db.Count(t.Context(), "SELECT count(*) FROM "+c.table+only))(t)
			if err := use(t.Context()); err != nil {
				t.Errorf("%s is whole: %v", c.table, err)
			}
			w.exec("UPDATE " + c.table + " SET " + c.forged + only)
			err := use(t.Context())
			if c.table != "recovery_codes" && err == nil || err != nil && !isRefusal(err) {
				t.Errorf("%s with %s: %v", c.table, c.forged, err)
			}
			if examined[c.table] {
				w.exec("UPDATE " + c.table + " SET " + c.is + only)
				continue
			}
			examined[c.table] = true
			if found := w.found(); int64(len(found)) != n || found[0] != c.table {
				t.Errorf("%s with %s: the audit finds %q", c.table, c.forged, found)
			}
			w.exec("UPDATE " + c.table + " SET " + c.is + only)
			if c.table == "withdrawal_addresses" || c.table == "withdrawals" {
				continue // they are used again at the next case
			}
			if err := use(t.Context()); err != nil {
				t.Errorf("%s is whole again: %v", c.table, err)
			}
		}
		same(t, "found at the end", len(w.found()), 0)
	})
}

// isRefusal reports whether an error is one by which a row is refused.
func isRefusal(err error) bool {
	return errors.Is(err, integrity.ErrForged) || errors.Is(err, access.ErrUnknown) ||
		ledger.ReasonOf(err) == store.ReasonAddressUnknown
}

// TestRowsMadeBySQL: a row that is added or copied lets nobody in, and one that is removed does neither.
func TestRowsMadeBySQL(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx, w := t.Context(), newTampered(t, db, clock)
		s := newSession(t, clock, "alice@example.com", "alice")
		bucket := int64(ledger.Account(s.ID).Bucket())
		w.exec("INSERT INTO sessions (bucket, id, hash, email, account, client, address, created, seen, expires, mac) "+
			"SELECT $1, $2, $3, email, account, client, address, created, seen, expires, mac FROM sessions", bucket, s.ID,
			s.Hash[:])
		wants(t, failure(db.People().Session(ctx, s.ID)), ledger.ErrNotFound)

		// A step-up that nobody has proved confirms nothing.
		w.exec("INSERT INTO step_ups (bucket, subject, id, digest, method, made, expires, used, mac) "+
			"SELECT bucket, subject, 'made', $1, 'passkey', made, expires, 0, mac FROM step_ups WHERE method = 'passkey'",
			access.CodesStepUp)
		wantsReason(t, db.As(holderActor(aliceLogin, "made")).People().SetRecoveryCodes(ctx, aliceLogin, codesOf("b"),
			people.Visitor{}), access.ErrForbidden, access.ReasonStepUp)
		w.exec("DELETE FROM step_ups WHERE id = 'made'")
		w.exec("DELETE FROM sessions WHERE id = $1", s.ID)

		// What is proposed is decided as it was proposed, or not at all.
		w.exec("UPDATE proposals SET content = replace(content, 'x@', 'y@')")
		approver := db.As(access.Actor{Role: access.Approver, Credential: "token b", Person: "bea"})
		wants(t, failure(approver.ApproveProposal(ctx, w.proposal.ID, w.proposal.EffectDigest())), integrity.ErrForged)
		wants(t, failure(approver.RejectProposal(ctx, w.proposal.ID, "no")), integrity.ErrForged)
		w.exec("UPDATE proposals SET content = replace(content, 'y@', 'x@')")
		testkit.Must(approver.RejectProposal(ctx, w.proposal.ID, "no"))(t)

		// A withdrawal does not end that was not requested like this.
		// The others are listed and paid, and nothing of it can be paid.
		ok(t, w.withdraw(ctx))
		w.exec("UPDATE withdrawals SET address = '0x666', requested = 1 WHERE id = 'w'")
		var listed []string
		for _, x := range testkit.Must(reports.New(db.Reader()).PendingWithdrawals(ctx, store.Withdrawal{}, 9))(t) {
			listed = append(listed, fmt.Sprint(x.ID, " ", x.State, " ", x.Amount, " ", x.Address, " ", x.At.Equal(noon)))
		}
		same(t, "pending withdrawals", listed, []string{"alice/try-1 pending 10000000 0x1 true", "w forged 0  true"})
		wants(t, refusal(db.Post(ctx, []ledger.Entry{completed("w", "alice", 1)})), integrity.ErrForged)
		w.exec(fmt.Sprintf("UPDATE withdrawals SET address = '0x2', requested = %d WHERE id = 'w'", noon.UnixMilli()))
		ok(t, refusal(db.Post(ctx, []ledger.Entry{completed("w", "alice", 1)})))

		// Without its settings an account might withdraw that is to wait.
		w.exec("DELETE FROM withdrawal_settings")
		wants(t, w.withdraw(ctx), access.ErrForbidden)
		wants(t, failure(db.People().LoadWithdrawalAddress(ctx, people.WithdrawalAddress{Account: "alice", Asset: bnb,
			Network: "BSC", Address: "0x3"})), integrity.ErrForged)

		// Without the factors the password alone would do.
		w.exec("DELETE FROM passkeys")
		w.exec("DELETE FROM totps")
		wants(t, failure(db.People().Factors(ctx, aliceLogin)), access.ErrForbidden)
		wants(t, db.People().AddSession(ctx, newSession(t, clock, "alice@example.com", "alice"), oneHash),
			access.ErrForbidden)
		ok(t, db.As(olga).People().ResetFactors(ctx, aliceLogin)) // an operator ends that
		addSession(t, db, clock, "alice@example.com", "alice")
	})
}

// TestProtection: books from before MACs are refused until they are protected, once; and nothing in the database turns
// the check off.
func TestProtection(t *testing.T) {
	for _, kind := range scenario.Databases {
		t.Run(kind, func(t *testing.T) {
			ctx, clock := t.Context(), testkit.NewClock(noon)
			without := options(clock)
			without.Sealer = nil
			url := scenario.Books(t, kind, without, shipped(t, day1))
			old := testkit.Must(store.Open(ctx, url, without))(t)
			token := newToken(t, access.Auditor, "")
			ok(t, old.People().AddToken(ctx, token))
			testkit.Must(old.People().Token(ctx, token.ID))(t)
			wants(t, failure(old.Protect(ctx, func(int64) {})), ledger.ErrInvalid)
			ok(t, old.Close())

			db := testkit.Must(store.Open(ctx, url, options(clock)))(t)
			closeAfter(t, db)
			wants(t, failure(db.People().Token(ctx, token.ID)), integrity.ErrForged)
			same(t, "rows", testkit.Must(db.Protect(ctx, func(int64) {}))(t), 1)
			same(t, "rows again", testkit.Must(db.Protect(ctx, func(int64) {}))(t), 0)
			testkit.Must(db.People().Token(ctx, token.ID))(t)
			same(t, "lines of the log", len(logged(t, db, "key protect")), 1)

			keyless := testkit.Must(store.Open(ctx, url, without))(t)
			wants(t, failure(keyless.People().Token(ctx, token.ID)), integrity.ErrNoKey)
			wants(t, keyless.People().AddToken(ctx, newToken(t, access.Auditor, "")), integrity.ErrNoKey)
			ok(t, keyless.Close())

			testkit.Must(db.Exec(ctx, "UPDATE tokens SET mac = ''"))(t)
			testkit.Must(db.Exec(ctx, "DELETE FROM meta WHERE name = 'protected'"))(t)
			again := testkit.Must(store.Open(ctx, url, options(clock)))(t)
			closeAfter(t, again)
			wants(t, failure(again.People().Token(ctx, token.ID)), integrity.ErrForged)
			wants(t, failure(again.Protect(ctx, func(int64) {})), ledger.ErrConflict)
		})
	}
}

// TestNewKindsAreProtected: the upgrade that gives more kinds of row MACs gives none to a row of the others that has
// none, which somebody may have added; and it needs the key where the books had one.
func TestNewKindsAreProtected(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		w := newTampered(t, db, clock)
		for _, table := range []string{"tokens", "deposit_addresses"} {
			w.exec("UPDATE " + table + " SET mac = ''")
		}
		without := options(clock)
		without.Sealer = nil
		keyless := testkit.Must(store.Open(t.Context(), db.Engine().URL(), without))(t)
		wants(t, keyless.ProtectAfterMACs(t.Context()), integrity.ErrNoKey)
		ok(t, keyless.Close())
		same(t, "refused before", w.found(), []string{"tokens", "deposit_addresses"})
		ok(t, db.ProtectAfterMACs(t.Context()))
		same(t, "refused after", w.found(), []string{"tokens"})
		w.exec("DELETE FROM meta WHERE name = 'protected'") // books that had no key stay as they are, until "key protect"
		w.exec("UPDATE deposit_addresses SET mac = ''")
		ok(t, db.ProtectAfterMACs(t.Context()))
		same(t, "refused in books without a key", w.found(), []string{"tokens", "deposit_addresses"})
	})
}

// TestRenewedMACs: after a rotation the new key alone checks all rows, but for those that were refused.
func TestRenewedMACs(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx, w := t.Context(), newTampered(t, db, clock)
		w.exec("UPDATE staff SET role = 'admin'")
		const fresh = "YW5vdGhlciBrZXkgb2YgdGhlIHNjZW5hcmlvcyAzMmI="
		both, after := options(clock), options(clock)
		both.Sealer = func() (*access.Sealer, error) { return access.NewSealer(fresh + " " + scenario.Key) }
		after.Sealer = func() (*access.Sealer, error) { return access.NewSealer(fresh) }
		url := db.Engine().URL()
		rotating := testkit.Must(store.Open(ctx, url, both))(t)
		closeAfter(t, rotating)
		if n := testkit.Must(rotating.RenewMACs(ctx, func(int64) {}))(t); n < 10 {
			t.Errorf("%d rows have another MAC", n)
		}
		same(t, "rows again", testkit.Must(rotating.RenewMACs(ctx, func(int64) {}))(t), 0)
		rotated := testkit.Must(store.Open(ctx, url, after))(t)
		closeAfter(t, rotated)
		testkit.Must(rotated.People().Token(ctx, w.token.ID))(t)
		w.db = rotated
		same(t, "refused", w.found(), []string{"staff"})
	})
}

// BenchmarkCredentials looks a token and a session up, as each request does, in books without MACs and with them.
func BenchmarkCredentials(b *testing.B) {
	for _, kind := range scenario.Databases {
		for _, guarded := range []bool{false, true} {
			clock := testkit.NewClock(noon)
			o := options(clock)
			if !guarded {
				o.Sealer = nil
			}
			db := testkit.Must(store.Open(b.Context(), scenario.Books(b, kind, o, shipped(b, day1)), o))(b)
			closeAfter(b, db)
			p, token := db.People(), newToken(b, access.Exchange, "")
			ok(b, p.AddToken(b.Context(), token))
			testkit.Must(db.OpenAccount(b.Context(), "alice", "DE"))(b)
			addLogin(b, db, "alice@example.com", "alice")
			session := addSession(b, db, clock, "alice@example.com", "alice")
			b.Run(fmt.Sprintf("%s/token/macs=%t", kind, guarded), func(b *testing.B) {
				for b.Loop() {
					testkit.Must(p.Token(b.Context(), token.ID))(b)
				}
			})
			b.Run(fmt.Sprintf("%s/session/macs=%t", kind, guarded), func(b *testing.B) {
				for b.Loop() {
					testkit.Must(p.Session(b.Context(), session.ID))(b)
				}
			})
		}
	}
}
