package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/staking"
)

// approval is what a handle of the books carries that executes a proposal: the proposal is decided in the transaction
// in which its operation is done, so that neither is there without the other.
type approval struct {
	proposal string // its ID
	of       control.Operation
	looked   string // the digest of the effect that the approver has looked at
}

// covers reports whether an operation is the one that is approved, or a part of it.
func (a *approval) covers(op control.Operation) bool { return a != nil && control.Includes(a.of, op) }

// check refuses an operation that the actor's role may neither do nor propose. What is approved is the proposer's.
func (b *DB) check(op control.Operation) error {
	if b.approval.covers(op) {
		return nil
	}
	return control.Check(op, b.actor)
}

// permit is asked by each operation that needs approval, in its transaction and when it has done all else: with what it
// was called and what it does. With four eyes it is *control.Needed, and so nothing was done, unless these
// books carry an approved proposal of the same operation, content and effect: that is decided here.
func (b *DB) permit(t db.Tx, op control.Operation, content any, subject, effect string) error {
	d, err := control.NewDraft(op, content, subject, effect)
	if err != nil {
		return err
	}
	if b.approval == nil {
		on, err := fourEyes.share(t)
		if err != nil || !on {
			return err
		}
		return needed(b.actor, d)
	}
	p, err := lockProposal(t, b.guard, b.approval.proposal)
	if err != nil {
		return err
	}
	if err := b.checkApproval(t, b.actor, *b.approval, p, d); err != nil {
		return err
	}
	if err := people.UseApproval(t, b.guard, b.now(), b.actor, p.ID, d.EffectDigest()); err != nil {
		return err
	}
	return b.decide(t, p, control.Decision{State: control.Executed, By: b.actor, Effect: d.Effect})
}

// permitStaff is permit where one of staff does what holders and back ends do alone.
func (b *DB) permitStaff(t db.Tx, op control.Operation, content any, subject, effect string) error {
	return seam{b}.Permit(t, b.actor.Role.IsStaff() && !b.joined, op, content, subject, effect)
}

// needed is *control.Needed, or access.ErrForbidden where the actor may not even propose it.
func needed(by access.Actor, d control.Draft) error {
	if err := control.CheckProposer(d.Operation, by); err != nil {
		return err
	}
	return &control.Needed{Draft: d}
}

// checkApproval refuses to execute a proposal, which is locked, as something else or by somebody who may not.
func (b *books) checkApproval(t db.View, by access.Actor, a approval, p control.Proposal, d control.Draft) error {
	if err := b.checkDecidable(t, p, by); err != nil {
		return err
	}
	return p.CheckDraft(d, a.looked)
}

// controls are what a group commit knows of approvals.
type controls struct {
	fourEyes  bool
	proposals map[string]control.Proposal // that its calls execute, locked
	limits    map[string]staking.Limit    // of assets that are taken out or brought in
}

// operation is what the item is of.
func (it *item) operation() control.Operation {
	switch {
	case it.call.op != "":
		return it.call.op
	case it.call.log.action != "":
		return control.Operation(it.call.log.action)
	case actions[it.Kind] != "":
		return control.Operation(actions[it.Kind])
	}
	return "post"
}

// mayNeedApproval reports whether a call may be one that needs approval.
func (c *call) mayNeedApproval() bool {
	return c.content != nil || c.approval != nil || slices.ContainsFunc(c.entries, func(e ledger.Entry) bool {
		return e.Kind == ledger.Adjustment || takesOut(e.Kind)
	})
}

// readControls reads whether approvals are needed, and locks the proposals that are executed: of the calls that may
// need them only.
func (g *groupCommit) readControls() (err error) {
	g.controls.proposals, g.controls.limits = map[string]control.Proposal{}, map[string]staking.Limit{}
	if !slices.ContainsFunc(g.calls, (*call).mayNeedApproval) {
		return nil
	}
	if g.controls.fourEyes, err = fourEyes.share(g.t); err != nil {
		return err
	}
	for _, c := range g.calls {
		if c.approval != nil {
			id := c.approval.proposal
			if g.controls.proposals[id], err = lockProposal(g.t, g.books.guard, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// readTokenLimits reads the limits of the assets that undecided items take out or bring in, where these are added up.
func (g *groupCommit) readTokenLimits() error {
	for it := range g.undecided {
		for _, m := range it.Moves {
			if _, read := g.controls.limits[m.Asset]; read || !g.addsOutflow(it) && !addsInflow(it, m) {
				continue
			}
			l, err := limitsOf(g.t, m.Asset)
			if err != nil {
				return err
			}
			g.controls.limits[m.Asset] = l
		}
	}
	return nil
}

// permit is DB.permit for the items of a call that are accepted and new.
func (g *groupCommit) permit(c *call, items []*item) error {
	if c.approval == nil && !g.controls.fourEyes {
		return nil
	}
	d, need, err := g.draftOf(c, items)
	if err != nil || !need {
		return err
	}
	if c.approval != nil {
		return g.books.checkApproval(g.t, c.actor, *c.approval, g.controls.proposals[c.approval.proposal], d)
	}
	return needed(c.actor, d)
}

// draftOf is what a call needs approval for, if it does.
func (g *groupCommit) draftOf(c *call, items []*item) (d control.Draft, need bool, err error) {
	fresh := slices.DeleteFunc(slices.Clone(items), func(it *item) bool { return !it.isNew() })
	if len(fresh) == 0 || !c.mayNeedApproval() {
		return d, false, nil
	}
	op, content := c.op, c.content
	if c.above && c.approval == nil && !fresh[0].large {
		return d, false, nil
	}
	if content == nil {
		if c.approval == nil && !fresh[0].large { // a large one is alone: checkAlone
			return d, false, nil
		}
		op, content = control.CompleteWithdrawal, fresh[0].Entry
	}
	subject, effects := "", []string(nil)
	for i, it := range items {
		if it.isNew() {
			line := c.fieldsOf(i).line([]ledger.Entry{it.Entry}, c.actor, g.assets)
			subject, effects = line.Subject, append(effects, line.Detail)
		}
	}
	if c.campaign != nil {
		labeled, err := g.labeledNow(c.campaign)
		if err != nil {
			return d, true, err
		}
		effects = append(effects, labeled...)
	}
	d, err = control.NewDraft(op, content, subject, strings.Join(effects, "; "))
	return d, true, err
}

// checkAlone refuses what needs approval where it could not be proposed: a correction without its reason, and a large
// withdrawal among other entries. What is beside it in the call is posted, unless it is atomic.
func (g *groupCommit) checkAlone(it *item) error {
	switch {
	case !g.controls.fourEyes || it.call.approval != nil || it.call.content != nil:
		return nil
	case it.Kind == ledger.Adjustment:
		return control.ErrNeedsApproval.In("", "it is a correction; post it with its reason")
	case len(it.call.entries) == 1 || !it.large:
		return nil
	case it.Kind == ledger.Withdrawal:
		return control.ErrNeedsApproval.In("", "it is a large withdrawal, by itself or with others of the day; post it alone")
	}
	return control.ErrNeedsApproval.In("", "it completes a large withdrawal, by itself or with others of the day; "+
		"post it alone")
}

// writeDecisions writes that the proposals of the calls that were accepted are executed.
func (g *groupCommit) writeDecisions() error {
	n := 0
	for _, c := range g.calls {
		items := g.items[n : n+len(c.entries)]
		n += len(c.entries)
		if c.approval == nil || !slices.ContainsFunc(items, (*item).isNew) {
			continue
		}
		d, _, err := g.draftOf(c, items)
		if err == nil {
			err = g.books.decide(g.t, g.controls.proposals[c.approval.proposal],
				control.Decision{State: control.Executed, By: c.actor, Effect: d.Effect})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fieldsOf is what the log says of the call's entry of a number.
func (c *call) fieldsOf(i int) logFields {
	if c.logs != nil {
		return c.logs[i]
	}
	return c.log
}

// permitDay is permit for approving a token's day whose total is known, and returns what is then paid.
func (b *DB) permitDay(t db.Tx, d staking.Day, token string, a Accrued) (total string, err error) {
	asset, err := FindAsset(t, token)
	if err != nil {
		return "", err
	}
	total = fmt.Sprintf("%s %s, holders: %d", asset.Format(a.Total), token, a.Holders)
	return total, b.permit(t, control.ApproveDay, dayOf{d, token}, token, fmt.Sprintf("%s may be paid: %s", d, total))
}
