package web

import (
	"errors"
	"strings"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/ledger"
)

// transferKind is a transfer to another holder.
var transferKind = kind{
	name: "send", posts: ledger.Transfer, takes: true, fields: []string{"to"},
	offers: (*wallet).held, read: (*moveForm).readSend, check: (*moveForm).checkSend,
	between: func(m *moveForm) (from, to ledger.Account) { return m.Account(), m.To },
}

// readSend reads the recipient; checkSend finds out whether there is such an account.
func (m *moveForm) readSend() error {
	m.To = ledger.Account(strings.TrimSpace(m.F.Value("to")))
	switch {
	case m.To == "":
		m.F.SetFault("to", m.T("send.to.empty"))
	case m.To.CheckHolder() != nil:
		m.F.SetFault("to", m.T("send.to.invalid"))
	case m.To == m.Account():
		m.F.SetFault("to", m.T("send.to.self"))
	}
	m.Changes = []effect{m.wallet.effect(m.Asset, -m.Sum)}
	return nil
}

// checkSend checks that the recipient exists and takes tokens, and counts the check: who
// asks for many names learns who is here. A confirmation that is only shown was checked
// when its draft was made.
func (m *moveForm) checkSend(s *submission) error {
	if s == nil {
		return nil
	}
	wait, err := s.Books.People().CountRecipient(s.context(), m.Account())
	if err != nil {
		return err
	}
	if wait > 0 {
		m.F.SetFault("to", m.N("send.to.wait", ui.WholeMinutes(wait)))
		return nil
	}
	to, err := s.Books.Account(s.context(), m.To)
	switch {
	case errors.Is(err, ledger.ErrNotFound), err == nil && !to.Closed.IsZero():
		m.F.SetFault("to", m.T("send.to.unknown"))
	case err != nil:
		return err
	}
	return nil
}
