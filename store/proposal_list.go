package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// ProposalsAsked is which proposals are asked for. A member that is "" asks for all.
type ProposalsAsked struct {
	State   control.State
	Account ledger.Account // a holder's: what would change the account, or post an entry with one of its balances
	Entry   string         // what would post the entry of this ID
}

// ProposalsAfter reads at most limit proposals, the newest first, after one, or from the start for the zero one. now is
// what their state is of.
func ProposalsAfter(t db.View, after control.Proposal, asked ProposalsAsked, now int64, limit int) (
	found []control.Proposal, err error) {
	for len(found) < limit {
		page, err := proposalPage(t, after, asked, now, limit)
		if err != nil {
			return nil, annotate(err, "read the proposals")
		}
		for _, p := range page {
			if len(found) < limit && asked.names(p.Draft) {
				found = append(found, p)
			}
		}
		if len(page) < limit {
			break
		}
		after = page[limit-1]
	}
	return found, nil
}

// proposalPage reads the next proposals, with some that only have a text like what is asked for.
func proposalPage(t db.View, after control.Proposal, asked ProposalsAsked, now int64, limit int) (
	[]control.Proposal, error) {
	where, args := "", []any{int64(limit)}
	and := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where += " AND " + condition
	}
	switch asked.State {
	case control.Open:
		and("decision = '' AND expires > ?", now)
	case control.Expired:
		and("decision = '' AND expires <= ?", now)
	case control.Executed, control.Rejected:
		and("decision = ?", string(asked.State))
	}
	if id := string(asked.Account); id != "" {
		and(`(subject = ? OR content LIKE ? ESCAPE '\' OR content LIKE ? ESCAPE '\')`, id, likeJSON(id),
			likeJSON(string(asked.Account.Held())))
	}
	if id := asked.Entry; id != "" {
		// The prefix of our own entries is not a part of the content, nor what is before the name of a compensation.
		first, last := strings.Index(id, "/")+1, strings.LastIndex(id, "/")+1
		and(`(content LIKE ? ESCAPE '\' OR content LIKE ? ESCAPE '\' OR content LIKE ? ESCAPE '\')`, likeJSON(id),
			likeJSON(id[first:]), likeJSON(id[last:]))
	}
	if after.ID != "" {
		and("(made_at, id) < (?, ?)", after.Made.UnixMilli(), after.ID)
	}
	return db.All(t, readProposal, proposalColumns+"WHERE id <> ''"+where+" ORDER BY made_at DESC, id DESC LIMIT $1",
		args...)
}

// likeJSON is the pattern of LIKE for contents in which a JSON value is this ID, no character of which JSON escapes.
func likeJSON(id string) string {
	return `%"` + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(id) + `"%`
}

// names reports whether a draft is about the account and the entry that are asked for. One whose content is of a form
// that this program does not know is taken to be: it must not be lost.
func (a ProposalsAsked) names(d control.Draft) bool {
	if a.Account == "" && a.Entry == "" {
		return true
	}
	n, err := namesOf(d)
	return err != nil || (a.Account == "" || slices.Contains(n.accounts, a.Account)) &&
		(a.Entry == "" || slices.Contains(n.entries, a.Entry))
}

// names are what a draft is about: all holders' accounts that it would change, and all entries that it would post.
type names struct {
	accounts []ledger.Account
	entries  []string
}

// add adds entries, with the accounts of both sides of their moves.
func (n *names) add(entries ...ledger.Entry) {
	for _, e := range entries {
		n.entries = append(n.entries, e.ID)
		for _, m := range e.Moves {
			n.accounts = append(n.accounts, m.From.Owner(), m.To.Owner())
		}
	}
}

// ofHolder are the operations whose subject is a holder's account.
var ofHolder = []control.Operation{control.Unfreeze, control.SetRegion, control.EraseAccount, control.ResetFactors,
	control.AddLogin, control.InviteLogin, control.SetPassword, control.CreateKey, control.LimitKey, control.Compensate}

// namesOf reads what a draft is about from its content, and so from that of proposals of earlier versions too.
func namesOf(d control.Draft) (n names, err error) {
	if slices.Contains(ofHolder, d.Operation) {
		n.accounts = append(n.accounts, ledger.Account(d.Subject))
	}
	switch d.Operation {
	case control.Adjust:
		c, err := control.Read[adjustments](d.Content)
		for _, r := range c.Corrections {
			n.add(r.Entry)
		}
		return n, err
	case control.CompleteWithdrawal:
		e, err := control.Read[ledger.Entry](d.Content)
		n.add(e)
		return n, err
	case control.Compensate:
		c, err := control.Read[compensation](d.Content)
		of := c.Compensation
		n.entries = []string{ledger.CompensationID(of.Day.String(), of.Asset, of.Account, of.Name)}
		return n, err
	case control.Fund, control.WithdrawFunds, control.WithdrawFees, control.ReturnFees:
		c, err := control.Read[ownMove](d.Content)
		n.entries = []string{fundID(c.ID)}
		if d.Operation == control.WithdrawFees || d.Operation == control.ReturnFees {
			n.entries[0] = ledger.FeesID(c.ID)
		}
		return n, err
	case control.EnterIncome:
		c, err := control.Read[staking.Income](d.Content)
		n.entries = []string{ledger.IncomeID(c.Reference)}
		return n, err
	case control.AddCampaign:
		c, err := control.Read[staking.Campaign](d.Content)
		n.entries = []string{ledger.CampaignID(c.ID)}
		return n, err
	case control.CreateToken:
		c, err := control.Read[access.Token](d.Content)
		n.accounts = append(n.accounts, c.Account)
		return n, err
	}
	return n, nil
}
