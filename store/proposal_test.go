package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// The people of these tests: olga has a token beside her name, and both are one person.
var (
	proposer = access.Actor{Role: access.Operator, Credential: "operator Olga", Person: "olga"}
	olgas    = access.Actor{Role: access.Approver, Credential: "token 4fQx81LmZp0a", Person: "olga"}
	bob      = access.Actor{Role: access.Approver, Credential: "token 7hRz35KtWq2c", Person: "bob"}
	carol    = access.Actor{Role: access.Operator, Credential: "operator carol", Person: "carol"}
)

// unit is a whole token of 8 decimals.
const unit = ledger.Amount(1_00000000)

// needApproval are the operations that may need approval, each as it does, on the books that readyToPropose makes.
var needApproval = map[control.Operation]func(ctx context.Context, db *store.DB) error{
	control.Adjust: func(ctx context.Context, db *store.DB) error {
		_, err := db.Adjust(ctx, ledger.Entry{ID: "a-1", Kind: ledger.Adjustment,
			Moves: []ledger.Move{{From: "alice", To: ledger.Custody, Asset: "BNB", Amount: unit}}}, "missed")
		return err
	},
	control.Compensate: func(ctx context.Context, db *store.DB) error {
		_, err := db.Compensate(ctx, store.Compensation{Account: "alice", Asset: "BNB", Day: day1 + 1, Name: "n-1",
			Amount: 10}, "late")
		return err
	},
	control.WithdrawFunds: func(ctx context.Context, db *store.DB) error {
		_, err := db.Fund(ctx, "f-2", "BNB", unit, true)
		return err
	},
	control.WithdrawFees: func(ctx context.Context, db *store.DB) error {
		_, err := db.MoveFees(ctx, "f-1", "BNB", unit, false)
		return err
	},
	control.Fund: func(ctx context.Context, db *store.DB) error {
		_, err := db.Fund(ctx, "f-3", "ADA", 2, false) // 1 may be brought in on a day
		return err
	},
	control.ReturnFees: func(ctx context.Context, db *store.DB) error {
		_, err := db.MoveFees(ctx, "f-3", "ADA", 2, true)
		return err
	},
	control.EnterIncome: func(ctx context.Context, db *store.DB) error {
		_, err := db.PostIncome(ctx, staking.Income{Reference: "e-2", Asset: "BNB", Chain: "bsc", Source: "v-1",
			First: day1 + 1, Last: day1 + 1, Gross: -10, Evidence: "0x2"})
		return err
	},
	control.AddCampaign: func(ctx context.Context, db *store.DB) error {
		_, err := db.PostCampaign(ctx, staking.Campaign{ID: "spring", Title: "Spring", Asset: "BNB", Pool: unit,
			First: day1 + 3, Last: day1 + 4, Parts: []staking.Part{{Token: "BNB", Amount: unit}}})
		return err
	},
	control.CompleteWithdrawal: func(ctx context.Context, db *store.DB) error {
		return refusal(db.Post(ctx, []ledger.Entry{store.Withdrawal{ID: "w-1", Account: "alice", Asset: "BNB",
			Amount: 5 * unit}.Ending(ledger.WithdrawalCompleted)}))
	},
	control.AddAsset: func(ctx context.Context, db *store.DB) error {
		return db.AddAsset(ctx, staking.Token{Asset: ledger.Asset{Symbol: "DOT", Scale: 8, MaxSupply: 1000 * unit},
			Terms: staking.Terms{Asset: "DOT", Offered: true, APR: 1, Min: 1, Cap: 100}})
	},
	control.SetTerms: func(ctx context.Context, db *store.DB) error {
		return db.SetTerms(ctx, staking.Terms{Asset: "ADA", From: day1 + 5, Offered: true, APR: 1_000_000, Min: 1, Cap: unit})
	},
	control.CorrectTerms: func(ctx context.Context, db *store.DB) error {
		return db.CorrectTerms(ctx, day1+1, staking.Terms{Asset: "SOL", Offered: true, APR: 1, Min: 1, Cap: unit}, "typing")
	},
	control.SetLimit: func(ctx context.Context, db *store.DB) error {
		return db.SetLimit(ctx, staking.Limit{Asset: "SOL", MaxTotal: 1})
	},
	control.ApproveDay: func(ctx context.Context, db *store.DB) error { return db.Approve(ctx, day1+1, "SOL") },
	control.SetPrices: func(ctx context.Context, db *store.DB) error {
		_, err := db.Prices().Set(ctx, []pricing.Price{{Asset: "BNB", Day: day1 + 2, Price: 799}})
		return err
	},
	control.SetRates: func(ctx context.Context, db *store.DB) error {
		_, err := db.CurrencyRates().Set(ctx, []pricing.Rate{{Currency: "EUR", Day: day1 + 2, Rate: 799}})
		return err
	},
	control.ResetFactors: func(ctx context.Context, db *store.DB) error {
		return db.People().ResetFactors(ctx, access.LoginSubject("alice@example.com"))
	},
	control.PublishDocument: func(ctx context.Context, db *store.DB) error {
		_, err := db.Documents().Publish(ctx, "risk-warning", "Take care.")
		return err
	},
	control.AddRegion: func(ctx context.Context, db *store.DB) error {
		_, err := db.AddRegion(ctx, "DE", 0, "by law")
		return err
	},
	control.RemoveRegion: func(ctx context.Context, db *store.DB) error {
		_, err := db.RemoveRegion(ctx, "CU")
		if ledger.ReasonOf(err) == store.ReasonUnknownRegion { // that of a region that was removed before
			err = nil
		}
		return err
	},
	control.CreateToken: func(ctx context.Context, db *store.DB) error {
		return db.People().AddToken(ctx, access.Token{ID: "abcdefghijkl", Hash: [32]byte{1}, Role: access.Operator,
			Label: "feed"})
	},
	control.SetOwner: func(ctx context.Context, db *store.DB) error {
		_, _, err := db.SetOwner(ctx, "alice", "c-1", 0)
		return err
	},
	control.AddLabel: func(ctx context.Context, db *store.DB) error {
		_, _, err := db.AddLabel(ctx, "alice", "vip", 0)
		return err
	},
	control.RemoveLabel: func(ctx context.Context, db *store.DB) error {
		_, _, err := db.RemoveLabel(ctx, "dora", "vip", 0)
		return err
	},
	control.LoadAddress: func(ctx context.Context, db *store.DB) error {
		_, err := db.People().LoadWithdrawalAddress(ctx, people.WithdrawalAddress{Account: "alice", Asset: "BNB",
			Address: "0x9"})
		return err
	},
	control.EraseAccount: func(ctx context.Context, db *store.DB) error {
		_, err := db.EraseAccount(ctx, "closed")
		return err
	},
	control.AddStaff: func(ctx context.Context, db *store.DB) error {
		return db.People().AddStaff(ctx, "new@example.com", access.Operator, access.Invitation{Hash: [32]byte{1}})
	},
	control.SetStaffRole: func(ctx context.Context, db *store.DB) error {
		return db.People().SetStaffRole(ctx, "olga@example.com", access.Auditor)
	},
	control.InviteStaff: func(ctx context.Context, db *store.DB) error {
		return db.People().InviteStaff(ctx, "olga@example.com", access.Invitation{Hash: [32]byte{2}})
	},
	control.Unfreeze: func(ctx context.Context, db *store.DB) error {
		_, _, err := db.Unfreeze(ctx, "dora", "lifted")
		return err
	},
	control.SetRegion: func(ctx context.Context, db *store.DB) error {
		_, err := db.SetRegion(ctx, "dora", "FR")
		return err
	},
	control.SetCloseAfter: func(ctx context.Context, db *store.DB) error {
		return db.SetCloseAfter(ctx, staking.Closing{From: day1 + 3, After: time.Hour})
	},
	control.SkipEvents: func(ctx context.Context, db *store.DB) error {
		err := db.SkipEvents(ctx, store.PartitionSkip{Source: "shop", Name: "p1", From: 9, Reason: "lost"})
		if ledger.ReasonOf(err) == store.ReasonNotStopped { // it was done before
			err = nil
		}
		return err
	},
	control.RetirePartition: func(ctx context.Context, db *store.DB) error {
		return db.RetirePartition(ctx, store.PartitionEnd{Source: "shop", Name: "p2", Reason: "moved"})
	},
	control.CloseWithout: func(ctx context.Context, db *store.DB) error {
		return db.CloseWithout(ctx, store.DayWithout{Day: day1 - 1, Reason: "it is down"})
	},
	control.ResolveBreak: resolveBreak, control.SetComparisonLimit: setComparisonLimit,
	control.SetComparisonSource: setComparisonSource, control.ReleaseDay: releaseDay,
	control.RotateWebhook: rotateWebhook, control.RemoveWebhook: removeWebhook,
	control.DeliverEvents: deliverEvents, control.ResendEvents: resendEvents,
	control.AddWebhook: addWebhook, control.ChangeWebhook: changeWebhook, control.SkipWebhook: skipWebhook,
	control.AddLogin: func(ctx context.Context, db *store.DB) error {
		return db.People().AddLogin(ctx, people.Login{Email: "mallory@example.com", Account: "dora",
			Invitation: access.Invitation{Hash: [32]byte{3}}})
	},
	control.InviteLogin: func(ctx context.Context, db *store.DB) error {
		_, err := db.People().InviteLogin(ctx, "dora@example.com", access.Invitation{Hash: [32]byte{4}}, true)
		return err
	},
	control.CreateKey: func(ctx context.Context, db *store.DB) error {
		return db.People().AddKey(ctx, staffKey("K"))
	},
	control.LimitKey: func(ctx context.Context, db *store.DB) error {
		_, err := db.People().LimitKey(ctx, staffKey("L").Key, []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")})
		return err
	},
	control.SetAccountLimit: func(ctx context.Context, db *store.DB) error {
		return db.SetAccountLimit(ctx, store.AccountLimit{Asset: "BNB", Amount: unit})
	},
	control.AddSource: func(ctx context.Context, db *store.DB) error {
		_, err := db.AddSource(ctx, store.JoinSource{Name: "another", Address: "file:outbox", Mapping: "ab"})
		return err
	},
	control.EndPayouts: func(ctx context.Context, db *store.DB) error { return db.SetPayouts(ctx, false) },
	control.EndWithdrawalFactor: func(ctx context.Context, db *store.DB) error {
		return db.SetWithdrawalFactor(ctx, false)
	},
	control.EndFourEyes: func(ctx context.Context, db *store.DB) error { return db.SetFourEyes(ctx, false) },
}

// readyToPropose makes books on which everything can be proposed, at noon of Day 3: alice earns BNB and SOL, Day 2 of
// BNB is paid, and that of SOL waits for funds.
func readyToPropose(t *testing.T, db *store.DB, clock *testkit.Clock) {
	t.Helper()
	ctx := t.Context()
	open(t, db, "alice")
	on(t, db, "alice")
	open(t, db, "closed")
	ok(t, db.CloseAccount(ctx, "closed"))
	deposit(t, db, "d-1", "alice", 100, "BNB", time.Time{})
	deposit(t, db, "d-2", "alice", 100, "SOL", time.Time{})
	testkit.Must(db.Fund(ctx, "f-1", "BNB", 10*unit, false))(t)
	terms := testkit.Must(reports.New(db.Reader()).TermsOn(ctx, day1+1))(t)
	bnb := terms[slices.IndexFunc(terms, func(t staking.Terms) bool { return t.Asset == "BNB" })]
	bnb.From, bnb.Fee = day1+1, staking.Whole/2
	ok(t, db.SetTerms(ctx, bnb))
	clock.Set(3, "12:00")
	testkit.Must(staking.Run(ctx, db, clock.Now(), staking.Options{Workers: 2}))(t)
	testkit.Must(db.PostIncome(ctx, staking.Income{Reference: "e-1", Asset: "BNB", Chain: "bsc", Source: "v-1",
		First: day1 + 1, Last: day1 + 1, Gross: 5 * unit, Evidence: "0x1"}))(t)
	testkit.Must(db.Withdraw(ctx, store.Withdrawal{ID: "w-1", Account: "alice", Asset: "BNB", Amount: 5 * unit}))(t)
	ok(t, db.SetLimit(ctx, staking.Limit{Asset: "BNB", MaxWithdrawal: 5 * unit}))
	ok(t, db.SetLimit(ctx, staking.Limit{Asset: "ADA", MaxInflow: 1}))
	testkit.Must(db.Prices().Set(ctx, []pricing.Price{{Asset: "BNB", Day: day1 + 1, Price: 1000}}))(t)
	testkit.Must(db.CurrencyRates().Set(ctx, []pricing.Rate{{Currency: "EUR", Day: day1 + 1, Rate: 1000}}))(t)
	ok(t, db.People().AddStaff(ctx, "olga@example.com", access.Operator, access.Invitation{Hash: [32]byte{1}}))
	addLogin(t, db, "alice@example.com", "alice")
	addPasskey(t, db, access.LoginSubject("alice@example.com"), "Laptop")
	open(t, db, "dora")
	byLabelAndOwner(t, db)
	testkit.Must(db.Freeze(ctx, "dora", "order 7", true))(t)
	ok(t, db.People().AddLogin(ctx, people.Login{Email: "dora@example.com", Account: "dora", Password: oneHash}))
	ok(t, db.People().AddKey(ctx, staffKey("L")))
	ok(t, db.As(proposer).SetWithdrawalFactor(ctx, true))
	ok(t, db.SetPayouts(ctx, true))
	for _, name := range []string{"p1", "p2"} {
		testkit.Must(db.AddPartition(ctx, "shop", name))(t)
	}
	testkit.Must(db.Exec(ctx, "UPDATE join_partitions SET position = 1, watermark = 1800000000000"))(t) // no day waits
	testkit.Must(db.Join(ctx, store.JoinBatch{Source: "shop", Partition: "p1",
		Fault: &store.JoinFault{Place: join.Place{Position: 2}, Err: ledger.ErrInvalid.In("", "it is no event")}}))(t)
	webhookToPropose(t, db)
	comparisonToPropose(t, db)
	ok(t, db.As(proposer).SetFourEyes(ctx, true))
}

// eachToPropose is each on such books.
func eachToPropose(t *testing.T, test func(t *testing.T, url string, db *store.DB, clock *testkit.Clock)) {
	t.Helper()
	eachBooks(t, func(t *testing.T, url string, clock *testkit.Clock) {
		db := opened(t, url, clock)
		readyToPropose(t, db, clock)
		test(t, url, db, clock)
	})
}

// propose does an operation as an actor, which needs approval, and proposes it.
func propose(t *testing.T, db *store.DB, by access.Actor, op control.Operation) control.Proposal {
	t.Helper()
	err := needApproval[op](t.Context(), db.As(by))
	needed, is := errors.AsType[*control.Needed](err)
	if !is || !errors.Is(err, control.ErrNeedsApproval) || needed.Draft.Operation != op {
		t.Fatalf("%s by %s: %v; it needs approval", op, by, err)
	}
	return testkit.Must(db.As(by).Propose(t.Context(), needed.Draft, "as agreed"))(t)
}

// TestWhatNeedsApproval walks operation × role: what needs approval is done by nobody alone, is proposed by those who
// may, is approved by another person, whatever the credential, and is then done once.
func TestWhatNeedsApproval(t *testing.T) {
	eachToPropose(t, func(t *testing.T, url string, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		operations := slices.DeleteFunc(control.Operations(), func(op control.Operation) bool {
			return op == control.EndFourEyes
		})
		for _, op := range append(operations, control.EndFourEyes) {
			rule, _ := control.RuleOf(op)
			if rule.Class == control.Free {
				continue
			}
			do := needApproval[op]
			if do == nil {
				t.Errorf("%s may need approval: do it in this test", op)
				continue
			}
			before := contents(t, url)
			for _, role := range append([]access.Role{access.System}, access.Roles...) {
				if rule.Staff && !role.IsStaff() { // TestAHolderNeedsNoApproval
					continue
				}
				err := do(ctx, db.As(access.Actor{Role: role, Parts: access.AllParts, Credential: "token AAAAAAAAAAAA",
					Person: "mallory"}))
				wanted := error(access.ErrForbidden)
				if slices.Contains(rule.Roles, role) {
					wanted = control.ErrNeedsApproval
				}
				if !errors.Is(err, wanted) {
					t.Errorf("%s by the role %s: %v, not %v", op, role, err, wanted)
				}
			}
			p, again := propose(t, db, proposer, op), propose(t, db, proposer, op)
			if again.ID != p.ID || p.Effect == "" || p.Reason != "as agreed" {
				t.Errorf("%s is proposed as %+v, and then as %s", op, p, again.ID)
			}
			for _, own := range []access.Actor{proposer, olgas} {
				_, err := db.As(own).ApproveProposal(ctx, p.ID, p.EffectDigest())
				if !errors.Is(err, access.ErrForbidden) || ledger.ReasonOf(err) != control.ReasonOwn {
					t.Errorf("%s: %s approves her own proposal: %v", op, own, err)
				}
			}
			for _, role := range slices.DeleteFunc(append([]access.Role{access.System}, access.Roles...), approves) {
				_, err := db.As(access.Actor{Role: role, Credential: "token AAAAAAAAAAAA", Person: "mallory"}).
					ApproveProposal(ctx, p.ID, p.EffectDigest())
				wants(t, err, access.ErrForbidden)
			}
			if after := contents(t, url); after != before {
				same(t, string(op)+" without approval", strings.Split(after, "\n"), strings.Split(before, "\n"))
				return
			}
			for range 2 {
				done, err := db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest())
				if err != nil || done.Decision.State != control.Executed || done.Decision.By.Person != "bob" ||
					done.Decision.Effect != p.Effect {
					t.Fatalf("%s: %+v, %v", op, done, err)
				}
			}
			if contents(t, url) == before {
				t.Errorf("%s was approved and not done", op)
			}
			if err := do(ctx, db.As(proposer)); err != nil { // it is done already
				t.Errorf("%s, repeated: %v", op, err)
			}
		}
		if n := len(logged(t, db, "proposal approve")); n != len(needApproval) {
			t.Errorf("%d approvals of %d proposals are in the log", n, len(needApproval))
		}
		scenario.Clean(t, db)
	})
}

func approves(r access.Role) bool { return r == access.Approver }

// TestAHolderNeedsNoApproval: what staff do with approval, a holder and a back end do alone.
func TestAHolderNeedsNoApproval(t *testing.T) {
	eachToPropose(t, func(t *testing.T, _ string, db *store.DB, _ *testkit.Clock) {
		for _, op := range control.Operations() {
			rule, _ := control.RuleOf(op)
			if !rule.Staff {
				continue
			}
			by := access.Actor{Role: access.Holder, Account: "dora", Credential: "token AAAAAAAAAAAA"}
			if !slices.Contains(rule.Roles, access.Holder) {
				by.Role, by.Parts = access.Exchange, access.AllParts
			}
			if err := needApproval[op](t.Context(), db.As(by)); err != nil {
				t.Errorf("%s by the role %s: %v", op, by.Role, err)
			}
		}
	})
}

// TestASecretIsNotShown: who looks at a proposal sees no hash of a password and no sealed secret.
func TestASecretIsNotShown(t *testing.T) {
	eachToPropose(t, func(t *testing.T, _ string, db *store.DB, _ *testkit.Clock) {
		for op, secret := range map[control.Operation]string{control.AddLogin: "AwAAAAAAAAAA", control.CreateKey: ""} {
			p := propose(t, db, proposer, op)
			if op == control.CreateKey { // it is sealed differently each time
				var key struct{ Secret string }
				ok(t, json.Unmarshal(p.Content, &key))
				if secret = key.Secret; len(secret) < 16 {
					t.Fatalf("the secret is %q", secret)
				}
			}
			if !strings.Contains(string(p.Content), secret) || strings.Contains(p.Shown(), secret) ||
				!strings.Contains(p.Shown(), "(hidden)") {
				t.Errorf("%s shows %s", op, p.Shown())
			}
		}
	})
}

// TestTwoApproveAtOnce: of many approvals at the same time, in two processes, one is used.
func TestTwoApproveAtOnce(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, clock *testkit.Clock) {
		readyToPropose(t, one, clock)
		for _, op := range []control.Operation{control.WithdrawFunds, control.SetTerms, control.CreateToken} {
			p := propose(t, one, proposer, op)
			var group sync.WaitGroup
			for i := range 8 {
				db, by := []*store.DB{one, two}[i%2], []access.Actor{bob, carol}[i/2%2]
				group.Go(func() {
					if done, err := db.As(by).ApproveProposal(t.Context(), p.ID, p.EffectDigest()); err != nil ||
						done.Decision.State != control.Executed {
						t.Errorf("%s: %+v, %v", op, done, err)
					}
				})
			}
			group.Wait()
			var of []store.LogLine
			for _, l := range logged(t, one, "proposal approve", string(op)) {
				if l.Subject == p.ID || l.Action == string(op) && l.Actor.Credential != "test" {
					of = append(of, l)
				}
			}
			if len(of) != 2 || of[0].Actor.Credential != of[1].Actor.Credential {
				t.Errorf("%s has left the lines %v", op, of)
			}
		}
	})
}

// TestAProposalIsDecidedOnce: rejected and expired ones are executed by nobody, and may be proposed again.
func TestAProposalIsDecidedOnce(t *testing.T) {
	eachToPropose(t, func(t *testing.T, _ string, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		p := propose(t, db, proposer, control.WithdrawFunds)
		_, err := db.As(proposer).RejectProposal(ctx, p.ID, "changed my mind")
		wants(t, err, access.ErrForbidden)
		wants(t, failure(db.As(bob).RejectProposal(ctx, p.ID, " ")), ledger.ErrInvalid)
		for range 2 {
			p, err := db.As(bob).RejectProposal(ctx, p.ID, "not now")
			if err != nil || p.State(clock.Now()) != control.Rejected {
				t.Fatalf("%+v, %v", p, err)
			}
		}
		wants(t, failure(db.As(carol).ApproveProposal(ctx, p.ID, p.EffectDigest())), control.ErrNotOpen)

		clock.Advance(time.Minute)
		second := propose(t, db, proposer, control.WithdrawFunds)
		if second.ID == p.ID {
			t.Fatalf("what was rejected is open again as %s", p.ID)
		}
		clock.Advance(control.Lifetime)
		err = failure(db.As(bob).ApproveProposal(ctx, second.ID, second.EffectDigest()))
		if !errors.Is(err, control.ErrNotOpen) || ledger.ReasonOf(err) != control.ReasonExpired {
			t.Fatalf("a proposal that is expired: %v", err)
		}
		third := propose(t, db, proposer, control.WithdrawFunds)
		testkit.Must(db.As(bob).ApproveProposal(ctx, third.ID, third.EffectDigest()))(t)
		for state, want := range map[control.State]string{"": third.ID + " " + second.ID + " " + p.ID,
			control.Open: "", control.Executed: third.ID, control.Rejected: p.ID, control.Expired: second.ID} {
			var ids []string
			for after := (control.Proposal{}); ; { // one a page
				page := testkit.Must(reports.New(db.Reader()).Proposals(ctx, after, store.ProposalsAsked{State: state}, 1))(t)
				if len(page) == 0 {
					break
				}
				after = page[0]
				ids = append(ids, after.ID)
			}
			same(t, fmt.Sprintf("the proposals of the state %q", state), strings.Join(ids, " "), want)
		}
		wants(t, failure(db.As(bob).ApproveProposal(ctx, "no-such", p.EffectDigest())), ledger.ErrNotFound)
	})
}

// TestTheEffectIsLookedAtAgain: what would do something else than was looked at is not done, until that was looked at.
func TestTheEffectIsLookedAtAgain(t *testing.T) {
	eachToPropose(t, func(t *testing.T, _ string, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		p := propose(t, db, proposer, control.AddRegion) // from tomorrow on
		clock.Advance(24 * time.Hour)
		_, err := db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest())
		e, is := errors.AsType[*ledger.Error](err)
		if !is || e.Reason != control.ReasonEffect || len(e.Facts) != 2 {
			t.Fatalf("another effect: %#v", err)
		}
		if again := testkit.Must(reports.New(db.Reader()).Proposal(ctx, p.ID))(t); again.State(clock.Now()) != control.Open {
			t.Fatalf("the proposal is %+v", again)
		}
		now, is := e.Facts[1].(string)
		if !is {
			t.Fatalf("the facts are %v", e.Facts)
		}
		done := testkit.Must(db.As(bob).ApproveProposal(ctx, p.ID, now))(t)
		if done.Decision.Effect == p.Effect || done.Decision.State != control.Executed {
			t.Fatalf("%+v", done)
		}
	})
}

// TestAnApprovalIsOfOneContent: with another content in the row, also with a MAC, what was looked at is not what would
// be done.
func TestAnApprovalIsOfOneContent(t *testing.T) {
	eachToPropose(t, func(t *testing.T, url string, db *store.DB, _ *testkit.Clock) {
		p := propose(t, db, proposer, control.WithdrawFunds)
		testkit.Must(scenario.Rows(t.Context(), url, fmt.Sprintf(
			"UPDATE proposals SET content = replace(content, '%d', '%d') WHERE id = '%s'", unit, 3*unit, p.ID)))(t)
		wants(t, failure(db.As(bob).ApproveProposal(t.Context(), p.ID, p.EffectDigest())), integrity.ErrForged)
		ok(t, signed(t, db, integrity.Proposals, "id = $1", p.ID))
		wants(t, failure(db.As(bob).ApproveProposal(t.Context(), p.ID, p.EffectDigest())), control.ErrEffect)
		wants(t, failure(db.As(bob).ApproveProposal(t.Context(), p.ID, "")), ledger.ErrInvalid)
	})
}

// TestAnApprovalAndItsUseAreOne: an operation that is refused leaves the proposal open, and it is done later.
func TestAnApprovalAndItsUseAreOne(t *testing.T) {
	eachToPropose(t, func(t *testing.T, _ string, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		var made []control.Proposal
		for i := range 2 { // each of them alone could be paid
			_, err := db.As(proposer).Fund(ctx, fmt.Sprintf("f-%d", 7+i), "BNB", 8*unit, true)
			needed, is := errors.AsType[*control.Needed](err)
			if !is {
				t.Fatalf("it needs approval: %v", err)
			}
			made = append(made, testkit.Must(db.As(proposer).Propose(ctx, needed.Draft, ""))(t))
		}
		testkit.Must(db.As(bob).ApproveProposal(ctx, made[0].ID, made[0].EffectDigest()))(t)
		wants(t, failure(db.As(bob).ApproveProposal(ctx, made[1].ID, made[1].EffectDigest())), ledger.ErrInsufficient)
		if p := testkit.Must(reports.New(db.Reader()).Proposal(ctx, made[1].ID))(t); p.State(clock.Now()) != control.Open {
			t.Fatalf("the proposal is %+v", p)
		}
		testkit.Must(db.Fund(ctx, "f-3", "BNB", 10*unit, false))(t)
		testkit.Must(db.As(bob).ApproveProposal(ctx, made[1].ID, made[1].EffectDigest()))(t)
	})
}

// TestWhoMayPropose: processes propose nothing, and an operator's token says whose it is.
func TestWhoMayPropose(t *testing.T) {
	eachToPropose(t, func(t *testing.T, _ string, db *store.DB, _ *testkit.Clock) {
		nameless := access.Actor{Credential: "token AAAAAAAAAAAA"}
		for op, role := range map[control.Operation]access.Role{control.WithdrawFunds: access.Treasurer,
			control.SetTerms: access.Operator, control.SetLimit: access.Admin} {
			nameless.Role = role
			err := needApproval[op](t.Context(), db.As(nameless))
			if !errors.Is(err, access.ErrForbidden) || ledger.ReasonOf(err) != control.ReasonNoPerson {
				t.Errorf("%s: %v", op, err)
			}
		}
		p := propose(t, db, proposer, control.WithdrawFunds)
		nameless.Role = access.Approver
		wants(t, failure(db.As(nameless).ApproveProposal(t.Context(), p.ID, p.EffectDigest())), access.ErrForbidden)
	})
}

// TestAProposalEndsWithItsToken: what was proposed with a token that is revoked since is carried out by nobody, and so
// does a thief who is found out leave nothing to approve.
func TestAProposalEndsWithItsToken(t *testing.T) {
	eachToPropose(t, func(t *testing.T, _ string, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		for _, end := range []func(id string){
			func(id string) { ok(t, db.People().RevokeToken(ctx, id)) },
			func(string) { clock.Advance(time.Hour) },
		} {
			token := newToken(t, access.Treasurer, "")
			token.Person, token.Expires = "mallory", clock.Now().Add(time.Hour)
			mallory := db.As(testkit.Must(access.CommandLine("mallory"))(t))
			needed, is := errors.AsType[*control.Needed](mallory.People().AddToken(ctx, token))
			if !is {
				t.Fatal("a token of staff needs no approval")
			}
			made := testkit.Must(mallory.Propose(ctx, needed.Draft, ""))(t)
			testkit.Must(db.As(bob).ApproveProposal(ctx, made.ID, made.EffectDigest()))(t)
			p := propose(t, db, token.Actor(), control.WithdrawFunds)
			end(token.ID)
			err := failure(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest()))
			if !errors.Is(err, control.ErrNotOpen) || ledger.ReasonOf(err) != control.ReasonEnded {
				t.Errorf("the approval of what a token has proposed that has ended: %v", err)
			}
		}
	})
}

// TestAProposalOfNobodyOnTheStaffEnds: what somebody proposes who is disabled, or who has no row, is not approved.
func TestAProposalOfNobodyOnTheStaffEnds(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		member := func(email string) access.Actor {
			return access.Staff{Email: email, Role: access.Treasurer}.Actor()
		}
		testkit.Must(db.Fund(ctx, "f-1", "BNB", 100_000_000, false))(t)
		ok(t, db.People().AddStaff(ctx, "gone@example.com", access.Treasurer, access.Invitation{}))
		ok(t, db.SetFourEyes(ctx, true))
		gone := propose(t, db, member("gone@example.com"), control.WithdrawFunds)
		ok(t, db.People().DisableStaff(ctx, "gone@example.com"))
		for _, p := range []control.Proposal{gone, propose(t, db, member("nobody@example.com"), control.WithdrawFunds)} {
			err := failure(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest()))
			if !errors.Is(err, control.ErrNotOpen) || ledger.ReasonOf(err) != control.ReasonEnded {
				t.Errorf("the approval of what %s has proposed: %v", p.Proposer, err)
			}
		}
	})
}
