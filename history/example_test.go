package history_test

import (
	"fmt"
	"strings"

	"github.com/softstake/softstake/history"
)

// Read reads an exchange's export, and Estimate says what Soft Staking would have paid on it
// under the shipped terms. The holder is taken to have switched on at the first row, and so the
// day after it is the first that is measured.
func ExampleEstimate() {
	const export = `User_ID,UTC_Time,Account,Operation,Coin,Change,Remark
1,2025-07-24 10:00:00,Spot,Deposit,BNB,2,
1,2025-07-25 12:00:00,Spot,Withdraw,BNB,-1,
1,2025-07-27 09:00:00,Spot,Deposit,BNB,0.5,
`
	rewards, err := estimate(export)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(rewards)
	// Output:
	// 2025-07-25 BNB average 1.5 reward 0.00000616
	// 2025-07-26 BNB average 1.00000616 reward 0.00000411
	// 2025-07-27 BNB average 1.31251027 reward 0.00000539
}

func estimate(export string) (rewards string, err error) {
	offer, err := history.ShippedOffer()
	if err != nil {
		return "", err
	}
	file, err := history.Read(strings.NewReader(export), "export.csv", history.Options{Assets: offer.Assets})
	if err != nil {
		return "", err
	}
	merged, err := history.Merge([]*history.File{file}, offer.Assets)
	if err != nil {
		return "", err
	}
	statements, err := merged.Statements()
	if err != nil {
		return "", err
	}
	accruals, _, err := history.Estimate(statements, offer, merged.Window())
	for _, a := range accruals {
		asset := offer.Assets[a.Asset]
		rewards += fmt.Sprintln(a.Day, a.Asset, "average", asset.Format(a.Average), "reward", asset.Format(a.Reward))
	}
	return rewards, err
}
