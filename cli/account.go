package cli

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"softstake/ledger"
	"softstake/staking"
	"softstake/store"
)

// accountCmd opens and shows accounts.
type accountCmd struct {
	Open      accountOpenCmd      `cmd:"" help:"Open an account."`
	List      accountListCmd      `cmd:"" help:"List accounts."`
	Show      accountShowCmd      `cmd:"" help:"Show an account: its switch, balances and documents."`
	SetRegion accountSetRegionCmd `cmd:"" help:"Set the verified residence of an account."`
}

type accountOpenCmd struct {
	Account ledger.Account `arg:"" help:"1 to 128 characters of A-Z a-z 0-9 . _ : -"`
	Region  string         `help:"Verified residence, such as DE or US-CA. Without it Soft Staking cannot be switched on." placeholder:"CODE"`
}

func (c *accountOpenCmd) Help() string {
	return `The same account twice is once. The residence is an ISO 3166 code.

Example:

  softstake account open alice --region DE`
}

// Run opens the account.
func (c *accountOpenCmd) Run(w *World) error {
	return w.books(func(ctx context.Context, db *store.DB) error {
		repeated, err := db.OpenAccount(ctx, c.Account, staking.Region(c.Region))
		if err != nil {
			return err
		}
		if repeated {
			return w.printf("%s is open already.\n", c.Account)
		}
		return w.printf("Opened %s.\n", c.Account)
	})
}

type accountListCmd struct {
	After ledger.Account `placeholder:"ACCOUNT" help:"Go on after this account."`
	Limit int            `default:"100" help:"How many at most; 0: all."`
	JSON  bool           `help:"Print a JSON array."`
}

func (c *accountListCmd) Help() string {
	return `Accounts come in the order in which they lie in the books, which is not that of the alphabet.

Example:

  softstake account list --limit 20`
}

type accountJSON struct {
	Account ledger.Account `json:"account"`
	Region  staking.Region `json:"region"`
	Opened  instant        `json:"opened"`
}

// accountPage is how many accounts are read at once.
const accountPage = 1000

// Run lists accounts, page after page.
func (c *accountListCmd) Run(w *World) error {
	if c.Limit < 0 {
		return usage("--limit %d is below zero", c.Limit)
	}
	return w.books(func(ctx context.Context, db *store.DB) error {
		out, grid := newJSONList(w.Stdout), newGrid(text("account"), text("residence"), text("opened"))
		left, after, more := c.Limit, c.After, true
		for more && (c.Limit == 0 || left > 0) {
			want := accountPage
			if c.Limit > 0 {
				want = min(want, left)
			}
			page, err := db.Accounts(ctx, after, want)
			if err != nil {
				return err
			}
			for _, a := range page {
				if c.JSON {
					if err := out.add(accountJSON{a.ID, a.Region, instant(a.Opened)}); err != nil {
						return err
					}
				} else {
					grid.add(string(a.ID), cmp.Or(string(a.Region), none), wallTime(a.Opened))
				}
				after = a.ID
			}
			left, more = left-len(page), len(page) == want
		}
		if c.JSON {
			return out.end()
		}
		if err := grid.write(w.Stdout); err != nil {
			return err
		}
		if more && c.Limit > 0 {
			return w.tellf("There may be more: softstake account list --after %s", after)
		}
		return nil
	})
}

type accountSetRegionCmd struct {
	Account ledger.Account `arg:""`
	Region  staking.Region `arg:"" help:"ISO 3166 code, such as DE or US-CA."`
}

func (c *accountSetRegionCmd) Help() string {
	return `Who becomes a resident of a region where Soft Staking is not offered stops earning from today.

Example:

  softstake account set-region alice FR`
}

// Run sets the residence.
func (c *accountSetRegionCmd) Run(w *World) error {
	region, err := staking.ParseRegion(string(c.Region))
	if err != nil {
		return err
	}
	return w.books(func(ctx context.Context, db *store.DB) error {
		if err := db.SetRegion(ctx, c.Account, region); err != nil {
			return err
		}
		return w.printf("%s lives in %s.\n", c.Account, region)
	})
}

type accountShowCmd struct {
	Account ledger.Account `arg:""`
	JSON    bool           `help:"Print a JSON object."`
}

func (c *accountShowCmd) Help() string {
	return `Held tokens lie in open orders and pending withdrawals; they do not earn.

Example:

  softstake account show alice`
}

// shown is everything there is to show of an account.
type shown struct {
	account     store.Account
	enrollments []staking.Enrollment
	balances    []store.Balance
	acceptances []store.Acceptance
	assets      assets
}

// Run shows the account.
func (c *accountShowCmd) Run(w *World) error {
	return w.books(func(ctx context.Context, db *store.DB) (err error) {
		var s shown
		for _, read := range []func() error{
			func() error { s.account, err = db.Account(ctx, c.Account); return err },
			func() error { s.enrollments, err = db.Enrollments(ctx, c.Account); return err },
			func() error { s.balances, err = db.Balances(ctx, c.Account); return err },
			func() error { s.acceptances, err = db.Acceptances(ctx, c.Account); return err },
			func() error { s.assets, err = readAssets(ctx, db); return err },
		} {
			if err := read(); err != nil {
				return err
			}
		}
		if c.JSON {
			return s.writeJSON(w)
		}
		return s.write(w)
	})
}

type (
	shownJSON struct {
		accountJSON
		Enrolled    bool             `json:"enrolled"`
		Enrollments []enrollmentJSON `json:"enrollments"`
		Balances    []balanceJSON    `json:"balances"`
		Accepted    []acceptedJSON   `json:"accepted"`
	}
	enrollmentJSON struct {
		From  staking.Day  `json:"from"`
		Until *staking.Day `json:"until"` // null: still on
	}
	balanceJSON struct {
		Asset  string `json:"asset"`
		Free   string `json:"free"`
		Held   string `json:"held"`
		Earned string `json:"earned"`
	}
	acceptedJSON struct {
		Document string  `json:"document"`
		Version  int     `json:"version"`
		At       instant `json:"at"`
	}
)

func (s *shown) on() bool {
	n := len(s.enrollments)
	return n > 0 && s.enrollments[n-1].On()
}

func (s *shown) writeJSON(w *World) error {
	j := shownJSON{
		accountJSON: accountJSON{s.account.ID, s.account.Region, instant(s.account.Opened)}, Enrolled: s.on(),
		Enrollments: []enrollmentJSON{}, Balances: []balanceJSON{}, Accepted: []acceptedJSON{},
	}
	for _, e := range s.enrollments {
		j.Enrollments = append(j.Enrollments, formatEnrollment(e))
	}
	for _, b := range s.balances {
		j.Balances = append(j.Balances, balanceJSON{b.Asset, s.assets.plain(b.Asset, b.Free), s.assets.plain(b.Asset, b.Held), s.assets.plain(b.Asset, b.Earned)})
	}
	for _, a := range s.acceptances {
		j.Accepted = append(j.Accepted, acceptedJSON{a.Document, a.Version, instant(a.At)})
	}
	return writeJSON(w.Stdout, j)
}

func formatEnrollment(e staking.Enrollment) enrollmentJSON {
	j := enrollmentJSON{From: e.From}
	if !e.On() {
		j.Until = &e.Until
	}
	return j
}

// switchSentence says whether and since when an account earns.
func switchSentence(enrollments []staking.Enrollment, now time.Time) string {
	if len(enrollments) == 0 {
		return "off, and never was on"
	}
	last := enrollments[len(enrollments)-1]
	if last.Until <= last.From {
		// Switched on and off on one day: what earned, if anything, was before.
		enrollments = slices.DeleteFunc(slices.Clone(enrollments), func(e staking.Enrollment) bool { return e.Until <= e.From })
		if len(enrollments) == 0 {
			return "off; no day has earned"
		}
		last = enrollments[len(enrollments)-1]
	}
	switch {
	case last.On() && last.From > staking.DayOf(now):
		return "on; it earns from " + last.From.String()
	case last.On():
		return "on; earning since " + last.From.String()
	}
	return "off since " + last.Until.String() + "; the last day that earned was " + (last.Until - 1).String()
}

func (s *shown) write(w *World) error {
	if err := facts(w.Stdout,
		[2]string{"account", string(s.account.ID)},
		[2]string{"residence", cmp.Or(string(s.account.Region), "not verified")},
		[2]string{"opened", wallTime(s.account.Opened) + " UTC"},
		[2]string{"soft staking", switchSentence(s.enrollments, w.Now())},
	); err != nil {
		return err
	}
	balances := newGrid(text("token"), figure("free"), figure("held"), figure("earned so far"))
	for _, b := range s.balances {
		balances.add(b.Asset, s.assets.plain(b.Asset, b.Free), s.assets.plain(b.Asset, b.Held), s.assets.plain(b.Asset, b.Earned))
	}
	documents := newGrid(text("accepted"), figure("version"), text("when"))
	for _, a := range s.acceptances {
		documents.add(a.Document, strconv.Itoa(a.Version), wallTime(a.At))
	}
	for _, g := range []*grid{balances, documents} {
		if len(g.rows) == 0 {
			continue
		}
		if err := w.printf("\n"); err != nil {
			return err
		}
		if err := g.write(w.Stdout); err != nil {
			return err
		}
	}
	return nil
}
