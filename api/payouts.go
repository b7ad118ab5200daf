package api

import (
	"context"
	"fmt"
	"slices"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/strictjson"
)

// mostAcknowledgements is the largest number of acknowledgements in a batch.
const mostAcknowledgements = 10_000

type payoutsIn struct {
	After int64 `query:"after" minimum:"0" default:"0" doc:"The number after which to read: next of the previous answer."`
	Limit int   `query:"limit" minimum:"1" maximum:"10000" default:"1000" doc:"How many at most."`
}

type PayoutOut struct {
	Number  int64  `json:"number" example:"4711" doc:"Its number, which grows by the order in which payouts are paid. It is read by it; credit it by its ID."`
	ID      string `json:"id" example:"reward/2026-11-21/BNB/alice" doc:"The ID of the reward's or the compensation's entry. It never changes: credit each ID once."`
	Day     string `json:"day" format:"date" example:"2026-11-21" doc:"The day that was measured."`
	Asset   string `json:"asset" example:"BNB" doc:"Symbol."`
	Account string `json:"account" example:"alice" doc:"Whom to credit."`
	Amount  string `json:"amount" example:"0.00000879" doc:"What to credit, in whole tokens; above zero."`
	PaidAt  string `json:"paidAt" format:"date-time" example:"2026-11-22T00:05:01.000Z" doc:"When these books paid it."`
}

type payoutBatchOut struct {
	First int64  `json:"first" example:"4711" doc:"The number of its first payout."`
	Last  int64  `json:"last" example:"4760" doc:"The number of its last one. Numbers between are dense."`
	Day   string `json:"day" format:"date" example:"2026-11-21" doc:"The day that was measured."`
	Asset string `json:"asset" example:"BNB" doc:"Symbol."`
	Total string `json:"total" example:"0.0125" doc:"The sum of its amounts, in whole tokens."`
}

type payoutsOut struct {
	Payouts []PayoutOut      `json:"payouts" doc:"By number."`
	Batches []payoutBatchOut `json:"batches" doc:"The batches that they are of: with each, check what was credited for it. A batch may begin on the page before and end on the next."`
	Next    int64            `json:"next" example:"5710" doc:"Give it as after to read on: the number of the last one, or after where there is none."`
	More    bool             `json:"more" example:"false" doc:"Whether there are more now."`
}

type acknowledgementIn struct {
	Payout      string `json:"payout" minLength:"1" maxLength:"256" example:"reward/2026-11-21/BNB/alice" doc:"The payout's ID."`
	Transaction string `json:"transaction,omitempty" maxLength:"200" example:"tx-88123" doc:"Your own ID of the transaction that credited it."`
	Refused     string `json:"refused,omitempty" maxLength:"200" example:"the account is closed" doc:"Why you do not credit it, instead. It may be credited later."`
}

type acknowledgementsIn struct {
	Acknowledgements []acknowledgementIn `json:"acknowledgements" minItems:"1" maxItems:"10000" doc:"The payouts that are credited or refused."`
}

// statusRecorded is the result of an acknowledgement that is kept, beside repeated and refused.
const statusRecorded = "recorded"

type acknowledgedOut struct {
	Index   int           `json:"index" example:"0" doc:"Its index in the batch, from 0."`
	Payout  string        `json:"payout" example:"reward/2026-11-21/BNB/alice" doc:"The payout's ID; empty where none could be read."`
	Status  string        `json:"status" enum:"recorded,repeated,refused" doc:"recorded: it is kept; repeated: it was so before; refused: this acknowledgement is not kept, since it contradicts what is known."`
	Problem *entryProblem `json:"problem,omitempty" doc:"Why it is refused."`
}

type acknowledgementsOut struct {
	Acknowledgements []acknowledgedOut `json:"acknowledgements" doc:"The result of each, in the order of the request."`
}

// retryable reports whether one was refused that may be kept later.
func (a acknowledgementsOut) retryable() bool {
	return slices.ContainsFunc(a.Acknowledgements, func(o acknowledgedOut) bool { return o.Problem.retryable() })
}

func (s *server) payoutRoutes() {
	get(s, "/v1/payouts", allHolders, reader.payouts,
		about("list-payouts", "Payouts", "List payouts",
			"The rewards and compensations that your own ledger is to credit, by number, where `softstake payouts on` "+
				"is set. Read on with `next`; keep it in the transaction that credits what was read, "+
				"and credit each `id` once. Nothing is removed: a reader that begins again at 0 gets all of them."))
	get(s, "/v1/payouts/open", allHolders, reader.openPayouts,
		about("list-open-payouts", "Payouts", "List payouts that are not credited",
			"Those that no acknowledgement has credited, by number; `state` chooses those alone that are refused."))
	change(s, "POST /v1/payouts/acknowledgements", does("payouts answer"), writer.acknowledge,
		about("acknowledge-payouts", "Payouts", "Acknowledge payouts",
			fmt.Sprintf("Keeps of 1 to %d payouts, in a body of at most 8 MiB, that your ledger has credited them, each by "+
				"the ID of your own transaction, or why it refuses them. Each is kept or refused by itself, and the answer "+
				"has the result of each, in the same order. A payout is credited once: another transaction for it, and a "+
				"refusal of one that is credited, are a `conflict`, which a person must look at. A payout that was refused "+
				"may be credited later. Repeating has no further effect: a batch whose answer was lost is sent again as it is.",
				mostAcknowledgements)),
		takes[acknowledgementsIn]("The acknowledgements."), upTo(largeBody))
}

func (rd reader) payouts(ctx context.Context, in *payoutsIn) (*answer[payoutsOut], error) {
	page, err := rd.Payouts(ctx, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	out := payoutsOut{Payouts: []PayoutOut{}, Batches: []payoutBatchOut{}, Next: in.After, More: page.More}
	for _, p := range page.Payouts {
		shown, err := rd.showPayout(ctx, p)
		if err != nil {
			return nil, err
		}
		out.Payouts, out.Next = append(out.Payouts, shown), p.Number
	}
	for _, b := range page.Batches {
		a, err := rd.Asset(ctx, b.Due.Asset)
		if err != nil {
			return nil, err
		}
		out.Batches = append(out.Batches, payoutBatchOut{b.First, b.Last, b.Due.Day.String(), b.Due.Asset, a.Format(b.Total)})
	}
	return reply(out, nil)
}

func (rd reader) showPayout(ctx context.Context, p reports.Payout) (PayoutOut, error) {
	a, err := rd.Asset(ctx, p.Due.Asset)
	return PayoutOut{p.Number, p.ID, p.Due.Day.String(), p.Due.Asset, string(p.Account), a.Format(p.Amount),
		instant(p.Paid)}, err
}

type openPayoutsIn struct {
	PayoutsPage
	State string `query:"state" enum:"open,refused" default:"open" doc:"open: all that are not credited; refused: those alone that are refused."`
}

// PayoutsPage is the parameters of a page of payouts that are not credited.
type PayoutsPage struct {
	After int64 `query:"after" minimum:"0" default:"0" doc:"The number after which to read: that of the last one of the previous answer."`
	Limit int   `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most."`
}

type openPayoutOut struct {
	PayoutOut
	Refused    string `json:"refused,omitempty" example:"the account is closed" doc:"Why it is refused. Absent: it is not answered."`
	AnsweredAt string `json:"answeredAt,omitempty" format:"date-time" example:"2026-11-22T00:07:00.000Z" doc:"When it was refused."`
}

type openPayoutsOut struct {
	Payouts []openPayoutOut `json:"payouts" doc:"By number."`
}

func (rd reader) openPayouts(ctx context.Context, in *openPayoutsIn) (*answer[openPayoutsOut], error) {
	open, err := rd.OpenPayouts(ctx, in.After, in.Limit, in.State == "refused")
	out := openPayoutsOut{Payouts: []openPayoutOut{}}
	for _, p := range open {
		if err != nil {
			break
		}
		shown := openPayoutOut{Refused: p.Refused}
		shown.PayoutOut, err = rd.showPayout(ctx, p)
		if p.Refused != "" {
			shown.AnsweredAt = instant(p.Answered)
		}
		out.Payouts = append(out.Payouts, shown)
	}
	return reply(out, err)
}

func (wr writer) acknowledge(ctx context.Context, _ *struct{}) (*answer[acknowledgementsOut], error) {
	texts, err := elements(requestOf(ctx).body, "acknowledgements", mostAcknowledgements, &acknowledgementsIn{})
	if err != nil {
		return nil, err
	}
	out := acknowledgementsOut{Acknowledgements: make([]acknowledgedOut, len(texts))}
	var answers []store.PayoutAnswer
	var indexes []int
	for i, text := range texts {
		var in acknowledgementIn
		row := &out.Acknowledgements[i]
		if err := strictjson.Decode(text, &in); err != nil {
			*row = acknowledgedOut{Index: i, Payout: textIn(text, "payout"), Status: statusRefused,
				Problem: wr.rowProblem(ctx, unreadable("acknowledgements", i, false, err))}
			continue
		}
		*row = acknowledgedOut{Index: i, Payout: in.Payout, Status: statusRefused}
		answers, indexes = append(answers, store.PayoutAnswer(in)), append(indexes, i)
	}
	outcomes, err := wr.books.AnswerPayouts(ctx, answers)
	if err != nil {
		return nil, err
	}
	for i, o := range outcomes {
		row := &out.Acknowledgements[indexes[i]]
		switch {
		case o.Err != nil:
			row.Problem = wr.rowProblem(ctx, o.Err)
		case o.Repeated:
			row.Status = statusRepeated
		default:
			row.Status = statusRecorded
		}
	}
	return reply(out, nil)
}
