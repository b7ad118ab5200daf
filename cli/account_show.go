package cli

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type accountShowCmd struct {
	Account ledger.Account `arg:""`
	History bool           `help:"Show each switch event too, and with what documents were accepted."`
	JSON    bool           `help:"Print a JSON object."`
}

func (c *accountShowCmd) Help() string {
	return `Held tokens lie in open orders and pending withdrawals; they do not earn.

Example:

  softstake account show alice --history`
}

// shown is everything there is to show of an account.
type shown struct {
	account     store.Account
	enrollments []staking.Enrollment
	balances    []reports.Balance
	acceptances []reports.Acceptance
	assets      assets
	sweep       store.Sweep
	swept       bool // the account is closed, and what is still to come goes to another
	history     bool
	switched    []reports.SwitchEvent
	marks       reports.Marks
}

func (c *accountShowCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) (err error) {
		s, rs := shown{history: c.History}, reports.New(db.Reader())
		for _, read := range []func() error{
			func() error { s.account, err = db.Account(ctx, c.Account); return err },
			func() error { s.enrollments, err = rs.Enrollments(ctx, c.Account); return err },
			func() error { s.balances, err = rs.Balances(ctx, c.Account); return err },
			func() error { s.acceptances, err = rs.Acceptances(ctx, c.Account); return err },
			func() error { s.assets, err = readAssets(ctx, db); return err },
			func() error { s.sweep, s.swept, err = reports.New(db.Reader()).SweepOf(ctx, c.Account); return err },
			func() error { s.switched, err = rs.SwitchEvents(ctx, c.Account); return err },
			func() error {
				marks, err := rs.MarksOf(ctx, c.Account)
				s.marks = marks[c.Account]
				return err
			},
		} {
			if err := read(); err != nil {
				return err
			}
		}
		if c.JSON {
			return s.writeJSON(env)
		}
		return s.write(env)
	})
}

type (
	shownJSON struct {
		accountJSON
		SweepTo     ledger.Account     `json:"sweepTo,omitempty"` // closed: what is still to come goes there
		Refused     string             `json:"refused,omitempty"`
		On          bool               `json:"on"`
		Enrollments []enrollmentJSON   `json:"enrollments"`
		Balances    []balanceJSON      `json:"balances"`
		Accepted    []acceptedJSON     `json:"accepted"`
		Events      *[]switchEventJSON `json:"switchEvents,omitempty"` // with --history
		Owners      []ownerJSON        `json:"owners,omitempty"`       // what holds today, and what is set for later days
		Labels      []labelJSON        `json:"labels,omitempty"`
	}
	enrollmentJSON struct {
		From  staking.Day  `json:"from"`
		Until *staking.Day `json:"until,omitempty"` // absent: still on
	}
	balanceJSON struct {
		Asset  string `json:"asset"`
		Free   string `json:"free"`
		Held   string `json:"held"`
		Earned string `json:"earned"`
	}
	acceptedJSON struct {
		Document string  `json:"document"`
		Version  int     `json:"version"`
		At       instant `json:"at"`
		originJSON
	}
	switchEventJSON struct {
		At     instant `json:"at"`
		Action string  `json:"action"`
		originJSON
	}
	// originJSON is what was used, and where: with --history.
	originJSON struct {
		Client  string `json:"client,omitempty"`
		Address string `json:"address,omitempty"`
	}
)

func (s *shown) on(now time.Time) bool {
	n := len(s.enrollments)
	return n > 0 && s.enrollments[n-1].On(staking.DayOf(now))
}

// residenceSentence is a residence as it is shown. Books may hold codes from before they were checked.
func residenceSentence(r staking.Region) string {
	switch {
	case r == "":
		return "not verified"
	case !r.Exists():
		return string(r) + ": not a code of ISO 3166, counts as not verified"
	}
	return string(r)
}

func (s *shown) writeJSON(env *Env) error {
	j := shownJSON{
		accountJSON: formatAccount(s.account), On: s.on(env.Now()),
		Enrollments: []enrollmentJSON{}, Balances: []balanceJSON{}, Accepted: []acceptedJSON{},
	}
	if s.swept {
		j.SweepTo, j.Refused = s.sweep.Target, s.sweep.Refused
	}
	for _, e := range s.enrollments {
		j.Enrollments = append(j.Enrollments, formatEnrollment(e))
	}
	for _, b := range s.balances {
		j.Balances = append(j.Balances, s.format(b))
	}
	for _, a := range s.acceptances {
		accepted := acceptedJSON{a.Document, a.Version, instant(a.At), originJSON{}}
		if s.history {
			accepted.originJSON = originJSON{a.Client, a.Address}
		}
		j.Accepted = append(j.Accepted, accepted)
	}
	for _, o := range s.marks.Owners {
		j.Owners = append(j.Owners, formatOwner(o))
	}
	for _, l := range s.marks.Labels {
		j.Labels = append(j.Labels, formatLabel(l))
	}
	if s.history {
		events := []switchEventJSON{}
		for _, p := range s.switched {
			events = append(events, switchEventJSON{instant(p.At), p.Action, originJSON{p.Client, p.Address}})
		}
		j.Events = &events
	}
	return writeJSON(env.Stdout, j)
}

func (s *shown) format(b reports.Balance) balanceJSON {
	return balanceJSON{b.Asset, s.assets.plain(b.Asset, b.Free), s.assets.plain(b.Asset, b.Held),
		s.assets.plain(b.Asset, b.Earned)}
}

func formatEnrollment(e staking.Enrollment) enrollmentJSON {
	j := enrollmentJSON{From: e.From}
	if e.Until != staking.Forever {
		j.Until = &e.Until
	}
	return j
}

// switchSentence is whether and since when an account earns.
func switchSentence(enrollments []staking.Enrollment, now time.Time) string {
	if len(enrollments) == 0 {
		return "off, and never was on"
	}
	last := enrollments[len(enrollments)-1]
	if last.Until <= last.From {
		// Switched on and off on one day: what earned, if anything, was before.
		enrollments = slices.DeleteFunc(slices.Clone(enrollments),
			func(e staking.Enrollment) bool { return e.Until <= e.From })
		if len(enrollments) == 0 {
			return "off; no day has earned"
		}
		last = enrollments[len(enrollments)-1]
	}
	today, end := staking.DayOf(now), ""
	if last.Until != staking.Forever {
		end = "; the last day that earns is " + (last.Until - 1).String()
	}
	switch {
	case last.On(today) && last.From > today:
		return "on; it earns from " + last.From.String() + end
	case last.On(today):
		return "on; earning since " + last.From.String() + end
	}
	return "off since " + last.Until.String() + "; the last day that earned was " + (last.Until - 1).String()
}

func (s *shown) write(env *Env) error {
	lines := [][2]string{
		{"account", string(s.account.ID)},
		{"residence", residenceSentence(s.account.Region)},
		{"opened", wallTime(s.account.Opened) + " UTC"},
		{"soft staking", switchSentence(s.enrollments, env.Now())},
	}
	if !s.account.Closed.IsZero() {
		lines = slices.Insert(lines, 3, [2]string{"closed", wallTime(s.account.Closed) + " UTC"})
	}
	if !s.account.Freeze.Since.IsZero() {
		lines = append(lines, [2]string{"frozen", freezeSentence(s.account.Freeze)})
	}
	for _, o := range s.marks.Owners {
		lines = append(lines, [2]string{"owner", cmp.Or(o.Owner, "itself") + " from " + o.From.String()})
	}
	for _, l := range s.marks.Labels {
		lines = append(lines, [2]string{"label", l.Name + " from " + l.From.String() + labelEnd(l)})
	}
	if s.swept {
		still := "what is still to come goes to " + string(s.sweep.Target)
		if s.sweep.Refused != "" {
			still += ", but cannot be moved: " + s.sweep.Refused
		}
		lines = append(lines, [2]string{"left", still})
	}
	if err := facts(env.Stdout, lines...); err != nil {
		return err
	}
	for _, g := range s.grids() {
		if len(g.rows) == 0 {
			continue
		}
		if err := cmp.Or(env.printf("\n"), g.write(env.Stdout)); err != nil {
			return err
		}
	}
	return nil
}

// grids are the balances, the documents and, where it is asked for, the history.
func (s *shown) grids() []*grid {
	balances := newGrid(text("token"), figure("free"), figure("held"), figure("earned so far"))
	for _, b := range s.balances {
		j := s.format(b)
		balances.add(j.Asset, j.Free, j.Held, j.Earned)
	}
	columns := []col{text("accepted"), figure("version"), text("when"), text("with"), text("from")}
	if !s.history {
		columns = columns[:3]
	}
	documents := newGrid(columns...)
	for _, a := range s.acceptances {
		row := []string{a.Document, strconv.Itoa(a.Version), wallTime(a.At), a.Client, a.Address}
		documents.add(row[:len(columns)]...)
	}
	if !s.history {
		return []*grid{balances, documents}
	}
	events := newGrid(text("switch"), text("when (UTC)"), text("with"), text("from"))
	for _, e := range s.switched {
		events.add(e.Action, clockTime(e.At), e.Client, e.Address)
	}
	return []*grid{balances, documents, events}
}
