package api

import (
	"context"
	"errors"
	"math/big"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

type closeIn struct {
	AccountIn
	SweepTo string `query:"sweepTo" maxLength:"128" example:"bob" doc:"Another holder's open account, that gets what this one has free and the rewards that are still to come. Without it the account must be empty."`
}

type closedOut struct {
	ID      string     `json:"id" example:"alice" doc:"The account."`
	Region  string     `json:"region" example:"DE" doc:"The verified residence; empty: none is verified."`
	Opened  string     `json:"opened" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it was opened."`
	Closed  string     `json:"closed" format:"date-time" example:"2027-01-31T10:00:00.000Z" doc:"When it was closed, forever."`
	SweepTo string     `json:"sweepTo,omitempty" example:"bob" doc:"The account that gets what is left."`
	Moved   []sweptOut `json:"moved" doc:"What this request has moved there, by token."`
	Unpaid  string     `json:"unpaidFrom,omitempty" format:"date" example:"2027-01-30" doc:"The first day whose reward may still come; it is moved on when it is credited. Absent: none."`
	Refused string     `json:"refused,omitempty" doc:"Why what it has cannot be moved, as a sentence: name another account, or repeat the request later."`
	Left    []leftOut  `json:"left" doc:"Fractions of the smallest unit that its rewards have left: nobody can move them."`
}

type sweptOut struct {
	Entry  string `json:"entry" example:"close/alice/1" doc:"The entry in the journal."`
	Asset  string `json:"asset" example:"BNB" doc:"Symbol."`
	Amount string `json:"amount" example:"2" doc:"In whole tokens."`
}

type leftOut struct {
	Asset string `json:"asset" example:"BNB" doc:"Symbol."`
	Units string `json:"smallestUnits" example:"0.7576452" doc:"Part of the smallest unit, rounded down to 18 decimals."`
}

// leftDigits are the decimals of a fraction that are shown.
const leftDigits = 18

func (wr writer) closeAccount(ctx context.Context, in *closeIn) (*answer[closedOut], error) {
	if err := in.id().CheckHolder(); err != nil {
		return nil, ledger.At("account", err)
	}
	target := ledger.Account(in.SweepTo)
	sweep, err := store.Sweep{}, error(nil)
	if target == "" {
		err = wr.books.CloseAccount(ctx, in.id())
	} else if err = target.CheckHolder(); err != nil {
		return nil, ledger.At("sweepTo", err)
	} else {
		sweep, err = wr.books.SweepAccount(ctx, in.id(), target)
	}
	if errors.Is(err, ledger.ErrInvalid) {
		err = errInUse.In("", "%w", err)
	}
	if err != nil {
		return nil, err
	}
	a, err := wr.Account(ctx, in.id())
	if err != nil {
		return nil, err
	}
	return wr.closed(ctx, a, sweep)
}

func (rd reader) closed(ctx context.Context, a store.Account, sweep store.Sweep) (*answer[closedOut], error) {
	out := closedOut{
		ID: string(a.ID), Region: string(a.Region), Opened: instant(a.Opened), Closed: instant(a.Closed),
		SweepTo: string(sweep.Target), Refused: sweep.Refused, Left: []leftOut{},
	}
	if sweep.Unpaid > 0 {
		out.Unpaid = sweep.Unpaid.String()
	}
	for _, l := range sweep.Left {
		units, _ := reports.UnitsDecimal(big.NewInt(int64(l.Carry)), 0, leftDigits)
		out.Left = append(out.Left, leftOut{l.Asset, units})
	}
	var err error
	out.Moved, err = shown(sweep.Moved, func(m store.Swept) (sweptOut, error) {
		asset, err := rd.Asset(ctx, m.Asset)
		return sweptOut{m.Entry, m.Asset, asset.Format(m.Amount)}, err
	})
	return say(out, err)
}
