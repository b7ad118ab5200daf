package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// searchPage is what is said where nothing is found.
type searchPage struct {
	*view
	Query string
}

// search leads to what is called by a text: a day, the account of an e-mail address or an ID, an entry, a proposal, the
// proposals that would post an entry. These names cannot be mistaken for each other but for an account's and an
// entry's: the account comes first.
func (v *visit) search() error {
	query := strings.TrimSpace(v.value("q"))
	if query == "" {
		return v.show("search", searchPage{v.view("search.title"), ""})
	}
	for _, find := range []func(string) (string, error){v.findDay, v.findEmail, v.findAccount, v.findEntry,
		v.findProposal, v.findProposed} {
		at, err := find(query)
		switch {
		case err == nil:
			return v.see(at)
		case !errors.Is(err, ledger.ErrNotFound) && !errors.Is(err, ledger.ErrInvalid):
			return err
		}
	}
	return v.showAs(http.StatusNotFound, "search", searchPage{v.view("search.title"), query})
}

func (v *visit) findDay(query string) (string, error) {
	d, err := staking.ParseDay(query)
	return dayPath(d), err
}

func (v *visit) findEmail(query string) (string, error) {
	if !strings.Contains(query, "@") || !v.may(seesHolders) {
		return "", ledger.ErrNotFound
	}
	login, err := v.Logins.Login(v.context(), strings.ToLower(query))
	if err == nil { // whose address it is, is shown by where this leads to
		err = v.logRead(login.Account, "whose e-mail address it is")
	}
	return accountPath(login.Account), err
}

func (v *visit) findAccount(query string) (string, error) {
	id := ledger.Account(query)
	if err := id.CheckHolder(); err != nil || !v.may(seesHolders) {
		return "", ledger.ErrNotFound
	}
	a, err := v.Books.Account(v.context(), id)
	return accountPath(a.ID), err
}

func (v *visit) findEntry(query string) (string, error) {
	if !v.may(seesEntries) {
		return "", ledger.ErrNotFound
	}
	e, _, err := v.Reports.Entry(v.context(), query)
	return entryPath(e.ID), err
}

func (v *visit) findProposal(query string) (string, error) {
	p, err := v.Reports.Proposal(v.context(), query)
	return Path + "/proposals/" + p.ID, err
}

// findProposed leads to the proposals that would post an entry, which is not posted.
func (v *visit) findProposed(query string) (string, error) {
	asked := store.ProposalsAsked{Entry: query}
	found, err := v.proposalsAbout(asked)
	if err == nil && len(found.Rows) == 0 {
		err = ledger.ErrNotFound
	}
	return proposalsPath(asked), err
}

// entryPath is the page of an entry.
func entryPath(id string) string { return Path + "/entries/" + url.PathEscape(id) }

// AccountPath and EntryPath are the pages of an account and of an entry.
func (p *view) AccountPath(id ledger.Account) string { return accountPath(id) }
func (p *view) EntryPath(id string) string           { return entryPath(id) }
