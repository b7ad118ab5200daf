package evidence_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

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
