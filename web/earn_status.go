package web

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// earnStatus describes whether the visitor is earning.
type earnStatus struct {
	Name  string // "on", "idle": nothing reaches its minimum, "soon", "off", "restricted"
	Line  string
	Why   string
	Steps []step // what comes next, until the first reward is credited
}

// On reports whether the switch is on.
func (s earnStatus) On() bool { return s.Name == "on" || s.Name == "idle" || s.Name == "soon" }

// step is a day on the way to the first reward.
type step struct {
	State string // "past", "now", "coming"
	Title string
	Text  string
}

func (e earnFacts) status() earnStatus {
	tokens, s := e.qualifying(), earnStatus{Name: "off", Line: e.T("earn.status.off")}
	switch {
	case e.Soon():
		s = earnStatus{Name: "soon", Line: e.T("earn.status.soon", "day", e.Day(e.Holder.Running.From))}
	case e.Holder.On() && len(tokens) == 0:
		s = earnStatus{Name: "idle", Line: e.T("earn.status.idle", "day", e.Day(e.Holder.Running.From))}
	case e.Holder.On():
		s = earnStatus{Name: "on", Line: e.T("earn.status.on", "day", e.Day(e.Holder.Running.From)),
			Why: e.T("earn.status.on.why", "tokens", e.list(tokens))}
	case e.Holder.Region != nil:
		s = earnStatus{Name: "restricted", Line: e.T("earn.status.restricted"), Why: e.whyRestricted()}
		if errors.Is(e.Holder.Region, staking.ErrUnknownCountry) {
			s.Line = e.T("earn.status.unknown-country")
		}
		return s
	case len(tokens) > 0:
		s.Why = e.T("earn.status.off.why", "tokens", e.list(tokens))
	}
	if len(tokens) == 0 {
		s.Why = e.whyNothing()
	}
	if e.Holder.On() {
		s.Steps = e.steps()
	}
	if e.Holder.On() && e.Holder.Running.Until != staking.Forever {
		s.Why = e.T("earn.status.ends", "day", e.Day(e.Holder.Running.Until))
	}
	return s
}

// whyRestricted is the true reason for which the visitor cannot switch it on.
func (e earnFacts) whyRestricted() string {
	home, here := e.Holder.Residence, e.visit.caller.Country
	switch {
	case !home.Exists():
		return e.T("earn.restricted.unknown")
	case staking.CheckRegion(home, staking.Client{}, e.Holder.Restricted) != nil:
		return e.T("earn.restricted.residence", "region", home)
	case here == "":
		return e.T("earn.restricted.unknown-country")
	}
	return e.T("earn.restricted.country", "region", here)
}

// whyNothing is the reason where no token reaches its minimum, or another product has those
// that do.
func (e earnFacts) whyNothing() string {
	if why := e.whyExcluded(); why != "" {
		return why
	}
	asset, missing, found := e.nearest()
	if !found {
		return e.T("earn.nothing.offered")
	}
	return e.T("earn.nothing", "amount", e.Plain(asset, missing), "token", asset.Symbol)
}

// list joins words as a sentence does: "A, B and C".
func (p *view) list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return p.T("earn.list", "list", strings.Join(words[:last], ", "), "last", words[last])
}

// steps are the three days from the switch to the first reward; none after that.
func (e earnFacts) steps() []step {
	from, today := e.Holder.Running.From, e.Holder.Today
	paying := len(e.Holder.Paid) == 0 &&
		slices.ContainsFunc(e.Holder.Pending, func(d reports.PendingReward) bool { return d.Day == from })
	if today > from+1 || today == from+1 && !paying {
		return nil
	}
	states := [3]string{"past", "coming", "coming"}
	switch {
	case today == from:
		states[1] = "now"
	case today > from:
		states[1], states[2] = "past", "now"
	}
	return []step{
		{states[0], e.T("earn.step.on"), e.Day(from - 1)},
		{states[1], e.T("earn.step.measured"), e.T("earn.step.measured.from", "time", e.BothText(from.Start()))},
		{states[2], e.T("earn.step.paid"), e.window(e.Holder.Closings, from)},
	}
}

// Window is when the reward of a day is credited. The closings are read only once for a page.
func (p *view) Window(d staking.Day) (text string, err error) {
	v := p.visit
	if v.closes == nil {
		if v.closes, err = v.Books.Closings(v.context()); err != nil {
			return "", err
		}
	}
	return p.window(v.closes, d), nil
}

// window is when the reward of a day is credited: in UTC and, where that differs, in the
// visitor's zone.
func (p *view) window(closings staking.Closings, d staking.Day) string {
	from, to := closings.ClosesAt(d), closings.PaidBy(d)
	utc := p.T("earn.window", "day", p.Date(from), "from", from.Format("15:04"), "to", to.Format("15:04"))
	here := from.In(p.Location)
	if ui.SameClock(here) {
		return utc
	}
	return p.T("earn.window.both", "utc", utc, "from", p.Beside(here, from), "to", p.Beside(to.In(p.Location), here))
}

// yesterdayFigure is what the day before today paid.
type yesterdayFigure struct {
	// "paid", "due", "late", "waits", "waiting": accrued in the mode share, "entered": and its income is known, "nothing",
	// "excluded", "first": none was covered yet, "uncovered"
	Name     string
	Rewards  []reports.Reward
	Due      []reports.PendingReward // what is not credited yet, whatever its day
	Value    ledger.Amount           // of those paid, in USDT and in 1e-8
	Unpriced int
}

// yesterday is the day before today.
func (e earnFacts) yesterday() (f yesterdayFigure, err error) {
	f.Due = e.due()
	for _, r := range e.Holder.Paid {
		if r.Reward == 0 {
			continue // less than a smallest unit: carried on
		}
		f.Rewards = append(f.Rewards, r)
		if !r.PriceKnown {
			f.Unpriced++
		} else if f.Value, err = f.Value.Add(r.Value); err != nil {
			return f, fmt.Errorf("add up what %s paid: %w", e.Holder.Yesterday(), err)
		}
	}
	switch {
	case len(f.Rewards) > 0:
		f.Name = "paid"
	case slices.ContainsFunc(f.Due, func(d reports.PendingReward) bool { return d.Waits }):
		f.Name = "waits"
	case len(f.Due) > 0 && !e.Holder.At.Before(e.Holder.Closings.PaidBy(e.Holder.Yesterday())):
		f.Name = "late"
	case len(f.Due) > 0:
		f.Name = "due"
	case e.enteredFor(e.Holder.Yesterday()):
		f.Name = "entered"
	case len(e.Holder.Pending) > 0 || e.waitsFor(e.Holder.Yesterday()):
		f.Name = "waiting"
	case e.Holder.Covers(e.Holder.Yesterday()) && e.excludedOn(e.Holder.Yesterday()):
		f.Name = "excluded"
	case e.Holder.Covers(e.Holder.Yesterday()):
		f.Name = "nothing"
	case e.Holder.On() && e.Holder.Running.From >= e.Holder.Today:
		f.Name = "first"
	default:
		f.Name = "uncovered"
	}
	return f, nil
}

// due are the rewards that are not credited yet, without days of the mode share that weigh and pay nothing yet.
func (e earnFacts) due() []reports.PendingReward {
	return slices.DeleteFunc(slices.Clone(e.Holder.Pending), func(d reports.PendingReward) bool {
		return d.Mode == staking.Share && d.Reward == 0
	})
}

// waitsFor reports whether a day of some token is accrued and waits for its income.
func (e earnFacts) waitsFor(d staking.Day) bool {
	return slices.ContainsFunc(e.Holder.Waiting, func(w reports.WaitingDays) bool { return w.Last == d })
}

// enteredFor reports whether that is so, and the income of such a day is entered.
func (e earnFacts) enteredFor(d staking.Day) bool {
	return slices.ContainsFunc(e.Holder.Waiting, func(w reports.WaitingDays) bool { return w.Last == d && w.Entered != 0 })
}

// dividesToday reports whether income of accrued days was entered today: it is divided with today.
func (e earnFacts) dividesToday() bool {
	return slices.ContainsFunc(e.Holder.Waiting, func(w reports.WaitingDays) bool { return w.Entered == e.Holder.Today })
}

// paysShares reports whether a token's rewards are a share of its staking income today.
func (e earnFacts) paysShares(token string) bool {
	return slices.ContainsFunc(e.Holder.Tokens, func(t reports.OfferedToken) bool {
		return t.Asset.Symbol == token && t.Terms.Mode == staking.Share
	})
}

// nextFigure is the next reward that is due.
type nextFigure struct {
	// "now", "in", "income": when the income of days that are accrued is known, "idle": nothing reaches its minimum,
	// "excluded", "off"
	Name string
	Day  staking.Day // that it is for
	At   time.Time   // when it is due at the earliest
}

func (e earnFacts) next() nextFigure {
	y := e.Holder.Yesterday()
	due := func(d reports.PendingReward) bool { return d.Day == y && !d.Waits }
	covered := e.Holder.Covers(e.Holder.Today)
	reaches := func(mode staking.Mode) bool {
		return slices.ContainsFunc(e.Holder.Tokens, func(t reports.OfferedToken) bool {
			return t.Terms.Mode == mode && (covered && t.Reached || !covered && t.Terms.Qualifies(t.Joint))
		})
	}
	switch {
	case e.Holder.At.Before(e.Holder.Closings.PaidBy(y)) && slices.ContainsFunc(e.due(), due):
		return nextFigure{Name: "now", Day: y}
	case !e.Holder.On():
		return nextFigure{Name: "off"}
	case !reaches(staking.Fixed) && e.dividesToday():
		return nextFigure{Name: "in", Day: e.Holder.Today, At: e.Holder.Closings.ClosesAt(e.Holder.Today)}
	case !reaches(staking.Fixed) && (reaches(staking.Share) || len(e.Holder.Waiting) > 0):
		return nextFigure{Name: "income"}
	case !reaches(staking.Fixed) && e.whyExcluded() != "":
		return nextFigure{Name: "excluded"}
	case !reaches(staking.Fixed):
		return nextFigure{Name: "idle"}
	}
	day := max(e.Holder.Today, e.Holder.Running.From)
	return nextFigure{Name: "in", Day: day, At: e.Holder.Closings.ClosesAt(day)}
}

// moreOf reports whether a/b is more than c/d, exactly; none of these is below zero.
func moreOf(a, b, c, d ledger.Amount) bool {
	high, low := bits.Mul64(uint64(a), uint64(d))
	otherHigh, otherLow := bits.Mul64(uint64(c), uint64(b))
	return high > otherHigh || high == otherHigh && low > otherLow
}
