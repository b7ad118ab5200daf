package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// undeliveredJSON is where something is delivered to, and is not.
type undeliveredJSON struct {
	Kind   string `json:"kind"` // webhook, payouts or events
	Name   string `json:"name"` // "": every webhook
	Reason string `json:"reason"`
}

// undelivered is what is delivered to nobody: webhooks that are disabled or whose secrets cannot be read here, and
// targets that fail.
func (env *Env) undelivered(ctx context.Context, db *store.DB) (all []undeliveredJSON, err error) {
	rs := reports.New(db.Reader())
	webhooks, err := rs.Webhooks(ctx)
	if errors.Is(err, integrity.ErrNoKey) {
		err = nil // that credentials are refused is said already
	}
	if err != nil {
		return nil, err
	}
	if len(webhooks) > 0 {
		if _, err := env.sealer(); errors.Is(err, errNoSealKey) {
			all = append(all, undeliveredJSON{"webhook", "", "the key that their secrets are sealed with is not here"})
		}
	}
	for _, w := range webhooks {
		if state := w.StateAt(env.Now()); state == "disabled" || state == "forged" {
			all = append(all, undeliveredJSON{"webhook", w.Name, cmp.Or(w.Reason, "another program has written it")})
		}
	}
	targets, err := rs.Targets(ctx)
	for _, t := range targets {
		if why := whyNot(t); why != "" {
			all = append(all, undeliveredJSON{string(t.Stream), t.Name, why})
		}
	}
	return all, err
}

// writeUndelivered says what is delivered to nobody.
func writeUndelivered(env *Env, all []undeliveredJSON) (err error) {
	for _, u := range all {
		text := fmt.Sprintf("%s are not delivered to %s: %s", u.Kind, u.Name, u.Reason)
		switch {
		case u.Kind == "webhook" && u.Name == "":
			text = "Webhooks are not sent from this machine: " + u.Reason
		case u.Kind == "webhook":
			text = fmt.Sprintf("Nothing is sent to the webhook %s: %s", u.Name, u.Reason)
		case u.Kind == string(store.PayoutStream):
			text = "P" + text[1:]
		default:
			text = "E" + text[1:]
		}
		err = cmp.Or(err, env.printf("\n%s.\n", text))
	}
	return err
}
