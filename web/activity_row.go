package web

import (
	"html/template"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// activityRow is a happening in words.
type activityRow struct {
	Title string
	Note  string // what it means; may be ""
	Where string // with what and from where it was done; may be ""
	Hour  template.HTML
	Sides []activitySide
}

// activitySide is a change of a balance in words.
type activitySide struct {
	Amount, Asset string
	Credit, Held  bool
	Link          string // to how it came about, or ""
}

// row puts a happening into words.
func (p *view) row(h happening, assets map[string]ledger.Asset) (activityRow, error) {
	row := activityRow{Title: p.happeningTitle(h), Note: p.happeningNote(h), Where: p.Where(h.Client, h.Address)}
	at := h.moment()
	row.Hour = p.stamp(at, at.In(p.visit.zone).Format("15:04"), p.locale.time(at)+" UTC")
	for _, s := range h.Sides {
		asset, err := p.visit.asset(p.visit.context(), assets, s.Asset)
		if err != nil {
			return row, err
		}
		side := activitySide{Amount: p.Signed(asset, s.Amount), Asset: s.Asset, Credit: s.Amount > 0, Held: s.Held}
		if h.Name == happenedReward {
			side.Link = "/earn/rewards/" + h.Day.String() + "/" + s.Asset
		}
		row.Sides = append(row.Sides, side)
	}
	return row, nil
}

// happenedReward is the name of a day's rewards.
const happenedReward = "reward"

// happeningTitle is what happened.
func (p *view) happeningTitle(h happening) string {
	switch h.Name {
	case happenedReward:
		return p.N("activity.is.reward", len(h.Sides), "day", p.Day(h.Day))
	case string(ledger.Trade):
		if from, to, both := h.converted(); both {
			return p.T("activity.is.converted", "from", from, "to", to)
		}
	case "accepted":
		return p.T("activity.is.accepted", "document", p.Called(h.Detail), "version", p.version(h.Version))
	}
	return p.Happened(h.Name, h.Other, h.Detail)
}

// Happened is what such a thing is called, wherever it is told of.
func (p *view) Happened(name string, other ledger.Account, detail string) string {
	key := "activity.is." + name
	if !p.says(key) {
		key = "activity.is.other" // written by a newer program than this one
	}
	return p.T(key, "other", other, "detail", detail)
}

// nameOf names what changed a balance by an amount: a transfer by its direction,
// and all else by its kind.
func nameOf(kind ledger.Kind, amount ledger.Amount) string {
	switch {
	case kind == ledger.Transfer && amount < 0:
		return "transfer-out"
	case kind == ledger.Transfer:
		return "transfer-in"
	}
	return string(kind)
}

// converted is which token became which, where it was one each.
func (h happening) converted() (from, to string, both bool) {
	if len(h.Sides) != 2 || (h.Sides[0].Amount < 0) == (h.Sides[1].Amount < 0) {
		return "", "", false
	}
	for _, s := range h.Sides {
		if s.Amount < 0 {
			from = s.Asset
		} else {
			to = s.Asset
		}
	}
	return from, to, from != to
}

// happeningNote is what it means for the holder, where the title does not.
func (p *view) happeningNote(h happening) string {
	day := staking.DayOf(h.moment())
	if h.Name == "switch-off-region" && h.Detail == "" {
		return p.T("activity.note.switch-off-residence", "day", p.Day(day))
	}
	region, from, coming := strings.Cut(h.Detail, " from ")
	if last, err := staking.ParseDay(from); coming && err == nil {
		day = last
	}
	if key := "activity.note." + h.Name; p.says(key) {
		return p.T(key, "region", p.region(staking.Region(region)), "day", p.Day(day), "detail", h.Detail)
	}
	return ""
}

// reports whether the catalogue has a text.
func (p *view) says(key string) bool {
	_, there := p.locale.texts[key]
	return there
}

// Called is what a document is called.
func (p *view) Called(name string) string {
	if key := "document." + name; p.says(key) {
		return p.T(key)
	}
	return name
}

// Where says with what and from where something was done, as far as it is known.
func (p *view) Where(client, address string) string {
	var words []string
	if client != "" {
		words = append(words, p.Device(client))
	}
	if address != "" {
		words = append(words, address)
	}
	return strings.Join(words, " · ")
}
