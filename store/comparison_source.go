package store

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// ComparisonSource is where the figures of another ledger come from each night, as it was set. The last one counts. It
// has no secrets: those are where "serve" runs.
type ComparisonSource struct {
	Ledger   string    `json:",omitempty"` // postgres://…, with Balances and, if payouts are compared, Payouts
	Balances string    `json:",omitempty"` // a SELECT; see reconcile.ParseQuery
	Payouts  string    `json:",omitempty"`
	Endpoint string    `json:",omitempty"` // https://…, instead; see reconcile.ParseEndpoint
	Topic    string    `json:",omitempty"` // kafka://… or nats://…, instead; see the package reconcile/topic
	Number   int64     `json:"-"`          // from 1; 0: none was set
	SetAt    time.Time `json:"-"`
	SetBy    string    `json:"-"`
}

// On reports whether there is any.
func (s ComparisonSource) On() bool { return s.Kind() != "" }

// Kind is what a comparison names as its source; "": there is none.
func (s ComparisonSource) Kind() string {
	switch {
	case s.Topic != "":
		return FromTopic
	case s.Endpoint != "":
		return FromEndpoint
	case s.Ledger != "":
		return FromLedger
	}
	return ""
}

// Address is where they come from, with their queries, in words; "": from nowhere.
func (s ComparisonSource) Address() string {
	switch {
	case s.Payouts != "":
		return s.Ledger + ": balances by " + s.Balances + "; payouts by " + s.Payouts
	case s.Ledger != "":
		return s.Ledger + ": balances by " + s.Balances
	}
	return s.Topic + s.Endpoint
}

// Describe says what is compared.
func (s ComparisonSource) Describe() string {
	if !s.On() {
		return "no figures"
	}
	return "figures of " + s.Address()
}

// withoutSetting is the source without who has set it, and when.
func (s ComparisonSource) withoutSetting() ComparisonSource {
	s.Number, s.SetAt, s.SetBy = 0, time.Time{}, ""
	return s
}

// valid refuses a source that is none, or more than one.
func (s ComparisonSource) valid() error {
	kinds := 0
	for _, text := range []string{s.Ledger, s.Balances, s.Payouts, s.Endpoint, s.Topic} {
		if len(text) > maxQuery {
			return ledger.ErrInvalid.In("", "an address or a query has at most %d bytes", maxQuery)
		}
	}
	for _, address := range []string{s.Ledger, s.Endpoint, s.Topic} {
		if address != "" {
			kinds++
		}
	}
	if (s.Ledger == "") != (s.Balances == "") || s.Payouts != "" && s.Ledger == "" || kinds > 1 {
		return ledger.ErrInvalid.In("", "a source is a database with a query of balances, an endpoint or a topic")
	}
	return nil
}

// ComparisonSourceColumns are what ReadComparisonSource reads.
const ComparisonSourceColumns = "number, ledger, balances, payouts, endpoint, topic, set_at, set_by"

// ReadComparisonSource reads a row of ComparisonSourceColumns. It never fails.
func ReadComparisonSource(r db.Row) (ComparisonSource, error) {
	return ComparisonSource{Number: r.Int(0), Ledger: r.Text(1), Balances: r.Text(2), Payouts: r.Text(3),
		Endpoint: r.Text(4), Topic: r.Text(5), SetAt: db.TimeOf(r.Int(6)), SetBy: r.Text(7)}, nil
}

// ComparisonSourceNow is the one that counts.
func ComparisonSourceNow(t db.View) (ComparisonSource, error) {
	s, _, err := db.First(t, ReadComparisonSource, "SELECT "+ComparisonSourceColumns+
		" FROM comparison_sources ORDER BY number DESC LIMIT 1")
	return s, annotate(err, "read where the figures of the other ledger come from")
}

// maxQuery is how many bytes an address or a query has at most.
const maxQuery = 8 << 10

// SetComparisonSource sets where the figures of another ledger come from each night; the zero one ends it. Who calls it
// has read the addresses with the package comparison. It may need approval. Idempotent.
func (b *DB) SetComparisonSource(ctx context.Context, s ComparisonSource) error {
	s = s.withoutSetting()
	if err := s.valid(); err != nil {
		return err
	}
	err := b.engine.Write(ctx, func(t db.Tx) error {
		was, err := ComparisonSourceNow(t)
		if err != nil || s == was.withoutSetting() {
			return err
		}
		n, err := t.Exec("INSERT INTO comparison_sources (number, ledger, balances, payouts, endpoint, topic, set_at, "+
			"set_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING", was.Number+1, s.Ledger, s.Balances,
			s.Payouts, s.Endpoint, s.Topic, b.now(), b.actor.Credential)
		if err == nil && n == 0 {
			err = db.ErrRetry
		}
		if err != nil {
			return err
		}
		effect := s.Describe() + " are compared each night; without it: " + was.Describe()
		if err := b.permit(t, control.SetComparisonSource, s, "books", effect); err != nil {
			return err
		}
		return b.logLine(t, string(control.SetComparisonSource), "books", effect)
	})
	return annotate(err, "set where the figures of the other ledger come from")
}

// scheduleMark names the row of meta that has a ComparisonSchedule.
const scheduleMark = "comparison"

// ComparisonSchedule is what became of the nightly comparison.
type ComparisonSchedule struct {
	Until  time.Time `json:"until"`  // nobody else begins before then
	Failed time.Time `json:"failed"` // since when it fails; zero: the last one did not
	Fault  string    `json:"fault"`  // why it fails
	Tries  int       `json:"tries"`  // how often it failed since then
}

// ComparisonScheduleNow is the state of the nightly comparison; zero where there was none yet.
func ComparisonScheduleNow(t db.View) (s ComparisonSchedule, err error) {
	text, found, err := db.First(t, db.TextOf, "SELECT value FROM meta WHERE name = $1", scheduleMark)
	if err != nil || !found {
		return s, annotate(err, "read what became of the nightly comparison")
	}
	return s, json.Unmarshal([]byte(text), &s)
}

// ClaimComparison reports whether the caller is to make the nightly comparison now: nobody else is until lease is over,
// which is longer than it may take, or EndComparison or ReleaseComparison is called.
func (b *DB) ClaimComparison(ctx context.Context, lease time.Duration) (claimed bool, err error) {
	err = b.changeSchedule(ctx, func(s *ComparisonSchedule) bool {
		claimed = !b.clock().Before(s.Until)
		s.Until = b.clock().UTC().Add(lease)
		return claimed
	})
	return claimed, err
}

const (
	// firstComparisonRetry is how long nobody tries again after a failure; it doubles up to mostComparisonRetry.
	firstComparisonRetry = time.Minute
	mostComparisonRetry  = time.Hour
)

// mostFault is how many bytes of what a fault says are kept.
const mostFault = 4 << 10

// clipFault is what of a fault is kept: the begin of what is longer, and no part of a character.
func clipFault(text string) string {
	if len(text) <= mostFault {
		return text
	}
	return strings.ToValidUTF8(text[:mostFault-len("…")], "") + "…"
}

// EndComparison ends what was claimed: with the fault for which it failed, it is retried with backoff.
func (b *DB) EndComparison(ctx context.Context, fault error) error {
	return b.changeSchedule(ctx, func(s *ComparisonSchedule) bool {
		if fault == nil {
			*s = ComparisonSchedule{}
			return true
		}
		now := b.clock().UTC()
		if s.Failed.IsZero() {
			s.Failed = now
		}
		s.Fault = clipFault(strings.ReplaceAll(fault.Error(), "\n", "; "))
		s.Until = now.Add(min(firstComparisonRetry<<min(s.Tries, 10), mostComparisonRetry))
		s.Tries++
		return true
	})
}

// ReleaseComparison ends what was claimed and not finished: it may be claimed at once, and since when it fails, why and
// how often stay as they are. Idempotent.
func (b *DB) ReleaseComparison(ctx context.Context) error {
	return b.changeSchedule(ctx, func(s *ComparisonSchedule) bool {
		s.Until = time.Time{}
		return true
	})
}

// changeSchedule changes the row of meta, unless change says that nothing is to be.
func (b *DB) changeSchedule(ctx context.Context, change func(*ComparisonSchedule) bool) error {
	err := b.engine.Write(ctx, func(t db.Tx) error {
		if _, err := t.Exec("INSERT INTO meta (name, value) VALUES ($1, '{}') ON CONFLICT (name) DO UPDATE "+
			"SET value = meta.value", scheduleMark); err != nil {
			return err
		}
		s, err := ComparisonScheduleNow(t)
		if err != nil || !change(&s) {
			return err
		}
		text, err := json.Marshal(s)
		if err == nil {
			_, err = t.Exec("UPDATE meta SET value = $2 WHERE name = $1", scheduleMark, string(text))
		}
		return err
	})
	return annotate(err, "write down what became of the nightly comparison")
}
