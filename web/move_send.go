package web

import (
	"errors"
	"strings"

	"github.com/softstake/softstake/ledger"
)

// sending is a transfer to another holder.
var sending = kind{
	name: "send", takes: true, fields: []string{"to"},
	offers: (*wallet).held, read: (*moving).readSend, check: (*moving).checkSend, same: (*moving).sameSend,
	post: (*moving).postSend,
}

// readSend reads who it goes to. Whether there is such an account is not looked at here.
func (m *moving) readSend() error {
	m.To = ledger.Account(strings.TrimSpace(m.F.Value("to")))
	switch {
	case m.To == "":
		m.F.fault("to", m.T("send.to.empty"))
	case m.To.CheckHolder() != nil:
		m.F.fault("to", m.T("send.to.invalid"))
	case m.To == m.Account():
		m.F.fault("to", m.T("send.to.self"))
	}
	m.Changes = []effect{m.wallet.effect(m.Asset, -m.Sum)}
	return nil
}

// checkSend looks whether the account is there, and takes tokens. A confirmation that is
// only shown was looked at when its draft was made.
func (m *moving) checkSend() error {
	v := m.visit
	if !m.posts {
		return nil
	}
	wait, err := v.Books.People().CountRecipient(v.context(), m.Account())
	if err != nil {
		return err
	}
	if wait > 0 {
		m.F.fault("to", m.N("send.to.wait", minutes(wait)))
		return nil
	}
	to, err := v.Books.Account(v.context(), m.To)
	switch {
	case errors.Is(err, ledger.ErrNotFound), err == nil && !to.Closed.IsZero():
		m.F.fault("to", m.T("send.to.unknown"))
	case err != nil:
		return err
	}
	return nil
}

func (m *moving) sameSend(e ledger.Entry) (bool, error) {
	return is(e, ledger.Transfer, m.moves(m.Account(), m.To)), nil
}

func (m *moving) postSend() error { return m.postEntry(ledger.Transfer, m.moves(m.Account(), m.To)) }
