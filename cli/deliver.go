package cli

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"

	fromkafka "github.com/softstake/softstake/join/kafka"
	fromnats "github.com/softstake/softstake/join/nats"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/topic"
	"github.com/softstake/softstake/topic/kafka"
	"github.com/softstake/softstake/topic/nats"
)

// topic is the topic of Kafka or the subject of NATS of an address, with who writes to it in a file or "".
func (env *Env) topic(address, credentials string) (to topic.Topic, err error) {
	switch scheme, _, _ := strings.Cut(address, ":"); scheme {
	case "kafka":
		var who fromkafka.Credentials
		if who, err = kafkaLogin(env, credentials); err == nil {
			to, err = kafka.Parse(address, who, env.Insecure)
		}
	case "nats":
		var who fromnats.Credentials
		if who, err = natsLogin(env, credentials); err == nil {
			to, err = nats.Parse(address, who, env.Insecure)
		}
	default:
		return nil, usage("that is no topic; it is kafka://HOST,HOST/TOPIC or nats://HOST,HOST/SUBJECT")
	}
	if errors.Is(err, ledger.ErrInvalid) {
		err = usage("the address of the target: %w", err)
	}
	return to, err
}

// targetJSON is where payouts or events are delivered to.
type targetJSON struct {
	Name    string   `json:"name"`
	Address string   `json:"address"`
	Kinds   string   `json:"kinds,omitempty"` // of events
	Number  int64    `json:"number"`
	Moved   *instant `json:"moved"`
	Waiting int64    `json:"waiting"`
	Since   *instant `json:"waitingSince"`
	Failed  *instant `json:"failingSince"`
	Error   string   `json:"error"`
	// Lost is that what is next is not kept, or that the target is ahead of the books.
	Lost bool `json:"lost"`
}

// targets shows where something is delivered to; none is what is said where it is nowhere.
func (env *Env) targets(stream store.Stream, asJSON bool, none string) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		targets, err := reports.New(db.Reader()).TargetsOf(ctx, stream)
		if err != nil {
			return err
		}
		if asJSON {
			all := []targetJSON{}
			for _, t := range targets {
				all = append(all, targetJSON{t.Name, t.Address, t.Kinds, t.Number, instantOrNull(t.Moved), t.Backlog,
					instantOrNull(t.Oldest), instantOrNull(t.Failed), t.Error, t.Lost})
			}
			return writeJSON(env.Stdout, all)
		}
		if len(targets) == 0 {
			return env.printf("%s", none)
		}
		g := newGrid(text("target"), text("address"), text("gets"), figure("number"), text("moved"), figure("waiting"),
			text("since"), text("failing since"), text("error"))
		for _, t := range targets {
			since, failed := "", ""
			if !t.Oldest.IsZero() {
				since = wallTime(t.Oldest)
			}
			if !t.Failed.IsZero() {
				failed = wallTime(t.Failed)
			}
			g.add(t.Name, t.Address, cmp.Or(t.Kinds, string(stream)), strconv.FormatInt(t.Number, 10), wallOrNever(t.Moved),
				strconv.FormatInt(t.Backlog, 10), since, failed, whyNot(t))
		}
		return g.write(env.Stdout)
	})
}

// whyNot is why nothing is delivered to a target, where that is known, also before somebody has tried; "": it is.
func whyNot(t reports.Target) string {
	if t.Error == "" && t.Lost {
		return "what is next is not kept any more, or the books were restored: deliver --from a number that they have"
	}
	return t.Error
}
