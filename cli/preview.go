package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type (
	previewsJSON struct {
		Items []previewJSON `json:"items"`
		Open  openJSON      `json:"open"`
	}
	previewJSON struct {
		totalsJSON
		Day       staking.Day `json:"day"`
		Declared  bool        `json:"declared"`
		Verdict   string      `json:"verdict,omitempty"` // why the day would wait
		LateUntil instant     `json:"lateUntil,omitzero"`
	}
	openJSON struct {
		Day    staking.Day     `json:"day"`
		At     instant         `json:"at"`
		Tokens []openTokenJSON `json:"tokens"`
	}
	openTokenJSON struct {
		totalsJSON
		Owed          string `json:"owed"`
		Missing       string `json:"missing"`
		NeedsApproval string `json:"needsApproval,omitempty"` // which limit the total exceeds
		Partial       bool   `json:"partial"`
	}
	// totalsJSON is what a day would pay of a token.
	totalsJSON struct {
		Asset   string  `json:"asset"`
		Holders int64   `json:"holders"`
		Total   string  `json:"total"`
		Average string  `json:"average"`
		Before  *string `json:"before"`
		Pool    string  `json:"pool"`
	}
)

// preview prints what each token's next day would pay, and what the open day would as it stands.
func (c *settleCmd) preview(ctx context.Context, env *Env, db *store.DB, a assets) error {
	due, err := reports.New(db.Reader()).Preview(ctx)
	if err != nil {
		return err
	}
	open, err := reports.New(db.Reader()).PreviewOpen(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		now := env.Now()
		j := previewsJSON{Items: []previewJSON{}, Open: openJSON{Day: staking.DayOf(now), At: instant(now),
			Tokens: []openTokenJSON{}}}
		for _, p := range due {
			j.Items = append(j.Items, previewJSON{formatTotals(a, p.Previewed), p.Day, p.Declared, waits(p.Verdict),
				instant(p.LateUntil)})
		}
		for _, p := range open {
			j.Open.Day, j.Open.At = p.Day, instant(p.At)
			j.Open.Tokens = append(j.Open.Tokens, formatOpen(a, p))
		}
		return writeJSON(env.Stdout, j)
	}
	return cmp.Or(writeDue(env, a, due), writeOpen(env, a, open))
}

func formatTotals(a assets, p reports.Previewed) totalsJSON {
	j := totalsJSON{p.Asset, p.Holders, a.plain(p.Asset, p.Total), a.plain(p.Asset, p.Average), nil,
		a.plain(p.Asset, p.Pool)}
	if p.BeforeKnown {
		before := a.plain(p.Asset, p.Before)
		j.Before = &before
	}
	return j
}

func formatOpen(a assets, p reports.OpenPreview) openTokenJSON {
	return openTokenJSON{formatTotals(a, p.Previewed), a.plain(p.Asset, p.Owed), a.plain(p.Asset, p.Missing), p.Over,
		p.Partial}
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
		why = append(why, fmt.Sprintf("the pool lacks %s, of which the days before it, not paid yet, need %s",
			a.with(p.Asset, p.Missing), a.with(p.Asset, p.Owed)))
	case p.Missing > 0:
		why = append(why, "the pool lacks "+a.with(p.Asset, p.Missing))
	}
	return why
}

var previewColumns = []col{text("day"), text("token"), figure("holders"), figure("mean average"), figure("would pay"),
	figure("day before"), figure("pool")}

func previewRow(a assets, p reports.Previewed) []string {
	j := formatTotals(a, p)
	return []string{p.Day.String(), p.Asset, strconv.FormatInt(p.Holders, 10), j.Average, j.Total, given(j.Before, none),
		j.Pool}
}

// writeDue writes what the days that are over would pay.
func writeDue(env *Env, a assets, previews []reports.Preview) error {
	grid := newGrid(previewColumns...)
	var waits []string
	var late reports.Preview
	for _, p := range previews {
		grid.add(previewRow(a, p.Previewed)...)
		if p.Verdict != nil {
			waits = append(waits, fmt.Sprintf("%s of %s would wait: %s", p.Asset, p.Day, plain(p.Verdict)))
		}
		if !p.LateUntil.IsZero() {
			late = p // the only such day: yesterday
		}
	}
	if !late.LateUntil.IsZero() {
		waits = append(waits, fmt.Sprintf("%s takes late entries until %s UTC, which may change its figures, and is "+
			"not paid before.", late.Day, wallTime(late.LateUntil)))
	}
	if len(previews) == 0 {
		return env.printf("Nothing is due.\n")
	}
	return writeWaits(env, grid, waits)
}

// writeOpen writes what the open day would pay as it stands.
func writeOpen(env *Env, a assets, previews []reports.OpenPreview) error {
	if len(previews) == 0 {
		return nil
	}
	day, at := previews[0].Day, previews[0].At
	if err := env.printf("\n%s is open. As it stands at %s UTC, an estimate: as if nothing moved until its end.\n\n", day,
		at.UTC().Format("15:04")); err != nil {
		return err
	}
	grid := newGrid(append(slices.Clone(previewColumns), figure("missing"))...)
	var waits []string
	for _, p := range previews {
		grid.add(append(previewRow(a, p.Previewed), a.plain(p.Asset, p.Missing))...)
		for _, why := range openVerdicts(a, p) {
			waits = append(waits, fmt.Sprintf("%s of %s: %s", p.Asset, day, why))
		}
		if p.Partial {
			waits = append(waits, fmt.Sprintf("%s is not paid for days before %s either; they are not in these figures.",
				p.Asset, p.First))
		}
	}
	return writeWaits(env, grid, waits)
}

// writeWaits writes a table, and below it why days would wait.
func writeWaits(env *Env, g *grid, waits []string) error {
	err := g.write(env.Stdout)
	if err == nil && len(waits) > 0 {
		_, err = io.WriteString(env.Stdout, "\n"+strings.Join(waits, "\n")+"\n")
	}
	return err
}
