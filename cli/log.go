package cli

import (
	"context"

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
	return env.books(func(ctx context.Context, db *store.DB) error {
		lines, err := reports.New(db.Reader()).Log(ctx, given(c.Since, 0).Start(), c.Limit)
		return list[store.LogLine]{
			json:    c.JSON,
			columns: []col{text("when (UTC)"), text("actor"), text("action"), text("subject"), text("detail")},
			item: func(l store.LogLine) (any, []string) {
				by := l.Actor
				return logJSON{instant(l.At), by.Credential, string(by.Role), by.Request, l.Action, l.Subject, l.Detail},
					[]string{wallTime(l.At), by.Credential, l.Action, l.Subject, l.Detail}
			},
		}.print(env, lines, err)
	})
}
