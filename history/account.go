package history

import (
	"slices"
	"strings"
)

// accountWords begin the names of the exchange's accounts, as columnKey writes them.
var accountWords = []string{
	"spot", "funding", "earn", "savings", "card", "pool", "p2p", "strategy", "options", "margin", "crossmargin",
	"isolatedmargin", "usdt-futures", "usdⓢ-mfutures", "usd-mfutures", "usdm", "coin-futures", "coin-mfutures", "coinm",
	"futures", "crossfutures", "cm", "um", "launchpad", "launchpool", "staking", "loan", "cryptoloan", "vanillaoptions",
	"europeanoptions", "copytrading", "tradingbots", "bots", "pay", "web3", "alpha",
}

// isAccount reports whether a text is the name of an account of the exchange.
func isAccount(text string) bool {
	key := columnKey(text)
	for _, suffix := range []string{"", "wallet", "account", "copy", "lead"} {
		if slices.Contains(accountWords, strings.TrimSuffix(key, suffix)) {
			return true
		}
	}
	return false
}

// spotNames are those of the Spot account, as columnKey writes them.
var spotNames = []string{"spot", "spotwallet", "spotaccount"}

func isSpot(account string) bool { return slices.Contains(spotNames, columnKey(account)) }

// accountKind is what the name of an account is.
type accountKind int

const (
	unknownAccount accountKind = iota
	spotAccount
	otherAccount
)

// kindOf is what the name of an account is; a file has few of them and many rows.
func (f *File) kindOf(account string) accountKind {
	kind, known := f.accounts[account]
	if known {
		return kind
	}
	switch {
	case isSpot(account):
		kind = spotAccount
	case isAccount(account):
		kind = otherAccount
	}
	f.accounts[strings.Clone(account)] = kind
	return kind
}
