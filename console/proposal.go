package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/ui"
)

// pageSize is how many rows a list has.
const pageSize = 50

// listPage is a page with one list, which goes on on the next.
type listPage struct {
	*view
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

var proposalStates = []string{"open", "executed", "rejected", "expired"}

// proposals are what is proposed, the newest first.
func (v *visit) proposals() error {
	state := v.choice("state", proposalStates)
	if state == "" {
		state = "open"
	}
	after := control.Proposal{ID: v.value("id")}
	if made, err := strconv.ParseInt(v.value("made"), 10, 64); err == nil {
		after.Made = time.UnixMilli(made)
	}
	all, err := v.Reports.Proposals(v.context(), after, control.State(state), pageSize)
	if err != nil {
		return err
	}
	p := listPage{view: v.view("proposals.title"), Table: v.proposalTable(all)}
	for _, s := range proposalStates {
		p.Choose = append(p.Choose, chosen{"proposal.state." + s, ui.Address(Path+"/proposals", "state", s), s == state})
	}
	if n := len(all); n == pageSize {
		p.Next = ui.Address(Path+"/proposals", "state", state, "id", all[n-1].ID, "made",
			strconv.FormatInt(all[n-1].Made.UnixMilli(), 10))
	}
	return v.show("list", p)
}

func (v *visit) proposalTable(all []control.Proposal) table {
	t := table{Title: "proposals.title", Empty: "proposals.none", Columns: []column{{"proposal.id", false},
		{"proposal.what", false}, {"proposal.effect", false}, {"proposal.by", false}, {"proposal.until", false}}}
	p := v.view("")
	for _, one := range all {
		t.Rows = append(t.Rows, row{link(one.ID, Path+"/proposals/"+one.ID),
			{Text: string(one.Operation), Note: one.Subject}, {Text: one.Effect, Note: one.Reason},
			{Text: one.Proposer.String(), Note: p.Local(one.Made)}, text(p.Local(one.Expires))})
	}
	return t
}

// proposalPage is a proposal, and the forms by which it is decided.
type proposalPage struct {
	*view
	P         control.Proposal
	State     control.State
	Diff      []difference
	Effect    string // what it would do now, where that is not what was proposed; else ""
	Digest    string // of the effect that is shown
	May       bool   // the visitor may decide it
	Own       bool   // the visitor has proposed it
	Passkey   bool   // the visitor confirms an approval with a passkey
	Confirmed bool   // the visitor has confirmed something at the provider
	F         *ui.Form
}

// difference is a figure that a proposal sets. Was is "" where it is not known, or nothing was there.
type difference struct{ Name, Was, Becomes string }

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
	if p.Diff, err = v.differences(one); err != nil {
		return err
	}
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

// differences are the figures of a proposal's content and, where it sets what there is, those that hold without it.
func (v *visit) differences(p control.Proposal) ([]difference, error) {
	becomes, err := flatten(p.Content)
	if err != nil {
		return nil, err
	}
	was := map[string]string{}
	before, replaces, err := v.before(p)
	if err != nil {
		return nil, err
	}
	if replaces {
		content, err := json.Marshal(before)
		if err != nil {
			return nil, fmt.Errorf("write what holds as JSON: %w", err)
		}
		figures, err := flatten(content)
		if err != nil {
			return nil, err
		}
		for _, d := range figures {
			was[d.Name] = d.Becomes
		}
	}
	for i := range becomes {
		becomes[i].Was = was[becomes[i].Name]
	}
	return becomes, nil
}

// before is what holds without a proposal, as a value of the type of its content; false where it replaces nothing.
func (v *visit) before(p control.Proposal) (holds any, replaces bool, err error) {
	switch p.Operation {
	case control.SetTerms:
		t, err := control.Read[staking.Terms](p.Content)
		if err != nil {
			return nil, false, err
		}
		all, err := v.Reports.TermsOn(v.context(), t.From)
		return ofToken(all, err, func(o staking.Terms) bool { return o.Asset == t.Asset })
	case control.SetLimit:
		l, err := control.Read[staking.Limit](p.Content)
		if err != nil {
			return nil, false, err
		}
		all, err := v.Reports.Limits(v.context())
		return ofToken(all, err, func(o staking.Limit) bool { return o.Asset == l.Asset })
	}
	return nil, false, nil
}

// ofToken is the first of some values that is the wanted one, as before returns it.
func ofToken[T any](all []T, err error, wanted func(T) bool) (any, bool, error) {
	if i := slices.IndexFunc(all, wanted); err == nil && i >= 0 {
		return all[i], true, nil
	}
	return nil, false, err
}

// flatten is the values of a JSON text, each with the path to it, in the order of the text.
func flatten(content json.RawMessage) (all []difference, err error) {
	d := json.NewDecoder(bytes.NewReader(content))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, fmt.Errorf("read the content of a proposal: %w", err)
	}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch value := value.(type) {
		case map[string]any:
			names := make([]string, 0, len(value))
			for name := range value {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, name := range names {
				walk(strings.TrimPrefix(path+"."+name, "."), value[name])
			}
		case []any:
			for i, item := range value {
				walk(fmt.Sprintf("%s[%d]", path, i), item)
			}
		default:
			all = append(all, difference{Name: path, Becomes: fmt.Sprint(value)})
		}
	}
	walk("", value)
	return all, nil
}
