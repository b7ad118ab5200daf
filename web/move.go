package web

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/softstake/softstake/ledger"
)

func (s *server) moveRoutes() {
	s.moves(sending)
	s.get("/send/{entry}", func(v *visit) error { return v.done("send", ledger.Transfer) })

	s.moves(withdrawing)
	s.get("/withdraw/{entry}", (*visit).withdrawal)

	if s.Convert != nil {
		s.moves(converting)
	} else {
		s.forms("/convert", (*visit).convertsNot, (*visit).convertsNot)
	}
	s.get("/convert/{entry}", func(v *visit) error { return v.done("convert", ledger.Trade) })

	if s.Play != nil {
		s.moves(depositing)
		s.forms("/withdraw/{entry}/end", (*visit).seeWithdrawal, (*visit).endWithdrawal)
	} else {
		s.get("/deposit", (*visit).deposits)
	}
	s.get("/deposit/{entry}", func(v *visit) error { return v.done("deposit", ledger.Deposit) })
}

// kind is a way for tokens to move: a form in two steps. What was typed becomes a draft
// in the books, which is shown with all that it does, and the second press posts it.
type kind struct {
	name   string   // of its page, its path and its texts
	takes  bool     // it takes from what is free, so that there is a most
	fields []string // what it asks beside the asset and the amount

	offers func(*wallet) []offer                     // the assets that it may be done with
	read   func(*moving) error                       // reads its own fields, and says what they change
	check  func(*moving) error                       // says what the books have against it
	same   func(*moving, ledger.Entry) (bool, error) // reports whether an entry is this very move
	post   func(*moving) error                       // posts it
}

// moves adds the pages of a kind: the form, which makes a draft, and the confirmation
// of a draft, which posts it.
func (s *server) moves(k kind) {
	s.forms("/"+k.name, func(v *visit) error { return v.ask(k) }, func(v *visit) error { return v.fillIn(k) })
	s.forms(k.confirmation("{draft}"), func(v *visit) error { return v.confirmMove(k) },
		func(v *visit) error { return v.move(k) })
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
	strict bool   // the form is to be taken as it is: nothing is filled in
	posts  bool   // it is confirmed: what is read counts

	Offers  []offer
	Asset   ledger.Asset  // zero: there is nothing to move
	Free    ledger.Amount // of it
	Sum     ledger.Amount // zero: none yet
	Changes []effect      // what the move does, by asset

	To       ledger.Account // of what is sent
	Exchange exchange       // of what is converted
	List     any            // what happened before, where the page shows that
}

// ask is the form: empty, or with the fields of a draft that is changed.
func (v *visit) ask(k kind) error {
	id := v.value(draftField)
	f, _, err := v.draft(id, "/"+k.name)
	if errors.Is(err, ledger.ErrNotFound) {
		f, err = emptyForm(), nil
		if id != "" {
			return v.gone(k, id)
		}
		if v.ownLink() {
			f.values.Set("asset", v.value("asset"))
		}
	}
	if err != nil {
		return err
	}
	m, err := v.moving(k, f, false)
	if err != nil {
		return err
	}
	return m.showTyped()
}

// ownLink reports whether a link on one of our own pages led here: such a one chooses the
// token, and no more than that.
func (v *visit) ownLink() bool { return v.r.Header.Get("Sec-Fetch-Site") == "same-origin" }

// showTyped shows a form that is being typed: no reproaches.
func (m *moving) showTyped() error {
	m.Draft = cmp.Or(m.F.Fault("asset"), m.F.Fault("into"))
	if m.Draft == "" && m.F.Value("amount") != "" {
		m.Draft = m.F.Fault("amount")
	}
	m.F.faults = map[string]string{}
	return m.show()
}

// before answers a form whose ID has moved something already: with what that was or,
// where it was something else, with the form under a new ID.
func (m *moving) before() (answered bool, err error) {
	e, _, err := m.visit.Reports.Entry(m.visit.context(), m.entry())
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
		return true, m.done()
	}
	return true, m.another()
}

// another shows a form whose ID has moved something else before, with a new ID.
func (m *moving) another() (err error) {
	if m.ID, err = newID(m.visit.Random); err != nil {
		return err
	}
	m.status, m.Sure = http.StatusConflict, false
	m.F.fault("", m.T("move.another"))
	return m.show()
}

// refused shows the form after the books have refused it: what it was read with is
// not so any more, and read again it says why.
func (v *visit) refused(was *moving, why error) error {
	m, err := v.moving(was.kind, formOf(was.F.values), true)
	if err != nil {
		return err
	}
	m.status = was.status
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

// moving reads a form, and what the account has. A strict form is taken as it is.
func (v *visit) moving(k kind, f *form, strict bool) (*moving, error) {
	m := &moving{
		view: v.view(k.name + ".title"), kind: k, F: f, ID: f.Value("id"), status: http.StatusUnprocessableEntity,
		strict: strict, posts: strict && v.r.Method == http.MethodPost,
	}
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
	if err := m.choose(f.Value("asset")); err != nil {
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
		if m.strict {
			m.F.fault("asset", m.T("move.asset.empty"))
		}
		return nil
	}
	asset, known := m.wallet.assets[symbol]
	if !known {
		return ledger.ErrNotFound.In("asset", "the asset %s", ledger.Clip(symbol))
	}
	m.Asset, m.Free = asset, m.wallet.free[symbol]
	if !slices.ContainsFunc(m.Offers, func(o offer) bool { return o.Asset == asset }) {
		m.Offers = append(m.Offers, offer{asset, m.Free})
	}
	return nil
}

// readAmount reads the amount: of a draft in smallest units, else as it was typed. All
// that is free is filled in only while the form is typed: what is posted is the amount
// that the button named.
func (m *moving) readAmount() {
	typed := m.F.Value("amount")
	if units, err := strconv.ParseInt(m.F.Value(unitsField), 10, 64); err == nil {
		typed = m.typed(m.Asset, ledger.Amount(units))
		m.F.values.Set("amount", typed)
	} else if m.kind.takes && !m.strict && m.F.Value("max") != "" && m.Free > 0 {
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

// Frozen reports whether the move is one that a frozen account does not make.
func (m *moving) Frozen() bool { return m.kind.takes && m.wallet.holder.Frozen }

// Takes reports whether it takes from what is free.
func (m *moving) Takes() bool { return m.kind.takes }

// entry is the ID of the entry that the form posts.
func (m *moving) entry() string { return entryID(m.Account(), m.ID) }

// path is the page of what the form has posted.
func (m *moving) path() string { return "/" + m.kind.name + "/" + m.entry() }

// Back is the form of the draft that is being confirmed, to be changed.
func (m *moving) Back() string {
	return address("/"+m.kind.name, draftField, m.visit.r.PathValue("draft"))
}

// moves are the one move of the form's entry.
func (m *moving) moves(from, to ledger.Account) []ledger.Move {
	return []ledger.Move{{From: from, To: to, Asset: m.Asset.Symbol, Amount: m.Sum}}
}

// is reports whether an entry is of a kind, and has these moves.
func is(e ledger.Entry, kind ledger.Kind, moves []ledger.Move) bool {
	return e.Kind == kind && slices.Equal(e.Moves, moves)
}

// postEntry posts the form's entry.
func (m *moving) postEntry(kind ledger.Kind, moves []ledger.Move) error {
	_, err := m.visit.Books.PostAll(m.visit.context(), []ledger.Entry{{ID: m.entry(), Kind: kind, Moves: moves}})
	return err
}
