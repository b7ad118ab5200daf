package store

import (
	"fmt"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

// note is what the log says of a call of Post; what is empty, the entries say.
type note struct{ action, subject, detail, reason string }

// actions are what the log calls entries of some kinds that are posted alone; all others
// are "post".
var actions = map[ledger.Kind]string{
	ledger.WithdrawalRequest:   "withdrawal request",
	ledger.WithdrawalCompleted: "withdrawal complete",
	ledger.WithdrawalCancelled: "withdrawal cancel",
}

// writeNotes writes a line of the log for each call that has posted something now, or one
// for each of its entries where these have reasons of their own. One line a call keeps the
// log as small as what people did.
func (db *DB) writeNotes(t tx, calls []*call) error {
	var lines []LogLine
	assets := *db.known.Load()
	for _, c := range calls {
		var posted []ledger.Entry
		for i, e := range c.entries {
			switch o := c.outcomes[i]; {
			case o.Err != nil || o.Repeated:
			case c.notes != nil:
				lines = append(lines, c.notes[i].of([]ledger.Entry{e}, c.actor, assets))
			default:
				posted = append(posted, e)
			}
		}
		if len(posted) > 0 {
			lines = append(lines, c.note.of(posted, c.actor, assets))
		}
	}
	return db.writeLog(t, lines)
}

// of is the line of the log about some entries.
func (n note) of(posted []ledger.Entry, by access.Actor, assets map[string]ledger.Asset) LogLine {
	first := posted[0]
	l := LogLine{Actor: by, Action: "post", Subject: first.ID}
	if action := actions[first.Kind]; action != "" && len(posted) == 1 {
		l.Action = action
	}
	if n.action != "" {
		l.Action = n.action
	}
	if n.subject != "" {
		l.Subject = n.subject
	}
	switch {
	case n.detail != "":
		l.Detail = n.detail
	case len(posted) > 1:
		l.Detail = fmt.Sprintf("%d entries, the last %s", len(posted), posted[len(posted)-1].ID)
	default:
		l.Detail = moved(first, assets)
	}
	if n.reason != "" {
		l.Detail += ": " + n.reason
	}
	return l
}

// movesShown is how many moves of an entry a line of the log shows.
const movesShown = 5

// moved says what an entry moves: "deposit 2 BNB from @custody to alice".
func moved(e ledger.Entry, assets map[string]ledger.Asset) string {
	moves := make([]string, 0, movesShown+1)
	for i, m := range e.Moves {
		if i == movesShown {
			moves = append(moves, fmt.Sprintf("and %d more", len(e.Moves)-i))
			break
		}
		moves = append(moves, fmt.Sprintf("%s %s from %s to %s", assets[m.Asset].Format(m.Amount), m.Asset, m.From, m.To))
	}
	return string(e.Kind) + " " + strings.Join(moves, ", ")
}
