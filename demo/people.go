package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// person is a holder of the town.
type person struct {
	id     ledger.Account
	region staking.Region
	client staking.Client
}

var (
	givenNames = []string{
		"ada", "aiko", "amir", "bela", "chidi", "dana", "elif", "emeka", "farah", "goran", "hana", "ines", "ivo", "jonas",
		"kaya", "lena", "luca", "malik", "mara", "milo", "nadia", "niko", "noor", "olga", "omar", "pia", "quinn", "rafa",
		"rosa", "sana", "tariq", "tomas", "uma", "vera", "wanda", "xenia", "yara", "yusuf", "zoe",
	}
	regions = []staking.Region{"AR", "AT", "BR", "DE", "ES", "FR", "ID", "IN", "JP", "KE", "KR", "MX", "NG", "NZ", "PL",
		"PT", "TH", "TR", "VN", "ZA"}
	clients = []staking.Client{{Platform: "web"}, {Platform: "ios", Version: "3.1.0"}, {Platform: "ios", Version: "3.2.1"},
		{Platform: "android", Version: "3.2.0"}}
)

// settleIn is the first day: everybody comes and brings something, most switch on
// at noon and others will later, and the operator fills the pools.
func (t *Town) settleIn(ctx context.Context) error {
	accounts := make([]store.Account, t.holders)
	for i := range t.holders {
		p := person{
			id:     ledger.Account(fmt.Sprintf("%s-%d", oneOf(t.luck, givenNames), i+1)),
			region: oneOf(t.luck, regions), client: oneOf(t.luck, clients),
		}
		if i == t.holders-1 {
			p.region = "US-CA"
		}
		t.people = append(t.people, p)
		accounts[i] = store.Account{ID: p.id, Region: p.region, Opened: t.Clock.Now()}
	}
	if err := t.Books.OpenAccounts(ctx, accounts); err != nil {
		return err
	}
	for i, p := range t.people {
		t.bring(p, i)
	}
	last := len(t.people) - 1
	t.at(t.luck.moment(t.First), func(ctx context.Context) error { return t.enrollInVain(ctx, t.people[last]) })
	t.switchOn(t.people[:last])
	t.at((t.First + 1).Start().Add(-time.Minute), t.startCampaign)
	t.at((t.First + 1).Start().Add(-time.Minute), t.fillPools)
	return t.settleCustomer(ctx)
}

// bring deposits what a holder comes with. Every fiftieth is above the cap.
func (t *Town) bring(p person, i int) {
	assets := t.market.assets()
	t.luck.Shuffle(len(assets), func(i, j int) { assets[i], assets[j] = assets[j], assets[i] })
	for _, asset := range assets[:1+t.luck.IntN(4)] {
		common := t.market.common(asset)
		var amount ledger.Amount
		switch size := t.luck.IntN(100); {
		case i%50 == 0 && asset != usdt:
			amount = t.luck.part(t.market.token[asset].Terms.Cap, 1010, 1500)
		case size < 30:
			amount = t.luck.part(common, 500, 1500)
		case size < 90:
			amount = t.luck.part(common, 2_000, 40_000)
		default:
			amount = t.luck.part(common, 40_000, 400_000)
		}
		t.at(t.luck.moment(t.First), func(context.Context) error {
			t.deposit(p, asset, amount)
			return nil
		})
	}
}

// switchOn lets three of four switch on at noon of the first day and most others
// on a later day. Some switch off one day, and half of these on again.
func (t *Town) switchOn(people []person) {
	var early []ledger.Account
	for _, p := range people {
		chance := t.luck.IntN(100)
		switch {
		case chance < 75:
			early = append(early, p.id)
		case chance < 92:
			t.at(t.luck.moment(t.anyDay()), func(ctx context.Context) error { return t.enroll(ctx, p) })
		}
		if chance >= 6 {
			continue
		}
		off := t.luck.moment(t.anyDay())
		t.at(off, func(ctx context.Context) error { return t.Books.Leave(ctx, p.id, p.client, time.Time{}) })
		if t.luck.in(50) {
			t.at(t.luck.after(off, time.Hour, 5*24*time.Hour), func(ctx context.Context) error { return t.enroll(ctx, p) })
		}
	}
	t.at(t.First.Start().Add(12*time.Hour), func(ctx context.Context) error {
		return t.Books.EnrollAll(ctx, early,
			t.First+1)
	})
}

// anyDay is one of the days after the first.
func (t *Town) anyDay() staking.Day {
	return t.First + 1 + staking.Day(t.luck.IntN(int(t.Last-t.First)))
}

// enroll accepts the documents and uses Start Earning.
func (t *Town) enroll(ctx context.Context, p person) error {
	for _, document := range staking.DocumentNames {
		if err := t.Books.Documents().Accept(ctx, p.id, document, 0, p.client); err != nil {
			return err
		}
	}
	_, err := t.Books.Enroll(ctx, p.id, p.client, time.Time{})
	return err
}

// enrollInVain tries Start Earning in a region where it is not offered.
func (t *Town) enrollInVain(ctx context.Context, p person) error {
	err := t.enroll(ctx, p)
	switch {
	case err == nil:
		return fmt.Errorf("%s of %s was not refused", p.id, p.region)
	case !errors.Is(err, staking.ErrRegion):
		return err
	}
	t.Refused = p.id
	return nil
}
