package ledger_test

import (
	"fmt"

	"github.com/softstake/softstake/ledger"
)

// A trade is one entry of two moves. Each move names both sides, so an unbalanced entry cannot
// be said, and each is two postings: one account's change and the other's.
func ExampleEntry() {
	bnb := ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: 200_000_000_00000000}
	usdt := ledger.Asset{Symbol: "USDT", Scale: 6, MaxSupply: 200_000_000_000_000000}
	assets := map[string]ledger.Asset{"BNB": bnb, "USDT": usdt}
	trade := ledger.Entry{ID: "order-17", Kind: ledger.Trade, Moves: []ledger.Move{
		{From: "alice", To: "bob", Asset: "BNB", Amount: 50_000_000},
		{From: "bob", To: "alice", Asset: "USDT", Amount: 320_000_000},
	}}
	if err := trade.Check(assets); err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range trade.Moves {
		asset := assets[m.Asset]
		fmt.Printf("%-5s %5s %s\n", m.From, asset.Format(-m.Amount), m.Asset)
		fmt.Printf("%-5s %5s %s\n", m.To, asset.Format(m.Amount), m.Asset)
	}
	// Output:
	// alice  -0.5 BNB
	// bob     0.5 BNB
	// bob    -320 USDT
	// alice   320 USDT
}

// What an order or a withdrawal holds lies in an account of its own beside the free balance.
func ExampleAccount_Held() {
	hold := ledger.Move{From: "alice", To: ledger.Account("alice").Held(), Asset: "BNB", Amount: 50_000_000}
	fmt.Println(hold.From, "to", hold.To)
	fmt.Println("owner:", hold.To.Owner(), "held:", hold.To.IsHeld())
	// Output:
	// alice to alice/held
	// owner: alice held: true
}

// Amounts are whole numbers of an asset's smallest unit. More decimals than are kept are refused.
func ExampleAsset_Parse() {
	bnb := ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: 200_000_000_00000000}
	amount, err := bnb.Parse("2.14")
	fmt.Println(int64(amount), bnb.Format(amount), err)
	_, err = bnb.Parse("0.000000001")
	fmt.Println("refused:", err != nil)
	// Output:
	// 214000000 2.14 <nil>
	// refused: true
}
