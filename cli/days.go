package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type daysCmd struct {
	Closing       daysClosingCmd       `cmd:"" help:"Show for how long days take late entries."`
	SetCloseAfter daysSetCloseAfterCmd `cmd:"" help:"Set for how long days take late entries, from a day on."`
}

type daysClosingCmd struct{}

func (daysClosingCmd) Help() string {
	return `Example:

  softstake days closing`
}

func (daysClosingCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		closings, err := db.Closings(ctx)
		if err != nil {
			return err
		}
		g := newGrid(text("from day"), text("takes late entries for"))
		for _, c := range closings {
			g.add(c.From.String(), short(c.After))
		}
		return g.write(env.Stdout)
	})
}

type daysSetCloseAfterCmd struct {
	After time.Duration `arg:"" help:"How long past midnight UTC a day takes late entries, such as 5m or 2h: less than a day."`
	From  *staking.Day  `placeholder:"DAY" help:"First day that it holds for: not one that may be closed already. Without it: today."`
}

func (c *daysSetCloseAfterCmd) Help() string {
	return `Every process that settles reads this from the books, also one that runs already: a day is closed, for good, by the first that finds it over. What was set for a later day holds from there on.

Examples:

  softstake days set-close-after 2h
  softstake days set-close-after 30m --from 2026-12-01`
}

func (c *daysSetCloseAfterCmd) Run(env *Env) error {
	if err := checkCloseAfter(&c.After); err != nil {
		return err
	}
	from := given(c.From, staking.DayOf(env.Now()))
	return env.books(func(ctx context.Context, db *store.DB) error {
		if err := db.SetCloseAfter(ctx, staking.Closing{From: from, After: c.After}); err != nil {
			return err
		}
		closings, err := db.Closings(ctx)
		return env.done(err, "From %s on days take late entries for %s: %s closes at %s UTC.\n", from, short(c.After), from,
			wallTime(closings.ClosesAt(from)))
	})
}

// checkCloseAfter refuses what --close-after cannot mean. nil: it was not given.
func checkCloseAfter(after *time.Duration) error {
	if after == nil {
		return nil
	}
	if err := staking.CheckCloseAfter(*after); err != nil {
		return usage("--close-after: %s", plain(err))
	}
	return nil
}

// agreeCloseAfter refuses a flag or environment that says another time than the books.
func agreeCloseAfter(ctx context.Context, env *Env, db *store.DB, given *time.Duration) error {
	if given == nil {
		return nil
	}
	closings, err := db.Closings(ctx)
	if err != nil {
		return err
	}
	today := staking.DayOf(env.Now())
	if after := closings.After(today); after != *given {
		return fmt.Errorf("--close-after or SOFTSTAKE_CLOSE_AFTER says %s, and the books say %s: leave it out, or "+
			"change the books with \"softstake days set-close-after %s\"",
			short(*given), short(after), short(*given))
	}
	return nil
}

// short is a duration without parts that are zero at its end: 5m, not 5m0s.
func short(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"0s", "0m"} {
		if cut, is := strings.CutSuffix(text, zero); is && cut != "" && !isDigit(cut[len(cut)-1]) {
			text = cut
		}
	}
	return text
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }
