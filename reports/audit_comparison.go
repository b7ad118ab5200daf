package reports

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// The rules of comparisons with another ledger that are more than a query.
const (
	ruleCompareSet  = "setting of a reconciliation without its line of the log"
	ruleBreakPaid   = "day paid while the other ledger differs"
	ruleUncompared  = "day paid before it was compared"
	comparisonClock = int64(time.Minute / time.Millisecond) // by how much the clocks of machines may differ
)

// near reports whether two moments in milliseconds are the same one, by the clocks of two machines.
func near(a, b int64) bool { return max(a-b, b-a) <= comparisonClock }

// comparisonSetting is what somebody has set or decided of comparisons, and how its line of the log is known.
type comparisonSetting struct {
	action               control.Operation
	subject, asset, what string
	at                   int64
	begins, has, ends    string // of the line
}

// checkCompareSettings finds limits, sources, resolutions and releases of comparisons that no line of the log has made
// so.
func checkCompareSettings(t db.View, visit func(audit.Finding)) error {
	type line struct {
		at     int64
		detail string
	}
	type of struct{ action, subject string }
	lines := map[of][]line{}
	err := t.Query(func(r db.Row) error {
		k := of{r.Text(0), r.Text(1)}
		lines[k] = append(lines[k], line{r.Int(2), r.Text(3)})
		return nil
	}, "SELECT action, subject, at, detail FROM log WHERE action IN ('reconcile set', 'reconcile set-limit', "+
		"'reconcile resolve', 'reconcile release')")
	var settings []comparisonSetting
	if err == nil {
		settings, err = comparisonSettings(t)
	}
	if err != nil {
		return fmt.Errorf("look for a %s: %w", ruleCompareSet, err)
	}
	for _, s := range settings {
		found := false
		for _, l := range lines[of{string(s.action), s.subject}] {
			found = found || near(l.at, s.at) && strings.HasPrefix(l.detail, s.begins) && strings.Contains(l.detail, s.has) &&
				strings.HasSuffix(l.detail, s.ends)
		}
		if !found {
			f := findingAt(s.at, ruleCompareSet, s.what+", and no line of the log says so")
			f.Asset = s.asset
			visit(f)
		}
	}
	return nil
}

// comparisonSettings are all of them.
func comparisonSettings(t db.View) (all []comparisonSetting, err error) {
	assets := map[string]ledger.Asset{}
	err = t.Query(func(r db.Row) error {
		assets[r.Text(0)] = ledger.Asset{Symbol: r.Text(0), Scale: int(r.Int(1)), MaxSupply: ledger.Amount(r.Int(2))}
		return nil
	}, "SELECT symbol, scale, max_supply FROM assets")
	if err != nil {
		return nil, err
	}
	limits, err := db.All(t, store.ReadComparisonLimit, "SELECT "+store.ComparisonLimitColumns+" FROM comparison_limits")
	if err != nil {
		return nil, err
	}
	for _, l := range limits {
		all = append(all, comparisonSetting{action: control.SetComparisonLimit, subject: cmp.Or(l.Asset, store.EveryToken),
			asset: l.Asset, what: fmt.Sprintf("its limit %d is set by %s", l.Number, l.SetBy), at: l.SetAt.UnixMilli(),
			begins: l.Describe(assets[l.Asset]) + ";"})
	}
	sources, err := db.All(t, store.ReadComparisonSource, "SELECT "+store.ComparisonSourceColumns+
		" FROM comparison_sources")
	if err != nil {
		return nil, err
	}
	for _, s := range sources {
		all = append(all, comparisonSetting{action: control.SetComparisonSource, subject: "books",
			what: fmt.Sprintf("the source %d of reconciliations is set by %s", s.Number, s.SetBy), at: s.SetAt.UnixMilli(),
			begins: s.Describe() + " are compared each night;"})
	}
	err = t.Query(func(r db.Row) error {
		all = append(all, comparisonSetting{action: control.ResolveBreak, subject: r.Text(1), asset: r.Text(1),
			what: fmt.Sprintf("reconciliation %d is resolved by %s", r.Int(0), r.Text(3)), at: r.Int(2),
			has: fmt.Sprintf("reconciliation %d, of the end of", r.Int(0)), ends: ": " + r.Text(4)})
		return nil
	}, "SELECT number, asset, resolved_at, resolved_by, reason FROM comparison_resolutions")
	if err != nil {
		return nil, err
	}
	err = t.Query(func(r db.Row) error {
		day := staking.Day(r.Int(1))
		all = append(all, comparisonSetting{action: control.ReleaseDay, subject: r.Text(0), asset: r.Text(0),
			what: fmt.Sprintf("%s is released by %s", day, r.Text(3)), at: r.Int(2), begins: day.String() + " is paid",
			ends: ": " + r.Text(4)})
		return nil
	}, "SELECT asset, day, released_at, released_by, reason FROM comparison_releases")
	return all, err
}

// dayOfToken is a day of a token.
type dayOfToken struct {
	asset string
	day   staking.Day
}

// declaredDay is a day that was declared.
type declaredDay struct {
	dayOfToken
	at    int64 // when, by the line of the log; without one, when the run began
	total ledger.Amount
}

// declaredFrom are the days that were declared from a day on. The row has the moment when the run began, which may be
// long before the token was declared; the line of the log has the other one.
func declaredFrom(t db.View, from staking.Day) ([]declaredDay, error) {
	logged := map[string]int64{}
	err := t.Query(func(r db.Row) error {
		day, _, _ := strings.Cut(r.Text(1), ":")
		logged[r.Text(0)+" "+day] = r.Int(2)
		return nil
	}, "SELECT subject, detail, at FROM log WHERE action = 'declare' AND at >= $1 ORDER BY at", from.Millis())
	if err != nil {
		return nil, err
	}
	return db.All(t, func(r db.Row) (declaredDay, error) {
		d := declaredDay{dayOfToken{r.Text(0), staking.Day(r.Int(1))}, r.Int(2), ledger.Amount(r.Int(3))}
		if at, is := logged[d.asset+" "+d.day.String()]; is {
			d.at = at
		}
		return d, nil
	}, "SELECT asset, day, declared_at, total FROM declarations WHERE day >= $1 ORDER BY day, asset", int64(from))
}

// checkBreaks finds days that were declared while a comparison stopped their token. What lets a token be paid must have
// been there when it was declared, but for the clocks of two machines.
func checkBreaks(t db.View, visit func(audit.Finding)) error {
	type stop struct {
		number, made, resolved, superseded int64
		dayOfToken
	}
	stops, err := db.All(t, func(r db.Row) (stop, error) {
		return stop{r.Int(0), r.Int(3), r.Int(4), r.Int(5), dayOfToken{r.Text(1), staking.Day(r.Int(2))}}, nil
	}, `SELECT t.number, t.asset, c.day, c.made_at,
	           coalesce((SELECT r.resolved_at FROM comparison_resolutions r WHERE r.number = t.number AND r.asset = t.asset), 0),
	           coalesce((SELECT min(n.made_at) FROM comparison_tokens l JOIN comparisons n ON n.number = l.number
	             WHERE l.asset = t.asset AND l.kind = t.kind AND `+store.Supersedes+`), 0)
	      FROM comparison_tokens t JOIN comparisons c ON c.number = t.number WHERE t.stops = 1 ORDER BY t.number`)
	if err != nil || stops == nil {
		return err
	}
	from := stops[0].day
	for _, s := range stops {
		from = min(from, s.day)
	}
	declared, err := declaredFrom(t, from)
	for _, s := range stops {
		ended := func(at, by int64) bool { return at > 0 && at <= by+comparisonClock }
		for _, d := range declared { // a day before the one that was compared was declared before
			if d.asset == s.asset && d.day >= s.day && d.at > s.made+comparisonClock && !ended(s.resolved, d.at) &&
				!ended(s.superseded, d.at) {
				f := findingAt(d.at, ruleBreakPaid, fmt.Sprintf("%s was declared, and reconciliation %d stopped it", d.day,
					s.number))
				f.Asset = d.asset
				visit(f)
			}
		}
	}
	return err
}

// comparedDay is what lets a day of a token be paid whose limit has it wait: a comparison, or a release.
type comparedDay struct {
	at      int64
	nightly bool // or a release
}

// checkUncompared finds days that were declared before they were compared, though the limit of then had them wait.
func checkUncompared(t db.View, visit func(audit.Finding)) error {
	limits, err := db.All(t, store.ReadComparisonLimit, "SELECT "+store.ComparisonLimitColumns+
		" FROM comparison_limits ORDER BY asset, number")
	first := staking.Forever
	for _, l := range limits {
		if l.Waits {
			first = min(first, staking.DayOf(l.SetAt)-1)
		}
	}
	if err != nil || first == staking.Forever {
		return err
	}
	sources, err := db.All(t, store.ReadComparisonSource, "SELECT "+store.ComparisonSourceColumns+
		" FROM comparison_sources ORDER BY number")
	if err != nil {
		return err
	}
	compared, err := comparedDays(t, first)
	if err != nil {
		return err
	}
	declared, err := declaredFrom(t, first)
	for _, d := range declared {
		// Of a day without rewards there is no line of the log that says when it was declared.
		if d.total == 0 || !waitedAt(limits, d) {
			continue
		}
		nightly := false
		for _, s := range sources {
			if s.SetAt.UnixMilli() <= d.at-comparisonClock {
				nightly = s.On()
			}
		}
		found := false
		for _, c := range compared[d.dayOfToken] {
			found = found || c.at <= d.at+comparisonClock && (c.nightly || !nightly)
		}
		if !found {
			f := findingAt(d.at, ruleUncompared, fmt.Sprintf("%s was declared before it was compared with the other ledger",
				d.day))
			f.Asset = d.asset
			visit(f)
		}
	}
	return err
}

// waitedAt reports whether the limit that counted for a token when a day of it was declared had it wait, and for as
// long as clocks may differ: its own, else that of every token.
func waitedAt(limits []store.ComparisonLimit, d declaredDay) bool {
	last := map[string]store.ComparisonLimit{}
	for _, l := range limits {
		at := l.SetAt.UnixMilli()
		if at <= d.at-comparisonClock || at <= d.at+comparisonClock && !l.Waits {
			last[l.Asset] = l
		}
	}
	if own, is := last[d.asset]; is {
		return own.Waits
	}
	return last[""].Waits
}

// comparedDays are what lets days be paid from a day on.
func comparedDays(t db.View, from staking.Day) (map[dayOfToken][]comparedDay, error) {
	found := map[dayOfToken][]comparedDay{}
	err := t.Query(func(r db.Row) error {
		k := dayOfToken{r.Text(0), staking.Day(r.Int(1))}
		found[k] = append(found[k], comparedDay{r.Int(2), r.Int(3) == 1})
		return nil
	}, `SELECT t.asset, c.day, CASE WHEN t.stops = 1 THEN r.resolved_at ELSE c.made_at END, c.scheduled
	      FROM comparisons c JOIN comparison_tokens t ON t.number = c.number
	      LEFT JOIN comparison_resolutions r ON r.number = t.number AND r.asset = t.asset
	     WHERE c.day >= $1 AND t.kind = 'balance' AND (t.stops = 0 OR r.resolved_at IS NOT NULL)
	    UNION ALL SELECT asset, day, released_at, 1 FROM comparison_releases WHERE day >= $1`, int64(from))
	return found, err
}
