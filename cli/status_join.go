package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// joinedSources is how far the sources of another ledger are.
type joinedSources struct {
	partitions []store.Partition
	waits      bool // the first open day is over, and waits for events
	open       staking.Day
}

func readJoined(ctx context.Context, db *store.DB, r *reports.Reports) (s joinedSources, err error) {
	if s.partitions, err = r.Partitions(ctx); err != nil || len(s.partitions) == 0 {
		return s, err
	}
	if s.open, err = r.FirstOpen(ctx); err != nil {
		return s, err
	}
	closings, err := db.Closings(ctx)
	if err != nil || db.Now().Before(closings.ClosesAt(s.open)) {
		return s, err
	}
	last, err := db.Delivered(ctx)
	s.waits = last < s.open
	return s, err
}

// holds reports whether the open day, which is over, waits for events of a partition.
func (s joinedSources) holds(p store.Partition) bool { return s.waits && p.HoldsBack(s.open) }

// write says which partitions have stopped, and for which a day waits.
func (s joinedSources) write(env *Env) (err error) {
	var holding []string
	for _, p := range s.partitions {
		if p.State == store.Stopped {
			err = cmp.Or(err, env.printf("\n%s has stopped at position %s%s: %s; see \"softstake join status\".\n", p.Path(),
				p.Stop, eventText(p.StopEvent), p.Reason))
		}
		if s.holds(p) {
			holding = append(holding, p.Path())
		}
	}
	if holding != nil {
		err = cmp.Or(err, env.printf("\n%s\n", s.overdue(holding)))
	}
	return err
}

// overdue says which day waits for which partitions, and what can be done.
func (s joinedSources) overdue(holding []string) string {
	const most = 5
	names := strings.Join(holding[:min(len(holding), most)], ", ")
	if more := len(holding) - most; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%s is over, and waits for the events of %s: see \"softstake join status\"; \"softstake join "+
		"close %[1]s\" lets it close without, \"softstake join retire\" ends a partition.", s.open, names)
}

// format is the same as JSON.
func (s joinedSources) format(env *Env) (all []partitionJSON) {
	for _, p := range s.partitions {
		j := newPartitionJSON(p, env.Now())
		j.Holds = s.holds(p)
		all = append(all, j)
	}
	return all
}
