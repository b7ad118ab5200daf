package console

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/simulation"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
)

// seesWhatIf are the roles that try other terms: they read every holder, and show none.
var seesWhatIf = []access.Role{access.Operator, access.Approver, access.Treasurer, access.Auditor, access.Admin}

// mostTrials is how many simulations run at once: each reads all changes of its days.
const mostTrials = 2

// trials are the simulations that members of staff have asked for, each the last one. They run beside the pages, and
// are gone with the process.
type trials struct {
	books store.Reader
	log   *slog.Logger
	ctx   context.Context // ends them when the console stops
	work  sync.WaitGroup

	mu      sync.Mutex
	running int
	of      map[string]*trial // by the subject who asked
}

// trial is a simulation. What changes in it is guarded by trials.
type trial struct {
	Number int // of those of the process, from 1
	Asked  simulation.Options
	Typed  *ui.Form
	Done   int // of a thousand parts
	Ended  bool
	Result simulation.Result
	Err    error // context.Canceled: somebody has cancelled it, or the server has stopped

	cancel context.CancelFunc
}

// parts is of how many a trial's progress is.
const parts = 1000

// begin begins a simulation in place of the last one of somebody: ledger.ErrConflict while that runs, or too many do.
func (ts *trials) begin(who string, o simulation.Options, typed *ui.Form) error {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	last := ts.of[who]
	if last != nil && !last.Ended {
		return ledger.ErrConflict.In("", "a simulation of yours is running; cancel it first").Because(reasonRunning)
	}
	if ts.running == mostTrials {
		return ledger.ErrConflict.In("", "%d simulations are running; wait until one is done", mostTrials).
			Because(reasonBusy)
	}
	ctx, cancel := context.WithCancel(ts.ctx)
	t := &trial{Number: 1, Asked: o, Typed: typed, cancel: cancel}
	if last != nil {
		t.Number = last.Number + 1
	}
	o.Progress = func(done, of int) {
		ts.mu.Lock()
		defer ts.mu.Unlock()
		t.Done = done * parts / max(of, 1)
	}
	ts.of[who] = t
	ts.running++
	ts.work.Go(func() { ts.run(ctx, t, o) })
	return nil
}

func (ts *trials) run(ctx context.Context, t *trial, o simulation.Options) {
	defer t.cancel()
	r, err := simulation.Run(ctx, ts.books, o)
	if ctx.Err() != nil {
		err = context.Canceled
	}
	if status, _ := failures.PageOf(err); err != nil && ctx.Err() == nil && status == http.StatusInternalServerError {
		ts.log.Error("a simulation failed", "error", err)
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t.Result, t.Err, t.Ended = r, err, true
	ts.running--
}

// look is the last simulation of somebody as it is now, and whether there is any.
func (ts *trials) look(who string) (trial, bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := ts.of[who]
	if t == nil {
		return trial{}, false
	}
	return *t, true
}

// stop cancels what somebody runs. Idempotent.
func (ts *trials) stop(who string) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t := ts.of[who]; t != nil {
		t.cancel()
	}
}

// whatIfPage is the simulator: what other terms would have cost.
type whatIfPage struct {
	*view
	F       *ui.Form
	Fields  []field
	Trial   trial
	There   bool // there is a trial
	Tables  []table
	Problem string // why it has no result
}

// Progress is how much of the trial is done, rounded down.
func (p whatIfPage) Progress() int { return p.Trial.Done * 100 / parts }

func (v *visit) whatIf() error { return v.showWhatIf(http.StatusOK, nil) }

// showWhatIf shows the form with what is typed; nil: what the last trial was asked with.
func (v *visit) showWhatIf(status int, f *ui.Form) error {
	p := whatIfPage{view: v.view("what-if.title"), F: f}
	p.Trial, p.There = v.trials.look(v.actor.Subject())
	if p.F == nil {
		p.F = ui.EmptyForm()
		if p.There {
			p.F = p.Trial.Typed
		}
	}
	var err error
	if p.Fields, err = v.whatIfFields(); err != nil {
		return err
	}
	switch {
	case !p.There || !p.Trial.Ended:
	case errors.Is(p.Trial.Err, context.Canceled):
		p.Problem = v.locale.T("what-if.cancelled")
	case p.Trial.Err != nil:
		p.Problem = v.locale.T("what-if.failed")
		if status, _ := failures.PageOf(p.Trial.Err); status != http.StatusInternalServerError {
			p.Problem = v.why(p.Trial.Err)
		}
	default:
		p.Tables = p.whatIfTables(p.Trial.Result)
	}
	return v.showAs(status, "whatif", p)
}

func (v *visit) whatIfFields() ([]field, error) {
	tokens, err := v.tokenOptions()
	same := option{"", "terms.same"}
	return []field{
		{Name: "from", Key: "what-if.from", Hint: "campaigns.day.hint", Required: true},
		{Name: "through", Key: "what-if.through", Hint: "what-if.through.hint"},
		{Name: "asset", Key: "terms.token", Options: append([]option{{"", "what-if.all"}}, tokens...)},
		{Name: "apr", Key: "terms.apr", Hint: "terms.apr.hint"},
		{Name: "min", Key: "terms.min", Hint: "terms.hint"},
		{Name: "cap", Key: "terms.cap", Hint: "terms.hint"},
		{Name: "fee", Key: "terms.fee", Hint: "terms.fee.hint"},
		{Name: "mode", Key: "terms.mode", Options: []option{same, {"fixed", "terms.fixed"}, {"share", "terms.share"}}},
		{Name: "measure", Key: "campaigns.measure", Options: []option{same,
			{staking.Average.String(), "campaigns.average"}, {staking.Lowest.String(), "terms.lowest"}}},
	}, err
}

// whatIfTables are what came of it: per token, and per tenth of the holders; of one token also per day.
func (p *view) whatIfTables(r simulation.Result) []table {
	tokens := table{Title: "what-if.tokens", Empty: "what-if.nobody", Columns: []column{{"terms.token", false},
		{"what-if.before", true}, {"what-if.after", true}, {"what-if.change", true}, {"what-if.holders", false},
		{"overview.left", true}}}
	sizes := table{Title: "what-if.sizes", Empty: "what-if.nobody", Columns: []column{{"terms.token", false},
		{"what-if.tenth", true}, {"what-if.average", true}, {"what-if.before", true}, {"what-if.after", true}}}
	days := table{Title: "what-if.days", Empty: "what-if.nobody", Columns: []column{{"day", false},
		{"what-if.before", true}, {"what-if.after", true}, {"what-if.change", true}}}
	for _, t := range r.Tokens {
		if len(t.Deciles) == 0 {
			continue
		}
		a, h, left := t.Asset, t.Holders, "–"
		if t.Lasts {
			left = p.count(t.DaysLeft)
		}
		tokens.Rows = append(tokens.Rows, row{text(a.Symbol), text(p.amount(a, t.Before)), text(p.amount(a, t.After)),
			text(p.signed(a, t.After-t.Before)), text(p.T("what-if.counts", "more", p.count(h.More), "less",
				p.count(h.Less), "same", p.count(h.Same), "new", p.count(h.New), "lost", p.count(h.Lost))), text(left)})
		for _, d := range t.Deciles {
			sizes.Rows = append(sizes.Rows, row{text(a.Symbol), text(p.count(int64(d.Number))), text(p.amount(a, d.Mean)),
				{Text: p.amount(a, d.Before), Note: p.Percent(d.RateBefore)}, {Text: p.amount(a, d.After),
					Note: p.Percent(d.RateAfter)}})
		}
		for _, d := range t.Days {
			days.Rows = append(days.Rows, row{text(p.Day(d.Day)), text(p.amount(a, d.Before.Total)),
				text(p.amount(a, d.After.Total)), text(p.signed(a, d.After.Total-d.Before.Total))})
		}
	}
	if len(r.Tokens) > 1 {
		return []table{tokens, sizes}
	}
	return []table{tokens, days, sizes}
}

// tryTerms begins a simulation, or cancels it.
func (s *submission) tryTerms() error {
	f, who := s.form(), s.actor.Subject()
	if f.Value("do") == "cancel" {
		s.trials.stop(who)
		return s.see(Path + "/what-if")
	}
	o, err := s.trialOf(f)
	if err == nil {
		err = s.trials.begin(who, o, f)
	}
	switch {
	case err == nil:
		return s.see(Path + "/what-if")
	case s.fault(f, err):
		return s.showWhatIf(http.StatusUnprocessableEntity, f)
	}
	return err
}

// trialOf is what a form asks to simulate: what is left empty stays as it was recorded.
func (s *submission) trialOf(f *ui.Form) (o simulation.Options, err error) {
	if o.From, err = neededDay(f, "from"); err != nil {
		return o, err
	}
	if asset := f.Value("asset"); asset != "" {
		if _, err := s.Books.Asset(s.context(), asset); err != nil {
			return o, err
		}
		o.Tokens = []string{asset}
	}
	last, err := simulation.LastPaid(s.context(), s.Books.Reader(), o.Tokens)
	if err != nil {
		return o, err
	}
	if o.Through, err = dayOf(f, "through", last); err != nil {
		return o, err
	}
	if o.Through > last || o.From > o.Through {
		return o, ledger.ErrInvalid.In("from", "the last day that is paid is %s", last).Because(reasonUnpaid)
	}
	given := func(name string) *string {
		if typed(f, name) == "" {
			return nil
		}
		return new(typed(f, name))
	}
	change := staking.TermsChange{APR: given("apr"), Min: given("min"), Cap: given("cap"), Fee: given("fee"),
		Mode: given("mode"), Measure: given("measure")}
	if change == (staking.TermsChange{}) {
		return o, ledger.ErrInvalid.In("apr", "nothing changes").Because(reasonNothing)
	}
	o.Change = func(asset ledger.Asset, _ staking.Day, t staking.Terms) (staking.Terms, error) {
		return change.Hypothetical().Apply(asset, t)
	}
	return o, nil
}
