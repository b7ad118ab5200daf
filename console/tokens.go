package console

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/ui"
)

// seesAccess are the roles that see who may come in.
var seesAccess = []access.Role{access.Auditor, access.Admin}

// tokens are all bearer tokens of the API, without their secrets.
var tokens = register{
	Name: "tokens", roles: seesAccess, tables: (*visit).tokensTables,
	forms: []registerForm{{"create", control.CreateToken, (*visit).tokensFields, (*submission).createToken},
		{"revoke", "token revoke", (*visit).liveTokensFields, (*submission).revokeToken}},
}

func (v *visit) tokensTables() ([]table, error) {
	all, err := v.Logins.Tokens(v.context())
	columns := []column{{"tokens.id", false}, {"tokens.duty", false}, {"tokens.person", false}, {"tokens.from", false},
		{"tokens.most", false}, {"tokens.made", false}, {"tokens.until", false}}
	live := table{Title: "tokens.live", Empty: "tokens.none", Columns: columns}
	over := table{Title: "tokens.over", Empty: "tokens.over.none", Columns: columns}
	p, now := v.view(""), v.Books.Now()
	for _, t := range all {
		at, until := &live, cell{Text: p.T("tokens.never")}
		switch ends := t.Ends(); {
		case !t.Revoked.IsZero():
			at, until = &over, cell{Text: p.Local(t.Revoked), Note: p.T("tokens.revoked")}
		case !ends.IsZero() && !now.Before(ends):
			at, until = &over, cell{Text: p.Local(ends), Note: p.T("tokens.expired")}
		case !ends.IsZero():
			until.Text = p.Local(ends)
		}
		if t.Soon(now) && at == &live {
			until.Note = p.T("tokens.soon")
		}
		from := cell{Text: cmp.Or(access.FormatAddresses(t.Addresses), p.T("tokens.anywhere")), Note: t.Subject}
		at.Rows = append(at.Rows, row{{Text: t.ID, Note: t.Label}, text(t.Duty()), text(t.Person), from,
			text(p.mostOf(t)), text(p.Local(t.Created)), until})
	}
	return []table{live, over}, err
}

// mostOf is how much a token may do on a day.
func (p *view) mostOf(t access.Token) string {
	switch {
	case t.Role != access.Exchange:
		return "–"
	case t.Ceilings == "":
		return p.T("tokens.unlimited")
	}
	return string(t.Ceilings)
}

// tokensFields are those of the form for a token of staff, or of a back end.
func (v *visit) tokensFields() ([]field, error) {
	roles := []option{}
	for _, part := range []string{"exchange", "deposits", "trades", "withdrawals", "enrollment"} {
		roles = append(roles, option{part, "tokens.role." + part})
	}
	for _, role := range access.StaffRoles {
		roles = append(roles, option{string(role), "role." + string(role)})
	}
	return []field{
		{Name: "role", Key: "tokens.duty", Options: roles},
		{Name: "person", Key: "tokens.person", Hint: "tokens.person.hint"},
		{Name: "label", Key: "tokens.label", Hint: "tokens.label.hint"},
		{Name: "days", Key: "tokens.days", Hint: "tokens.days.hint"},
		{Name: "from", Key: "tokens.from", Hint: "tokens.from.hint"},
		{Name: "limits", Key: "tokens.most", Hint: "tokens.limits.hint"},
		{Name: "reason", Key: "reason"},
	}, nil
}

// liveTokensFields are those of the form that revokes a token.
func (v *visit) liveTokensFields() ([]field, error) {
	all, err := v.Logins.Tokens(v.context())
	live := []option{}
	for _, t := range all {
		if t.Live(v.Books.Now()) == nil {
			live = append(live, option{Value: t.ID})
		}
	}
	return []field{{Name: "id", Key: "tokens.id", Options: live}}, err
}

// tokenDays is how many days a token lives where nothing is typed, and mostTokenDays how many it may.
const (
	tokenDays     = 90
	mostTokenDays = 3650
)

// createToken makes a token, or proposes it: its text is shown once, and it is usable when it is approved.
func (s *submission) createToken(f *ui.Form) error {
	role, parts, err := access.ParseRoleAndParts(f.Value("role"))
	if err != nil {
		return ledger.At("role", err)
	}
	days := int64(tokenDays)
	if typed(f, "days") != "" {
		days, err = ledger.ParseDecimal(typed(f, "days"), 0)
		if err == nil && (days < 1 || days > mostTokenDays) {
			err = ledger.ErrInvalid.In("", "a token lives 1 to %d days", mostTokenDays)
		}
		if err != nil {
			return ledger.At("days", err)
		}
	}
	token, secret, err := access.NewToken(s.random)
	if err != nil {
		return err
	}
	token.Role, token.Parts = role, parts
	token.Label, token.Person = typed(f, "label"), access.PersonOf(typed(f, "person"))
	token.Expires = s.visit.Books.Now().Add(time.Duration(days) * 24 * time.Hour)
	if token.Addresses, err = access.ParseAddresses(typed(f, "from")); err != nil {
		return ledger.At("from", err)
	}
	if role == access.Exchange {
		token.Ceilings, err = access.ParseCeilings(parts, strings.Fields(f.Value("limits"))...)
	} else if typed(f, "limits") != "" {
		err = ledger.ErrInvalid.In("", "only a back end's token has a limit")
	}
	if err != nil {
		return ledger.At("limits", err)
	}
	err = s.Books.People().AddToken(s.context(), token)
	if err == nil || errors.Is(err, control.ErrNeedsApproval) {
		s.secret = secret
	}
	return err
}

// revokeToken ends a token at once.
func (s *submission) revokeToken(f *ui.Form) error {
	return s.Books.People().RevokeToken(s.context(), f.Value("id"))
}
