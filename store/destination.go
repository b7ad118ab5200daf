package store

import (
	"errors"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

// The reasons of access.ErrForbidden where a holder may not withdraw to an address.
const (
	ReasonAddressUnknown = "address-unknown" // it is not saved, and the account withdraws to saved addresses only
	ReasonAddressWaits   = "address-waits"   // its fact is the moment from which on it can be used
)

// A withdrawal that its holder requests, with a session, a token or a key, goes to an address that is saved and whose
// waiting time is over. A back end that requests for its holders has its own list of addresses, and is limited
// otherwise: the rule is about the credentials that are stolen from holders.

// destinations are what a group commit knows of where holders may withdraw to.
type destinations struct {
	settings map[ledger.Account]people.WithdrawalSettings
	refused  map[ledger.Account]error // whose settings are forged
	usable   map[destination]int64    // from when on
}

// destination is where an account's withdrawals of an asset go.
type destination struct {
	account                      ledger.Account
	asset, network, address, tag string
}

// goesTo is the destination of an item that its holder may not choose freely, if it is one.
func (it *item) goesTo() (destination, bool) {
	if !it.byHolder() {
		return destination{}, false
	}
	to, m := it.call.destination, it.Moves[0]
	return destination{m.From, m.Asset, strings.ToUpper(to.Network), to.Address, to.Tag}, true
}

// readDestinations reads where the holders may withdraw to who ask for it. What changes that takes other locks: it
// comes before this commit, or after it.
func (g *groupCommit) readDestinations() error {
	var wanted []destination
	for it := range g.undecided {
		if to, is := it.goesTo(); is {
			wanted = append(wanted, to)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	g.destinations = destinations{map[ledger.Account]people.WithdrawalSettings{}, map[ledger.Account]error{},
		map[destination]int64{}}
	of := func(d destination) ledger.Account { return d.account }
	err := g.t.QuerySet(func(r db.Row) error {
		id := ledger.Account(r.Text(0))
		if err := g.books.guard.Check(integrity.WithdrawalSettings, r, 0); err != nil {
			g.destinations.refused[id] = err
		}
		s, err := people.ScanWithdrawalSettings(r)
		g.destinations.settings[id] = s
		return err
	}, "SELECT "+integrity.WithdrawalSettings.Columns("s.")+`
	      FROM {rows} JOIN withdrawal_settings s ON s.bucket = r.bucket AND s.account = r.account`, db.SetOf(wanted, accountFields(of)...))
	if err != nil {
		return annotate(err, "read how holders withdraw")
	}
	err = g.t.QuerySet(func(r db.Row) error {
		if err := g.books.guard.Check(integrity.WithdrawalAddresses, r, 0); errors.Is(err, integrity.ErrForged) {
			return nil // it is as if it were not saved
		} else if err != nil {
			return err
		}
		d := destination{ledger.Account(r.Text(0)), r.Text(2), r.Text(3), r.Text(4), r.Text(5)}
		g.destinations.usable[d] = r.Int(integrity.WithdrawalAddresses.Column("usable"))
		return nil
	}, "SELECT "+integrity.WithdrawalAddresses.Columns("a.")+`
	      FROM {rows} JOIN withdrawal_addresses a ON a.bucket = r.bucket AND a.account = r.account AND a.asset = r.asset
	       AND a.network = r.network AND a.address = r.address AND a.tag = r.tag AND a.removed = 0`,
		db.SetOf(wanted, accountFields(of,
			db.Text("asset", func(d destination) string { return d.asset }),
			db.Text("network", func(d destination) string { return d.network }),
			db.Text("address", func(d destination) string { return d.address }),
			db.Text("tag", func(d destination) string { return d.tag }))...))
	return annotate(err, "look withdrawal addresses up")
}

// checkDestination says why the item's holder may not withdraw to where it goes, or nil.
func (g *groupCommit) checkDestination(it *item) error {
	to, is := it.goesTo()
	if !is {
		return nil
	}
	now := db.TimeOf(g.now)
	s, set := g.destinations.settings[to.account]
	usable, saved := g.destinations.usable[to]
	if err := g.checkSettings(to.account, saved && !set); err != nil {
		return err
	}
	if s.Waits.After(now) {
		return addressWaits(to.account, s.Waits)
	}
	switch from := db.TimeOf(usable); {
	case saved && from.After(now):
		return addressWaits(to.account, from)
	case !saved && s.SavedOnly(now):
		return access.ErrForbidden.In("address", "%s has not saved the address %s, and withdraws to saved addresses only",
			to.account, ledger.Clip(to.address)).Because(ReasonAddressUnknown)
	}
	return nil
}

// checkSettings refuses an account whose settings are forged or missing: who has a saved address has settings too, and
// they may say that nothing is withdrawn yet.
func (g *groupCommit) checkSettings(id ledger.Account, missing bool) error {
	err := g.destinations.refused[id]
	on, failed := g.books.guard.On()
	if err == nil && missing && on {
		err = g.books.guard.Disagree(integrity.WithdrawalSettings, string(id))
	}
	if err != nil {
		return access.ErrForbidden.In("address", "%w", err)
	}
	return failed
}

func addressWaits(id ledger.Account, until time.Time) error {
	return access.ErrForbidden.In("address", "%s can withdraw there from %s on", id, ledger.FormatTime(until)).
		Because(ReasonAddressWaits, ledger.FormatTime(until))
}
