package attack

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/factor"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// unit is a whole token of the shipped ones, which have 8 decimals.
const unit = ledger.Amount(1_00000000)

// browser is what the stolen browsers call themselves: a session of staff is bound to it.
const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

// ceilings are those of each back end's token: of BNB 1000 a day, and 200 against @desk, of each other token what is
// usual, 4 switches, and 5 accounts. They are far below what the victims have.
var ceilings = map[access.Parts][]string{
	access.Deposits: {"accounts=5/day", "deposits:BNB=1000/day"}, access.Withdrawals: {"withdrawals:BNB=1000/day"},
	access.Trades: {"trades:BNB=1000/day", "desk:BNB=200/day"}, access.Enrollment: {"accounts=5/day", "enrollment=4/day"},
}

// houses are the books that are attacked, closed, and everything that was stolen of them.
type houses struct {
	url       string
	today     staking.Day // the last day that is open to everybody
	stolen    []credential
	proposals []control.Proposal // of somebody else, which are open: terms, a payout, terms to be rejected
	saved     string             // the ID of alice's address
}

// newHouses makes the books: holders with tokens, addresses and factors, a withdrawal that waits and a large one,
// days that are paid and one that needs approval, a campaign, prices, staff, and what another member of staff
// proposed.
func newHouses(t *testing.T) *houses {
	t.Helper()
	now := time.Now().UTC()
	today := staking.DayOf(now)
	clock := testkit.NewClock((today - 3).Start().Add(12 * time.Hour))
	tokens := testkit.Must(staking.ShippedTokens(today - 3))(t)
	h := &houses{url: scenario.NewURL(t, "sqlite", false), today: today}
	db := testkit.Must(store.Create(t.Context(), h.url, store.Options{Clock: clock.Now,
		Actor: access.Process("test"), Volatile: true}, store.Setup{From: today - 3, Tokens: tokens, WithdrawalFactor: true,
		Regions: staking.ShippedRegions(), Documents: staking.ShippedDocuments()}))(t)
	h.holders(t, db)
	clock.Forward((today - 2).Start().Add(12 * time.Hour))
	h.offer(t, db)
	clock.Forward(now)
	ok(t, db.SetPayouts(t.Context(), true))
	ok(t, db.AddWebhook(t.Context(), store.NewWebhook{Name: "shop", URL: "https://shop.example.com/hooks",
		Kinds: "payouts", Secret: []byte("sealed"), PayoutsAfter: 900})) // and so they may be sent again
	testkit.Must(staking.Run(t.Context(), db, clock.Now(), staking.Options{}))(t)
	h.waiting(t, db)
	h.staff(t, db)
	h.steal(t, db, now)
	ok(t, db.As(access.Actor{Role: access.Admin, Credential: "staff ada@example.com", Person: "ada"}).
		SetFourEyes(t.Context(), true))
	h.propose(t, db)
	ok(t, db.Close())
	return h
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// post posts an entry of one move.
func post(t *testing.T, db *store.DB, id string, kind ledger.Kind, from, to ledger.Account, asset string, n int64) {
	t.Helper()
	testkit.Must(db.PostAll(t.Context(), []ledger.Entry{{ID: id, Kind: kind,
		Moves: []ledger.Move{{From: from, To: to, Asset: asset, Amount: ledger.Amount(n) * unit}}}}))(t)
}

// holders opens the accounts: alice and bob earn, and log in, alice with a factor. mallory is the attacker's own.
func (h *houses) holders(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := t.Context()
	for id, bnb := range map[ledger.Account]int64{"alice": 100_000, "bob": 50_000, "carol": 10_000, "dora": 10,
		"erin": 5_000, "frank": 700, "mallory": 1, "gone": 0} {
		testkit.Must(db.OpenAccount(ctx, id, "DE"))(t)
		if bnb > 0 {
			post(t, db, "d-"+string(id), ledger.Deposit, ledger.Custody, id, "BNB", bnb)
			post(t, db, "a-"+string(id), ledger.Deposit, ledger.Custody, id, "ADA", 100)
		}
	}
	web := staking.Client{Platform: "web", Address: "192.0.2.7"}
	for _, id := range []ledger.Account{"alice", "bob", "carol", "erin", "frank", "mallory"} {
		for _, name := range staking.DocumentNames {
			ok(t, db.Documents().Accept(ctx, id, name, 0, web))
		}
	}
	for _, id := range []ledger.Account{"alice", "bob"} {
		testkit.Must(db.Enroll(ctx, id, web, time.Time{}))(t)
		post(t, db, "s-"+string(id), ledger.Deposit, ledger.Custody, id, "SOL", 1000)
		login := string(id) + "@example.com"
		ok(t, db.People().AddLogin(ctx, people.Login{Email: login, Account: id,
			Password: testkit.Must(access.HashPassword(rand.Reader, "correct horse battery"))(t)}))
		a := testkit.Must(db.People().LoadWithdrawalAddress(ctx, people.WithdrawalAddress{Account: id, Asset: "BNB",
			Network: "BSC", Address: "0x" + string(id)}))(t)
		if id == "alice" {
			h.saved = a.ID
		}
	}
	ok(t, db.CloseAccount(ctx, "gone"))
	_, _, err := db.AddLabel(ctx, "alice", "vip", h.today-2)
	ok(t, err)
}

// offer funds the pools, and has a token whose income is shared.
func (h *houses) offer(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := t.Context()
	for _, symbol := range []string{"BNB", "SOL"} {
		testkit.Must(db.Fund(ctx, "f-"+symbol, symbol, 100_000*unit, false))(t)
	}
	ok(t, db.SetTerms(ctx, staking.Terms{Asset: "ADA", From: h.today - 1, Offered: true, Mode: staking.Share,
		Fee: 3 * staking.Whole / 10, Min: 1, Cap: 1_000_000 * unit}))
	ok(t, db.SetTerms(ctx, staking.Terms{Asset: "BNB", From: h.today - 1, Offered: true, APR: 1_500_000,
		Fee: 3 * staking.Whole / 10, Min: 1, Cap: 1000 * unit}))
	ok(t, db.SetLimit(ctx, staking.Limit{Asset: "BNB", MaxTotal: unit, MaxWithdrawal: 500 * unit}))
	ok(t, db.SetLimit(ctx, staking.Limit{Asset: "ADA", MaxTotal: unit}))
	ok(t, db.SetLimit(ctx, staking.Limit{Asset: "SOL", MaxTotal: 1}))
	ok(t, db.SetComparisonLimit(ctx, store.ComparisonLimit{Asset: "TON", Accounts: store.AnyDifference}))
	ton := reconcile.Token{Asset: testkit.Must(db.Asset(ctx, "TON"))(t), Differences: 1, Off: 1}
	ton.Theirs.Root[0] = 1
	testkit.Must(db.AddComparison(ctx, store.Comparison{Day: staking.DayOf(db.Now()) - 1, At: db.Now(),
		Source: store.FromFile, Tokens: []store.ComparedToken{{Kind: reconcile.Balances, Token: ton}},
		Differences: []store.ComparedDifference{{Kind: reconcile.Balances,
			Difference: reconcile.Difference{Account: "bob", Asset: ton.Asset, Theirs: 1}}}}))(t)
	testkit.Must(db.Prices().Set(ctx, []pricing.Price{{Asset: "BNB", Day: h.today - 2, Price: 600_00000000}}))(t)
	testkit.Must(db.CurrencyRates().Set(ctx, []pricing.Rate{{Currency: "EUR", Day: h.today - 2, Rate: 92_000_000}}))(t)
	post(t, db, "late", ledger.Deposit, ledger.Custody, "carol", "SOL", 10)
	testkit.Must(db.PostAll(ctx, []ledger.Entry{{ID: "early", Kind: ledger.Withdrawal, Authoritative: true,
		At:    (h.today - 2).Start().Add(time.Hour),
		Moves: []ledger.Move{{From: "carol", To: ledger.Custody, Asset: "SOL", Amount: 5 * unit}}}}))(t)
}

// waiting makes what needs approval today.
func (h *houses) waiting(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := t.Context()
	for id, w := range map[string]store.Withdrawal{"w-small": {Account: "bob", Amount: 5 * unit},
		"w-large": {Account: "carol", Amount: 5000 * unit}} {
		w.ID, w.Asset, w.Network, w.Address = id, "BNB", "BSC", "0x"+string(w.Account)
		testkit.Must(db.Withdraw(ctx, w))(t)
	}
	testkit.Must(db.PostCampaign(ctx, staking.Campaign{ID: "spring", Title: "Spring", Asset: "SOL", Pool: 100 * unit,
		First: h.today + 2, Last: h.today + 11, Parts: []staking.Part{{Token: "BNB", Amount: 100 * unit}}}))(t)
	testkit.Must(db.PostIncome(ctx, staking.Income{Reference: "i-1", Asset: "BNB", Chain: "bsc", Source: "v-1",
		First: h.today - 1, Last: h.today - 1, Gross: 5 * unit, Evidence: "0x1"}))(t)
	testkit.Must(db.Freeze(ctx, "dora", "order 7", true))(t)
}

// staffRoles are the members of staff, each with the role that they are named after.
func (h *houses) staff(t *testing.T, db *store.DB) {
	t.Helper()
	for _, role := range access.StaffRoles {
		ok(t, db.People().AddStaff(t.Context(), string(role)+"@example.com", role, access.Invitation{}))
	}
	ok(t, db.People().AddStaff(t.Context(), "olga@example.com", access.Operator, access.Invitation{}))
}

// propose is what olga has proposed: terms, and the end of the large withdrawal.
func (h *houses) propose(t *testing.T, db *store.DB) {
	t.Helper()
	olga := access.Actor{Role: access.Operator, Credential: access.StaffSubject("olga@example.com"),
		Person: "olga@example.com"}
	large := store.Withdrawal{ID: "w-large", Account: "carol", Asset: "BNB", Amount: 5000 * unit}
	for _, do := range []func() error{
		func() error {
			return db.As(olga).SetTerms(t.Context(), staking.Terms{Asset: "SOL", From: h.today + 5, Offered: true,
				APR: 1_000_000, Min: 1, Cap: unit})
		},
		func() error {
			outcomes, err := db.As(olga).Post(t.Context(), []ledger.Entry{large.Ending(ledger.WithdrawalCompleted)})
			if err != nil {
				return err
			}
			return outcomes[0].Err
		},
		func() error {
			return db.As(olga).SetTerms(t.Context(), staking.Terms{Asset: "SOL", From: h.today + 6, Offered: true,
				APR: 2_000_000, Min: 1, Cap: unit})
		},
	} {
		err := do()
		needed, is := errors.AsType[*control.Needed](err)
		if !is {
			t.Fatalf("it needs approval: %v", err)
		}
		h.proposals = append(h.proposals, testkit.Must(db.As(olga).Propose(t.Context(), needed.Draft, "as agreed"))(t))
	}
}

// steal makes the credentials that are stolen, each of its kind.
func (h *houses) steal(t *testing.T, db *store.DB, now time.Time) {
	t.Helper()
	for _, role := range access.StaffRoles {
		h.token(t, db, string(role), access.Token{Role: role, Person: string(role)})
	}
	for _, part := range []access.Parts{access.Deposits, access.Trades, access.Withdrawals, access.Enrollment} {
		h.token(t, db, part.String(), access.Token{Role: access.Exchange, Parts: part})
	}
	h.token(t, db, "exchange", access.Token{Role: access.Exchange, Parts: access.AllParts})
	h.token(t, db, "authoritative", access.Token{Role: access.Exchange, Parts: access.AllParts, Authoritative: true})
	h.token(t, db, "break-glass", access.Token{Role: access.Admin, Person: access.BreakGlassPerson,
		Lasts: 4 * time.Hour, Expires: now.Add(100 * time.Hour)})
	h.token(t, db, "token-alice", access.Token{Role: access.Holder, Account: "alice"})
	h.token(t, db, "token-bob", access.Token{Role: access.Holder, Account: "bob"})
	for _, permissions := range [][]access.Permission{{access.Read}, {access.Read, access.Trade},
		{access.Read, access.Trade, access.Withdraw}} {
		h.key(t, db, permissions)
	}
	for _, id := range []ledger.Account{"alice", "bob"} {
		s, text, err := access.NewSession(rand.Reader)
		ok(t, err)
		s.Email, s.Account, s.Expires, s.Client = string(id)+"@example.com", id, now.Add(24*time.Hour), browser
		login := testkit.Must(db.People().Login(t.Context(), s.Email))(t)
		ok(t, db.People().AddSession(t.Context(), s, login.Password))
		h.stolen = append(h.stolen, credential{name: "session-" + string(id), kind: webSession, text: text, own: id,
			logged: access.LoginSubject(s.Email), shown: "session " + s.ID[:8]})
	}
	addPasskey(t, db)
	for _, role := range access.StaffRoles {
		s, text, err := access.NewStaffSession(rand.Reader)
		ok(t, err)
		s.Email, s.Client = string(role)+"@example.com", browser
		ok(t, db.People().AddStaffSession(t.Context(), s, "passkey"))
		h.stolen = append(h.stolen, credential{name: "console-" + string(role), kind: staffSession, text: text, role: role,
			logged: access.StaffSubject(s.Email), shown: "session " + s.ID[:8]})
	}
}

// addPasskey gives alice a factor, which the attacker has not.
func addPasskey(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := t.Context()
	login := access.LoginSubject("alice@example.com")
	proof := testkit.Must(db.People().ConfirmPassword(ctx, login, access.AddFactorStepUp("passkey", "Laptop")))(t)
	alice := access.Actor{Role: access.Holder, Account: "alice", Credential: login, Proof: proof}
	ok(t, db.As(alice).People().AddPasskey(ctx, login, factor.Passkey{
		ID: "alice-key", Handle: make([]byte, factor.HandleLength), Label: "Laptop", Credential: "{}"},
		[][32]byte{{1}}, people.Visitor{}))
}

func (h *houses) token(t *testing.T, db *store.DB, name string, of access.Token) {
	t.Helper()
	token, text, err := access.NewToken(rand.Reader)
	ok(t, err)
	of.ID, of.Hash = token.ID, token.Hash
	if of.Role == access.Exchange {
		var lines []string
		for _, part := range []access.Parts{access.Deposits, access.Trades, access.Withdrawals, access.Enrollment} {
			if of.Parts&part != 0 {
				lines = append(lines, ceilings[part]...)
			}
		}
		slices.Sort(lines)
		of.Ceilings = testkit.Must(access.ParseCeilings(of.Parts, slices.Compact(lines)...))(t)
	}
	ok(t, db.People().AddToken(t.Context(), of))
	h.stolen = append(h.stolen, credential{name: name, kind: bearer, text: text, role: of.Role, own: of.Account,
		logged: of.Actor().Credential, shown: "token " + of.ID, token: of})
}

// key makes a signed API key of alice's.
func (h *houses) key(t *testing.T, db *store.DB, permissions []access.Permission) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	ok(t, err)
	name, _, err := access.NewKey(rand.Reader)
	ok(t, err)
	k := access.Key{Key: name, Account: "alice", Type: access.Ed25519, Permissions: permissions,
		Addresses: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Secret:    testkit.Must(x509.MarshalPKIXPublicKey(public))(t)}
	ok(t, db.People().AddKey(t.Context(), k))
	h.stolen = append(h.stolen, credential{name: "key-" + string(permissions[len(permissions)-1]), kind: signed,
		text: name, private: private, own: "alice", logged: k.Actor().Credential, shown: "key " + name[:8]})
}
