package api

import (
	"context"
	"net/http"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// mayNeedApproval are the operations that may be answered with 202: what is asked for needs approval, and is
// proposed. What of a control.Operation they are, the log says.
var mayNeedApproval = []string{"post-entry", "post-adjustment", "post-adjustments", "compensate", "fund", "move-fees",
	"enter-income", "add-campaign", "add-token", "set-terms", "correct-terms", "set-limits", "approve-day", "set-prices",
	"publish-document", "add-region", "remove-region"}

// whyHeader names the header with the reason of what may become a proposal.
const whyHeader = "X-Reason"

// proposalRoutes are those of what needs approval: what was proposed, and its approval.
func (s *server) proposalRoutes() {
	get(s, "/v1/proposals", proposals, reader.proposals,
		about("list-proposals", "Operation", "List what is proposed",
			"With four eyes some operations are not carried out, and answered with 202 and a proposal: another person "+
				"approves it. The newest first."))
	get(s, "/v1/proposals/{proposal}", proposals, reader.showProposal,
		about("get-proposal", "Operation", "Read a proposal",
			"What was proposed, by whom, what it would do, and what became of it.", 404))
	change(s, "POST /v1/proposals/{proposal}/approve", does("proposal approve"), writer.approveProposal,
		about("approve-proposal", "Operation", "Approve a proposal",
			"Carries out what was proposed, exactly that and once, and says what it did. Who proposed it does not approve it, "+
				"under no credential. What it does is worked out again: where that is not what `effectDigest` is of, nothing is "+
				"done, and the problem says what it would do now. What the operation itself may be refused for, this may be. "+
				"Repeating has no further effect.", 404))
	change(s, "POST /v1/proposals/{proposal}/reject", does("proposal reject"), writer.rejectProposal,
		about("reject-proposal", "Operation", "Reject a proposal",
			"Ends a proposal: it is never carried out. Repeating has no further effect.", 404))
}

type proposalOut struct {
	ID           string `json:"id" example:"3ae05f29614f" doc:"The proposal."`
	State        string `json:"state" enum:"open,executed,rejected,expired" example:"open" doc:"What has become of it."`
	Operation    string `json:"operation" example:"fund withdraw" doc:"What is proposed, as the log calls it."`
	Subject      string `json:"subject" example:"BNB" doc:"The token, account or document it is about."`
	Effect       string `json:"effect" example:"4 as fund/f-2" doc:"What it does, as it was worked out when it was proposed."`
	EffectDigest string `json:"effectDigest" example:"7494278057d404cf13b0f897185b01f3" doc:"A digest of its content and its effect: who approves it says by this what was looked at."`
	Content      string `json:"content" example:"{\"ID\":\"f-2\",\"Asset\":\"BNB\",\"Amount\":400000000}" doc:"What it will be carried out with: the text of a JSON value, whose form may change between versions."`
	Reason       string `json:"reason,omitempty" example:"surplus of October" doc:"Why, where that is not a part of the content."`
	Proposer     string `json:"proposer" example:"token 4fQx81LmZp0a" doc:"The credential that proposed it."`
	Person       string `json:"proposerPerson,omitempty" example:"olga" doc:"Whose that is. Absent: a back end's."`
	Made         string `json:"made" format:"date-time" example:"2026-11-22T10:00:00.000Z" doc:"When."`
	Expires      string `json:"expires" format:"date-time" example:"2026-11-29T10:00:00.000Z" doc:"Until when it may be approved."`
	Decided      string `json:"decided,omitempty" format:"date-time" example:"2026-11-22T11:00:00.000Z" doc:"When it was executed or rejected. Absent: it is not."`
	DecidedBy    string `json:"decidedBy,omitempty" example:"operator bob" doc:"By which credential."`
	Decider      string `json:"decidedByPerson,omitempty" example:"bob" doc:"Whose that is."`
	Done         string `json:"done,omitempty" example:"4 as fund/f-2" doc:"What it did, where it was executed."`
	Rejection    string `json:"rejection,omitempty" example:"not this month" doc:"Why it was rejected."`
}

func showProposal(p control.Proposal, now time.Time) proposalOut {
	return proposalOut{
		ID: p.ID, State: string(p.State(now)), Operation: string(p.Operation), Subject: p.Subject, Effect: p.Effect,
		EffectDigest: p.EffectDigest(), Content: p.Shown(), Reason: p.Reason, Proposer: p.Proposer.Credential,
		Person: p.Proposer.Person, Decider: p.Decision.By.Person,
		Made: instant(p.Made), Expires: instant(p.Expires), Decided: instantIf(p.Decision.At),
		DecidedBy: p.Decision.By.Credential, Done: p.Decision.Effect, Rejection: p.Decision.Reason,
	}
}

// propose answers a request that needs approval: with 202 and the proposal that it becomes.
func (s *server) propose(w http.ResponseWriter, r *http.Request, needed *control.Needed) (final bool, err error) {
	actor := token(r.Context()).Actor().In(access.CallerOf(r.Context()).Request)
	p, err := s.Books.As(actor).Propose(r.Context(), needed.Draft, r.Header.Get(whyHeader))
	if err != nil {
		return false, ledger.At(whyHeader, ledger.Inside("reason", err))
	}
	w.Header().Set("Location", "/v1/proposals/"+p.ID)
	return sendJSON(w, http.StatusAccepted, showProposal(p, s.Now()))
}

type proposalsIn struct {
	Paging
	State   string `query:"state" enum:"open,executed,rejected,expired,all" default:"open" doc:"Which of them."`
	Account string `query:"account" maxLength:"128" example:"alice" doc:"Those that would change this holder's account or post an entry with one of its balances. Absent: all."`
	Entry   string `query:"entry" maxLength:"168" example:"a-2026-11-22" doc:"Those that would post the entry of this ID, alone or among others. Absent: all."`
}

func (rd reader) proposals(ctx context.Context, in *proposalsIn) (*answer[list[proposalOut]], error) {
	keys := keyset[control.Proposal, control.Proposal]{
		2, func(p control.Proposal) []string { return []string{millis(p.Made), p.ID} },
		func(parts []string) (control.Proposal, error) {
			made, err := moment(parts[0])
			return control.Proposal{Made: made, ID: parts[1]}, err
		},
	}
	state := control.State(in.State)
	if in.State == "all" {
		state = ""
	}
	return pageOf(in.Paging, keys, func(after *control.Proposal, limit int) ([]control.Proposal, error) {
		return rd.Proposals(ctx, orZero(after), store.ProposalsAsked{State: state, Account: ledger.Account(in.Account),
			Entry: in.Entry}, limit)
	}, func(p control.Proposal) (proposalOut, error) { return showProposal(p, rd.now()), nil })
}

type ProposalIn struct {
	Proposal string `path:"proposal" maxLength:"12" example:"3ae05f29614f" doc:"The proposal."`
}

func (rd reader) showProposal(ctx context.Context, in *ProposalIn) (*answer[proposalOut], error) {
	p, err := rd.Proposal(ctx, in.Proposal)
	return reply(showProposal(p, rd.now()), err)
}

type approveProposalIn struct {
	ProposalIn
	Body struct {
		EffectDigest string `json:"effectDigest" minLength:"32" maxLength:"32" example:"7494278057d404cf13b0f897185b01f3" doc:"Of what you have looked at."`
	}
}

func (wr writer) approveProposal(ctx context.Context, in *approveProposalIn) (*answer[proposalOut], error) {
	p, err := wr.books.ApproveProposal(ctx, in.Proposal, in.Body.EffectDigest)
	return reply(showProposal(p, wr.now()), err)
}

type rejectProposalIn struct {
	ProposalIn
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"200" example:"not this month" doc:"Why; it is kept with the proposal and in the log."`
	}
}

func (wr writer) rejectProposal(ctx context.Context, in *rejectProposalIn) (*answer[proposalOut], error) {
	p, err := wr.books.RejectProposal(ctx, in.Proposal, in.Body.Reason)
	return reply(showProposal(p, wr.now()), err)
}
