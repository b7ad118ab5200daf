package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/store"
)

// kind is a way for tokens to move: a form in two steps. What was typed becomes a draft
// in the books, which is shown with all its effects, and confirming the draft posts it.
type kind struct {
	name   string      // of its page, its path and its texts
	posts  ledger.Kind // of its entry
	takes  bool        // it takes from what is free, which then is the most
	fields []string    // what it asks beside the asset and the amount

	offers  func(*wallet) []offer                       // the assets that may be moved
	between func(*moveForm) (from, to ledger.Account)   // the sides of its move, or of the first
	read    func(*moveForm) error                       // reads its own fields, and their effects
	check   func(*moveForm, *submission) error          // what the books have against it; nil: nothing
	same    func(*moveForm, ledger.Entry) (bool, error) // whether an entry is this move; nil: by its moves
	post    func(*submission, *moveForm) error          // nil: posts the entry of its move
}

// routes are the form, which makes a draft, and the confirmation of a draft, which posts it.
func (k kind) routes() []route {
	return []route{
		{
			path: "/" + k.name,
			page: func(v *visit) error { return v.ask(k) }, form: func(s *submission) error { return s.fillIn(k) },
		},
		{
			path: k.confirmation("{draft}"),
			page: func(v *visit) error { return v.confirmMove(k) }, form: func(s *submission) error { return s.move(k) },
		},
	}
}

// moveForm is the page of a move: the form, its faults, and the effects of the move.
type moveForm struct {
	*view
	kind   kind
	wallet *wallet
	F      *ui.Form
	ID     string // of the form: the idempotency key of what it posts
	Sure   bool   // nothing is wrong: it is shown to be confirmed
	Draft  string // what is wrong with what is being typed, or ""
	status int    // of the response where something is wrong
	strict bool   // the form is read as it is: nothing is filled in

	Offers  []offer
	Asset   ledger.Asset  // zero: there is nothing to move
	Daily   *dailyLimit   // of it and what leaves the account; nil: there is none
	Free    ledger.Amount // of it
	Sum     ledger.Amount // zero: none yet
	Changes []effect      // the effects of the move, by asset

	To       ledger.Account // of a transfer
	Exchange exchange       // of a conversion
	Places   destinations   // where a withdrawal may go
	List     any            // earlier moves, where the page shows them
}

// ask is the form: empty, or with the fields of a draft that is changed.
func (v *visit) ask(k kind) error {
	id := v.value(draftField)
	f, _, err := v.draft(id, "/"+k.name)
	if errors.Is(err, ledger.ErrNotFound) {
		f, err = ui.EmptyForm(), nil
		if id != "" {
			return v.gone(k, id)
		}
		if v.ownLink() {
			f.Values.Set("asset", v.value("asset"))
		}
	}
	if err != nil {
		return err
	}
	m, err := v.moveForm(k, f, false)
	if err != nil {
		return err
	}
	return m.showTyped()
}

// ownLink reports whether a link on one of our own pages led here: only such a link
// chooses the token, and nothing else.
func (v *visit) ownLink() bool { return v.r.Header.Get("Sec-Fetch-Site") == "same-origin" }

// showTyped shows a form that is being typed, without faults at its fields.
func (m *moveForm) showTyped() error {
	m.Draft = cmp.Or(m.F.Fault("asset"), m.F.Fault("into"))
	if m.Draft == "" && m.F.Value("amount") != "" {
		m.Draft = m.F.Fault("amount")
	}
	m.F.Faults = map[string]string{}
	return m.show()
}

// answerPosted answers a form whose ID has posted something already: with that entry or,
// where it is another move, with the form under a new ID. Then the error is errAnswered.
func (m *moveForm) answerPosted() error {
	e, _, err := m.visit.Reports.Entry(m.visit.context(), m.entryID())
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	same, err := m.same(e)
	switch {
	case err != nil:
		return err
	case same:
		return answered(m.done())
	}
	return answered(m.another())
}

// another shows a form whose ID has moved something else before, with a new ID.
func (m *moveForm) another() (err error) {
	if m.ID, err = newID(m.visit.Random); err != nil {
		return err
	}
	m.status, m.Sure = http.StatusConflict, false
	m.F.SetFault("", m.T("move.another"))
	return m.show()
}

// refused shows the form after the books have refused the move: balances or prices have
// changed, and reading the form again finds the fault.
func (s *submission) refused(was *moveForm, why error) error {
	m, err := s.moveForm(was.kind, ui.FormOf(was.F.Values), true)
	if err != nil {
		return err
	}
	m.status = was.status
	if err := m.look(s); err != nil {
		return err
	}
	if m.Sure {
		s.Log.Warn("the books refused a move", "request", s.caller.Request, "error", why)
		m.F.SetFault("", m.T("move.refused"))
		m.Sure = false
	}
	return m.show()
}

// moveForm reads a form and the wallet. Nothing is filled in for a strict form.
func (v *visit) moveForm(k kind, f *ui.Form, strict bool) (*moveForm, error) {
	m := &moveForm{
		view: v.view(k.name + ".title"), kind: k, F: f, status: http.StatusUnprocessableEntity, strict: strict,
	}
	var err error
	if m.ID, err = v.formID(f.Value("id")); err != nil {
		return nil, err
	}
	if m.wallet, err = v.wallet(); err != nil {
		return nil, err
	}
	m.Offers = k.offers(m.wallet)
	if err := m.choose(f.Value("asset")); err != nil {
		return nil, err
	}
	if err := m.readDaily(); err != nil {
		return nil, err
	}
	if m.Asset.Symbol != "" {
		m.readAmount()
	}
	return m, k.read(m)
}

// choose takes the asset that is asked for, or the first there is.
func (m *moveForm) choose(symbol string) error {
	if symbol == "" {
		if len(m.Offers) > 0 {
			m.Asset, m.Free = m.Offers[0].Asset, m.Offers[0].Free
		}
		if m.strict {
			m.F.SetFault("asset", m.T("move.asset.empty"))
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
func (m *moveForm) readAmount() {
	typed := m.F.Value("amount")
	if units, err := strconv.ParseInt(m.F.Value(unitsField), 10, 64); err == nil {
		typed = m.Typed(m.Asset, ledger.Amount(units))
		m.F.Values.Set("amount", typed)
	} else if m.kind.takes && !m.strict && m.F.Value("max") != "" && m.Free > 0 {
		typed = m.Typed(m.Asset, m.Free)
		m.F.Values.Set("amount", typed)
	}
	var fault string
	if m.Sum, fault = m.ParseAmount(m.Asset, typed); fault != "" {
		m.F.SetFault("amount", fault)
	} else if m.kind.takes && m.Sum > m.Free {
		m.F.SetFault("amount", m.T("move.too-much", "free", m.Plain(m.Asset, m.Free), "asset", m.Asset.Symbol))
	} else if m.Daily != nil && m.Sum > m.Daily.Left() {
		m.F.SetFault("amount", m.T("move.over-daily", "left", m.Plain(m.Asset, m.Daily.Left()), "asset", m.Asset.Symbol))
	}
}

// look checks a form without faults against the books, and sets whether it may be confirmed.
// s is nil for a page that only shows the move.
func (m *moveForm) look(s *submission) error {
	if m.Asset.Symbol == "" || m.F.Faulty() {
		return nil
	}
	if m.kind.check != nil {
		if err := m.kind.check(m, s); err != nil {
			return err
		}
	}
	m.Sure = !m.F.Faulty()
	return nil
}

func (m *moveForm) show() error {
	if m.F.Faulty() {
		return m.visit.showAs(m.status, m.kind.name, m)
	}
	return m.visit.show(m.kind.name, m)
}

// Kind is the name of the page, its path and its texts.
func (m *moveForm) Kind() string { return m.kind.name }

// Frozen reports whether the move is one that a frozen account does not make.
func (m *moveForm) Frozen() bool { return m.kind.takes && m.wallet.holder.Frozen }

// Takes reports whether it takes from what is free.
func (m *moveForm) Takes() bool { return m.kind.takes }

// entryID is the ID of the entry that the form posts.
func (m *moveForm) entryID() string { return entryID(m.Account(), m.ID) }

// Back is the form of the draft that is being confirmed, to be changed.
func (m *moveForm) Back() string {
	return ui.Address("/"+m.kind.name, draftField, m.visit.r.PathValue("draft"))
}

// entry is what the form posts; of a conversion only the first move.
func (m *moveForm) entry() ledger.Entry {
	from, to := m.kind.between(m)
	return ledger.Entry{ID: m.entryID(), Kind: m.kind.posts,
		Moves: []ledger.Move{{From: from, To: to, Asset: m.Asset.Symbol, Amount: m.Sum}}}
}

// same reports whether an entry is this very move.
func (m *moveForm) same(e ledger.Entry) (bool, error) {
	if m.kind.same != nil {
		return m.kind.same(m, e)
	}
	return m.isEntry(e), nil
}

// isEntry reports whether an entry is of the kind, and has its move alone.
func (m *moveForm) isEntry(e ledger.Entry) bool {
	return e.Kind == m.kind.posts && slices.Equal(e.Moves, m.entry().Moves)
}

// fillIn makes a draft of the form, and leads to its confirmation. A form with faults is
// shown again; so is one that is being typed, or that asks for all that is free, and
// nothing is kept of it.
func (s *submission) fillIn(k kind) error {
	typing, f := s.value("look") != "" || s.value("max") != "", s.form()
	f.Values.Del(unitsField) // is a draft's
	m, err := s.moveForm(k, f, !typing)
	if err != nil {
		return err
	}
	if typing {
		return m.showTyped()
	}
	if m.Frozen() {
		return ledger.ErrFrozen // nobody confirms what the books will refuse
	}
	if err := m.answerPosted(); err != nil {
		return err
	}
	if m.Places.NeedsFactor {
		return s.keepUntilFactor(m)
	}
	if err := m.look(s); err != nil {
		return err
	}
	if !m.Sure {
		return m.show()
	}
	id, err := s.addDraft(m.ID, "/"+k.name, m.fields())
	if err != nil {
		return err
	}
	return s.see(k.confirmation(id))
}

// confirmation is the page of a draft.
func (k kind) confirmation(draft string) string { return "/" + k.name + "/draft/" + draft + "/confirm" }

// fields are those of the draft: the amount in smallest units, so that it is the same in
// every language, and what the kind asks.
func (m *moveForm) fields() url.Values {
	fields := url.Values{"id": {m.ID}, "asset": {m.Asset.Symbol}, unitsField: {strconv.FormatInt(int64(m.Sum), 10)}}
	for _, name := range m.kind.fields {
		fields.Set(name, m.F.Value(name))
	}
	if m.Exchange.Gives > 0 {
		for name, value := range m.Exchange.quoted() {
			fields.Set(name, value)
		}
	}
	return fields
}

// unitsField is the amount of a draft that may be confirmed.
const unitsField = "units"

// confirmMove shows a draft to be confirmed.
func (v *visit) confirmMove(k kind) error {
	m, err := v.moveDraft(k, nil)
	if err != nil {
		return err
	}
	return m.show()
}

// move posts the draft that was confirmed, and nothing else of what the browser sends.
// Repeating it has no further effect, and leads to the same page.
func (s *submission) move(k kind) error {
	m, err := s.moveDraft(k, s)
	if err != nil {
		return err
	}
	if !m.Sure {
		return m.show()
	}
	if err := s.confirmLeaving(m); err != nil {
		return err
	}
	if k.post != nil {
		err = k.post(s, m)
	} else {
		_, err = s.Books.PostAll(s.context(), []ledger.Entry{m.entry()})
	}
	_, byRules := errors.AsType[*conversion.Error](err)
	switch {
	case errors.Is(err, ledger.ErrConflict): // posted at the same time, with different figures
		return m.another()
	case errors.Is(err, ledger.ErrInsufficient), errors.Is(err, ledger.ErrInvalid),
		errors.Is(err, ledger.ErrNotFound), byRules, refusesAddress(err),
		ledger.ReasonOf(err) == store.ReasonDailyLimit:
		return s.refused(m, err)
	case err != nil:
		return err
	}
	return m.done()
}

// confirmLeaving confirms with a factor what leaves the account, as the books ask for it: see access.EntryStepUp.
func (s *submission) confirmLeaving(m *moveForm) error {
	if !m.Guarded() {
		return nil
	}
	var to ledger.Destination
	if m.kind.posts == ledger.WithdrawalRequest {
		w := m.goes()
		to = ledger.Destination{Address: w.Address, Network: w.Network, Tag: w.Tag}
	}
	typed := s.form()
	_, err := s.stepUp(typed, access.EntryStepUp(m.entry(), to), func(status int, typed *ui.Form) error {
		m.F.SetFault(codeField, typed.Fault(codeField))
		m.status = status
		return m.show()
	})
	return err
}

// Guarded reports whether the move leaves the account.
func (m *moveForm) Guarded() bool {
	return m.kind.posts == ledger.Transfer || m.kind.posts == ledger.WithdrawalRequest
}

// Has are the factors that the move is confirmed with.
func (m *moveForm) Has() (people.Factors, error) { return m.visit.factors() }

// moveDraft is the move of the draft that the path names, checked again; s is nil for a
// page that shows it. errAnswered if there is nothing to confirm. A draft of another
// session becomes a form to be filled in: whoever has logged in again finds the fields,
// and a link leads nobody to a confirmation.
func (v *visit) moveDraft(k kind, s *submission) (*moveForm, error) {
	id := v.r.PathValue("draft")
	f, here, err := v.draft(id, "/"+k.name)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return nil, answered(v.gone(k, id))
	case err != nil:
		return nil, err
	case !here || f.Value(unitsField) == "":
		return nil, answered(v.see("/"+k.name, draftField, id))
	}
	m, err := v.moveForm(k, f, true)
	if err != nil {
		return nil, err
	}
	if err := m.answerPosted(); err != nil {
		return nil, err
	}
	return m, m.look(s)
}

// gone answers where a draft no longer exists: with the entry that it has posted, or with
// an empty form.
func (v *visit) gone(k kind, id string) error {
	if form := formOfDraft(id); form != "" {
		e, _, err := v.Reports.Entry(v.context(), entryID(v.account(), form))
		if err == nil {
			return v.see("/" + k.name + "/" + url.PathEscape(e.ID))
		} else if !errors.Is(err, ledger.ErrNotFound) {
			return err
		}
	}
	m, err := v.moveForm(k, ui.EmptyForm(), false)
	if err != nil {
		return err
	}
	m.F.Faults = map[string]string{"": m.T("move.gone")}
	m.status = http.StatusGone
	return m.show()
}

// done leads to the posted entry, and removes the draft.
func (m *moveForm) done() error {
	v := m.visit
	if id := v.r.PathValue("draft"); id != "" {
		if err := v.keeper.RemoveDraft(v.context(), v.account(), id); err != nil {
			v.Log.Warn("a draft that was used is not removed yet; it is when it is over", "request",
				v.caller.Request, "error", err)
		}
	}
	return v.see("/" + m.kind.name + "/" + m.entryID())
}

// donePage is a posted entry, and the balances now.
type donePage struct {
	*view
	Kind     string
	Entry    string
	At       time.Time // when it counts
	Moves    []doneMove
	Other    ledger.Account // the other side: a holder's account, or a house account
	Balances []effect       // the free balance now, and its day, by asset
}

// doneMove is a move as the visitor sees it.
type doneMove struct {
	Asset ledger.Asset
	Came  ledger.Amount // below zero: went
}

// posted shows an entry that moved the visitor's own tokens; that of another's is not found.
func (k kind) posted(v *visit) error {
	e, _, err := v.Reports.Entry(v.context(), v.r.PathValue("entry"))
	if err != nil {
		return err
	}
	w, err := v.wallet()
	if err != nil {
		return err
	}
	p := donePage{view: v.view(k.name + ".done.title"), Kind: k.name, Entry: e.ID, At: e.At}
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
	if e.Kind != k.posts || len(p.Moves) != len(e.Moves) {
		return ledger.ErrNotFound.In("", "the entry %s", ledger.Clip(e.ID))
	}
	if k.posts == ledger.Transfer && p.Moves[0].Came > 0 {
		p.Kind, p.Title = "receive", "receive.done.title"
	}
	return v.show("moved", p)
}
