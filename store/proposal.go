package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

// Propose keeps the operation that an error says needs approval (control.Needed), as a proposal of these books'
// actor, with a reason that may be "". Repeating it while the proposal is open has no further effect.
// ledger.ErrInvalid for a reason that the log cannot keep, access.ErrForbidden where the actor may not propose it,
// access.ErrCeiling after MaxProposals.
func (b *DB) Propose(ctx context.Context, d control.Draft, reason string) (p control.Proposal, err error) {
	if err := ledger.At("reason", ledger.CheckText("the reason", reason)); err != nil {
		return p, err
	}
	if err := control.CheckProposer(d.Operation, b.actor); err != nil {
		return p, err
	}
	err = b.engine.Write(ctx, func(t db.Tx) error {
		now := b.now()
		decided, err := db.Count(t, `SELECT count(*) FROM proposals WHERE operation = $1 AND content = $2
		     AND proposer_person = $3 AND (proposer_person <> '' OR proposer = $4) AND (decision <> '' OR expires <= $5)`,
			string(d.Operation), string(d.Content), b.actor.Person, b.actor.Credential, now)
		if err != nil {
			return err
		}
		p = control.Proposal{ID: control.NewID(d, b.actor, decided), Draft: d, Reason: reason, Proposer: b.actor,
			Made: db.TimeOf(now), Expires: db.TimeOf(now).Add(control.Lifetime)}
		n, err := t.Exec(`INSERT INTO proposals (id, operation, content, subject, effect, reason, proposer, proposer_role,
		       proposer_person, request, made_at, expires, decision, decided_by, decided_by_role, decided_by_person,
		       decided_request, decided_at, decided_effect, decided_reason)
		     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', '', '', '', '', 0, '', '') ON CONFLICT DO NOTHING`,
			p.ID, string(d.Operation), string(d.Content), d.Subject, d.Effect, reason, b.actor.Credential, string(b.actor.Role),
			b.actor.Person, b.actor.Request, now, p.Expires.UnixMilli())
		if err != nil {
			return err
		}
		if n == 0 {
			p, err = findProposal(t, b.guard, p.ID)
			return err
		}
		if err := b.guard.Sign(t, integrity.Proposals, "id = $1", p.ID); err != nil {
			return err
		}
		return inOrder(
			func() error {
				return b.logLine(t, "proposal make", p.ID, fmt.Sprintf("%s %s: %s", d.Operation, d.Subject, d.Effect))
			},
			func() error { return b.useProposal(t) })
	})
	return p, annotate(err, "propose %s", d.Operation)
}

// MaxProposals is how many proposals a person, or a credential that is nobody's, makes on a UTC day: more nobody
// looks at, and the one that matters would be hidden among them.
const MaxProposals = 1000

// useProposal counts a proposal of the actor's.
func (b *DB) useProposal(t db.Tx) error {
	u := b.usage("proposals", "", MaxProposals, 1)
	u.of = cmp.Or(b.actor.Person, b.actor.Credential)
	return addUsage(t, []*usage{u}, (*usage).checkCount)
}

var proposalColumns = integrity.Proposals.Select()

func readProposal(r db.Row) (control.Proposal, error) {
	actor := func(i, request int) access.Actor {
		return access.Actor{Credential: r.Text(i), Role: access.Role(r.Text(i + 1)), Person: r.Text(i + 2),
			Request: r.Text(request)}
	}
	return control.Proposal{
		ID: r.Text(0), Reason: r.Text(5), Proposer: actor(6, 9), Made: db.TimeOf(r.Int(10)), Expires: db.TimeOf(r.Int(11)),
		Draft: control.Draft{Operation: control.Operation(r.Text(1)), Content: json.RawMessage(r.Text(2)),
			Subject: r.Text(3), Effect: r.Text(4)},
		Decision: control.Decision{State: control.State(r.Text(12)), By: actor(13, 16), At: db.TimeOrZero(r.Int(17)),
			Effect: r.Text(18), Reason: r.Text(19)},
	}, nil
}

// FindProposal reads a proposal to show it; ledger.ErrNotFound if there is none of the ID.
func FindProposal(t db.View, id string) (control.Proposal, error) { return findProposal(t, nil, id) }

// findProposal reads a proposal to decide it; integrity.ErrForged if it is not as it was proposed.
func findProposal(t db.View, g *integrity.Guard, id string) (control.Proposal, error) {
	p, found, err := db.First(t, func(r db.Row) (p control.Proposal, err error) {
		if err := g.Check(integrity.Proposals, r, 0); err != nil {
			return p, err
		}
		return readProposal(r)
	}, proposalColumns+"WHERE id = $1", id)
	if err == nil && !found {
		err = ledger.ErrNotFound.In("", "proposal %q", ledger.Clip(id)).Because(control.ReasonUnknown)
	}
	return p, err
}

// lockProposal reads a proposal, which nobody else decides until the transaction ends.
func lockProposal(t db.Tx, g *integrity.Guard, id string) (control.Proposal, error) {
	if _, err := t.Exec("UPDATE proposals SET decision = decision WHERE id = $1", id); err != nil {
		return control.Proposal{}, annotate(err, "lock the proposal %s", id)
	}
	return findProposal(t, g, id)
}

// decide writes how a proposal, which is locked and open, is decided, now, and its line of the log.
func (b *books) decide(t db.Tx, p control.Proposal, d control.Decision) error {
	now := b.now()
	err := b.guard.Change(t, integrity.Proposals, func() error {
		_, err := t.Exec(`UPDATE proposals SET decision = $1, decided_by = $2, decided_by_role = $3, decided_by_person = $4,
		                         decided_request = $5, decided_at = $6, decided_effect = $7, decided_reason = $8
		                   WHERE id = $9 AND decision = ''`, string(d.State), d.By.Credential, string(d.By.Role), d.By.Person,
			d.By.Request, now, d.Effect, d.Reason, p.ID)
		return err
	}, "id = $1", p.ID)
	if err != nil {
		return annotate(err, "decide the proposal %s", p.ID)
	}
	action, detail := "proposal approve", d.Effect
	if d.State == control.Rejected {
		action, detail = "proposal reject", d.Reason
	}
	return b.writeLog(t, []LogLine{{Actor: d.By, Action: action, Subject: p.ID,
		Detail: fmt.Sprintf("%s %s, proposed by %s: %s", p.Operation, p.Subject, p.Proposer, detail)}})
}

// ApproveProposal carries out what was proposed, exactly that, and decides the proposal in the same transaction: it
// is used once. looked is the digest of the effect that the approver has looked at: where the effect is another now,
// control.ErrEffect says which, and nothing is done. Repeating it has no further effect. access.ErrForbidden for the
// person who proposed it and for a role that approves nothing, control.ErrNotOpen for a proposal that is rejected or
// expired, or whose proposer's token is, ledger.ErrInvalid without a digest; else the operation's own errors: the
// proposal is open then.
func (b *DB) ApproveProposal(ctx context.Context, id, looked string) (p control.Proposal, err error) {
	if err := control.CheckLooked(looked); err != nil {
		return p, err
	}
	if p, err = b.decidable(ctx, id, control.Executed); err != nil || p.Decision.State != "" {
		return p, err
	}
	run, known := executions[p.Operation]
	if !known {
		return p, ledger.ErrInvalid.In("", "nobody proposes %s any more", p.Operation)
	}
	carrying := &DB{books: b.books, actor: b.actor, approval: &approval{p.ID, p.Operation, looked}}
	if err = run(ctx, carrying, p.Content); ledger.ReasonOf(err) == control.ReasonDecided {
		return b.decidable(ctx, id, control.Executed) // by another approver, at the same time
	}
	if err != nil {
		return p, annotate(err, "execute the proposal %s", id)
	}
	return b.closeProposal(ctx, id, looked)
}

// RejectProposal ends a proposal: it is never carried out. Who proposed it may not, and lets it expire. Repeating it
// has no further effect. Its errors are those of ApproveProposal, and ledger.ErrInvalid without a reason.
func (b *DB) RejectProposal(ctx context.Context, id, reason string) (p control.Proposal, err error) {
	if err := ledger.At("reason", CheckReason(reason)); err != nil {
		return p, err
	}
	if p, err = b.decidable(ctx, id, control.Rejected); err != nil || p.Decision.State != "" {
		return p, err
	}
	err = b.engine.Write(ctx, func(t db.Tx) error {
		if p, err = lockProposal(t, b.guard, id); err != nil {
			return err
		}
		if err := p.CheckDecidable(b.actor, db.TimeOf(b.now())); err != nil {
			return err
		}
		if err := b.decide(t, p, control.Decision{State: control.Rejected, By: b.actor, Reason: reason}); err != nil {
			return err
		}
		p, err = FindProposal(t, id)
		return err
	})
	return p, annotate(err, "reject the proposal %s", id)
}

// decidable reads a proposal that the actor may decide now, or one that is decided as is asked for.
func (b *DB) decidable(ctx context.Context, id string, as control.State) (control.Proposal, error) {
	p, err := read(ctx, b, func(t db.View) (control.Proposal, error) { return findProposal(t, b.guard, id) })
	if err != nil {
		return p, err
	}
	err = p.CheckDecidable(b.actor, db.TimeOf(b.now()))
	if ledger.ReasonOf(err) == control.ReasonDecided && p.Decision.State == as {
		err = nil
	}
	return p, err
}

// checkDecidable is control.Proposal.CheckDecidable, and control.ErrNotOpen for what was proposed with a token that
// is revoked or expired since: whoever has stolen it has proposed in another's name.
func (b *books) checkDecidable(t db.View, p control.Proposal, by access.Actor) error {
	now := db.TimeOf(b.now())
	if err := p.CheckDecidable(by, now); err != nil {
		return err
	}
	err := people.CheckLive(t, b.guard, p.Proposer.Credential, now)
	if errors.Is(err, access.ErrUnknown) {
		err = control.ErrNotOpen.In("", "%s, which has made the proposal %s, is revoked or expired; propose it again",
			p.Proposer, p.ID).Because(control.ReasonEnded)
	}
	return err
}

// closeProposal reads a proposal that was executed. Where the operation had no effect any more, because what was
// proposed is so already, nobody has asked for its approval, and it is decided here.
func (b *DB) closeProposal(ctx context.Context, id, looked string) (p control.Proposal, err error) {
	err = b.engine.Write(ctx, func(t db.Tx) error {
		if p, err = lockProposal(t, b.guard, id); err != nil || p.Decision.State == control.Executed {
			return err
		}
		if err := b.checkDecidable(t, p, b.actor); err != nil {
			return err
		}
		if err := people.UseApproval(t, b.guard, b.now(), b.actor, p.ID, looked); err != nil {
			return err
		}
		nothing := control.Decision{State: control.Executed, By: b.actor, Effect: "nothing: it is so already"}
		if err := b.decide(t, p, nothing); err != nil {
			return err
		}
		p, err = FindProposal(t, id)
		return err
	})
	if errors.Is(err, control.ErrNotOpen) {
		err = fmt.Errorf("it had no effect any more: %w", err)
	}
	return p, annotate(err, "execute the proposal %s", id)
}
