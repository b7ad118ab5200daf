package api

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/softstake/softstake/comparison"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type ComparisonOut struct {
	Number     int64              `json:"number" example:"12" doc:"Its number; they count from 1, and none is left out."`
	Day        string             `json:"day" format:"date" example:"2026-11-21" doc:"The day at whose end both are compared."`
	At         string             `json:"at" format:"date-time" example:"2026-11-21T23:59:59.999Z" doc:"The moment of the balances of these books."`
	Position   int64              `json:"position" example:"88123" doc:"The newest number of an event of these books when they were read."`
	Source     string             `json:"source" enum:"file,ledger,endpoint,topic,request" doc:"Where the other ledger's figures came from: a file, queries of its database, an endpoint of its, a topic that it writes them to, or POST /v1/reconciliations."`
	Scheduled  bool               `json:"scheduled" doc:"Whether they are those that are compared each night."`
	Theirs     string             `json:"theirPosition,omitempty" example:"0/1A2B" doc:"The position that the other ledger names. Absent: it names none."`
	TheirTime  string             `json:"theirTime,omitempty" format:"date-time" example:"2026-11-22T00:00:00.000Z" doc:"The time that it names. Absent: it names none."`
	PayoutsDay string             `json:"payoutsDay,omitempty" format:"date" example:"2026-11-20" doc:"The day whose payouts are compared too. Absent: none are."`
	Ignored    int64              `json:"ignored" example:"0" doc:"Amounts of the other ledger that are of tokens that are not compared."`
	Differing  int64              `json:"differing" example:"2" doc:"How many accounts differ, each as often as it does with a token, of balances and of payouts."`
	MadeAt     string             `json:"madeAt" format:"date-time" example:"2026-11-22T00:10:00.000Z" doc:"When it was made."`
	MadeBy     string             `json:"madeBy" example:"process serve" doc:"The credential that made it."`
	Tokens     []ComparedTokenOut `json:"tokens" doc:"What both sides have of each token, by symbol: balances, and payouts where these are compared."`
}

type ComparedTokenOut struct {
	Asset      string  `json:"asset" example:"BNB" doc:"Symbol."`
	Kind       string  `json:"kind" enum:"balance,payout" doc:"What is compared."`
	Ours       SideOut `json:"ours" doc:"These books."`
	Theirs     SideOut `json:"theirs" doc:"The other ledger."`
	Differing  int64   `json:"differing" example:"2" doc:"How many accounts differ."`
	Off        string  `json:"off" example:"1.5" doc:"By how much, all of them together and without signs, in whole tokens."`
	Stops      bool    `json:"stops" doc:"Whether it is over the limit: the token is not paid until it is resolved, or a later reconciliation that counts in its place is within the limit."`
	Resolved   string  `json:"resolved,omitempty" format:"date-time" example:"2026-11-22T09:00:00.000Z" doc:"When it was resolved. Absent: it is not."`
	ResolvedBy string  `json:"resolvedBy,omitempty" example:"staff olga@example.com" doc:"Who has resolved it."`
	Reason     string  `json:"reason,omitempty" example:"the other ledger corrects it today" doc:"Why."`
}

type SideOut struct {
	Accounts int64  `json:"accounts" example:"1200" doc:"How many accounts have some."`
	Sum      string `json:"sum" example:"20050.25" doc:"What they have together, in whole tokens."`
	Root     string `json:"root" example:"RubiBFHvbHu/EKZqIufXxy/o9nIEM+HkzhBESejiRVw=" doc:"The hash of a Merkle tree (RFC 6962, SHA-256) over the accounts in the order of their bytes, each with the leaf \"ACCOUNT AMOUNT\", in base64."`
}

type ComparedDifferenceOut struct {
	Kind    string `json:"kind" enum:"balance,payout" doc:"What differs."`
	Account string `json:"account" example:"alice" doc:"Account."`
	Asset   string `json:"asset" example:"BNB" doc:"Symbol."`
	Ours    string `json:"ours" example:"12.5" doc:"What it has here, free and held together, in whole tokens; or is paid."`
	Theirs  string `json:"theirs" example:"12" doc:"What it has there; or was credited."`
	Missing string `json:"missing" example:"0.5" doc:"What the other ledger has less; below zero: more."`
	Cause   string `json:"cause,omitempty" enum:"payout,here,later,change,unknown,many,account" doc:"What could explain it. payout: the other ledger has not credited payouts of as much, entry is the first; here: entry moved as much on that day; later: entry moved as much after it; change: none of these, entry is the first of that day, or of payouts the one that is acknowledged; unknown: nothing moved; many: too much moved to look at all of it; account: there is no such account here. Absent: it was not looked for, since there are too many."`
	Entry   string `json:"entry,omitempty" example:"reward/2026-11-20/BNB/alice" doc:"ID of that entry."`
	EntryAt string `json:"entryAt,omitempty" format:"date-time" example:"2026-11-21T00:00:00.000Z" doc:"Its time."`
	More    int    `json:"morePayouts,omitempty" example:"0" doc:"How many more payouts are not credited."`
}

// figureIn is a balance or a payout of another ledger.
type figureIn struct {
	Account string `json:"account" minLength:"1" maxLength:"128" example:"alice" doc:"Account."`
	Asset   string `json:"asset" minLength:"1" maxLength:"20" example:"BNB" doc:"Symbol."`
	Amount  string `json:"amount" minLength:"1" maxLength:"60" example:"12.5" doc:"What it has at the end of the day, free and held together, in whole tokens; of a payout what it was credited."`
}

type comparisonIn struct {
	Day      string     `json:"day,omitempty" format:"date" example:"2026-11-21" doc:"The day at whose end the balances are. Without it: the last at which the tokens can be compared."`
	Assets   []string   `json:"assets,omitempty" maxItems:"1000" example:"[\"BNB\",\"SOL\"]" doc:"Only these tokens. Without it: all that can be compared at the end of the day."`
	Position string     `json:"position,omitempty" maxLength:"100" example:"0/1A2B" doc:"Your own position of the state that the figures are of."`
	At       string     `json:"at,omitempty" format:"date-time" example:"2026-11-22T00:00:00Z" doc:"Your own time of that state."`
	Balances []figureIn `json:"balances" maxItems:"100000" doc:"What every account has that has any, in any order; each account once for a token."`
	Payouts  []figureIn `json:"payouts,omitempty" maxItems:"100000" doc:"What was credited to each account for the day before, in the same way. Without it, payouts are not compared."`
}

type differencesIn struct {
	NumberIn
	Paging
}

type NumberIn struct {
	Number int64 `path:"number" minimum:"1" example:"12" doc:"Number of the reconciliation."`
}

type breakIn struct {
	NumberIn
	Body struct {
		Asset  string `json:"asset" minLength:"1" maxLength:"20" example:"BNB" doc:"The token that is to be paid."`
		Reason string `json:"reason" minLength:"1" maxLength:"200" example:"the other ledger corrects it today" doc:"Why; it is kept in the log."`
	}
}

type breakOut struct {
	Number   int64  `json:"number" example:"12" doc:"Number of the reconciliation."`
	Asset    string `json:"asset" example:"BNB" doc:"Symbol."`
	Repeated bool   `json:"repeated" doc:"Whether it was resolved before."`
}

// comparisonRoutes are those of reconciliations with another ledger.
func (s *server) comparisonRoutes() {
	get(s, "/v1/reconciliations", allHolders, reader.comparisons,
		about("list-reconciliations", "Reconciliation", "List reconciliations",
			"The comparisons of these books with another ledger, the newest first, with what both sides have of each token."))
	get(s, "/v1/reconciliations/{number}", allHolders, reader.comparison,
		about("get-reconciliation", "Reconciliation", "Read a reconciliation",
			"What both sides have of each token.", 404))
	get(s, "/v1/reconciliations/{number}/differences", allHolders, reader.comparedDifferences,
		about("list-differences", "Reconciliation", "List the accounts that differ",
			"Those of a reconciliation, the balances first, by account and token, each with the first event that could "+
				"explain it. The first 10000 are kept (1000 of figures that were sent); a cause is looked for of the first "+
				"1000 (100).", 404))
	change(s, "POST /v1/reconciliations", does("reconcile"), writer.compare,
		about("reconcile", "Reconciliation", "Compare with your figures",
			"Compares your own ledger's balances, and what it has credited, with these books at the end of a day, keeps "+
				"what came of it, and answers with that. A body has at most 8 MiB, about 100000 balances: of a larger ledger "+
				"`softstake reconcile` reads a file, your database, an endpoint or a topic of yours. One credential does it "+
				"at most 48 times on a day (UTC). A token of the books that differs by more than "+
				"its limit is not paid until it is resolved, or a later reconciliation of such figures, or of the nightly "+
				"ones, is within the limit. These figures release no token that the nightly reconciliation has stopped. "+
				"Nothing else changes. An account that is missing has nothing.", 404),
		upTo(largeBody), slow)
	change(s, "POST /v1/reconciliations/{number}/resolutions", does(control.ResolveBreak), writer.resolveBreak,
		about("resolve-break", "Reconciliation", "Resolve a difference",
			"Lets a token be paid though the reconciliation is over its limit, and records why. Balances stay as they are. "+
				"A later reconciliation that is over the limit stops the token again. Repeating has no further effect.", 404))
}

type comparisonsIn struct{ Paging }

func (rd reader) comparisons(ctx context.Context, in *comparisonsIn) (*answer[list[ComparisonOut]], error) {
	keys := keyset[store.Comparison, int64]{1,
		func(c store.Comparison) []string { return []string{strconv.FormatInt(c.Number, 10)} },
		func(parts []string) (int64, error) { return within(parts[0], 1, 1<<53) }}
	return pageOf(in.Paging, keys, func(before *int64, limit int) ([]store.Comparison, error) {
		return rd.Comparisons(ctx, orZero(before), limit)
	}, func(c store.Comparison) (ComparisonOut, error) { return showComparison(c), nil })
}

func (rd reader) comparison(ctx context.Context, in *NumberIn) (*answer[ComparisonOut], error) {
	c, err := rd.Comparison(ctx, in.Number)
	return reply(showComparison(c), err)
}

func showComparison(c store.Comparison) ComparisonOut {
	out := ComparisonOut{Number: c.Number, Day: c.Day.String(), At: instant(c.At), Position: c.Position, Source: c.Source,
		Scheduled: c.Scheduled, Theirs: c.Theirs.Position, TheirTime: instantIf(c.Theirs.At), Ignored: c.Ignored,
		Differing: c.Differing(), MadeAt: instant(c.MadeAt), MadeBy: c.By.Credential, Tokens: []ComparedTokenOut{}}
	if c.WithPayouts {
		out.PayoutsDay = c.PayoutsDay().String()
	}
	for _, t := range c.Tokens {
		side := func(s reconcile.Side) SideOut {
			return SideOut{s.Accounts, ledger.FormatBig(&s.Sum, t.Asset.Scale), s.Root.String()}
		}
		out.Tokens = append(out.Tokens, ComparedTokenOut{Asset: t.Asset.Symbol, Kind: string(t.Kind), Ours: side(t.Ours),
			Theirs: side(t.Theirs), Differing: t.Differences, Off: t.Asset.Format(t.Off), Stops: t.Stops,
			Resolved: instantIf(t.Resolved), ResolvedBy: t.ResolvedBy, Reason: t.ResolvedWhy})
	}
	return out
}

func (rd reader) comparedDifferences(ctx context.Context, in *differencesIn) (*answer[list[ComparedDifferenceOut]],
	error) {
	if _, err := rd.Comparison(ctx, in.Number); err != nil {
		return nil, err
	}
	keys := keyset[store.ComparedDifference, reports.DifferenceKey]{3,
		func(d store.ComparedDifference) []string {
			return []string{string(d.Kind), string(d.Account), d.Asset.Symbol}
		},
		func(parts []string) (reports.DifferenceKey, error) {
			return reports.DifferenceKey{Kind: reconcile.Kind(parts[0]), Account: ledger.Account(parts[1]), Asset: parts[2]}, nil
		}}
	return pageOf(in.Paging, keys, func(after *reports.DifferenceKey, limit int) ([]store.ComparedDifference, error) {
		return rd.ComparedDifferences(ctx, in.Number, orZero(after), limit)
	}, func(d store.ComparedDifference) (ComparedDifferenceOut, error) {
		return ComparedDifferenceOut{Kind: string(d.Kind), Account: string(d.Account), Asset: d.Asset.Symbol,
			Ours: d.Asset.Format(d.Ours), Theirs: d.Asset.Format(d.Theirs),
			Missing: ledger.FormatBig(d.Missing(), d.Asset.Scale), Cause: string(d.Cause.Kind), Entry: d.Cause.Entry,
			EntryAt: instantIf(d.Cause.At), More: d.Cause.More}, nil
	})
}

func (wr writer) compare(ctx context.Context, in *struct{ Body comparisonIn }) (*answer[ComparisonOut], error) {
	if err := wr.books.CheckRequests(ctx); err != nil {
		return nil, err
	}
	day, chosen, err := wr.comparable(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	figures, err := in.Body.figures(chosen)
	if err != nil {
		return nil, err
	}
	c, err := comparison.Sent.Make(ctx, wr.Reports, day, chosen,
		func(context.Context, staking.Day, map[string]ledger.Asset) (reconcile.Figures, error) {
			return figures, nil
		})
	if err == nil {
		c.Source = store.FromRequest
		c, err = wr.books.AddComparison(ctx, c)
	}
	return reply(showComparison(c), err)
}

// comparable are the day and the tokens that are to be compared.
func (rd reader) comparable(ctx context.Context, in comparisonIn) (day staking.Day, chosen map[string]ledger.Asset,
	err error) {
	chosen = map[string]ledger.Asset{}
	for _, symbol := range in.Assets {
		if chosen[symbol], err = rd.Asset(ctx, symbol); err != nil {
			return 0, nil, ledger.At("assets", err)
		}
	}
	if in.Day != "" {
		if day, err = staking.ParseDay(in.Day); err != nil {
			return 0, nil, ledger.At("day", err)
		}
	}
	days, err := rd.Comparable(ctx, false)
	if err != nil {
		return 0, nil, err
	}
	for _, d := range days { // the latest first
		for _, symbol := range d.Tokens {
			named := slices.Contains(in.Assets, symbol)
			switch {
			case len(in.Assets) == 0 && (in.Day == "" && d.Day == days[0].Day || in.Day != "" && day <= d.Day):
				if chosen[symbol], err = rd.Asset(ctx, symbol); err != nil {
					return 0, nil, err
				}
			case !named:
				continue
			}
			if in.Day == "" {
				day = d.Day
			}
		}
	}
	if len(chosen) == 0 || day == 0 {
		return 0, nil, ledger.ErrInvalid.In("day", "no day is closed yet at whose end anything can be compared")
	}
	return day, chosen, nil
}

// figures are what the other ledger says.
func (in comparisonIn) figures(assets map[string]ledger.Asset) (reconcile.Figures, error) {
	f := reconcile.NewReader(assets)
	for i, b := range in.Balances {
		if err := f.AddBalance(b.Account, b.Asset, b.Amount); err != nil {
			return reconcile.Figures{}, ledger.At(fmt.Sprintf("balances[%d]", i), err)
		}
	}
	for i, p := range in.Payouts {
		if err := f.AddPayout(p.Account, p.Asset, p.Amount); err != nil {
			return reconcile.Figures{}, ledger.At(fmt.Sprintf("payouts[%d]", i), err)
		}
	}
	figures, err := f.Figures()
	figures.Position, figures.WithPayouts = ledger.Clip(in.Position), in.Payouts != nil
	if err == nil && in.At != "" {
		figures.At, err = parseTime(in.At)
		err = ledger.At("at", err)
	}
	return figures, err
}

func (wr writer) resolveBreak(ctx context.Context, in *breakIn) (*answer[breakOut], error) {
	repeated, err := wr.books.ResolveBreak(ctx, store.BreakResolution{Number: in.Number, Asset: in.Body.Asset,
		Reason: in.Body.Reason})
	return reply(breakOut{in.Number, in.Body.Asset, repeated}, err)
}
