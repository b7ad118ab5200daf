package web

import (
	"slices"
	"time"

	"github.com/softstake/softstake/ledger"
)

// donePage is what has moved, as it was posted, and what there is now.
type donePage struct {
	*view
	Kind     string
	Entry    string
	At       time.Time // when it counts
	PostedAt time.Time
	Moves    []doneMove
	Other    ledger.Account // the other side: a holder's account, or a house account
	Balances []effect       // what is free now, and its day, by asset
}

// doneMove is a move as the visitor sees it.
type doneMove struct {
	Asset ledger.Asset
	Came  ledger.Amount // below zero: went
}

// done shows an entry that moved the visitor's own tokens; that of another's is not found.
func (v *visit) done(name string, kind ledger.Kind) error {
	e, postedAt, err := v.Reports.Entry(v.context(), v.r.PathValue("entry"))
	if err != nil {
		return err
	}
	w, err := v.wallet()
	if err != nil {
		return err
	}
	p := donePage{view: v.view(name + ".done.title"), Kind: name, Entry: e.ID, At: e.At, PostedAt: postedAt}
	for _, m := range e.Moves {
		of := w.assets[m.Asset]
		switch v.account() {
		case m.From:
			p.Moves, p.Other = append(p.Moves, doneMove{of, -m.Amount}), m.To
		case m.To:
			p.Moves, p.Other = append(p.Moves, doneMove{of, m.Amount}), m.From
		}
		if !slices.ContainsFunc(p.Balances, func(b effect) bool { return b.Asset == of }) {
			p.Balances = append(p.Balances, w.effect(of, 0))
		}
	}
	if e.Kind != kind || len(p.Moves) != len(e.Moves) {
		return ledger.ErrNotFound.In("", "the entry %s", ledger.Clip(e.ID))
	}
	if kind == ledger.Transfer && p.Moves[0].Came > 0 {
		p.Kind, p.Title = "receive", "receive.done.title"
	}
	return v.show("moved", p)
}
