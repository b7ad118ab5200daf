package api

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type runsOut struct {
	FirstOpen string     `json:"firstOpen" format:"date" example:"2026-11-22" doc:"The first day that takes entries."`
	Factor    bool       `json:"withdrawalFactor" example:"true" doc:"Whether holders withdraw with a second factor only: a passkey or an authenticator app."`
	FourEyes  bool       `json:"fourEyes" example:"true" doc:"Whether what moves money out or changes terms needs a second person. false: single operator mode."`
	Tokens    []runToken `json:"tokens" doc:"Each token, by symbol."`

	Expiring []expiringToken `json:"expiringTokens" doc:"Bearer tokens of staff and of back ends that end within 14 days, the first to end first; at most 100."`

	Unlimited []unlimitedToken `json:"unlimitedTokens" doc:"Bearer tokens of back ends that have no ceilings of a day, the oldest first; at most 100."`
	Missing   []missingLimits  `json:"missingLimits" doc:"The limits of tokens that are not set, by symbol."`
}

type unlimitedToken struct {
	ID    string `json:"id" example:"4Fq0aT7bW2xK" doc:"The token's ID, which follows sst_ in it."`
	Label string `json:"label" example:"back end" doc:"What it is for."`
}

type missingLimits struct {
	Asset  string   `json:"asset" example:"BNB" doc:"Symbol."`
	Limits []string `json:"limits" example:"[\"apr\",\"inflow\"]" doc:"Which: of total, change, withdrawal (with four eyes only), apr and inflow."`
}

type expiringToken struct {
	ID      string `json:"id" example:"4Fq0aT7bW2xK" doc:"The token's ID, which follows sst_ in it."`
	Label   string `json:"label" example:"back end" doc:"What it is for."`
	Expires string `json:"expires" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it ends."`
}

type runToken struct {
	Asset       string `json:"asset" example:"BNB" doc:"Symbol."`
	PaidThrough string `json:"paidThrough,omitempty" format:"date" example:"2026-11-21" doc:"The last day that is settled. Absent before the first."`
	Waiting     string `json:"waiting,omitempty" doc:"What its next day waits for, as a sentence. It is paid automatically when that is there."`
	PoolOut
	Undivided []daysOut `json:"undivided" doc:"Its days in the mode share that are over and wait for income."`
}

type daysOut struct {
	First string `json:"first" format:"date" example:"2026-11-20" doc:"The first of some days that follow one another."`
	Last  string `json:"last" format:"date" example:"2026-11-21" doc:"The last of them."`
}

type previewOut struct {
	Asset     string  `json:"asset" example:"BNB" doc:"Symbol."`
	Day       string  `json:"day" format:"date" example:"2026-11-21" doc:"Its oldest day that is over and not settled."`
	Declared  bool    `json:"declared" doc:"Whether the total is declared, and being paid."`
	Holders   int64   `json:"holders" example:"1200" doc:"How many would be paid."`
	Total     string  `json:"total" example:"1.25" doc:"What they would be paid together, in whole tokens."`
	Average   string  `json:"average" example:"10.5" doc:"The mean of their average holdings, rounded down."`
	Before    *string `json:"before" example:"1.24" doc:"The total of the day before; null: there is none."`
	Pool      string  `json:"pool" example:"1000" doc:"What there is to pay it from."`
	Verdict   string  `json:"verdict,omitempty" doc:"Why it would wait, as a sentence. Absent: it would be paid."`
	LateUntil string  `json:"lateUntil,omitempty" format:"date-time" example:"2026-11-22T02:00:00.000Z" doc:"Until then the day takes late entries, which may change these figures, and is not paid. Absent: it takes none."`
}

// openOut is the open day so far.
type openOut struct {
	Day    string      `json:"day" format:"date" example:"2026-11-22" doc:"The open day."`
	At     string      `json:"at" format:"date-time" example:"2026-11-22T17:30:00.000Z" doc:"The moment of the figures."`
	Tokens []openToken `json:"tokens" doc:"Each token on offer, by symbol."`
}

type openToken struct {
	Asset   string  `json:"asset" example:"BNB" doc:"Symbol."`
	Holders int64   `json:"holders" example:"1200" doc:"How many would be paid."`
	Total   string  `json:"total" example:"1.25" doc:"What they would be paid together, in whole tokens."`
	Average string  `json:"average" example:"10.5" doc:"The mean of their average holdings, rounded down."`
	Before  *string `json:"before" example:"1.24" doc:"The total of the day before, declared or so far; null: it is not known."`
	Pool    string  `json:"pool" example:"1000" doc:"What there is to pay from."`
	Owed    string  `json:"owed" example:"0" doc:"What the days before it need that are over and not declared, a week at most."`
	Missing string  `json:"missing" example:"0" doc:"What the pool lacks for these days and the open one."`
	Over    string  `json:"needsApproval,omitempty" doc:"Which limit its total exceeds, as a sentence: it will need approval. Absent: none."`
	Partial bool    `json:"partial" doc:"Whether days before that week are not paid either, and not in these figures."`
}

type previewsOut struct {
	Items []previewOut `json:"items" doc:"Each token with a day that is over and not settled, by symbol."`
	Open  openOut      `json:"open" doc:"An estimate of the open day: as if no balance changed any more until its end."`
}

type dayOut struct {
	Day     string `json:"day" format:"date" example:"2026-11-21" doc:"The day that was measured."`
	Asset   string `json:"asset" example:"BNB" doc:"Symbol."`
	Holders int64  `json:"holders" example:"1200" doc:"How many are paid."`
	Total   string `json:"total" example:"1.25" doc:"What they are paid together, in whole tokens."`
}

type DueOut struct {
	Asset string `json:"asset" maxLength:"20" example:"BNB" doc:"Symbol."`
	Day   string `json:"day" format:"date" example:"2026-11-21" doc:"Day that is over."`
}

// approveDay is a token's day as it is sent.
type approveDay DueOut

type waitingOut struct {
	DueOut
	Reason string `json:"reason" doc:"What it waits for, as a sentence."`
}

type reportOut struct {
	Closed  string       `json:"closed" format:"date" example:"2026-11-21" doc:"The last day that takes no entries any more."`
	Paid    []DueOut     `json:"paid" doc:"What was paid by this run, by day and token."`
	Waiting []waitingOut `json:"waiting" doc:"What waits, by token. Its later days wait behind it."`
}

func (s *server) runRoutes() {
	get(s, "/v1/runs/status", staff, reader.runStatus,
		about("get-run-status", "Operation", "Read how far the runs are",
			"The first day that takes entries, and for each token the last day that is settled and what its "+
				"next one waits for."))
	get(s, "/v1/runs/preview", staff, reader.preview, about("preview-run", "Operation", "Preview the next run",
		"What each token's oldest day that is over and not settled would pay, "+
			"and what the open day would pay so far, compared with the pool and the limits. Nothing is written and "+
			"no day is closed: entries may still change it. It measures every holding, so it may take long."),
		slow)
	get(s, "/v1/runs/days", staff, reader.runDays,
		about("list-run-days", "Operation", "List what days have paid",
			"The declared totals of some days, by day and token."))
	change(s, "POST /v1/runs", does("day close"), writer.run, about("run", "Operation", "Run now",
		"Settles every day that is over and not settled, as the server does by itself. "+
			"It is idempotent: repeated, concurrent and late runs pay the same. The answer may take long; "+
			"if it is lost, run again."), slow)
	change(s, "POST /v1/runs/approvals", does(control.ApproveDay), writer.approveDay,
		about("approve-day", "Operation", "Approve a day that is over a limit",
			"Approves a token's day whose total a run has worked out: the next run pays it despite its limits. "+
				"Repeating has no further effect, until the day is declared.", 404))
}

func (rd reader) runStatus(ctx context.Context, _ *struct{}) (*answer[runsOut], error) {
	open, err := rd.FirstOpen(ctx)
	if err != nil {
		return nil, err
	}
	statuses, err := rd.TokenStatus(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := shown(statuses, func(st reports.TokenStatus) (runToken, error) {
		pool, err := rd.pool(ctx, st)
		out := runToken{
			Asset: st.Asset, PaidThrough: rd.since(st.PaidThrough), Waiting: textOf(st.Waiting), PoolOut: pool,
			Undivided: []daysOut{},
		}
		for _, u := range st.Undivided {
			out.Undivided = append(out.Undivided, daysOut{u.First.String(), u.Last.String()})
		}
		return out, err
	})
	if err != nil {
		return nil, err
	}
	out := runsOut{FirstOpen: open.String(), Tokens: tokens, Expiring: []expiringToken{},
		Unlimited: []unlimitedToken{}, Missing: []missingLimits{}}
	if out.Factor, err = rd.NeedsFactor(ctx); err != nil {
		return nil, err
	}
	if out.FourEyes, err = rd.FourEyes(ctx); err != nil {
		return nil, err
	}
	return reply(out, rd.addGuards(ctx, &out))
}

// addGuards adds what is to be said of tokens and limits.
func (rd reader) addGuards(ctx context.Context, out *runsOut) error {
	expiring, err := rd.source.People().ExpiringTokens(ctx)
	if err != nil {
		return err
	}
	for _, k := range expiring {
		out.Expiring = append(out.Expiring, expiringToken{k.ID, k.Label, ledger.FormatTime(k.Expires)})
	}
	unlimited, err := rd.source.People().UnlimitedTokens(ctx)
	if err != nil {
		return err
	}
	for _, k := range unlimited {
		out.Unlimited = append(out.Unlimited, unlimitedToken{k.ID, k.Label})
	}
	missing, err := rd.MissingLimits(ctx)
	for _, m := range missing {
		out.Missing = append(out.Missing, missingLimits(m))
	}
	return err
}

func (rd reader) preview(ctx context.Context, _ *struct{}) (*answer[previewsOut], error) {
	previews, err := rd.Preview(ctx)
	if err != nil {
		return nil, err
	}
	items, err := shown(previews, func(p reports.Preview) (previewOut, error) {
		a, err := rd.Asset(ctx, p.Asset)
		return previewOut{
			Asset: p.Asset, Day: p.Day.String(), Declared: p.Declared, Holders: p.Holders, Total: a.Format(p.Total),
			Average: a.Format(p.Average), Before: knownAs(p.BeforeKnown, a.Format(p.Before)), Pool: a.Format(p.Pool),
			Verdict: textOf(p.Verdict), LateUntil: instantIf(p.LateUntil),
		}, err
	})
	if err != nil {
		return nil, err
	}
	open, err := rd.previewOpen(ctx)
	return reply(previewsOut{items, open}, err)
}

func (rd reader) previewOpen(ctx context.Context) (openOut, error) {
	now := rd.now()
	out := openOut{Day: staking.DayOf(now).String(), At: instant(now)}
	previews, err := rd.PreviewOpen(ctx)
	if err != nil {
		return out, err
	}
	if len(previews) > 0 {
		out.Day, out.At = previews[0].Day.String(), instant(previews[0].At)
	}
	out.Tokens, err = shown(previews, func(p reports.OpenPreview) (openToken, error) {
		a, err := rd.Asset(ctx, p.Asset)
		return openToken{
			Asset: p.Asset, Holders: p.Holders, Total: a.Format(p.Total), Average: a.Format(p.Average),
			Before: knownAs(p.BeforeKnown, a.Format(p.Before)), Pool: a.Format(p.Pool), Owed: a.Format(p.Owed),
			Missing: a.Format(p.Missing), Over: p.Over, Partial: p.Partial,
		}, err
	})
	return out, err
}

type runDaysIn struct {
	DaysIn
	Paging
}

func (rd reader) runDays(ctx context.Context, in *runDaysIn) (*answer[list[dayOut]], error) {
	from, to, err := rd.period(in.DaysIn)
	if err != nil {
		return nil, err
	}
	keys := keyset[reports.DayTotal, reports.DayTotal]{
		2, func(t reports.DayTotal) []string { return []string{t.Day.String(), t.Asset} },
		func(parts []string) (reports.DayTotal, error) {
			day, err := staking.ParseDay(parts[0])
			return reports.DayTotal{Day: day, Asset: parts[1]}, err
		},
	}
	return pageOf(in.Paging, keys, func(after *reports.DayTotal, _ int) ([]reports.DayTotal, error) {
		if after != nil {
			from = after.Day
		}
		totals, err := rd.DayTotals(ctx, from, to)
		for after != nil && len(totals) > 0 && totals[0].Day == after.Day && totals[0].Asset <= after.Asset {
			totals = totals[1:]
		}
		return totals, err
	}, func(t reports.DayTotal) (dayOut, error) {
		a, err := rd.Asset(ctx, t.Asset)
		return dayOut{t.Day.String(), t.Asset, t.Holders, a.Format(t.Total)}, err
	})
}

// runWorkers is how many batches of a run are worked on at the same time: while one waits for the disk, another works.
const runWorkers = 2

func (wr writer) run(ctx context.Context, _ *struct{}) (*answer[reportOut], error) {
	// the server's own run, at the same time, begins at 0
	o := staking.Options{Workers: runWorkers, Start: ledger.Buckets / 2}
	report, err := staking.Run(ctx, wr.books, wr.now(), o)
	if err != nil {
		return nil, err
	}
	out := reportOut{
		Closed: report.Closed.String(), Paid: make([]DueOut, len(report.Paid)),
		Waiting: make([]waitingOut, len(report.Waiting)),
	}
	for i, d := range report.Paid {
		out.Paid[i] = DueOut{d.Asset, d.Day.String()}
	}
	for i, w := range report.Waiting {
		out.Waiting[i] = waitingOut{DueOut{w.Asset, w.Day.String()}, textOf(w.Reason)}
	}
	return reply(out, nil)
}

// textOf is why something waits, as a sentence; "" where nothing does.
func textOf(waits error) string {
	if waits == nil {
		return ""
	}
	return waits.Error()
}

func (wr writer) approveDay(ctx context.Context, in *struct{ Body approveDay }) (*none, error) {
	day, err := staking.ParseDay(in.Body.Day)
	if err != nil {
		return nil, ledger.At("day", err)
	}
	return nil, wr.books.Approve(ctx, day, in.Body.Asset)
}

type PoolOut struct {
	Pool     string `json:"pool" example:"1000" doc:"What there is to pay rewards from, in whole tokens."`
	Reserved string `json:"reserved" example:"0" doc:"What of it is reserved for income and campaigns that are not distributed: it cannot be taken out."`
	LastPaid string `json:"lastTotal" example:"1.25" doc:"What the last declared day pays."`
	DaysLeft *int64 `json:"daysLeft" example:"800" doc:"For how many such days the pool lasts; null: not known."`
}

type fundsOut struct {
	Pools []fundedOut `json:"pools" doc:"What rewards are paid from, each token's, by symbol."`
	House []houseOut  `json:"house" doc:"What the house accounts have: @custody is the outside world and below zero by what all others have, @desk the other side of conversions, @payable what is declared and not yet paid, @rewards the pools, @fees the operator's share of staking income."`
}

type fundedOut struct {
	Asset string `json:"asset" example:"BNB" doc:"Symbol."`
	PoolOut
}

type houseOut struct {
	Account ledger.Account `json:"account" example:"@custody" doc:"House account."`
	Asset   string         `json:"asset" example:"BNB" doc:"Symbol."`
	Balance string         `json:"balance" example:"-12000.5" doc:"In whole tokens."`
}

type fundIn struct {
	Body struct {
		ID        string `json:"id" minLength:"1" maxLength:"123" example:"2026-11-22-1" doc:"The caller's name of this funding, unique forever: repeating it has no further effect."`
		Asset     string `json:"asset" maxLength:"20" example:"BNB" doc:"Symbol."`
		Amount    string `json:"amount" maxLength:"40" example:"1000" doc:"In whole tokens, above zero."`
		Direction string `json:"direction" enum:"in,out" example:"in" doc:"in: into the pool, from staking income; out: a surplus out of it."`
	}
}

func (s *server) fundRoutes() {
	get(s, "/v1/funds", staff, reader.funds, about("get-funds", "Operation", "Read the house's money",
		"The pools that rewards are paid from, with how long each lasts, "+
			"and the balances of the house accounts."))
	change(s, "POST /v1/funds", does(control.Fund), writer.fund,
		about("fund", "Operation", "Fund a pool, or take out of it",
			"A day that waits for funds is paid automatically when they are there.", 404, 409))
}

func (rd reader) funds(ctx context.Context, _ *struct{}) (*answer[fundsOut], error) {
	statuses, err := rd.TokenStatus(ctx)
	if err != nil {
		return nil, err
	}
	house, err := rd.HouseBalances(ctx)
	if err != nil {
		return nil, err
	}
	var out fundsOut
	out.Pools, err = shown(statuses, func(st reports.TokenStatus) (fundedOut, error) {
		pool, err := rd.pool(ctx, st)
		return fundedOut{st.Asset, pool}, err
	})
	if err != nil {
		return nil, err
	}
	out.House, err = shown(house, func(h reports.HouseBalance) (houseOut, error) {
		a, err := rd.Asset(ctx, h.Asset)
		return houseOut{h.Account, h.Asset, ledger.FormatBig(h.Sum, a.Scale)}, err
	})
	return reply(out, err)
}

func (rd reader) pool(ctx context.Context, st reports.TokenStatus) (PoolOut, error) {
	a, err := rd.Asset(ctx, st.Asset)
	out := PoolOut{Pool: a.Format(st.Pool), Reserved: a.Format(st.Reserved), LastPaid: a.Format(st.LastTotal)}
	if st.DaysLeft >= 0 {
		out.DaysLeft = &st.DaysLeft
	}
	return out, err
}

func (wr writer) fund(ctx context.Context, in *fundIn) (*answer[entryOut], error) {
	b := in.Body
	amount, err := wr.positive(ctx, b.Asset, b.Amount)
	if err != nil {
		return nil, err
	}
	o, err := wr.books.Fund(ctx, b.ID, b.Asset, amount, b.Direction == "out")
	return reply(entryOut{"fund/" + b.ID, instant(o.At), instant(o.PostedAt), o.Repeated}, err)
}

// positive reads an amount of an asset that goes one way or the other.
func (rd reader) positive(ctx context.Context, symbol, text string) (ledger.Amount, error) {
	asset, err := rd.Asset(ctx, symbol)
	if err != nil {
		return 0, ledger.At("asset", err)
	}
	amount, err := asset.Parse(text)
	if err == nil && amount <= 0 {
		err = ledger.ErrInvalid.In("", "%s is not above zero; direction says which way it goes", ledger.Clip(text))
	}
	return amount, ledger.At("amount", err)
}

type AssetIn struct {
	Asset string `path:"asset" maxLength:"20" example:"BNB" doc:"Symbol of a token."`
}

type limitsOut struct {
	MaxTotal      string `json:"maxTotal" example:"1000" doc:"The most that a day may pay to all holders together, in whole tokens. 0: no limit."`
	MaxChange     string `json:"maxChange" example:"25" doc:"By how many percent a day's total may differ from the day before, up or down. 0: no limit."`
	MaxWithdrawal string `json:"maxWithdrawal" example:"200" doc:"With four eyes, from which amount on a withdrawal needs approval, at once or in parts of a day, in whole tokens. 0: no limit."`
	MaxAPR        string `json:"maxApr" example:"0.2" doc:"The highest rate a year of terms. 0: no limit."`
	MaxInflow     string `json:"maxInflow" example:"2000000" doc:"The most that entries may bring into the books on a day (UTC), in whole tokens. 0: no limit."`
}

// setLimits are limits as they are sent. The others are set at the command line and in the console, and stay.
type setLimits struct {
	MaxTotal  string `json:"maxTotal" maxLength:"40" example:"1000" doc:"The most that a day may pay to all holders together, in whole tokens. 0: no limit."`
	MaxChange string `json:"maxChange" maxLength:"20" example:"25" doc:"By how many percent a day's total may differ from the day before, up or down, with at most 2 decimals. 0: no limit."`
}

type limitsIn struct {
	AssetIn
	Body setLimits
}

// percentScale is how many decimals a limit in percent has.
const percentScale = 2

func (s *server) limitRoutes() {
	get(s, "/v1/tokens/{asset}/limits", staff, reader.tokenLimits,
		about("get-limits", "Operation", "Read a token's limits",
			"Above the first two a token's day needs approval before anything of it is paid.", 404))
	change(s, "PUT /v1/tokens/{asset}/limits", does(control.SetLimit), writer.setLimits,
		about("set-limits", "Operation", "Set a token's limits",
			"A day over a limit waits, accrued and not paid, until it is approved, "+
				"its terms are corrected or its limits are changed. The other limits stay.", 404))
}

func (rd reader) tokenLimits(ctx context.Context, in *AssetIn) (*answer[limitsOut], error) {
	asset, err := rd.Asset(ctx, in.Asset)
	if err != nil {
		return nil, err
	}
	limits, err := rd.Limits(ctx)
	limit := staking.NoLimit(asset)
	if i := slices.IndexFunc(limits, func(l staking.Limit) bool { return l.Asset == asset.Symbol }); i >= 0 {
		limit = limits[i]
	}
	return reply(limitsOut{asset.Format(limit.MaxTotal), ledger.FormatDecimal(limit.MaxChange, percentScale),
		asset.Format(limit.MaxWithdrawal), limit.MaxAPR.String(), asset.Format(limit.MaxInflow)}, err)
}

func (wr writer) setLimits(ctx context.Context, in *limitsIn) (*answer[limitsOut], error) {
	asset, err := wr.Asset(ctx, in.Asset)
	if err != nil {
		return nil, err
	}
	limits, err := wr.Limits(ctx)
	if err != nil {
		return nil, err
	}
	limit := staking.Limit{Asset: asset.Symbol}
	for _, l := range limits {
		if l.Asset == asset.Symbol {
			limit = l // what is no member of the request stays
		}
	}
	if limit.MaxTotal, err = asset.Parse(in.Body.MaxTotal); err != nil {
		return nil, ledger.At("maxTotal", err)
	}
	if limit.MaxChange, err = ledger.ParseDecimal(in.Body.MaxChange, percentScale); err != nil {
		return nil, ledger.At("maxChange", err)
	}
	if err := wr.books.SetLimit(ctx, limit); err != nil {
		return nil, err
	}
	return wr.tokenLimits(ctx, &in.AssetIn)
}

type logLineOut struct {
	At      string `json:"at" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When."`
	Actor   string `json:"actor" example:"token 4fQx81LmZp0a" doc:"Who: 'token ID', 'key KEY…', 'login EMAIL', 'operator NAME' of the command line, or 'serve' and other single words for a process. In lines of books from before this was kept: a name alone."`
	Role    string `json:"role,omitempty" example:"operator" doc:"The role: that of a token, or system. Absent: the line is from before it was kept."`
	Request string `json:"request,omitempty" example:"A7QZ3VYJ4N5KX2M6PBTCDEFGHI" doc:"The request's ID, as in the header X-Request-Id of its answer. Absent: the change came by no request."`
	Action  string `json:"action" example:"terms set" doc:"What was done."`
	Subject string `json:"subject" example:"BNB" doc:"To what: a token, an account, a document …"`
	Detail  string `json:"detail,omitempty" example:"from 2026-11-23 offered, APR 0.0015, minimum 0.5, cap 1000" doc:"In words."`
}

func (s *server) logRoutes() {
	get(s, "/v1/log", overseers, reader.logLines, about("list-log", "Operation", "Read who changed what",
		"Every change of the books, and who made it, the newest first."))
}

// mostBehind is how many lines of one moment are read past: setting prices writes 10,000 at the same moment.
const mostBehind = 1_000_000

// logKeys are those of the log: a moment, and how many lines of it were shown.
var logKeys = keyset[reports.LogPlace, reports.LogPlace]{
	2, func(l reports.LogPlace) []string { return []string{millis(l.At), strconv.Itoa(l.Seen)} },
	func(parts []string) (reports.LogPlace, error) {
		at, badTime := moment(parts[0])
		behind, badNumber := within(parts[1], 0, mostBehind)
		return reports.LogPlace{At: at, Seen: int(behind)}, errors.Join(badTime, badNumber)
	},
}

func (rd reader) logLines(ctx context.Context, in *struct{ Paging }) (*answer[list[logLineOut]], error) {
	return pageUntil(in.Paging, logKeys, func(after *reports.LogPlace) ([]store.LogLine, *reports.LogPlace, error) {
		if after == nil {
			after = &reports.LogPlace{At: rd.now().Add(24 * time.Hour)} // later than any line
		}
		lines, next, err := rd.LogPage(ctx, *after, in.Limit)
		if len(lines) < in.Limit {
			return lines, nil, err
		}
		return lines, &next, err
	}, func(l store.LogLine) (logLineOut, error) {
		return logLineOut{
			instant(l.At), l.Actor.Credential, string(l.Actor.Role), l.Actor.Request, l.Action, l.Subject, l.Detail,
		}, nil
	})
}
