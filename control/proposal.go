package control

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

// Lifetime is how long a proposal may be approved.
const Lifetime = 7 * 24 * time.Hour

// Draft is an operation that needs approval: what it is to be done with, as the function that carries it out was
// called, and what it would do now. Only that function makes it, in the transaction in which it tried.
type Draft struct {
	Operation Operation
	Content   json.RawMessage // canonical: the fields of its Go type, in their order
	Subject   string          // the account, token or document it is about
	Effect    string          // what it does, for a person; as the log would say it
}

// NewDraft is the draft of an operation with some content, which is kept as JSON.
func NewDraft(op Operation, content any, subject, effect string) (Draft, error) {
	text, err := json.Marshal(content)
	if err != nil {
		return Draft{}, fmt.Errorf("write the content of %s as JSON: %w", op, err)
	}
	return Draft{op, text, subject, effect}, nil
}

// Read reads a content that NewDraft has written. A form that this program does not know is ledger.ErrInvalid.
func Read[C any](content json.RawMessage) (c C, err error) {
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, ledger.ErrInvalid.In("", "the content of the proposal is of another version; propose it again: %w", err)
	}
	return c, nil
}

// secrets are the members of contents that nobody is shown: hashes of passwords, and sealed secrets.
var secrets = []string{"Password", "Hash", "Secret"}

// Shown is the content for those who look at a proposal: secrets in it are "(hidden)".
func (d Draft) Shown() string {
	var members map[string]json.RawMessage
	if json.Unmarshal(d.Content, &members) != nil {
		return string(d.Content) // no object, and so no secret in it
	}
	text := string(d.Content)
	for name, value := range members {
		if slices.Contains(secrets, name) {
			text = strings.ReplaceAll(text, string(value), `"(hidden)"`)
		}
	}
	return text
}

// Digest is the SHA-256 of what is proposed, in hexadecimal: its operation and its content.
func (d Draft) Digest() string { return digest(string(d.Operation), string(d.Content)) }

// EffectDigest is the beginning of the digest of all of it, by which an approver says what was looked at: 32
// characters.
func (d Draft) EffectDigest() string { return digest(d.Digest(), d.Subject, d.Effect)[:32] }

// digest is a SHA-256 over texts, each after its length.
func digest(texts ...string) string {
	h := sha256.New()
	for _, text := range texts {
		fmt.Fprintf(h, "%d %s", len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Needed is the error of an operation that needs approval. It is ErrNeedsApproval.
type Needed struct{ Draft Draft }

// Error says what needs approval, and what it would do.
func (n *Needed) Error() string {
	return fmt.Sprintf("%s %s: %s: %s", n.Draft.Operation, n.Draft.Subject, ErrNeedsApproval, n.Draft.Effect)
}

// Is reports whether target is ErrNeedsApproval.
func (n *Needed) Is(target error) bool { return target == error(ErrNeedsApproval) }

// State is what has become of a proposal.
type State string

// The states of a proposal.
const (
	Open     State = "open"
	Executed State = "executed" // it was approved, and carried out in the same transaction
	Rejected State = "rejected"
	Expired  State = "expired"
)

// ParseState reads a state. Its error is ledger.ErrInvalid.
func ParseState(s string) (State, error) {
	switch state := State(strings.ToLower(s)); state {
	case Open, Executed, Rejected, Expired:
		return state, nil
	}
	return "", ledger.ErrInvalid.In("state", "%q is no state; it is one of %s, %s, %s, %s", ledger.Clip(s), Open,
		Executed, Rejected, Expired)
}

// Proposal is an operation that somebody asks to be done.
type Proposal struct {
	ID string // 12 characters of a-f 0-9, made of the digest and the proposer
	Draft
	Reason   string // "" where the operation has its own
	Proposer access.Actor
	Made     time.Time
	Expires  time.Time

	Decision Decision // zero: none
}

// Decision is how a proposal was decided, and by whom.
type Decision struct {
	State  State // Executed or Rejected
	By     access.Actor
	At     time.Time
	Effect string // what it did, where it was executed
	Reason string // of a rejection
}

// NewID is the ID of the proposal of a person or a credential who has made some of the same content before.
func NewID(d Draft, by access.Actor, before int64) string {
	return digest(d.Digest(), maker(by), fmt.Sprint(before))[:12]
}

// maker is who an actor is to proposals: a person whatever the credential, else the credential.
func maker(a access.Actor) string {
	if a.Person != "" {
		return "person " + a.Person
	}
	return a.Credential
}

// State is what has become of the proposal at now.
func (p Proposal) State(now time.Time) State {
	switch {
	case p.Decision.State != "":
		return p.Decision.State
	case !now.Before(p.Expires):
		return Expired
	}
	return Open
}

// CheckDecidable refuses an actor who may not decide the proposal at now. access.ErrForbidden for one who may approve
// nothing, and for the person who made it, whatever their credential; ErrNotOpen for what is decided or expired.
func (p Proposal) CheckDecidable(by access.Actor, now time.Time) error {
	if err := CheckApprover(by); err != nil {
		return err
	}
	if maker(by) == maker(p.Proposer) || by.Credential == p.Proposer.Credential {
		return access.ErrForbidden.In("", "%s has made the proposal %s, and another person decides it", by, p.ID).
			Because(ReasonOwn)
	}
	switch state := p.State(now); state {
	case Open:
		return nil
	case Expired:
		return ErrNotOpen.In("", "the proposal %s was open until %s; propose it again", p.ID,
			ledger.FormatTime(p.Expires)).Because(ReasonExpired)
	default:
		return ErrNotOpen.In("", "the proposal %s is %s already, by %s", p.ID, state, p.Decision.By).
			Because(ReasonDecided)
	}
}

// CheckLooked is ledger.ErrInvalid where an approver does not say what was looked at: nobody approves what they have
// not seen.
func CheckLooked(looked string) error {
	if looked == "" {
		return ledger.ErrInvalid.In("effect", "an approval names the digest of the effect that was looked at").
			Because(ReasonNotLooked)
	}
	return nil
}

// CheckDraft refuses what is not what was proposed. looked is the digest of the effect that the approver has looked at.
// ledger.ErrConflict for another operation or content, ErrEffect for another effect.
func (p Proposal) CheckDraft(now Draft, looked string) error {
	if p.Digest() != now.Digest() {
		return ledger.ErrConflict.In("", "the proposal %s is about different content", p.ID)
	}
	if now.EffectDigest() != looked {
		return ErrEffect.In("effect", "it would now do this: %s: %s; its digest is %s", now.Subject, now.Effect,
			now.EffectDigest()).
			Because(ReasonEffect, p.ID, now.EffectDigest())
	}
	return nil
}
