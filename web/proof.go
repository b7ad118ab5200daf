package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/softstake/softstake/download"
	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/ui"
	"github.com/softstake/softstake/verify"
)

// publishedPage is what is owed to all holders, day by day, for everybody.
type publishedPage struct {
	*view
	Anchor reports.Anchor // the last checkpoint
	Key    string         // the public key of checkpoints; "": it is not published here
	Days   []evidence.Published
	Assets map[string]ledger.Asset
	First  bool // the page has the newest days
	Older  string
}

// publishedDays is how many days a page has.
const publishedDays = 30

// proofs is the public page of what is owed, and of what it is signed with.
func (v *visit) proofs() (err error) {
	p := publishedPage{view: v.view("proofs.title"), Key: v.AnchorKey, First: true}
	before := staking.Forever
	if text := v.value("before"); text != "" {
		if before, err = staking.ParseDay(text); err != nil {
			return ledger.ErrNotFound
		}
		p.First = false
	}
	if p.Anchor, err = v.Reports.Anchor(v.context()); err != nil {
		return err
	}
	if p.Assets, err = v.assets(); err != nil {
		return err
	}
	if p.Days, err = v.Evidence.Published(v.context(), before, publishedDays+1); err != nil {
		return err
	}
	if len(p.Days) > publishedDays {
		p.Days = p.Days[:publishedDays]
		p.Older = ui.Address("/proofs", "before", p.Days[publishedDays-1].Day.String())
	}
	v.letCachesKeep()
	return v.show("proofs", p)
}

// Signed is how many days are signed.
func (p publishedPage) Signed() int { return int(p.Anchor.Records) }

// Owed is what is owed to all of a token.
func (p publishedPage) Owed(l evidence.Liability) string {
	return p.owed(p.Assets, l.Asset, l.Root.Sum)
}

// owed is an amount of a proof. It is below 2^63, as sums of balances are.
func (p *view) owed(assets map[string]ledger.Asset, symbol string, n uint64) string {
	return p.Plain(assets[symbol], ledger.Amount(n))
}

// download answers with a text, as a file of a name.
func (v *visit) download(kind, name, text string) error {
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	ui.Send(v.w, kind, []byte(text))
	return nil
}

const plainText = "text/plain; charset=utf-8"

// pathDay is the day of the path.
func (v *visit) pathDay() (staking.Day, error) {
	d, err := staking.ParseDay(v.r.PathValue("day"))
	if err != nil {
		return d, ledger.ErrNotFound
	}
	return d, nil
}

// recordFile is the record of a day, and checkpointFile the first checkpoint that has it.
func (v *visit) recordFile() error {
	return v.signedFile("record", func(record, _ string) string { return record })
}

func (v *visit) checkpointFile() error {
	return v.signedFile("checkpoint", func(_, checkpoint string) string { return checkpoint })
}

func (v *visit) signedFile(name string, of func(record, checkpoint string) string) error {
	d, err := v.pathDay()
	if err != nil {
		return err
	}
	record, checkpoint, err := v.Evidence.Texts(v.context(), d)
	if err != nil {
		return err
	}
	v.letCachesKeep()
	return v.download(plainText, fmt.Sprintf("%s_%s.txt", name, d), of(record, checkpoint))
}

// checkpointsFile is all checkpoints, as "audit --anchors" reads them.
func (v *visit) checkpointsFile() error {
	notes, err := v.Evidence.Checkpoints(v.context())
	if err != nil {
		return err
	}
	v.letCachesKeep()
	return v.download(plainText, "checkpoints.txt", strings.Join(notes, "\n"))
}

// keyFile is the public key that checkpoints are signed with.
func (v *visit) keyFile() error {
	if v.AnchorKey == "" {
		return ledger.ErrNotFound
	}
	v.letCachesKeep()
	return v.download(plainText, "anchor.pub", v.AnchorKey+"\n")
}

// proofFacts are what the script that checks proofs needs of a day.
type proofFacts struct {
	Account ledger.Account
	Day     staking.Day
	Key     string
}

// lastProof is the last day that is proved, or nil where none is.
func (v *visit) lastProof() (*proofFacts, error) {
	a, err := v.Reports.Anchor(v.context())
	if err != nil || a.Signer == "" {
		return nil, err
	}
	return &proofFacts{v.account(), a.Signed, v.AnchorKey}, nil
}

// proofStates are what a check may come to, as proof.js names it: what the server says at first, then what the browser
// finds. The last are failures.
var proofStates = []string{"daily", "server", "checking", "good", "unsigned", "none", "unread", "path", "record",
	"checkpoint", "shown"}

// ProofStates and ProofFails are proofStates, and whether one is a failure.
func (p *view) ProofStates() []string { return proofStates }
func (p *view) ProofFails(state string) bool {
	return slices.Index(proofStates, state) >= slices.Index(proofStates, "path")
}

// proofPage is the proofs of what the visitor has at the end of a day.
type proofPage struct {
	*view
	Proof  *proofFacts // nil: no day is signed yet
	Days   []staking.Day
	Rows   []proofRow
	Assets map[string]ledger.Asset
	State  string // what the server has found: "server", "unsigned", "none" or, where it does not hold, "record" …
}

// proofRow is a token of them.
type proofRow struct {
	verify.Proof
	Root verify.Node
}

// Have and All are what the visitor has, and what is owed to all.
func (p proofPage) Have(r proofRow) string { return p.owed(p.Assets, r.Asset, r.Amount) }
func (p proofPage) All(r proofRow) string  { return p.owed(p.Assets, r.Asset, r.Root.Sum) }

// accountProofs is the page of the visitor's proofs: of the last day that is signed, or of the one that is named. The
// server checks them as well; a script in the browser does it by itself, and believes no word of the page.
func (v *visit) accountProofs() (err error) {
	p := proofPage{view: v.view("proof.title")}
	if p.Proof, err = v.lastProof(); err != nil {
		return err
	}
	if p.Proof == nil {
		return v.show("proof", p)
	}
	if text := v.value("day"); text != "" {
		if p.Proof.Day, err = staking.ParseDay(text); err != nil {
			return ledger.ErrNotFound
		}
	}
	days, err := v.Evidence.Published(v.context(), staking.Forever, publishedDays)
	if err != nil {
		return err
	}
	for _, d := range days {
		if d.Signed > 0 {
			p.Days = append(p.Days, d.Day)
		}
	}
	if p.Assets, err = v.assets(); err != nil {
		return err
	}
	if err := p.check(v); err != nil {
		return err
	}
	return v.show("proof", p)
}

// check makes the proofs, and checks them as the package verify does.
func (p *proofPage) check(v *visit) error {
	all, err := v.Evidence.Proofs(v.context(), v.account(), p.Proof.Day)
	switch {
	case errors.Is(err, ledger.ErrConflict):
		p.State = "record"
		return nil
	case err != nil:
		return err
	}
	if p.State = "server"; len(all) == 0 {
		p.State = "none"
	}
	name, _, _ := strings.Cut(v.AnchorKey, "+")
	for _, proof := range all {
		row := proofRow{Proof: proof}
		if row.Root, err = proof.Root(); err != nil {
			return err
		}
		if !strings.HasPrefix(proof.Checkpoint, name+"\n") {
			p.State = "unsigned"
		} else if _, err := proof.Check(v.AnchorKey); err != nil {
			p.State = "checkpoint"
		}
		p.Rows = append(p.Rows, row)
	}
	return nil
}

// proofsFile is the proofs of all tokens that the visitor has at the end of a day, for the script.
func (v *visit) proofsFile() error {
	d, err := v.pathDay()
	if err != nil {
		return err
	}
	all, err := v.Evidence.Proofs(v.context(), v.account(), d)
	switch {
	case errors.Is(err, ledger.ErrConflict):
		v.refuse(http.StatusConflict, "failed")
		return errAnswered
	case err != nil:
		return err
	}
	if all == nil {
		all = []verify.Proof{}
	}
	text, err := asJSON(all)
	if err != nil {
		return err
	}
	ui.Send(v.w, "application/json", text)
	return nil
}

// proofFile is the proof of a token, as "softstake verify" reads it.
func (v *visit) proofFile() error {
	d, err := v.pathDay()
	if err != nil {
		return err
	}
	p, err := v.Evidence.Proof(v.context(), v.account(), d, v.r.PathValue("asset"))
	if err != nil {
		return err
	}
	text, err := asJSON(p)
	if err != nil {
		return err
	}
	return v.download("application/json", download.Name(fmt.Sprintf("proof_%s_%s", d, p.Asset))+".json", string(text))
}

// asJSON is a proof in the form that verify.Parse reads.
func asJSON(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return b.Bytes(), err
}
