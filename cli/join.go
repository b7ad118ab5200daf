package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/ingest"
	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type joinCmd struct {
	Run    joinRunCmd    `cmd:"" default:"withargs" help:"Post the events of another ledger, as they come."`
	Status joinStatusCmd `cmd:"" help:"Show how far each partition is, and why one has stopped."`
	Late   joinLateCmd   `cmd:"" help:"List the events that came when their day was closed."`
	Skips  joinSkipsCmd  `cmd:"" help:"List the events that are never posted."`
	Resume joinResumeCmd `cmd:"" help:"Let a stopped partition go on with the event at which it stopped."`
	Skip   joinSkipCmd   `cmd:"" help:"Let a stopped partition go on without events."`
	Retire joinRetireCmd `cmd:"" help:"End a partition: no day waits for it any more."`
	Close  joinCloseCmd  `cmd:"" help:"Let a day close without waiting for its events."`
}

type joinRunCmd struct {
	Source       string       `arg:"" help:"Where the events come from: file:FOLDER, in which NAME.jsonl is the partition NAME; postgres://USER@HOST/DATABASE?slot=NAME&publication=NAME; kafka://HOST,HOST/TOPIC; or nats://HOST,HOST/STREAM,STREAM."`
	Name         string       `required:"" placeholder:"NAME" help:"Name of the source, in the ID of each entry. It stays the same forever."`
	Mapping      string       `placeholder:"FILE" help:"How to read events from the JSON of others. Without it the events are as docs/join.md says."`
	Credentials  string       `placeholder:"FILE" help:"Who reads the source, in a file that only you can read: of Kafka the lines username=NAME and password=TEXT, of NATS a credentials file. Without it: $$KAFKA_USERNAME and $$KAFKA_PASSWORD, or $$NATS_USER and $$NATS_PASSWORD."`
	DryRun       bool         `help:"Post nothing: read what there is, and print where a partition would stop, as far as that is looked at, and where balances differ from those of the books."`
	Day          *staking.Day `placeholder:"DAY" help:"With --dry-run: compare what accounts have at the end of this closed day, and print what it would pay by the events."`
	Figures      string       `placeholder:"FILE" help:"With --day: compare what comes of the events with what the other ledger says, too: a file as \"reconcile\" reads it; - is the standard input. Or --ledger, --endpoint or --topic, as of \"reconcile\"."`
	figuresFlags `embed:""`
	reachFlags   `embed:""`
	UntilEnd     bool `help:"End when every event that is there now is posted. Without it: wait for more."`
	Batch        int  `default:"1000" help:"How many events share a transaction at most, up to 2000."`
}

func (c *joinRunCmd) Help() string {
	return `Each event is posted exactly once: its position is kept in the transaction of its entry, and what is read again has no further effect. An event that cannot be posted, a gap before it, or a balance of the source that its events do not give stops its partition, and no other: "join status" says why, "join resume" and "join skip" go on. A day closes when every partition has said that its events are all delivered. docs/join.md says what an event is. With four eyes a new source needs approval, and so does another address or mapping of one; run the command again then.

Of PostgreSQL the changes of the tables of a publication are read by logical replication. At the first time the slot is made, and the rows of the tables named by snapshot=TABLE,TABLE are read first (none: snapshot=none). The mapping reads the rows; docs/join.md has the rights that the user needs. A password is in ~/.pgpass or PGPASSWORD, never in the address.

Of Kafka the partitions of the topic are read, of NATS the streams, from the place that the books have and without a consumer group or a durable consumer. Where the topic or stream was made again, or what was not read yet is gone, its partition stops. Who reads is in the file of --credentials or in the environment; docs/join.md has the rest of the address.

With --dry-run nothing is posted, and nothing is left behind. What there is of the source is read from its begin (of PostgreSQL a snapshot of now), and the balances that come of it are compared with those of the books, without the rewards that the source has not credited: of a partition that is joined up to the position of the books. A partition is said to stop at a record that cannot be read, a gap or a step back, an unknown token, an account that neither the books have nor an event before opens, a balance below zero or another than the events give, and an ID that another event has. Nothing else is looked at, such as closed or frozen accounts, "reverses" and rewards.

With --day as well, the balances at the end of that closed day are compared, by the times of the events: what the events of the source give with what the books have, where a late event counts later. Of each account that differs what the day has paid is printed, and what it would with the balances of the source. With --figures, --ledger, --endpoint or --topic what comes of the events is compared with what the other ledger itself says, also before it is joined. A source that begins after the day, or with a snapshot of now as PostgreSQL does, does not say what was then, and is refused.

The exit status is 1 where --until-end ends with a partition that has stopped, and where --dry-run finds something.

Examples:

  softstake join file:/var/lib/exchange/outbox --name exchange
  softstake join file:outbox --name exchange --mapping debezium.json --until-end
  softstake join file:outbox --name exchange --dry-run
  softstake join file:outbox --name exchange --dry-run --day 2026-11-21 --figures balances.csv
  softstake join "kafka://k1.example.com:9093,k2.example.com:9093/ledger?sasl=scram-sha-512" --name exchange --credentials kafka.credentials
  softstake join nats://nats.example.com/LEDGER --name exchange --credentials softstake.creds
  softstake join "postgres://softstake@db.example.com/exchange?sslmode=verify-full&slot=softstake&publication=softstake&snapshot=accounts,balances" --name exchange --mapping ledger.json`
}

func (c *joinRunCmd) Run(env *Env) (err error) {
	if c.Batch < 1 || c.Batch > 2000 {
		return usage("--batch is from 1 to 2000")
	}
	figures, err := c.dayFigures(env)
	if err != nil {
		return err
	}
	mapping, digest, err := c.mapping(env)
	if err != nil {
		return err
	}
	source, end, err := c.source(env, mapping)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	address, err := c.address()
	if err != nil {
		return err
	}
	decode := join.Decode
	if mapping != nil {
		decode = mapping.Decode
	}
	return env.books(func(ctx context.Context, books *store.DB) error {
		config := ingest.Config{Books: books, Source: source, Name: c.Name, Decode: decode,
			Log:  slog.New(slog.NewTextHandler(env.Stderr, logOptions(slog.LevelInfo))),
			Poll: joinPoll, Batch: c.Batch, Random: rand.Int64N, UntilEnd: c.UntilEnd}
		switch {
		case c.Day != nil:
			return c.compareDay(ctx, env, config, figures)
		case c.DryRun:
			return c.compare(ctx, env, config)
		}
		config.Address, err = books.AddSource(ctx, store.JoinSource{Name: c.Name, Address: address, Mapping: digest})
		if err != nil {
			return err
		}
		result, err := ingest.Run(ctx, config)
		if err != nil {
			return err
		}
		if err := env.printf("Read %s, posted %s.\n", count(result.Events, "event", "events"),
			count(result.Entries, "entry", "entries")); err != nil {
			return err
		}
		return stoppedError(result.Stopped)
	})
}

// address is that of the source, as it is from every folder.
func (c *joinRunCmd) address() (string, error) {
	folder, is := strings.CutPrefix(c.Source, "file:")
	if !is {
		return c.Source, nil
	}
	folder, err := filepath.Abs(folder)
	return "file:" + folder, err
}

// compare prints what a dry run finds.
func (c *joinRunCmd) compare(ctx context.Context, env *Env, config ingest.Config) error {
	found, err := ingest.Compare(ctx, config)
	if err != nil {
		return err
	}
	if err := env.printf("Read %s, and compared %s with the books. Nothing was posted.\n",
		count(found.Events, "event", "events"), count(found.Balances, "balance", "balances")); err != nil {
		return err
	}
	if err := warnUncompared(env, found); err != nil {
		return err
	}
	if err := writeSourceDifferences(env, found); err != nil {
		return err
	}
	return foundError(c.foundLines(found))
}

// writeSourceDifferences lists the balances that differ.
func writeSourceDifferences(env *Env, found ingest.Compared) error {
	if len(found.Differences) == 0 {
		return nil
	}
	g := newGrid(text("account"), text("token"), figure("source"), figure("books"), figure("difference"))
	for _, d := range found.Differences[:min(len(found.Differences), shownDifferences)] {
		g.add(string(d.Account), d.Asset.Symbol, d.Asset.Format(d.Source), d.Asset.Format(d.Books),
			d.Asset.Format(d.Source-d.Books))
	}
	return g.write(env.Stdout)
}

// foundLines say where partitions would stop, and how much differs.
func (c *joinRunCmd) foundLines(found ingest.Compared) (lines []string) {
	for _, f := range found.Faults {
		lines = append(lines, fmt.Sprintf("%s/%s would stop at position %s%s: %v", c.Name, f.Partition, f.Place,
			eventText(f.Event), f.Err))
	}
	if n := len(found.Differences); n > 0 {
		lines = append(lines, count(n, "balance differs", "balances differ"))
	}
	return lines
}

// foundError is an error of lines, nil where there are none.
func foundError(lines []string) error {
	if lines == nil {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(lines, "\nsoftstake: "))
}

// warnUncompared says which balances were not compared.
func warnUncompared(env *Env, found ingest.Compared) (err error) {
	if found.Unknown > 0 {
		err = env.warnf("Of %s the source says no balance.", count(found.Unknown, "part", "parts"))
	}
	if found.Skipped > 0 {
		err = cmp.Or(err, env.warnf("Of %s an event is never posted: \"softstake reconcile\" compares what they have.",
			count(found.Skipped, "part", "parts")))
	}
	return err
}

// shownDifferences is how many differences are listed.
const shownDifferences = 1000

// mapping reads the mapping file, and is its SHA-256, in hexadecimal; nil: none was given.
func (c *joinRunCmd) mapping(env *Env) (_ *join.Mapping, digest string, err error) {
	if c.Mapping == "" {
		return nil, "", nil
	}
	text, err := readFile(env, c.Mapping, io.ReadAll)
	if err != nil {
		return nil, "", err
	}
	m, err := join.ParseMapping(text)
	if err != nil {
		return nil, "", ledger.ErrInvalid.In("", "%s: %s", c.Mapping, ledger.Named(err))
	}
	sum := sha256.Sum256(text)
	return m, hex.EncodeToString(sum[:]), nil
}

// joinPoll is how often to look for more events.
const joinPoll = 200 * time.Millisecond

// stoppedError says which partitions have stopped, and why, or nil.
func stoppedError(stopped []store.Partition) error {
	var lines []string
	for _, p := range stopped {
		if p.State == store.Retired {
			lines = append(lines, fmt.Sprintf("%s/%s is retired: nothing of it is read", p.Source, p.Name))
			continue
		}
		lines = append(lines, fmt.Sprintf("%s/%s has stopped at position %s%s: %s", p.Source, p.Name, p.Stop,
			eventText(p.StopEvent), p.Reason))
	}
	if lines == nil {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(lines, "\nsoftstake: "))
}

func eventText(id string) string {
	if id == "" {
		return ""
	}
	return ", event " + id
}

type joinStatusCmd struct {
	JSON bool `help:"Print a JSON array."`
}

func (joinStatusCmd) Help() string {
	return `"delivered until" is the watermark of the partition, by the clock of its source: no day closes before every watermark has passed its end. "behind" is by how much it is behind the clock.

Example:

  softstake join status`
}

// partitionJSON is a partition of a source.
type partitionJSON struct {
	Source    string    `json:"source"`
	Partition string    `json:"partition"`
	State     string    `json:"state"`
	Position  int64     `json:"position"`
	Part      int64     `json:"part"`
	Event     string    `json:"event"`
	Watermark *instant  `json:"watermark"`
	Lag       *int64    `json:"lagSeconds"` // rounded down; null: no watermark has come yet, or it is retired
	Moved     *instant  `json:"moved"`
	Holds     bool      `json:"holdsBack"` // the first open day is over, and waits for it
	Stop      *stopJSON `json:"stop"`
}

// stopJSON is where a partition has stopped, and why.
type stopJSON struct {
	At       instant `json:"at"`
	Position int64   `json:"position"`
	Part     int64   `json:"part"`
	Event    string  `json:"event"`
	Reason   string  `json:"reason"`
}

func newPartitionJSON(p store.Partition, now time.Time) partitionJSON {
	known := func(at time.Time) *instant {
		if at.IsZero() {
			return nil
		}
		return new(instant(at))
	}
	j := partitionJSON{Source: p.Source, Partition: p.Name, State: p.State.String(), Position: p.Position,
		Part: p.Part, Event: p.Event, Watermark: known(p.Watermark), Moved: known(p.Moved)}
	if lag, known := p.Lag(now); known && p.State != store.Retired {
		j.Lag = new(int64(lag / time.Second))
	}
	if p.State == store.Stopped {
		j.Stop = &stopJSON{instant(p.Stopped), p.Stop.Position, p.Stop.Part, p.StopEvent, p.Reason}
	}
	return j
}

func (c *joinStatusCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		joined, err := readJoined(ctx, db, reports.New(db.Reader()))
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(env.Stdout, append([]partitionJSON{}, joined.format(env)...))
		}
		if len(joined.partitions) == 0 {
			return env.printf("No source is joined.\n")
		}
		g := newGrid(text("partition"), text("state"), figure("position"), text("delivered until"), figure("behind"),
			text("moved"), text("stopped at"))
		var holding []string
		for _, p := range joined.partitions {
			stop, behind := "", ""
			if lag, known := p.Lag(db.Now()); known && p.State != store.Retired {
				behind = lag.Truncate(time.Second).String()
			}
			if p.State == store.Stopped {
				stop = fmt.Sprintf("position %s%s: %s", p.Stop, eventText(p.StopEvent), p.Reason)
			}
			if joined.holds(p) {
				holding = append(holding, p.Path())
			}
			g.add(p.Source+"/"+p.Name, p.State.String(), p.Place.String(), wallOrNever(p.Watermark),
				behind, wallOrNever(p.Moved), stop)
		}
		err = g.write(env.Stdout)
		if err == nil && holding != nil {
			err = env.printf("\n%s\n", joined.overdue(holding))
		}
		return err
	})
}

// wallOrNever is a moment, or "never".
func wallOrNever(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return wallTime(at)
}

type joinLateCmd struct {
	From *staking.Day `placeholder:"DAY" help:"First day. Without it: every day."`
}

func (joinLateCmd) Help() string {
	return `The day that such an event is about was closed when it came, and so it counts from the first open moment on. Then follows what each reward of these days would have been with them, where that depends on nobody else; each day is taken by itself. "softstake explain" shows what the day has paid, and "softstake compensate" makes good what was too low.

Example:

  softstake join late --from 2026-11-22`
}

func (c *joinLateCmd) Run(env *Env) error {
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) error {
		late, err := reports.New(db.Reader()).LateEvents(ctx, given(c.From, 0), shownLate+1)
		if err != nil {
			return err
		}
		if len(late) == 0 {
			return env.printf("No event came when its day was closed.\n")
		}
		g := newGrid(text("day"), text("entry"), text("account"), figure("change"), text("token"), text("at"),
			text("counts at"))
		for _, e := range late[:min(len(late), shownLate)] {
			g.add(e.Day.String(), e.Entry, string(e.Account), a.plain(e.Asset, e.Amount), e.Asset, wallTime(e.At),
				wallTime(e.Dated))
		}
		effects, more, err := reports.New(db.Reader()).LateEffects(ctx, given(c.From, 0), shownLate)
		if err == nil {
			err = g.write(env.Stdout)
		}
		if err == nil && len(effects) > 0 {
			if err = env.printf("\n"); err == nil {
				err = lateEffects(a, effects).write(env.Stdout)
			}
		}
		if err == nil && (more || len(late) > shownLate) {
			err = env.warnf("There are more; list them from a later day on.")
		}
		return err
	})
}

// lateEffects is a table of what rewards would have been.
func lateEffects(a assets, effects []reports.LateEffect) *grid {
	g := newGrid(text("day"), text("account"), text("token"), figure("late events"), figure("reward"), figure("with them"),
		figure("difference"), figure("made good"))
	for _, e := range effects {
		due, difference, madeGood := "not known", "", ""
		if e.Known {
			due, difference = a.plain(e.Asset, e.Due), a.plain(e.Asset, e.Due-e.Reward)
		}
		if e.MadeGood > 0 {
			madeGood = a.plain(e.Asset, e.MadeGood)
		}
		g.add(e.Day.String(), string(e.Account), e.Asset, strconv.Itoa(e.Events), a.plain(e.Asset, e.Reward), due,
			difference, madeGood)
	}
	return g
}

// shownLate is how many late events are listed.
const shownLate = 1000

// partitionArg names a partition.
type partitionArg struct {
	Partition string `arg:"" help:"SOURCE/PARTITION, as \"join status\" shows it."`
}

func (p partitionArg) names() (source, name string, err error) {
	source, name, is := strings.Cut(p.Partition, "/")
	if !is {
		return "", "", usage("%q is no partition; it is SOURCE/PARTITION", p.Partition)
	}
	return source, name, nil
}

type joinResumeCmd struct{ partitionArg }

func (joinResumeCmd) Help() string {
	return `What kept the event out of the books is corrected, as by adding its token or opening its account: it is posted now. A running "softstake join" goes on by itself.

Example:

  softstake join resume exchange/p1`
}

func (c *joinResumeCmd) Run(env *Env) error {
	source, name, err := c.names()
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		return env.done(db.ResumePartition(ctx, source, name), "%s goes on with the event at which it stopped.\n",
			c.Partition)
	})
}

type joinSkipCmd struct {
	partitionArg
	Event  string `arg:"" optional:"" help:"ID of the event at which it stopped, which is never posted, wherever it comes again."`
	From   string `placeholder:"POSITION" help:"Go on with this position, as 1050 or, of the rows of a transaction, 24023128.3: no event before it that is not in the books is ever posted. In the place of an event."`
	Reason string `required:"" placeholder:"TEXT" help:"Why; kept in the log."`
}

func (joinSkipCmd) Help() string {
	return `The books are then without what is passed over. What the source has after an event that is named is what its later balances are compared with: so a partition goes on where a balance differs, and "softstake adjust" corrects the books by what "softstake reconcile" says. Of events before a position nothing is known: the next balance of a part that they are about may differ; pass that one over by its ID. It needs approval where operations do.

Examples:

  softstake join skip exchange/p1 e-1042 --reason "a test account of theirs"
  softstake join skip exchange/p1 --from 1050 --reason "lost by the exchange, adjusted as a-17"`
}

func (c *joinSkipCmd) Run(env *Env) error {
	source, name, err := c.names()
	if err == nil && (c.Event == "") == (c.From == "") {
		err = usage("name the event, or a position with --from")
	}
	var from join.Place
	if err == nil && c.From != "" {
		if from, err = join.ParsePlace(c.From); err != nil {
			err = usage("--from: %w", err)
		}
	}
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		return env.done(db.SkipEvents(ctx, store.PartitionSkip{Source: source, Name: name, Event: c.Event,
			From: from.Position, Part: from.Part, Reason: c.Reason}), "%s goes on without %s.\n", c.Partition,
			cmp.Or(c.Event, "what is before position "+c.From))
	})
}

type joinSkipsCmd struct {
	JSON bool `help:"Print a JSON array."`
}

func (joinSkipsCmd) Help() string {
	return `The newest decisions come first, up to 1000. "came" is when the event came, and what its source has after it was counted: the books are without it, until they are adjusted.

Example:

  softstake join skips`
}

// joinSkipJSON is an event that is never posted.
type joinSkipJSON struct {
	Source string   `json:"source"`
	Event  string   `json:"event"`
	At     instant  `json:"at"` // when that was decided
	By     string   `json:"by"`
	Reason string   `json:"reason"`
	Came   *instant `json:"came"` // null: not yet
}

func (c *joinSkipsCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		skips, err := reports.New(db.Reader()).JoinSkips(ctx, shownSkips)
		if err != nil {
			return err
		}
		if c.JSON {
			all := []joinSkipJSON{}
			for _, s := range skips {
				j := joinSkipJSON{Source: s.Source, Event: s.Event, At: instant(s.At), By: s.By, Reason: s.Reason}
				if !s.Passed.IsZero() {
					j.Came = new(instant(s.Passed))
				}
				all = append(all, j)
			}
			return writeJSON(env.Stdout, all)
		}
		if len(skips) == 0 {
			return env.printf("No event is passed over.\n")
		}
		g := newGrid(text("source"), text("event"), text("decided"), text("by"), text("came"), text("reason"))
		for _, s := range skips {
			g.add(s.Source, s.Event, wallTime(s.At), s.By, wallOrNever(s.Passed), s.Reason)
		}
		return g.write(env.Stdout)
	})
}

// shownSkips is how many are listed.
const shownSkips = 1000

type joinRetireCmd struct {
	partitionArg
	Reason string `required:"" placeholder:"TEXT" help:"Why; kept in the log."`
}

func (joinRetireCmd) Help() string {
	return `Nothing of it is posted any more. It needs approval where operations do.

Of PostgreSQL the slot stays, and keeps the log of its server until the disk is full: remove it there with SELECT pg_drop_replication_slot('NAME'); it has the name of the partition.

Example:

  softstake join retire exchange/p1 --reason "moved to p2"`
}

func (c *joinRetireCmd) Run(env *Env) error {
	source, name, err := c.names()
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		return env.done(db.RetirePartition(ctx, store.PartitionEnd{Source: source, Name: name, Reason: c.Reason}),
			"%s is retired.\n", c.Partition)
	})
}

type joinCloseCmd struct {
	Day    staking.Day `arg:"" help:"Last day that may close."`
	Reason string      `required:"" placeholder:"TEXT" help:"Why; kept with the day."`
}

func (joinCloseCmd) Help() string {
	return `Events of the day that come later count from the first open moment on, and "softstake join late" lists them. It needs approval where operations do.

Example:

  softstake join close 2026-11-22 --reason "p3 is down for a week"`
}

func (c *joinCloseCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		return env.done(db.CloseWithout(ctx, store.DayWithout{Day: c.Day, Reason: c.Reason}),
			"%s and the days before it close without waiting for events.\n", c.Day)
	})
}
