package evidence_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
	"github.com/softstake/softstake/verify"
)

// signedBooks are books with two signed records of lived days, and the public key.
func signedBooks(t *testing.T, kind string) (there *store.DB, public string) {
	t.Helper()
	books, clock := books(t, kind, town)
	private, public, err := evidence.NewKey(rand.Reader, "books.example.com/softstake")
	ok(t, err)
	signer, _, err := evidence.KeySigner(private)
	ok(t, err)
	live(t, books, clock, 2, func() {
		makeAll(t, books)
		sign(t, books, signer)
	})
	return books, public
}

// owedBySQL is what holders have of a token at the end of the day before, by the balances of now: at 00:20 nothing was
// posted yet, and only the rewards of that day are credited.
func owedBySQL(t *testing.T, books *store.DB, asset string, d staking.Day) (n int64) {
	t.Helper()
	ok(t, books.Engine().Read(t.Context(), func(v db.View) (err error) {
		n, err = db.Count(v, `SELECT CAST((SELECT sum(balance) FROM balances WHERE asset = $1 AND substr(account, 1, 1) <> '@')
		    - (SELECT sum(reward) FROM rewards WHERE asset = $1 AND day = $2) AS bigint)`, asset, int64(d))
		return err
	}))
	return n
}

// TestEveryBalanceIsProved: each holder's proof is verified offline, the amounts sum up to the root, and the root to
// what the books owe.
func TestEveryBalanceIsProved(t *testing.T) {
	for _, kind := range scenario.Databases {
		t.Run(kind, func(t *testing.T) {
			books, public := signedBooks(t, kind)
			day := town.Last + 2
			for _, asset := range []string{"BNB", "SOL"} {
				var sum, total uint64
				for n := range town.Holders {
					p := testkit.Must(books.Evidence().Proof(t.Context(), town.Holder(n), day, asset))(t)
					r := testkit.Must(p.Check(public))(t)
					if r.Day != day.String() || r.Asset != asset || r.Origin != "books.example.com/softstake" {
						t.Errorf("the proof shows %+v", r)
					}
					sum, total = sum+p.Amount, r.Total
				}
				if want := owedBySQL(t, books, asset, day); sum != total || int64(total) != want {
					t.Errorf("%s: the amounts sum up to %d, the root is of %d, and the books owe %d", asset, sum, total, want)
				}
			}
			_, err := books.Evidence().Proof(t.Context(), "nobody", day, "BNB")
			if !errors.Is(err, ledger.ErrNotFound) {
				t.Errorf("the proof of an account that does not exist: %v", err)
			}
			if _, err := books.Evidence().Proof(t.Context(), town.Holder(1), day+1, "BNB"); !errors.Is(err, ledger.ErrNotFound) {
				t.Errorf("the proof of a day without a record: %v", err)
			}
			// The record of a day before stays proved, whatever came later.
			p := testkit.Must(books.Evidence().Proof(t.Context(), town.Holder(1), day-1, "BNB"))(t)
			if _, err := p.Check(public); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestProofsOfOthersAreNoProofs changes a proof in each way in which it could be of something else.
func TestProofsOfOthersAreNoProofs(t *testing.T) {
	books, public := signedBooks(t, "sqlite")
	day := town.Last + 2
	proof := func() verify.Proof {
		p := testkit.Must(books.Evidence().Proof(t.Context(), town.Holder(1), day, "BNB"))(t)
		p.Path, p.Inclusion = slices.Clone(p.Path), slices.Clone(p.Inclusion)
		return p
	}
	if _, err := proof().Check(public); err != nil {
		t.Fatal(err)
	}
	other := testkit.Must(books.Evidence().Proof(t.Context(), town.Holder(2), day, "BNB"))(t)
	before := testkit.Must(books.Evidence().Proof(t.Context(), town.Holder(1), day-1, "BNB"))(t)
	for what, change := range map[string]func(*verify.Proof){
		"another holder, with the same leaf":  func(p *verify.Proof) { p.Account = "holder-0002" },
		"another token":                       func(p *verify.Proof) { p.Asset = "SOL" },
		"another day":                         func(p *verify.Proof) { p.Day = (day - 1).String() },
		"another amount":                      func(p *verify.Proof) { p.Amount++ },
		"another nonce":                       func(p *verify.Proof) { p.Nonce = other.Nonce },
		"an amount that is negative":          func(p *verify.Proof) { p.Amount = 1 << 63 },
		"a sum that wraps around":             func(p *verify.Proof) { p.Path[0].Sum = -p.Amount },
		"a sum that is less":                  func(p *verify.Proof) { p.Path[5].Sum-- },
		"another side":                        func(p *verify.Proof) { p.Path[3].Left = !p.Path[3].Left },
		"a level less":                        func(p *verify.Proof) { p.Path = p.Path[1:] },
		"a level more":                        func(p *verify.Proof) { p.Path = append(p.Path, verify.Node{}) },
		"a record that owes another sum":      func(p *verify.Proof) { p.Record = without(p.Record, "BNB ") + "BNB " },
		"a record with two roots of a token":  func(p *verify.Proof) { p.Record += line(p.Record) + "\n" },
		"a record without the root":           func(p *verify.Proof) { p.Record = without(p.Record, line(p.Record)+"\n") },
		"the record of another day":           func(p *verify.Proof) { p.Record = before.Record },
		"another place among the records":     func(p *verify.Proof) { p.Index-- },
		"fewer records":                       func(p *verify.Proof) { p.Size-- },
		"no proof of the record":              func(p *verify.Proof) { p.Inclusion = nil },
		"a longer proof of the record":        func(p *verify.Proof) { p.Inclusion = append(p.Inclusion, verify.Hash{}) },
		"the checkpoint before":               func(p *verify.Proof) { p.Checkpoint = before.Checkpoint },
		"a checkpoint that says more":         func(p *verify.Proof) { p.Checkpoint = without(p.Checkpoint, "day") },
		"a checkpoint that nobody has signed": func(p *verify.Proof) { p.Checkpoint, _, _ = strings.Cut(p.Checkpoint, "— ") },
	} {
		p := proof()
		change(&p)
		if _, err := p.Check(public); err == nil {
			t.Errorf("%s: the proof still holds", what)
		}
	}
	_, stranger, err := evidence.NewKey(rand.Reader, "books.example.com/softstake")
	ok(t, err)
	if _, err := proof().Check(stranger); err == nil {
		t.Error("a proof holds with another key")
	}
}

func without(text, what string) string { return strings.Replace(text, what, "", 1) }

// line is the line of BNB's root in a record.
func line(record string) string {
	for l := range strings.Lines(record) {
		if strings.HasPrefix(l, "liabilities BNB ") {
			return strings.TrimSuffix(l, "\n")
		}
	}
	return "none"
}

// TestTwoAnswersContradict: an operator that shows two people two roots of a day, or two trees of one size, is found by
// comparing their proofs.
func TestTwoAnswersContradict(t *testing.T) {
	one, public := signedBooks(t, "sqlite")
	day := town.Last + 2
	show := func(books *store.DB, n int, d staking.Day, public string) verify.Result {
		return testkit.Must(testkit.Must(books.Evidence().Proof(t.Context(), town.Holder(n), d, "BNB"))(t).Check(public))(t)
	}
	if show(one, 1, day, public).Contradicts(show(one, 2, day, public)) ||
		show(one, 1, day, public).Contradicts(show(one, 1, day-1, public)) {
		t.Error("proofs of the same books contradict each other")
	}
	two, other := signedBooks(t, "sqlite") // the same, with other salts, and the same name of the key
	if !show(one, 1, day, public).Contradicts(show(two, 1, day, other)) {
		t.Error("two roots of one day are not noticed")
	}
}

// TestOrderOfLeaves: where a holder's leaf lies does not follow from the account, and is another each day, as the
// bucket is among the buckets: who sees two proofs does not see that they are of one person.
func TestOrderOfLeaves(t *testing.T) {
	var accounts []ledger.Account
	for n := range 100 {
		accounts = append(accounts, ledger.Account(fmt.Sprintf("holder-%03d", n)))
	}
	var orders, buckets []string
	nodes := map[verify.Hash]bool{}
	for day := range staking.Day(3) {
		salt := testkit.Must(evidence.NewSalt())(t)
		leaves, order := evidence.Leaves(salt, day, accounts), []ledger.Account{}
		if len(leaves) != 128 {
			t.Errorf("100 holders have %d leaves", len(leaves))
		}
		var sum uint64
		for _, l := range leaves {
			sum += l.Node.Sum
			if nodes[l.Node.Hash] {
				t.Errorf("a leaf of %q is there twice", l.Account)
			}
			if nodes[l.Node.Hash] = true; l.Account != "" {
				order = append(order, l.Account)
			} else if l.Node.Sum != 0 {
				t.Errorf("padding of %d", l.Node.Sum)
			}
		}
		if sum != 500 || len(order) != 100 {
			t.Errorf("%d leaves of holders have %d", len(order), sum)
		}
		if slices.IsSorted(order) {
			t.Error("the leaves lie in the order of the accounts")
		}
		sorted := slices.Sorted(slices.Values(order))
		if !slices.Equal(sorted, accounts) {
			t.Error("not each holder has a leaf")
		}
		orders, buckets = append(orders, fmt.Sprint(order)), append(buckets, fmt.Sprint(evidence.Buckets(salt)))
	}
	for _, of := range [][]string{orders, buckets} {
		if slices.Sort(of); len(slices.Compact(of)) != 3 {
			t.Error("two days have one order")
		}
	}
}

// TestNoncesOfTwoDays: the nonce of a holder is another each day and of each token, and of each holder.
func TestNoncesOfTwoDays(t *testing.T) {
	books, _ := signedBooks(t, "sqlite")
	nonces := map[verify.Hash]string{}
	for day := town.Last + 1; day <= town.Last+2; day++ {
		for _, asset := range []string{"BNB", "SOL"} {
			for n := range 3 {
				p := testkit.Must(books.Evidence().Proof(t.Context(), town.Holder(n), day, asset))(t)
				of := fmt.Sprint(p.Account, day, asset)
				if nonces[p.Nonce] != "" {
					t.Errorf("%s and %s have one nonce", of, nonces[p.Nonce])
				}
				nonces[p.Nonce] = of
			}
		}
	}
}

// TestATokenThatWaitedFromTheStart: the first days of a new token waited for funds while those of another were settled,
// and are paid after the records of these, which know nothing of the token. What was owed at their end is the same.
func TestATokenThatWaitedFromTheStart(t *testing.T) {
	defer evidence.SetBatch(evidence.SetBatch(1))
	books, clock := books(t, "sqlite", scenario.Town{Holders: 20, Days: 3, Last: town.Last, Changes: 5})
	today, signer := town.Last+1, newSigner(t)
	day := func() evidence.Checkpoint {
		t.Helper()
		today++
		clock.Forward(today.Start().Add(5 * time.Minute))
		testkit.Must(staking.Run(t.Context(), books, clock.Now(), staking.Options{Workers: 1}))(t)
		clock.Forward(today.Start().Add(20 * time.Minute))
		makeAll(t, books)
		return sign(t, books, signer)
	}
	ok(t, books.AddAsset(t.Context(), staking.Token{Asset: ledger.Asset{Symbol: "ADA", Scale: 6, MaxSupply: 1 << 60},
		Terms: staking.Terms{Asset: "ADA", From: today, Offered: true, APR: 1_000_000, Min: 1, Cap: 1 << 50}}))
	for _, o := range testkit.Must(books.Post(t.Context(), []ledger.Entry{{ID: "ada", Kind: ledger.Deposit,
		Moves: []ledger.Move{{From: ledger.Custody, To: town.Holder(1), Asset: "ADA", Amount: 1_000_000_000_000}}}}))(t) {
		ok(t, o.Err)
	}
	for range 4 {
		day()
	}
	testkit.Must(books.Fund(t.Context(), "ada", "ADA", 1_000_000_000_000, false))(t)
	c := day() // the token is paid for all days, and the record is that of the day before
	for _, p := range testkit.Must(books.Evidence().Published(t.Context(), staking.Forever, 4))(t) {
		if through, settled := p.Settled["ADA"]; settled {
			t.Fatalf("the token is settled through %s in the record of %s", through, p.Day)
		}
		i := slices.IndexFunc(p.Liabilities, func(l evidence.Liability) bool { return l.Asset == "ADA" })
		if owed := p.Liabilities[i].Root.Sum; owed != 1_000_000_000_000 {
			t.Errorf("%d was owed at the end of %s", owed, p.Day)
		}
	}
	for day := c.Day - 1; day <= c.Day; day++ {
		testkit.Must(books.Evidence().Proof(t.Context(), town.Holder(1), day, "ADA"))(t)
	}
	if found := check(t, books, signer, c.Note); len(found.Findings) > 0 {
		t.Errorf("nothing was changed: %v", found.Findings)
	}
}

// TestProofsOfAllTokens: they are those of each token; of who has none there are none.
func TestProofsOfAllTokens(t *testing.T) {
	books, _ := signedBooks(t, "sqlite")
	day := town.Last + 2
	all := testkit.Must(books.Evidence().Proofs(t.Context(), town.Holder(1), day))(t)
	for _, p := range all {
		one := testkit.Must(books.Evidence().Proof(t.Context(), town.Holder(1), day, p.Asset))(t)
		if diff := cmp.Diff(one, p); diff != "" {
			t.Error(diff)
		}
	}
	if len(all) < 2 {
		t.Errorf("there are %d proofs", len(all))
	}
	if none := testkit.Must(books.Evidence().Proofs(t.Context(), "nobody", day))(t); len(none) > 0 {
		t.Errorf("who has nothing has %d proofs", len(none))
	}
	if _, err := books.Evidence().Proofs(t.Context(), town.Holder(1), day+1); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("the proofs of a day that is open: %v", err)
	}
}

// TestPublished: the days with their roots, the newest first, and the checkpoint that has each.
func TestPublished(t *testing.T) {
	books, public := signedBooks(t, "sqlite")
	r := books.Evidence()
	all := testkit.Must(r.Published(t.Context(), staking.Forever, 3))(t)
	if len(all) != 3 || all[0].Day != town.Last+2 || all[2].Day != town.Last {
		t.Fatalf("published are %v", all)
	}
	next := testkit.Must(r.Published(t.Context(), all[1].Day, 1))(t)
	if len(next) != 1 || next[0].Day != all[2].Day {
		t.Errorf("before %s is %v", all[1].Day, next)
	}
	signed := testkit.Must(r.Signed(t.Context(), all[0].Day))(t)
	if signed.Size != all[0].Signed || signed.Record != all[0].String() || !strings.Contains(signed.Checkpoint, "\n— ") {
		t.Errorf("signed is %+v, published %+v", signed, all[0])
	}
	p := testkit.Must(r.Proof(t.Context(), town.Holder(1), all[0].Day, "BNB"))(t)
	shown := testkit.Must(p.Check(public))(t)
	if !slices.Contains(all[0].Liabilities, evidence.Liability{Asset: "BNB",
		Root: verify.Node{Sum: shown.Total, Hash: shown.Root}}) {
		t.Errorf("the proof shows %+v, published is %+v", shown, all[0].Liabilities)
	}
}
