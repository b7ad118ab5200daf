package bench

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Staff are the e-mail addresses of those who look at the console, and Admin of the one who looks at who may come in.
// The handler lets them in without proof.
const (
	Staff = "bench@example.com"
	Admin = "bench-admin@example.com"
)

const (
	queued  = 200 // withdrawals that wait, and proposals
	members = 50  // of staff, each with a session and a token
)

// office is what waits for those who run the books.
type office struct {
	withdrawal store.Withdrawal
	proposal   string
}

// work leaves withdrawals and proposals that wait, and staff with sessions and tokens.
func (b *books) work(ctx context.Context) (o office, err error) {
	for i := range min(queued, b.holders) {
		o.withdrawal = store.Withdrawal{ID: fmt.Sprintf("withdrawal-%d", i), Account: id(i), Asset: tokens[0],
			Amount: 1_00000000, Address: "bnb1grpf0955h0ykzq3ar5nmum7y6gdfl6lxfn46h2", Network: "BEP2"}
		outcome, err := b.Withdraw(ctx, o.withdrawal)
		if err = errors.Join(err, outcome.Err); err != nil {
			return o, err
		}
	}
	for i := range members {
		if err := b.addStaff(ctx, fmt.Sprintf("staff-%d@example.com", i)); err != nil {
			return o, err
		}
	}
	for _, person := range []struct {
		email string
		role  access.Role
	}{{Staff, access.Operator}, {Admin, access.Admin}} {
		if err := b.People().AddStaff(ctx, person.email, person.role, access.Invitation{}); err != nil {
			return o, err
		}
	}
	if err := b.SetFourEyes(ctx, true); err != nil {
		return o, err
	}
	operator := b.As(access.Actor{Role: access.Operator, Credential: access.StaffSubject(Staff),
		Person: access.PersonOf(Staff)})
	for range queued {
		terms, err := termsOf(ctx, operator, b.Day+1)
		if err != nil {
			return o, err
		}
		needed, is := errors.AsType[*control.Needed](operator.SetTerms(ctx, terms))
		if !is {
			return o, fmt.Errorf("the terms of %s need no approval", terms.Asset)
		}
		p, err := operator.Propose(ctx, needed.Draft, "as much as elsewhere")
		if err != nil {
			return o, err
		}
		o.proposal = p.ID
	}
	return o, nil
}

// termsOf are the first token's, with twice the rate from a day on.
func termsOf(ctx context.Context, books *store.DB, from staking.Day) (staking.Terms, error) {
	all, err := reports.New(books.Reader()).TermsOn(ctx, from)
	for _, terms := range all {
		if terms.Asset == tokens[0] {
			terms.From, terms.APR = from, 2*terms.APR
			return terms, err
		}
	}
	return staking.Terms{}, cmp.Or(err, fmt.Errorf("%s has no terms", tokens[0]))
}

// addStaff adds a person who has logged in, and who has a token.
func (b *books) addStaff(ctx context.Context, email string) error {
	if err := b.People().AddStaff(ctx, email, access.Viewer, access.Invitation{}); err != nil {
		return err
	}
	session, _, err := access.NewStaffSession(rand.Reader)
	if err != nil {
		return err
	}
	session.Email, session.Client = email, "bench"
	if err := b.People().AddStaffSession(ctx, session, "bench"); err != nil {
		return err
	}
	token, _, err := access.NewToken(rand.Reader)
	if err != nil {
		return err
	}
	token.Role, token.Label, token.Person = access.Viewer, "bench", access.PersonOf(email)
	token.Expires = b.now().Add(30 * 24 * time.Hour)
	return b.People().AddToken(ctx, token)
}

// paths are the pages that are measured: the holders', and those of the console, also of one who has a login. day is
// one whose rewards are paid.
func (o office) paths(day staking.Day, holder ledger.Account) []string {
	reward := fmt.Sprintf("reward/%s/%s/%s", day, tokens[0], holder)
	account := "/console/accounts/" + string(holder)
	return []string{
		"/login", "/spot", "/spot/history", "/earn", "/earn/history", fmt.Sprintf("/earn/rewards/%s/%s", day, tokens[0]),
		"/earn/start", "/earn/stop", "/earn/documents/" + staking.DocumentNames[0], "/earn/export", "/earn/tax", "/convert",
		"/withdraw", "/send", "/activity", "/account", "/account/addresses", "/account/security", "/account/password",
		"/account/keys", "/account/keys/new", "/account/proofs", "/proofs", "/settings", "/rates",
		"/rates/" + tokens[0], "/help",

		"/console/settings", "/console", search(string(holder)), search(emailOf(holder)), search(reward),
		search(day.String()), account, fmt.Sprintf("%s?at=%d&entry=%s&move=0&side=0", account,
			(day + 2).Start().UnixMilli(), url.QueryEscape(reward)),
		fmt.Sprintf("%s/rewards/%s/%s", account, day, tokens[0]), "/console/days/" + day.String(),
		"/console/entries/" + url.PathEscape(reward), "/console/withdrawals",
		fmt.Sprintf("/console/withdrawals/%s/%s", o.withdrawal.Account, o.withdrawal.ID), "/console/proposals",
		"/console/proposals/" + o.proposal, "/console/terms", "/console/limits", "/console/prices", "/console/regions",
		"/console/documents", "/console/fees", "/console/campaigns", "/console/what-if", "/console/log", "/console/me",
		"/console/tokens", "/console/staff",
	}
}

// search is the address of a search of the console.
func search(what string) string { return "/console/search?q=" + url.QueryEscape(what) }

func isSearch(path string) bool { return strings.HasPrefix(path, "/console/search?") }

// ofAdmin reports whether a page is looked at by the admin: an operator does not see it.
func ofAdmin(path string) bool { return path == "/console/tokens" || path == "/console/staff" }

// logInStaff gives each browser a session of the console too, and the admin one.
func (l *looking) logInStaff(ctx context.Context) error {
	staff, err := l.staffCookies(ctx, Staff)
	if err != nil {
		return err
	}
	for i := range l.cookies {
		l.cookies[i] = append(l.cookies[i], staff...)
	}
	l.access, err = l.staffCookies(ctx, Admin)
	return err
}

// staffCookies are those of a member of staff who logs in.
func (l *looking) staffCookies(ctx context.Context, email string) ([]*http.Cookie, error) {
	w, err := l.ask(ctx, http.MethodPost, "/console/login", url.Values{"email": {email}}.Encode(), 0)
	if err == nil && w.status != http.StatusSeeOther {
		err = fmt.Errorf("%s was answered %d", email, w.status)
	}
	if err != nil {
		return nil, err
	}
	return (&http.Response{Header: w.header}).Cookies(), nil
}
