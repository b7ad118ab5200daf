package console

import (
	"errors"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/ui"
)

// team are those who may log in here, and where they have. Who may disable a person may end their sessions.
var team = register{
	Name: "staff", roles: seesAccess, tables: (*visit).teamTables,
	forms: []registerForm{{"add", control.AddStaff, (*visit).newStaffFields, (*submission).addStaff},
		{"role", control.SetStaffRole, (*visit).staffRoleFields, (*submission).setStaffRole},
		{"invite", control.InviteStaff, (*visit).staffFields, (*submission).inviteStaff},
		{"disable", control.DisableStaff, (*visit).staffFields, (*submission).disableStaff},
		{"end", control.DisableStaff, (*visit).staffSessionFields, (*submission).endStaffSession}},
}

func (v *visit) teamTables() ([]table, error) {
	all, err := v.allStaff()
	if err != nil {
		return nil, err
	}
	p := v.view("")
	members := table{Title: "staff.members", Empty: "staff.none", Columns: []column{{"staff.email", false},
		{"staff.role-of", false}, {"staff.source", false}, {"staff.state", false}, {"terms.by", false}}}
	sessions := table{Title: "staff.sessions", Empty: "staff.sessions.none", Columns: []column{{"staff.email", false},
		{"staff.session", false}, {"staff.device", false}, {"staff.seen", false}, {"tokens.until", false}}}
	for _, s := range all {
		state := cell{Text: p.T("staff.active")}
		if !s.Disabled.IsZero() {
			state = cell{Text: p.T("staff.disabled"), Note: p.Local(s.Disabled)}
		} else if v.Books.Now().Before(s.Invitation.Until) {
			state = cell{Text: p.T("staff.invited"), Note: p.Local(s.Invitation.Until)}
		}
		members.Rows = append(members.Rows, row{text(s.Email), text(p.T("role." + string(s.Role))),
			text(p.T("staff.source." + string(s.Source))), state, {Text: s.MadeBy, Note: p.Local(s.Made)}})
	}
	live, err := v.allSessions()
	for _, l := range live {
		sessions.Rows = append(sessions.Rows, row{text(l.Email), text(l.ID), {Text: p.Device(l.Client), Note: l.Address},
			text(p.Local(l.Seen)), text(p.Local(l.Expires))})
	}
	return []table{members, sessions}, err
}

func (v *visit) allStaff() ([]access.Staff, error) {
	return v.staff.of(func() ([]access.Staff, error) { return v.Logins.Staff(v.context()) })
}

func (v *visit) allSessions() ([]access.StaffSession, error) {
	return v.open.of(func() ([]access.StaffSession, error) { return v.Logins.AllStaffSessions(v.context()) })
}

func roleOptions() (roles []option) {
	for _, role := range access.StaffRoles {
		roles = append(roles, option{string(role), "role." + string(role)})
	}
	return roles
}

func (v *visit) newStaffFields() ([]field, error) {
	return []field{{Name: "email", Key: "staff.email", Hint: "staff.email.hint", Required: true},
		{Name: "role", Key: "staff.role-of", Options: roleOptions()}, {Name: "reason", Key: "reason"}}, nil
}

// staffFields choose a member of staff.
func (v *visit) staffFields() ([]field, error) {
	all, err := v.allStaff()
	members := []option{}
	for _, s := range all {
		members = append(members, option{Value: s.Email})
	}
	return []field{{Name: "email", Key: "staff.email", Options: members}, {Name: "reason", Key: "reason"}}, err
}

func (v *visit) staffRoleFields() ([]field, error) {
	fields, err := v.staffFields()
	return append([]field{{Name: "role", Key: "staff.role-of", Options: roleOptions()}}, fields...), err
}

// staffSessionFields choose a session of anybody's.
func (v *visit) staffSessionFields() ([]field, error) {
	live, err := v.allSessions()
	sessions := []option{}
	for _, l := range live {
		sessions = append(sessions, option{Value: l.Email + " " + l.ID})
	}
	return []field{{Name: "session", Key: "staff.session", Options: sessions}}, err
}

// addStaff lets a person log in: the code to register a passkey with is shown once.
func (s *submission) addStaff(f *ui.Form) error {
	role, err := access.ParseRole(f.Value("role"))
	if err != nil {
		return ledger.At("role", err)
	}
	return s.invite(f, func(p *people.People, email string, e access.Invitation) error {
		return p.AddStaff(s.context(), email, role, e)
	})
}

// inviteStaff lets a person register a passkey again.
func (s *submission) inviteStaff(f *ui.Form) error {
	return s.invite(f, func(p *people.People, email string, e access.Invitation) error {
		return p.InviteStaff(s.context(), email, e)
	})
}

// invite makes a code, which is shown where it is stored or proposed.
func (s *submission) invite(f *ui.Form, store func(p *people.People, email string, e access.Invitation) error) error {
	email, err := access.ParseEmail(typed(f, "email"))
	if err != nil {
		return ledger.At("email", err)
	}
	invitation, code, err := access.NewInvitation(s.random)
	if err != nil {
		return err
	}
	err = store(s.Books.People(), email, invitation)
	if errors.Is(err, control.ErrNeedsApproval) {
		s.secret = code
		return err
	}
	if err != nil {
		return err
	}
	member, err := s.Logins.StaffMember(s.context(), email)
	if err != nil {
		return err
	}
	if member.Invitation.Hash != invitation.Hash { // a member already: nothing has changed
		return ledger.ErrConflict.In("email", "%s is a member of staff already", email)
	}
	s.secret = code
	return nil
}

func (s *submission) setStaffRole(f *ui.Form) error {
	role, err := access.ParseRole(f.Value("role"))
	if err != nil {
		return ledger.At("role", err)
	}
	return s.Books.People().SetStaffRole(s.context(), f.Value("email"), role)
}

// disableStaff refuses a person, and ends the sessions.
func (s *submission) disableStaff(f *ui.Form) error {
	return s.Books.People().DisableStaff(s.context(), f.Value("email"))
}

// endStaffSession ends a session of anybody's, at once and in every process.
func (s *submission) endStaffSession(f *ui.Form) error {
	email, id, _ := strings.Cut(f.Value("session"), " ")
	return s.Books.People().EndStaffSession(s.context(), email, id)
}
