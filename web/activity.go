package web

import (
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/download"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// activityLength is how many happenings a page shows.
const activityLength = 40

// activityPage is what has happened to an account.
type activityPage struct {
	*view
	Asked  activityAsked
	Shows  []activityShow
	Tokens []string // that can be asked for; none where it makes no difference
	Days   []activityDay
	File   string // where the same is found as a file
	Again  string // where the page is asked for again when something happens; "": it is not the newest
	Newest string // where it begins
	Older  string // where it goes on; "": nowhere
	From   staking.Day
}

// activityShow is a part of the list that can be asked for.
type activityShow struct {
	Name, Path string
	Current    bool
}

// activityDay is a day of the visitor's, and what happened on it.
type activityDay struct {
	Label string
	Rows  []activityRow
}

// activity shows what has happened to the account.
func (v *visit) activity() error {
	asked, assets, err := v.activityAsked()
	if err != nil {
		return err
	}
	// Nothing is dated later than the end of tomorrow, whatever the clocks of other processes are.
	after := happeningPlace{At: v.Books.Now().AddDate(0, 0, 2).UnixMilli()}
	page := activityPage{
		view: v.view("activity.title"), Asked: asked, File: asked.path("/activity.csv", ""),
		Newest: asked.path("/activity", ""),
	}
	if from := v.value("from"); from == "" {
		page.Again = page.Newest
	} else if after, err = parsePlace(from, activitySources); err != nil {
		return err
	}
	happenings, next, err := mergePage(v.context(), v.sources(asked), after, activityLength)
	if err != nil {
		return err
	}
	if next != nil {
		page.Older = asked.path("/activity", next.String())
		page.From = staking.DayOf(time.UnixMilli(next.At).UTC())
	}
	for _, show := range activityShows {
		other := activityAsked{show, asked.Asset}
		if !other.moves() {
			other.Asset = ""
		}
		page.Shows = append(page.Shows, activityShow{show, other.path("/activity", ""), show == asked.Show})
	}
	if asked.moves() {
		for symbol := range assets {
			page.Tokens = append(page.Tokens, symbol)
		}
		slices.Sort(page.Tokens)
	}
	if page.Days, err = page.days(happenings, assets); err != nil {
		return err
	}
	return v.show("activity", page)
}

// moves reports whether the part of the list has what moves tokens.
func (a activityAsked) moves() bool {
	return a.Show == showAll || a.Show == showWallet || a.Show == showRewards
}

// path is the address of the list, from a cursor on or, "", from the newest.
func (a activityAsked) path(path, from string) string {
	show := a.Show
	if show == showAll {
		show = ""
	}
	return address(path, "show", show, "asset", a.Asset, "from", from)
}

// activityAsked reads what is wanted of the list, and which assets there are. What
// there is no part of the list for shows all of it.
func (v *visit) activityAsked() (asked activityAsked, assets map[string]ledger.Asset, err error) {
	asked = activityAsked{Show: showAll, Asset: strings.ToUpper(v.value("asset"))}
	if show := v.value("show"); slices.Contains(activityShows, show) {
		asked.Show = show
	}
	if assets, err = v.assets(v.context()); err != nil {
		return asked, nil, err
	}
	if _, known := assets[asked.Asset]; !known || !asked.moves() {
		asked.Asset = ""
	}
	return asked, assets, nil
}

// days puts happenings under the visitor's days.
func (p *activityPage) days(happenings []happening, assets map[string]ledger.Asset) (days []activityDay, err error) {
	today := p.visit.Books.Now().In(p.visit.zone)
	labels := map[string]string{
		p.locale.date(today.AddDate(0, 0, -1)): p.T("activity.yesterday"), p.locale.date(today): p.T("activity.today"),
	}
	last := ""
	for _, h := range happenings {
		date := p.locale.date(h.moment().In(p.visit.zone))
		if date != last {
			label := date
			if word := labels[date]; word != "" {
				label = p.T("activity.day", "word", word, "date", date)
			}
			days, last = append(days, activityDay{Label: label}), date
		}
		row, err := p.row(h, assets)
		if err != nil {
			return nil, err
		}
		day := &days[len(days)-1]
		day.Rows = append(day.Rows, row)
	}
	return days, nil
}

// version is the number of a document's version as the language writes it.
func (p *view) version(n int) string { return p.Number(strconv.Itoa(n)) }

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

// activityColumns are those of the file: words for programs, in every language the
// same. A happening with several sides has a line for each.
var activityColumns = []string{
	"time_utc", "event", "asset", "amount", "balance", "other_account", "entry", "reward_day", "detail", "client",
	"address",
}

// activityFile is the list as a CSV file, the newest first. It is written while it
// is read, so that no part of it need be in memory.
func (v *visit) activityFile() error {
	asked, assets, err := v.activityAsked()
	if err != nil {
		return err
	}
	name := "activity_" + string(v.account()) + "_" + v.Books.Now().Format(time.DateOnly)
	return v.file(name, activityColumns, func(line func(...string) error) error {
		newest := happeningPlace{At: v.Books.Now().AddDate(0, 0, 2).UnixMilli()}
		return merge(v.context(), v.sources(asked), newest, activityLength,
			func(h happening) (bool, error) {
				for _, change := range h.Sides {
					if _, err := v.asset(v.context(), assets, change.Asset); err != nil {
						return true, err
					}
				}
				for _, cells := range h.lines(assets) {
					if err := line(cells...); err != nil {
						return true, err
					}
				}
				return false, nil
			})
	})
}

// lines are a happening's in the file; a gap has none. assets has each of its sides'.
func (h happening) lines(assets map[string]ledger.Asset) (lines [][]string) {
	if h.Gap {
		return nil
	}
	at, day, detail := instant(h.moment()), "", h.Detail
	if h.Name == happenedReward {
		day = h.Day.String()
	}
	if h.Version > 0 {
		detail += " " + strconv.Itoa(h.Version)
	}
	line := func(asset, amount, balance string) []string {
		return []string{
			at, h.Name, asset, amount, balance, download.Cell(string(h.Other)), download.Cell(h.Entry), day,
			download.Cell(detail), download.Cell(h.Client), download.Cell(h.Address),
		}
	}
	for _, s := range h.Sides {
		balance := "free"
		if s.Held {
			balance = "held"
		}
		lines = append(lines, line(s.Asset, assets[s.Asset].Format(s.Amount), balance))
	}
	if len(h.Sides) == 0 {
		lines = append(lines, line("", "", ""))
	}
	return lines
}
