package api

import (
	"context"
	"fmt"
	"slices"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/strictjson"
)

// mostExclusions is how many rows a batch has at most.
const mostExclusions = 10_000

// ExclusionIn is what is excluded, or whose exclusion ends, of an account that is named elsewhere.
type ExclusionIn struct {
	Asset   string  `json:"asset,omitempty" maxLength:"20" example:"BNB" doc:"Symbol. Without it: every token of the account."`
	Product string  `json:"product" minLength:"1" maxLength:"40" example:"Launchpool" doc:"The product that has priority, as the holder reads it."`
	From    *string `json:"from,omitempty" nullable:"false" format:"date" example:"2026-11-22" doc:"The first day that is not measured, at the earliest today. Without it: today. An end has none."`
	Until   *string `json:"until,omitempty" nullable:"false" format:"date" example:"2026-11-29" doc:"The first day that is measured again. Without it there is no end to come, and what ends does so tomorrow; at the earliest it ends today."`
	End     bool    `json:"end,omitempty" doc:"End the product's exclusions of the token instead, from the day until on."`
}

type excludeIn struct {
	AccountIn
	Body ExclusionIn
}

type exclusionRowIn struct {
	Account string `json:"account" minLength:"1" maxLength:"128" example:"alice" doc:"The account."`
	ExclusionIn
}

type exclusionBatchIn struct {
	Exclusions []exclusionRowIn `json:"exclusions" minItems:"1" maxItems:"10000" doc:"What is excluded, or ends, in this order."`
}

type exclusionOut struct {
	Account string `json:"account" example:"alice" doc:"The account."`
	Asset   string `json:"asset,omitempty" example:"BNB" doc:"Symbol. Absent: every token of the account."`
	Product string `json:"product" example:"Launchpool" doc:"The product that has priority."`
	From    string `json:"from" format:"date" example:"2026-11-22" doc:"The first day that is not measured."`
	Until   string `json:"until,omitempty" format:"date" example:"2026-11-29" doc:"The first day that is measured again; the same as from where it was ended before it began. Absent: no end is known."`
	SetAt   string `json:"setAt" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When it was set last."`
	SetBy   string `json:"setBy,omitempty" example:"token t-1" doc:"The credential of who set it. Absent for the holder."`
}

// The results of a row of a batch, beside repeated and refused.
const statusSet = "set"

type exclusionStatusOut struct {
	Index   int           `json:"index" example:"0" doc:"Its index in the batch, from 0."`
	Account string        `json:"account" example:"alice" doc:"The account; empty where none could be read."`
	Status  string        `json:"status" enum:"set,repeated,refused" doc:"set: it is excluded, or that is ended; repeated: it was so before; refused: nothing of it is written."`
	From    string        `json:"from,omitempty" format:"date" example:"2026-11-22" doc:"The first day that is not measured. Absent where it is refused, or nothing was to be ended."`
	Until   string        `json:"until,omitempty" format:"date" example:"2026-11-29" doc:"The first day that is measured again. Absent where it is refused, or no end is known."`
	Problem *entryProblem `json:"problem,omitempty" doc:"Why it is refused."`
}

type exclusionBatchOut struct {
	Exclusions []exclusionStatusOut `json:"exclusions" doc:"The result of each row, in the order of the request."`
}

// retryable reports whether a row was refused that may be taken later.
func (b exclusionBatchOut) retryable() bool {
	return slices.ContainsFunc(b.Exclusions,
		func(e exclusionStatusOut) bool { return e.Problem.retryable() })
}

// ExclusionsIn says which exclusions are listed.
type ExclusionsIn struct {
	From string `query:"from" format:"date" example:"2026-11-22" doc:"List those that cover this day or a later one; 1970-01-01 lists all that there ever were. Without it: today."`
	Paging
}

type accountExclusionsIn struct {
	AccountIn
	ExclusionsIn
}

func (s *server) exclusionRoutes() {
	const days = "Whole UTC days are excluded: today at the earliest, so that a day that is over never changes. " +
		"What ends tomorrow, as it does without a day, leaves today not measured. " +
		"Several products may have the same days; the one that began first is named. " +
		"Repeating has no further effect."
	get(s, "/v1/accounts/{account}/exclusions", oneHolder, reader.accountExclusions,
		about("list-account-exclusions", "Soft Staking", "List what is not measured of an account",
			"The days on which another product has the account or one of its tokens."))
	get(s, "/v1/exclusions", allHolders, reader.listExclusions,
		about("list-exclusions", "Soft Staking", "List what is not measured",
			"The exclusions of all accounts, in an order that never changes."))
	change(s, "POST /v1/accounts/{account}/exclusions", does("exclude add"), writer.exclude,
		about("exclude", "Soft Staking", "Exclude an account, or one of its tokens",
			"Another product has priority, such as a launchpool, and what the account has is not measured. "+days))
	change(s, "POST /v1/exclusions", does("exclude add"), writer.excludeBatch,
		about("exclude-batch", "Soft Staking", "Exclude many accounts",
			fmt.Sprintf("As `exclude` does, 1 to %d rows in a body of at most 8 MiB. "+
				"Each row is taken or refused by itself, and the answer has the result of each, in the same order. "+
				"A batch whose answer was lost is sent again as it is. ", mostExclusions)+days),
		takes[exclusionBatchIn]("The rows."), upTo(largeBody))
}

func (rd reader) listExclusions(ctx context.Context, in *ExclusionsIn) (*answer[list[exclusionOut]], error) {
	return rd.exclusions(ctx, "", *in)
}

func (rd reader) accountExclusions(ctx context.Context, in *accountExclusionsIn) (*answer[list[exclusionOut]], error) {
	return rd.exclusions(ctx, in.id(), in.ExclusionsIn)
}

// exclusions lists those of an account, or of all.
func (rd reader) exclusions(ctx context.Context, id ledger.Account,
	in ExclusionsIn) (*answer[list[exclusionOut]], error) {
	keys := keyset[reports.Exclusion, reports.Exclusion]{
		4, func(e reports.Exclusion) []string {
			return []string{string(e.Account), e.Asset, e.Product, e.From.String()}
		},
		func(parts []string) (last reports.Exclusion, err error) {
			last.Account, last.Asset, last.Product = ledger.Account(parts[0]), parts[1], parts[2]
			if last.From, err = staking.ParseDay(parts[3]); err == nil {
				err = last.Account.CheckHolder()
			}
			return last, err
		},
	}
	asked := reports.ExclusionsAsked{Account: id, Ending: staking.DayOf(rd.now())}
	if in.From != "" {
		from, err := staking.ParseDay(in.From)
		if err != nil {
			return nil, ledger.At("from", err)
		}
		asked.Ending = from
	}
	return pageOf(in.Paging, keys, func(after *reports.Exclusion, limit int) ([]reports.Exclusion, error) {
		return rd.Exclusions(ctx, asked, orZero(after), limit)
	}, func(e reports.Exclusion) (exclusionOut, error) { return showExclusion(ctx, e), nil })
}

func showExclusion(ctx context.Context, e reports.Exclusion) exclusionOut {
	out := exclusionOut{
		Account: string(e.Account), Asset: e.Asset, Product: e.Product, From: e.From.String(), Until: endOf(e.Exclusion),
		SetAt: instant(e.SetAt), SetBy: e.SetBy,
	}
	if token(ctx).Role == access.Holder {
		out.SetBy = ""
	}
	return out
}

// endOf is the first day that is measured again, or "".
func endOf(e staking.Exclusion) string {
	if e.Until == staking.Forever {
		return ""
	}
	return e.Until.String()
}

func (wr writer) exclude(ctx context.Context, in *excludeIn) (*answer[exclusionStatusOut], error) {
	r, err := in.Body.request(in.Account)
	if err != nil {
		return nil, err
	}
	outcomes, err := wr.books.Exclude(ctx, []store.ExclusionRequest{r})
	if err != nil {
		return nil, err
	}
	if outcomes[0].Err != nil {
		return nil, outcomes[0].Err
	}
	out := exclusionStatusOut{Account: in.Account}
	out.show(outcomes[0])
	return reply(out, nil)
}

// show is what became of a row that was taken.
func (out *exclusionStatusOut) show(o store.ExclusionOutcome) {
	out.Status, out.Until = statusSet, endOf(o.Exclusion)
	if o.Repeated {
		out.Status = statusRepeated
	}
	if o.Exclusion.From > 0 {
		out.From = o.Exclusion.From.String()
	}
}

func (wr writer) excludeBatch(ctx context.Context, _ *struct{}) (*answer[exclusionBatchOut], error) {
	texts, err := elements(requestOf(ctx).body, "exclusions", mostExclusions, &exclusionBatchIn{})
	if err != nil {
		return nil, err
	}
	out := exclusionBatchOut{Exclusions: make([]exclusionStatusOut, len(texts))}
	requests, rows := make([]store.ExclusionRequest, 0, len(texts)), make([]*exclusionStatusOut, 0, len(texts))
	for i, text := range texts {
		r, err := readExclusion(text, i)
		row := &out.Exclusions[i]
		*row = exclusionStatusOut{Index: i, Account: string(r.Account), Status: statusRefused}
		if err != nil {
			row.Problem = wr.rowProblem(ctx, err)
			continue
		}
		requests, rows = append(requests, r), append(rows, row)
	}
	outcomes, err := wr.books.Exclude(ctx, requests)
	if err != nil {
		return nil, err
	}
	for i, o := range outcomes {
		if o.Err != nil {
			rows[i].Problem = wr.rowProblem(ctx, o.Err)
			continue
		}
		rows[i].show(o)
	}
	return reply(out, nil)
}

// readExclusion reads the text of a row. Of one that cannot be read it has the account, where
// that can be read.
func readExclusion(text []byte, i int) (store.ExclusionRequest, error) {
	var in exclusionRowIn
	if err := strictjson.Decode(text, &in); err != nil {
		account := ledger.Account(textIn(text, "account"))
		return store.ExclusionRequest{Exclusion: staking.Exclusion{Account: account}},
			unreadable("exclusions", i, false, err)
	}
	return in.request(in.Account)
}

// request is a row as the books take it. Its errors are ledger.ErrInvalid, in their field.
func (in ExclusionIn) request(account string) (r store.ExclusionRequest, err error) {
	r.Account, r.Asset, r.Product, r.End = ledger.Account(account), in.Asset, in.Product, in.End
	if in.From != nil && in.End {
		return r, ledger.ErrInvalid.In("from", "an end has no from: it is of all days from until on")
	}
	for _, day := range []struct {
		field string
		text  *string
		to    *staking.Day
	}{{"from", in.From, &r.From}, {"until", in.Until, &r.Until}} {
		if day.text == nil {
			continue
		}
		if *day.to, err = staking.ParseDay(*day.text); err != nil {
			return r, ledger.At(day.field, err)
		}
	}
	return r, nil
}
