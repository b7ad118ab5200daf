package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// proposedError says that a command needs approval and was not carried out, but proposed: exit status 3.
type proposedError struct{ proposal control.Proposal }

func (p *proposedError) Error() string {
	return fmt.Sprintf("%s %s needs approval, and is proposed as %s, until %s UTC: %s", p.proposal.Operation,
		p.proposal.Subject, p.proposal.ID, wallTime(p.proposal.Expires), p.proposal.Effect)
}

// proposed proposes what an error says needs approval; other errors are returned as they are.
func (env *Env) proposed(ctx context.Context, db *store.DB, err error) error {
	needed, is := errors.AsType[*control.Needed](err)
	if !is {
		return err
	}
	p, err := db.Propose(context.WithoutCancel(ctx), needed.Draft, env.Because)
	if err != nil {
		return err
	}
	return &proposedError{p}
}

type fourEyesCmd struct {
	On  fourEyesOnCmd  `cmd:"" help:"From now on one person proposes, and another approves."`
	Off fourEyesOffCmd `cmd:"" help:"Let one person alone do everything: this needs approval itself."`
}

type fourEyesOnCmd struct{}

func (c *fourEyesOnCmd) Help() string {
	return `Corrections, money that leaves, terms, limits, regions, documents, tokens of staff and days over a limit then take effect when a second person has approved them ("softstake proposal"). At the command line a person is who --actor names; a token is its person's.

Example:

  softstake four-eyes on`
}

func (c *fourEyesOnCmd) Run(env *Env) error {
	return setFourEyes(env, true, "One proposes, and another approves.\n")
}

type fourEyesOffCmd struct{}

func (c *fourEyesOffCmd) Help() string {
	return `Another person approves it, as "softstake proposal list" shows. Proposals that are open may still be approved.

Example:

  softstake four-eyes off`
}

func (c *fourEyesOffCmd) Run(env *Env) error {
	return setFourEyes(env, false, "One person alone may do everything.\n")
}

func setFourEyes(env *Env, on bool, says string) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		return env.done(db.SetFourEyes(ctx, on), "%s", says)
	})
}

type proposalCmd struct {
	List    proposalListCmd    `cmd:"" help:"List what is proposed."`
	Show    proposalShowCmd    `cmd:"" help:"Show a proposal: what it does, who made it, what became of it."`
	Approve proposalApproveCmd `cmd:"" help:"Carry out what another person has proposed."`
	Reject  proposalRejectCmd  `cmd:"" help:"End a proposal without carrying it out."`
}

type proposalListCmd struct {
	State   string `default:"open" placeholder:"STATE" help:"open, executed, rejected, expired or all."`
	Account string `placeholder:"ID" help:"Only what would change this holder's account, or post an entry with one of its balances."`
	Entry   string `placeholder:"ID" help:"Only what would post this entry, alone or among others."`
	Limit   int    `default:"100" help:"How many at most, the newest; 0: all."`
	JSON    bool   `help:"Print a JSON array."`
}

func (c *proposalListCmd) Help() string {
	return `The newest comes first. A proposal that nobody decides within 7 days expires.

Example:

  softstake proposal list --state all
  softstake proposal list --account alice`
}

type decisionJSON struct {
	ID        string            `json:"id"`
	State     control.State     `json:"state"`
	Operation control.Operation `json:"operation"`
	Subject   string            `json:"subject"`
	Effect    string            `json:"effect"`
	Digest    string            `json:"effectDigest"`
	Reason    string            `json:"reason,omitempty"`
	Proposer  string            `json:"proposer"`
	Person    string            `json:"proposerPerson,omitempty"`
	Made      instant           `json:"made"`
	Expires   instant           `json:"expires"`
	Decided   *instant          `json:"decided"` // null: it is not
	DecidedBy string            `json:"decidedBy,omitempty"`
	Decider   string            `json:"decidedByPerson,omitempty"`
	Done      string            `json:"done,omitempty"`
	Rejection string            `json:"rejection,omitempty"`
	Content   string            `json:"content"` // the text of a JSON value
}

func formatDecision(env *Env, p control.Proposal) decisionJSON {
	return decisionJSON{p.ID, p.State(env.Now()), p.Operation, p.Subject, p.Effect, p.EffectDigest(), p.Reason,
		p.Proposer.Credential, p.Proposer.Person, instant(p.Made), instant(p.Expires), instantOrNull(p.Decision.At),
		p.Decision.By.Credential, p.Decision.By.Person, p.Decision.Effect, p.Decision.Reason, p.Shown()}
}

func (c *proposalListCmd) Run(env *Env) error {
	if c.Limit < 0 {
		return usage("--limit is 0 or more")
	}
	var state control.State
	if c.State != "all" {
		var err error
		if state, err = control.ParseState(c.State); err != nil {
			return usage("--state: %w, or all", err)
		}
	}
	asked := store.ProposalsAsked{State: state, Account: ledger.Account(c.Account), Entry: c.Entry}
	return env.books(func(ctx context.Context, db *store.DB) error {
		_, _, err := list[control.Proposal]{
			json: c.JSON,
			columns: []col{text("ID"), text("made (UTC)"), text("by"), text("operation"), text("of"), text("state"),
				text("what it does")},
			item: func(p control.Proposal) (any, []string) {
				return formatDecision(env, p), []string{p.ID, wallTime(p.Made), nameOf(p.Proposer), string(p.Operation),
					p.Subject, string(p.State(env.Now())), p.Effect}
			},
			none: "There are no such proposals.\n",
		}.printPages(env, c.Limit, func(after control.Proposal, most int) ([]control.Proposal, error) {
			return reports.New(db.Reader()).Proposals(ctx, after, asked, most)
		})
		return err
	})
}

type proposalShowCmd struct {
	ID   string `arg:"" name:"id" help:"The proposal."`
	JSON bool   `help:"Print a JSON object."`
}

func (c *proposalShowCmd) Help() string {
	return `Example:

  softstake proposal show 3fcf07c07a24`
}

func (c *proposalShowCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		p, err := reports.New(db.Reader()).Proposal(ctx, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(env.Stdout, formatDecision(env, p))
		}
		return facts(env.Stdout, proposalFacts(env, p)...)
	})
}

// proposalFacts is a proposal, line by line.
func proposalFacts(env *Env, p control.Proposal) [][2]string {
	rows := [][2]string{
		{"proposal", p.ID + ", " + string(p.State(env.Now()))},
		{"operation", string(p.Operation) + " " + p.Subject},
		{"what it does", p.Effect},
		{"digest", p.EffectDigest()},
		{"by", nameOf(p.Proposer) + ", " + wallTime(p.Made) + " UTC"},
		{"until", wallTime(p.Expires) + " UTC"},
	}
	if p.Reason != "" {
		rows = append(rows, [2]string{"reason", p.Reason})
	}
	if d := p.Decision; d.State != "" {
		rows = append(rows, [2]string{string(d.State), wallTime(d.At) + " UTC by " + nameOf(d.By)})
		if d.Reason != "" {
			rows = append(rows, [2]string{"because", d.Reason})
		}
		if d.Effect != "" && d.Effect != p.Effect {
			rows = append(rows, [2]string{"what it did", d.Effect})
		}
	}
	return rows
}

// nameOf is who proposed or decided something: the credential, and whose it is where that does not say it.
func nameOf(a access.Actor) string {
	if a.Person == "" || a.AtCommandLine() {
		return a.Credential
	}
	return a.Credential + ", of " + a.Person
}

type proposalApproveCmd struct {
	ID     string `arg:"" name:"id" help:"The proposal."`
	Effect string `placeholder:"DIGEST" help:"The digest of what you have looked at, as \"proposal show\" prints it. Without it the proposal is shown, and the answer yes is asked for."`
}

func (c *proposalApproveCmd) Help() string {
	return `What was proposed is carried out at once, exactly that and once. Who proposed it does not approve it, under no credential. What it does is worked out again: where that is not what was proposed, nothing is done, and the new effect is shown with its digest.

Example:

  softstake proposal approve 3fcf07c07a24 --actor bob
  softstake proposal approve 3fcf07c07a24 --effect 7494278057d404cf13b0f897185b01f3 --actor bob`
}

func (c *proposalApproveCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		before, err := reports.New(db.Reader()).Proposal(ctx, c.ID)
		if err != nil {
			return err
		}
		looked, err := c.looked(env, before)
		if err != nil {
			return err
		}
		p, err := db.ApproveProposal(context.WithoutCancel(ctx), c.ID, looked)
		if d := before.Decision; err == nil && d.State == control.Executed {
			return env.printf("%s was executed before, %s UTC by %s: nothing is done.\n", p.ID, wallTime(d.At), nameOf(d.By))
		}
		return env.done(err, "Executed %s: %s %s: %s\n", p.ID, p.Operation, p.Subject, p.Decision.Effect)
	})
}

// looked is the digest of the effect that the approver has looked at: the one that is named, or that of what is shown
// here and approved with yes; "": it is not approved.
func (c *proposalApproveCmd) looked(env *Env, p control.Proposal) (string, error) {
	if c.Effect != "" {
		return c.Effect, nil
	}
	if err := facts(env.Stdout, proposalFacts(env, p)...); err != nil {
		return "", err
	}
	if p.CheckDecidable(env.Actor, env.Now()) != nil {
		return p.EffectDigest(), nil // the books say why, or what has become of it
	}
	if err := env.printf("\nApprove it (yes or no)? "); err != nil {
		return "", err
	}
	answer, err := env.whileHeard(func() (string, error) {
		line, err := bufio.NewReader(env.Stdin).ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return strings.TrimSpace(line), err
	})
	if err := cmp.Or(err, env.printf("\n")); err != nil {
		return "", err
	}
	switch answer {
	case "yes":
		return p.EffectDigest(), nil
	case "":
		return "", nil // nobody can answer
	}
	return "", fmt.Errorf("%s is not approved, and stays open", p.ID)
}

// whileHeard reads in a goroutine of its own, so that an interrupt is heard while
// nothing comes. An interrupted reader ends with the program.
func (env *Env) whileHeard(read func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := read()
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		return r.text, r.err
	case <-env.Context.Done():
		return "", env.Context.Err()
	}
}

type proposalRejectCmd struct {
	ID     string `arg:"" name:"id" help:"The proposal."`
	Reason string `required:"" placeholder:"TEXT" help:"Why; it is kept with the proposal and in the log."`
}

func (c *proposalRejectCmd) Help() string {
	return `Example:

  softstake proposal reject 3fcf07c07a24 --reason "not this month" --actor bob`
}

func (c *proposalRejectCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		p, err := db.RejectProposal(ctx, c.ID, c.Reason)
		return env.done(err, "Rejected %s: %s %s.\n", p.ID, p.Operation, p.Subject)
	})
}

// fourEyesSentence is what four eyes mean.
func fourEyesSentence(on bool) string {
	if on {
		return "on: what moves money out or changes terms is proposed by one person and approved by another"
	}
	return `off: one person alone does everything; "softstake four-eyes on" changes that`
}
