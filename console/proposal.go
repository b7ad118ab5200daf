package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
)

// pageSize is how many rows a list has.
const pageSize = 50

// listPage is a page with one list, which goes on on the next.
type listPage struct {
	*view
	About  string // what the list is narrowed to, or ""
	Table  table
	Choose []chosen // other lists of the same kind
	Next   string   // the address of the next page, or ""
}

// chosen is a list that may be chosen.
type chosen struct {
	Key  string
	Link string
	Here bool
}

var proposalStates = []string{"open", "executed", "rejected", "expired", "all"}

// proposals are what is proposed, the newest first: the open ones, or of any state those about an account or an entry.
func (v *visit) proposals() error {
	asked := store.ProposalsAsked{Account: ledger.Account(v.value("account")), Entry: v.value("entry")}
	state := v.choice("state", proposalStates)
	switch {
	case state == "" && asked == store.ProposalsAsked{}:
		state = "open"
	case state == "":
		state = "all"
	}
	if state != "all" {
		asked.State = control.State(state)
	}
	after := control.Proposal{ID: v.value("id")}
	if made, err := strconv.ParseInt(v.value("made"), 10, 64); err == nil {
		after.Made = time.UnixMilli(made)
	}
	all, err := v.Reports.Proposals(v.context(), after, asked, pageSize)
	if err != nil {
		return err
	}
	p := listPage{view: v.view("proposals.title"), Table: v.proposalTable(all),
		About: strings.TrimSpace(string(asked.Account) + " " + asked.Entry)}
	for _, s := range proposalStates {
		p.Choose = append(p.Choose, chosen{"proposal.state." + s, proposalsPath(asked, "state", s), s == state})
	}
	if n := len(all); n == pageSize {
		p.Next = proposalsPath(asked, "state", state, "id", all[n-1].ID, "made",
			strconv.FormatInt(all[n-1].Made.UnixMilli(), 10))
	}
	return v.show("list", p)
}

// proposalsPath is the list of the proposals about an account, an entry or all, with more parameters.
func proposalsPath(asked store.ProposalsAsked, more ...string) string {
	if asked.Account != "" {
		more = append(more, "account", string(asked.Account))
	}
	if asked.Entry != "" {
		more = append(more, "entry", asked.Entry)
	}
	return ui.Address(Path+"/proposals", more...)
}

// proposalsAbout are the newest proposals about an account or an entry, where the visitor's role sees proposals.
func (v *visit) proposalsAbout(asked store.ProposalsAsked) (table, error) {
	if !v.may(seesProposals) {
		return table{}, nil
	}
	all, err := v.Reports.Proposals(v.context(), control.Proposal{}, asked, shownOf)
	return v.proposalTable(all), err
}

func (v *visit) proposalTable(all []control.Proposal) table {
	t := table{Title: "proposals.title", Empty: "proposals.none", Columns: []column{{"proposal.id", false},
		{"proposal.what", false}, {"proposal.effect", false}, {"proposal.by", false}, {"proposal.until", false}}}
	p := v.view("")
	for _, one := range all {
		t.Rows = append(t.Rows, row{link(one.ID, Path+"/proposals/"+one.ID),
			{Text: string(one.Operation), Note: one.Subject}, {Text: one.Effect, Note: one.Reason, Stored: true},
			{Text: one.Proposer.String(), Note: p.Local(one.Made)}, {Text: p.Local(one.Expires),
				Note: p.T("proposal.state." + string(one.State(v.Books.Now())))}})
	}
	return t
}

// proposalPage is a proposal, and the forms by which it is decided.
type proposalPage struct {
	*view
	P         control.Proposal
	State     control.State
	Diff      table  // what is replaced, and by what; without rows where it replaces nothing
	Stored    string // the content, as it is stored
	Effect    string // what it would do now, where that is not what was proposed; else ""
	Digest    string // of the effect that is shown
	May       bool   // the visitor may decide it
	Own       bool   // the visitor has proposed it
	Passkey   bool   // the visitor confirms an approval with a passkey
	Confirmed bool   // the visitor has confirmed something at the provider
	F         *ui.Form
}

func (v *visit) proposal() error { return v.showProposal(http.StatusOK, ui.EmptyForm(), nil) }

// showProposal shows a proposal. changed is the error that says that its effect is another now, or nil.
func (v *visit) showProposal(status int, f *ui.Form, changed *ledger.Error) error {
	one, err := v.Reports.Proposal(v.context(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	now := v.Books.Now()
	p := proposalPage{view: v.view("proposal.title"), P: one, State: one.State(now), Digest: one.EffectDigest(), F: f,
		May: one.CheckDecidable(v.actor, now) == nil,
		Own: one.Proposer.Person == v.actor.Person && one.State(now) == control.Open}
	p.Confirmed = v.cookie(v.proofCookie()) != ""
	if p.May && !p.Confirmed {
		factors, err := v.Logins.Factors(v.context(), v.actor.Subject())
		if err != nil {
			return err
		}
		p.Passkey = len(factors.Passkeys) > 0
	}
	if changed != nil && len(changed.Facts) > 1 {
		p.Effect, p.Digest = changed.Error(), fmt.Sprint(changed.Facts[1])
	}
	if p.State == control.Open { // what is decided is compared with what held before it no more
		if p.Diff, err = v.difference(one); err != nil {
			return err
		}
	}
	var stored bytes.Buffer
	if err := json.Indent(&stored, one.Content, "", "  "); err != nil {
		return fmt.Errorf("read the content of the proposal %s: %w", one.ID, err)
	}
	p.Stored = stored.String()
	return v.showAs(status, "proposal", p)
}

// decide approves or rejects the proposal: approved is what was looked at, as its digest says.
func (s *submission) decide() error {
	id, f := s.r.PathValue("id"), s.form()
	var err error
	switch f.Value("do") {
	case "approve":
		err = s.approve(id, f.Value("effect"))
	case "reject":
		_, err = s.Books.RejectProposal(s.context(), id, strings.TrimSpace(f.Value("reason")))
	default:
		return ledger.ErrNotFound
	}
	if err == nil {
		return s.see(Path + "/proposals/" + id)
	}
	if errors.Is(err, access.ErrUnknown) || ledger.ReasonOf(err) == access.ReasonStepUp {
		f.SetFault("", s.locale.T("proposal.unconfirmed"))
		return s.showProposal(http.StatusForbidden, f, nil)
	}
	if changed, is := errors.AsType[*ledger.Error](err); is && errors.Is(err, control.ErrEffect) {
		f.SetFault("", s.locale.T("proposal.changed"))
		return s.showProposal(http.StatusConflict, f, changed)
	}
	if s.fault(f, err) {
		return s.showProposal(http.StatusUnprocessableEntity, f, nil)
	}
	return err
}

// approve approves the proposal by the digest of the effect that was looked at, which the visitor confirms.
func (s *submission) approve(id, effect string) error {
	proof, err := s.confirmed(access.ApprovalStepUp(id, effect), Path+"/proposals/"+id)
	if err == nil {
		_, err = s.Books.As(s.actor.In(s.caller.Request).With(proof)).ApproveProposal(s.context(), id, effect)
	}
	return err
}
