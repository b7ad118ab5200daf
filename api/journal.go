package api

import (
	"context"
	"errors"
	"math/big"
	"strconv"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// journalRoutes are those that read balances and the journal.
func (s *server) journalRoutes() {
	get(s, "/v1/accounts/{account}/balances", oneHolder, reader.balances,
		about("get-balances", "Journal", "List an account's balances",
			"What an account has of each asset, by symbol, and what that is worth in USDT by today's price: "+
				"that of today, or the last of the 7 days before. Where there is none the value is absent, "+
				"and the total is of the others."))
	get(s, "/v1/accounts/{account}/journal", oneHolder, reader.accountJournal,
		about("get-account-journal", "Journal", "Read an account's journal",
			"Every change of an account's free and held balances, "+
				"the newest first by the moment at which it counts; rewards count from the 00:00 UTC after their day. "+
				"A backdated entry is in the order of its own time. A page may be short, or empty, and not be the last: "+
				"as long as there is `next`, there may be more."))
	get(s, "/v1/journal", allHolders, reader.journal, about("get-journal", "Journal", "Read the journal",
		"Both sides of every move that was posted, by day, part of the books, and time. "+
			"Each day that is closed is complete; into an open one something may be posted before your cursor. "+
			"Rewards and declared totals are not among them: the exports have them too, "+
			"and each is an entry by its name. A page may be short, or empty, and not be the last: "+
			"as long as there is `next`, there may be more."))
	get(s, "/v1/entries/{entry}", allHolders, reader.getEntry, about("get-entry", "Entries", "Look at an entry",
		"An entry as the journal names it: one that was posted, "+
			"a reward that was credited (`reward/DAY/TOKEN/ACCOUNT`), "+
			"or the total of a token's day that was declared (`declare/DAY/TOKEN`), "+
			"which has a move for each part of the books that is paid in, and none where nobody earned. "+
			"A slash in its ID is written %2F in the path.", 404))
}

type balanceOut struct {
	Asset  string `json:"asset" example:"BNB" doc:"Symbol."`
	Free   string `json:"free" example:"2.5" doc:"What can be moved, in whole tokens. It is what earns."`
	Held   string `json:"held" example:"0.5" doc:"What open orders and pending withdrawals hold. It does not earn."`
	Earned string `json:"earned" example:"0.00171234" doc:"All rewards ever credited."`
	Value  string `json:"value,omitempty" example:"1803.21" doc:"What free and held are worth, in USDT, rounded down to 8 decimals. Absent: no price is known."`
}

type balancesOut struct {
	At       string       `json:"at" format:"date-time" doc:"When they were read."`
	Items    []balanceOut `json:"items" doc:"By symbol. An asset that the account has nothing of, and has never earned, is not among them."`
	Total    string       `json:"total" example:"1803.21" doc:"The sum of the values that are known, in USDT."`
	Unpriced []string     `json:"unpriced" doc:"Assets that the account has and no price is known of: they are not in the total."`
}

func (rd reader) balances(ctx context.Context, in *AccountIn) (*answer[balancesOut], error) {
	now := rd.now()
	balances, err := rd.Balances(ctx, in.id())
	if err != nil {
		return nil, err
	}
	out := balancesOut{At: instant(now), Items: make([]balanceOut, 0, len(balances)), Unpriced: []string{}}
	total := new(big.Int)
	for _, b := range balances {
		if b.Free == 0 && b.Held == 0 && b.Earned == 0 {
			continue
		}
		asset, err := rd.Asset(ctx, b.Asset)
		if err != nil {
			return nil, err
		}
		shown := balanceOut{
			Asset: b.Asset, Free: asset.Format(b.Free), Held: asset.Format(b.Held), Earned: asset.Format(b.Earned),
		}
		worth, known, err := rd.worth(ctx, asset, b, staking.DayOf(now))
		if err != nil {
			return nil, err
		}
		if known {
			shown.Value = ledger.FormatBig(worth, usdt.Scale)
			total.Add(total, worth)
		}
		if !known && (b.Free > 0 || b.Held > 0) {
			out.Unpriced = append(out.Unpriced, b.Asset)
		}
		out.Items = append(out.Items, shown)
	}
	out.Total = ledger.FormatBig(total, usdt.Scale)
	return reply(out, nil)
}

// usdt is how values and prices are written: in USDT, with 8 decimals.
var usdt = ledger.Asset{Symbol: conversion.USDT, Scale: 8}

// worth is what a balance, free and held, is worth on a day, if a price is known.
func (rd reader) worth(ctx context.Context, asset ledger.Asset, b reports.Balance, d staking.Day) (worth *big.Int,
	known bool, err error) {
	price, known, err := rd.PriceOf(ctx, asset.Symbol, d)
	if err != nil || !known {
		return nil, false, err
	}
	sum := new(big.Int).Add(big.NewInt(int64(b.Free)), big.NewInt(int64(b.Held)))
	return conversion.Worth(asset, sum, price), true, nil
}

type lineOut struct {
	At     string `json:"at" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it counts."`
	Entry  string `json:"entry" example:"t-4711" doc:"The entry's ID. A reward's is reward/DAY/TOKEN/ACCOUNT."`
	Kind   string `json:"kind" example:"transfer" doc:"The entry's kind, or reward."`
	Part   string `json:"part" enum:"free,held" doc:"Which part of the account is changed."`
	Asset  string `json:"asset" example:"BNB" doc:"Symbol."`
	Amount string `json:"amount" example:"-2.5" doc:"The change, in whole tokens: below zero it went."`
	Other  string `json:"other" example:"bob" doc:"Where it came from or went to."`
}

type linesIn struct {
	AccountIn
	Paging
	DaysIn
	Asset string `query:"asset" maxLength:"20" example:"BNB" doc:"Only this asset's."`
	Kind  string `query:"kind" maxLength:"40" example:"transfer" doc:"Only entries of this kind, or reward."`
}

func (rd reader) accountJournal(ctx context.Context, in *linesIn) (*answer[list[lineOut]], error) {
	from, to, err := in.period(rd.FirstDay(), staking.DayOf(rd.now())+1)
	if err != nil {
		return nil, err
	}
	asked := reports.LinesAsked{From: from, To: to, Asset: in.Asset, Kind: ledger.Kind(in.Kind)}
	return pageUntil(in.Paging, lineKeys, func(after *reports.LineKey) ([]reports.JournalLine, *reports.LineKey, error) {
		return rd.Lines(ctx, in.id(), asked, after, in.Limit)
	}, func(l reports.JournalLine) (lineOut, error) {
		asset, err := rd.Asset(ctx, l.Asset)
		out := lineOut{
			At: instant(l.At), Entry: l.Entry, Kind: string(l.Kind), Part: "free", Asset: l.Asset,
			Amount: asset.Format(l.Amount), Other: string(l.Other),
		}
		if l.Account.IsHeld() {
			out.Part = "held"
		}
		return out, err
	})
}

// lineKeys are those of an account's journal.
var lineKeys = keyset[reports.LineKey, reports.LineKey]{
	parts: 4,
	of: func(k reports.LineKey) []string {
		return []string{millis(k.At), k.Entry, strconv.Itoa(k.Move), strconv.Itoa(k.Side)}
	},
	read: func(parts []string) (reports.LineKey, error) {
		at, badTime := moment(parts[0])
		move, badMove := within(parts[2], -1, ledger.MaxMoves-1)
		side, badSide := within(parts[3], 0, 1)
		return reports.LineKey{At: at, Entry: parts[1], Move: int(move), Side: int(side)},
			errors.Join(badTime, badMove, badSide)
	},
}

type postingOut struct {
	At      string `json:"at" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it counts."`
	Entry   string `json:"entry" example:"t-4711" doc:"The entry's ID."`
	Kind    string `json:"kind" example:"transfer" doc:"The entry's kind."`
	Move    int    `json:"move" example:"0" doc:"Which move of the entry, from 0."`
	Side    int    `json:"side" enum:"0,1" doc:"0: where it was taken from; 1: who got it."`
	Account string `json:"account" example:"alice" doc:"The account that is changed."`
	Asset   string `json:"asset" example:"BNB" doc:"Symbol."`
	Amount  string `json:"amount" example:"-2.5" doc:"The change, in whole tokens: below zero it went."`
	Other   string `json:"other" example:"bob" doc:"The move's other side."`
}

type journalIn struct {
	Paging
	DaysIn
}

func (rd reader) journal(ctx context.Context, in *journalIn) (*answer[list[postingOut]], error) {
	from, to, err := in.period(rd.FirstDay(), staking.DayOf(rd.now())+1)
	if err != nil {
		return nil, err
	}
	return pageUntil(in.Paging, postingKeys, func(after *ledger.Posting) ([]ledger.Posting, *ledger.Posting, error) {
		return rd.Postings(ctx, from, to, after, in.Limit)
	}, func(p ledger.Posting) (postingOut, error) {
		asset, err := rd.Asset(ctx, p.Asset)
		return postingOut{
			At: instant(p.At), Entry: p.Entry, Kind: string(p.Kind), Move: p.Move, Side: p.Side,
			Account: string(p.Account), Asset: p.Asset, Amount: asset.Format(p.Amount), Other: string(p.Other),
		}, err
	})
}

// postingKeys are those of the journal: a bucket, and within it as of a line.
var postingKeys = keyset[ledger.Posting, ledger.Posting]{
	parts: 5,
	of: func(p ledger.Posting) []string {
		return append([]string{strconv.Itoa(p.Bucket)},
			lineKeys.of(reports.LineKey{At: p.At, Entry: p.Entry, Move: p.Move, Side: p.Side})...)
	},
	read: func(parts []string) (ledger.Posting, error) {
		bucket, badBucket := within(parts[0], 0, ledger.Buckets-1)
		k, badLine := lineKeys.read(parts[1:])
		return ledger.Posting{Bucket: int(bucket), At: k.At, Entry: k.Entry, Move: k.Move, Side: k.Side},
			errors.Join(badBucket, badLine)
	},
}

type entryPath struct {
	Entry string `path:"entry" maxLength:"168" example:"t-4711" doc:"The entry's ID, as the journal names it."`
}

type moveOut struct {
	From   string `json:"from" example:"alice" doc:"Account that it was taken from."`
	To     string `json:"to" example:"bob" doc:"Account that got it."`
	Asset  string `json:"asset" example:"BNB" doc:"Symbol."`
	Amount string `json:"amount" example:"2.5" doc:"How much, in whole tokens."`
}

type wholeEntryOut struct {
	ID       string    `json:"id" example:"t-4711" doc:"The entry's ID."`
	Kind     string    `json:"kind" example:"transfer" doc:"What happened: the kind of entry that was posted, reward or declare."`
	At       string    `json:"at" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it counts."`
	PostedAt string    `json:"postedAt" format:"date-time" example:"2026-11-22T10:00:00.123Z" doc:"When it was written."`
	Moves    []moveOut `json:"moves" doc:"All that it moved."`
	Actor    string    `json:"actor,omitempty" example:"token 4fQx81LmZp0a" doc:"Who posted it, as in the log; of a reward, who ran its day. Absent: it is from before this was kept."`
	Role     string    `json:"role,omitempty" example:"exchange" doc:"The actor's role, as in the log."`
	Request  string    `json:"request,omitempty" example:"A7QZ3VYJ4N5KX2M6PBTCDEFGHI" doc:"The ID of the request that posted it, as in the log."`
	Flag     string    `json:"reconciliation,omitempty" enum:"open,resolved" doc:"Of an authoritative entry that left a balance below zero for a time: whether it is still to be reconciled. Absent for every other entry."`
}

func (rd reader) getEntry(ctx context.Context, in *entryPath) (*answer[wholeEntryOut], error) {
	e, err := rd.Posted(ctx, in.Entry)
	if err != nil {
		return nil, err
	}
	moves, err := shown(e.Moves, func(m ledger.Move) (moveOut, error) {
		asset, err := rd.Asset(ctx, m.Asset)
		return moveOut{From: string(m.From), To: string(m.To), Asset: m.Asset, Amount: asset.Format(m.Amount)}, err
	})
	return reply(wholeEntryOut{
		ID: e.ID, Kind: string(e.Kind), At: instant(e.At), PostedAt: instant(e.PostedAt), Moves: moves,
		Actor: e.Actor.Credential, Role: string(e.Actor.Role), Request: e.Actor.Request,
		Flag: e.Reconciliation(),
	}, err)
}
