package ledger_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
)

// digestOf is the digest of an entry that requests no withdrawal.
func digestOf(e ledger.Entry) string {
	digest := e.Digest(e.Leaves(), nil)
	return hex.EncodeToString(digest[:])
}

// What differs in any field, or only in where one field ends and the next begins, has
// another digest.
func TestDigestSeparatesWhatDiffers(t *testing.T) {
	m := ledger.Move{From: "alice", To: "bob", Asset: "BNB", Amount: 256}
	at := time.UnixMilli(1_790_000_000_000)
	moves := func(change func(*ledger.Move)) []ledger.Move {
		other := m
		change(&other)
		return []ledger.Move{other}
	}
	small := moves(func(m *ledger.Move) { m.Amount = 1 })[0]
	all := []ledger.Entry{
		{At: at},
		{ID: "e", At: at, Kind: "trade", Moves: []ledger.Move{m}},
		{ID: "e2", At: at, Kind: "trade", Moves: []ledger.Move{m}},
		{ID: "e", At: at.Add(time.Millisecond), Kind: "trade", Moves: []ledger.Move{m}},
		{ID: "e", At: at.Add(time.Hour), Kind: "trade", Moves: []ledger.Move{m}},
		{ID: "e", At: at, Kind: "transfer", Moves: []ledger.Move{m}},
		{ID: "e", At: at, Kind: "", Moves: []ledger.Move{m}},
		{ID: "e", At: at, Kind: "trade", Moves: []ledger.Move{m, m}},
		{ID: "e", At: at, Kind: "trade", Moves: moves(func(m *ledger.Move) { m.From, m.To = m.To, m.From })},
		{ID: "e", At: at, Kind: "trade", Moves: moves(func(m *ledger.Move) { m.From = "carol" })},
		{ID: "e", At: at, Kind: "trade", Moves: moves(func(m *ledger.Move) { m.To = "carol" })},
		{ID: "e", At: at, Kind: "trade", Moves: moves(func(m *ledger.Move) { m.From, m.To = "aliceb", "ob" })},
		{ID: "e", At: at, Kind: "trade", Moves: moves(func(m *ledger.Move) { m.To, m.Asset = "bobB", "NB" })},
		{ID: "e", At: at, Kind: "tradea", Moves: moves(func(m *ledger.Move) { m.From = "lice" })},
		{ID: "e", At: at, Kind: "trade", Moves: moves(func(m *ledger.Move) { m.Asset = "BN" })},
		{ID: "e", At: at, Kind: "trade", Moves: moves(func(m *ledger.Move) { m.Asset = "BNB\x00" })},
		{ID: "e", At: at, Kind: "trade", Moves: moves(func(m *ledger.Move) { m.Asset, m.Amount = "BNB\x00", 1 })},
		{ID: "e", At: at, Kind: "trade", Moves: []ledger.Move{small}},
		{ID: "e", At: at, Kind: "trade", Moves: moves(func(m *ledger.Move) { m.Amount = 257 })},
		{ID: "e", At: at, Kind: "trade", Moves: moves(func(m *ledger.Move) { m.Amount = 256 << 40 })},
		{ID: "e", At: at, Kind: "trade", Moves: []ledger.Move{m, small}},
		{ID: "e", At: at, Kind: "trade", Moves: []ledger.Move{small, m}},
	}
	seen := map[string]string{}
	for _, e := range all {
		said := fmt.Sprintf("%+v", e)
		if other, twice := seen[digestOf(e)]; twice {
			t.Errorf("one digest for %s and %s", said, other)
		}
		seen[digestOf(e)] = said
		inZone := e
		inZone.At = e.At.In(time.FixedZone("", 3600)).Add(999 * time.Microsecond)
		if digestOf(inZone) != digestOf(e) {
			t.Errorf("%s: a zone, or less than a millisecond, makes another digest", said)
		}
	}
}

// TestDigestHasTheDestination: where a withdrawal goes is a part of the digest, each text by itself.
func TestDigestHasTheDestination(t *testing.T) {
	e := ledger.Entry{
		ID: "w", At: time.UnixMilli(0), Kind: ledger.WithdrawalRequest,
		Moves: []ledger.Move{{From: "a", To: "a/held", Asset: "BNB", Amount: 1}},
	}
	seen := map[[32]byte]ledger.Destination{}
	for _, to := range []ledger.Destination{
		{}, {Address: "x"}, {Network: "x"}, {Tag: "x"}, {ClientID: "x"}, {Address: "xy"}, {Address: "x", Network: "y"},
		{Address: "xy", Network: ""}, {Network: "x", Tag: "y"},
	} {
		digest := e.Digest(e.Leaves(), to.Hash())
		if other, twice := seen[digest]; twice && other != to {
			t.Errorf("one digest for %+v and %+v", to, other)
		}
		seen[digest] = to
	}
	if none := e.Digest(e.Leaves(), nil); seen[none] != (ledger.Destination{}) {
		t.Error("no destination is the same as an empty one")
	}
}

func TestDigestIsPinned(t *testing.T) {
	e := ledger.Entry{
		ID: "d1", At: time.UnixMilli(1_790_000_000_123), Kind: ledger.Deposit,
		Moves: []ledger.Move{{From: ledger.Custody, To: "alice", Asset: "BNB", Amount: 200_000_000}},
	}
	first := ledger.FirstDigest(e.Leaves())
	to := ledger.Destination{Address: "0x94df", Network: "BSC", Tag: "7", ClientID: "mine"}
	for name, is := range map[string][2]string{
		"version 1": {hex.EncodeToString(first[:]), "5286d5d114669a068e50b2df16562ffd"},
		"version 2": {digestOf(e), "b318f2d56958b10161a905a34081efc630a850c78c944b287809d8e5b5158e9f"},
		"the destination": {hex.EncodeToString(to.Hash()),
			"93038ba8dfce42e9d6199e8976ffe3e83ad4275975ee14f1cb84f2c9277dd0c1"},
	} {
		if is[0] != is[1] {
			t.Errorf("the digest of %s is %s; stored ones say %s", name, is[0], is[1])
		}
	}
}

// TestCollision: testdata/collision.json has two entries with one ID, found in 11 seconds
// on one core as Wagner's generalised birthday does it: 64 lists of 2^19 amounts each. Of
// version 1 they have the same digest; of version 2 they have not.
func TestCollision(t *testing.T) {
	text, err := os.ReadFile("testdata/collision.json")
	if err != nil {
		t.Fatal(err)
	}
	var both [2]ledger.Entry
	if err := json.Unmarshal(text, &both); err != nil {
		t.Fatal(err)
	}
	bnb, sol := ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: 1 << 60},
		ledger.Asset{Symbol: "SOL", Scale: 8, MaxSupply: 1 << 60}
	for _, e := range both {
		if err := e.Check(map[string]ledger.Asset{"BNB": bnb, "SOL": sol}); err != nil {
			t.Error(err)
		}
	}
	if ledger.FirstDigest(both[0].Leaves()) != ledger.FirstDigest(both[1].Leaves()) ||
		len(both[0].Moves) == len(both[1].Moves) {
		t.Error("the entries of the file do not collide; the test shows nothing")
	}
	if digestOf(both[0]) == digestOf(both[1]) {
		t.Error("other moves have the same digest")
	}
}
