package console

import (
	"errors"
	"strconv"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
)

// reconciliations are the comparisons with another ledger, from what difference on a token is not paid, and what a
// person does where one is not.
var reconciliations = register{
	Name: "reconciliations", apart: true, roles: access.StaffRoles, tables: (*visit).reconciliationsTables,
	forms: []registerForm{
		{"resolve", control.ResolveBreak, (*visit).breakFields, (*submission).resolveBreak},
		{"release", control.ReleaseDay, (*visit).releaseFields, (*submission).releaseDay},
		{"limit", control.SetComparisonLimit, (*visit).breakLimitFields, (*submission).setBreakLimit},
		{"every", control.SetComparisonLimit, (*visit).everyLimitFields, (*submission).setEveryLimit}},
}

func comparisonPath(number int64) string {
	return Path + "/reconciliations/" + strconv.FormatInt(number, 10)
}

// comparisonLink is a cell that leads to a comparison, for those who see the accounts of all holders.
func (p *view) comparisonLink(t any, number int64) cell {
	if p.visit.may(seesEntries) {
		return link(t, comparisonPath(number))
	}
	return text(t)
}

// breakOf is a break as a form names it.
func breakOf(b store.Break) string { return strconv.FormatInt(b.Number, 10) + "/" + b.Asset }

func (v *visit) reconciliationsTables() ([]table, error) {
	state, err := v.Reports.ComparisonState(v.context())
	if err != nil {
		return nil, err
	}
	nightly, p := table{Title: "reconciliations.nightly", Empty: "reconciliations.nightly.none",
		Columns: []column{{"reconciliations.source", false}, {"reconciliations.state", false}}}, v.view("")
	if s := state.Source; s.On() {
		source := cell{Text: s.Topic + s.Endpoint, Stored: true}
		if s.Ledger != "" {
			source = cell{Text: s.Ledger, Note: s.Balances, Stored: true}
		}
		how := text(p.T("reconciliations.nightly.well"))
		if f := state.Schedule; !f.Failed.IsZero() {
			how = cell{Text: p.UTC(f.Failed), Mark: p.T("reconciliations.nightly.fails"), Note: f.Fault}
		}
		nightly.Rows = append(nightly.Rows, row{source, how})
	}
	breaks, err := v.breaksTable()
	if err != nil {
		return nil, err
	}
	limits, err := v.breakLimitsTable()
	if err != nil {
		return nil, err
	}
	all, err := v.Reports.Comparisons(v.context(), 0, pageSize)
	return []table{breaks, v.view("").comparisonsTable(all), limits, nightly}, err
}

// awaited are the tokens whose next day waits to be compared.
func (v *visit) awaited() (waiting []reports.TokenStatus, err error) {
	all, err := v.Reports.TokenStatus(v.context())
	for _, t := range all {
		if errors.Is(t.Waiting, staking.ErrUncompared) {
			waiting = append(waiting, t)
		}
	}
	return waiting, err
}

// breaksTable are the comparisons that stop paying tokens now.
func (v *visit) breaksTable() (table, error) {
	t := table{Title: "reconciliations.breaks", Empty: "reconciliations.breaks.none", Columns: []column{
		{"terms.token", false}, {"day", false}, {"reconciliations.accounts", true}, {"reconciliations.off", true}}}
	assets, err := v.assets()
	if err != nil {
		return t, err
	}
	breaks, err := v.Reports.Breaks(v.context())
	p := v.view("")
	for _, b := range breaks {
		t.Rows = append(t.Rows, row{{Text: b.Asset, Note: p.T("reconciliations.kind." + string(b.Kind)),
			Mark: p.T("needs.reconciliation")}, p.comparisonLink(p.Day(b.Day), b.Number), text(p.count(b.Differences)),
			text(p.amount(assets[b.Asset], b.Off))})
	}
	if err != nil {
		return t, err
	}
	awaited, err := v.awaited()
	for _, w := range awaited {
		t.Rows = append(t.Rows, row{{Text: w.Asset, Mark: p.T("needs.comparison")}, text(p.Day(w.PaidThrough + 1)), text("–"),
			text("–")})
	}
	return t, err
}

// comparisonsTable are comparisons, each with what differs.
func (p *view) comparisonsTable(all []store.Comparison) table {
	t := table{Title: "reconciliations.all", Empty: "reconciliations.none", Columns: []column{
		{"reconciliations.number", false}, {"day", false}, {"reconciliations.made", false},
		{"reconciliations.differs", false}}}
	for _, c := range all {
		differs := text(p.T("reconciliations.same"))
		if c.Differing() > 0 {
			differs = cell{Text: strings.Join(differing(c), " ")}
			if stopped := c.Stopped(); stopped != nil {
				differs.Note = p.T("reconciliations.stopped", "tokens", strings.Join(stopped, " "))
			}
		}
		t.Rows = append(t.Rows, row{p.comparisonLink(strconv.FormatInt(c.Number, 10), c.Number), text(p.Day(c.Day)),
			{Text: p.Local(c.MadeAt), Note: c.By.Credential}, differs})
	}
	return t
}

// differing are the tokens that differ, each once.
func differing(c store.Comparison) (symbols []string) {
	for _, t := range c.Tokens {
		if n := len(symbols); t.Differences > 0 && (n == 0 || symbols[n-1] != t.Asset.Symbol) {
			symbols = append(symbols, t.Asset.Symbol)
		}
	}
	return symbols
}

func (v *visit) breakLimitsTable() (table, error) {
	t := table{Title: "reconciliations.limits", Empty: "reconciliations.limits.none", Columns: []column{
		{"terms.token", false}, {"reconciliations.off", true}, {"reconciliations.accounts", true},
		{"reconciliations.without", false},
		{"terms.by", false}}}
	assets, err := v.assets()
	if err != nil {
		return t, err
	}
	limits, err := v.Reports.ComparisonLimits(v.context())
	p := v.view("")
	for _, l := range limits {
		of, amount, accounts := l.Asset, text("–"), text("–")
		if of == "" {
			of = p.T("reconciliations.limits.every")
		}
		if l.Amount >= 0 {
			amount = text(p.amount(assets[l.Asset], l.Amount))
		}
		if l.Accounts >= 0 {
			accounts = text(p.count(l.Accounts))
		}
		t.Rows = append(t.Rows, row{text(of), amount, accounts, text(p.T("reconciliations.without." + withoutText(l))),
			{Text: l.SetBy, Note: p.Local(l.SetAt)}})
	}
	return t, err
}

// breakFields choose a break that stops paying.
func (v *visit) breakFields() ([]field, error) {
	breaks, err := v.Reports.Breaks(v.context())
	options := []option{}
	for i, b := range breaks {
		if i == 0 || breakOf(b) != breakOf(breaks[i-1]) {
			options = append(options, option{Value: breakOf(b)})
		}
	}
	return []field{{Name: "break", Key: "reconciliations.break", Options: options},
		{Name: "reason", Key: "reason", Hint: "reconciliations.resolve.hint", Required: true}}, err
}

func (s *submission) resolveBreak(f *ui.Form) error {
	number, asset, _ := strings.Cut(f.Value("break"), "/")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return ledger.ErrInvalid.In("break", "%q is no reconciliation", ledger.Clip(number)).Because(reasonNoNumber)
	}
	_, err = s.Books.ResolveBreak(s.context(), store.BreakResolution{Number: n, Asset: asset, Reason: typed(f, "reason")})
	return err
}

// releaseFields choose a day that waits to be compared.
func (v *visit) releaseFields() ([]field, error) {
	awaited, err := v.awaited()
	options := []option{}
	for _, t := range awaited {
		options = append(options, option{Value: t.Asset + "/" + (t.PaidThrough + 1).String()})
	}
	return []field{{Name: "day", Key: "reconciliations.release", Options: options},
		{Name: "reason", Key: "reason", Required: true}}, err
}

func (s *submission) releaseDay(f *ui.Form) error {
	asset, text, _ := strings.Cut(f.Value("day"), "/")
	d, err := staking.ParseDay(text)
	if err != nil {
		return ledger.At("day", err)
	}
	_, err = s.Books.ReleaseDay(s.context(), store.ComparisonRelease{Asset: asset, Day: d, Reason: typed(f, "reason")})
	return err
}

// The choices of what becomes of a day that is not compared.
const (
	withoutPays  = "pay"
	withoutWaits = "wait"
)

func withoutText(l store.ComparisonLimit) string {
	if l.Waits {
		return withoutWaits
	}
	return withoutPays
}

// withoutField is what becomes of a day that is not compared.
func withoutField(now string) field {
	f := field{Name: "without", Key: "reconciliations.without", Initial: now}
	for _, value := range []string{withoutPays, withoutWaits} {
		f.Options = append(f.Options, option{value, "reconciliations.without." + value})
	}
	return f
}

// breakLimitFields are those of a token's limit.
func (v *visit) breakLimitFields() ([]field, error) {
	tokens, err := v.tokenOptions()
	return []field{{Name: "asset", Key: "terms.token", Options: tokens},
		{Name: "amount", Key: "reconciliations.amount", Hint: "reconciliations.amount.hint"},
		{Name: "accounts", Key: "reconciliations.number.accounts", Hint: "reconciliations.accounts.hint"},
		withoutField(withoutPays), {Name: "reason", Key: "reason"}}, err
}

// everyLimitFields are those of the limit of every other token, with what it is.
func (v *visit) everyLimitFields() ([]field, error) {
	limits, err := v.Reports.ComparisonLimits(v.context())
	amount, accounts, without := "", "", withoutPays
	if len(limits) > 0 && limits[0].Asset == "" {
		amount, accounts = limitText(int64(limits[0].Amount)), limitText(limits[0].Accounts)
		without = withoutText(limits[0])
	}
	return []field{
		{Name: "amount", Key: "reconciliations.amount", Hint: "reconciliations.every.hint", Initial: amount},
		{Name: "accounts", Key: "reconciliations.number.accounts", Hint: "reconciliations.accounts.hint", Initial: accounts},
		withoutField(without), {Name: "reason", Key: "reason"}}, err
}

// limitText is a limit as it is typed: nothing where there is none.
func limitText(n int64) string {
	if n < 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func (s *submission) setBreakLimit(f *ui.Form) error {
	asset, err := s.Books.Asset(s.context(), f.Value("asset"))
	if err != nil {
		return err
	}
	return s.setLimitOf(asset, f)
}

func (s *submission) setEveryLimit(f *ui.Form) error { return s.setLimitOf(ledger.Asset{}, f) }

// setLimitOf sets the limit of a token, or of every other token: what is not typed does not stop it.
func (s *submission) setLimitOf(asset ledger.Asset, f *ui.Form) (err error) {
	l := store.ComparisonLimit{Asset: asset.Symbol, Amount: store.AnyDifference, Waits: f.Value("without") == withoutWaits}
	if typed(f, "amount") != "" {
		l.Amount, err = amountOf(asset, f, "amount")
		if err == nil && (l.Amount < 0 || l.Amount > 0 && asset.Symbol == "") {
			err = ledger.ErrInvalid.In("amount", "it is below zero, or above it for every token").Because(reasonNoAmount)
		}
	}
	if err == nil {
		l.Accounts, err = accountsOf(f)
	}
	if err != nil {
		return err
	}
	return s.Books.SetComparisonLimit(s.context(), l)
}

// accountsOf is a number of accounts; where nothing is typed, any.
func accountsOf(f *ui.Form) (int64, error) {
	if typed(f, "accounts") == "" {
		return store.AnyDifference, nil
	}
	n, err := strconv.ParseInt(typed(f, "accounts"), 10, 64)
	if err != nil || n < 0 {
		return 0, ledger.ErrInvalid.In("accounts", "%q is no number of accounts", ledger.Clip(typed(f, "accounts"))).
			Because(reasonNoNumber)
	}
	return n, nil
}

// comparisonPage is a comparison: what both sides have of each token, and the accounts that differ.
type comparisonPage struct {
	*view
	Of                  store.Comparison
	Tokens, Differences table
	Next                string // the address of the next page of differences, or ""
}

func (v *visit) comparison() error {
	number, err := strconv.ParseInt(v.r.PathValue("number"), 10, 64)
	if err != nil {
		return ledger.ErrNotFound
	}
	c, err := v.Reports.Comparison(v.context(), number)
	if err != nil {
		return err
	}
	p := comparisonPage{view: v.view("reconciliations.one"), Of: c}
	p.Tokens = p.comparedTable(c)
	after := reports.DifferenceKey{Kind: reconcile.Kind(v.value("kind")), Account: ledger.Account(v.value("account")),
		Asset: v.value("asset")}
	found, err := v.Reports.ComparedDifferences(v.context(), number, after, pageSize)
	if err != nil {
		return err
	}
	p.Differences = p.differencesTable(found)
	if len(found) == pageSize {
		last := found[pageSize-1]
		p.Next = ui.Address(comparisonPath(number), "kind", string(last.Kind), "account", string(last.Account), "asset",
			last.Asset.Symbol)
	}
	return v.show("reconciliation", p)
}

func (p *view) comparedTable(c store.Comparison) table {
	t := table{Title: "reconciliations.tokens", Columns: []column{{"terms.token", false}, {"reconciliations.ours", true},
		{"reconciliations.theirs", true}, {"reconciliations.accounts", true}, {"reconciliations.off", true}}}
	for _, k := range c.Tokens {
		if k.Ours.Accounts+k.Theirs.Accounts == 0 {
			continue
		}
		token := cell{Text: k.Asset.Symbol, Note: p.T("reconciliations.kind." + string(k.Kind))}
		switch {
		case !k.Resolved.IsZero():
			token.Mark = p.T("reconciliations.resolved", "who", k.ResolvedBy, "why", k.ResolvedWhy)
		case k.Stops:
			token.Mark = p.T("reconciliations.stops")
		}
		side := func(s reconcile.Side) cell {
			return cell{Text: figure{number: p.Number(ledger.FormatBig(&s.Sum, k.Asset.Scale))},
				Note: p.N("reconciliations.n", int(s.Accounts)) + ", " + s.Root.String()[:10]}
		}
		t.Rows = append(t.Rows, row{token, side(k.Ours), side(k.Theirs), text(p.count(k.Differences)),
			text(p.amount(k.Asset, k.Off))})
	}
	return t
}

func (p *view) differencesTable(found []store.ComparedDifference) table {
	t := table{Title: "reconciliations.differences", Empty: "reconciliations.same", Columns: []column{
		{"reconciliations.account", false}, {"terms.token", false}, {"reconciliations.ours", true},
		{"reconciliations.theirs", true}, {"reconciliations.cause", false}}}
	for _, d := range found {
		account := text(string(d.Account))
		if d.Cause.Kind != reconcile.CauseNobody && p.visit.may(seesHolders) {
			account.Link = accountPath(d.Account)
		}
		cause := text(p.T("reconciliations.cause." + causeKey(d)))
		if d.Cause.Entry != "" {
			cause.Note = d.Cause.Entry
			if p.visit.may(seesEntries) {
				cause.Link = p.EntryPath(d.Cause.Entry)
			}
		}
		t.Rows = append(t.Rows, row{account, {Text: d.Asset.Symbol, Note: p.T("reconciliations.kind." + string(d.Kind))},
			text(p.amount(d.Asset, d.Ours)), text(p.amount(d.Asset, d.Theirs)), cause})
	}
	return t
}

// causeKey is the end of the key of what could explain a difference.
func causeKey(d store.ComparedDifference) string {
	switch kind := string(d.Cause.Kind); {
	case kind == "":
		return "none"
	case d.Kind == reconcile.Payouts && d.Cause.Kind != reconcile.CausePayout:
		return "payout." + kind
	default:
		return kind
	}
}
