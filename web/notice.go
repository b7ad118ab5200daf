package web

import (
	"errors"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

// readNotices reads what the account's holders were notified of.
func (v *visit) readNotices(after cursor, limit int) (read []event, over bool, err error) {
	notices, err := v.People.Notices(v.context(), v.account(), &people.Notice{At: after.before(), Nonce: after.ID}, limit)
	for _, n := range notices {
		e := event{cursor: cursor{At: n.At.UnixMilli(), ID: n.Nonce}, Name: "notice-" + string(n.Kind)}
		switch {
		case n.Kind == people.NoticeDevice && len(n.Facts) == 2:
			e.Client, e.Address = n.Facts[0], n.Facts[1]
		case n.Kind == people.NoticePaused && len(n.Facts) > 0:
			e.Name += "-" + n.Facts[0]
		default:
			e.Detail = strings.Join(n.Facts, ", ")
		}
		read = append(read, e)
	}
	return read, len(notices) < limit, err
}

// rememberLanguage keeps the language of the person's pages: their mail is in it.
func (s *submission) rememberLanguage(email string) error {
	return s.Books.People().ChangeMailSettings(s.context(), email,
		func(m *people.MailSettings) { m.Language = s.locale.Tag })
}

// setMail sets which mail the person gets.
func (s *submission) setMail() error {
	err := s.Books.People().ChangeMailSettings(s.context(), s.session.Email, func(m *people.MailSettings) {
		m.Optional, m.Language = s.value("optional") != "", s.locale.Tag
	})
	if err != nil {
		return err
	}
	return s.see("/account", "done", "mail")
}

// unsubscribePage is the page of the link in a mail.
type unsubscribePage struct {
	*view
	Done bool
}

// Where is where the page is, and where its form is posted.
func (p unsubscribePage) Where() string { return p.Path() }

// askToUnsubscribe shows the button: a program that follows each link of a mail unsubscribes nobody.
func (v *visit) askToUnsubscribe() error {
	return v.show("unsubscribe", unsubscribePage{view: v.view("unsubscribe.title")})
}

// unsubscribe ends the mail that a person may do without, for the address in the link. A mail program may post it by
// itself when its user asks for that [RFC 8058]. It is idempotent, and also succeeds for a login that was removed.
func (s *submission) unsubscribe() error {
	signer, err := s.unsubscriber()
	if err != nil {
		return err
	}
	email, err := signer.Email(s.r.PathValue("text"))
	if errors.Is(err, access.ErrUnknown) {
		return ledger.ErrNotFound.In("", "the link of a mail")
	}
	if err == nil {
		err = s.Books.People().ChangeMailSettings(s.context(), email, func(m *people.MailSettings) { m.Optional = false })
	}
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return err
	}
	return s.show("unsubscribe", unsubscribePage{view: s.view("unsubscribe.title"), Done: true})
}

// unsubscriber reads the texts in the links of mails.
func (s *submission) unsubscriber() (access.Unsubscriber, error) {
	secret, err := s.Books.People().DerivedSecret(s.context(), s.Sealer, people.UnsubscribeSecret, s.Random)
	return access.NewUnsubscriber(secret), err
}
