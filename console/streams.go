package console

import (
	"cmp"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
)

// streams are the sources of events that are posted: how far each partition is, and what a person does where one has
// stopped or holds a day back.
var streams = register{
	Name: "streams", apart: true, roles: access.StaffRoles, tables: (*visit).streamsTables,
	forms: []registerForm{
		{"resume", "join resume", (*visit).resumeFields, (*submission).resumePartition},
		{"skip", control.SkipEvents, (*visit).skipFields, (*submission).skipEvents},
		{"close", control.CloseWithout, (*visit).closeFields, (*submission).closeWithout},
		{"retire", control.RetirePartition, (*visit).retireFields, (*submission).retirePartition}},
}

const (
	// behindFrom is from which lag on a watermark needs somebody: a source sends one at least each minute.
	behindFrom = 5 * time.Minute
	// mostLate is how many late events of a day a page shows, and of how many days it counts them.
	mostLate = 50
)

// partition is a partition at a moment.
type partition struct {
	store.Partition
	Lag   time.Duration // by which its watermark is behind the clock; of an unknown watermark 0
	Holds bool          // a day that is over does not close before it has more
}

// Needs reports whether somebody has to look at it: it has stopped, is behind, or holds a day back.
func (s partition) Needs() bool {
	return s.State == store.Stopped || s.State == store.Running && (s.Holds || s.Lag >= behindFrom)
}

// partitions are all of them, those that need somebody first, and whether the first open day is over and waits for the
// events of some. closesAt is when that day closes.
func (v *visit) partitions(firstOpen staking.Day, closesAt time.Time) (all []partition, waits bool, err error) {
	partitions, err := v.Reports.Partitions(v.context())
	if err != nil || len(partitions) == 0 {
		return nil, false, err
	}
	now := v.Books.Now()
	if !now.Before(closesAt) {
		last, err := v.Books.Delivered(v.context())
		if err != nil {
			return nil, false, err
		}
		waits = last < firstOpen
	}
	for _, p := range partitions {
		s := partition{Partition: p}
		s.Lag, _ = p.Lag(now)
		s.Holds = waits && p.HoldsBack(firstOpen)
		all = append(all, s)
	}
	slices.SortStableFunc(all, func(a, b partition) int { return cmp.Compare(a.order(), b.order()) })
	return all, waits, nil
}

// order is where it is listed: what needs somebody first, what is retired last.
func (s partition) order() int {
	switch {
	case s.Needs():
		return 0
	case s.State == store.Retired:
		return 2
	}
	return 1
}

// streamTable is the partitions as a table.
func (p *view) streamTable(all []partition) table {
	t := table{Title: "streams.partitions", Empty: "streams.none", Columns: []column{{"streams.partition", false},
		{"streams.state", false}, {"streams.position", true}, {"streams.until", false}}}
	for _, s := range all {
		t.Rows = append(t.Rows, p.streamRow(s))
	}
	return t
}

func (p *view) streamRow(s partition) row {
	state := cell{Text: p.T("streams.state." + s.State.String())}
	if s.State == store.Stopped {
		state = cell{Mark: state.Text, Note: p.T("streams.stopped", "position", s.Stop.String(), "event",
			cmp.Or(s.StopEvent, "–"), "why", s.Reason)}
	}
	position := text(s.Place.String())
	if s.Event != "" && !strings.HasPrefix(s.Event, "/") { // of what was passed over no event is known
		position.Note = s.Event
	}
	name, until := text(s.Path()), text("–")
	if !s.Watermark.IsZero() {
		until.Text = p.UTC(s.Watermark)
		if s.State != store.Retired {
			until.Note = p.behind(s.Lag)
		}
	}
	if s.Holds {
		until.Mark = p.T("streams.holds")
	}
	if !s.Moved.IsZero() {
		name.Note = template.HTML(template.HTMLEscapeString(p.T("streams.moved"))+" ") + p.UTC(s.Moved)
	}
	return row{name, state, position, until}
}

// behind says by how much a watermark is behind the clock, rounded down.
func (p *view) behind(lag time.Duration) string {
	unit, of := "seconds", time.Second
	switch {
	case lag >= 48*time.Hour:
		unit, of = "days", 24*time.Hour
	case lag >= 2*time.Hour:
		unit, of = "hours", time.Hour
	case lag >= 2*time.Minute:
		unit, of = "minutes", time.Minute
	}
	return p.T("streams.behind."+unit, "n", p.count(int64(lag/of)))
}

// openDay is the first open day, and when it closes.
func (v *visit) openDay() (d staking.Day, closesAt time.Time, err error) {
	if d, err = v.Reports.FirstOpen(v.context()); err != nil {
		return d, closesAt, err
	}
	closings, err := v.Books.Closings(v.context())
	return d, closings.ClosesAt(d), err
}

// allPartitions are the partitions, and the first open day if it is over and waits for events: else 0.
func (v *visit) allPartitions() (all []partition, waiting staking.Day, err error) {
	d, closesAt, err := v.openDay()
	if err != nil {
		return nil, 0, err
	}
	all, waits, err := v.partitions(d, closesAt)
	if waits {
		waiting = d
	}
	return all, waiting, err
}

func (v *visit) streamsTables() ([]table, error) {
	p := v.view("")
	all, _, err := v.allPartitions()
	if err != nil {
		return nil, err
	}
	late := table{Title: "streams.late", Empty: "streams.late.none", Columns: []column{{"day", false},
		{"streams.late.events", true}}}
	counts, err := v.Reports.LateCounts(v.context(), mostLate)
	for _, c := range counts {
		late.Rows = append(late.Rows, row{link(p.Day(c.Day), dayPath(c.Day)), text(p.count(c.Events))})
	}
	if err != nil {
		return nil, err
	}
	without := table{Title: "streams.without", Empty: "streams.without.none", Columns: []column{{"streams.through", false},
		{"reason", false}, {"terms.by", false}}}
	days, err := v.Reports.DaysWithout(v.context(), mostLate)
	for _, d := range days {
		without.Rows = append(without.Rows, row{link(p.Day(d.Day), dayPath(d.Day)), text(d.Reason),
			{Text: d.By, Note: p.Local(d.At)}})
	}
	if err != nil {
		return nil, err
	}
	skipped := table{Title: "streams.skipped", Empty: "streams.skipped.none", Columns: []column{
		{"streams.skipped.event", false}, {"reason", false}, {"terms.by", false}}}
	skips, err := v.Reports.JoinSkips(v.context(), mostLate)
	for _, s := range skips {
		skipped.Rows = append(skipped.Rows, row{{Text: s.Event, Note: s.Source}, text(s.Reason),
			{Text: s.By, Note: p.Local(s.At)}})
	}
	return []table{p.streamTable(all), late, without, skipped}, err
}

// partitionField chooses a partition of some.
func (v *visit) partitionField(which func(store.Partition) bool) (field, error) {
	all, err := v.Reports.Partitions(v.context())
	f := field{Name: "partition", Key: "streams.partition", Options: []option{}}
	for _, p := range all {
		if which(p) {
			f.Options = append(f.Options, option{Value: partition{Partition: p}.Path()})
		}
	}
	return f, err
}

func isStopped(p store.Partition) bool { return p.State == store.Stopped }
func isLive(p store.Partition) bool    { return p.State != store.Retired }

func (v *visit) resumeFields() ([]field, error) {
	f, err := v.partitionField(isStopped)
	return []field{f}, err
}

// skipFields have the event at which a partition has stopped, where no other has.
func (v *visit) skipFields() ([]field, error) {
	at := ""
	f, err := v.partitionField(func(p store.Partition) bool {
		if isStopped(p) {
			at = p.StopEvent
		}
		return isStopped(p)
	})
	if len(f.Options) != 1 {
		at = ""
	}
	return []field{f, {Name: "event", Key: "streams.event", Hint: "streams.event.hint", Initial: at},
		{Name: "from", Key: "streams.from", Hint: "streams.from.hint"}, {Name: "reason", Key: "reason", Required: true}}, err
}

func (v *visit) retireFields() ([]field, error) {
	f, err := v.partitionField(isLive)
	return []field{f, {Name: "reason", Key: "reason", Hint: "streams.retire.hint", Required: true}}, err
}

// closeFields choose a day that is over and waits for events.
func (v *visit) closeFields() ([]field, error) {
	_, waiting, err := v.allPartitions()
	days := []option{}
	for d := staking.DayOf(v.Books.Now()) - 1; waiting > 0 && d >= waiting; d-- {
		days = append(days, option{Value: d.String()})
	}
	return []field{{Name: "day", Key: "streams.through", Options: days},
		{Name: "reason", Key: "reason", Hint: "streams.close.hint", Required: true}}, err
}

// chosenPartition is the names of the partition that a form chooses.
func chosenPartition(f *ui.Form) (source, name string) {
	source, name, _ = strings.Cut(f.Value("partition"), "/")
	return source, name
}

func (s *submission) resumePartition(f *ui.Form) error {
	source, name := chosenPartition(f)
	return s.Books.ResumePartition(s.context(), source, name)
}

// skipEvents lets a partition go on without the event at which it stopped, or without those before a position.
func (s *submission) skipEvents(f *ui.Form) error {
	skip := store.PartitionSkip{Event: typed(f, "event"), Reason: typed(f, "reason")}
	skip.Source, skip.Name = chosenPartition(f)
	if from := typed(f, "from"); from != "" {
		at, err := join.ParsePlace(from)
		if err != nil {
			return ledger.ErrInvalid.In("from", "%q is no position", ledger.Clip(from)).Because(reasonNoPosition)
		}
		skip.From, skip.Part = at.Position, at.Part
	}
	return s.Books.SkipEvents(s.context(), skip)
}

func (s *submission) retirePartition(f *ui.Form) error {
	source, name := chosenPartition(f)
	return s.Books.RetirePartition(s.context(), store.PartitionEnd{Source: source, Name: name,
		Reason: typed(f, "reason")})
}

// closeWithout lets days close without waiting for the rest of their events.
func (s *submission) closeWithout(f *ui.Form) error {
	d, err := neededDay(f, "day")
	if err != nil {
		return err
	}
	return s.Books.CloseWithout(s.context(), store.DayWithout{Day: d, Reason: typed(f, "reason")})
}
