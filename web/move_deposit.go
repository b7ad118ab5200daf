package web

import (
	"errors"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
)

// depositKind credits tokens that nobody has sent, in the books of a demo.
var depositKind = kind{
	name: "deposit", posts: ledger.Deposit,
	offers: (*wallet).every, read: (*moveForm).readDeposit, check: (*moveForm).checkDeposit,
	between: func(m *moveForm) (from, to ledger.Account) { return ledger.Custody, m.Account() },
	post:    (*submission).deposit,
}

// deposit posts a deposit in a demo, whose visitor is the custodian too; elsewhere there is no such form, and the books
// have no such custodian.
func (s *submission) deposit(m *moveForm) error {
	books, err := s.Books.Custodian(s.caller.Request)
	if err == nil {
		_, err = books.PostAll(s.context(), []ledger.Entry{m.entry()})
	}
	return err
}

func (m *moveForm) readDeposit() (err error) {
	m.Changes = []effect{m.wallet.effect(m.Asset, m.Sum)}
	m.List, err = m.visit.latestDeposits(m.wallet.assets)
	return err
}

// checkDeposit refuses what would exceed the supply.
func (m *moveForm) checkDeposit(*submission) error {
	if m.Sum > m.Asset.MaxSupply-m.Free {
		m.F.SetFault("amount", m.T("amount.supply", "asset", m.Asset.Symbol, "most", m.Plain(m.Asset, m.Asset.MaxSupply)))
	}
	return nil
}

// deposits shows the holder's deposit addresses, as far as the operator has set them, and
// the latest deposits: in real books the custodian credits them.
func (v *visit) deposits() error {
	w, err := v.wallet()
	if err != nil {
		return err
	}
	list, err := v.latestDeposits(w.assets)
	if err != nil {
		return err
	}
	addresses, err := v.Reports.DepositAddresses(v.context(), v.account())
	if err != nil {
		return err
	}
	return v.show("deposits", struct {
		*view
		List      depositList
		Addresses []people.DepositAddress
	}{v.view("deposit.title"), list, addresses})
}

// depositDays is how many days back a page shows deposits.
const depositDays = 31

// depositList are the latest deposits.
type depositList struct {
	Rows   []reports.Line
	Assets map[string]ledger.Asset
	Days   int
}

// errEnough ends the reading of a list.
var errEnough = errors.New("enough is read")

// latestDeposits reads the latest deposits, at most listed.
func (v *visit) latestDeposits(assets map[string]ledger.Asset) (depositList, error) {
	list, now := depositList{Assets: assets, Days: depositDays}, v.Books.Now()
	err := v.Reports.Deposits(v.context(), v.account(), now.AddDate(0, 0, -depositDays), now.Add(time.Minute), "",
		func(l reports.Line) error {
			if len(list.Rows) == listed {
				return errEnough
			}
			list.Rows = append(list.Rows, l)
			return nil
		})
	if err != nil && !errors.Is(err, errEnough) {
		return list, err
	}
	return list, nil
}
