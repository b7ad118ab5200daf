package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// statusCmd shows the state of the books.
type statusCmd struct {
	JSON bool `help:"Print a JSON object."`
}

func (c *statusCmd) Help() string {
	return `Example:

  softstake status`
}

type (
	statusJSON struct {
		db.About
		First        staking.Day       `json:"firstDay"`
		FirstOpen    staking.Day       `json:"firstOpen"`
		ClosesAt     instant           `json:"closesAt"` // when that day closes at the earliest
		Test         bool              `json:"test,omitempty"`
		FourEyes     bool              `json:"fourEyes"`
		Factor       bool              `json:"withdrawalFactor"`
		Credentials  credentialState   `json:"credentials"`
		Accounts     int64             `json:"accounts"`
		Enrolled     int64             `json:"enrolled"`
		UnpricedDays int64             `json:"unpricedDays"`
		Events       eventsJSON        `json:"events"`
		Payouts      []payoutStateJSON `json:"payouts,omitempty"`         // that another ledger has not credited, by token
		Joined       []partitionJSON   `json:"partitions,omitempty"`      // of the sources of another ledger
		Undelivered  []undeliveredJSON `json:"undelivered,omitempty"`     // what is sent to nobody, or fails
		Reconciled   *reconciledJSON   `json:"reconciliation,omitempty"`  // absent: nothing was ever compared
		Expiring     []expiringJSON    `json:"expiringTokens,omitempty"`  // of staff and back ends, within 14 days
		Unlimited    []unlimitedJSON   `json:"unlimitedTokens,omitempty"` // of back ends, without ceilings
		Missing      []missingJSON     `json:"missingLimits,omitempty"`
		Rights       []string          `json:"missingRights,omitempty"` // tables in which PostgreSQL's role lacks some
		Tokens       []tokenStatusJSON `json:"tokens"`
	}
	tokenStatusJSON struct {
		Asset       string `json:"asset"`
		PaidThrough string `json:"paidThrough,omitempty"`
		Pool        string `json:"pool"`
		Reserved    string `json:"reserved"` // of the pool, for income and campaigns that are not distributed
		// Days in the mode share that wait for income.
		Undivided   []daysJSON `json:"undivided"`
		LastTotal   string     `json:"lastTotal"`
		LastHolders int64      `json:"lastHolders"`
		DaysLeft    *int64     `json:"daysLeft"` // null: not known
		Waiting     string     `json:"waiting,omitempty"`
	}
	// eventsJSON is how far the events of the outbox have numbers, by which they are published.
	eventsJSON struct {
		Newest     int64    `json:"newest"`
		Unnumbered int64    `json:"unnumbered"`
		Oldest     *instant `json:"oldestUnnumbered"` // when it was written; null: there is none
	}
	payoutStateJSON struct {
		Asset   string   `json:"asset"`
		Waiting int64    `json:"unanswered"`
		Oldest  *instant `json:"oldest"` // when it was paid; null: all are answered
		Refused int64    `json:"refused"`
	}
	expiringJSON struct {
		ID      string  `json:"id"`
		Label   string  `json:"label"`
		Expires instant `json:"expires"`
	}
	unlimitedJSON struct {
		ID    string `json:"id"`
		Label string `json:"label"`
	}
	// missingJSON are the limits of a token that are not set: total, change, withdrawal, apr, inflow.
	missingJSON struct {
		Asset  string   `json:"asset"`
		Limits []string `json:"limits"`
	}
	daysJSON struct {
		First staking.Day `json:"first"`
		Last  staking.Day `json:"last"`
	}
)

func (c *statusCmd) Run(env *Env) error {
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) error {
		s, err := reports.New(db.Reader()).Status(ctx)
		if err != nil {
			return err
		}
		fourEyes, err := reports.New(db.Reader()).FourEyes(ctx)
		if err != nil {
			return err
		}
		factor, err := reports.New(db.Reader()).NeedsFactor(ctx)
		if err != nil {
			return err
		}
		events, err := db.Outbox().State(ctx)
		if err != nil {
			return err
		}
		payouts, err := reports.New(db.Reader()).PayoutStates(ctx)
		if err != nil {
			return err
		}
		joined, err := readJoined(ctx, db, reports.New(db.Reader()))
		if err != nil {
			return err
		}
		reconciled, err := readReconciled(ctx, reports.New(db.Reader()))
		if err != nil {
			return err
		}
		undelivered, err := env.undelivered(ctx, db)
		if err != nil {
			return err
		}
		g, err := readGuards(ctx, db)
		if err != nil {
			return err
		}
		missing, err := db.MissingRights(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			j := formatStatus(a, s)
			j.Rights = missing
			j.Events, j.Payouts = formatEvents(events), formatPayouts(payouts)
			j.Joined, j.Undelivered, j.Reconciled = joined.format(env), undelivered, reconciled.format()
			j.Test, j.FourEyes, j.Factor = db.Test(), fourEyes, factor
			g.format(&j)
			return writeJSON(env.Stdout, j)
		}
		if db.Test() {
			err = env.printf("%s\n\n", testBooks(env))
		}
		return cmp.Or(err, writeStatus(env, a, s, fourEyes, factor, g.credentials), writeEvents(env, events),
			joined.write(env), writePayouts(env, payouts), writeUndelivered(env, undelivered), reconciled.write(env),
			g.write(env),
			writeRights(env, missing))
	})
}

func formatStatus(a assets, s reports.Status) statusJSON {
	j := statusJSON{
		About: s.About, First: s.First, FirstOpen: s.FirstOpen, ClosesAt: instant(s.ClosesAt),
		Accounts: s.Accounts, Enrolled: s.Enrolled, UnpricedDays: s.Unpriced, Tokens: []tokenStatusJSON{},
	}
	for _, t := range s.Tokens {
		token := tokenStatusJSON{
			Asset: t.Asset, Pool: a.plain(t.Asset, t.Pool), Reserved: a.plain(t.Asset, t.Reserved), Undivided: []daysJSON{},
			LastTotal: a.plain(t.Asset, t.LastTotal), LastHolders: t.LastHolders, Waiting: waits(t.Waiting),
		}
		for _, u := range t.Undivided {
			token.Undivided = append(token.Undivided, daysJSON(u))
		}
		if t.DaysLeft >= 0 {
			token.DaysLeft = &t.DaysLeft
		}
		if t.PaidThrough >= s.First {
			token.PaidThrough = t.PaidThrough.String()
		}
		j.Tokens = append(j.Tokens, token)
	}
	return j
}

// credentialState is whether the rows that give a right carry MACs.
type credentialState string

const (
	protected   credentialState = "protected"
	unprotected credentialState = "unprotected" // there is no key
	refused     credentialState = "refused"     // there is a key, and rows from before it
	keyMissing  credentialState = "key-missing"
)

// sentences are what they mean.
var sentences = map[credentialState]string{
	unprotected: "can be made by whoever can write to the database: there is no key; \"softstake key protect\" makes one",
	refused:     "are refused: they carry no MACs yet; run \"softstake key protect\"",
	keyMissing:  "carry MACs, and the key is not here: they are refused",
}

// protection is whether rows carry MACs.
func protection(ctx context.Context, db *store.DB) (credentialState, error) {
	since, err := db.Protected(ctx)
	if err != nil {
		return "", err
	}
	on, err := db.Guard().On()
	switch {
	case errors.Is(err, integrity.ErrNoKey):
		return keyMissing, nil
	case err != nil:
		return "", err
	case !on:
		return unprotected, nil
	case since.IsZero():
		return refused, nil
	}
	return protected, nil
}

func writeStatus(env *Env, a assets, s reports.Status, fourEyes, factor bool, credentials credentialState) error {
	var notes strings.Builder
	if credentials != protected {
		fmt.Fprintf(&notes, "\nCredentials %s.\n", sentences[credentials])
	}
	for _, t := range s.Tokens {
		if t.Waiting != nil {
			fmt.Fprintf(&notes, "\n%s of %s waits: %s\n", t.Asset, t.PaidThrough+1, plain(t.Waiting))
		}
	}
	for _, line := range fundsNotes(a, s.Tokens) {
		fmt.Fprintf(&notes, "\n%s", line)
	}
	if s.Unpriced > 0 {
		fmt.Fprintf(&notes, "\n%s no price in USDT; set it once with \"softstake price set\".\n",
			count(s.Unpriced, "paid day of a token has", "paid days of tokens have"))
	}
	grid := newGrid(text("token"), text("paid through"), figure("paid that day"), figure("holders"), figure("pool"),
		figure("days it lasts"))
	for _, t := range s.Tokens {
		lasts := none
		if t.DaysLeft >= 0 {
			lasts = strconv.FormatInt(t.DaysLeft, 10)
		}
		through := t.PaidThrough.String()
		if t.PaidThrough < s.First || t.PaidThrough >= s.FirstOpen {
			through = "no day yet"
		}
		grid.add(t.Asset, through, a.plain(t.Asset, t.LastTotal), strconv.FormatInt(t.LastHolders, 10),
			a.plain(t.Asset, t.Pool), lasts)
	}
	return cmp.Or(facts(env.Stdout,
		[2]string{"books", fmt.Sprintf("%s, %s %s, %s", redact(env.DB), s.Engine, s.Version, megabytes(s.Bytes))},
		[2]string{"days", fmt.Sprintf("from %s; open from %s, which closes at %s UTC at the earliest", s.First, s.FirstOpen,
			s.ClosesAt.Format(time.DateTime))},
		[2]string{"accounts", fmt.Sprintf("%d; Soft Staking is on for %d", s.Accounts, s.Enrolled)},
		[2]string{"four eyes", fourEyesSentence(fourEyes)},
		[2]string{"factors", withdrawalFactorSentence(factor)},
	), env.printf("\n"), grid.write(env.Stdout), env.printf("%s", notes.String()))
}

func formatEvents(s outbox.State) eventsJSON {
	j := eventsJSON{Newest: s.Newest, Unnumbered: s.Waiting}
	if s.Waiting > 0 {
		oldest := instant(s.Oldest)
		j.Oldest = &oldest
	}
	return j
}

// eventsLate is from what age on an event without a number is mentioned: "serve" numbers them at once.
const eventsLate = time.Minute

// writeEvents says that events are not published.
func writeEvents(env *Env, s outbox.State) error {
	if s.Lag(env.Now()) < eventsLate {
		return nil
	}
	return env.printf("\n%s not published, the oldest since %s UTC: \"softstake serve\" publishes them.\n",
		count(s.Waiting, "event of the outbox is", "events of the outbox are"), wallTime(s.Oldest))
}

func formatPayouts(states []reports.PayoutState) (all []payoutStateJSON) {
	for _, s := range states {
		j := payoutStateJSON{Asset: s.Asset, Waiting: s.Waiting, Refused: s.Refused}
		if s.Waiting > 0 {
			j.Oldest = new(instant(s.Oldest))
		}
		all = append(all, j)
	}
	return all
}

// writePayouts says what another ledger has not credited.
func writePayouts(env *Env, states []reports.PayoutState) (err error) {
	for _, s := range states {
		if s.Waiting > 0 {
			err = cmp.Or(err, env.printf("\n%s not answered by the other ledger, the oldest paid on %s UTC.\n",
				count(s.Waiting, "payout of "+s.Asset+" is", "payouts of "+s.Asset+" are"), wallTime(s.Oldest)))
		}
		if s.Refused > 0 {
			err = cmp.Or(err, env.printf("\n%s refused by the other ledger: see \"softstake payouts list --refused\".\n",
				count(s.Refused, "payout of "+s.Asset+" is", "payouts of "+s.Asset+" are")))
		}
	}
	return err
}

// guards are what is to be said of tokens and limits.
type guards struct {
	expiring, unlimited []access.Token
	missing             []reports.MissingLimits
	credentials         credentialState
}

func readGuards(ctx context.Context, db *store.DB) (g guards, err error) {
	if g.expiring, err = db.People().ExpiringTokens(ctx); err != nil {
		return g, err
	}
	if g.unlimited, err = db.People().UnlimitedTokens(ctx); err != nil {
		return g, err
	}
	if g.missing, err = reports.New(db.Reader()).MissingLimits(ctx); err != nil {
		return g, err
	}
	g.credentials, err = protection(ctx, db)
	return g, err
}

func (g guards) format(j *statusJSON) {
	j.Credentials = g.credentials
	for _, k := range g.expiring {
		j.Expiring = append(j.Expiring, expiringJSON{k.ID, k.Label, instant(k.Expires)})
	}
	for _, k := range g.unlimited {
		j.Unlimited = append(j.Unlimited, unlimitedJSON{k.ID, k.Label})
	}
	for _, m := range g.missing {
		j.Missing = append(j.Missing, missingJSON(m))
	}
}

// write says which credentials end soon, and what has no limits. Tokens that lack the same limits are one line.
func (g guards) write(env *Env) (err error) {
	for _, k := range g.expiring {
		err = cmp.Or(err, env.printf("\nThe token %s (%s) ends on %s UTC; make another in time.\n", k.ID,
			cmp.Or(k.Label, k.Duty()), wallTime(k.Expires)))
	}
	for _, k := range g.unlimited {
		err = cmp.Or(err, env.printf("\nThe token %s (%s) has no ceilings of a day; make another with \"token create\", and "+
			"revoke it.\n", k.ID, cmp.Or(k.Label, k.Duty())))
	}
	for i := 0; i < len(g.missing); {
		assets, names := []string{g.missing[i].Asset}, g.missing[i].Limits
		for i++; i < len(g.missing) && slices.Equal(g.missing[i].Limits, names); i++ {
			assets = append(assets, g.missing[i].Asset)
		}
		err = cmp.Or(err, env.printf("\n%s: no limit of %s; set it with \"limit set\".\n", strings.Join(assets, ", "),
			strings.Join(names, ", ")))
	}
	return err
}

// writeRights says that the role of the database may not do all that the program needs.
func writeRights(env *Env, missing []string) error {
	if len(missing) == 0 {
		return nil
	}
	return env.printf("\nThe role of the database lacks rights in the tables %s: \"softstake serve\" refuses to run "+
		"until the owner gives them to it with \"softstake upgrade --app-role NAME\".\n", strings.Join(missing, " "))
}

// fundsNotes say what income is not distributed, and what is reserved of pools: a line a token, in two groups.
func fundsNotes(a assets, tokens []reports.TokenStatus) (lines []string) {
	var waiting, reserved []string
	for _, t := range tokens {
		var days []string
		for _, u := range t.Undivided {
			if u.First == u.Last {
				days = append(days, u.First.String())
			} else {
				days = append(days, fmt.Sprintf("%s to %s", u.First, u.Last))
			}
		}
		if days != nil {
			waiting = append(waiting,
				fmt.Sprintf("The income of %s of %s is not distributed.\n", t.Asset, strings.Join(days, ", ")))
		}
		if t.Reserved > 0 {
			reserved = append(reserved, fmt.Sprintf("%s of the pool is reserved for income, campaigns and what holders carry.\n",
				a.with(t.Asset, t.Reserved)))
		}
	}
	for _, group := range [][]string{waiting, reserved} {
		if group != nil {
			lines = append(lines, strings.Join(group, ""))
		}
	}
	return lines
}

// megabytes is a size for a person, rounded up to a tenth of a MiB.
func megabytes(bytes int64) string {
	tenths := (bytes*10 + 1<<20 - 1) >> 20
	return fmt.Sprintf("%d.%d MiB", tenths/10, tenths%10)
}
