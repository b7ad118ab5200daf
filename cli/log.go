package cli

import (
	"context"
	"time"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// logCmd lists who changed what, and when.
type logCmd struct {
	Since *staking.Day `placeholder:"DAY" help:"First day. Without it: from the beginning."`
	Limit int          `default:"100" help:"How many lines at most, the newest."`
	JSON  bool         `help:"Print a JSON array."`
}

func (c *logCmd) Help() string {
	return `The newest line comes last.

Example:

  softstake log --since 2026-11-01`
}

type logJSON struct {
	At      instant `json:"at"`
	Actor   string  `json:"actor"`
	Role    string  `json:"role,omitempty"`
	Request string  `json:"request"`
	Action  string  `json:"action"`
	Subject string  `json:"subject"`
	Detail  string  `json:"detail,omitempty"`
}

func (c *logCmd) Run(env *Env) error {
	if c.Limit < 1 {
		return usage("--limit %d is below 1", c.Limit)
	}
	var since time.Time
	if c.Since != nil {
		since = c.Since.Start()
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		lines, err := reports.New(db.Reader()).Log(ctx, since, c.Limit)
		if err != nil {
			return err
		}
		return list[store.LogLine]{
			json:    c.JSON,
			columns: []col{text("when (UTC)"), text("actor"), text("action"), text("subject"), text("detail")},
			row: func(l store.LogLine) []string {
				return []string{wallTime(l.At), l.Actor.Credential, l.Action, l.Subject, l.Detail}
			},
			object: func(l store.LogLine) any {
				return logJSON{instant(l.At), l.Actor.Credential, string(l.Actor.Role), l.Actor.Request, l.Action, l.Subject,
					l.Detail}
			},
		}.print(env, lines)
	})
}
