package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"softstake/ledger"
)

func (s *server) moveRoutes() {
	s.moves(sending)
	s.get("/send/{entry}", func(v *visit) error { return v.done("send", ledger.Transfer) })

	s.moves(withdrawing)
	s.get("/withdraw/{entry}", (*visit).withdrawal)

	if s.Convert {
		s.moves(converting)
	} else {
		s.get("/convert", (*visit).convertsNot)
		s.post("/convert", (*visit).convertsNot)
	}
	s.get("/convert/{entry}", func(v *visit) error { return v.done("convert", ledger.Trade) })

	if s.Play != nil {
		s.moves(depositing)
		s.get("/withdraw/{entry}/end", (*visit).seeWithdrawal)
		s.post("/withdraw/{entry}/end", (*visit).endWithdrawal)
	} else {
		s.get("/deposit", (*visit).deposits)
	}
	s.get("/deposit/{entry}", func(v *visit) error { return v.done("deposit", ledger.Deposit) })
}

// kind is a way for tokens to move: a form in two steps. What was typed is shown
// again with all that it does, and the second press posts it.
type kind struct {
	name   string   // of its page, its path and its texts
	takes  bool     // it takes from what is free, so that there is a most
	fields []string // what it asks beside the asset and the amount

	offers func(*wallet) []offer                     // the assets that it may be done with
	read   func(*moving) error                       // reads its own fields, and says what they change
	check  func(*moving) error                       // says what the books have against it
	same   func(*moving, ledger.Entry) (bool, error) // says whether an entry is this very move
	post   func(*moving) error                       // posts it
}

// moves adds the pages of a kind.
func (s *server) moves(k kind) {
	s.get("/"+k.name, func(v *visit) error { return v.ask(k) })
	s.post("/"+k.name, func(v *visit) error { return v.move(k) })
}

// moving is the page of a move that is being asked for. What is wrong with it is a
// fault of its form.
type moving struct {
	*view
	kind   kind
	wallet *wallet
	F      *form
	ID     string // of the form: it moves once
	Sure   bool   // nothing is wrong: it is shown to be confirmed
	Draft  string // what is wrong with what is being typed, or ""
	status int    // of the answer where something is wrong

	Offers  []offer
	Asset   ledger.Asset  // zero: there is nothing to move
	Free    ledger.Amount // of it
	Sum     ledger.Amount // zero: none yet
	Changes []effect      // what the move does, by asset

	To       ledger.Account // of what is sent
	Exchange exchange       // of what is converted
	List     any            // what happened before, where the page shows that
}

// ask is the form: to be filled in or, once it is, to be confirmed.
func (v *visit) ask(k kind) error {
	m, err := v.moving(k)
	if err != nil {
		return err
	}
	if v.value("step") == "" { // it is being typed: no reproaches
		if v.value("amount") != "" {
			m.Draft = cmp.Or(m.F.Fault("asset"), m.F.Fault("into"), m.F.Fault("amount"))
		}
		m.F.faults = map[string]string{}
		return m.show()
	}
	if answered, err := m.before(); answered || err != nil {
		return err
	}
	if err := m.look(); err != nil {
		return err
	}
	return m.show()
}

// move posts what was confirmed, once: the same form again leads to the same page.
func (v *visit) move(k kind) error {
	m, err := v.moving(k)
	if err != nil {
		return err
	}
	if answered, err := m.before(); answered || err != nil {
		return err
	}
	if err := m.look(); err != nil {
		return err
	}
	if !m.Sure {
		return m.show()
	}
	switch err := k.post(m); {
	case errors.Is(err, ledger.ErrMismatch): // posted at this moment, with other figures
		return m.another()
	case errors.Is(err, ledger.ErrInsufficient), errors.Is(err, ledger.ErrInvalid), errors.Is(err, ledger.ErrNotFound):
		return v.refused(k, m.ID, err)
	case err != nil:
		return err
	}
	return v.see(m.path(), nil)
}

// before answers a form whose ID has moved something already: with what that was or,
// where it was something else, with the form under a new ID.
func (m *moving) before() (answered bool, err error) {
	e, _, err := m.visit.Books.Entry(m.visit.context(), m.entry())
	if errors.Is(err, ledger.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	same, err := m.kind.same(m, e)
	switch {
	case err != nil:
		return false, err
	case same:
		return true, m.visit.see(m.path(), nil)
	}
	return true, m.another()
}

// another shows a form whose ID has moved something else before, with a new ID.
func (m *moving) another() (err error) {
	if m.ID, err = newID(m.visit.Random); err != nil {
		return err
	}
	m.status = http.StatusConflict
	m.F.fault("", m.T("move.another"))
	return m.show()
}

// refused shows the form after the books have refused it: what it was read with is
// not so any more, and read again it says why.
func (v *visit) refused(k kind, id string, why error) error {
	m, err := v.moving(k)
	if err != nil {
		return err
	}
	m.ID = id
	if err := m.look(); err != nil {
		return err
	}
	if m.Sure {
		v.Log.Warn("the books refused a move", "request", v.caller.Request, "error", why)
		m.F.fault("", m.T("move.refused"))
		m.Sure = false
	}
	return m.show()
}

// moving reads the form, and what the account has.
func (v *visit) moving(k kind) (*moving, error) {
	m := &moving{view: v.view(k.name + ".title"), kind: k, F: v.form(), ID: v.value("id"), status: http.StatusUnprocessableEntity}
	var err error
	if !isID(m.ID) {
		if m.ID, err = newID(v.Random); err != nil {
			return nil, err
		}
	}
	if m.wallet, err = v.wallet(); err != nil {
		return nil, err
	}
	m.Offers = k.offers(m.wallet)
	if err := m.choose(v.value("asset")); err != nil {
		return nil, err
	}
	if m.Asset.Symbol != "" {
		m.readAmount()
	}
	return m, k.read(m)
}

// choose takes the asset that is asked for, or the first there is.
func (m *moving) choose(symbol string) error {
	if symbol == "" {
		if len(m.Offers) > 0 {
			m.Asset, m.Free = m.Offers[0].Asset, m.Offers[0].Free
		}
		if m.strict() {
			m.F.fault("asset", m.T("move.asset.empty"))
		}
		return nil
	}
	asset, known := m.wallet.assets[symbol]
	if !known {
		return fmt.Errorf("%w: the asset %s", ledger.ErrNotFound, ledger.Clip(symbol))
	}
	m.Asset, m.Free = asset, m.wallet.free[symbol]
	if !slices.ContainsFunc(m.Offers, func(o offer) bool { return o.Asset == asset }) {
		m.Offers = append(m.Offers, offer{asset, m.Free})
	}
	return nil
}

// strict says that the form is to be taken as it is: nothing is filled in.
func (m *moving) strict() bool {
	return m.visit.value("step") != "" || m.visit.r.Method == http.MethodPost
}

// readAmount reads the amount. All that is free is filled in only while the form is
// shown: what is posted is the amount that the button named.
func (m *moving) readAmount() {
	typed := m.F.Value("amount")
	if m.kind.takes && m.visit.r.Method == http.MethodGet && (typed == "max" || m.F.Value("max") != "") && m.Free > 0 {
		typed = m.typed(m.Asset, m.Free)
		m.F.values.Set("amount", typed)
	}
	var fault string
	if m.Sum, fault = m.locale.amount(m.Asset, typed); fault != "" {
		m.F.fault("amount", fault)
	} else if m.kind.takes && m.Sum > m.Free {
		m.F.fault("amount", m.T("move.too-much", "free", m.Plain(m.Asset, m.Free), "asset", m.Asset.Symbol))
	}
}

// look asks the books about a form that is right in itself, and decides whether it
// may be confirmed.
func (m *moving) look() error {
	if m.Asset.Symbol != "" && !m.F.Faulty() {
		if err := m.kind.check(m); err != nil {
			return err
		}
		m.Sure = !m.F.Faulty()
	}
	return nil
}

func (m *moving) show() error {
	if m.F.Faulty() {
		return m.visit.showAs(m.status, m.kind.name, m)
	}
	return m.visit.show(m.kind.name, m)
}

// Kind is the name of the page, its path and its texts.
func (m *moving) Kind() string { return m.kind.name }

// Fields are those of its own.
func (m *moving) Fields() []string { return m.kind.fields }

// Frozen says whether the move is one that a frozen account does not make.
func (m *moving) Frozen() bool { return m.kind.takes && m.wallet.frozen }

// Takes says whether it takes from what is free.
func (m *moving) Takes() bool { return m.kind.takes }

// entry is the ID of the entry that the form posts.
func (m *moving) entry() string { return entryID(m.Account(), m.ID) }

// path is the page of what the form has posted.
func (m *moving) path() string { return "/" + m.kind.name + "/" + m.entry() }

// Back is the form as it is filled in, to be changed.
func (m *moving) Back() string {
	query := url.Values{"id": {m.ID}, "asset": {m.Asset.Symbol}, "amount": {m.F.Value("amount")}}
	for _, name := range m.kind.fields {
		query.Set(name, m.F.Value(name))
	}
	return "/" + m.kind.name + "?" + query.Encode()
}

// moves are the one move of the form's entry.
func (m *moving) moves(from, to ledger.Account) []ledger.Move {
	return []ledger.Move{{From: from, To: to, Asset: m.Asset.Symbol, Amount: m.Sum}}
}

// is says whether an entry is of a kind, and has these moves.
func is(e ledger.Entry, kind ledger.Kind, moves []ledger.Move) bool {
	return e.Kind == kind && slices.Equal(e.Moves, moves)
}

// postEntry posts the form's entry.
func (m *moving) postEntry(kind ledger.Kind, moves []ledger.Move) error {
	_, err := m.visit.Books.PostAll(m.visit.context(), []ledger.Entry{{ID: m.entry(), Kind: kind, Moves: moves}})
	return err
}
