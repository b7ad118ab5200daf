package demo

import (
	"context"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// plan lets some of the holders do something on a day, each at some moment. On
// the first day they come, and that is enough.
func (t *Town) plan(d staking.Day) {
	if d == t.First {
		return
	}
	for _, p := range t.people {
		if !t.luck.in(40) {
			continue
		}
		do, chance := t.order, t.luck.IntN(100)
		switch {
		case chance < 20:
			do = t.depositMore
		case chance < 35:
			do = t.withdraw
		case chance < 50:
			do = t.transfer
		case chance < 65:
			do = t.convert
		}
		t.at(t.luck.moment(d), func(context.Context) error { do(p); return nil })
	}
}

func (t *Town) deposit(p person, asset string, amount ledger.Amount) {
	t.post(t.name("deposit"), ledger.Deposit, ledger.Move{From: ledger.Custody, To: p.id, Asset: asset, Amount: amount})
}

// depositMore adds to what the holder has, or begins with another token.
func (t *Town) depositMore(p person) {
	assets := t.has(p)
	if len(assets) == 0 || t.luck.in(25) {
		assets = t.market.assets()
	}
	asset := oneOf(t.luck, assets)
	t.deposit(p, asset, t.luck.part(t.market.common(asset), 50, 3000))
}

// has are the assets that a holder has some of, free.
func (t *Town) has(p person) []string {
	var assets []string
	for _, asset := range t.market.assets() {
		if t.purses[purse{p.id, asset}] > 0 {
			assets = append(assets, asset)
		}
	}
	return assets
}

// some is a part of something that a holder has, or nothing: between so many thousandths.
func (t *Town) some(p person, from, to int64) (asset string, amount ledger.Amount) {
	assets := t.has(p)
	if len(assets) == 0 {
		return "", 0
	}
	asset = oneOf(t.luck, assets)
	return asset, t.luck.part(t.purses[purse{p.id, asset}], from, to)
}

// withdraw asks for a withdrawal, which is held until it is sent, or cancelled.
func (t *Town) withdraw(p person) {
	asset, amount := t.some(p, 20, 700)
	if amount == 0 {
		return
	}
	id := t.name("withdrawal")
	t.post(id, ledger.Hold, ledger.Move{From: p.id, To: p.id.Held(), Asset: asset, Amount: amount})
	t.at(t.luck.after(t.Clock.Now(), 20*time.Minute, 8*time.Hour), func(context.Context) error {
		if t.luck.in(85) {
			t.post(id+"/sent", ledger.Withdrawal, ledger.Move{From: p.id.Held(), To: ledger.Custody, Asset: asset,
				Amount: amount})
		} else {
			t.post(id+"/cancelled", ledger.Release, ledger.Move{From: p.id.Held(), To: p.id, Asset: asset, Amount: amount})
		}
		return nil
	})
}

func (t *Town) transfer(p person) {
	asset, amount := t.some(p, 10, 300)
	other := oneOf(t.luck, t.people)
	if amount == 0 || other.id == p.id {
		return
	}
	t.post(t.name("transfer"), ledger.Transfer, ledger.Move{From: p.id, To: other.id, Asset: asset, Amount: amount})
}

// bid is a part of something that a holder has, and what it wants for it near
// today's price: USDT for a token, a token for USDT.
func (t *Town) bid(p person) (give, want ledger.Move, ok bool) {
	asset, amount := t.some(p, 50, 600)
	if amount == 0 {
		return give, want, false
	}
	other := usdt
	if asset == usdt {
		other = oneOf(t.luck, t.market.offered)
	}
	price := t.luck.part(t.market.exchange(amount, asset, other), 990, 1010)
	return ledger.Move{From: p.id, Asset: asset, Amount: amount}, ledger.Move{To: p.id, Asset: other, Amount: price},
		price > 0
}

// convert changes something into something else at once, with the desk.
func (t *Town) convert(p person) {
	give, want, ok := t.bid(p)
	if !ok {
		return
	}
	give.To, want.From = ledger.Desk, ledger.Desk
	t.post(t.name("convert"), ledger.Trade, give, want)
}

// order holds what the holder gives until somebody takes it, or the holder
// thinks better of it. Some orders stay open for good.
func (t *Town) order(p person) {
	give, want, ok := t.bid(p)
	if !ok {
		return
	}
	id := t.name("order")
	t.post(id, ledger.Hold, ledger.Move{From: p.id, To: p.id.Held(), Asset: give.Asset, Amount: give.Amount})
	give.From = p.id.Held()
	chance, then := t.luck.IntN(100), t.luck.after(t.Clock.Now(), time.Minute, 36*time.Hour)
	switch {
	case chance < 75:
		t.at(then, func(context.Context) error {
			taker := t.taker(p, want)
			give.To, want.From = taker, taker
			t.post(id+"/filled", ledger.Trade, give, want)
			return nil
		})
	case chance < 95:
		t.at(then, func(context.Context) error {
			give.To = p.id
			t.post(id+"/cancelled", ledger.Release, give)
			return nil
		})
	}
}

// taker is a holder who has what an order wants; nobody of a few asked: the desk.
func (t *Town) taker(p person, want ledger.Move) ledger.Account {
	for range 8 {
		other := oneOf(t.luck, t.people)
		if other.id != p.id && t.purses[purse{other.id, want.Asset}] >= want.Amount {
			return other.id
		}
	}
	return ledger.Desk
}
