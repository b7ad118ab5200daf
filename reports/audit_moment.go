package reports

import (
	"fmt"
	"slices"
	"time"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/staking"
)

const (
	ruleLater  = "row that is later than now"
	ruleLimits = "limits without their line of the log"
	ruleTerms  = "terms without their line of the log"
)

// clocks is by how much the clocks of the processes of one installation may differ.
const clocks = time.Minute

// checkMoments finds rows that are dated later than now: they are in no record until then, and may count already. Now
// is the time after the snapshot is taken, so that what was written while the audit ran is not later.
func checkMoments(now func() time.Time) func(db.View, func(audit.Finding)) error {
	return func(t db.View, visit func(audit.Finding)) error {
		err := t.Query(nil, "SELECT 1 FROM meta") // takes the snapshot
		if err == nil {
			err = evidence.Later(t, now().Add(clocks), func(kind string, rows int64, first time.Time) {
				visit(findingAt(first.UnixMilli(), ruleLater, fmt.Sprintf("%d rows of the kind %s are later than now", rows, kind)))
			})
		}
		if err != nil {
			err = fmt.Errorf("look for a %s: %w", ruleLater, err)
		}
		return err
	}
}

// checkLimits finds limits of tokens that no line of the log has set then; each line sets them once. The first limits
// of a token came with it, or with an upgrade; they are a part of the record of that day.
func checkLimits(t db.View, visit func(audit.Finding)) error {
	lines, err := logLines(t, map[control.Operation]int{control.SetLimit: 1})
	if err == nil {
		err = t.Query(func(r db.Row) error {
			asset, number, at := r.Text(0), r.Int(1), r.Int(2)
			if number == 1 && at > 0 || takeLine(lines, asset, at) {
				return nil
			}
			f := findingAt(at, ruleLimits, fmt.Sprintf("no line of the log sets its limits number %d then", number))
			f.Asset = asset
			visit(f)
			return nil
		}, "SELECT asset, number, set_at FROM limits ORDER BY asset, set_at, number")
	}
	if err != nil {
		return fmt.Errorf("look for %s: %w", ruleLimits, err)
	}
	return nil
}

// checkTerms finds terms of tokens that no line of the log has set then. The first terms of a token came with it. Those
// from before the last upgrade are a part of records, or of books without a log.
func checkTerms(t db.View, visit func(audit.Finding)) error {
	// What held before a correction is written for the day after it.
	lines, err := logLines(t, map[control.Operation]int{control.AddAsset: 1, control.SetTerms: 1, control.CorrectTerms: 2})
	if err == nil {
		first := ""
		err = t.Query(func(r db.Row) error {
			asset, day, at := r.Text(0), staking.Day(r.Int(1)), r.Int(2)
			came := asset != first
			first = asset
			if came || at <= r.Int(3) || takeLine(lines, asset, at) {
				return nil
			}
			f := findingAt(at, ruleTerms, fmt.Sprintf("no line of the log sets its terms from %s then", day))
			f.Asset = asset
			visit(f)
			return nil
		}, `SELECT t.asset, t.from_day, t.set_at, u.at FROM terms t
		     CROSS JOIN (SELECT coalesce(max(at), 0) AS at FROM log WHERE action = 'upgrade' AND subject = 'books') u
		     ORDER BY t.asset, t.from_day, t.revision`)
	}
	if err != nil {
		return fmt.Errorf("look for %s: %w", ruleTerms, err)
	}
	return nil
}

// logLines are the moments in milliseconds of the lines of some operations, by what they are about, in their order;
// each as often as it can have written rows.
func logLines(t db.View, rows map[control.Operation]int) (map[string][]int64, error) {
	lines := map[string][]int64{}
	for op, n := range rows {
		err := t.Query(func(r db.Row) error {
			for range n {
				lines[r.Text(0)] = append(lines[r.Text(0)], r.Int(1))
			}
			return nil
		}, "SELECT subject, at FROM log WHERE action = $1", string(op))
		if err != nil {
			return nil, err
		}
	}
	for _, moments := range lines {
		slices.Sort(moments)
	}
	return lines, nil
}

// takeLine takes the first line of a token that is of about a moment in milliseconds, if there is one.
func takeLine(lines map[string][]int64, asset string, at int64) bool {
	most := clocks.Milliseconds()
	i := slices.IndexFunc(lines[asset], func(line int64) bool { return line >= at-most && line <= at+most })
	if i >= 0 {
		lines[asset] = slices.Delete(lines[asset], i, i+1)
	}
	return i >= 0
}
