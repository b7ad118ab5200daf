package reports

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Parts say what is read of a holder, joined with |.
type Parts uint

const (
	Eligibility Parts = 1 << iota // what keeps Soft Staking from being switched on
	Offer                         // the tokens on offer
	Accruals                      // the tokens on offer, and what today has come to in each
	LastDay                       // what the last day that is over paid, and the pending rewards
	Value                         // what all rewards were worth
	Waits                         // the days in the mode share that wait for their income
)

// Holder is a holder's Soft Staking at a moment, from one snapshot. The fields of a part are set if it was asked for.
type Holder struct {
	At          time.Time
	Today       staking.Day // At lies in it
	Residence   staking.Region
	Frozen      bool                 // nothing may leave the account
	Enrollments []staking.Enrollment // the oldest first, without those that cover no day
	Exclusions  staking.Exclusions   // also those that are over
	Running     staking.Enrollment   // of a switch that is on; else zero
	Balances    []Balance            // by asset

	// Eligibility:
	Restricted []staking.Region // where Soft Staking is not offered
	Region     error            // staking.ErrRegion or ErrUnknownCountry, or nil
	Version    error            // staking.ErrUpdateApp, or nil
	// Current versions that are not accepted, as staking.DocumentNames has them; without texts.
	Missing []staking.Document

	Closings staking.Closings // Eligibility, LastDay
	Tokens   []OfferedToken   // Offer, Accruals; by symbol

	// LastDay:
	Paid    []Reward        // by token
	Pending []PendingReward // by token

	// Waits:
	Waiting []WaitingDays // by token and day

	// Value:
	Value    ledger.Amount // of all rewards, also of tokens not on offer any more, in conversion.USDT in 1e-8
	Unpriced int           // rewards that are not in Value: the price of their day is not known
}

// OfferedToken is what a holder has of a token on offer.
type OfferedToken struct {
	Asset    ledger.Asset
	Terms    staking.Terms // of today
	Free     ledger.Amount // now
	Excluded string        // the product because of which today is not measured, or ""
	Joint    ledger.Amount // what minimum and cap are compared with now: Free, with what the owner's others have
	Counting ledger.Amount // what earns of Free, if the switch is on, the minimum is reached and nothing excludes it
	Rate     Rate          // of today
	Earned   ledger.Amount // all rewards ever credited

	// Accruals:
	SoFar    ledger.Amount   // the average since 00:00, rounded down, or by the measure Lowest the smallest balance
	Holding  staking.Holding // of all of today, if nothing moves any more
	Measured staking.Accrual // what comes of it; below the minimum without eligible, reward and carries
	Reached  bool            // what is measured of all of today reaches the minimum
	Awaited  staking.Day     // the first day that is covered and not paid, or 0: its reward is not in these figures

	changes []staking.Change // of today; only where the measure is Lowest
}

// On reports whether the switch is on.
func (h Holder) On() bool { return h.Running.On(h.Today) }

// Yesterday is the last day that is over.
func (h Holder) Yesterday() staking.Day { return h.Today - 1 }

// Covers reports whether an enrollment covers a day. None covers the day on which it is switched on or off.
func (h Holder) Covers(d staking.Day) bool {
	return slices.ContainsFunc(h.Enrollments, func(e staking.Enrollment) bool { return e.Covers(d) })
}

// Holder reads parts of a holder's Soft Staking. The client is the one that Eligibility is for. The cost does not
// grow with the account's history: the statements find rows by key, but for the postings of today in the account's
// bucket or, where a day is not accrued, those of a week at most.
// ErrNotFound if the account was never opened, unless just Offer and Value are read: then it has nothing.
func (rs *Reports) Holder(ctx context.Context, id ledger.Account, c staking.Client, parts Parts) (Holder, error) {
	if c.Country != "" {
		var err error
		if c.Country, err = staking.ParseRegion(string(c.Country)); err != nil {
			return Holder{}, err
		}
	}
	if err := id.CheckHolder(); err != nil {
		return Holder{}, err
	}
	known := rs.worths.of(id) // before the snapshot: all that it counts is in it
	var r *reading
	err := rs.Read(ctx, func(t db.View) error {
		r = &reading{
			rs: rs, t: t, id: id, parts: parts, worth: known,
			tokens: map[string]*token{}, terms: map[staking.Day]map[string]staking.Terms{},
		}
		return r.read(c)
	})
	if err == nil {
		err = r.value(ctx)
	}
	if err != nil {
		return Holder{}, fmt.Errorf("read the Soft Staking of %s: %w", id, err)
	}
	return r.Holder, nil
}

// reading reads a Holder in a transaction. What several parts need is read once.
type reading struct {
	Holder
	rs      *Reports
	t       db.View
	id      ledger.Account
	parts   Parts
	tokens  map[string]*token // by asset
	owed    []*token          // those of which a day that is covered is not paid, by asset
	first   staking.Day       // the holdings of this day and the later ones are counted back
	terms   map[staking.Day]map[string]staking.Terms
	rates   map[string]Rate // by today's terms; read with the offer
	owners  []ownerFrom     // in order: the last one whose day has come is the account's owner
	late    int64           // how often a price was set for a day that was over
	worth   worth           // what is known of what the rewards were worth
	rewards []Reward        // those since
}

// token is what the account has of an asset.
type token struct {
	Balance
	carry         staking.Fraction
	settled       bool            // rewards are paid in it, and
	accrued, paid staking.Day     // it is accrued and paid through these days in the account's bucket
	written       staking.Accrual // of the day after the last that is paid; zero: the run has not come to it
	holdings      []staking.Holding
	sofar         staking.Integral // of today until now
	moved         bool             // there is something of it, or was since the first of the holdings
	lowest        bool             // the measure of one of the holdings' days is Lowest
	changes       []staking.Change // if it is: since the first of these days began
}

func (r *reading) read(c staking.Client) error {
	opened, err := r.readAccount()
	if err != nil {
		return err
	}
	// After the first statement, which takes the snapshot: a day that is over in it is over for us.
	r.At = r.rs.Now()
	r.Today = staking.DayOf(r.At)
	if !opened && r.parts != Offer|Value {
		_, err := store.FindAccount(r.t, r.id)
		return err
	}
	for _, e := range r.Enrollments {
		if e.On(r.Today) {
			r.Running = e
		}
	}
	for _, step := range []struct {
		of   Parts
		read func() error
	}{
		{Eligibility, func() error { return r.readEligibility(c) }},
		{Eligibility | LastDay, func() (err error) { r.Closings, err = store.ClosingsOf(r.t); return err }},
		{Offer | Accruals, r.readOffer},
		{LastDay, r.readPaid},
		{LastDay, r.readWritten},
		{Accruals | LastDay, r.countBack},
		{LastDay, r.readPending},
		{Value, r.readRewards},
		{Waits, r.readWaiting},
	} {
		if r.parts&step.of == 0 {
			continue
		}
		if err := step.read(); err != nil {
			return err
		}
	}
	return nil
}

// readAccount reads what all parts need in one statement: each is a round trip to the database.
func (r *reading) readAccount() (opened bool, err error) {
	err = r.t.Query(func(row db.Row) error {
		name, a, b, c := row.Text(1), row.Int(2), row.Int(3), row.Int(4)
		switch row.Int(0) {
		case 0:
			opened, r.Residence, r.Frozen = true, staking.Region(name), a != 0
		case 1:
			e := staking.Enrollment{Account: r.id, From: staking.Day(a), Until: staking.Day(b)}
			r.Enrollments = append(r.Enrollments, e)
		case 2:
			t := r.token(name)
			t.Free, t.Earned, t.carry = ledger.Amount(a), ledger.Amount(b), staking.Fraction(c)
		case 3:
			r.token(name).Held = ledger.Amount(a)
		case 4:
			t := r.token(name)
			t.settled, t.accrued, t.paid = true, staking.Day(a), staking.Day(b)
		case 5:
			r.late = a
		case 6:
			r.Exclusions = append(r.Exclusions, staking.Exclusion{Account: r.id, Asset: name, Product: row.Text(5),
				From: staking.Day(a), Until: staking.Day(b)})
		case 7:
			r.owners = append(r.owners, ownerFrom{name, staking.Day(a)})
		}
		return nil
	}, `SELECT 0, region, frozen, 0, 0, '' FROM accounts WHERE bucket = $1 AND account = $2
	    UNION ALL SELECT 1, '', from_day, until_day, 0, '' FROM enrollments
	      WHERE bucket = $1 AND account = $2 AND from_day < until_day
	    UNION ALL SELECT 2, asset, balance, earned, carry, '' FROM balances WHERE bucket = $1 AND account = $2
	    UNION ALL SELECT 3, asset, balance, 0, 0, '' FROM balances WHERE bucket = $1 AND account = $3
	    UNION ALL SELECT 4, asset, accrued_through, paid_through, 0, '' FROM progress WHERE bucket = $1
	    UNION ALL SELECT 5, '', CAST(value AS bigint), 0, 0, '' FROM meta WHERE name = $4
	    UNION ALL SELECT 6, asset, from_day, until_day, 0, product FROM exclusions
	      WHERE bucket = $1 AND account = $2 AND from_day < until_day
	    UNION ALL SELECT 7, owner, from_day, revision, 0, '' FROM owners WHERE bucket = $1 AND account = $2
	    ORDER BY 1, 3, 4`, int64(r.id.Bucket()), string(r.id), string(r.id.Held()), pricing.Late)
	for _, symbol := range slices.Sorted(maps.Keys(r.tokens)) {
		r.Balances = append(r.Balances, r.tokens[symbol].Balance)
	}
	return opened, err
}

// token is what the account has of an asset, to be filled in.
func (r *reading) token(symbol string) *token {
	if r.tokens[symbol] == nil {
		r.tokens[symbol] = &token{Balance: Balance{Asset: symbol}}
	}
	return r.tokens[symbol]
}

// readEligibility reads what keeps Soft Staking from being switched on with a client.
func (r *reading) readEligibility(c staking.Client) (err error) {
	if r.Restricted, err = store.RegionsAt(r.t); err != nil {
		return err
	}
	r.Region, r.Version = staking.CheckRegion(r.Residence, c, r.Restricted), c.CheckVersion()
	missing := map[string]int{}
	err = r.t.Query(func(row db.Row) error {
		if row.Int(2) < row.Int(1) {
			missing[row.Text(0)] = int(row.Int(1))
		}
		return nil
	}, `SELECT d.name, max(d.version), COALESCE((SELECT max(a.version) FROM acceptances a
	      WHERE a.bucket = $1 AND a.account = $2 AND a.document = d.name), 0) FROM documents d GROUP BY d.name`,
		int64(r.id.Bucket()), string(r.id))
	for _, name := range staking.DocumentNames {
		if missing[name] > 0 {
			r.Missing = append(r.Missing, staking.Document{Name: name, Version: missing[name]})
		}
	}
	return err
}

// termsOn reads each day's terms once.
func (r *reading) termsOn(d staking.Day) (terms map[string]staking.Terms, err error) {
	if r.terms[d] == nil {
		if terms, err = store.TermsAt(r.t, d); err != nil {
			return nil, err
		}
		r.terms[d] = terms
	}
	return r.terms[d], nil
}

// readOffer reads the tokens on offer.
func (r *reading) readOffer() error {
	terms, err := r.termsOn(r.Today)
	if err != nil {
		return err
	}
	if r.rates, err = r.rs.currentRates(r.t, terms); err != nil {
		return err
	}
	others, err := r.othersFree(terms)
	if err != nil {
		return err
	}
	for _, symbol := range slices.Sorted(maps.Keys(terms)) {
		if !terms[symbol].Offered {
			continue
		}
		has := r.token(symbol)
		token := OfferedToken{Terms: terms[symbol], Free: has.Free, Joint: has.Free, Earned: has.Earned,
			Rate: r.rates[symbol], Excluded: r.Excluded(symbol, r.Today)}
		if has.Free > 0 {
			if token.Joint, err = has.Free.Add(others[symbol]); err != nil {
				return fmt.Errorf("sum what an owner has of %s: %w", symbol, err)
			}
		}
		if r.On() && token.Excluded == "" {
			token.Counting = token.Terms.Earning(token.Free, token.Joint)
		}
		r.Tokens = append(r.Tokens, token)
	}
	return nil
}

// value says what the rewards were worth, and names the tokens' assets. It is called after the transaction, since
// assets that are not known yet are read in one of their own.
func (r *reading) value(ctx context.Context) error {
	assets, err := r.rs.AssetsOf(ctx, slices.Collect(maps.Keys(r.tokens))...)
	if err != nil {
		return err
	}
	for i := range r.Tokens {
		r.Tokens[i].Asset = assets[r.Tokens[i].Terms.Asset]
	}
	if err := r.rs.valueRewards(ctx, r.Paid); err != nil || r.parts&Value == 0 {
		return err
	}
	if err := r.rs.valueRewards(ctx, r.rewards); err != nil {
		return err
	}
	return r.addRewards()
}
