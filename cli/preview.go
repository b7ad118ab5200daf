package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type previewJSON struct {
	Asset       string      `json:"asset"`
	Day         staking.Day `json:"day"`
	Declared    bool        `json:"declared"`
	Holders     int64       `json:"holders"`
	Total       string      `json:"total"`
	MeanAverage string      `json:"mean_average"`
	Before      *string     `json:"day_before"`
	Pool        string      `json:"pool"`
	Waits       string      `json:"waits,omitempty"`
	LateUntil   instant     `json:"late_until,omitzero"`
	*openJSON
}

// openJSON is what is said of an open day beside that.
type openJSON struct {
	Open          bool    `json:"open"`
	At            instant `json:"at"`
	Owed          string  `json:"owed"`
	Missing       string  `json:"missing"`
	NeedsApproval bool    `json:"needs_approval"`
	Partial       bool    `json:"partial"`
}

// preview prints what each token's next day would pay, and what the open day would as it stands.
func (c *settleCmd) preview(ctx context.Context, w *World, db *store.DB, a assets) error {
	due, err := reports.New(db.Reader()).Preview(ctx)
	if err != nil {
		return err
	}
	open, err := reports.New(db.Reader()).PreviewOpen(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		out := newJSONList(w.Stdout)
		for _, p := range due {
			if err := out.add(formatPreview(a, p)); err != nil {
				return err
			}
		}
		for _, p := range open {
			if err := out.add(formatOpen(a, p)); err != nil {
				return err
			}
		}
		return out.end()
	}
	if err := writeDue(w, a, due); err != nil {
		return err
	}
	return writeOpen(w, a, open)
}

func formatPreview(a assets, p reports.Preview) previewJSON {
	j := previewJSON{
		Asset: p.Asset, Day: p.Day, Declared: p.Declared, Holders: p.Holders, Total: a.plain(p.Asset, p.Total),
		MeanAverage: a.plain(p.Asset, p.Average), Pool: a.plain(p.Asset, p.Pool), Waits: waits(p.Verdict),
		LateUntil: instant(p.LateUntil),
	}
	if p.BeforeKnown {
		before := a.plain(p.Asset, p.Before)
		j.Before = &before
	}
	return j
}

func formatOpen(a assets, p reports.OpenPreview) previewJSON {
	j := formatPreview(a, reports.Preview{
		Asset: p.Asset, Day: p.Day, Holders: p.Holders, Total: p.Total, Average: p.Average,
		Before: p.Before, BeforeKnown: p.BeforeKnown, Pool: p.Pool,
	})
	j.Waits = strings.Join(openVerdicts(a, p), "; ")
	j.openJSON = &openJSON{
		Open: true, At: instant(p.At), Owed: a.plain(p.Asset, p.Owed), Missing: a.plain(p.Asset, p.Missing), NeedsApproval: p.Over != "", Partial: p.Partial,
	}
	return j
}

// waits is why a day waits, and what to do about it; "" where it does not.
func waits(why error) string {
	if why == nil {
		return ""
	}
	return plain(why)
}

// openVerdicts say why the open day would wait, if it stayed as it stands.
func openVerdicts(a assets, p reports.OpenPreview) (why []string) {
	if p.Over != "" {
		why = append(why, "needs approval: "+p.Over)
	}
	switch {
	case p.Missing > 0 && p.Owed > 0:
		why = append(why, fmt.Sprintf("the pool lacks %s, of which the days before it, not paid yet, need %s", a.with(p.Asset, p.Missing), a.with(p.Asset, p.Owed)))
	case p.Missing > 0:
		why = append(why, "the pool lacks "+a.with(p.Asset, p.Missing))
	}
	return why
}

// writeDue writes what the days that are over would pay.
func writeDue(w *World, a assets, previews []reports.Preview) error {
	grid := newGrid(text("day"), text("token"), figure("holders"), figure("mean average"), figure("would pay"), figure("day before"), figure("pool"))
	var waits []string
	var late reports.Preview
	for _, p := range previews {
		j, before := formatPreview(a, p), none
		if j.Before != nil {
			before = *j.Before
		}
		grid.add(p.Day.String(), p.Asset, strconv.FormatInt(p.Holders, 10), j.MeanAverage, j.Total, before, j.Pool)
		if p.Verdict != nil {
			waits = append(waits, fmt.Sprintf("%s of %s would wait: %s", p.Asset, p.Day, plain(p.Verdict)))
		}
		if !p.LateUntil.IsZero() {
			late = p // the only such day: yesterday
		}
	}
	if !late.LateUntil.IsZero() {
		waits = append(waits, fmt.Sprintf("%s takes late entries until %s UTC, which may change its figures, and is not paid before.", late.Day, wallTime(late.LateUntil)))
	}
	if len(previews) == 0 {
		return w.printf("Nothing is due.\n")
	}
	return writeWaits(w, grid, waits)
}

// writeOpen writes what the open day would pay as it stands.
func writeOpen(w *World, a assets, previews []reports.OpenPreview) error {
	if len(previews) == 0 {
		return nil
	}
	day, at := previews[0].Day, previews[0].At
	err := w.printf("\n%s is open. As it stands at %s UTC, an estimate: as if nothing moved until its end.\n\n", day, at.UTC().Format("15:04"))
	if err != nil {
		return err
	}
	grid := newGrid(text("day"), text("token"), figure("holders"), figure("mean average"), figure("would pay"), figure("day before"), figure("pool"), figure("missing"))
	var waits []string
	for _, p := range previews {
		j, before := formatOpen(a, p), none
		if j.Before != nil {
			before = *j.Before
		}
		grid.add(day.String(), p.Asset, strconv.FormatInt(p.Holders, 10), j.MeanAverage, j.Total, before, j.Pool, j.Missing)
		for _, why := range openVerdicts(a, p) {
			waits = append(waits, fmt.Sprintf("%s of %s: %s", p.Asset, day, why))
		}
		if p.Partial {
			waits = append(waits, fmt.Sprintf("%s is not paid for days before %s either; they are not in these figures.", p.Asset, p.First))
		}
	}
	return writeWaits(w, grid, waits)
}

// writeWaits writes a table, and below it why days would wait.
func writeWaits(w *World, g *grid, waits []string) error {
	err := g.write(w.Stdout)
	if err == nil && len(waits) > 0 {
		_, err = io.WriteString(w.Stdout, "\n"+strings.Join(waits, "\n")+"\n")
	}
	return err
}
