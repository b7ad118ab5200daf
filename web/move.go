package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

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

// fillIn makes a draft of what was filled in, and leads to its confirmation. What is
// wrong comes back with the form. While it is being typed, and where all that is free is
// asked for, the form comes back as well, and nothing is kept.
func (v *visit) fillIn(k kind) error {
	typing, f := v.value("look") != "" || v.value("max") != "", v.form()
	f.values.Del(unitsField) // is a draft's
	m, err := v.moving(k, f, !typing)
	if err != nil {
		return err
	}
	if typing {
		return m.showTyped()
	}
	if m.Frozen() {
		return ledger.ErrFrozen // nobody confirms what the books will refuse
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
	id, err := v.addDraft(m.ID, "/"+k.name, m.fields())
	if err != nil {
		return err
	}
	return v.see(k.confirmation(id), nil)
}

// confirmation is the page of a draft.
func (k kind) confirmation(draft string) string { return "/" + k.name + "/draft/" + draft + "/confirm" }

// fields are those of the draft: the amount in smallest units, so that it is the same in
// every language, and what the kind asks.
func (m *moving) fields() url.Values {
	fields := url.Values{"id": {m.ID}, "asset": {m.Asset.Symbol}, unitsField: {strconv.FormatInt(int64(m.Sum), 10)}}
	for _, name := range m.kind.fields {
		fields.Set(name, m.F.Value(name))
	}
	m.Exchange.keep(fields)
	return fields
}

// unitsField is the amount of a draft that may be confirmed.
const unitsField = "units"

// confirmMove shows a draft to be confirmed.
func (v *visit) confirmMove(k kind) error { return v.ofDraft(k, (*moving).show) }

// move posts the draft that was confirmed, once: nothing else of what the browser sends
// counts. The same again leads to the same page.
func (v *visit) move(k kind) error {
	return v.ofDraft(k, func(m *moving) error {
		if !m.Sure {
			return m.show()
		}
		switch err := k.post(m); {
		case errors.Is(err, ledger.ErrConflict): // posted at this moment, with other figures
			return m.another()
		case errors.Is(err, ledger.ErrInsufficient), errors.Is(err, ledger.ErrInvalid),
			errors.Is(err, ledger.ErrNotFound), isConversionError(err):
			return v.refused(m, err)
		case err != nil:
			return err
		}
		return m.done()
	})
}

// ofDraft reads the draft that the path names, looks at it again, and goes on with it.
// One of another session is a form that is to be filled in again: whoever has logged in
// again finds the fields, and a link leads nobody to a confirmation.
func (v *visit) ofDraft(k kind, then func(*moving) error) error {
	id := v.r.PathValue("draft")
	f, here, err := v.draft(id, "/"+k.name)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return v.gone(k, id)
	case err != nil:
		return err
	case !here || f.Value(unitsField) == "":
		return v.see("/"+k.name, url.Values{draftField: {id}})
	}
	m, err := v.moving(k, f, true)
	if err != nil {
		return err
	}
	if answered, err := m.before(); answered || err != nil {
		return err
	}
	if err := m.look(); err != nil {
		return err
	}
	return then(m)
}

// gone answers where a draft is not there any more: with what it has moved, or with an
// empty form.
func (v *visit) gone(k kind, id string) error {
	m, err := v.moving(k, emptyForm(), false)
	if err != nil {
		return err
	}
	if form := formOfDraft(id); form != "" {
		used := *m
		used.ID = form
		if e, _, err := v.Reports.Entry(v.context(), used.entry()); err == nil {
			return v.see("/"+k.name+"/"+url.PathEscape(e.ID), nil)
		} else if !errors.Is(err, ledger.ErrNotFound) {
			return err
		}
	}
	m.F.faults = map[string]string{}
	m.F.fault("", m.T("move.gone"))
	m.status = http.StatusGone
	return m.show()
}

// done leads to what was posted. The draft is not needed any more.
func (m *moving) done() error {
	v := m.visit
	if id := v.r.PathValue("draft"); id != "" {
		if err := v.Books.People().RemoveDraft(v.context(), v.account(), id); err != nil {
			v.Log.Warn("a draft that was used is not removed yet; it is when it is over", "request",
				v.caller.Request, "error", err)
		}
	}
	return v.see(m.path(), nil)
}

// donePage is what has moved, as it was posted, and what there is now.
type donePage struct {
	*view
	Kind     string
	Entry    string
	At       time.Time // when it counts
	PostedAt time.Time
	Moves    []doneMove
	Other    ledger.Account // the other side: a holder's account, or a house account
	Balances []effect       // what is free now, and its day, by asset
}

// doneMove is a move as the visitor sees it.
type doneMove struct {
	Asset ledger.Asset
	Came  ledger.Amount // below zero: went
}

// done shows an entry that moved the visitor's own tokens; that of another's is not found.
func (v *visit) done(name string, kind ledger.Kind) error {
	e, postedAt, err := v.Reports.Entry(v.context(), v.r.PathValue("entry"))
	if err != nil {
		return err
	}
	w, err := v.wallet()
	if err != nil {
		return err
	}
	p := donePage{view: v.view(name + ".done.title"), Kind: name, Entry: e.ID, At: e.At, PostedAt: postedAt}
	for _, m := range e.Moves {
		of := w.assets[m.Asset]
		switch v.account() {
		case m.From:
			p.Moves, p.Other = append(p.Moves, doneMove{of, -m.Amount}), m.To
		case m.To:
			p.Moves, p.Other = append(p.Moves, doneMove{of, m.Amount}), m.From
		}
		if !slices.ContainsFunc(p.Balances, func(b effect) bool { return b.Asset == of }) {
			p.Balances = append(p.Balances, w.effect(of, 0))
		}
	}
	if e.Kind != kind || len(p.Moves) != len(e.Moves) {
		return ledger.ErrNotFound.In("", "the entry %s", ledger.Clip(e.ID))
	}
	if kind == ledger.Transfer && p.Moves[0].Came > 0 {
		p.Kind, p.Title = "receive", "receive.done.title"
	}
	return v.show("moved", p)
}
