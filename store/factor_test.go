package store_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/factor"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// aliceLogin is alice's login as the owner of factors.
var aliceLogin = access.LoginSubject("alice@example.com")

// holderActor is a person who has logged in to alice's account, with a step-up.
func holderActor(subject, proof string) access.Actor {
	return access.Actor{Role: access.Holder, Account: "alice", Credential: subject}.With(proof)
}

// asPasskey is a passkey of a label, as a subject may have it. What is in it does not matter to the books.
func asPasskey(subject, label string) factor.Passkey {
	return factor.Passkey{ID: "id-" + label, Handle: bytes.Repeat([]byte{byte(len(subject))}, factor.HandleLength),
		Label: label, Credential: "{}"}
}

// codesOf are ten recovery codes, by their hashes.
func codesOf(word string) (hashes [][32]byte) {
	for i := range byte(factor.RecoveryCodes) {
		hashes = append(hashes, sha256.Sum256([]byte{i, word[0]}))
	}
	return hashes
}

// addPasskey adds a first passkey to a subject, and ten recovery codes, confirmed with the password.
func addPasskey(t *testing.T, db *store.DB, subject, label string) {
	t.Helper()
	proof := testkit.Must(db.People().ConfirmPassword(t.Context(), subject, access.AddFactorStepUp("passkey", label)))(t)
	by := holderActor(subject, proof)
	email := strings.TrimPrefix(subject, access.LoginSubject(""))
	by.Account = testkit.Must(db.People().Login(t.Context(), email))(t).Account
	ok(t, db.As(by).People().AddPasskey(t.Context(), subject, asPasskey(subject, label),
		codesOf("a"), people.Visitor{Client: "Firefox", Address: "192.0.2.7"}))
}

// answered is an answer of a passkey to a challenge, with the counter.
func answered(label, challenge string, count int64) people.Confirmation {
	return people.Confirmation{Passkey: "id-" + label, Count: count, Challenge: []byte(challenge),
		Over: noon.Add(time.Hour)}
}

// confirm makes a step-up with alice's passkey, whose counter is always zero.
func confirm(t *testing.T, db *store.DB, label, challenge, digest string) string {
	t.Helper()
	return testkit.Must(db.People().Confirm(t.Context(), aliceLogin, digest, answered(label, challenge, 0)))(t)
}

// wantsReason fails unless the error is of a kind and has a reason.
func wantsReason(t *testing.T, err, kind error, reason string) {
	t.Helper()
	if !errors.Is(err, kind) || ledger.ReasonOf(err) != reason {
		t.Errorf("%v because of %q; it is %v because of %q", err, ledger.ReasonOf(err), kind, reason)
	}
}

// guarded are the operations of a holder that a factor guards, each with what it confirms. They can be done once.
var guarded = map[string]struct {
	digest string
	do     func(ctx context.Context, db *store.DB) error
}{
	"send": {
		digest: access.EntryStepUp(sent(unit), ledger.Destination{}),
		do: func(ctx context.Context, db *store.DB) error {
			_, err := db.PostAll(ctx, []ledger.Entry{sent(unit)})
			return err
		},
	},
	"withdraw": {
		digest: access.EntryStepUp(ledger.Entry{ID: "w-1", Kind: ledger.WithdrawalRequest,
			Moves: []ledger.Move{{From: "alice", To: "alice/held", Asset: "BNB", Amount: unit}}},
			ledger.Destination{Address: "0x1", Network: "BSC", Tag: "7"}),
		do: func(ctx context.Context, db *store.DB) error {
			_, err := db.Withdraw(ctx, store.Withdrawal{ID: "w-1", Account: "alice", Asset: "BNB", Amount: unit,
				Address: "0x1", Network: "BSC", Tag: "7"})
			return err
		},
	},
	"key create": {
		digest: guardedKey.StepUp(noon),
		do:     func(ctx context.Context, db *store.DB) error { return db.People().AddKey(ctx, guardedKey) },
	},
	"password": {
		digest: access.PasswordStepUp("alice@example.com"),
		do: func(ctx context.Context, db *store.DB) error {
			_, err := db.People().SetPassword(ctx, "alice@example.com", people.PasswordChange{Hash: otherHash})
			return err
		},
	},
	"factor add": {
		digest: access.AddFactorStepUp("passkey", "Phone"),
		do: func(ctx context.Context, db *store.DB) error {
			return db.People().AddPasskey(ctx, aliceLogin, asPasskey(aliceLogin, "Phone"), codesOf("b"), people.Visitor{})
		},
	},
	"authenticator app": {
		digest: access.AddFactorStepUp("totp", ""),
		do: func(ctx context.Context, db *store.DB) error {
			return db.People().SetTOTP(ctx, aliceLogin, []byte("sealed"), 7, codesOf("b"), people.Visitor{})
		},
	},
	"factor codes": {
		digest: access.CodesStepUp,
		do: func(ctx context.Context, db *store.DB) error {
			return db.People().SetRecoveryCodes(ctx, aliceLogin, codesOf("c"), people.Visitor{})
		},
	},
	"factor remove": {
		digest: access.RemoveFactorStepUp("passkey", "id-Laptop"),
		do: func(ctx context.Context, db *store.DB) error {
			return db.People().RemovePasskey(ctx, aliceLogin, "id-Laptop", people.Visitor{})
		},
	},
}

func sent(amount ledger.Amount) ledger.Entry {
	return ledger.Entry{ID: "s-1", Kind: ledger.Transfer,
		Moves: []ledger.Move{{From: "alice", To: "bob", Asset: "BNB", Amount: amount}}}
}

var guardedKey = access.Key{Key: strings.Repeat("k", 64), Account: "alice", Type: access.HMAC,
	Permissions: []access.Permission{access.Read}, Label: "tax", Secret: []byte("sealed")}

// guardedBooks have alice, who has a passkey and 10 BNB, and bob.
func guardedBooks(t *testing.T, db *store.DB) {
	t.Helper()
	open(t, db, "alice")
	open(t, db, "bob")
	deposit(t, db, "d-1", "alice", 10, "BNB", time.Time{})
	addLogin(t, db, "alice@example.com", "alice")
	addPasskey(t, db, aliceLogin, "Laptop")
	scenario.AnyAddress(t, db, "alice")
}

// TestStepUps: what a factor guards is done with a step-up of that very operation and content, made by the same
// person, not too long ago, and once.
func TestStepUps(t *testing.T) {
	for name, g := range guarded {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
				ctx := t.Context()
				guardedBooks(t, db)
				refused := func(what, proof string) {
					t.Helper()
					err := g.do(ctx, db.As(holderActor(aliceLogin, proof)))
					if !errors.Is(err, access.ErrForbidden) || ledger.ReasonOf(err) != access.ReasonStepUp {
						t.Errorf("%s: %v", what, err)
					}
				}
				refused("without a step-up", "")
				refused("with one that there is not", "AAAAAAAAAAAA")
				refused("with one of something else", confirm(t, db, "Laptop", "c1", access.StepUp("another")))
				refused("with the password alone",
					testkit.Must(db.People().ConfirmPassword(ctx, aliceLogin, g.digest))(t))
				addLogin(t, db, "bob@example.com", "bob")
				bobs := access.LoginSubject("bob@example.com")
				addPasskey(t, db, bobs, "Bobs")
				refused("with another person's", testkit.Must(db.People().Confirm(ctx, bobs, g.digest,
					answered("Bobs", "c2", 0)))(t))
				old := confirm(t, db, "Laptop", "c3", g.digest)
				clock.Advance(access.StepUpLife)
				refused("with one that is too old", old)
				proof := confirm(t, db, "Laptop", "c4", g.digest)
				ok(t, g.do(ctx, db.As(holderActor(aliceLogin, proof))))
			})
		})
	}
}

// TestStepUpIsUsedOnce: the same step-up does not confirm the same thing again, under another ID of the books' choice.
func TestStepUpIsUsedOnce(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		guardedBooks(t, db)
		proof := confirm(t, db, "Laptop", "c", access.PasswordStepUp("alice@example.com"))
		by := db.As(holderActor(aliceLogin, proof))
		var wait sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wait.Go(func() {
				_, errs[i] = by.People().SetPassword(t.Context(), "alice@example.com", people.PasswordChange{Hash: otherHash})
			})
		}
		wait.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
				continue
			}
			wantsReason(t, err, access.ErrForbidden, access.ReasonStepUp)
		}
		if done != 1 {
			t.Errorf("it was used %d times", done)
		}
	})
}

// TestWithoutAFactor a password and a session are enough, as for callers who are nobody who has logged in.
func TestWithoutAFactor(t *testing.T) {
	for name, by := range map[string]access.Actor{
		"a login without a factor": holderActor(access.LoginSubject("alice@example.com"), ""),
		"an operator":              {Role: access.Operator, Credential: "operator olga"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
				guardedBooks(t, db)
				if by.Subject() != "" {
					ok(t, db.People().ResetFactors(t.Context(), aliceLogin))
					wantsReason(t, guarded["withdraw"].do(t.Context(), db.As(by)), access.ErrForbidden, store.ReasonAddressWaits)
					clock.Advance(people.ResetWait)
				}
				for _, op := range []string{"send", "withdraw", "key create", "password"} {
					if op == "password" && by.Role != access.Holder {
						wants(t, guarded[op].do(t.Context(), db.As(by)), access.ErrForbidden) // nobody else chooses it
						continue
					}
					if err := guarded[op].do(t.Context(), db.As(by)); err != nil {
						t.Errorf("%s: %v", op, err)
					}
				}
			})
		})
	}
}

// TestAFactorGuardsTheLogIn: neither a password alone nor anything but a passkey alone.
func TestAFactorGuardsTheLogIn(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		guardedBooks(t, db)
		logIn := func(password, proof string) error {
			s := newSession(t, clock, "alice@example.com", "alice")
			pages := db.As(access.Process("pages").With(proof)).People()
			err := pages.AddSession(ctx, s, password)
			if err == nil {
				ok(t, pages.AddSession(ctx, s, password)) // the same call, whose answer was lost
			}
			return err
		}
		forbidden := func(password, proof string) {
			t.Helper()
			wantsReason(t, logIn(password, proof), access.ErrForbidden, access.ReasonStepUp)
		}
		forbidden(oneHash, "")
		forbidden("", "")
		code := codesOf("a")[3]
		byCode := func() string {
			return testkit.Must(db.People().Confirm(ctx, aliceLogin, access.LogIn, people.Confirmation{Code: &code}))(t)
		}
		forbidden("", byCode())
		code = codesOf("a")[4]
		waits := func() time.Time { return testkit.Must(db.People().WithdrawalSettings(ctx, "alice"))(t).Waits }
		if !waits().IsZero() {
			t.Errorf("withdrawals wait until %s already", waits())
		}
		ok(t, logIn(oneHash, byCode()))
		if want := db.Now().Add(people.ResetWait); !waits().Equal(want) {
			t.Errorf("after a recovery code withdrawals wait until %s, not until %s", waits(), want)
		}
		ok(t, logIn(oneHash, confirm(t, db, "Laptop", "c1", access.LogIn)))
		ok(t, logIn("", confirm(t, db, "Laptop", "c2", access.LogIn)))
		wants(t, logIn(otherHash, confirm(t, db, "Laptop", "c3", access.LogIn)), ledger.ErrNotFound)
		if left := testkit.Must(db.People().Factors(ctx, aliceLogin))(t).Codes; left != factor.RecoveryCodes-2 {
			t.Errorf("%d codes are left", left)
		}
	})
}

// TestWhatConfirmsIsUsedOnce: a challenge, a code of an app, a recovery code; and a counter does not go back.
func TestWhatConfirmsIsUsedOnce(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		guardedBooks(t, db)
		proof := confirm(t, db, "Laptop", "add", access.AddFactorStepUp("totp", ""))
		ok(t, db.As(holderActor(aliceLogin, proof)).People().SetTOTP(ctx, aliceLogin, []byte("sealed"), 7, nil,
			people.Visitor{}))
		says := func(c people.Confirmation) error {
			_, err := db.People().Confirm(ctx, aliceLogin, access.LogIn, c)
			return err
		}
		code, other := codesOf("a")[0], codesOf("z")[0]
		ok(t, says(answered("Laptop", "one", 5)))
		wantsReason(t, says(answered("Laptop", "one", 6)), access.ErrUnknown, factor.ReasonUsed)
		wantsReason(t, says(answered("Laptop", "two", 5)), access.ErrUnknown, factor.ReasonCloned)
		wantsReason(t, says(answered("Laptop", "two", 4)), access.ErrUnknown, factor.ReasonCloned)
		wantsReason(t, says(answered("Laptop", "two", 0)), access.ErrUnknown, factor.ReasonCloned)
		ok(t, says(answered("Laptop", "two", 6)))
		wantsReason(t, says(people.Confirmation{Step: 7}), access.ErrUnknown, factor.ReasonUsed)
		ok(t, says(people.Confirmation{Step: 8}))
		wantsReason(t, says(people.Confirmation{Step: 8}), access.ErrUnknown, factor.ReasonUsed)
		ok(t, says(people.Confirmation{Code: &code}))
		wantsReason(t, says(people.Confirmation{Code: &code}), access.ErrUnknown, factor.ReasonUsed)
		wantsReason(t, says(people.Confirmation{Code: &other}), access.ErrUnknown, factor.ReasonUsed)
	})
}

// TestChangesOfFactors: a first factor brings recovery codes, the last one takes them away, each change is in the log
// and in the security events, and nothing is left of a login that is removed.
func TestChangesOfFactors(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		guardedBooks(t, db)
		step := 0
		as := func(digest string) *people.People {
			step++
			return db.As(holderActor(aliceLogin, confirm(t, db, "Laptop", string(rune('a'+step)), digest))).People()
		}
		ok(t, as(access.AddFactorStepUp("totp", "")).SetTOTP(ctx, aliceLogin, []byte("sealed"), 7, codesOf("x"),
			people.Visitor{}))
		ok(t, as("").RenamePasskey(ctx, aliceLogin, "id-Laptop", "Old laptop", people.Visitor{}))
		ok(t, as("").RenamePasskey(ctx, aliceLogin, "id-Laptop", "Old laptop", people.Visitor{}))
		f := testkit.Must(db.People().Factors(ctx, aliceLogin))(t)
		if len(f.Passkeys) != 1 || f.Passkeys[0].Label != "Old laptop" || !f.HasTOTP() || f.Codes != factor.RecoveryCodes ||
			string(f.TOTP.Sealed) != "sealed" {
			t.Errorf("the factors are %+v", f)
		}
		if owner := testkit.Must(db.People().PasskeyOwner(ctx, "id-Laptop", f.Passkeys[0].Handle))(t); owner != aliceLogin {
			t.Errorf("the passkey is %s's", owner)
		}
		_, err := db.People().PasskeyOwner(ctx, "id-Laptop", []byte("another"))
		wants(t, err, ledger.ErrNotFound)
		wants(t, as("").RemovePasskey(ctx, aliceLogin, "id-Phone", people.Visitor{}), ledger.ErrNotFound)
		wants(t, as("").RenamePasskey(ctx, aliceLogin, "id-Laptop", "a\nb", people.Visitor{}), ledger.ErrInvalid)
		wants(t, db.As(holderActor(access.LoginSubject("bob@example.com"), "")).People().RemoveTOTP(ctx, aliceLogin,
			people.Visitor{}), access.ErrForbidden)
		ok(t, as(access.RemoveFactorStepUp("totp", "")).RemoveTOTP(ctx, aliceLogin, people.Visitor{}))
		if want := db.Now().Add(people.ResetWait); !testkit.Must(db.People().WithdrawalSettings(ctx, "alice"))(t).
			Waits.Equal(want) {
			t.Error("a factor was removed, and withdrawals do not wait for 72 hours")
		}
		notices := noticed(t, db, "alice")
		for _, of := range []string{"factor|+ authenticator app", "factor|− authenticator app"} {
			if !slices.Contains(notices, of) {
				t.Errorf("no notice %s: %q", of, notices)
			}
		}
		ok(t, as(access.RemoveFactorStepUp("passkey", "id-Laptop")).RemovePasskey(ctx, aliceLogin, "id-Laptop",
			people.Visitor{}))
		if f = testkit.Must(db.People().Factors(ctx, aliceLogin))(t); f.Any() || f.Codes != 0 {
			t.Errorf("left are %+v", f)
		}
		events := testkit.Must(db.People().SecurityEvents(ctx, "alice", nil, 10))(t)
		var said []string
		for _, e := range slices.Backward(events) {
			said = append(said, e.Action+": "+e.Detail)
		}
		want := []string{"factor add: passkey Laptop", "factor add: authenticator app",
			"factor rename: passkey Laptop: Old laptop", "factor remove: authenticator app",
			"factor remove: passkey Old laptop"}
		same(t, "security events", said, want)
		var logged []string
		for _, l := range testkit.Must(reports.New(db.Reader()).Log(ctx, time.Time{}, 100))(t) {
			if strings.HasPrefix(l.Action, "factor ") {
				logged = append(logged, l.Action+": "+l.Detail)
			}
		}
		slices.Sort(logged)
		slices.Sort(want)
		same(t, "lines of the log", logged, want)

		addPasskey(t, db, aliceLogin, "Laptop")
		ok(t, db.People().RemoveLogin(ctx, "alice@example.com"))
		addLogin(t, db, "alice@example.com", "alice")
		if f = testkit.Must(db.People().Factors(ctx, aliceLogin))(t); f.Any() || f.Codes != 0 {
			t.Errorf("a new login of the same address has %+v", f)
		}
	})
}

// TestPasskeysAreTheirPersons: of staff nobody adds, renames or removes another's passkey, whatever the role and with a
// step-up of one's own for it; and nobody the last one.
func TestPasskeysAreTheirPersons(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx, who := t.Context(), people.Visitor{}
		bob, ada := access.StaffSubject("bob@example.com"), access.StaffSubject("ada@example.com")
		for email, role := range map[string]access.Role{"bob@example.com": access.Operator, "ada@example.com": access.Admin} {
			invited, code, err := access.NewInvitation(rand.Reader)
			ok(t, err)
			ok(t, db.As(olga).People().AddStaff(ctx, email, role, invited))
			subject := access.StaffSubject(email)
			proof := testkit.Must(db.People().ConfirmInvitation(ctx, email, code, access.AddFactorStepUp("passkey", email)))(t)
			by := access.Actor{Role: role, Credential: subject, Person: email}.With(proof)
			ok(t, db.As(by).People().AddPasskey(ctx, subject, asPasskey(subject, email), codesOf("a"), who))
		}
		n := 0
		by := func(digest string) *people.People {
			n++
			proof := testkit.Must(db.People().Confirm(ctx, ada, digest,
				answered("ada@example.com", strings.Repeat("c", n), int64(n))))(t)
			return db.As(access.Actor{Role: access.Admin, Credential: ada, Person: "ada@example.com"}.With(proof)).People()
		}
		key, removal := "id-bob@example.com", access.RemoveFactorStepUp("passkey", "id-bob@example.com")
		wants(t, by("").RenamePasskey(ctx, bob, key, "Mine", who), access.ErrForbidden)
		wants(t, by(removal).RemovePasskey(ctx, bob, key, who), access.ErrForbidden)
		wants(t, by(access.AddFactorStepUp("passkey", "Mine")).AddPasskey(ctx, bob, asPasskey(ada, "Mine"), nil, who),
			access.ErrForbidden)
		wantsReason(t, by(access.RemoveFactorStepUp("passkey", "id-ada@example.com")).RemovePasskey(ctx, ada,
			"id-ada@example.com", who), ledger.ErrConflict, people.ReasonLastPasskey)
		has := testkit.Must(db.People().Factors(ctx, bob))(t).Passkeys
		if len(has) != 1 || has[0].Label != "bob@example.com" {
			t.Errorf("bob has %+v", has)
		}
	})
}
